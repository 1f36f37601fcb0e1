"""Slave of :class:`biskit_pvm.rmsd.RmsdMaster`: compares blocks of models."""

from __future__ import annotations

from typing import Any

from biskit_pvm import JobSlave
from biskit_pvm.rmsd.kabsch import Array, rmsd_block


class Slave(JobSlave):
    """Compare the models of each block that it is given."""

    def initialize(self, params: dict[str, Array]) -> None:
        """Keep the coordinates of all models."""
        self.models = params["models"]

    def go(self, chunk: dict[Any, Any]) -> dict[Any, Array]:
        """Return the RMSD of all pairs in each block, in Angstrom."""
        return {
            name: rmsd_block(self.models[slice(*rows)], self.models[slice(*columns)])
            for name, (rows, columns) in chunk.items()
        }


if __name__ == "__main__":
    import os
    import sys

    if len(sys.argv) == 2:
        os.nice(int(sys.argv[1]))
    slave = Slave()
    slave.start()
