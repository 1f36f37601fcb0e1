"""The arithmetic of the worked example and its reader, compared with those of gemmi."""

from __future__ import annotations

import gzip
from pathlib import Path

import gemmi
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from biskit_pvm.rmsd import PDBError, example_file, kabsch, pairwise_rmsd, read_models
from biskit_pvm.rmsd.blocks import block_edge, blocks

#: atoms per model of 2JUY; its residue 24 is a methionine sulphoxide, written as HETATM
ATOMS = {"ca": 28, "backbone": 112, "all": 392}


def _gemmi_models(choice: str) -> list[list[gemmi.Position]]:
    names = {"ca": ("CA",), "backbone": ("N", "CA", "C", "O")}.get(choice)
    structure = gemmi.read_pdb(example_file())
    return [
        [atom.pos for chain in model for residue in chain for atom in residue if not names or atom.name in names]
        for model in structure
    ]


@pytest.mark.parametrize("choice", ATOMS)
def test_the_reader_agrees_with_gemmi(choice: str):
    models = read_models(example_file(), choice)
    assert models.shape == (24, ATOMS[choice], 3)
    np.testing.assert_array_equal(models, [[p.tolist() for p in model] for model in _gemmi_models(choice)])


@pytest.mark.parametrize("choice", ATOMS)
def test_the_rmsd_agrees_with_gemmi(choice: str):
    models = _gemmi_models(choice)
    matrix = pairwise_rmsd(read_models(example_file(), choice))
    expected = [[gemmi.superpose_positions(a, b).rmsd if a is not b else 0.0 for b in models] for a in models]
    np.testing.assert_allclose(matrix, expected, atol=1e-6)


def _rotation(rng: np.random.Generator) -> np.ndarray:
    q, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    return q * np.sign(np.linalg.det(q))


@given(st.integers(0, 2**32 - 1), st.integers(1, 60), st.sampled_from([1.0, 100.0, 1e4]))
def test_a_moved_copy_has_no_deviation(seed: int, atoms: int, size: float):
    rng = np.random.default_rng(seed)
    model = rng.normal(size=(atoms, 3)) * size
    moved = model @ _rotation(rng) + rng.normal(size=3) * size
    assert pairwise_rmsd([model, moved])[0, 1] < 1e-11 * size


@given(st.integers(0, 2**32 - 1), st.floats(1e-9, 1e-2))
def test_small_deviations_keep_their_digits(seed: int, shift: float):
    # Points on three axes, one pair stretched by a known amount: the best superposition is the
    # given one.
    model = np.array([[1, 0, 0], [-1, 0, 0], [0, 2, 0], [0, -2, 0], [0, 0, 3], [0, 0, -3]]) * 50.0
    other = model.copy()
    other[0, 0] += shift
    other[1, 0] -= shift
    rng = np.random.default_rng(seed)
    found = pairwise_rmsd([model, other @ _rotation(rng)])[0, 1]
    assert found == pytest.approx(shift * np.sqrt(2 / 6), rel=1e-5, abs=1e-12)


def test_a_mirror_image_is_not_superposed():
    rng = np.random.default_rng(1)
    model = rng.normal(size=(20, 3))
    assert pairwise_rmsd([model, model * [1, 1, -1]])[0, 1] > 0.1


@pytest.mark.parametrize("dimensions", [0, 1, 2])
def test_points_in_a_plane_or_on_a_line_are_fine(dimensions: int):
    rng = np.random.default_rng(2)
    model = rng.normal(size=(10, 3))
    model[:, dimensions:] = 0
    assert pairwise_rmsd([model, model @ _rotation(rng)])[0, 1] < 1e-12


def test_small_batches_give_the_same(monkeypatch: pytest.MonkeyPatch):
    models = read_models(example_file())
    expected = pairwise_rmsd(models)
    monkeypatch.setattr(kabsch, "_BATCH_BYTES", 1)
    np.testing.assert_allclose(pairwise_rmsd(models), expected, atol=1e-12)


@pytest.mark.parametrize("shape", [(3,), (4, 3), (2, 5, 2), (2, 0, 3)])
def test_other_shapes_are_refused(shape: tuple[int, ...]):
    with pytest.raises(ValueError, match="shape"):
        pairwise_rmsd(np.zeros(shape))


@given(st.integers(1, 80), st.integers(1, 30))
def test_blocks_cover_every_pair_once(models: int, edge: int):
    seen = np.zeros((models, models), int)
    for (top, bottom), (left, right) in blocks(models, edge).values():
        seen[top:bottom, left:right] += 1
    assert (np.triu(seen) == np.triu(np.ones_like(seen))).all()
    assert seen.max() == 1


