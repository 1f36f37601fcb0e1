"""The frames of a trajectory: read by MDAnalysis, one at a time."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from biskit_pvm.rmsd.frames import FramesOnDisk
from biskit_pvm.rmsd.structures import PDBError, atoms_text

#: What the names of choices are called in MDAnalysis's own language.
_SELECTION = {
    "ca": "protein and name CA",
    "backbone": "protein and name N CA C O",
    "p": "nucleic and name P",
    "nucleic": "nucleic and name P O5[*'] C5[*'] C4[*'] C3[*'] O3[*']",
    "all": "all",
}

#: Endings of files that hold no more than coordinates.
TRAJECTORIES = (".xtc", ".trr", ".dcd", ".nc", ".ncdf", ".netcdf", ".mdcrd", ".crdbox", ".trj", ".h5md", ".dump")


class Trajectory(NamedTuple):
    """What was read.

    Attributes
    ----------
    frames : FramesOnDisk
    numbers : list of int
        The frames' numbers in the trajectory, counted from 0.
    """

    frames: FramesOnDisk
    numbers: list[int]


def read_trajectory(
    topology: str | os.PathLike[str],
    path: str | os.PathLike[str],
    atoms: str = "ca",
    which: slice = slice(None),
    folder: str | None = None,
) -> Trajectory:
    """Read the chosen atoms of all frames into a file.

    Parameters
    ----------
    topology, path : path
        What MDAnalysis reads: names of residues and atoms, such as a PDB, GRO, PSF, PRMTOP or TPR
        file; and coordinates, such as an XTC, TRR, DCD or NetCDF file.
    atoms : str
        'ca', 'backbone', 'p', 'nucleic' or 'all', as for :func:`.read_structure`, or a selection in
        MDAnalysis's language.
    which : slice
        Of the frames, counted from 0.
    folder : str, optional
        For the temporary file; see :class:`.FramesOnDisk`.

    Raises
    ------
    PDBError
        When the files will not do, and when MDAnalysis is not installed.
    """
    name = os.fspath(path)
    with _quiet():
        try:
            import MDAnalysis
        except ImportError as error:
            raise PDBError(f"trajectories are read by MDAnalysis ({error}): pip install MDAnalysis") from None
        said = ""
        try:
            universe = MDAnalysis.Universe(os.fspath(topology), name)
            group = universe.select_atoms(_SELECTION.get(atoms.lower(), atoms))
        except Exception as error:  # each of its readers has exceptions of its own
            said = " ".join(str(error).split()) or type(error).__name__
        if said:
            raise PDBError(f"{name}: MDAnalysis says: {said}")
        numbers = list(range(*which.indices(len(universe.trajectory))))
        if len(numbers) < 2:
            raise PDBError(f"{name}: {len(numbers) or 'no'} frame; at least two are needed")
        if not len(group):
            raise PDBError(f"{name}: no {atoms_text(atoms)}")
        check_size(name, len(numbers))
        frames = FramesOnDisk(len(group), folder)
        for step in universe.trajectory[which]:
            if not np.isfinite(group.positions).all():
                raise PDBError(f"{name}: coordinates of frame {step.frame} are not finite")
            frames.append(group.positions)
    return Trajectory(frames, numbers)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep MDAnalysis from saying what nobody asks for.

    It warns of a time step or a box that is missing, and readers that could not begin complain when
    they go.
    """
    hook = sys.unraisablehook
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sys.unraisablehook = lambda _: None
        try:
            yield
        finally:
            sys.unraisablehook = hook


def check_size(name: str, models: int) -> None:
    """Raise PDBError when the matrix of all pairs would fill this computer's memory."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    needed = 8 * models**2
    if needed > memory // 2:
        every = int((needed / (memory / 2)) ** 0.5) + 1
        raise PDBError(
            f"{name}: the matrix of {models} frames takes {needed / 1e9:.0f} GB, this computer has "
            f"{memory / 1e9:.0f} GB; --frames ::{every} takes every {every}th"
        )


def frames_slice(text: str) -> slice:
    """Return START:STOP:STEP as a slice, counted from 0; ValueError where it is none."""
    parts: list[Any] = [int(part) if part.strip() else None for part in text.split(":")]
    if not 1 < len(parts) <= 3 or parts[2:] == [0] or any(part is not None and part < 0 for part in parts):
        raise ValueError(f"START:STOP:STEP, such as 1000: or ::10, not {text!r}")
    return slice(*parts)
