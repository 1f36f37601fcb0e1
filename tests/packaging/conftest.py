"""For which Pythons a wheel is built: the running one, or all that are found."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


def load_wheels() -> ModuleType:
    """Load what bin/wheels runs as a module."""
    spec = importlib.util.spec_from_file_location("wheels", Path(__file__).parents[2] / "bin" / "wheels.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "python" in metafunc.fixturenames:
        several = metafunc.config.getoption("--all-pythons")
        chosen = load_wheels().pythons() if several else [sys.executable]
        metafunc.parametrize("python", chosen, scope="session")
