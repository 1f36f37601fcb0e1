"""The worked example on real slaves."""

from __future__ import annotations

import gzip
import json
import re
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from biskit_pvm.rmsd import example_file, pairwise_rmsd, read_models

from ..support.vm import VirtualMachine

COMMAND = [sys.executable, "-m", "biskit_pvm", "example", "rmsd"]


def _run(vm: VirtualMachine, folder: Path, *options: str, **more: Any) -> Any:
    return vm.run([*COMMAND, *options], cwd=folder, timeout=90, **more)


@pytest.mark.parametrize("atoms", ["ca", "backbone", "all"])
def test_the_matrix_equals_a_direct_calculation(vm: VirtualMachine, tmp_path: Path, atoms: str):
    _run(vm, tmp_path, "--atoms", atoms, "--slaves", "3", "--output", "out")
    expected = pairwise_rmsd(read_models(example_file(), atoms))
    np.testing.assert_allclose(np.load(tmp_path / "out.npy"), expected, rtol=0, atol=1e-6)
    assert (tmp_path / "out.png").read_bytes().startswith(b"\x89PNG")


def test_it_tells_progress_hosts_times_and_figures(vm: VirtualMachine, tmp_path: Path):
    text = _run(vm, tmp_path, "--slaves", "2").stdout
    assert "2juy: 24 models of 28 atoms, C-alpha only" in text
    assert re.search(r"Processing \d+ items", text)
    assert re.search(r"host +\tgiven\tdone\t  time", text)
    assert len(re.findall(r"^\S+_[01] +\t\d+\t\d+\t +\d+\.\d\d s$", text, re.M)) == 2
    values = pairwise_rmsd(read_models(example_file()))[np.triu_indices(24, 1)]
    assert f"RMSD of 276 pairs: mean {values.mean():.3f} A, spread {values.std():.3f} A" in text
    assert "wrote 2juy_rmsd.npy and 2juy_rmsd.png" in text


def test_quiet_json_is_nothing_but_json(vm: VirtualMachine, tmp_path: Path):
    done = _run(vm, tmp_path, "--slaves", "2", "--json", "--no-picture")
    figures = json.loads(done.stdout)
    assert (figures["models"], figures["atoms"], figures["slaves"]) == (24, 28, 2)
    assert figures["files"] == ["2juy_rmsd.npy"]
    assert not (tmp_path / "2juy_rmsd.png").exists()


def test_another_file_is_taken(vm: VirtualMachine, tmp_path: Path):
    lines = gzip.open(example_file(), "rt").readlines()
    end = [i for i, line in enumerate(lines) if line.startswith("ENDMDL")][2]
    (tmp_path / "three.pdb").write_text("".join(lines[: end + 1]))
    figures = json.loads(_run(vm, tmp_path, "three.pdb", "--slaves", "1", "--json").stdout)
    assert (figures["models"], figures["pairs"]) == (3, 3)
    assert figures["files"] == ["three_rmsd.npy", "three_rmsd.png"]


def _ensemble(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text)
    return name


def _first_models(models: int) -> str:
    lines = gzip.open(example_file(), "rt").readlines()
    end = [i for i, line in enumerate(lines) if line.startswith("ENDMDL")][models - 1]
    return "".join(lines[: end + 1])


def test_dots_in_a_name_keep_results_apart(vm: VirtualMachine, tmp_path: Path):
    for name, models in (("traj.run1.pdb", 3), ("traj.run2.pdb", 4)):
        _run(vm, tmp_path, _ensemble(tmp_path, name, _first_models(models)), "--no-picture", "-q")
    found = {path.name: len(np.load(path)) for path in tmp_path.glob("*.npy")}
    assert found == {"traj.run1_rmsd.npy": 3, "traj.run2_rmsd.npy": 4}


def test_standard_input_is_read(vm: VirtualMachine, tmp_path: Path):
    done = _run(vm, tmp_path, "-", "--json", "--no-picture", input=_first_models(3))
    assert json.loads(done.stdout)["models"] == 3
    assert (tmp_path / "stdin_rmsd.npy").exists()


