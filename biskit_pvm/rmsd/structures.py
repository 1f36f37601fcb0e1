"""The models of a structure: read by gemmi, the same atoms of each.

gemmi (https://gemmi.readthedocs.io) knows the formats and the residues. What it leaves open is
decided here: which atoms of two models are the same one, which of several places counts, and
where the models of a PDB file begin and end, so that a long file needs the memory of one model.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import sys
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, Callable, NamedTuple

import numpy as np

from biskit_pvm.rmsd.kabsch import Array

if TYPE_CHECKING:
    import gemmi

#: Names that `atoms` may have; anything else is taken for a selection.
ATOM_CHOICES = ("ca", "backbone", "p", "nucleic", "all")

_NAMES = {
    "ca": frozenset(("CA",)),
    "backbone": frozenset(("N", "CA", "C", "O")),
    "p": frozenset(("P",)),
    "nucleic": frozenset(("P", "O5'", "C5'", "C4'", "C3'", "O3'")),
}
_TEXT = {
    "ca": "C-alpha atoms",
    "backbone": "backbone atoms",
    "p": "phosphorus atoms of nucleic acids",
    "nucleic": "backbone atoms of nucleic acids",
    "all": "atoms",
}

_MAGIC: tuple[tuple[bytes, Callable[[Any], Any]], ...] = (
    (b"\x1f\x8b", lambda file: gzip.GzipFile(fileobj=file)),
    (b"BZh", bz2.BZ2File),
    (b"\xfd7zXZ\0", lzma.LZMAFile),
)

#: Angstrom: a peptide bond, and two neighbouring C-alpha, are not longer than this.
_BOND, _CA_TO_CA = 2.5, 4.5


class PDBError(ValueError):
    """Raised for a file from which no models can be read; the text says why."""


class Atom(NamedTuple):
    """What makes an atom the same atom in all models."""

    chain: str
    segment: str
    number: int
    insertion: str
    name: str
    part: int  #: 1 for the second molecule with the same chain and number, and so on

    def text(self, residue: str) -> str:
        """Return the atom in words."""
        return f"{self.name} of {residue} {self.chain}{self.number}{self.insertion}".replace("  ", " ")


def _residue(atom: Atom) -> tuple[Any, ...]:
    """Return what the atoms of one position in the chain share."""
    return (*atom[:4], atom.part)


class _Place(NamedTuple):
    residue: str
    letter: str
    xyz: tuple[float, float, float]
    at: int  # of the atom in the model, as gemmi orders them


class Models(NamedTuple):
    """What was read.

    Attributes
    ----------
    xyz : ndarray of float64, shape (models, atoms, 3)
        In Angstrom.
    numbers : list of int
        The models' own numbers.
    left_out : int
        Atoms that only some of the models have.
    repeated : int
        Atoms that a model has twice, with nothing that tells the two places apart.
    """

    xyz: Array
    numbers: list[int]
    left_out: int
    repeated: int


def example_file() -> str:
    """Return the path of the PDB file that comes with the package."""
    return os.path.join(os.path.dirname(os.path.abspath(__file__)), "2juy.pdb.gz")


def atoms_text(atoms: str) -> str:
    """Return a choice of atoms in words."""
    return _TEXT.get(atoms.lower(), f"atoms of the selection {atoms}")


def read_models(path: str | os.PathLike[str], atoms: str = "ca", common: bool = False) -> Array:
    """Read the coordinates of all models of a structure.

    Parameters
    ----------
    path, atoms, common
        As for :func:`read_structure`.

    Returns
    -------
    ndarray of float64, shape (models, atoms, 3)
        In Angstrom.
    """
    return read_structure(path, atoms, common).xyz


def read_structure(path: str | os.PathLike[str], atoms: str = "ca", common: bool = False) -> Models:
    """Read all models of a structure.

    Models are matched by chain, residue number, insertion code and atom name. Of an atom in several
    places the first of the first model counts, and in the other models the place with the same
    letter. Where two residues share a position, the first one counts in the same way.

    Parameters
    ----------
    path : path
        A PDB, mmCIF or mmJSON file, plain or compressed by gzip, bzip2 or xz; '-' is standard
        input. The content tells which, not the name, and is read once, so a pipe will do.
    atoms : str
        'ca' or 'backbone' (N, CA, C, O) of amino acids in polymers, modified ones among them; 'p'
        or 'nucleic' (P, O5', C5', C4', C3', O3') of nucleic acids; 'all'; or a selection in gemmi's
        syntax, such as '//A/10-50/CA[C]'.
    common : bool
        Compare the atoms that all models have, where they differ.

    Raises
    ------
    PDBError
        When the file will not do, has fewer than two models, or models that differ in their atoms,
        and when gemmi is not installed.
    OSError
        When it cannot be read.
    """
    name = "standard input" if os.fspath(path) == "-" else os.fspath(path)
    chooser = _Chooser(atoms)
    collected = _Collector(name, chooser, common)
    try:
        with _opened(path) as file:
            for number, model, text in _models(name, file):
                collected.add(number, model, text)
    except (EOFError, zlib.error, gzip.BadGzipFile, lzma.LZMAError) as error:
        raise PDBError(f"{name}: the compressed file is damaged or cut off ({error})") from None
    except OSError as error:
        if error.errno is not None:  # bz2 has no exception of its own
            raise
        raise PDBError(f"{name}: the compressed file is damaged or cut off ({error})") from None
    return collected.finish()


def _gemmi() -> Any:
    try:
        import gemmi
    except ImportError as error:
        raise PDBError(f"structures are read by gemmi ({error}): pip install gemmi") from None
    return gemmi


# -- files ---------------------------------------------------------------------------------


@contextmanager
def _opened(path: str | os.PathLike[str]) -> Iterator[io.BufferedReader]:
    """Open a file, whatever it is compressed by, without going back in it."""
    if os.fspath(path) == "-":
        yield _decompressed(sys.stdin.buffer)
    else:
        with open(path, "rb") as file:
            yield _decompressed(file)


def _decompressed(file: Any) -> io.BufferedReader:
    begin = file.peek(6)
    for magic, opened in _MAGIC:
        if begin.startswith(magic):
            return io.BufferedReader(opened(file), 1 << 16)
    return io.BufferedReader(file, 1 << 16) if not isinstance(file, io.BufferedReader) else file


def _models(name: str, file: io.BufferedReader) -> Iterator[tuple[int | None, gemmi.Model, str]]:
    """Give number, atoms and lines (of a PDB file) of each model."""
    lines = io.TextIOWrapper(file, encoding="ascii", errors="replace")
    try:
        begin = ""
        while not (first := lines.readline()).strip() or first.startswith("#"):
            begin += first
            if not first:
                break
        if first[:5].lower() == "data_" or first.lstrip().startswith("{"):
            yield from _from_document(name, begin + first + lines.read())
        else:
            yield from _from_pdb(name, first, lines)
    finally:
        lines.detach()


def _from_document(name: str, text: str) -> Iterator[tuple[int | None, gemmi.Model, str]]:
    gemmi = _gemmi()
    kind, read = ("mmJSON", gemmi.cif.read_mmjson_string) if "{" in text[:100] else ("mmCIF", gemmi.cif.read_string)
    try:
        document = read(text)
        del text
        structure = gemmi.make_structure_from_block(document[0])
    except (RuntimeError, ValueError, IndexError) as error:
        raise PDBError(f"{name}: this is no good {kind} file: {_one_line(error)}") from None
    del document
    structure.setup_entities()
    if not any(len(chain) for model in structure for chain in model):
        raise PDBError(f"{name}: no atoms in this {kind} file")
    for model in structure:
        yield model.num, model, ""


def _from_pdb(name: str, first: str, lines: IO[str]) -> Iterator[tuple[int | None, gemmi.Model, str]]:
    part: _Lines | None = None
    number: int | None = None
    found = False

    def finished() -> Iterator[tuple[int | None, gemmi.Model, str]]:
        if part is not None:
            yield (number, *_pdb_model(name, part.lines))

    at = 0
    while first:
        at += 1
        record = first[:6].rstrip()
        if record in ("ATOM", "HETATM"):
            found = True
            part = part or _Lines()
            _check_position(name, at, first)
            part.add(first)
        elif record == "TER" and part is not None:
            part.end_chain()
        elif record == "MODEL":
            yield from finished()
            found, part = True, _Lines()
            number = int(first[6:]) if first[6:].strip().isdigit() else None
        elif record in ("ENDMDL", "END"):
            yield from finished()
            part = number = None
        first = lines.readline()
    yield from finished()
    if not found:
        raise PDBError(f"{name}: no ATOM or MODEL records; this is no PDB, mmCIF or mmJSON file")


class _Lines:
    """The lines of one model, which gemmi will read."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._seen: dict[str, str] = {}  # what stood in a residue's line, and where each atom was
        self._residue = self._position = ""

    def add(self, line: str) -> None:
        """Add the line of an atom."""
        # Before 1996 columns 73 to 80 held the name of the entry and a number.
        if line[76:80].strip().isdigit():
            line = line[:72] + "\n"
        atom, residue = line[12:27] + line[72:76], line[17:27] + line[72:76]
        if residue != self._residue:
            self._residue, before, self._position = residue, self._position, residue[4:]
            # A residue that comes again elsewhere is another molecule with the same numbers, which
            # gemmi would take for the same residue, or for another form of it; unless the file
            # says so, or it is the same line again.
            other = self._seen.get(self._position, residue) != residue and before != self._position
            if self._seen.get(atom, line[30:54]) != line[30:54] or other and line[16:17] == " ":
                self.end_chain()
            self._seen.setdefault(self._position, residue)
        self._seen.setdefault(atom, line[30:54])
        self.lines.append(line)

    def end_chain(self) -> None:
        """Let what follows be a chain of its own."""
        self._seen.clear()
        self.lines.append("TER\n")


def _check_position(name: str, number: int, line: str) -> None:
    # gemmi reads what is no number as zero.
    try:
        total = abs(float(line[30:38])) + abs(float(line[38:46])) + abs(float(line[46:54]))
    except ValueError:
        raise PDBError(f"{name}, line {number}: no coordinates in columns 31 to 54: {line[30:54].strip()!r}") from None
    if not total < float("inf"):
        raise PDBError(f"{name}, line {number}: coordinates are not finite: {line[30:54].strip()!r}")


def _pdb_model(name: str, lines: list[str]) -> tuple[gemmi.Model, str]:
    gemmi = _gemmi()
    text = "".join(lines)
    if not text.isascii():  # a letter must remain a column
        text = text.encode("ascii", "replace").decode()
    try:
        structure = gemmi.read_pdb_string(text, split_chain_on_ter=True)
    except (RuntimeError, ValueError) as error:
        raise PDBError(f"{name}: {_one_line(error)}") from None
    structure.setup_entities()
    model = structure[0] if len(structure) else gemmi.Model(1)
    # The lines without serial numbers and from the coordinates on: what the atoms are.
    same = "".join([line[:6] + line[11:30] for line in lines])
    return (_Kept(structure, model), same)  # type: ignore[return-value]


class _Kept:
    """A model of a structure, which must live as long as it does."""

    def __init__(self, structure: gemmi.Structure, model: gemmi.Model) -> None:
        self.structure = structure
        self.model = model

    def __iter__(self) -> Iterator[gemmi.Chain]:
        return iter(self.model)

    def positions(self) -> Array | None:
        """Return all positions in gemmi's order, where this gemmi can."""
        flat = getattr(_gemmi(), "FlatStructure", None)
        return None if flat is None else np.array(flat(self.structure).pos)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())


