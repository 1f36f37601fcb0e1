"""``biskit-pvm halt``."""

from __future__ import annotations

import click

from biskit_pvm.machine import control
from biskit_pvm.report.progress import count


@click.command()
@click.option("--yes", "-y", is_flag=True, help="Do not ask first.")
def command(yes: bool) -> None:
    """Halt the virtual machine: end all tasks, and the pvmd of every host."""
    running = control.tasks()
    if running and not yes:
        click.confirm(f"End {count(len(running), 'task')} and halt?", abort=True)
    click.echo(f"halted {', '.join(host.name for host in control.halt())}")