def test_models_that_differ_need_a_word(vm: VirtualMachine, tmp_path: Path):
    text = _first_models(3)
    first_end = text.index("ENDMDL")
    cut = text[: text.rindex("ATOM", 0, first_end)] + text[first_end:]  # the last atom of model 1, an H
    lacking = [line for line in cut.splitlines(True) if not (line[12:16] == " CA " and line[22:26] == "   5")]
    lacking = lacking + _first_models(1).replace("MODEL        1", "MODEL        9").splitlines(True)
    name = _ensemble(tmp_path, "m.pdb", "".join(lacking))
    done = _run(vm, tmp_path, name, "-q", check=False)
    assert done.returncode == 1
    assert re.fullmatch(
        r"Error: m\.pdb: the models differ: model 9 has CA of \w+ A5, model 1 has not; --common .*\n", done.stderr
    )
    text = _run(vm, tmp_path, name, "-q", "--common", "--no-picture").stdout
    assert "4 models of 27 atoms" in text
    assert "1 atom left out, which not all models have" in text


def test_an_output_that_cannot_be_written_costs_no_work(vm: VirtualMachine, tmp_path: Path):
    done = _run(vm, tmp_path, "--output", "no/such/x", check=False)
    assert done.returncode == 1
    assert done.stderr == "Error: no/such: no such folder for the output\n"
    assert done.stdout == ""


def test_table_and_order_of_clusters(vm: VirtualMachine, tmp_path: Path):
    done = _run(vm, tmp_path, "--csv", "--order", "cluster", "--json", "--output", "out")
    figures = json.loads(done.stdout)
    assert figures["files"] == ["out.npy", "out.png", "out.csv"]
    assert sorted(figures["order"]) == list(range(1, 25))
    rows = [line.split(",") for line in (tmp_path / "out.csv").read_text().splitlines()]
    assert rows[0] == ["model", *map(str, figures["order"])]
    matrix = np.load(tmp_path / "out.npy")  # which stays as the input is
    at = [number - 1 for number in figures["order"]]
    np.testing.assert_allclose([[float(x) for x in row[1:]] for row in rows[1:]], matrix[np.ix_(at, at)], atol=5e-5)
    np.testing.assert_allclose(matrix, pairwise_rmsd(read_models(example_file())), atol=1e-6)


def test_coordinates_may_come_block_by_block(vm: VirtualMachine, tmp_path: Path):
    # What is done with a trajectory that no slave shall hold as a whole.
    program = tmp_path / "program.py"
    program.write_text(
        "import numpy as np\n"
        "from biskit_pvm.hosts import cpus_all\n"
        "from biskit_pvm.rmsd import pairwise_rmsd, RmsdMaster, master\n"
        "from biskit_pvm.rmsd.frames import FramesOnDisk\n"
        "master.ALL_AT_ONCE = 0\n"
        "xyz = np.random.default_rng(0).normal(size=(50, 20, 3)).astype(np.float32)\n"
        "frames = FramesOnDisk(20)\n"
        "for frame in xyz:\n"
        "    frames.append(frame)\n"
        "found = RmsdMaster(frames, cpus_all[:1] * 2, edge=7, verbose=0).calculateResult()\n"
        "print(abs(found - pairwise_rmsd(xyz)).max())\n"
    )
    done = vm.run([sys.executable, str(program)], cwd=tmp_path)
    assert float(done.stdout.split()[-1]) < 1e-9


