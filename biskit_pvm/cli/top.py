"""``biskit-pvm top``."""

from __future__ import annotations

import click

from biskit_pvm.cli.common import expecting


@click.command()
@click.option(
    "--interval",
    type=click.FloatRange(min=0.2),
    default=2.0,
    show_default=True,
    help="Seconds between updates.",
)
def command(interval: float) -> None:
    """Show the virtual machine live in this terminal.

    You see the hosts with their load and number of tasks, the running calculations, and all tasks.
    For each slave you see its state, its finished jobs, the average time per job, and when its master
    last heard from it.

    \b
    Keys: tab     switch to the other table
          arrows  select a row (also page up, page down, home, end)
          s, r    sort by the next column, reverse the order
          d       delete the selected host (asks first)
          k       end the selected task (asks first)
          q       quit
    """
    from biskit_pvm.top.screen import NoTerminalError, top

    with expecting(NoTerminalError):
        top(interval)
