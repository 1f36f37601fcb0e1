"""How Sphinx builds the documentation: ``bin/docs``."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import biskit_pvm

project = "biskit_pvm"
author = "the biskit_pvm developers"
project_copyright = "the biskit_pvm developers; GPL-3.0-or-later"
version = release = biskit_pvm.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "sphinx.ext.napoleon",
]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"biskit_pvm {release}"
html_show_sourcelink = False
# The pages need no network, formulas apart.
html_static_path: list[str] = []

# Single backticks in docstrings name things of Python.
default_role = "code"
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "none"
autodoc_default_options = {"members": True, "show-inheritance": True}
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True
toc_object_entries = False


def list_inherited(
    app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]
) -> None:
    """Put the names that a class inherits behind its docstring, by the class they come from."""
    if what != "class":
        return
    seen = {member for member in vars(thing) if not member.startswith("_")}
    for base in thing.__mro__[1:]:
        members = [
            member
            for member, value in vars(base).items()
            if not member.startswith("_") and member not in seen and inspect.isroutine(value)
        ]
        seen.update(members)
        if members and base is not object:
            names = ", ".join(f"``{member}``" for member in sorted(members, key=str.lower))
            lines += ["", f"*Inherited from* ``{base.__module__}.{base.__qualname__}``: {names}", ""]


def setup(app: Any) -> None:
    """Register what stands above."""
    app.connect("autodoc-process-docstring", list_inherited)
