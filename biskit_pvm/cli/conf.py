"""``biskit-pvm conf``."""

from __future__ import annotations

import click

from biskit_pvm.cli.common import echo_json, echo_table, json_option
from biskit_pvm.machine import control


@click.command()
@json_option
def command(as_json: bool) -> None:
    """List the hosts of the virtual machine.

    The first host is the one on which it was started. The speed is a relative number from PVM's host
    file.
    """
    hosts = control.hosts()
    if as_json:
        echo_json([host._asdict() for host in hosts])
    else:
        echo_table(
            ("host", "dtid", "architecture", "speed"),
            [(h.name, f"{h.dtid:x}", h.arch, h.speed) for h in hosts],
        )
