"""The slave of `biskit_pvm.ExampleMaster`."""

from __future__ import annotations

import time
from typing import Any

from biskit_pvm.dispatcher import JobSlave


class Slave(JobSlave):
    """Add one to numbers, slowly, so that there is something to watch and to interrupt."""

    def initialize(self, params: dict[str, Any]) -> None:
        """Take over what the master's `getInitParameters` returned."""
        self.params = params

    def go(self, chunk: dict[Any, float]) -> dict[Any, float]:
        """Return {item: number + 1}."""
        print(self.params["progress_str"], end="", flush=True)
        result = {}
        for item, number in chunk.items():
            result[item] = number + 1
            print(item, end=" ", flush=True)
            time.sleep(self.params.get("seconds_per_item", 0.5))
        print("Done.", flush=True)
        return result


if __name__ == "__main__":
    import os
    import sys
    import tempfile

    from biskit_pvm.machine.spawning import runs_old_code
    from biskit_pvm.PVMThread import messenger_of

    if len(sys.argv) == 2:
        os.nice(int(sys.argv[1]))
    slave = Slave()
    if runs_old_code() and messenger_of(slave).own_process:  # scripts of Python 2 look for this file
        handle, _ = tempfile.mkstemp(".out", "slave_", os.getcwd())
        sys.stdout = sys.stderr = os.fdopen(handle, "w", buffering=1)
    slave.start()
