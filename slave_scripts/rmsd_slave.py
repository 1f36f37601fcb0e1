"""Slave of :class:`biskit_pvm.rmsd.RmsdMaster`: compares blocks of models."""

from __future__ import annotations

from typing import Any

from biskit_pvm import JobSlave
from biskit_pvm.rmsd.kabsch import Array, centred, rmsd_block


class Slave(JobSlave):
    """Compare the models of each block that it is given."""

    def initialize(self, params: dict[str, Any]) -> None:
        """Keep the coordinates of all models, unless they come with the items."""
        models = params["models"]
        self.models = None if models is None else centred(models)

    def go(self, chunk: dict[Any, Any]) -> dict[Any, Array]:
        """Return the RMSD of all pairs in each block, in Angstrom."""
        result = {}
        for item, (rows, columns) in chunk.items():
            a = self.block(rows)
            same = columns is rows or self.models is not None and columns == rows
            result[item] = rmsd_block(a, a if same else self.block(columns))
        return result

    def block(self, which: Any) -> Array:
        """Return models by their range, or as they were sent, moved into the origin."""
        return centred(which) if self.models is None else self.models[slice(*which)]


if __name__ == "__main__":
    import os
    import sys

    if len(sys.argv) == 2:
        os.nice(int(sys.argv[1]))
    slave = Slave()
    slave.start()
