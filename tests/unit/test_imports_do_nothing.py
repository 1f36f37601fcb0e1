"""Importing starts no process or thread, opens nothing for writing, and prints nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Watches its own interpreter while it imports what the command line names.
WATCH = """
import sys, threading
FORBIDDEN = ("subprocess.Popen", "os.fork", "os.exec", "os.posix_spawn", "os.system",
             "socket.__new__", "os.mkdir", "os.remove", "os.rename", "os.putenv",
             "tempfile.mkstemp", "tempfile.mkdtemp", "_thread.start_new_thread", "signal.pthread_kill")
did = []
def hook(event, args):
    if event in FORBIDDEN or event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+"):
        did.append((event, args))
sys.addaudithook(hook)
for name in sys.argv[1:]:
    __import__(name)
assert did == [], did
assert threading.active_count() == 1
print(*sorted({name.split(".")[0] for name in sys.modules}))
"""


def imports(*names: str, home: Path) -> set[str]:
    """Import `names` in a bare environment; return the top-level names then loaded."""
    done = subprocess.run(
        [sys.executable, "-B", "-W", "error", "-c", WATCH, *names],
        env={"HOME": str(home), "PVM_TMP": str(home)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    (line,) = done.stdout.splitlines()
    return set(line.split())


def test_the_packages_need_no_daemon_and_no_numpy(tmp_path):
    loaded = imports("biskit_pvm", "pvm_ext", home=tmp_path)
    assert "biskit_pvm" in loaded
    assert not loaded & {"numpy", "click", "rich", "matplotlib"}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["pypvm", "pypvm_core", "Biskit", "Biskit.PVM", "biskit_pvm.cli"])
def test_other_doors_are_quiet_too(name, tmp_path):
    imports(name, home=tmp_path)
    assert list(tmp_path.iterdir()) == []
