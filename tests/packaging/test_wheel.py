"""The sdist is complete, and its wheel works in an empty environment without any PVM."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from .conftest import load_wheels

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.timeout(600)


def run(*argv: object, **options: Any) -> str:
    """Run a command; return its output, or fail with it."""
    options = {"text": True, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "timeout": 500, **options}
    done = subprocess.run([str(word) for word in argv], **options)
    assert done.returncode == 0, f"{argv}\n{done.stdout}"
    return done.stdout


@dataclass(frozen=True)
class Installed:
    """An empty environment with nothing but our wheel and what it depends on."""

    folder: Path
    wheel: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    def run(self, *argv: object, home: Path) -> str:
        """Run a program of the environment with next to nothing in its own."""
        env = {"HOME": home, "PVM_TMP": home, "PVM_VMID": "wheel", "PVM_ALLOW_ROOT": "1"}
        env["PATH"] = f"{self.folder}/bin:{os.defpath}"
        return run("env", "-i", *(f"{name}={value}" for name, value in env.items()), *argv, cwd=home)


@pytest.fixture(scope="session")
def sdist(tmp_path_factory) -> Path:
    """Build the sdist as a release would."""
    return load_wheels().build_sdist(tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="session")
def installed(python, sdist, tmp_path_factory) -> Installed:
    """Build the wheel out of the sdist and install it in an empty environment."""
    place = tmp_path_factory.mktemp("a wheel")
    run(ROOT / "vendor" / "get_pvm3", env={**os.environ, "PYTHON": sys.executable})
    wheel = load_wheels().build_wheel(python, sdist, place)
    folder = place / "venv"
    environment = {**os.environ, "TMPDIR": str(place)}  # pip leaves things there
    run(python, "-m", "venv", folder, env=environment)
    pip = ["-m", "pip", "--disable-pip-version-check"]
    run(folder / "bin" / "python", *pip, "install", f"{wheel}[structures]", env=environment)
    return Installed(folder, wheel)


def test_the_sdist_has_all_sources_and_nothing_that_was_built(sdist):
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    wanted = {"LICENSE", "README.md", "CHANGELOG.md", "setup.py", "vendor/get_pvm3.py", "vendor/pvm3.versions"}
    wanted.add("pvm_ext/standin.c")
    wanted |= {str(path.relative_to(ROOT)) for path in ROOT.glob("pvm_ext/**/*.p[yx][xdi]")}
    assert wanted <= names
    assert "tests/conftest.py" in names and "slave_scripts/__init__.py" in names
    built = [name for name in names if name.endswith((".so", ".pyc", "_pvm.c", "_build_info.py", "/standin"))]
    assert built == []
    assert not any(name.startswith(("vendor/pvm3/", "vendor/cache/")) for name in names)


def test_the_wheel_carries_pvm_with_its_licences(installed):
    with zipfile.ZipFile(installed.wheel) as archive:
        names = set(archive.namelist())
        metadata = next(name for name in names if name.endswith(".dist-info/METADATA"))
        assert "License-Expression: GPL-3.0-or-later" in archive.read(metadata).decode()
    pvm = {name.removeprefix("pvm_ext/_pvm3/") for name in names if name.startswith("pvm_ext/_pvm3/")}
    assert {
        "include/pvm3.h",
        "packages.txt",
        "lib/libpvm3.so",
        "lib/libpvm3.so.3",
        "lib/libgpvm3.so.3",
        "lib/pvmd",
        "lib/pvm",
    } <= pvm
    assert any(name.startswith("bin/") and name.endswith("/pvmgs") for name in pvm)
    assert {"licences/libpvm3/copyright", "licences/pvm/copyright", "licences/libtirpc3/copyright"} <= pvm
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_an_index_takes_the_wheel(installed):
    assert "-manylinux_2_" in installed.wheel.name
    # debug information alone would be five times as much
    assert installed.wheel.stat().st_size < 2.5e6


def test_a_c_program_is_compiled_for_the_wheel_and_runs(installed, tmp_path):
    source = tmp_path / "version.c"
    source.write_text("#include <pvm3.h>\n#include <stdio.h>\nint main() { puts(pvm_version()); return 0; }\n")
    options = shlex.split(installed.run("biskit-pvm", "config", "--cflags", "--libs", home=tmp_path))
    program = tmp_path / "version"
    run(os.environ.get("CC", "cc"), "-o", program, source, *options)
    assert run("env", "-i", program).startswith("3.4")
    assert str(installed.folder) in run("ldd", program)


def test_the_console_of_the_wheel_starts_the_daemon_of_the_wheel(installed, tmp_path):
    said = installed.run("sh", "-c", "echo conf | biskit-pvm console; biskit-pvm halt --yes", home=tmp_path)
    assert "1 host, 1 data format" in said and "halted" in said


def test_the_version_tells_of_which_package_pvm_is(installed, tmp_path):
    said = installed.run("biskit-pvm", "version", home=tmp_path)
    assert re.search(r"^PVM package +libpvm3 pvm pvm-dev 3\.4\.6-\S+ \w+ pinned$", said, re.M), said


def test_the_wheel_does_not_name_the_place_it_was_built_in(installed):
    code = "import pvm_ext._pvm as m; print(m.__file__)"
    module = installed.run("python", "-c", code, home=installed.folder).strip()
    dynamic = run("readelf", "-d", module)
    paths = [line for line in dynamic.splitlines() if "RUNPATH" in line or "RPATH" in line]
    assert any("$ORIGIN/_pvm3/lib" in line for line in paths)
    assert str(ROOT) not in dynamic and "vendor" not in dynamic


def test_a_daemon_starts_from_the_wheel_alone(installed, tmp_path):
    code = """
