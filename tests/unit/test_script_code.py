"""What a foreman has ready for a slave script."""

from __future__ import annotations

import os
import sys

import pytest

from biskit_pvm.machine.script_code import PACKAGES, Scripts


@pytest.fixture
def script(tmp_path):
    """Write a script; return its path."""

    def write(text, name="slave.py"):
        (tmp_path / name).write_text(text)
        return str(tmp_path / name)

    return write


@pytest.fixture
def installed(tmp_path_factory, monkeypatch):
    """Have something by the name of each package installed."""
    folder = tmp_path_factory.mktemp("site")
    for package in PACKAGES:
        (folder / f"{package}.py").write_text("")
    monkeypatch.setattr(sys, "path", [str(folder)])


def run(code):
    names = {}
    exec(code, names)
    return names


def test_a_script_is_compiled_once_and_again_when_it_was_changed(script):
    scripts = Scripts()
    path = script("answer = 42")
    first = scripts.read(path).code
    assert run(first)["answer"] == 42 and first.co_filename == path
    assert scripts.read(path).code is first
    os.utime(path, ns=(1, 1))
    assert scripts.read(path).code is not first
    script("answer = 4242")
    assert run(scripts.read(path).code)["answer"] == 4242


@pytest.mark.parametrize("text", ["def f(:", 'word = "\\d"', "if 1 is 1: pass", "x = '\0'"])
def test_who_runs_a_script_is_told_what_is_wrong_with_it(script, text):
    assert Scripts().read(script(text)).code is None


def test_a_script_that_cannot_be_read_is_none(tmp_path):
    assert Scripts().read(str(tmp_path / "none.py")) is None


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    "text",
    [
        "import numpy",
        "import os, numpy as np",
        "from numpy import array",
        "import numpy.linalg",
        "class A:\n    def f(self):\n        from numpy.linalg import norm",
    ],
)
def test_packages_that_a_script_imports_can_be_loaded_for_it(script, text):
    assert Scripts().read(script(text)).packages == ["numpy"]


@pytest.mark.usefixtures("installed")
def test_none_is_loaded_that_is_not_named_or_that_lies_beside_the_script(script):
    assert Scripts().read(script("import os")).packages == []
    script("", "numpy.py")
    assert Scripts().read(script("import numpy")).packages == []


def test_none_is_loaded_that_is_not_installed(script, monkeypatch):
    monkeypatch.setattr(sys, "path", [])
    assert Scripts().read(script("import numpy")).packages == []
