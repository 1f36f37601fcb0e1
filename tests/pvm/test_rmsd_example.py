"""The worked example on real slaves."""

from __future__ import annotations

import gzip
import json
import re
import sys
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


@pytest.mark.parametrize(
    "content, message",
    [
        (b"hello\n", "this is no PDB file"),
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
