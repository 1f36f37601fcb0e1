"""Start slaves on this host: ``starting SLAVES FOREMAN SCRIPT``; print the seconds until all are ready for work."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from biskit_pvm import CalculationError, TrackingJobMaster
from biskit_pvm.machine import names


class Master(TrackingJobMaster):
    """Stops when every slave has been given a job."""

    def start_job(self, slave_tid: int) -> Any:
        """Note when a slave is ready."""
        ready.setdefault(slave_tid, time.monotonic())
        if len(ready) == int(sys.argv[1]):
            self.stop()
        return TrackingJobMaster.start_job(self, slave_tid)


if __name__ == "__main__":
    ready: dict[int, float] = {}
    n_slaves, foreman, script = int(sys.argv[1]), sys.argv[2] == "1", sys.argv[3]
    hosts = [names.own_host()] * n_slaves
    items = dict.fromkeys(range(2 * n_slaves), 60.0)
    master = Master(items, 1, hosts, {}, script, verbose=0, add_hosts=0, foreman=foreman)
    began = time.monotonic()
    try:
        master.calculateResult()
    except CalculationError:
        pass
    assert len(ready) == n_slaves
    print(json.dumps({"seconds": max(ready.values()) - began}))