import os, pvm_ext
pvm_ext.start_pvmd()
conf = pvm_ext.config()
print("hosts", conf.nhost)
for process in filter(str.isdigit, os.listdir("/proc")):
    try:
        mine = f"PVM_TMP={os.environ['PVM_TMP']}" in open(f"/proc/{process}/environ").read().split("\\0")
        if mine and open(f"/proc/{process}/comm").read() == "pvmd\\n":
            print("daemon", os.readlink(f"/proc/{process}/exe"))
    except (OSError, ValueError):  # it ended meanwhile, or is not ours to read
        pass
for line in open("/proc/self/maps"):
    if "pvm3.so" in line:
        print("library", line.split(maxsplit=5)[-1].strip())
pvm_ext.halt()
"""
    said = installed.run("python", "-c", code, home=tmp_path).split("\n")
    rows = [line.split(" ", 1) for line in said if line]
    assert ["hosts", "1"] in rows
    places = [Path(value) for key, value in rows if key in ("daemon", "library")]
    assert len(places) >= 3
    assert all(installed.folder in place.parents for place in places), said


SLAVE = """
import os, time
from biskit_pvm import JobSlave

class Slave(JobSlave):
    def go(self, chunk):
        time.sleep(0.2)
        return dict.fromkeys(chunk, (os.getpid(), os.getppid()))

if __name__ == "__main__":
    Slave().start()
"""

MASTER = """
from biskit_pvm import TrackingJobMaster
from biskit_pvm.hosts import cpus_all

hosts = cpus_all[:1] * 5
made = TrackingJobMaster(dict.fromkeys(range(15)), 1, hosts, {}, "slave.py", verbose=0).calculateResult().values()
print(len({pid for pid, _ in made}) > 2, len({parent for _, parent in made}))  # the daemon's child, and forks
"""


def test_slaves_of_the_wheel_are_forked(installed, tmp_path):
    (tmp_path / "slave.py").write_text(SLAVE)
    (tmp_path / "master.py").write_text(MASTER)
    assert installed.run("sh", "-c", f"cd {tmp_path} && python master.py", home=tmp_path) == "True 2\n"


def test_the_command_line_is_there_twice(installed, tmp_path):
    assert installed.run("biskit-pvm", "version", home=tmp_path) == installed.run(
        "python", "-m", "biskit_pvm", "version", home=tmp_path
    )


def test_old_names_are_importable_without_a_word(installed, tmp_path):
    code = "import pypvm, pypvm_core, Biskit.PVM, biskit_pvm.slave_scripts"
    assert installed.run("python", "-W", "error", "-c", code, home=tmp_path) == ""


def test_the_worked_example_runs(installed, tmp_path):
    said = installed.run("biskit-pvm", "example", "rmsd", home=tmp_path)
    assert "RMSD" in said
    assert list(tmp_path.glob("**/*.npy"))
