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
    help="Seconds between two looks.",
)
def command(interval: float) -> None:
    """Watch the virtual machine live in this terminal.

    Shown are the hosts with their load and number of tasks, the running calculations, and all
    tasks: of a slave its state, the jobs it has done, the average time of a job and when its master
    last heard of it.

    \b
    Keys: tab     go to the other table
          arrows  select a row (page up, page down, home, end as well)
          s, r    sort by the next column, or the other way round
          d       delete the selected host, after asking
          k       end the selected task, after asking
          q       leave
    """
    from biskit_pvm.top.screen import NoTerminalError, top

    with expecting(NoTerminalError):
        top(interval)
