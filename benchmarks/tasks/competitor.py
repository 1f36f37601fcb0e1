"""Trivial jobs through what else a user would pick: ``competitor pool|executor|mpi WORKERS JOBS BYTES``.

An item is a pair (number, BYTES bytes) and comes back as it is, one item per job. Starting the workers is not timed.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable
from typing import Callable

Item = tuple[int, bytes]
Unordered = Callable[[Iterable[Item]], Iterable[Item]]


def trivial(item: Item) -> Item:
    """Return `item`."""
    return item


def measure(run: Unordered, items: list[Item], workers: int) -> None:
    """Time `run` over `items` and print the jobs per second."""
    for _ in run(items[: 100 * workers]):
        pass
    start = time.perf_counter()
    done = sum(1 for _ in run(items))
    seconds = time.perf_counter() - start
    if done != len(items):
        raise RuntimeError(f"{done} of {len(items)} jobs came back")
    print(json.dumps({"jobs_per_second": done / seconds}), flush=True)


def main(kind: str, workers: str, jobs: str, size: str) -> None:
    """Measure one kind."""
    count = int(workers)
    items = [(number, b"x" * int(size)) for number in range(int(jobs))]
    if kind == "pool":
        import multiprocessing

        with multiprocessing.Pool(count) as pool:
            measure(lambda work: pool.imap_unordered(trivial, work, chunksize=1), items, count)
    elif kind == "executor":
        import concurrent.futures

        with concurrent.futures.ProcessPoolExecutor(count) as executor:
            measure(lambda work: executor.map(trivial, work, chunksize=1), items, count)
    elif kind == "mpi":
        from mpi4py.futures import MPIPoolExecutor

        with MPIPoolExecutor(count) as executor:
            measure(lambda work: executor.map(trivial, work, chunksize=1, unordered=True), items, count)
    else:
        raise SystemExit(f"unknown kind {kind!r}")


if __name__ == "__main__":
    main(*sys.argv[1:])
