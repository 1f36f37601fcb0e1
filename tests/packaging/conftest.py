"""For which Pythons a wheel is built: the running one, or all that are found."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

VERSIONS = [f"3.{minor}" for minor in range(9, 16)]


def pythons() -> list[str]:
    """Return one interpreter of each version that is on the path or comes from pyenv."""
    found = []
    for version in VERSIONS:
        candidates = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
        on_path = shutil.which(f"python{version}")
        if candidates:
            found.append(str(candidates[-1]))
        elif on_path:
            found.append(on_path)
    return found


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "python" in metafunc.fixturenames:
        several = metafunc.config.getoption("--all-pythons")
        chosen = pythons() if several else [sys.executable]
        metafunc.parametrize("python", chosen, scope="session")
