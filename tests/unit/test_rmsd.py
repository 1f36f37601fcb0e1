"""The arithmetic of the worked example, its blocks and its figures."""

from __future__ import annotations

import csv
from pathlib import Path

import gemmi
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from biskit_pvm.rmsd import PDBError, example_file, kabsch, pairwise_rmsd, read_models
from biskit_pvm.rmsd.blocks import block_edge, blocks
from biskit_pvm.rmsd.example import check_output, stem
from biskit_pvm.rmsd.frames import Frames, FramesOnDisk
from biskit_pvm.rmsd.matrix import cluster_order, small, summarise, write_csv

# ---------------------------------------------------------------------- arithmetic


@pytest.mark.parametrize("choice", ["ca", "backbone", "all"])
def test_the_rmsd_agrees_with_gemmi(choice: str):
    models = read_models(example_file(), choice)
    positions = [[gemmi.Position(*atom) for atom in model] for model in models]
    expected = [[gemmi.superpose_positions(a, b).rmsd if a is not b else 0.0 for b in positions] for a in positions]
    np.testing.assert_allclose(pairwise_rmsd(models), expected, atol=1e-6)


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
    monkeypatch.setattr(kabsch, "_BATCH", 1)
    np.testing.assert_allclose(pairwise_rmsd(models), expected, atol=1e-12)


def _by_hand(a: np.ndarray, b: np.ndarray) -> float:
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    u, _, vt = np.linalg.svd(a.T @ b)
    rotation = u @ np.diag([1, 1, np.linalg.det(u @ vt)]) @ vt
    return float(np.sqrt(((a @ rotation - b) ** 2).sum() / len(a)))


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.floats(0, 1), st.floats(0, 1), st.floats(1e-3, 3))
def test_any_shape_gives_what_singular_values_give(seed: int, atoms: int, width: float, depth: float, noise: float):
    # From rods over discs to balls: where two singular values are small the polynomial has two
    # roots beside each other.
    rng = np.random.default_rng(seed)
    shape = rng.normal(size=(atoms, 3)) * [30, 30 * width, 30 * width * depth]
    models = np.array(
        [shape @ _rotation(rng) * rng.choice([1, -1]) + rng.normal(size=(atoms, 3)) * noise for _ in "abc"]
    )
    expected = [[_by_hand(a, b) for b in models] for a in models]
    np.testing.assert_allclose(pairwise_rmsd(models), expected, rtol=1e-7, atol=1e-10)


