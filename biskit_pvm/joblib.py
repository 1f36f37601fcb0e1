"""joblib on the virtual machine, and with it scikit-learn.

>>> import biskit_pvm.joblib                                     # doctest: +SKIP
>>> with joblib.parallel_config(backend="pvm", n_jobs=-1):       # doctest: +SKIP
...     scores = cross_val_score(model, X, y)

Importing this module registers the backend.  Keyword arguments of `parallel_config` beyond joblib's own are those of
`biskit_pvm.futures.PVMExecutor`; ``executor=`` names one that there is.  Workers are kept for the next use, as joblib
keeps those of its own default backend, and leave when the program ends.
"""

from __future__ import annotations

import threading
from typing import Any, Callable

from joblib.parallel import AutoBatchingMixin, ParallelBackendBase, register_parallel_backend

from biskit_pvm.futures import PVMExecutor

__all__ = ["PVMBackend", "shutdown"]

_kept: dict[Any, PVMExecutor] = {}
_lock = threading.Lock()


class PVMBackend(AutoBatchingMixin, ParallelBackendBase):  # type: ignore[misc]
    """Have the tasks of `joblib.Parallel` done by PVM slaves.

    Parameters
    ----------
    executor : PVMExecutor, optional
        Where they are done; it is not shut down.  By default one that is made, with `options`, and kept.
    **options
        Of `PVMExecutor`.
    """

    supports_retrieve_callback = True
    supports_inner_max_num_threads = True
    default_n_jobs = -1

    def __init__(
        self,
        nesting_level: int | None = None,
        inner_max_num_threads: int | None = None,
        executor: PVMExecutor | None = None,
        **options: Any,
    ) -> None:
        super().__init__(nesting_level=nesting_level, inner_max_num_threads=inner_max_num_threads)
        self._given, self._options = executor, options
        self._executor: PVMExecutor | None = None
        self._running: set[Any] = set()

    def effective_n_jobs(self, n_jobs: int | None) -> int:
        """Return how many tasks run at the same time; -1: as many as there are workers."""
        if n_jobs == 0:
            raise ValueError("n_jobs == 0 in Parallel has no meaning")
        if n_jobs is None:
            return 1
        if self._given is not None:
            workers = self._given.n_workers
            return workers if n_jobs < 0 else min(n_jobs, workers)
        if n_jobs > 0:
            return n_jobs
        return max(self._find(None).n_workers + 1 + n_jobs, 1)

    def _find(self, n_jobs: int | None) -> PVMExecutor:
        if self._given is not None:
            return self._given
        options = dict(self._options)
        if self.inner_max_num_threads is not None:
            options["threads"] = self.inner_max_num_threads
        key = (n_jobs, repr(sorted(options.items(), key=lambda item: item[0])))
        with _lock:
            executor = _kept.get(key)
            if executor is None or executor.is_over():
                executor = _kept[key] = PVMExecutor(n_jobs, **options)
        return executor

    def configure(
        self,
        n_jobs: int = 1,
        parallel: Any = None,
        prefer: Any = None,
        require: Any = None,
        **options: Any,
    ) -> int:
        """Get the workers ready; return how many there are."""
        options.pop("idle_worker_timeout", None)
        self._given = options.pop("executor", self._given)
        self._options.update({name: value for name, value in options.items() if name not in _OF_JOBLIB})
        number = self.effective_n_jobs(n_jobs)
        self.parallel = parallel
        self._executor = self._find(n_jobs if n_jobs > 0 else None)
        return number

    def submit(self, func: Callable[[], Any], callback: Callable[[Any], None] | None = None) -> Any:
        """Have a batch of tasks done."""
        assert self._executor is not None
        future = self._executor.submit(func)
        self._running.add(future)
        future.add_done_callback(self._running.discard)
        if callback is not None:
            future.add_done_callback(callback)
        return future

    apply_async = submit

    def retrieve_result_callback(self, out: Any) -> Any:
        """Return the results of a batch."""
        return out.result()

    def abort_everything(self, ensure_ready: bool = True) -> None:
        """End the tasks that run, and forget the others; the workers are replaced."""
        for future in list(self._running):
            if self._executor is not None:
                self._executor.end_call(future)
        self.reset_batch_stats()

    def terminate(self) -> None:
        """Keep the workers for the next use."""
        self._executor = None
        self.reset_batch_stats()


#: what `Parallel` hands to `configure` that means the memory-mapping of its own pools
_OF_JOBLIB = {"temp_folder", "max_nbytes", "mmap_mode", "context", "verbose", "prefer", "require"}


def shutdown() -> None:
    """Let the workers go that are kept for the next use."""
    with _lock:
        executors = list(_kept.values())
        _kept.clear()
    for executor in executors:
        executor.shutdown()


register_parallel_backend("pvm", PVMBackend)
