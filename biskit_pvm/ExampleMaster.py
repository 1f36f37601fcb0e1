"""A simple example of a master; its slaves add one to numbers.

Run it with ``python -m biskit_pvm.ExampleMaster``. Its slave is
`biskit_pvm.ExampleSlave`.
"""

from __future__ import annotations

import os
from typing import Any

from biskit_pvm.TrackingJobMaster import TrackingJobMaster


class Master(TrackingJobMaster):
    """Add one to the values of a dictionary.

    Parameters
    ----------
    verbose : bool
    *args, **kw
        Those of `TrackingJobMaster`.
    """

    #: the slave script of this master
    slave_script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "ExampleSlave.py")

    #: how long a slave takes for each item, in seconds
    seconds_per_item = 0.5

    def __init__(self, verbose: Any = 1, *args: Any, **kw: Any) -> None:
        kw.setdefault("slave_script", Master.slave_script)
        TrackingJobMaster.__init__(  # type: ignore[misc]  # verbose is not among args
            self, *args, verbose=verbose, **kw
        )

    def getInitParameters(self, slave_tid: int) -> dict[str, Any]:
        """Return the parameters that each slave gets once, before its first job."""
        return {"progress_str": "slave calculating..", "seconds_per_item": self.seconds_per_item}

    def cleanup(self) -> None:
        """Called when the slaves have ended."""
        if self.verbose:
            print("Cleaning up...")

    def done(self) -> None:
        """Called at the end."""
        if self.verbose:
            print("Now we are done.")


def main() -> None:
    """Add one to twenty numbers, on three slaves."""
    from biskit_pvm.hosts import cpus_all

    hosts = (list(cpus_all) * 3)[:3]
    master = Master(data={i: i + 1 for i in range(20)}, chunk_size=5, hosts=hosts, niceness={"default": 20})
    result = master.calculateResult()
    print(f"{len(result)} results, for instance {result[1]} for item 1")


if __name__ == "__main__":
    main()