# -- which atoms -----------------------------------------------------------------------------


class _Chooser:
    """Chooses atoms of a model."""

    def __init__(self, atoms: str) -> None:
        # "CA" would be the chain of that name, which nobody means.
        self.atoms = atoms = atoms.lower() if atoms.lower() in ATOM_CHOICES else atoms
        self.text = atoms_text(atoms)
        self.selection: Any = None
        gemmi = _gemmi()
        if atoms not in ATOM_CHOICES:
            try:
                self.selection = gemmi.Selection(atoms)
            except (RuntimeError, ValueError) as error:
                choices = ", ".join(map(repr, ATOM_CHOICES))
                raise PDBError(f"atoms is one of {choices} or a selection as gemmi knows: {_one_line(error)}") from None

    def model(self, number: int) -> bool:
        """Tell whether a model is chosen."""
        if self.selection is None:
            return True
        gemmi = _gemmi()
        probe = gemmi.Structure()
        probe.add_model(gemmi.Model(number))
        return any(True for _ in self.selection.models(probe))

    def places(self, model: Iterable[gemmi.Chain]) -> Iterator[tuple[Atom, _Place]]:
        """Give the atoms that are chosen, with all their places, in order."""
        index = 0
        told = not isinstance(model, _Kept)
        parts: dict[str, int] = {}
        known: dict[tuple[str, str, int, str], list[int]] = {}
        for chain in model:
            part = parts[chain.name] = parts.get(chain.name, -1) + 1
            wanted = self._residues(chain, part, told)
            for residue, chosen in zip(chain, wanted):
                begin = index
                index += len(residue)
                identity = (chain.name, residue.segment, residue.seqid.num or 0, residue.seqid.icode.strip())
                occurs = known.setdefault(identity, [])
                if part not in occurs:
                    occurs.append(part)
                if chosen is None:
                    continue
                for i, atom in enumerate(residue):
                    name = atom.name.replace("*", "'")
                    if name in chosen if isinstance(chosen, frozenset) else i in chosen:
                        yield (
                            Atom(*identity, name, occurs.index(part)),
                            _Place(
                                residue.name, atom.altloc.strip("\0 "), (atom.pos.x, atom.pos.y, atom.pos.z), begin + i
                            ),
                        )

    def _residues(self, chain: gemmi.Chain, part: int, told: bool) -> list[Any]:
        """Return for each residue the names, or the places, of its chosen atoms, or None."""
        if self.atoms in ("ca", "backbone"):
            amino = _amino_acids(chain, part, told)
            return [_NAMES[self.atoms] if yes else None for yes in amino]
        if self.atoms in ("p", "nucleic"):
            return [_NAMES[self.atoms] if _is_nucleotide(residue) else None for residue in chain]
        if self.atoms == "all":
            return [range(len(residue)) for residue in chain]
        return self._selected(chain)

    def _selected(self, chain: gemmi.Chain) -> list[Any]:
        gemmi = _gemmi()
        model = gemmi.Model(1)
        model.add_chain(chain)
        marks: list[set[int]] = [set() for _ in chain]
        for copy in self.selection.chains(model):
            # What is marked is a copy of the chain, so nothing of the structure changes.
            for residue in copy:
                for j, atom in enumerate(residue):
                    atom.serial = j
                residue.flag = "n"
            for residue in self.selection.residues(copy):
                residue.flag = "y"
            for i, residue in enumerate(copy):
                if residue.flag == "y":
                    marks[i] = {atom.serial for atom in self.selection.atoms(residue)}
        return marks


