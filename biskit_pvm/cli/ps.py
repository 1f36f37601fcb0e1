"""``biskit-pvm ps``."""

from __future__ import annotations

import click

from biskit_pvm.cli.common import HOST, echo_json, echo_table, expecting, json_option
from biskit_pvm.machine import control


@click.command()
@click.option("--host", type=HOST, metavar="HOST", help="List only the tasks on this host.")
@json_option
def command(host: str | None, as_json: bool) -> None:
    """List the tasks of the virtual machine.

    A task without a parent was started by hand, such as a master. A task with a parent was spawned by
    that task, such as a slave by its master.
    """
    with expecting(ValueError):
        tasks = control.tasks(host)
    if as_json:
        echo_json([task._asdict() for task in tasks])
    elif tasks:
        echo_table(
            ("tid", "host", "parent", "pid", "name"),
            [(f"{t.tid:x}", t.host, f"{t.parent:x}" if t.parent else "-", t.pid, t.name or "-") for t in tasks],
        )
    else:
        click.echo("no tasks")
