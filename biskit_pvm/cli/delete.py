"""``biskit-pvm delete``."""

from __future__ import annotations

import sys

import click

from biskit_pvm import pvm
from biskit_pvm.cli.common import HOST, echo_json, json_option
from biskit_pvm.machine import control


@click.command()
@click.argument("hosts", nargs=-1, required=True, type=HOST)
@json_option
def command(hosts: tuple[str, ...], as_json: bool) -> None:
    """Delete hosts from the virtual machine.

    The tasks on HOSTS are ended. You cannot delete the host on which the virtual machine was started;
    use 'biskit-pvm halt' to end the whole virtual machine.
    """
    control.hosts()
    results = pvm.delHosts(hosts)
    if as_json:
        echo_json([result._asdict() for result in results.values()])
    else:
        for result in results.values():
            click.echo(
                f"deleted {result.host}" if result.ok else f"cannot delete {result}",
                err=not result.ok,
            )
    sys.exit(not all(result.ok for result in results.values()))
