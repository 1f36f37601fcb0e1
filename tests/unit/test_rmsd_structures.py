"""Which atoms of which files the worked example compares."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gemmi
import numpy as np
import pytest

from biskit_pvm.rmsd import PDBError, example_file, read_models
from biskit_pvm.rmsd import structures as reader
from biskit_pvm.rmsd.structures import read_structure

#: atoms per model of 2JUY; its residue 24 is a methionine sulphoxide, written as HETATM
ATOMS = {"ca": 28, "backbone": 112, "all": 392}


def _columns(choice: str) -> list[list[list[float]]]:
    """Read the example by the columns of its lines alone."""
    names = {"ca": ("CA",), "backbone": ("N", "CA", "C", "O")}.get(choice)
    models: list[list[list[float]]] = []
    for line in gzip.open(example_file(), "rt"):
        if line.startswith("MODEL"):
            models.append([])
        elif line.startswith(("ATOM", "HETATM")) and (not names or line[12:16].strip() in names):
            models[-1].append([float(line[at : at + 8]) for at in (30, 38, 46)])
    return models


@pytest.mark.parametrize("choice", ATOMS)
@pytest.mark.parametrize("flat", [True, False])
def test_the_example_is_read_as_it_stands(choice: str, flat: bool, monkeypatch: pytest.MonkeyPatch):
    if not flat:  # as by a gemmi that has no such table
        monkeypatch.delattr(gemmi, "FlatStructure")
    found = read_structure(example_file(), choice)
    assert found.xyz.shape == (24, ATOMS[choice], 3)
    np.testing.assert_array_equal(found.xyz, _columns(choice))
    assert found.numbers == list(range(1, 25))


# --------------------------------------------------------------------- small files

ATOM = (
    "{record:<6}{0:5d} {name:<4}{alt:1}{residue:>3} {chain:1}{number:4d}{ins:1}   {x:8.3f}{y:8.3f}{z:8.3f}  1.00  0.00"
)


def _atom(number: int, name: str = " CA ", element: str = "C", **fields: object) -> str:
    values = {
        "record": "ATOM",
        "alt": "",
        "ins": "",
        "residue": "ALA",
        "chain": "A",
        "number": number,
        "x": 1.0,
        "y": 2.0,
        "z": number,
        **fields,
    }
    segment = str(values.pop("segment", ""))
    return ATOM.format(number, name=name, **values).ljust(72) + f"{segment:<4}{element:>2}\n"


def _residue(number: int, names: str = "N CA C O", **fields: Any) -> list[str]:
    """Return the lines of a residue that is bonded to that of the next number."""
    place = {"x": 0.0, **fields}
    return [
        _atom(number, f" {name:<3}", name[0], **{**place, "z": 3.8 * number + 1.2 * i})
        for i, name in enumerate(names.split())
    ]


def _model(*atoms: str, number: int = 1) -> str:
    return f"MODEL     {number:4d}\n{''.join(atoms)}ENDMDL\n"


def _file(folder: Path, text: str | bytes) -> Path:
    path = folder / "input.pdb"
    path.write_bytes(text.encode("latin-1") if isinstance(text, str) else text)
    return path


THREE = [_atom(1), _atom(2), _atom(3)]
PEPTIDE = [line for number in (1, 2, 3) for line in _residue(number)]


def _count(folder: Path, lines: list[str], atoms: str = "ca") -> int:
    """Return how many atoms a file of two such models has."""
    found = read_structure(_file(folder, _model(*lines) + _model(*lines, number=2)), atoms)
    np.testing.assert_array_equal(found.xyz[0], found.xyz[1])
    return found.xyz.shape[1]


# --------------------------------------------------------------- which atoms count


def test_water_ligands_and_ions_are_no_protein(tmp_path: Path):
    others = [
        _atom(301, " O  ", "O", residue="HOH", record="HETATM"),
        _atom(302, " O  ", "O", residue="WAT"),
        _atom(303, " O  ", "O", residue="SOL"),
        _atom(304, " CA ", "C", residue="LIG", record="HETATM"),
        _atom(305, "CA  ", "CA", residue="CA", record="HETATM"),
        *_residue(306, residue="LIG", record="HETATM", x=40.0),
        *_residue(308, residue="LIG", x=40.0),
        *_residue(310, residue="GLY", record="HETATM", x=50.0),
    ]
    for lines in (PEPTIDE + others, PEPTIDE + ["TER\n"] + others, others + PEPTIDE):
        assert _count(tmp_path, lines, "ca") == 3
        assert _count(tmp_path, lines, "backbone") == 12
        assert _count(tmp_path, lines, "all") == 12 + 5 + 12


@pytest.mark.parametrize(
    "middle",
    [
        {"residue": "MSE", "record": "HETATM"},
        {"residue": "SME", "record": "HETATM"},
        {"residue": "QQQ", "record": "HETATM"},  # known to nobody
        {"residue": "HSD"},  # names of simulation programs
        {"residue": "CYX"},
    ],
)
def test_modified_residues_count_wherever_they_stand(tmp_path: Path, middle: dict[str, Any]):
    for at in (1, 2, 3):
        lines = [line for n in (1, 2, 3) for line in _residue(n, **(middle if n == at else {}))]
        assert _count(tmp_path, lines) == 3
        assert _count(tmp_path, [*lines, "TER\n"], "backbone") == 12


def test_caps_are_no_amino_acids(tmp_path: Path):
    lines = [*_residue(1, "CH3 C O", residue="ACE"), *_residue(2), *_residue(3), *_residue(4, "N CA", residue="NMA")]
    assert _count(tmp_path, lines) == 2
    assert _count(tmp_path, lines, "backbone") == 8


def test_an_incomplete_residue_counts_with_what_it_has(tmp_path: Path):
    assert _count(tmp_path, [*PEPTIDE, *_residue(4, "N")], "backbone") == 13


@pytest.mark.parametrize("split", [["TER\n"], []])
def test_a_second_molecule_with_the_same_numbers_counts_too(tmp_path: Path, split: list[str]):
    # As simulation programs write it, without chains.
    second = [line for number in (1, 2, 3) for line in _residue(number, x=30.0)]
    lines = [line[:21] + " " + line[22:] if line != "TER\n" else line for line in [*PEPTIDE, *split, *second]]
    assert _count(tmp_path, lines) == 6
    waters = [_atom(n % 4, " OW ", "O", residue="SOL", chain=" ", z=float(n)) for n in range(12)]
    assert _count(tmp_path, lines + waters, "all") == 24 + 12


def test_segments_tell_molecules_apart(tmp_path: Path):
    lines = [line for s in ("PROA", "PROB") for n in (1, 2) for line in _residue(n, chain=" ", segment=s)]
    assert _count(tmp_path, lines) == 4


NUCLEOTIDE = "P OP1 O5' C5' C4' C3' O3' N9"


@pytest.mark.parametrize("old", [False, True])
def test_nucleic_acids_have_choices_of_their_own(tmp_path: Path, old: bool):
    lines = [line for n in (1, 2) for line in _residue(n, NUCLEOTIDE, residue=" DA", chain="B")]
    lines += _residue(9, NUCLEOTIDE, residue="ATP", chain="B", record="HETATM")
    if old:
        lines = [line.replace("'", "*") for line in lines]
    assert _count(tmp_path, PEPTIDE + lines, "p") == 2
    assert _count(tmp_path, PEPTIDE + lines, "nucleic") == 12
    assert _count(tmp_path, PEPTIDE + lines, "ca") == 3


@pytest.mark.parametrize(
    "selection, atoms",
    [("//A/2-3/CA", 2), ("//A/2-3/CA[C]", 2), ("[N]", 4), ("(HOH)", 1), ("//A,W", 14), ("CA", 3)],
)
def test_selections_are_those_of_gemmi(tmp_path: Path, selection: str, atoms: int):
    lines = [*PEPTIDE, _atom(1, " O  ", "O", residue="HOH", chain="W", record="HETATM"), *_residue(4, "N")]
    assert _count(tmp_path, lines, selection) == atoms


def test_what_is_no_selection_is_refused(tmp_path: Path):
    with pytest.raises(PDBError, match="'ca', 'backbone', .* or a selection"):
        read_models(_file(tmp_path, _model(*THREE) * 2), "//A/junk((")


def test_a_selection_may_leave_out_models(tmp_path: Path):
    path = _file(tmp_path, "".join(_model(*THREE, number=n) for n in (1, 2, 3)))
    with pytest.raises(PDBError, match="only one model"):
        read_structure(path, "/2")
    with pytest.raises(PDBError, match="no model"):
        read_structure(path, "/7")


# ------------------------------------------------------------- one place of an atom


def test_of_several_places_the_first_counts_and_the_same_in_all_models(tmp_path: Path):
    a, b, blank = _atom(3, alt="A", x=10.0), _atom(3, alt="B", x=20.0), _atom(3, x=30.0)
    for models, x in (
        ([[a, b], [b, a], [a]], [10, 10, 10]),
        ([[b, a], [a, b]], [20, 20]),
        ([[blank, b], [b, blank], [b]], [30, 30, 20]),
        ([[a, b], [blank]], [10, 30]),
    ):
        text = "".join(_model(*THREE[:2], *places, number=n) for n, places in enumerate(models, 1))
        found = read_structure(_file(tmp_path, text))
        assert found.xyz[:, :, 0].tolist() == [[1, 1, value] for value in x]
        assert found.repeated == 0


def test_places_that_stand_apart_are_the_same_atom(tmp_path: Path):
    # Some programs write all of place A first, then all of place B.
    a = [line for n in (1, 2) for line in _residue(n, alt="A")]
    b = [line for n in (1, 2) for line in _residue(n, alt="B", x=1.0)]
    assert _count(tmp_path, a + b, "all") == 8


@pytest.mark.parametrize("alternate", [("A", "B"), ("", "")])
def test_two_residues_at_one_position_count_once(tmp_path: Path, alternate: tuple[str, str]):
    ala = _residue(2, "N CA C O CB", alt=alternate[0])
    ser = _residue(2, "N CA C O CB OG", residue="SER", alt=alternate[1], x=9.0)
    for atoms, count in (("ca", 3), ("backbone", 12), ("all", 13)):
        assert _count(tmp_path, [*_residue(1), *ala, *ser, *_residue(3)], atoms) == count
        # The other way round in the second model: ALA is compared with ALA.
        first, second = ([*_residue(1), *two, *_residue(3)] for two in ((*ala, *ser), (*ser, *ala)))
        found = read_structure(_file(tmp_path, _model(*first) + _model(*second, number=2)), atoms)
        np.testing.assert_array_equal(found.xyz[0], found.xyz[1])


def test_a_line_that_stands_twice_counts_once(tmp_path: Path):
    for lines in ([*PEPTIDE[:2], PEPTIDE[1], *PEPTIDE[2:]], [*PEPTIDE, PEPTIDE[1]], [*PEPTIDE, *PEPTIDE]):
        found = read_structure(_file(tmp_path, _model(*lines) + _model(*PEPTIDE, number=2)))
        assert found.xyz.shape == (2, 3, 3)
        assert found.repeated == 0


def test_places_that_nothing_tells_apart_are_told(tmp_path: Path):
    lines = [*PEPTIDE[:2], PEPTIDE[1].replace("   0.000", "   0.900", 1), *PEPTIDE[2:]]
    found = read_structure(_file(tmp_path, _model(*lines) * 2))
    assert found.xyz.shape == (2, 3, 3)
    assert found.xyz[0, 0, 0] == 0.0
    assert found.repeated > 0


# ---------------------------------------------------------------- models that differ


def test_models_are_matched_by_name_not_by_order(tmp_path: Path):
    text = _model(*THREE) + _model(*THREE[::-1], number=2)
    np.testing.assert_array_equal(read_models(_file(tmp_path, text)), [[[1, 2, n] for n in (1, 2, 3)]] * 2)


@pytest.mark.parametrize(
    "other, message",
    [
        (THREE[:2], "model 1 has CA of ALA A3, model 7 has not"),
        ([*THREE, _atom(4)], "model 7 has CA of ALA A4, model 1 has not"),
        ([*THREE[:2], _atom(3, chain="B")], "model 7 has CA of ALA B3, model 1 has not"),
        ([*THREE[:2], _atom(3, ins="A")], "model 7 has CA of ALA A3A, model 1 has not"),
    ],
)
def test_models_that_differ_are_refused_with_the_first_difference(tmp_path: Path, other: list[str], message: str):
    with pytest.raises(PDBError, match=message) as caught:
        read_models(_file(tmp_path, _model(*THREE) + _model(*other, number=7)))
    assert "--common" in str(caught.value)


def test_what_all_models_have_can_be_compared(tmp_path: Path):
    text = _model(*THREE, _atom(9)) + _model(_atom(8), *THREE[1:], number=2) + _model(*THREE, number=3)
    found = read_structure(_file(tmp_path, text), common=True)
    np.testing.assert_array_equal(found.xyz, [[[1, 2, 2], [1, 2, 3]]] * 3)
    assert found.left_out == 3  # 1, 8 and 9
    with pytest.raises(PDBError, match="no C-alpha atoms are common"):
        read_structure(_file(tmp_path, _model(_atom(1)) + _model(_atom(2), number=2)), common=True)


def test_models_keep_their_numbers(tmp_path: Path):
    text = "".join(_model(*THREE, number=n) for n in (5, 9, 11))
    assert read_structure(_file(tmp_path, text)).numbers == [5, 9, 11]
    assert read_structure(_file(tmp_path, _model(*THREE) * 3)).numbers == [1, 2, 3]


# ------------------------------------------------------------------------- formats


@pytest.mark.parametrize("packed", [bytes, gzip.compress, bz2.compress, lzma.compress])
def test_a_pipe_is_read_once_whatever_it_holds(tmp_path: Path, packed: Callable[[bytes], bytes]):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    content = packed(gzip.open(example_file()).read())
    writer = threading.Thread(target=pipe.write_bytes, args=(content,))
    writer.start()
    try:
        found = read_models(pipe)
    finally:
        writer.join(30)
    np.testing.assert_array_equal(found, _columns("ca"))


def test_standard_input_is_a_file_too(monkeypatch: pytest.MonkeyPatch):
    with open(example_file(), "rb") as file:
        monkeypatch.setattr(sys, "stdin", type("Stdin", (), {"buffer": file}))
        np.testing.assert_array_equal(read_models("-"), _columns("ca"))


@pytest.mark.parametrize("kind", ["mmCIF", "mmJSON"])
@pytest.mark.parametrize("choice", ATOMS)
def test_other_formats_give_the_same(tmp_path: Path, kind: str, choice: str):
    structure = gemmi.read_structure(example_file())
    structure.setup_entities()
    document = structure.make_mmcif_document()
    path = tmp_path / "input"
    path.write_text(document.as_string() if kind == "mmCIF" else document.as_json(mmjson=True))
    np.testing.assert_allclose(read_models(path, choice), _columns(choice), atol=5e-4)


def test_in_mmcif_a_free_amino_acid_is_no_polymer(tmp_path: Path):
    lines = [*PEPTIDE, "TER\n", *_residue(310, residue="GLY", record="HETATM", x=50.0)]
    structure = gemmi.read_pdb_string(_model(*lines) + _model(*lines, number=2))
    structure.setup_entities()
    path = tmp_path / "input.cif"
    path.write_text(structure.make_mmcif_document().as_string())
    assert read_models(path).shape == (2, 3, 3)


@pytest.mark.parametrize(
    "text",
    [
        _model(*THREE) * 2,
        _model(*THREE, "TER\n") + "CONECT    1    2\nEND\n" + _model(*THREE, number=2),
        "".join(THREE) + "END\n" + "".join(THREE) + "END\n",
        "".join(THREE) + "ENDMDL\n" + "".join(THREE) + "ENDMDL\n",
        (_model(*THREE) * 2).replace("\n", "\r\n"),
        "\n" + _model(*THREE) * 2,
        "REMARK caf\xe9\n" + _model(*THREE) * 2,
        "".join(line[:54] + "\n" for line in (_model(*THREE) * 2).splitlines()),
        "".join(line[:72].ljust(72) + "1ABC  42\n" for line in (_model(*THREE) * 2).splitlines()),
        (_model(*THREE) * 2).replace(" CA  ALA", "CA   ALA"),
        gzip.compress(_model(*THREE).encode() * 2, mtime=0),
        _model(*THREE, _atom(4, "CA  ", "CA", record="HETATM", residue="CA")) * 2,
        _model(*THREE[:2], _atom(3, alt="A"), _atom(3, alt="B", x=9.0)) * 2,
        _model(_atom(1), _atom(2), _atom(3, record="HETATM")) * 2,
    ],
)
def test_dialects_of_the_format_are_read(tmp_path: Path, text: str | bytes):
    models = read_models(_file(tmp_path, text))
    np.testing.assert_array_equal(models, [[[1, 2, 1], [1, 2, 2], [1, 2, 3]]] * 2)


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "no ATOM or MODEL records; this is no PDB, mmCIF or mmJSON file"),
        ("Dear all,\nplease find attached ...\n", "this is no PDB"),
        (b"\x00\x01\xff" * 1000, "this is no PDB"),
        ("data_2JUY\n_entry.id 2JUY\n", "no atoms in this mmCIF file"),
        ("data_2JUY\nloop_\n_atom_site.id\n1 2 'x\n", "this is no good mmCIF file"),
        ('{"model": 1}', "this is no good mmJSON file"),
        (_model(*THREE), "only one model"),
        ("".join(THREE), "only one model"),
        (_model() + _model(number=2), "model 1 has no C-alpha atoms"),
        (_model(_atom(1, "CA  ", "CA", residue="CA", record="HETATM")) * 2, "no C-alpha atoms"),
        (_model(_atom(1)[:30] + "   here be dragons      ") * 2, "line 2: no coordinates in columns 31 to 54"),
        (_model(_atom(1, x=float("nan"))) * 2, "line 2: coordinates are not finite"),
        (_model(_atom(1)[:40]) * 2, "no coordinates"),
        (gzip.compress(_model(*THREE).encode() * 2, mtime=0)[:-12], "damaged or cut off"),
        (gzip.compress(_model(*THREE).encode() * 2, mtime=0)[:-6] + b"\0" * 6, "damaged or cut off"),
        (bz2.compress(_model(*THREE).encode() * 2)[:-12], "damaged or cut off"),
        (b"BZh9" + bytes(100), "damaged or cut off"),
        (lzma.compress(_model(*THREE).encode() * 2)[:-12], "damaged or cut off"),
    ],
)
def test_a_file_that_will_not_do_is_refused_with_the_reason(tmp_path: Path, text: str | bytes, message: str):
    with pytest.raises(PDBError, match=message) as caught:
        read_models(_file(tmp_path, text))
    assert "input.pdb" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match=r"nothing\.pdb"):
        read_models(tmp_path / "nothing.pdb")


def test_without_gemmi_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "gemmi", None)
    with pytest.raises(PDBError, match=r"gemmi .*: pip install gemmi$") as caught:
        read_models(example_file())
    assert "\n" not in str(caught.value)


def test_the_memory_of_a_long_file_is_that_of_its_coordinates(tmp_path: Path):
    import tracemalloc

    text = _model(*PEPTIDE)
    path = tmp_path / "long.pdb"
    many = [line for number in range(1, 101) for line in _residue(number)]
    path.write_text("".join(_model(*many, number=n) for n in range(1, 201)))
    read_models(_file(tmp_path, text * 2), "all")  # what is loaded once
    tracemalloc.start()
    try:
        models = read_models(path, "all")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert models.shape == (200, 400, 3)
    # the text would be three times as much
    assert peak < 2.5 * models.nbytes + 1e6