def _amino_acids(chain: gemmi.Chain, part: int, told: bool) -> list[bool]:
    """Tell of each residue of a chain whether it is an amino acid of a polymer.

    `told` is whether the file itself tells what is a polymer.
    """
    gemmi = _gemmi()
    residues = list(chain)
    infos = [gemmi.find_tabulated_residue(residue.name) for residue in residues]
    amino = [info.found() and info.is_amino_acid() for info in infos]
    atoms = [{atom.name for atom in residue} for residue in residues]
    able = [
        {"N", "CA", "C"} <= names or names == {"CA"} and (known or not info.found())
        for names, known, info in zip(atoms, amino, infos)
    ]
    result = []
    for i, residue in enumerate(residues):
        # In a PDB file it is gemmi's guess where a polymer ends; a free amino acid may follow.
        sure = told or part == 0 and infos[i].one_letter_code.islower()
        yes = amino[i] and (residue.het_flag == "A" or sure and residue.entity_type == gemmi.EntityType.Polymer)
        if not yes and able[i]:
            # A modified residue, a name that only one program uses, or a ligand: the neighbours tell.
            near = [j for j in range(max(0, i - 2), min(i + 3, len(residues))) if j != i and able[j]]
            yes = any(_bonded(residue, residues[j]) for j in near)
        result.append(yes)
    return result


