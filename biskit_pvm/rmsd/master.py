"""The master of the worked example."""

from __future__ import annotations

import os
from typing import Any

from biskit_pvm.jobs.scripts import slave_script
from biskit_pvm.rmsd.blocks import block_edge, blocks
from biskit_pvm.rmsd.kabsch import Array, centred, symmetric
from biskit_pvm.rmsd.pdb import read_models
from biskit_pvm.rmsd.together import StartTogether
from biskit_pvm.TrackingJobMaster import TrackingJobMaster


class RmsdMaster(StartTogether, TrackingJobMaster):
    """Compare all models of a structure with each other, on many slaves.

    The matrix of all pairs is cut into blocks; an item is one block on or above the diagonal. Every
    slave gets the coordinates once, when it is initialized, and for each item only the two ranges
    of models.

    Parameters
    ----------
    models : path, or array_like of shape (models, atoms, 3)
        A PDB file (see :func:`.read_models`), or coordinates in Angstrom.
    hosts : list of str
        One slave is started per entry.
    atoms : {'ca', 'backbone', 'all'}
        Which atoms of a PDB file to compare.
    edge : int, optional
        Models on the edge of a block; by default as many as give each slave about 16 items.
    chunk_size : int
        Blocks in one job.
    **options
        Those of :class:`.TrackingJobMaster`.

    Examples
    --------
    >>> master = RmsdMaster("ensemble.pdb.gz", hosts=["node1", "node2"])  # doctest: +SKIP
    >>> matrix = master.calculateResult()                                 # doctest: +SKIP
    """

    def __init__(
        self,
        models: str | os.PathLike[str] | Array,
        hosts: list[str],
        atoms: str = "ca",
        edge: int | None = None,
        chunk_size: int = 2,
        **options: Any,
    ) -> None:
        if isinstance(models, (str, os.PathLike)):
            models = read_models(models, atoms)
        self.models = centred(models)
        self.edge = edge or block_edge(len(self.models), len(hosts))
        options.setdefault("slave_script", slave_script("rmsd_slave.py"))
        super().__init__(blocks(len(self.models), self.edge), chunk_size, hosts, **options)

    def getInitParameters(self, slave_tid: int) -> dict[str, Array]:
        """Hand the coordinates to a slave.

        Parameters
        ----------
        slave_tid : int
            Task id of the slave.

        Returns
        -------
        dict
            {'models': ndarray of shape (models, atoms, 3)}
        """
        return {"models": self.models}

    def getResult(self, **arg: Any) -> Array:
        """Return the matrix of all pairs.

        Returns
        -------
        ndarray of float64, shape (models, models)
            RMSD in Angstrom; nan where a block is missing.
        """
        import numpy as np

        matrix = np.full((len(self.models), len(self.models)), np.nan)
        for key, block in self.result.items():
            (top, bottom), (left, right) = self.data[key]
            matrix[top:bottom, left:right] = block
        return symmetric(matrix)
