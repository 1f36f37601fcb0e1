"""Gather large results: ``gather array|bytes RESULTS BYTES`` prints the master's peak memory and the results' sum."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from biskit_pvm.TrackingJobMaster import TrackingJobMaster

from . import local_host, memory

SLAVE = str(Path(__file__).with_name("gather_slave.py"))


class Gather(TrackingJobMaster):
    """Hand out small items and keep large results."""

    def __init__(self, kind: str, results: int, size: int) -> None:
        self.parameters = kind, size
        super().__init__(
            {number: number for number in range(results)},
            chunk_size=1,
            hosts=[local_host()] * 4,
            niceness={"default": 0},
            slave_script=SLAVE,
            verbose=0,
            add_hosts=0,
            redistribute=0,
        )

    def getInitParameters(self, slave_tid: int) -> tuple[str, int]:
        """Tell the slave what to return."""
        return self.parameters


def main(kind: str, results: str, size: str) -> None:
    """Run the calculation."""
    if kind == "array":
        pass
    before = memory("VmRSS")
    result = Gather(kind, int(results), int(size)).calculateResult()
    total = sum(getattr(value, "nbytes", len(value)) for value in result.values())
    if total != int(results) * int(size):
        raise RuntimeError(f"{total} bytes came back")
    print(json.dumps({"before": before, "peak": memory("VmHWM"), "sum": total}))


if __name__ == "__main__":
    main(*sys.argv[1:])
