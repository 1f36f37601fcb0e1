"""The rows of the table: what is measured, against what, and the goal."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from functools import cache
from pathlib import Path
from typing import Any, Callable

from .harness import Figure, Samples, Unavailable, alternate
from .workbench import Workbench

JOB_BYTES = 100
FRAGMENT_SIZES = (0, 65536, 1048576)
"""Sizes in bytes tried for the C references; 0 is PVM's own, 4080."""


def round_trip(bench: Workbench) -> list[Figure]:
    """A small object there and back over the direct route, and the same number of bytes in C."""
    count = bench.size(5000, 200)
    size = bench.task("message_size")["bytes"]
    samples = alternate(
        {
            "ours": lambda: _each(bench.task("echo", "object", 0, count), 1e6),
            "C": lambda: _each(bench.c("roundtrip", size, count, 0), 1e6),
        },
        bench.rounds,
    )
    return [samples.compare("round trip", f"object, {size} bytes", "us", "ours", "C", 1.5)]


def arrays(bench: Workbench) -> list[Figure]:
    """NumPy arrays there and back, as objects and as typed buffers; C packs in place and takes its best way."""
    if bench.quick:
        return _one_array(bench, 1_000_000, 5)
    return _one_array(bench, 8_000_000, 40) + _one_array(bench, 100_000_000, 5)


def _one_array(bench: Workbench, size: int, count: int) -> list[Figure]:
    def bandwidth(result: Any) -> float:
        return 2 * size * result["count"] / result["seconds"] / 1e6

    fragment = max(FRAGMENT_SIZES, key=lambda each: bandwidth(bench.c("array", size, count, each)))
    samples = alternate(
        {
            "as object": lambda: bandwidth(bench.task("echo", "array", size, count)),
            "typed": lambda: bandwidth(bench.task("echo", "typed", size, count)),
            "C, in place": lambda: bandwidth(bench.c("array", size, count, fragment)),
        },
        bench.rounds,
    )
    return [
        samples.compare(
            "array there and back", f"{size / 1e6:g} MB {kind}", "MB/s", kind, "C, in place", 0.8, at_least=True
        )
        for kind in ("as object", "typed")
    ]


def jobs(bench: Workbench) -> list[Figure]:
    """Trivial jobs, one item each: ours, the competitors, and the same farm in C."""
    return [figure for slaves in ((2,) if bench.quick else (1, 2, 4, 8)) for figure in _one_farm(bench, slaves)]


def _one_farm(bench: Workbench, slaves: int) -> list[Figure]:
    samples = alternate(
        {
            "ours": lambda: bench.task("farm", slaves, bench.size(60000, 500), JOB_BYTES, 0)["jobs_per_second"],
            "Pool": lambda: _competitor(bench, "pool", slaves, bench.size(30000, 500)),
            "mpi4py.futures": lambda: _mpi(bench, slaves, bench.size(6000, 500)),
            "concurrent.futures": lambda: _competitor(bench, "executor", slaves, bench.size(10000, 500)),
            "C farm": lambda: 1 / _each(bench.c("farm", slaves, bench.size(60000, 500), JOB_BYTES, "direct")),
        },
        bench.rounds,
    )
    goals = {"Pool": 1.5, "mpi4py.futures": 3, "concurrent.futures": 4, "C farm": 0.3}
    return [
        samples.compare("jobs", f"{slaves} slaves", "jobs/s", "ours", reference, goal, at_least=True)
        for reference, goal in goals.items()
    ]


def ideal_time(bench: Workbench) -> list[Figure]:
    """Jobs of some length: the ideal time (work / slaves) as a share of the time taken."""
    return [_share(bench, milliseconds, goal) for milliseconds, goal in ((1, None), (10, 0.97), (100, None))]


