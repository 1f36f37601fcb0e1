"""``biskit-pvm restart``, and ``restartPVM`` as it was called."""

from __future__ import annotations

import pickle

import click

from biskit_pvm.cli.common import expecting
from biskit_pvm.errors import CalculationError, RestartError


@click.command()
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False))
@click.option("-i", "old_file", type=click.Path(exists=True, dir_okay=False), help="The same as FILE.")
@click.option("-a", "--add-hosts", is_flag=True, help="Add the saved hosts to PVM first.")
@click.option("--host", "hosts", multiple=True, help="Use this host instead; may be repeated.")
@click.option("--trust", is_flag=True, help="Run whatever the file asks for: it is yours, or checked.")
@click.option("--output", metavar="RESULT", help="Save the result there, pickled.")
def command(
    file: str | None,
    old_file: str | None,
    add_hosts: bool,
    hosts: tuple[str, ...],
    trust: bool,
    output: str | None,
) -> None:
    """Finish an interrupted calculation.

    FILE was written by a master's saveRst or its option autosave. It is a pickle, which can do
    anything when it is loaded: without --trust, only classes of biskit_pvm and a few harmless ones
    are used.
    """
    from biskit_pvm import load_restart, restart
    from biskit_pvm.restart.file import write_atomically

    path = file or old_file
    if path is None:
        raise click.UsageError("name the restart file")
    options = {"hosts": list(hosts)} if hosts else {}
    with expecting(RestartError, CalculationError):
        master = restart(load_restart(path, trust=trust), add_hosts=int(add_hosts), **options)
        result = master.calculateResult()
    click.echo(f"finished: {len(master.result)} items")
    if output:
        write_atomically(output, pickle.dumps(result))
        click.echo(f"wrote {output}")


def main() -> None:
    """Run ``restartPVM``."""
    command.main(prog_name="restartPVM")
