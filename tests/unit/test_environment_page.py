"""The page on environment variables names every one that the package reads."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = [
    *(
        path
        for room in ("biskit_pvm", "pvm_ext")
        for kind in ("*.py", "*.pyx", "*.pxi")
        for path in (ROOT / room).rglob(kind)
    ),
    ROOT / "setup.py",
    ROOT / "vendor" / "get_pvm3.py",
]


def test_every_variable_of_the_package_is_on_the_page():
    page = (ROOT / "docs" / "environment.md").read_text()
    named = re.findall(r"`(\w+)`", page)
    read = {name for path in SOURCES for name in re.findall(r"['\"](BISKIT_PVM_\w+|PVM_EXT_\w+)", path.read_text())}
    assert {"BISKIT_PVM_AUTOSTART", "BISKIT_PVM_LOG_LEVEL", "PVM_EXT_OPEN_FILES"} <= read
    assert sorted(read - set(named)) == []
