"""How Sphinx builds the documentation: ``bin/docs``."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import click
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

import biskit_pvm
from biskit_pvm.cli import PROGRAM, group

project = "biskit_pvm"
author = "the biskit_pvm developers"
project_copyright = "the biskit_pvm developers; GPL-3.0-or-later"
version = release = biskit_pvm.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"biskit_pvm {release}"
html_show_sourcelink = False

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
# Words in the types of parameters, such as "nickname", are taken for names of several things.
suppress_warnings = ["ref.python"]


def list_inherited(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
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


class CommandHelp(SphinxDirective):
    """``{command-help}``: the help of the command that is named, as it prints it."""

    optional_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """Return the help as a literal block."""
        command: click.Command = group.command
        context = click.Context(command, info_name=PROGRAM, max_content_width=88, terminal_width=88)
        for word in (self.arguments or [""])[0].split():
            assert isinstance(command, click.Group)
            found = command.get_command(context, word)
            assert found is not None, word
            context = click.Context(found, info_name=word, parent=context)
            command = found
        text = command.get_help(context)
        block = nodes.literal_block(text, text)
        block["language"] = "text"
        return [block]


def setup(app: Any) -> None:
    """Register what stands above."""
    app.connect("autodoc-process-docstring", list_inherited)
    app.add_directive("command-help", CommandHelp)
