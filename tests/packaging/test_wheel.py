"""The sdist is complete, and its wheel works in an empty environment without any PVM."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pvm_ext import installation

ROOT = Path(__file__).parents[2]

BUNDLED = installation.find().origin == "bundled"

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
        command = [self.folder / "bin" / str(argv[0]), *argv[1:]]
        return run("env", "-i", *(f"{name}={value}" for name, value in env.items()), *command, cwd=home)


@pytest.fixture(scope="session")
def sdist(tmp_path_factory) -> Path:
    """Build the sdist from what git knows, as a release would."""
    source = tmp_path_factory.mktemp("source")
    names = run("git", "-C", ROOT, "ls-files", "-z").split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, source / name)
    target = tmp_path_factory.mktemp("sdist")
    code = "import sys; from setuptools.build_meta import build_sdist; build_sdist(sys.argv[1])"
    run(sys.executable, "-c", code, target, cwd=source)
    (path,) = target.glob("*.tar.gz")
    return path


@pytest.fixture(scope="session")
def installed(python, sdist, tmp_path_factory) -> Installed:
    """Build the wheel out of the sdist and install it in an empty environment."""
    if not BUNDLED:
        pytest.skip("this build uses a PVM of the system or of PVM_ROOT, which no wheel carries")
    place = tmp_path_factory.mktemp("wheel")
    with tarfile.open(sdist) as archive:
        archive.extractall(place)
    (source,) = place.iterdir()
    # As vendor/get_pvm3 would leave it.
    shutil.copytree(ROOT / "vendor" / "pvm3", source / "vendor" / "pvm3", symlinks=True)
    dist = place / "dist"
    environment = {name: value for name, value in os.environ.items() if name != "PVM_ROOT"}
    environment["TMPDIR"] = str(place)  # pip leaves things there
    pip = ["-m", "pip", "--disable-pip-version-check"]
    here = Path(python).resolve() == Path(sys.executable).resolve()
    own_tools = ["--no-build-isolation"] if here else []
    tool = sys.executable if here else python
    run(tool, *pip, "wheel", *own_tools, "--no-deps", "-w", dist, source, env=environment)
    # What the wheel was built from is gone, as it is on another machine.
    shutil.rmtree(source)
    (wheel,) = dist.glob("*.whl")
    folder = place / "venv"
    run(python, "-m", "venv", folder)
    run(folder / "bin" / "python", *pip, "install", f"{wheel}[structures]", env=environment)
    return Installed(folder, wheel)


def test_the_sdist_has_all_sources_and_nothing_that_was_built(sdist):
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    wanted = {"LICENSE", "README.md", "CHANGELOG.md", "setup.py", "vendor/get_pvm3", "vendor/pvm3.versions"}
    wanted |= {str(path.relative_to(ROOT)) for path in ROOT.glob("pvm_ext/**/*.p[yx][xdi]")}
    assert wanted <= names
    assert "tests/conftest.py" in names and "slave_scripts/__init__.py" in names
    built = [name for name in names if name.endswith((".so", ".pyc", "_pvm.c", "_build_info.py"))]
    assert built == []
    assert not any(name.startswith(("vendor/pvm3/", "vendor/cache/")) for name in names)


def test_the_wheel_carries_pvm_with_its_licences(installed):
    with zipfile.ZipFile(installed.wheel) as archive:
        names = set(archive.namelist())
        metadata = next(name for name in names if name.endswith(".dist-info/METADATA"))
        assert "License-Expression: GPL-3.0-or-later" in archive.read(metadata).decode()
    pvm = {name.removeprefix("pvm_ext/_pvm3/") for name in names if name.startswith("pvm_ext/_pvm3/")}
    assert {"lib/libpvm3.so.3", "lib/libgpvm3.so.3", "lib/pvmd", "lib/pvm"} <= pvm
    assert any(name.startswith("bin/") and name.endswith("/pvmgs") for name in pvm)
    assert {"licences/libpvm3/copyright", "licences/pvm/copyright", "licences/libtirpc3/copyright"} <= pvm
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


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
        print("library", line.split()[-1])
pvm_ext.halt()
"""
    said = installed.run("python", "-c", code, home=tmp_path).split("\n")
    rows = [line.split(" ", 1) for line in said if line]
    assert ["hosts", "1"] in rows
    places = [Path(value) for key, value in rows if key in ("daemon", "library")]
    assert len(places) >= 3
    assert all(installed.folder in place.parents for place in places), said


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
