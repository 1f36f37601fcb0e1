"""``biskit-pvm version``."""

from __future__ import annotations

import click

from biskit_pvm.cli.common import echo_json, json_option
from biskit_pvm.cli.versions import versions


@click.command()
@json_option
def command(as_json: bool) -> None:
    """Print the versions of biskit_pvm, PVM and Python, and the location of PVM."""
    found = versions()
    if as_json:
        echo_json(found)
    else:
        for name, value in found.items():
            click.echo(f"{name:<12} {value}")
