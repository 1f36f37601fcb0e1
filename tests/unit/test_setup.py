"""What setup.py decides, without building anything."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import setuptools
from setuptools import Distribution

ROOT = Path(__file__).parents[2]


@pytest.fixture
def setup_py(monkeypatch):
    """Give the names of setup.py, run for a command that needs no PVM."""
    told = {}
    monkeypatch.setattr(setuptools, "setup", told.update)
    monkeypatch.setattr(sys, "argv", ["setup.py", "sdist"])
    before = dict(sys.modules)
    names = runpy.run_path(str(ROOT / "setup.py"))
    sys.modules.pop("installation", None)
    sys.modules.update(before)
    return {**names, **told}


def test_a_build_begins_with_an_empty_folder(setup_py, tmp_path, monkeypatch):
    (tmp_path / "lib" / "biskit_pvm").mkdir(parents=True)
    (tmp_path / "lib" / "biskit_pvm" / "long_gone.py").touch()
    command = setup_py["cmdclass"]["build"](Distribution())
    command.build_lib = str(tmp_path / "lib")
    monkeypatch.setattr(type(command).__mro__[1], "run", lambda self: None)
    command.run()
    assert not (tmp_path / "lib").exists()


@pytest.mark.parametrize(
    ("library", "package"),
    [
        ("libtirpc.so.3", "libtirpc3"),
        ("libtirpc.so.3", "libtirpc3t64"),
        ("libgssapi_krb5.so.2", "libgssapi-krb5-2"),
        ("libk5crypto.so.3", "libk5crypto3"),
        ("libcom_err.so.2", "libcom-err2"),
        ("libkeyutils.so.1", "libkeyutils1"),
    ],
)
def test_the_licence_of_a_library_is_found_by_its_name(setup_py, tmp_path, library, package):
    def path(*parts):
        return tmp_path.joinpath(*(part.lstrip("/") for part in parts))

    licence = setup_py["licence"]
    licence.__globals__["Path"] = type(
        "Folder", (), {"__new__": lambda cls, *parts: path(*parts), "is_file": Path.is_file}
    )
    assert licence(library, Path("/usr/lib/x", library)) is None
    file = path("/usr/share/doc", package, "copyright")
    file.parent.mkdir(parents=True)
    file.touch()
    assert licence(library, Path("/usr/lib/x", library)) == file
    assert licence(library, Path("/opt/own/lib", library)) is None


@pytest.mark.parametrize(
    ("command", "needs_pvm"), [("bdist_wheel", True), ("editable_wheel", True), ("--version", False)]
)
def test_a_build_without_pvm_ends_at_once_and_other_commands_need_none(command, needs_pvm):
    environment = {**os.environ, "PVM_ROOT": "/nowhere"}
    environment.pop("BISKIT_PVM_BUNDLE", None)
    done = subprocess.run([sys.executable, ROOT / "setup.py", command], cwd=ROOT, env=environment, capture_output=True,
                          text=True, timeout=60)  # fmt: skip
    assert ("has no pvm3.h" in done.stderr) is needs_pvm
    assert bool(done.returncode) is needs_pvm
