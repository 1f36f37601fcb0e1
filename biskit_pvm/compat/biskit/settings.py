"""
Settings: a few fixed ones, and what ``~/.biskit/settings.cfg`` says.

An entry ``name = value  # comment`` becomes a variable here; ``int-name``, ``float-name`` and ``bool-name`` give that
type.
"""

from __future__ import annotations

import configparser
import os
import sys
import tempfile

from biskit_pvm.compat.biskit import tools as _tools

#: the interpreter for slaves
python_bin = sys.executable
#: the terminal for slaves that show their output
xterm_bin = "xterm"
ssh_bin = "ssh"
projectRoot = _tools.projectRoot()


def __getattr__(name: str) -> str:
    # Folders for temporary files, that every host sees and of this host; finding one tries
    # to write there, which an import should not do.
    if name in ("tempDirShared", "tempDirLocal"):
        return tempfile.gettempdir()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


_TYPES = {"int": int, "float": float, "bool": lambda text: text.strip().lower() in ("1", "true", "yes", "on")}


def _read(path: str) -> dict[str, object]:
    parser = configparser.RawConfigParser(inline_comment_prefixes=("#", ";"), strict=False)
    parser.optionxform = str
    try:
        parser.read(path, encoding="latin-1")
    except configparser.Error as error:
        raise ValueError(f"cannot read the settings in {path}: {error}") from error
    found: dict[str, object] = {}
    for section in parser.sections():
        for name, value in parser.items(section):
            kind, dash, rest = name.partition("-")
            found[rest if dash and kind in _TYPES else name] = _TYPES[kind](value) if dash and kind in _TYPES else value
    return found


globals().update(_read(os.path.join(os.path.expanduser("~"), ".biskit", "settings.cfg")))
