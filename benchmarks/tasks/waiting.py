"""A master that waits for its slaves: ``waiting SECONDS SLAVES`` prints the process ids once all is quiet.

Of its slaves one is busy in a job of SECONDS seconds; the others have nothing to do.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pvm_ext
from biskit_pvm.TrackingJobMaster import TrackingJobMaster

from . import local_host

SLAVE = str(Path(__file__).with_name("farm_slave.py"))


class Waiting(TrackingJobMaster):
    """Tell who waits for whom."""

    def __init__(self, slaves: int) -> None:
        self.ready: list[int] = []
        super().__init__(
            {1: None},
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
        return float(sys.argv[1])

    def initializationDone(self, slave_tid: int) -> None:
        """Print the process ids when all slaves are there."""
        super().initializationDone(slave_tid)
        self.ready.append(slave_tid)
        if len(self.ready) == len(self.hosts):
            pids = {task.tid: task.pid for task in pvm_ext.tasks()}
            # The only item has gone to the first that was ready.
            busy, *_, idle = (pids[tid] for tid in self.ready)
            who = {"master": os.getpid(), "slave busy in go": busy, "slave without work": idle}
            print(json.dumps(who), flush=True)


if __name__ == "__main__":
    Waiting(int(sys.argv[2])).calculateResult()
