"""``biskit-pvm run``."""

from __future__ import annotations

import os
import sys

import click


@click.command(context_settings={"allow_interspersed_args": False})
@click.option(
    "--python",
    "version",
    type=click.Choice(["2", "3"]),
    help="The script's language. [default: found out]",
)
@click.argument("script", type=click.Path(exists=True, dir_okay=False))
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(version: str | None, script: str, arguments: tuple[str, ...]) -> None:
    """Run a script of old, as it is.

    SCRIPT was written for Python 2, pypvm or Biskit.PVM, and runs with its ARGUMENTS under this
    Python, unchanged; so do the slaves that it spawns.
    """
    options = ["--python", version] if version else []
    sys.stdout.flush()
    os.execv(
        sys.executable,
        [sys.executable, "-m", "biskit_pvm.compat.python2.run", *options, script, *arguments],
    )
