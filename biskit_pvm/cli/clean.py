"""``biskit-pvm clean``."""

from __future__ import annotations

import sys

import click

from biskit_pvm.cli.common import HOST
from biskit_pvm.machine import cleaning
from biskit_pvm.report.progress import count


@click.command()
@click.argument("hosts", nargs=-1, type=HOST)
@click.option("--all", "every", is_flag=True, help="Clean all hosts of your host file.")
@click.option("--slaves", is_flag=True, help="Also end slaves that have lost their pvmd.")
@click.option("--all-slaves", is_flag=True, help="Also end all your slaves, even those at work.")
@click.option("--dry-run", "-n", is_flag=True, help="Only show what would be removed or ended.")
def command(hosts: tuple[str, ...], every: bool, slaves: bool, all_slaves: bool, dry_run: bool) -> None:
    """Remove files left behind by a killed pvmd, here or on HOSTS, and shared objects that nobody uses.

    The address file, socket and log of a running pvmd are kept, and so are the files of other users.
    """
    from biskit_pvm import hosts as host_file

    wanted = host_file.nodes_all if every else hosts or ["localhost"]
    failed = False
    if slaves or all_slaves:
        ended = cleaning.end_slaves(wanted, all_slaves, dry_run)
        failed |= _tell(ended, "slave", "to end" if dry_run else "ended")
    files = cleaning.remove_files(wanted, dry_run)
    failed |= _tell(files, "file", "to remove" if dry_run else "removed")
    sys.exit(failed)


def _tell(results: list[cleaning.Cleaned], thing: str, done: str) -> bool:
    for result in results:
        if result.error:
            click.echo(f"{result.host}: {result.error}", err=True)
        for item in result.removed:
            click.echo(item if len(results) == 1 else f"{result.host}: {item}")
    click.echo(f"{count(sum(len(result.removed) for result in results), thing)} {done}")
    return any(result.error for result in results)
