"""Coordinates of the models in a PDB file.

Read are the columns of ATOM, HETATM, MODEL, ENDMDL and END records as the format's version 3.3 lays
them down.
"""

from __future__ import annotations

import gzip
import os
import zlib
from typing import IO, TYPE_CHECKING, Any, NamedTuple, cast

if TYPE_CHECKING:
    import numpy as np

ATOM_CHOICES = ("ca", "backbone", "all")

_BACKBONE = frozenset(("N", "CA", "C", "O"))
_CHOICE_TEXT = {"ca": "C-alpha atoms", "backbone": "backbone atoms", "all": "atoms"}


class PDBError(ValueError):
    """Raised for a file from which no ensemble of models can be read; the text says why."""


class _Atom(NamedTuple):
    """What makes an atom the same atom in all models."""

    chain: str
    residue: str  # number and insertion code
    residue_name: str
    name: str

    def __str__(self) -> str:
        return f"{self.name} of {self.residue_name} {self.chain}{self.residue}".strip()


class _Model:
    def __init__(self, number: str) -> None:
        self.number = number
        self.atoms: list[_Atom] = []
        self.xyz: list[tuple[float, float, float]] = []


def example_file() -> str:
    """Return the path of the PDB file that comes with the package."""
    return os.path.join(os.path.dirname(os.path.abspath(__file__)), "2juy.pdb.gz")


def read_models(path: str | os.PathLike[str], atoms: str = "ca") -> np.ndarray[Any, np.dtype[np.float64]]:
    """Read the coordinates of all models of a PDB file.

    Of an atom in several places the first is taken. Modified residues count like others, although
    their atoms are HETATM records; calcium is no C-alpha.

    Parameters
    ----------
    path : path
        The file, plain or compressed by gzip, whatever its name.
    atoms : {'ca', 'backbone', 'all'}
        C-alpha atoms; N, CA, C and O; or every atom there is.

    Returns
    -------
    ndarray of float64, shape (models, atoms, 3)
        In Angstrom.

    Raises
    ------
    PDBError
        When the file is no PDB file, has fewer than two models, or models that differ in their
        atoms.
    OSError
        When it cannot be read.
    """
    import numpy as np

    if atoms not in ATOM_CHOICES:
        raise ValueError(f"atoms is one of {', '.join(map(repr, ATOM_CHOICES))}, not {atoms!r}")
    name = os.fspath(path)
    try:
        with _open(name) as lines:
            models = _parse(name, lines, atoms)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise PDBError(f"{name}: the compressed file is damaged or cut off ({error})") from None
    _check(name, models, atoms)
    return np.array([model.xyz for model in models], dtype=np.float64)


def _open(name: str) -> IO[str]:
    with open(name, "rb") as file:
        compressed = file.read(2) == b"\x1f\x8b"
    opened = gzip.open if compressed else open
    return cast("IO[str]", opened(name, "rt", encoding="latin-1"))


def _parse(name: str, lines: IO[str], atoms: str) -> list[_Model]:
    models: list[_Model] = []
    model: _Model | None = None
    seen: set[_Atom] = set()
    for number, line in enumerate(lines, 1):
        record = line[:6].rstrip()
        if record in ("ATOM", "HETATM"):
            if model is None:
                model = _Model(str(len(models) + 1))
                models.append(model)
                seen = set()
            if not _wanted(line, atoms):
                continue
            atom = _Atom(line[21:22].strip(), line[22:27].strip(), line[17:20].strip(), line[12:16].strip())
            if line[16:17].strip():
                if atom in seen:
                    continue
                seen.add(atom)
            model.atoms.append(atom)
            model.xyz.append(_position(name, number, line))
        elif record == "MODEL":
            model = _Model(line[6:].strip() or str(len(models) + 1))
            models.append(model)
            seen = set()
        elif record in ("ENDMDL", "END"):
            model = None
        elif number == 1 and line.startswith("data_"):
            raise PDBError(f"{name}: this is an mmCIF file; a file in PDB format is needed")
    return models


def _wanted(line: str, atoms: str) -> bool:
    if atoms == "all":
        return True
    name, element = line[12:16], line[76:78].strip().upper()
    if name.strip() not in (_BACKBONE if atoms == "backbone" else ("CA",)):
        return False
    # The element tells C-alpha from calcium; where it is missing, the first column of the name
    # does.
    return element == name.strip()[0] if element else name[0] == " "


def _position(name: str, number: int, line: str) -> tuple[float, float, float]:
    try:
        x, y, z = float(line[30:38]), float(line[38:46]), float(line[46:54])
    except ValueError:
        raise PDBError(f"{name}, line {number}: no coordinates in columns 31 to 54: {line[30:54]!r}") from None
    if not abs(x) + abs(y) + abs(z) < float("inf"):
        raise PDBError(f"{name}, line {number}: coordinates are not finite: {line[30:54]!r}")
    return x, y, z


def _check(name: str, models: list[_Model], atoms: str) -> None:
    what = _CHOICE_TEXT[atoms]
    if not models:
        raise PDBError(f"{name}: no ATOM or MODEL records; this is no PDB file")
    if len(models) == 1:
        raise PDBError(f"{name}: only one model; at least two are needed, such as an NMR ensemble has")
    first = models[0]
    if not first.atoms:
        raise PDBError(f"{name}: model {first.number} has no {what}")
    for model in models[1:]:
        if len(model.atoms) != len(first.atoms):
            raise PDBError(
                f"{name}: the models differ: {len(first.atoms)} {what} in model {first.number}, "
                f"{len(model.atoms)} in model {model.number}"
            )
        for mine, theirs in zip(model.atoms, first.atoms):
            if mine != theirs:
                raise PDBError(
                    f"{name}: the models differ: where model {first.number} has {theirs}, "
                    f"model {model.number} has {mine}"
                )
