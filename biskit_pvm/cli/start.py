"""``biskit-pvm start``."""

from __future__ import annotations

import click

from ..runtime import daemon


@click.command()
@click.option(
    "--hostfile",
    type=click.Path(exists=True, dir_okay=False),
    help="PVM's host file, with options for hosts.",
)
def command(hostfile: str | None) -> None:
    """Start the virtual machine on this host.

    Masters and the worked example start one by themselves where none runs, and halt it behind them;
    one that was started here stays until 'biskit-pvm halt'.
    """
    if daemon.start(hostfile):
        click.echo("started; add hosts with: biskit-pvm add HOST")
    else:
        click.echo("a virtual machine runs already; see: biskit-pvm conf")
