"""``biskit-pvm config``."""

from __future__ import annotations

import re
from collections.abc import Iterable

import click

from biskit_pvm.cli.common import expecting
from pvm_ext import installation


@click.command()
@click.option("--cflags", is_flag=True, help="Print what the compiler needs to find pvm3.h.")
@click.option("--libs", is_flag=True, help="Print what the linker needs for libpvm3 and libgpvm3.")
@click.option("--root", is_flag=True, help="Print PVM_ROOT, as it is.")
def command(cflags: bool, libs: bool, root: bool) -> None:
    """Tell how to compile C programs for this PVM.

    \b
    cc -o worker worker.c $(biskit-pvm config --cflags --libs)

    Spaces in the name of a folder have a backslash before them, as pkg-config prints them.  Only PVM_ROOT is
    printed as it is, for "$(biskit-pvm config --root)".
    Without options each value is printed with its name.
    """
    with expecting(installation.PvmNotFoundError):
        values = {}
        if root or not (cflags or libs):
            values["root"] = str(installation.pvm_root())
        if cflags or not (libs or root):
            values["cflags"] = _words(installation.compiler_options())
        if libs or not (cflags or root):
            values["libs"] = _words(installation.linker_options())
    if cflags or libs or root:
        click.echo(" ".join(values.values()))
    else:
        for name, value in values.items():
            click.echo(f"{name:<7} {value}")


def _words(options: Iterable[str]) -> str:
    return " ".join(re.sub(r"([^\w@%+=:,./-])", r"\\\1", option) for option in options)
