"""Calls through an executor: ``calls speed|fair|large|argument KIND ...``; KIND is pvm, process, loky,
dask, ray or mpi.

- ``speed KIND map|submit module|main WORKERS CALLS``: trivial calls per second, of a function of a module or of this
  very script. Starting the workers is not timed.
- ``fair KIND WORKERS CALLS``: seconds until CALLS short calls are done that were submitted around one of 2 s.
- ``large KIND CALLS BYTES``: CALLS calls with one and the same array: growth of the peak memory of this process, in
  bytes, and the bytes that the calls got per second.
- ``argument KIND array|bytes BYTES``: bytes per second of one call with one argument of that size.
"""

from __future__ import annotations

import atexit
import json
import resource
import shutil
import subprocess
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


def argument(kind: str, what: str, size: str) -> dict[str, float]:
    """Return the bytes per second of a call with one argument."""
    import numpy as np

    array = np.random.default_rng(1).random(int(size) // 8)
    value: Any = array if what == "array" else array.tobytes()
    with make(kind, 1) as executor:
        executor.submit(functions.length, array[:9]).result()
        have_at_hand(2 * array.nbytes)
        start = time.perf_counter()
        assert executor.submit(functions.length, value).result() == len(value)
        seconds = time.perf_counter() - start
    return {"bytes_per_second": array.nbytes / seconds}


def have_at_hand(size: int) -> None:
    """Have the system hold so much free memory that was in use a moment ago.

    What a virtual machine has not used for some time it first has to get from its host, which may take several times
    as long as to send it.
    """
    code = (
        f"import mmap; memory = mmap.mmap(-1, {size}, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS); "
        "memory.madvise(mmap.MADV_HUGEPAGE); "
        f"[memory.__setitem__(at, 1) for at in range(0, {size}, mmap.PAGESIZE)]"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=300)


if __name__ == "__main__":
    tasks = {"speed": speed, "fair": fair, "large": large, "argument": argument}
    print(json.dumps(tasks[sys.argv[1]](*sys.argv[2:])), flush=True)
