"""Start-up: ``startup master|bare COUNT``: seconds to the first and to the last of COUNT.

``master``: from calculateResult() to the first result, and to the first result of the last slave, pvmd running.
``bare``: from the start of Python processes that do nothing to the end of the first, and of the last.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

SLAVE = str(Path(__file__).with_name("farm_slave.py"))


def bare(count: int) -> dict[str, float]:
    """Start bare Python processes."""
    begin = time.perf_counter()
    children = {subprocess.Popen([sys.executable, "-c", "pass"]).pid for _ in range(count)}
    ends = []
    while children:
        pid, _ = os.wait()
        children.discard(pid)
        ends.append(time.perf_counter() - begin)
    return {"first": ends[0], "last": ends[-1]}


def calculation(count: int) -> dict[str, float]:
    """Run a calculation that ends when every slave has returned something."""
    from biskit_pvm.TrackingJobMaster import TrackingJobMaster

    from . import local_host

    ends: dict[int, float] = {}

    class Master(TrackingJobMaster):
        def getInitParameters(self, slave_tid: int) -> float:
            return 0.2  # long enough that no slave takes a second item before the last one has its first

        def job_done(self, slave_tid: int, result: dict[int, Any]) -> None:
            # The slave tells how long it slept: start-up is what remains.
            ends.setdefault(slave_tid, time.perf_counter() - begin - sum(result.values()))
            super().job_done(slave_tid, result)

    master = Master(
        {number: None for number in range(count)},
        chunk_size=1,
        hosts=[local_host()] * count,
        niceness={"default": 0},
        slave_script=SLAVE,
        verbose=0,
        add_hosts=0,
        redistribute=0,
    )
    begin = time.perf_counter()
    master.calculateResult()
    return {"first": min(ends.values()), "last": max(ends.values()), "slaves": len(ends)}


def main(kind: str, count: str) -> None:
    """Measure one of the two."""
    print(json.dumps({"bare": bare, "master": calculation}[kind](int(count))))


if __name__ == "__main__":
    main(*sys.argv[1:])
