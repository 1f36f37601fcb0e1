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
    help="The Python version of the script. [default: detected]",
)
@click.option("--inline", is_flag=True, help="Run slaves in the script's own process, without PVM: for debuggers.")
@click.argument("script", type=click.Path(exists=True, dir_okay=False))
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(version: str | None, inline: bool, script: str, arguments: tuple[str, ...]) -> None:
    """Run an old Python 2 script unchanged.

    SCRIPT may be written for Python 2, pypvm or Biskit.PVM. It runs with its ARGUMENTS under this
    Python, and so do the slaves that it spawns.
    """
    options = ["--python", version] if version else []
    if inline:
        os.environ["BISKIT_PVM_INLINE"] = "1"
    if sys.stdout is not None:  # not closed by the caller
        sys.stdout.flush()
    os.execv(
        sys.executable,
        [sys.executable, "-m", "biskit_pvm.compat.python2.run", *options, script, *arguments],
    )
