"""joblib on the virtual machine, and with it scikit-learn.

>>> import biskit_pvm.joblib                                     # doctest: +SKIP
>>> with joblib.parallel_config(backend="pvm", n_jobs=-1):       # doctest: +SKIP
...     scores = cross_val_score(model, X, y)

Importing this module registers the backend.  Keyword arguments of `parallel_config` beyond joblib's own are those of
`biskit_pvm.futures.PVMExecutor`; ``executor=`` names one that there is.  Workers are kept for the next use, as joblib
keeps those of its own default backend, and leave when the program ends.
"""

from __future__ import annotations

import functools
import multiprocessing
import os
import threading
import warnings
from typing import Any, Callable

from joblib.parallel import (
    AutoBatchingMixin,
    BatchedCalls,
    FallbackToBackend,
    ParallelBackendBase,
    SequentialBackend,
    register_parallel_backend,
)

from biskit_pvm.executor.recurring import Argument, Recurring
from biskit_pvm.futures import PVMExecutor

__all__ = ["PVMBackend", "shutdown"]


class PVMBackend(AutoBatchingMixin, ParallelBackendBase):  # type: ignore[misc]
    """Have the tasks of `joblib.Parallel` done by PVM slaves.

    With one job, joblib computes in the calling process, as it does with all its backends.

    Parameters
    ----------
    executor : PVMExecutor, optional
        Where they are done; it is not shut down.  By default one that is made, with `options`, and kept.
    **options
        Of `PVMExecutor`.

    Notes
    -----
    An array of `max_nbytes` or more (1 MB by default) that is an argument of several tasks travels to each host once,
    and is read-only in the slaves, as with joblib's own processes; see `PVMExecutor.share`.
    """

    supports_retrieve_callback = True
    supports_inner_max_num_threads = True
    default_n_jobs = -1
    # seconds that a batch should take: a call costs less than with joblib's own processes, so none has to wait long
    MIN_IDEAL_BATCH_DURATION = 0.05

    def __init__(
        self,
        nesting_level: int | None = None,
        inner_max_num_threads: int | None = None,
        executor: PVMExecutor | None = None,
        **options: Any,
    ) -> None:
        super().__init__(nesting_level=nesting_level, inner_max_num_threads=inner_max_num_threads)
        self._given, self._options = executor, options
        self._kept: _Kept | None = None
        self._executor: PVMExecutor | None = None
        self._arrays: Recurring | None = None
        self._running: set[Any] = set()

    def effective_n_jobs(self, n_jobs: int | None) -> int:
        """Return how many tasks run at the same time; -1: as many as there are workers."""
        if n_jobs == 0:
            raise ValueError("n_jobs == 0 in Parallel has no meaning")
        if n_jobs is None:
            return 1
        if multiprocessing.current_process().daemon:
            if n_jobs != 1:
                warnings.warn(
                    "PVM-backed parallel loops cannot be nested below multiprocessing, setting n_jobs=1", stacklevel=3
                )
            return 1
        if self._given is not None:
            workers = self._given.n_workers
            return workers if n_jobs < 0 else min(n_jobs, workers)
        if n_jobs > 0:
            return n_jobs
        return max(_count(self._with_threads({})) + 1 + n_jobs, 1)

    def _with_threads(self, options: dict[str, Any]) -> dict[str, Any]:
        options = {**self._options, **options}
        number = self.inner_max_num_threads
        if number is not None:
            # what was set for this process holds for slaves, but not against what this call asks for
            variables = dict.fromkeys(self.MAX_NUM_THREADS_VARS, str(number))
            options["threads"], options["env"] = number, {**variables, **options.get("env", {})}
        return options

    def configure(
        self,
        n_jobs: int = 1,
        parallel: Any = None,
        prefer: Any = None,
        require: Any = None,
        **options: Any,
    ) -> int:
        """Get the workers ready; return how many there are."""
        self._given = options.pop("executor", self._given)
        limit = options.get("max_nbytes") if options.get("mmap_mode") == "r" else None
        options = {name: value for name, value in options.items() if name not in _OF_JOBLIB}
        self._options = {**self._options, **options}
        number = self.effective_n_jobs(n_jobs)
        if number == 1:
            raise FallbackToBackend(SequentialBackend(nesting_level=self.nesting_level))
        self.parallel = parallel
        self._let_go()
        if self._given is not None:
            self._executor = self._given
        else:
            self._kept = _get(number, n_jobs == -1, self._with_threads({}))
            self._executor = self._kept.executor
        if limit is not None:
            share = self._executor.share
            self._arrays = Recurring(
                lambda array: share(_in_one_piece(array)),
                lambda value: getattr(value, "nbytes", 0) >= limit and _can_be_shared(value),
            )
        return number

    def submit(self, func: Callable[[], Any], callback: Callable[[Any], None] | None = None) -> Any:
        """Have a batch of tasks done."""
        if self._executor is None:
            raise RuntimeError(
                "the workers of this Parallel were let go, which a generator does when it is given up: hold the one of "
                "an earlier call until its last result is taken"
            )
        used: list[Argument] = []
        arrays = self._arrays
        if arrays is not None and isinstance(func, BatchedCalls):
            func, used = _lighter(func, arrays)
        future = self._executor.submit(_Task(func))
        self._running.add(future)
        future.add_done_callback(self._running.discard)
        if arrays is not None and used:
            future.add_done_callback(functools.partial(arrays.done, used))
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
        self._let_go()
        self.reset_batch_stats()

    def _let_go(self) -> None:
        self._executor = None
        arrays, self._arrays = self._arrays, None
        if arrays is not None:
            arrays.close()
        kept, self._kept = self._kept, None
        if kept is not None:
            _give_back(kept)