def _share(bench: Workbench, milliseconds: int, goal: float | None) -> Figure:
    slaves = 4
    count = bench.size(2000 * slaves // milliseconds, 5 * slaves)

    def share() -> float:
        result = bench.task("farm", slaves, count, JOB_BYTES, milliseconds / 1000)
        return float(result["ideal_seconds"] / result["seconds"])

    value = alternate({"ours": share}, bench.rounds).median("ours")
    return Figure(
        "share of the ideal time",
        f"jobs of {milliseconds} ms, {slaves} slaves",
        value,
        "",
        ratio=value,
        goal=goal,
        at_least=True,
    )


def scheduler(bench: Workbench) -> list[Figure]:
    """Every item through the pure scheduler: time and memory per item, as their number grows."""
    counts = (1000, 2000, 4000) if bench.quick else (10_000, 100_000, 1_000_000)

    def seconds(count: int) -> Callable[[], float]:
        return lambda: bench.task("scheduler", "time", count)["seconds"] / count * 1e6

    samples = alternate({f"{count:,} items": seconds(count) for count in counts}, bench.rounds)
    first = f"{counts[0]:,} items"
    figures = [
        samples.compare("scheduler, time per item", f"{count:,} items", "us", f"{count:,} items", first, 1.2)
        for count in counts[1:]
    ]
    for count in counts:
        value = bench.task("scheduler", "memory", count)["bytes"] / count
        figures.append(Figure("scheduler, memory per item", f"{count:,} items", value, "bytes", ratio=value, goal=200))
    return figures


def gather(bench: Workbench) -> list[Figure]:
    """Large results collected by the master: its peak memory by the sum of the results."""
    results, size = (8, 1_000_000) if bench.quick else (128, 8_000_000)
    figures = []
    for kind in "array", "bytes":
        peaks = [bench.task("gather", kind, results, size) for _ in range(min(bench.rounds, 3))]
        peak = sorted(result["peak"] for result in peaks)[len(peaks) // 2]
        ratio = peak / (results * size)
        figures.append(
            Figure(
                "gathering, peak memory",
                f"{results} {kind} results of {size / 1e6:g} MB",
                peak / 1e6,
                "MB",
                "sum of the results",
                results * size / 1e6,
                ratio,
                None if bench.quick else 1.3,
            )
        )
    return figures


def start_up(bench: Workbench) -> list[Figure]:
    """From calculateResult() to the first and to the last result of four slaves; bare Python starts."""
    results: dict[str, list[dict[str, float]]] = {"master": [], "bare": []}

    def measure(kind: str) -> Callable[[], float]:
        def once() -> float:
            results[kind].append(bench.task("startup", kind, 4))
            return results[kind][-1]["last"]

        return once

    # Two more: a start is short, and other processes disturb it more.
    alternate({"master": measure("master"), "bare": measure("bare")}, bench.rounds + (0 if bench.quick else 4))
    figures = []
    for which in "first", "last":
        samples = Samples(
            {
                "ours": [1e3 * result[which] for result in results["master"]],
                "bare start of 4 Pythons": [1e3 * result[which] for result in results["bare"]],
            }
        )
        figures.append(
            samples.compare("start-up", f"to the {which} result of 4", "ms", "ours", "bare start of 4 Pythons", 2)
        )
    return figures


def imports(bench: Workbench) -> list[Figure]:
    """What an import adds to a bare start of Python."""

    def start(code: str) -> Callable[[], float]:
        def once() -> float:
            begin = time.perf_counter()
            # With pipes, since without them a wait with a limit looks only after 63 ms, 113 ms, ...
            subprocess.run([sys.executable, "-c", code], env=bench.vm.env, check=True, timeout=60, capture_output=True)
            return 1e3 * (time.perf_counter() - begin)

        return once

    figures = []
    for module in "biskit_pvm", "pvm_ext":
        check = f"import {module}, sys; assert 'numpy' not in sys.modules"
        samples = alternate({"import": start(check), "pass": start("pass")}, 2 if bench.quick else 20)
        added = (samples.median("import") or 0) - (samples.median("pass") or 0)
        figures.append(
            Figure(
                "import",
                f"{module}, NumPy not loaded",
                samples.median("import"),
                "ms",
                "python -c pass",
                samples.median("pass"),
                added,
                40,
                note="the ratio column is the difference in ms",
            )
        )
    return figures


def waiting(bench: Workbench) -> list[Figure]:
    """Wake-ups per second of a master and of its slaves while they wait."""
    return _wait(bench, 2) if bench.quick else _wait(bench, 2) + _wait(bench, 8)


def _wait(bench: Workbench, slaves: int) -> list[Figure]:
    seconds = bench.size(12, 2)
    command = [sys.executable, "-m", "benchmarks.tasks.waiting", str(seconds + 3), str(slaves)]
    master = bench.vm.popen(command)
    try:
        assert master.stdout is not None
        who = json.loads(master.stdout.readline())
        time.sleep(1)  # the last messages of the start have been handled
        before = {name: _wakeups(pid) for name, pid in who.items()}
        time.sleep(seconds)
        rates = {name: (_wakeups(pid) - before[name]) / seconds for name, pid in who.items()}
    finally:
        master.communicate(timeout=60)
    return [
        Figure("waiting", f"{name}, {slaves} slaves", rate, "wake-ups/s", ratio=rate, goal=2)
        for name, rate in rates.items()
    ]


def executor(bench: Workbench) -> list[Figure]:
    """Trivial calls through executors, short calls around a long one, and a large argument of many calls."""
    figures = []
    for how, where in [("map", "module")] if bench.quick else EXECUTOR_CASES:
        samples = alternate(
            {kind: _calls(bench, kind, how, where) for kind in EXECUTOR_GOALS},
            bench.rounds,
        )
        figures += [
            samples.compare(
                "executor", f"{how}, function of {where}, 4 workers", "calls/s", "pvm", kind, goal, at_least=True
            )
            for kind, goal in EXECUTOR_GOALS.items()
            if kind != "pvm"
        ]
    fair = alternate({"ours": lambda: bench.task("calls", "fair", "pvm", 3, 3000)["seconds"]}, bench.rounds)
    value = fair.median("ours")
    figures.append(Figure("short calls around one of 2 s", "3000 calls, 3 workers", value, "s", ratio=value, goal=0.3))
    count, size = bench.size(60, 4), bench.size(40_000_000, 8_000_000)
    memory = alternate(
        {kind: _large(bench, kind, count, size) for kind in ("pvm", "process")},
        min(bench.rounds, 3),
    )
    figures.append(
        memory.compare("peak of the master", f"{count} calls with {size / 1e6:g} MB", "MB", "pvm", "process", 1.0)
    )
    return figures


def arguments(bench: Workbench) -> list[Figure]:
    """One call with a large argument, for which the computer has memory at hand."""
    size = bench.size(1_000_000_000, 8_000_000)
    figures = []
    for what, goal in ("array", 1.5), ("bytes", 1.0):
        speeds = alternate({kind: _argument(bench, kind, what, size) for kind in ("pvm", "process")}, bench.rounds)
        value = speeds.median("pvm")
        case = f"{what} of {size / 1e9:g} GB, 1 worker"
        figures += [
            Figure(
                "large argument", case, value, "GB/s", ratio=value, goal=None if bench.quick else goal, at_least=True
            ),
            speeds.compare("large argument", case, "GB/s", "pvm", "process"),
        ]
    return figures


EXECUTOR_CASES = [(how, where) for how in ("map", "submit") for where in ("module", "main")]
EXECUTOR_GOALS = {"pvm": None, "process": 5.0, "loky": 10.0, "mpi": 8.0, "dask": None, "ray": None}
"""What `PVMExecutor` is compared with, and how many times as fast it should be."""

MODULES = {"loky": "loky", "dask": "distributed", "ray": "ray"}


def _calls(bench: Workbench, kind: str, how: str, where: str) -> Callable[[], float]:
    # ray gets slower and slower the more calls wait
    count = bench.size({"pvm": 20000, "dask": 1000, "ray": 1000}.get(kind, 4000), 500)
    words = ["speed", kind, how, where, "4", str(count)]

    def measure() -> float:
        if kind in MODULES and importlib.util.find_spec(MODULES[kind]) is None:
            raise Unavailable(f"{kind} is not installed")
        if kind == "mpi":
            command = [*_mpi_command(), "-n", "5", sys.executable, "-m", "mpi4py.futures"]
            return float(bench.run([*command, "-m", "benchmarks.tasks.calls", *words])["calls_per_second"])
        return float(bench.task("calls", *words)["calls_per_second"])

    return measure


def _large(bench: Workbench, kind: str, count: int, size: int) -> Callable[[], float]:
    return lambda: float(bench.task("calls", "large", kind, count, size)["peak"]) / 1e6


def _argument(bench: Workbench, kind: str, what: str, size: int) -> Callable[[], float]:
    return lambda: float(bench.task("calls", "argument", kind, what, size)["bytes_per_second"]) / 1e9


ROWS = {
    row.__name__: row
    for row in (
        round_trip,
        arrays,
        jobs,
        executor,
        arguments,
        ideal_time,
        scheduler,
        gather,
        start_up,
        imports,
        waiting,
    )
}


def _each(result: Any, factor: float = 1.0) -> float:
    return float(factor * result["seconds"] / result["count"])


def _competitor(bench: Workbench, kind: str, workers: int, count: int) -> float:
    return float(bench.task("competitor", kind, workers, count, JOB_BYTES)["jobs_per_second"])


def _mpi(bench: Workbench, workers: int, count: int) -> float:
    """Run mpi4py.futures with a master and `workers` processes started by the MPI that is installed."""
    command = _mpi_command()
    return float(
        bench.run(
            [
                *command,
                "-n",
                str(workers + 1),
                sys.executable,
                "-m",
                "mpi4py.futures",
                "-m",
                "benchmarks.tasks.competitor",
                "mpi",
                str(workers),
                str(count),
                str(JOB_BYTES),
            ]
        )["jobs_per_second"]
    )


@cache
def _mpi_command() -> list[str]:
    """Return the command that starts MPI programs, the one beside this Python first."""
    if importlib.util.find_spec("mpi4py") is None:
        raise Unavailable("mpi4py is not installed")
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    launcher = shutil.which("mpiexec", path=path)
    if launcher is None:
        raise Unavailable("there is no mpiexec")
    version = subprocess.run([launcher, "--version"], capture_output=True, text=True, timeout=60).stdout
    # Open MPI refuses root, and more processes than cores, unless told otherwise.
    extra = ["--allow-run-as-root", "--oversubscribe"] if "Open" in version else []
    return [launcher, *extra]


def _wakeups(process: int) -> int:
    """Return how often the threads of a process have gone to sleep of their own will."""
    total = 0
    for thread in Path(f"/proc/{process}/task").iterdir():
        lines = (thread / "status").read_text().splitlines()
        total += next(int(line.split()[1]) for line in lines if line.startswith("voluntary_ctxt_switches"))
    return total
