"""The slave of `biskit_pvm.ExampleMaster`."""

from __future__ import annotations

from typing import Any

from biskit_pvm.dispatcher import JobSlave


class Slave(JobSlave):
    """Add one to numbers."""

    def initialize(self, params: dict[str, Any]) -> None:
        """Take over what the master's `getInitParameters` returned."""
        self.params = params

    def go(self, chunk: dict[Any, float]) -> dict[Any, float]:
        """Return {item: number + 1}."""
        print(f"{self.params['progress_str']} {' '.join(map(str, chunk))}")
        return {item: number + 1 for item, number in chunk.items()}


if __name__ == "__main__":
    import os
    import sys

    if len(sys.argv) == 2:
        os.nice(int(sys.argv[1]))
    slave = Slave()
    slave.start()