#: what `Parallel` hands to `configure` that means its own pools
_OF_JOBLIB = {
    "temp_folder",
    "max_nbytes",
    "mmap_mode",
    "context",
    "verbose",
    "prefer",
    "require",
    "idle_worker_timeout",
}


class _Task:
    """A batch, which makes the backend known where it is unpickled: tasks may use it by its name."""

    def __init__(self, batch: Callable[[], Any]) -> None:
        self.batch = batch

    @property
    def func(self) -> Any:
        """What is called, by which it is decided how it can travel."""
        items = getattr(self.batch, "items", None)
        return items[0][0] if items else self.batch

    def __call__(self) -> Any:
        return self.batch()


# -- large arguments ---------------------------------------------------------------


def _lighter(batch: Any, arrays: Recurring) -> tuple[Any, list[Argument]]:
    """Return a batch with something lighter in place of large arrays that come again, and these."""
    used: list[Argument] = []
    items = [
        (
            function,
            tuple([arrays.lighter(value, used) for value in args]),
            {name: arrays.lighter(value, used) for name, value in kwargs.items()},
        )
        for function, args, kwargs in batch.items
    ]
    if not used:
        return batch, used
    return BatchedCalls(items, (batch._backend, batch._n_jobs), None, batch._pickle_cache), used


def _can_be_shared(value: Any) -> bool:
    import numpy as np  # who has arrays has it

    return type(value) in (np.ndarray, np.memmap) and not value.dtype.hasobject


def _in_one_piece(array: Any) -> Any:
    """Return an array as one that travels without a copy of its own."""
    import numpy as np

    array = np.asarray(array)
    return array if array.flags.c_contiguous or array.flags.f_contiguous else np.ascontiguousarray(array)


# -- workers -----------------------------------------------------------------------


class _Kept:
    """An executor, and how many use it now.

    Parameters
    ----------
    number : int or None
        Of workers; None: one for each processor.
    options : dict
        Of `PVMExecutor`.
    """

    def __init__(self, number: int | None, options: dict[str, Any]) -> None:
        self.number, self.options, self.users = number, options, 0
        self.executor = PVMExecutor(number, **options)

    def has(self, options: dict[str, Any]) -> bool:
        """Tell whether it was made with these options, and takes calls."""
        if self.executor.is_over() or self.options.keys() != options.keys():
            return False
        return all(_same(value, options[name]) for name, value in self.options.items())


_all_kept: list[_Kept] = []
_lock = threading.Lock()


def _same(one: Any, other: Any) -> bool:
    try:
        return one is other or bool(one == other)
    except Exception:  # such as arrays, which are not simply equal
        return type(one) is type(other) is tuple and len(one) == len(other) and all(map(_same, one, other))


def _get(number: int, everywhere: bool, options: dict[str, Any]) -> _Kept:
    """Return workers for one call of `Parallel`: those of an earlier one where they fit.

    Parameters
    ----------
    number : int
        Of workers.
    everywhere : bool
        Whether these are one for each processor.
    options : dict
        Of `PVMExecutor`.
    """
    with _lock:
        fit = [kept for kept in _all_kept if kept.has(options)]
        found = next((kept for kept in fit if kept.executor.n_workers == number), None)
        if found is None and not everywhere:
            found = next((kept for kept in fit if not kept.users), None)
            if found is not None:
                found.executor.scale(number)
                found.number = number
        if found is None:
            found = _Kept(None if everywhere else number, options)
            _all_kept.append(found)
        found.users += 1
        return found


def _give_back(kept: _Kept) -> None:
    """Keep the workers for the next call; others that nobody uses leave."""
    with _lock:
        kept.users -= 1
        if kept.users:
            return
        others = [other for other in _all_kept if other is not kept and not other.users]
        _all_kept[:] = [other for other in _all_kept if other not in others]
    for other in others:
        other.executor.shutdown(wait=False)


def _count(options: dict[str, Any]) -> int:
    """Return how many workers there are when all processors have one."""
    with _lock:
        for kept in _all_kept:
            if kept.number is None and kept.has(options):
                return kept.executor.n_workers
    return PVMExecutor(**options).n_workers


def _forget() -> None:
    """Have no workers in a process that was forked: they are its parent's."""
    global _lock
    _lock = threading.Lock()
    _of_parent.extend(_all_kept)
    _all_kept.clear()


#: held, since nobody here may shut them down
_of_parent: list[_Kept] = []
os.register_at_fork(after_in_child=_forget)


def shutdown() -> None:
    """Let the workers go that are kept for the next use."""
    with _lock:
        kept = _all_kept[:]
        _all_kept.clear()
    for each in kept:
        each.executor.shutdown()


register_parallel_backend("pvm", PVMBackend)
