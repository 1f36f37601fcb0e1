"""A master that waits for its slaves: ``waiting SECONDS`` prints the process ids once all is quiet.

Of its two slaves one is busy in a job of SECONDS seconds; the other has nothing to do.
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

    ready = 0

    def getInitParameters(self, slave_tid: int) -> float:
        """Tell the slave how long a job lasts."""
        return float(sys.argv[1])

    def initializationDone(self, slave_tid: int) -> None:
        """Print the process ids when both slaves are there."""
        super().initializationDone(slave_tid)
        self.ready += 1
        if self.ready == 2:
            slaves = [task.pid for task in pvm_ext.tasks() if task.tid in self.slaves]
            print(json.dumps({"master": os.getpid(), "slaves": slaves}), flush=True)


if __name__ == "__main__":
    Waiting(
        {1: None},
        chunk_size=1,
        hosts=[local_host()] * 2,
        niceness={"default": 0},
        slave_script=SLAVE,
        verbose=0,
        add_hosts=0,
        redistribute=0,
    ).calculateResult()
