"""``biskit-pvm reset``."""

from __future__ import annotations

import click

from ..core.progress import count
from ..runtime import console


@click.command()
@click.option("--yes", "-y", is_flag=True, help="Do not ask first.")
def command(yes: bool) -> None:
    """End all tasks of the virtual machine, calculations of yours that run included.

    The hosts stay. Tasks are told to end by SIGTERM.
    """
    running = console.tasks()
    if running and not yes:
        click.confirm(f"End {count(len(running), 'task')}?", abort=True)
    click.echo(f"{count(len(console.reset()), 'task')} told to end")
