"""Calls through an executor: ``calls speed|fair|large KIND ...``; KIND is pvm, process, loky,
dask, ray or mpi.

- ``speed KIND map|submit module|main WORKERS CALLS``: trivial calls per second, of a function of a module or of this
  very script. Starting the workers is not timed.
- ``fair KIND WORKERS CALLS``: seconds until CALLS short calls are done that were submitted around one of 2 s.
- ``large KIND CALLS BYTES``: CALLS calls with one and the same array: growth of the peak memory of this process, in
  bytes, and the bytes that the calls got per second.
"""

from __future__ import annotations

import atexit
import json
import resource
import shutil
import sys
import tempfile
import time
from typing import Any

from benchmarks.tasks import functions


def increased(number: int) -> int:
    """Return the next number."""
    return number + 1


def _folder() -> str:
    """Return a folder that is removed at the end."""
    folder = tempfile.mkdtemp(prefix="calls-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


class Ray:
    """As much of an executor as is measured, over tasks of ray."""

    def __init__(self, workers: int) -> None:
        import ray

        self.ray = ray
        ray.init(
            num_cpus=workers, include_dashboard=False, logging_level="ERROR", log_to_driver=False, _temp_dir=_folder()
        )

    def __enter__(self) -> Ray:
        return self

    def __exit__(self, *exception: object) -> None:
        self.ray.shutdown()

    def submit(self, function: Any, *args: Any) -> Any:
        """Return a future of a call."""
        return self.ray.remote(function).remote(*args).future()

    def map(self, function: Any, arguments: Any) -> list[Any]:
        """Return the values of calls."""
        task = self.ray.remote(function)
        return self.ray.get([task.remote(argument) for argument in arguments])


def make(kind: str, workers: int) -> Any:
    """Return an executor."""
    if kind == "pvm":
        from biskit_pvm import PVMExecutor

        return PVMExecutor(workers)
    if kind == "process":
        from concurrent.futures import ProcessPoolExecutor

        return ProcessPoolExecutor(workers)
    if kind == "loky":
        from loky import ProcessPoolExecutor as LokyExecutor

        return LokyExecutor(workers)
    if kind == "mpi":
        from mpi4py.futures import MPIPoolExecutor

        return MPIPoolExecutor(workers)
    if kind == "dask":
        import dask
        from dask.distributed import Client, LocalCluster

        dask.config.set({"temporary-directory": _folder()})
        cluster = LocalCluster(n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=None)
        return Client(cluster).get_executor()
    if kind == "ray":
        return Ray(workers)
    raise SystemExit(f"unknown kind {kind!r}")


def speed(kind: str, how: str, where: str, workers: str, calls: str) -> dict[str, float]:
    """Return the trivial calls per second."""
    function = functions.increased if where == "module" else increased
    count = int(calls)
    with make(kind, int(workers)) as executor:
        list(executor.map(function, range(100 * int(workers))))
        start = time.perf_counter()
        if how == "map":
            results = list(executor.map(function, range(count)))
        else:
            results = [future.result() for future in [executor.submit(function, n) for n in range(count)]]
        seconds = time.perf_counter() - start
    assert results == list(range(1, count + 1))
    return {"calls_per_second": count / seconds}


def fair(kind: str, workers: str, calls: str) -> dict[str, float]:
    """Return the seconds until the short calls are done."""
    count = int(calls)
    with make(kind, int(workers)) as executor:
        list(executor.map(functions.increased, range(100 * int(workers))))
        start = time.perf_counter()
        before = [executor.submit(functions.increased, n) for n in range(count // 10)]
        executor.submit(time.sleep, 2)
        behind = [executor.submit(functions.increased, n) for n in range(count - count // 10)]
        for future in before + behind:
            future.result()
        seconds = time.perf_counter() - start
    return {"seconds": seconds}


def large(kind: str, calls: str, size: str) -> dict[str, float]:
    """Return the growth of the peak memory, and the bytes per second."""
    import numpy as np

    array = np.ones(int(size) // 8)
    count = int(calls)
    with make(kind, 4) as executor:
        list(executor.map(functions.length, [array[:9]] * 40))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        start = time.perf_counter()
        results = list(executor.map(functions.length, [array] * count))
        seconds = time.perf_counter() - start
        peak = 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    assert results == [array.size] * count
    return {"peak": peak, "bytes_per_second": count * array.nbytes / seconds}


if __name__ == "__main__":
    print(json.dumps({"speed": speed, "fair": fair, "large": large}[sys.argv[1]](*sys.argv[2:])), flush=True)
