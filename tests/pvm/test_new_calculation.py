"""What ``biskit-pvm new`` writes runs as it is."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from biskit_pvm.cli.scaffold import ScaffoldError, write_calculation

from ..support.vm import VirtualMachine


def _new(vm: VirtualMachine, folder: Path, *args: str, **options: object):  # type: ignore[no-untyped-def]
    return vm.run([sys.executable, "-m", "biskit_pvm", "new", *args], cwd=folder, **options)


def test_the_written_calculation_runs(vm: VirtualMachine, tmp_path: Path):
    said = _new(vm, tmp_path, "my_folding").stdout
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "my_folding_master.py",
        "my_folding_slave.py",
        "test_my_folding.py",
    ]
    assert "run it:   python my_folding_master.py" in said
    done = vm.run([sys.executable, "my_folding_master.py"], cwd=tmp_path, timeout=60)
    assert f"100 results, their sum is {sum(i**2 for i in range(100))}" in done.stdout


def test_the_written_test_passes_and_can_fail(vm: VirtualMachine, tmp_path: Path):
    _new(vm, tmp_path, "folding", "-d", "sub/folder")
    folder = tmp_path / "sub" / "folder"
    pytest_ = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)]
    assert "1 passed" in vm.run(pytest_, cwd=folder, timeout=90).stdout
    slave = folder / "folding_slave.py"
    slave.write_text(slave.read_text().replace("item**self", "item + self"))
    assert "1 failed" in vm.run(pytest_, cwd=folder, timeout=90, check=False).stdout


def test_nothing_is_overwritten(tmp_path: Path):
    (tmp_path / "folding_slave.py").write_text("mine")
    with pytest.raises(ScaffoldError, match=r"will not overwrite .*folding_slave\.py"):
        write_calculation("folding", tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["folding_slave.py"]
    assert (tmp_path / "folding_slave.py").read_text() == "mine"


@pytest.mark.parametrize(
    "name", ["", "two words", "1st", "class", "a-b", "../evil", "f\N{LATIN SMALL LETTER U WITH DIAERESIS}r"]
)
def test_a_name_that_is_no_module_is_refused(tmp_path: Path, name: str):
    with pytest.raises(ScaffoldError, match="letters, digits and underscores"):
        write_calculation(name, tmp_path)
    assert list(tmp_path.iterdir()) == []
