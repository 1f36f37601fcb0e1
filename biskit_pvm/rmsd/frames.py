"""Where the coordinates are while slaves work: in memory, or in a file of the master's own."""

from __future__ import annotations

import os
import tempfile
import weakref
from typing import Any

import numpy as np

from biskit_pvm.rmsd.kabsch import Array


class Frames:
    """Models in memory.

    Parameters
    ----------
    xyz : array_like, shape (models, atoms, 3)
        Coordinates in Angstrom.
    """

    def __init__(self, xyz: Any) -> None:
        self._xyz = np.asarray(xyz)
        if self._xyz.ndim != 3 or self._xyz.shape[2] != 3 or not self._xyz.shape[1]:
            raise ValueError(f"models are an array of shape (models, atoms, 3), not {self._xyz.shape}")

    @property
    def atoms(self) -> int:
        """How many there are in each."""
        return int(self._xyz.shape[1])

    @property
    def nbytes(self) -> int:
        """What all of them take."""
        return self._xyz.nbytes

    def __len__(self) -> int:
        return len(self._xyz)

    def block(self, start: int, stop: int) -> Array:
        """Return the models from one to the one before another, shape (models, atoms, 3)."""
        return self._xyz[start:stop]


class FramesOnDisk:
    """Frames of a trajectory, read once and kept in a file without a name.

    A block can be had from it at once, which trajectories do not offer; and the memory that all
    frames take is that of one block.

    Parameters
    ----------
    atoms : int
        How many there are in each.
    folder : str, optional
        Where the file is, which takes 12 bytes for each atom of each frame; by default that of all
        temporary files.
    """

    def __init__(self, atoms: int, folder: str | None = None) -> None:
        self.atoms = atoms
        self._file = tempfile.TemporaryFile(dir=folder)
        weakref.finalize(self, self._file.close)
        self._size = 12 * atoms
        self._frames = 0

    @property
    def nbytes(self) -> int:
        """What all of them take."""
        return self._frames * self._size

    def __len__(self) -> int:
        return self._frames

    def append(self, xyz: Any) -> None:
        """Add a frame, shape (atoms, 3), in Angstrom."""
        self._file.write(np.ascontiguousarray(xyz, dtype=np.float32).tobytes())
        self._frames += 1

    def block(self, start: int, stop: int) -> np.ndarray[Any, np.dtype[np.float32]]:
        """Return the frames from one to the one before another, shape (frames, atoms, 3)."""
        self._file.flush()
        stop = min(stop, self._frames)
        found = bytearray((stop - start) * self._size)
        at, view = 0, memoryview(found)
        while at < len(found):
            got = os.preadv(self._file.fileno(), [view[at:]], start * self._size + at)
            if not got:
                raise OSError("the file of frames has been cut off")
            at += got
        return np.frombuffer(found, dtype=np.float32).reshape(-1, self.atoms, 3)
