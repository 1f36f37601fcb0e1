"""Old scripts print what they printed under Python 2.7; see record.py."""

from __future__ import annotations

import difflib
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import HERE, SCRIPTS

EXPECTED = HERE / "expected"
INPUT = {"interaction": b"a line\n7\nthird\nfourth\nfifth"}
ARGUMENTS = {"interaction": ["one", "two words", "café"]}


def run(
    environment: dict[str, str], *arguments: str, given: bytes = b"", cwd: Path = SCRIPTS, **more: str
) -> subprocess.CompletedProcess[bytes]:
    """Run a script the way a user does."""
    return subprocess.run(
        [sys.executable, "-m", "biskit_pvm", "run", *arguments],
        cwd=cwd,
        input=given,
        env={**environment, **more},
        capture_output=True,
        timeout=100,
    )


@pytest.mark.parametrize("name", sorted(path.stem for path in EXPECTED.glob("*.txt") if path.stem != "biskit_serial"))
def test_prints_what_python_2_printed(name, environment):
    done = run(environment, f"{name}.py", *ARGUMENTS.get(name, ()), given=INPUT.get(name, b""), PYTHONWARNINGS="ignore")
    expected = (EXPECTED / f"{name}.txt").read_bytes()
    if done.stdout != expected:
        lines = [text.decode("latin-1").splitlines() for text in (expected, done.stdout)]
        difference = "\n".join(difflib.unified_diff(*lines, "Python 2.7", "now", lineterm="", n=0))
        pytest.fail(f"{difference}\n{done.stderr.decode()}", pytrace=False)
    assert done.returncode == 0, done.stderr.decode()


def test_every_script_was_recorded():
    # biskit_serial is run by the tests of Biskit
    scripts = {path.stem for path in SCRIPTS.glob("*.py")} - {"statistics"}  # that one is only imported
    assert scripts == {path.stem for path in EXPECTED.glob("*.txt")}


def test_nothing_is_written_beside_the_scripts():
    assert not list(SCRIPTS.rglob("__pycache__")) and not list(SCRIPTS.rglob("*.pyc"))
