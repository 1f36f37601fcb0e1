"""``biskit-pvm start``."""

from __future__ import annotations

import sys

import click

from biskit_pvm.cli.common import HOST
from biskit_pvm.machine import daemon, host_table


@click.command()
@click.argument("hosts", nargs=-1, type=HOST)
@click.option(
    "--hostfile",
    type=click.Path(exists=True, dir_okay=False),
    help="A host file of PVM: add its hosts, with their options.",
)
def command(hosts: tuple[str, ...], hostfile: str | None) -> None:
    """Start the virtual machine on this host, and add HOSTS to it.

    Masters start a virtual machine if none is running, and it is halted when they end. One that you
    start with this command runs until 'biskit-pvm halt'.
    """
    wanted = [*hosts, *(host_table.hosts_in_file(hostfile) if hostfile else ())]
    if not daemon.start(hostfile):
        click.echo("a virtual machine is already running; see: biskit-pvm conf")
    else:
        click.echo("started" if wanted else "started; add hosts with: biskit-pvm add HOST")
    results = host_table.add(wanted)
    for result in results:
        click.echo(f"added {result.host}" if result.ok else f"cannot add host {result}", err=not result.ok)
    sys.exit(not all(result.ok for result in results))