@pytest.mark.parametrize("kind", ["xtc", "trr", "dcd", "nc"])
def test_frames_of_a_trajectory_are_compared(vm: VirtualMachine, tmp_path: Path, kind: str):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import MDAnalysis

        _ensemble(tmp_path, "top.pdb", gzip.open(example_file(), "rt").read())
        universe = MDAnalysis.Universe(str(tmp_path / "top.pdb"))
        universe.atoms.write(str(tmp_path / f"run.1.{kind}"), frames="all")
    done = _run(
        vm, tmp_path, f"run.1.{kind}", "--topology", "top.pdb", "--frames", "2:20:3", "--json", "--atoms", "backbone"
    )
    figures = json.loads(done.stdout)
    # MDAnalysis does not take methionine sulphoxide for an amino acid.
    assert (figures["frames"], figures["atoms"]) == (6, 108)
    assert figures["files"] == ["run.1_rmsd.npy", "run.1_rmsd.png"]
    assert figures["smallest_pair"][0] in range(2, 20, 3)
    models = read_models(example_file(), "//*/(!SME)/N,CA,C,O")[2:20:3]
    np.testing.assert_allclose(
        np.load(tmp_path / "run.1_rmsd.npy"), pairwise_rmsd(models), atol=2e-2 if kind == "xtc" else 1e-4
    )


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["run.xtc"], "run.xtc: a trajectory needs --topology, a file with the names of its atoms"),
        (["run.xtc", "--topology", "top.pdb"], "run.xtc: MDAnalysis says: .*"),
        (["top.pdb", "--topology", "top.pdb", "--frames", ":1"], "top.pdb: 1 frame; at least two are needed"),
        (["top.pdb", "--topology", "top.pdb", "--atoms", "name XX"], "top.pdb: no atoms of the selection name XX"),
        (["top.pdb", "--topology", "top.pdb", "--atoms", "junk (("], "top.pdb: MDAnalysis says: .*"),
        (["top.pdb", "--frames", "::2"], "--frames is for trajectories, which need --topology"),
    ],
)
def test_a_trajectory_that_will_not_do_gets_an_explanation(
    vm: VirtualMachine, tmp_path: Path, arguments: list[str], message: str
):
    (tmp_path / "run.xtc").write_bytes(b"no trajectory")
    _ensemble(tmp_path, "top.pdb", _first_models(3))
    done = _run(vm, tmp_path, *arguments, check=False)
    assert done.returncode == 1
    assert re.fullmatch(rf"Error: {message}\n", done.stderr), done.stderr


@pytest.mark.parametrize(
    "module, arguments, message",
    [
        ("gemmi", [], r"structures are read by gemmi \(.*\): pip install gemmi"),
        (
            "MDAnalysis",
            ["top.pdb", "--topology", "top.pdb"],
            r"trajectories are read by MDAnalysis \(.*\): pip install MDAnalysis",
        ),
        ("scipy", ["--order", "cluster"], r"the order of clusters is computed by scipy \(.*\): pip install scipy"),
    ],
)
def test_what_is_not_installed_is_told_in_one_line(
    vm: VirtualMachine, tmp_path: Path, module: str, arguments: list[str], message: str
):
    (tmp_path / f"{module}.py").write_text("raise ImportError('not here')\n")
    _ensemble(tmp_path, "top.pdb", _first_models(2))
    done = _run(vm, tmp_path, *arguments, check=False, env={**vm.env, "PYTHONPATH": str(tmp_path)})
    assert done.returncode == 1
    assert re.fullmatch(rf"Error: {message}\n", done.stderr), done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    "content, message",
    [
        (b"hello\n", "this is no PDB, mmCIF or mmJSON file"),
        (b"MODEL 1\nENDMDL\n", "only one model"),
        (b"\x1f\x8bbroken", "damaged or cut off"),
    ],
)
def test_a_file_that_will_not_do_gets_an_explanation(vm: VirtualMachine, tmp_path: Path, content: bytes, message: str):
    (tmp_path / "input.pdb").write_bytes(content)
    done = _run(vm, tmp_path, "input.pdb", check=False)
    assert done.returncode == 1
    assert re.fullmatch(rf"Error: input\.pdb: .*{message}.*\n", done.stderr)


def test_a_host_that_is_not_there_ends_it_with_the_reason(vm: VirtualMachine, tmp_path: Path):
    done = _run(vm, tmp_path, "--host", "no-such-host.invalid", "--quiet", check=False)
    assert done.returncode == 1
    assert "Error: " in done.stderr
    assert "no-such-host.invalid" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_matplotlib_the_matrix_is_saved_all_the_same(vm: VirtualMachine, tmp_path: Path):
    (tmp_path / "matplotlib.py").write_text("raise ImportError('not here')\n")
    env = {**vm.env, "PYTHONPATH": str(tmp_path)}
    text = _run(vm, tmp_path, "--slaves", "1", env=env).stdout
    assert "no picture: pictures need matplotlib" in text
    assert "pip install matplotlib" in text
    assert "wrote 2juy_rmsd.npy\n" in text
