"""A TrackingJobMaster on trivial jobs: ``farm SLAVES JOBS BYTES SECONDS``.

Each job is one item of BYTES bytes whose slave sleeps SECONDS (0: not at all) and returns the item. The first job is
given out, and the clock starts, when the last slave is ready; it stops at the last result.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from biskit_pvm.TrackingJobMaster import TrackingJobMaster

from . import local_host

SLAVE = str(Path(__file__).with_name("farm_slave.py"))


class Farm(TrackingJobMaster):
    """Time the jobs, without the start of the slaves."""

    def __init__(self, slaves: int, data: dict[int, bytes], seconds: float) -> None:
        self.seconds = seconds
        self.count = slaves
        self.ready: list[int] = []
        super().__init__(
            data,
            chunk_size=1,
            hosts=[local_host()] * slaves,
            niceness={"default": 0},
            slave_script=SLAVE,
            verbose=0,
            add_hosts=0,
            redistribute=0,
        )

    def getInitParameters(self, slave_tid: int) -> float:
        """Tell the slave how long a job lasts."""
        return self.seconds

    def initializationDone(self, slave_tid: int) -> None:
        """Let the slaves begin together."""
        self.ready.append(slave_tid)
        if len(self.ready) == self.count:
            self.begin = time.perf_counter()
            for tid in self.ready:
                super().initializationDone(tid)

    def job_done(self, slave_tid: int, result: dict[int, Any]) -> None:
        """Stop the clock."""
        self.end = time.perf_counter()
        super().job_done(slave_tid, result)


def main(slaves: str, jobs: str, size: str, seconds: str) -> None:
    """Run one farm and print the jobs per second, and their share of the ideal time."""
    count, duration = int(slaves), float(seconds)
    master = Farm(count, {number: b"x" * int(size) for number in range(int(jobs))}, duration)
    result = master.calculateResult()
    if len(result) != int(jobs):
        raise RuntimeError(f"{len(result)} of {jobs} jobs came back")
    taken = master.end - master.begin
    # What a job really lasted: a sleep is a little longer than asked for.
    worked = sum(result.values()) / len(result) if duration else 0.0
    ideal = len(result) * worked / count
    print(json.dumps({"jobs_per_second": len(result) / taken, "seconds": taken, "ideal_seconds": ideal}))


if __name__ == "__main__":
    main(*sys.argv[1:])
