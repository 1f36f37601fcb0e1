"""``biskit-pvm add``."""

from __future__ import annotations

import sys

import click

from biskit_pvm import pvm
from biskit_pvm.cli.common import HOST, echo_json, json_option
from biskit_pvm.machine import control


@click.command()
@click.argument("hosts", nargs=-1, type=HOST)
@click.option("--all", "every", is_flag=True, help="Add all hosts of your host file.")
@json_option
def command(hosts: tuple[str, ...], every: bool, as_json: bool) -> None:
    """Add hosts to the virtual machine.

    HOSTS are names. A quoted name can be followed by options, as in PVM's host file:
    'node1 lo=user dx=/opt/pvmd'. If a host cannot be added, the message says why and what to do, and
    the exit code is 1.
    """
    if bool(hosts) == every:
        raise click.UsageError("give the names of the hosts to add, or --all")
    control.hosts()
    results = pvm.addHosts(hosts=None if every else hosts)
    if as_json:
        echo_json([result._asdict() for result in results.values()])
    else:
        for result in results.values():
            if result.ok:
                click.echo(f"added {result.host}")
    sys.exit(not all(result.ok for result in results.values()))
