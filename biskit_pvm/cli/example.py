"""``biskit-pvm example``."""

from __future__ import annotations

import click

from biskit_pvm.cli.common import echo_json, expecting, json_option
from biskit_pvm.errors import CalculationError
from biskit_pvm.rmsd.structures import PDBError


@click.group()
def command() -> None:
    """Run the worked example, a real calculation on real slaves."""


@command.command()
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option(
    "--atoms",
    metavar="ATOMS",
    default="ca",
    show_default=True,
    help="Atoms to compare: ca; backbone (N, CA, C, O); p or nucleic (backbone) of nucleic acids; "
    "all; or a selection of gemmi's, such as //A/10-50/CA, for a trajectory one of MDAnalysis's.",
)
@click.option("--common", is_flag=True, help="Compare the atoms that all models have, where they differ.")
@click.option(
    "--topology",
    type=click.Path(exists=True, dir_okay=False),
    help="Names of atoms for FILE, which is a trajectory (needs MDAnalysis).",
)
@click.option("--frames", metavar="START:STOP:STEP", help="Which frames of a trajectory, counted from 0.")
@click.option("--host", "hosts", multiple=True, help="Start a slave on this host; may be repeated.")
@click.option("--slaves", type=click.IntRange(1), help="Number of slaves. [default: one per CPU]")
@click.option("--output", metavar="NAME", help="Write NAME.npy, NAME.png and NAME.csv. [default: FILE's name]")
@click.option("--picture/--no-picture", default=True, help="Draw the heat map (needs matplotlib).")
@click.option("--csv", is_flag=True, help="Write the matrix as a table, too.")
@click.option(
    "--order",
    type=click.Choice(["input", "cluster"]),
    default="input",
    show_default=True,
    help="Of picture and table: as in FILE, or similar ones together (needs scipy).",
)
@click.option("--quiet", "-q", is_flag=True, help="Show no progress.")
@json_option
def rmsd(
    file: str | None,
    atoms: str,
    common: bool,
    topology: str | None,
    frames: str | None,
    hosts: tuple[str, ...],
    slaves: int | None,
    output: str | None,
    picture: bool,
    csv: bool,
    order: str,
    quiet: bool,
    as_json: bool,
) -> None:
    """Compare all models of a structure with each other.

    The root mean square deviation after optimal superposition (Kabsch) of every pair of models in
    FILE: PDB, mmCIF or mmJSON, plain or compressed by gzip, bzip2 or xz, or - for standard input;
    by default the NMR ensemble 2JUY that comes with the package. With --topology, FILE is a
    trajectory (XTC, TRR, DCD, NetCDF ...), and its frames are compared. Without --host, the slaves
    are spread over the hosts of your host file, which is this computer where there is none.

    Of an atom in several places the first of the first model counts, and the same place in the
    other models.
    """
    from biskit_pvm.rmsd.example import one_host_per_slave, run_example
    from biskit_pvm.rmsd.trajectory import frames_slice

    quiet = quiet or as_json
    try:
        which = frames_slice(frames) if frames else None
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--frames") from None
    with expecting(PDBError, CalculationError):
        result = run_example(
            file,
            atoms,
            one_host_per_slave(hosts, slaves),
            output,
            picture,
            tell=(lambda text: click.echo(text, err=True)) if as_json else click.echo,
            topology=topology,
            which=which,
            common=common,
            csv=csv,
            order=order,
            verbose=0 if quiet else 1,
        )
    if as_json:
        echo_json(result)
