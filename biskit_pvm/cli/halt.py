"""``biskit-pvm halt``."""

from __future__ import annotations

import click

from biskit_pvm.machine import control
from biskit_pvm.report.progress import count


@click.command()
@click.option("--yes", "-y", is_flag=True, help="Do not ask for confirmation.")
def command(yes: bool) -> None:
    """Halt the virtual machine: end all tasks and the pvmd on every host."""
    # PVM's own group server is nobody's work
    running = [task for task in control.tasks() if task.name.rpartition("/")[2] != control.GROUP_SERVER]
    if running and not yes:
        click.confirm(f"End {count(len(running), 'task')} and halt?", abort=True)
    click.echo(f"halted {', '.join(host.name for host in control.halt())}")
