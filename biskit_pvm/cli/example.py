"""``biskit-pvm example``."""

from __future__ import annotations

from pathlib import Path

import click

from biskit_pvm.cli.common import echo_json, expecting, json_option
from biskit_pvm.errors import CalculationError
from biskit_pvm.rmsd.pdb import ATOM_CHOICES, PDBError


@click.group()
def command() -> None:
    """Run the worked example, a real calculation on real slaves."""


@command.command()
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False))
@click.option(
    "--atoms",
    type=click.Choice(ATOM_CHOICES),
    default="ca",
    show_default=True,
    help="Atoms to compare: C-alpha; N, CA, C and O; or all.",
)
@click.option("--host", "hosts", multiple=True, help="Start a slave on this host; may be repeated.")
@click.option("--slaves", type=click.IntRange(1), help="Number of slaves. [default: one per CPU]")
@click.option("--output", metavar="NAME", help="Write NAME.npy and NAME.png.")
@click.option("--picture/--no-picture", default=True, help="Draw the heat map (needs matplotlib).")
@click.option("--quiet", "-q", is_flag=True, help="Show no progress.")
@json_option
def rmsd(
    file: str | None,
    atoms: str,
    hosts: tuple[str, ...],
    slaves: int | None,
    output: str | None,
    picture: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Compare all models of a PDB file with each other.

    The root mean square deviation after optimal superposition (Kabsch) of every pair of models in
    FILE, plain or gzipped; by default the NMR ensemble 2JUY that comes with the package. Without
    --host, the slaves are spread over the hosts of your host file, which is this computer where
    there is none.
    """
    from biskit_pvm.rmsd.example import one_host_per_slave, run_example

    quiet = quiet or as_json
    with expecting(PDBError, CalculationError):
        result = run_example(
            Path(file) if file else None,
            atoms,
            one_host_per_slave(hosts, slaves),
            output,
            picture,
            tell=(lambda text: click.echo(text, err=True)) if as_json else click.echo,
            verbose=0 if quiet else 1,
        )
    if as_json:
        echo_json(result)
