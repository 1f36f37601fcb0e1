"""``biskit-pvm clean``."""

from __future__ import annotations

import click

from ..core.progress import count
from ..runtime import leftovers


@click.command()
@click.option("--dry-run", "-n", is_flag=True, help="Only tell what would be removed.")
def command(dry_run: bool) -> None:
    """Remove what a pvmd that was killed has left behind on this host.

    Address file and log of a pvmd that lives are kept, and so are other users' files.
    """
    found = leftovers.find() if dry_run else leftovers.remove()
    for path in found:
        click.echo(path)
    click.echo(f"{count(len(found), 'file')} {'to remove' if dry_run else 'removed'}")
