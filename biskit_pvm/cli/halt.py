"""``biskit-pvm halt``."""

from __future__ import annotations

import click

from ..core.progress import count
from ..runtime import console


@click.command()
@click.option("--yes", "-y", is_flag=True, help="Do not ask first.")
def command(yes: bool) -> None:
    """Halt the virtual machine: end all tasks, and the pvmd of every host."""
    running = console.tasks()
    if running and not yes:
        click.confirm(f"End {count(len(running), 'task')} and halt?", abort=True)
    click.echo(f"halted {', '.join(host.name for host in console.halt())}")
