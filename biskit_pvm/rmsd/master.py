"""The master of the worked example."""

from __future__ import annotations

import os
from typing import Any, Union

import numpy as np

from biskit_pvm.jobs.scripts import slave_script
from biskit_pvm.rmsd.blocks import block_edge, blocks
from biskit_pvm.rmsd.frames import Frames, FramesOnDisk
from biskit_pvm.rmsd.kabsch import Array, mirror
from biskit_pvm.rmsd.structures import read_models
from biskit_pvm.rmsd.together import StartTogether
from biskit_pvm.TrackingJobMaster import TrackingJobMaster

Source = Union[str, "os.PathLike[str]", Array, Frames, FramesOnDisk]

#: Bytes of coordinates up to which every slave gets all of them, once. Of more it gets the
#: two blocks of each item.
ALL_AT_ONCE = 1 << 26


class RmsdMaster(StartTogether, TrackingJobMaster):
    """Compare all models of a structure with each other, on many slaves.

    The matrix of all pairs is cut into blocks; an item is one block on or above the diagonal. Every
    slave gets the coordinates once, when it is initialized, and for each item only the two ranges
    of models; or, when the coordinates are many, with each item those of its two ranges.

    Parameters
    ----------
    models : path, array_like of shape (models, atoms, 3), Frames or FramesOnDisk
        A structure (see :func:`.read_structure`), or coordinates in Angstrom.
    hosts : list of str
        One slave is started per entry.
    atoms : str
        Which atoms of a structure to compare.
    edge : int, optional
        Models on the edge of a block; by default as many as give each slave about 16 items.
    chunk_size : int
        Blocks in one job.
    **options
        Those of :class:`.TrackingJobMaster`.

    Attributes
    ----------
    matrix : ndarray of float64, shape (models, models)
        RMSD in Angstrom so far, on and above the diagonal; nan where it is not known yet.

    Examples
    --------
    >>> master = RmsdMaster("ensemble.pdb.gz", hosts=["node1", "node2"])  # doctest: +SKIP
    >>> matrix = master.calculateResult()                                 # doctest: +SKIP
    """

    def __init__(
        self,
        models: Source,
        hosts: list[str],
        atoms: str = "ca",
        edge: int | None = None,
        chunk_size: int = 2,
        **options: Any,
    ) -> None:
        if isinstance(models, (str, os.PathLike)):
            models = read_models(models, atoms)
        self.frames = models if isinstance(models, (Frames, FramesOnDisk)) else Frames(models)
        self.all_at_once = self.frames.nbytes <= ALL_AT_ONCE
        self.edge = edge or block_edge(len(self.frames), len(hosts))
        self.matrix: Array = np.full((len(self.frames), len(self.frames)), np.nan)
        options.setdefault("slave_script", slave_script("rmsd_slave.py"))
        super().__init__(blocks(len(self.frames), self.edge), chunk_size, hosts, **options)

    def getInitParameters(self, slave_tid: int) -> dict[str, Any]:
        """Hand the coordinates to a slave, unless they are too many.

        Parameters
        ----------
        slave_tid : int
            Task id of the slave.

        Returns
        -------
        dict
            {'models': ndarray of shape (models, atoms, 3), or None}
        """
        return {"models": self.frames.block(0, len(self.frames)) if self.all_at_once else None}

    def get_slave_chunk(self, data_keys: list[Any]) -> dict[Any, Any]:
        """Return the two ranges of models of each item, or their coordinates.

        Parameters
        ----------
        data_keys : list
            The items of one job.

        Returns
        -------
        dict
            {item: (rows, columns)}, each a (first, behind the last) or an ndarray.
        """
        chunk: dict[Any, Any] = super().get_slave_chunk(data_keys)
        if self.all_at_once:
            return chunk
        # What several items of a job share is read, and sent, once.
        read: dict[tuple[int, int], Any] = {}
        for ranges in chunk.values():
            for start, stop in ranges:
                if (start, stop) not in read:
                    read[start, stop] = self.frames.block(start, stop)
        return {key: (read[rows], read[columns]) for key, (rows, columns) in chunk.items()}

    def job_done(self, slave_tid: int, result: dict[Any, Any]) -> None:
        """Put blocks into the matrix as they come.

        Parameters
        ----------
        slave_tid : int
            Task id of the slave.
        result : dict
            {item: ndarray}; the blocks are taken out, so that nothing is kept twice.
        """
        super().job_done(slave_tid, result)
        for key, block in result.items():
            (top, bottom), (left, right) = self.data[key]
            self.matrix[top:bottom, left:right] = block
            result[key] = None

    def getResult(self, **arg: Any) -> Array:
        """Return the matrix of all pairs.

        Returns
        -------
        ndarray of float64, shape (models, models)
            RMSD in Angstrom; nan where a block is missing.
        """
        mirror(self.matrix)
        return self.matrix
