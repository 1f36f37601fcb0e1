"""How Sphinx builds the documentation: ``bin/docs``."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Container, Sequence
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

import click
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

import biskit_pvm
from biskit_pvm import futures
from biskit_pvm.cli import PROGRAM, group
from biskit_pvm.jobs import rules

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
# A default such as os.environ is shown by its name, not by what it holds where the pages are built.
autodoc_preserve_defaults = True
autodoc_default_options = {"members": True, "show-inheritance": True}
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True
toc_object_entries = False
# Words in the types of parameters, such as "nickname", are taken for names of several things.
suppress_warnings = ["ref.python"]


#: under which names the classes of the package are on the API pages
DOCUMENTED = {getattr(biskit_pvm, name): f"biskit_pvm.{name}" for name in biskit_pvm.__all__}


def list_inherited(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Put the names that a class inherits behind its docstring, folded, with a link to each."""
    if what != "class":
        return
    seen = {member for member in vars(thing) if not member.startswith("_")}
    found = []
    for base in thing.__mro__[1:-1]:
        members = [
            member
            for member, value in vars(base).items()
            if not member.startswith("_") and member not in seen and inspect.isroutine(value)
        ]
        seen.update(members)
        home = DOCUMENTED.get(base)
        names = ", ".join(
            f":meth:`{member} <{home}.{member}>`" if home and getattr(base, member).__doc__ else f"``{member}``"
            for member in sorted(members, key=str.lower)
        )
        if names:
            found += [f"from ``{base.__module__}.{base.__qualname__}``: {names}", ""]
    if found:
        fold = [".. raw:: html", "", "   <details><summary>Inherited methods</summary>", ""]
        lines += ["", *fold, *found, ".. raw:: html", "", "   </details>", ""]


def list_options(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Put the options themselves in the place of a parameter ``**options``."""
    if "**options" not in lines or not isinstance(thing, type):
        return
    start = lines.index("**options")
    end = next((i for i in range(start + 1, len(lines)) if not lines[i].startswith("   ")), len(lines))
    documented = {entry.name for entry in parameters(thing)}
    given = getattr(sys.modules[thing.__module__], "OPTIONS", None) if "Executor" in name else None
    rows: list[str] = []
    for option, default, text in rules.describe():
        if option not in documented and (given is None or option in given):
            rows += [f"{option}", f"    {text}; {default!r} by default"]
    lines[start:end] = rows


#: meanings of arguments whose docstring gives only the type
TEXTS = {"verbose": "show progress and messages"}


class Parameter(NamedTuple):
    """An argument as its docstring describes it."""

    name: str
    default: str
    text: str


def parameters(kind: type) -> list[Parameter]:
    """Return the arguments of a class out of its docstring."""
    text = inspect.cleandoc(kind.__doc__ or "")
    section = re.search(r"^Parameters\n-+\n(.*?)(?=^\w[^\n]*\n---|\Z)", text, re.S | re.M)
    assert section, kind
    defaults = inspect.signature(kind).parameters
    found = []
    for entry in re.finditer(r"^([\w, ]+) : [^\n]*\n((?:    .*\n|\n)*)", section[1] + "\n", re.M):
        for name in entry[1].split(", "):
            default = defaults[name].default if name in defaults else inspect.Parameter.empty
            shown = "" if default is inspect.Parameter.empty else f"`{default!r}`"
            found.append(Parameter(name, shown, " ".join(entry[2].split())))
    return found


def all_parameters(kinds: Sequence[type], names: Container[str] | None = None) -> list[Parameter]:
    """Return the arguments of several classes, each once, and after them the options of calculations.

    Parameters
    ----------
    kinds : sequence of type
        The first has the defaults, the last that describes an argument has the text.
    names : container of str, optional
        The options to list; by default all.
    """
    found: dict[str, Parameter] = {}
    for kind in kinds:
        for name, default, text in parameters(kind):
            found[name] = Parameter(
                name, found[name].default if name in found else default, text or TEXTS.get(name, "")
            )
    order = list(found)
    for name, default, text in rules.describe():
        if names is None or name in names:
            order += [name] if name not in found else []
            found[name] = Parameter(name, f"`{default!r}`", text)
    return [found[name] for name in order]


class OptionsTable(SphinxDirective):
    """``{options-table} master`` or ``executor``: all that these take, out of the code."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        if self.arguments[0] == "executor":
            entries = all_parameters([futures.PVMExecutor], futures.OPTIONS)
        else:
            entries = all_parameters([biskit_pvm.TrackingJobMaster, biskit_pvm.JobMaster])
        rows = ["| option | default | meaning |", "| --- | --- | --- |"]
        rows += [f"| `{e.name}` | {e.default} | {e.text[:1].upper()}{e.text[1:].rstrip('.')} |" for e in entries]
        return self.parse_text_to_nodes("\n".join(rows) + "\n")


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
    app.connect("autodoc-process-docstring", list_options, priority=400)  # before the sections are read
    app.connect("autodoc-process-docstring", list_inherited)
    app.add_directive("command-help", CommandHelp)
    app.add_directive("options-table", OptionsTable)