@given(st.integers(1, 40), st.integers(1, 40))
def test_a_block_upon_itself_is_the_upper_half(models: int, batch: int):
    rng = np.random.default_rng(models)
    a = kabsch.centred(rng.normal(size=(models, 7, 3)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kabsch, "_BATCH", batch)
        np.testing.assert_allclose(np.triu(kabsch.rmsd_block(a, a)), np.triu(kabsch.rmsd_block(a, a.copy())), atol=1e-7)


def test_what_was_given_is_not_moved():
    given_ = np.arange(24.0).reshape(2, 4, 3)
    pairwise_rmsd(given_)
    assert (given_ == np.arange(24.0).reshape(2, 4, 3)).all()


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
    assert 1 <= edge <= 512
    along = -(-models // edge)
    assert along * (along + 1) // 2 >= min(16 * max(1, slaves), models * (models + 1) // 2)


# ------------------------------------------------------------------ where frames are


@given(st.integers(1, 9), st.integers(1, 5), st.integers(0, 9), st.integers(0, 9))
def test_frames_on_disk_are_those_that_were_put_there(frames: int, atoms: int, start: int, length: int):
    xyz = np.random.default_rng(frames).normal(size=(frames, atoms, 3)).astype(np.float32)
    disk = FramesOnDisk(atoms)
    for frame in xyz:
        disk.append(frame)
    start = min(start, frames)
    np.testing.assert_array_equal(disk.block(start, start + length), xyz[start : start + length])
    assert (len(disk), disk.nbytes, disk.atoms) == (frames, xyz.nbytes, atoms)


def test_frames_on_disk_leave_no_file(tmp_path: Path):
    disk = FramesOnDisk(3, str(tmp_path))
    disk.append(np.zeros((3, 3)))
    assert disk.block(0, 1).shape == (1, 3, 3)
    assert list(tmp_path.iterdir()) == []


def test_frames_in_memory_are_not_copied():
    xyz = np.zeros((4, 5, 3))
    frames = Frames(xyz)
    assert frames.block(1, 3).base is xyz
    assert (len(frames), frames.atoms, frames.nbytes) == (4, 5, xyz.nbytes)


# -------------------------------------------------------------------- what is told


def _matrix(models: int) -> np.ndarray:
    return pairwise_rmsd(np.random.default_rng(models).normal(size=(models, 6, 3)))


@given(st.integers(2, 30))
def test_the_summary_is_that_of_all_pairs(models: int):
    matrix = _matrix(models)
    numbers = [10 * i + 7 for i in range(models)]
    values = matrix[np.triu_indices(models, 1)]
    found = summarise(matrix, numbers)
    assert found.pairs == len(values)
    expected = [values.mean(), values.std(), values.min(), values.max()]
    np.testing.assert_allclose([found.mean, found.spread, found.smallest, found.largest], expected)
    for value, pair in ((found.smallest, found.smallest_pair), (found.largest, found.largest_pair)):
        assert matrix[numbers.index(pair[0]), numbers.index(pair[1])] == value


def test_similar_models_stand_together():
    rng = np.random.default_rng(3)
    kinds = rng.normal(size=(3, 20, 3)) * 10
    which = [0, 1, 2, 1, 0, 2, 2, 0, 1]
    order = cluster_order(pairwise_rmsd([kinds[k] + rng.normal(size=(20, 3)) for k in which]))
    assert sorted(order) == list(range(9))
    found = [which[i] for i in order]
    assert sum(a != b for a, b in zip(found, found[1:])) == 2


def test_the_table_has_the_numbers_of_the_models(tmp_path: Path):
    matrix = _matrix(3)
    write_csv(matrix, tmp_path / "m.csv", [5, 7, 9], [2, 0, 1])
    rows = list(csv.reader((tmp_path / "m.csv").read_text().splitlines()))
    assert rows[0] == ["model", "9", "5", "7"]
    assert [row[0] for row in rows[1:]] == ["9", "5", "7"]
    found = [[float(value) for value in row[1:]] for row in rows[1:]]
    np.testing.assert_allclose(found, matrix[np.ix_([2, 0, 1], [2, 0, 1])], atol=5e-5)


@given(st.integers(2, 40), st.integers(1, 40))
def test_a_picture_is_small_and_true(models: int, edge: int):
    matrix = _matrix(models)
    order = list(np.random.default_rng(edge).permutation(models))
    points = small(matrix, order, edge)
    every = -(-models // edge)
    assert len(points) <= edge
    sorted_ = matrix[np.ix_(order, order)]
    for i in range(len(points)):
        for j in range(len(points)):
            tile = sorted_[i * every : (i + 1) * every, j * every : (j + 1) * every]
            assert points[i, j] == pytest.approx(tile.mean())


@pytest.mark.parametrize(
    "path, name",
    [
        ("traj.run1.pdb", "traj.run1"),
        ("/a/b/2juy.pdb.gz", "2juy"),
        ("m.cif.xz", "m"),
        ("run.2.xtc", "run.2"),
        ("plain", "plain"),
        (".pdb", ".pdb"),
        ("-", "stdin"),
        ("/dev/null", "pipe"),
    ],
)
def test_results_are_named_after_the_input(path: str, name: str):
    assert stem(path) == name


def test_an_output_that_cannot_be_written_is_told_before_the_work(tmp_path: Path):
    (tmp_path / "taken.npy").mkdir()
    for output, message in ((tmp_path / "no" / "x", "no such folder"), (tmp_path / "taken", "a folder")):
        with pytest.raises(PDBError, match=message):
            check_output(str(output), ["npy"])
    with pytest.raises(PDBError, match="needs a name"):
        check_output(f"{tmp_path}/", ["npy"])
    assert check_output("x.npy", ["npy", "png"]) == {"npy": "x.npy", "png": "x.png"}