@given(st.integers(2, 100_000), st.integers(0, 100))
def test_blocks_are_neither_too_few_nor_too_large(models: int, slaves: int):
    edge = block_edge(models, slaves)
    assert 1 <= edge <= 256
    along = -(-models // edge)
    assert along * (along + 1) // 2 >= min(16 * max(1, slaves), models * (models + 1) // 2)


ATOM = "{record:<6}{0:5d} {name:<4}{alt:1}{residue:>3} {chain:1}{number:4d}    {x:8.3f}{y:8.3f}{z:8.3f}  1.00  0.00"


def _atom(number: int, name: str = " CA ", element: str = "C", **fields: object) -> str:
    values = {
        "record": "ATOM",
        "alt": "",
        "residue": "ALA",
        "chain": "A",
        "x": 1.0,
        "y": 2.0,
        "z": number,
        **fields,
    }
    return ATOM.format(number, name=name, number=number, **values).ljust(76) + f"{element:>2}\n"


def _model(*atoms: str, number: int = 1) -> str:
    return f"MODEL     {number:4d}\n{''.join(atoms)}ENDMDL\n"


def _file(folder: Path, text: str | bytes) -> Path:
    path = folder / "input.pdb"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


THREE = [_atom(1), _atom(2), _atom(3)]


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "no ATOM or MODEL records; this is no PDB file"),
        ("Dear all,\nplease find attached ...\n", "this is no PDB file"),
        (b"\x00\x01\xff" * 1000, "this is no PDB file"),
        ("data_2JUY\n_entry.id 2JUY\n", "this is an mmCIF file"),
        (_model(*THREE), "only one model"),
        ("".join(THREE), "only one model"),
        (_model(*THREE) + _model(*THREE[:2], number=2), "3 C-alpha atoms in model 1, 2 in model 2"),
        (
            _model(*THREE) + _model(_atom(1), _atom(2), _atom(4), number=7),
            "model 1 has CA of ALA A3, model 7 has",
        ),
        (_model() + _model(number=2), "model 1 has no C-alpha atoms"),
        (_model(_atom(1, "CA  ", "CA")) * 2, "no C-alpha atoms"),
        (
            _model(_atom(1)[:30] + "   here be dragons      ") * 2,
            "line 2: no coordinates in columns 31 to 54",
        ),
        (_model(_atom(1, x=float("nan"))) * 2, "line 2: coordinates are not finite"),
        (_model(_atom(1)[:40]) * 2, "no coordinates"),
        (gzip.compress(_model(*THREE).encode() * 2)[:-12], "damaged or cut off"),
        (gzip.compress(_model(*THREE).encode() * 2)[:-6] + b"\0" * 6, "damaged or cut off"),
    ],
)
def test_a_file_that_will_not_do_is_refused_with_the_reason(tmp_path: Path, text: str | bytes, message: str):
    with pytest.raises(PDBError, match=message) as caught:
        read_models(_file(tmp_path, text))
    assert "input.pdb" in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        _model(*THREE) * 2,
        _model(*THREE, "TER\n") + "CONECT    1    2\nEND\n" + _model(*THREE, number=2),
        "".join(THREE) + "END\n" + "".join(THREE) + "END\n",
        "".join(THREE) + "ENDMDL\n" + "".join(THREE) + "ENDMDL\n",
        (_model(*THREE) * 2).replace("\n", "\r\n"),
        "".join(line[:54] + "\n" for line in (_model(*THREE) * 2).splitlines()),
        gzip.compress(_model(*THREE).encode() * 2),
        _model(*THREE, _atom(4, "CA  ", "CA", record="HETATM", residue="CA")) * 2,
        _model(*THREE[:2], _atom(3, alt="A"), _atom(3, alt="B", x=9.0)) * 2,
        _model(_atom(1), _atom(2), _atom(3, record="HETATM")) * 2,
    ],
)
def test_dialects_of_the_format_are_read(tmp_path: Path, text: str | bytes):
    models = read_models(_file(tmp_path, text))
    np.testing.assert_array_equal(models, [[[1, 2, 1], [1, 2, 2], [1, 2, 3]]] * 2)


def test_other_atoms_are_refused():
    with pytest.raises(ValueError, match="'ca', 'backbone', 'all'"):
        read_models(example_file(), "heavy")


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match=r"nothing\.pdb"):
        read_models(tmp_path / "nothing.pdb")
