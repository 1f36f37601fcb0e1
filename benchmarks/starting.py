"""How long slaves on this host take to start, with the foreman and each by itself, in turn.

python -m benchmarks.starting [--slaves 100] [--rounds 5] [--numpy]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.support.waiting import wait_for

from .workbench import Workbench

SCRIPT = """
import sys, time
{imports}
from biskit_pvm import JobSlave

class Slave(JobSlave):
    def go(self, chunk):
        time.sleep(sum(chunk.values()))
        return chunk

if __name__ == "__main__":
    Slave().start()
"""

END_TIME = 30.0
"""Seconds that the processes of one round have to end."""


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, and print best and median of each way and their ratios."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.starting", description=__doc__)
    parser.add_argument("--slaves", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--numpy", action="store_true", help="the slave script imports NumPy")
    options = parser.parse_args(argv)
    seconds: dict[str, list[float]] = {"with the foreman": [], "each by itself": []}
    with Workbench() as bench, tempfile.TemporaryDirectory(prefix="biskit-pvm-bench-") as folder:
        script = Path(folder, "slave.py")
        script.write_text(SCRIPT.format(imports="import numpy" if options.numpy else ""))
        for _ in range(options.rounds):
            for way, foreman in zip(seconds, "10"):
                seconds[way].append(bench.task("starting", options.slaves, foreman, script)["seconds"])
                wait_for(lambda: len(bench.vm.processes()) == 1, END_TIME, "the slaves are gone")
    figures = {way: (min(times), statistics.median(times)) for way, times in seconds.items()}
    for way, (best, median) in figures.items():
        print(f"{options.slaves} slaves, {way}: best {best:.2f} s, median {median:.2f} s")
    (best, median), (alone_best, alone_median) = figures.values()
    print(f"ratio: best {alone_best / best:.1f}, median {alone_median / median:.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
