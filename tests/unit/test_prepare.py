"""What bin/demo and bin/test set up, and when; programs that would take time are stand-ins."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

BIN = Path(__file__).parents[2] / "bin"


class Clone:
    """The part of a clone that sets things up, in a folder whose name has a space."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "my clone"
        (self.root / "bin").mkdir(parents=True)
        (self.root / "build").mkdir()
        for name in ("prepare.sh", "packages"):
            shutil.copy(BIN / name, self.root / "bin")
        self.tools = folder / "tools"
        self.tools.mkdir()
        self.env = {**os.environ, "PATH": f"{self.tools}:{os.environ['PATH']}", "PYTHON": sys.executable}

    def tool(self, name: str, text: str) -> None:
        (self.tools / name).write_text(f"#!/bin/sh\n{text}\n")
        (self.tools / name).chmod(0o755)

    def start(self, script: str) -> subprocess.Popen[str]:
        command = ["sh", "-euc", f'. "{self.root}/bin/prepare.sh"\n{script}', f"{self.root}/bin/demo"]
        return subprocess.Popen(command, env=self.env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def run(self, script: str) -> str:
        with self.start(script) as process:
            said, _ = process.communicate(timeout=60)
        assert process.returncode == 0, said
        return said


@pytest.fixture
def clone(tmp_path):
    return Clone(tmp_path)


def test_the_name_that_apt_has_is_taken(clone):
    known = 'case $2 in old|both) echo "  Candidate: 1" ;; virtual) echo "  Candidate: (none)" ;; esac'
    clone.tool("apt-cache", known)
    assert clone.run('known_to_apt "new|old both none|nor-this virtual" keep') == " old both none virtual"
    assert clone.run('known_to_apt "new|old both none|nor-this virtual" drop') == " old both"


def test_each_line_of_the_packages_is_a_package_and_a_test():
    for line in (BIN / "packages").read_text().splitlines():
        if line.startswith("#"):
            continue
        who, package, test = line.split(maxsplit=2)
        assert who in ("all", "test") and package and subprocess.run(["sh", "-nc", test]).returncode == 0, line


def test_two_at_once_set_up_once_one_after_the_other(clone):
    script = """
lacking() { :; }
prepared() { [ -e "$ROOT/done" ]; }
set_up() { echo begin >> "$ROOT/log"; sleep 0.3; echo end >> "$ROOT/log"; touch "$ROOT/done"; }
prepare plot
"""
    processes = [clone.start(script) for _ in range(4)]
    said = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, said
    assert (clone.root / "log").read_text() == "begin\nend\n"


def test_what_is_started_does_not_hold_the_lock(clone):
    # as a server does that a package starts when it is installed
    script = 'lock; quietly sh -c \'sleep 30 > /dev/null 2>&1 & echo $! > "$1"\' sh "$ROOT/pid"'
    clone.run(script)
    try:
        assert clone.run("lock") == ""
    finally:
        os.kill(int((clone.root / "pid").read_text()), 9)


def test_a_clone_that_cannot_be_written_to_is_named(clone):
    (clone.root / "build" / "prepare.lock").mkdir()  # root can write to everything else
    with clone.start("lock") as process:
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert f"{clone.root} cannot be written to" in said and "a clone of your own" in said
    assert "prepare.sh" not in said


def test_another_python_gets_another_environment(clone):
    record = """
cd "$ROOT"; mkdir -p vendor pvm_ext; touch pyproject.toml
quietly() { echo "$1 ${2-} ${3-}" >> log; }
state() { echo state; }
PVM_ROOT=/somewhere
"""
    venv = clone.root / ".venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    (venv / "kept").touch()
    # stands for one that has pip, as an environment has that was made with it
    (venv / "lib" / f"python3.{sys.version_info[1]}" / "site-packages" / "pip.py").touch()
    assert clone.run('identity "$PYTHON"') == clone.run('identity "$VENV/bin/python"')
    (clone.root / "pyproject.toml").write_text("requires = []\n")
    said = clone.run(f"{record}\nset_up plot")
    assert (venv / "kept").exists() and "another Python" not in said
    clone.tool("python9", f'[ "$1" = -c ] && [ "${{3-}}" = "" ] && echo other && exit; exec "{sys.executable}" "$@"')
    clone.env["PYTHON"] = str(clone.tools / "python9")
    said = clone.run(f'{record}\nquietly() {{ [ "$2" != -m ] || [ "$3" != venv ] || mkdir -p "$VENV"; }}\nset_up plot')
    assert f"it was made with another Python than {clone.tools}/python9" in said
    assert not (venv / "kept").exists()


def test_no_python_named_means_the_one_of_the_environment(clone):
    del clone.env["PYTHON"]
    assert clone.run('echo "$PYTHON"') == "python3\n"
    python = clone.root / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    assert clone.run('echo "$PYTHON"') == f"{python}\n"
