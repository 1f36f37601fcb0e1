"""``biskit-pvm new``."""

from __future__ import annotations

import click

from biskit_pvm.cli.common import expecting
from biskit_pvm.cli.scaffold import ScaffoldError, write_calculation


@click.command()
@click.argument("name")
@click.option(
    "--directory",
    "-d",
    type=click.Path(file_okay=False),
    default=".",
    help="Folder to write to; created if necessary. [default: the current one]",
)
def command(name: str, directory: str) -> None:
    """Write a master, a slave and a test to start from.

    The three files run as they are; the places to fill in are marked TODO. NAME becomes part of file
    and class names, so it can have only letters, digits and underscores.
    """
    with expecting(ScaffoldError):
        master, slave, test = write_calculation(name, directory)
    click.echo(f"wrote {master}, {slave}, {test}")
    click.echo(f"run it:   python {master}")
    click.echo(f"test it:  python -m pytest {test}")