def _bonded(one: gemmi.Residue, other: gemmi.Residue) -> bool:
    for a, b in ((one, other), (other, one)):
        carbon, nitrogen = a.find_atom("C", "*"), b.find_atom("N", "*")
        if carbon and nitrogen and carbon.pos.dist(nitrogen.pos) < _BOND:
            return True
    # Where there are no other atoms the distance of the C-alpha has to do.
    return len(one) == len(other) == 1 and bool(one[0].pos.dist(other[0].pos) < _CA_TO_CA)


def _is_nucleotide(residue: gemmi.Residue) -> bool:
    gemmi = _gemmi()
    info = gemmi.find_tabulated_residue(residue.name)
    atoms = {atom.name.replace("*", "'") for atom in residue}
    kind = info.is_nucleic_acid() if info.found() else {"C4'", "C3'", "O3'"} <= atoms
    return bool(kind) and (residue.het_flag == "A" or residue.entity_type == gemmi.EntityType.Polymer)


# -- the same atoms of all models ------------------------------------------------------------


class _Collector:
    """Brings the atoms of each model into the order of the first."""

    def __init__(self, name: str, chooser: _Chooser, common: bool) -> None:
        self.name = name
        self.chooser = chooser
        self.common = common
        self.numbers: list[int] = []
        self.repeated = 0
        self._count = 0
        self._xyz: Array = np.empty((0, 0, 3))
        self._atoms: dict[Atom, int] = {}
        self._first: list[_Place] = []
        self._residues: dict[tuple[Any, ...], str] = {}
        self._indices: Array | None = None
        self._lines = ""
        self._missing: Any = None
        self._extra: set[Atom] = set()

    def add(self, number: int | None, model: Any, lines: str) -> None:
        """Take the chosen atoms of one more model."""
        self._count += 1
        number = self._count if number is None else number
        if not self.chooser.model(number):
            return
        self.numbers.append(number)
        if len(self.numbers) == 1:
            self._begin(number, model, lines)
            return
        if lines and lines == self._lines and self._indices is not None:
            positions = model.positions()
            if positions is not None:
                self._store(positions[self._indices])
                return
        self._match(number, model)

    def _begin(self, number: int, model: Any, lines: str) -> None:
        places: dict[Atom, _Place] = {}
        for atom, place in self.chooser.places(model):
            if self._residues.setdefault(_residue(atom), place.residue) == place.residue:
                self._notice(places.setdefault(atom, place), place)
        self._atoms = {atom: i for i, atom in enumerate(places)}
        self._first = list(places.values())
        self._indices = np.array([place.at for place in self._first], dtype=np.int64)
        self._lines = lines
        self._missing = np.zeros(len(places), dtype=bool)
        self._store(np.array([place.xyz for place in self._first]).reshape(-1, 3))

    def _notice(self, first: _Place, place: _Place) -> None:
        """Count an atom that stands twice in a model, unless it is the same line again."""
        if first is not place and first.letter == place.letter and first.xyz != place.xyz:
            self.repeated += 1

    def _match(self, number: int, model: Any) -> None:
        found = list(self.chooser.places(model))
        residues: dict[tuple[Any, ...], set[str]] = {}
        for atom, place in found:
            residues.setdefault(_residue(atom), set()).add(place.residue)
        places: dict[Atom, list[_Place]] = {}
        taken: dict[tuple[Any, ...], str] = {}
        for atom, place in found:
            position = _residue(atom)
            first_residue = self._residues.get(position, "")
            name = first_residue if first_residue in residues[position] else place.residue
            if taken.setdefault(position, name) == place.residue:
                places.setdefault(atom, []).append(place)
        xyz = np.full((len(self._atoms), 3), np.nan)
        for atom, several in places.items():
            i = self._atoms.get(atom)
            if i is None:
                self._differ(number, atom.text(several[0].residue), self.numbers[0])
                self._extra.add(atom)
                continue
            letter = self._first[i].letter
            place = next((place for place in several if place.letter == letter), several[0])
            for other in several:
                self._notice(place, other)
            xyz[i] = place.xyz
        for (atom, i), first in zip(self._atoms.items(), self._first):
            if atom not in places:
                self._differ(self.numbers[0], atom.text(first.residue), number)
                self._missing[i] = True
        self._store(xyz)

    def _differ(self, has: int, atom: str, lacks: int) -> None:
        if not self.common:
            raise PDBError(
                f"{self.name}: the models differ: model {has} has {atom}, model {lacks} has not; "
                "--common compares the atoms that all models have"
            )

    def _store(self, xyz: Array) -> None:
        n = len(self.numbers)
        if not np.isfinite(xyz).all() and not self.common:
            raise PDBError(f"{self.name}: coordinates of model {self.numbers[-1]} are not finite")
        if n > len(self._xyz):
            # NumPy copies them for that, or not, as its version goes; so the peak is twice the coordinates.
            self._xyz.resize((n + n // 4 + 1, len(self._first), 3), refcheck=False)
        self._xyz[n - 1] = xyz

    def finish(self) -> Models:
        """Return what was collected."""
        n = len(self.numbers)
        if n == 1 or not n:
            few = "only one model" if n else "no model"
            raise PDBError(f"{self.name}: {few}; at least two are needed, such as an NMR ensemble has")
        if not self._first:
            raise PDBError(f"{self.name}: model {self.numbers[0]} has no {self.chooser.text}")
        self._xyz.resize((n, len(self._first), 3), refcheck=False)
        xyz = self._xyz
        if self._missing.any():
            xyz = xyz[:, ~self._missing]
            if not xyz.shape[1]:
                raise PDBError(f"{self.name}: no {self.chooser.text} are common to all models")
        numbers = self.numbers if len(set(self.numbers)) == n else list(range(1, n + 1))
        return Models(xyz, numbers, int(self._missing.sum()) + len(self._extra), self.repeated)
