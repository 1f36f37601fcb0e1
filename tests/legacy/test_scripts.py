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
    done = run(environment, f"{name}.py", *ARGUMENTS.get(name, ()), given=INPUT.get(name, b""))
    expected = (EXPECTED / f"{name}.txt").read_bytes()
    if done.stdout != expected:
        lines = [text.decode("latin-1").splitlines() for text in (expected, done.stdout)]
        difference = "\n".join(difflib.unified_diff(*lines, "Python 2.7", "now", lineterm="", n=0))
        pytest.fail(f"{difference}\n{done.stderr.decode()}", pytrace=False)
    assert done.returncode == 0, done.stderr.decode()
    assert b"DeprecationWarning" not in done.stderr


def test_every_script_was_recorded():
    # biskit_serial is run by the tests of Biskit
    scripts = {path.stem for path in SCRIPTS.glob("*.py")} - {"statistics", "pickled"}  # these are only imported
    assert scripts == {path.stem for path in EXPECTED.glob("*.txt")}


def test_nothing_is_written_beside_the_scripts():
    assert not list(SCRIPTS.rglob("__pycache__")) and not list(SCRIPTS.rglob("*.pyc"))


def test_python_3_alone_reads_what_scripts_pickled(tmp_path, environment):
    (tmp_path / "shapes.py").write_text("class Old:\n    def __init__(self, x):\n        self.x = x\n")
    (tmp_path / "write.py").write_text(
        "import cPickle, shapes\nfrom Biskit.tools import dump\n"
        "value = [shapes.Old(2L), u'y', 'x' * 300, {'k': (1.5, None)}]\n"
        "for i in 0, 1, 2: cPickle.dump(value, open('p%i' % i, 'w'), i)\n"
        "dump(value, 'dumped')\n"
    )
    assert run(environment, "write.py", cwd=tmp_path).stderr == b""
    code = """
import pickle, sys
sys.path.insert(0, sys.argv[1])
for name in "p0", "p1", "p2", "dumped":
    with open(f"{sys.argv[1]}/{name}", "rb") as file:
        data = file.read()
    assert b"biskit" not in data, data
    old, text, long, rest = pickle.loads(data)
    assert (type(old).__name__, old.x, text, len(long), rest) == ("Old", 2, "y", 300, {"k": (1.5, None)})
assert not [name for name in sys.modules if "biskit" in name]
print("read")
"""
    words = [sys.executable, "-I", "-S", "-c", code, str(tmp_path)]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("read\n", "")
