"""``biskit-pvm reset``."""

from __future__ import annotations

import click

from biskit_pvm.machine import control
from biskit_pvm.report.progress import count


@click.command()
@click.option("--yes", "-y", is_flag=True, help="Do not ask for confirmation.")
def command(yes: bool) -> None:
    """End all tasks of the virtual machine, including running calculations.

    The hosts stay. Tasks are sent SIGTERM.
    """
    running = control.tasks()
    if running and not yes:
        click.confirm(f"End {count(len(running), 'task')}?", abort=True)
    click.echo(f"{count(len(control.reset()), 'task')} told to end")
