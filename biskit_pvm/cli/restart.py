"""``biskit-pvm restart``, and ``restartPVM`` as it was called."""

from __future__ import annotations

import os
import pickle
import sys
import tempfile
import time
from typing import TYPE_CHECKING, Any

import click

from biskit_pvm.cli.common import expecting
from biskit_pvm.errors import CalculationError, RestartError

if TYPE_CHECKING:
    from biskit_pvm import TrackingJobMaster


@click.command()
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False))
@click.option("-i", "old_file", type=click.Path(exists=True, dir_okay=False), help="The same as FILE.")
@click.option("-a", "--add-hosts", is_flag=True, help="Add the saved hosts to PVM first.")
@click.option("--host", "hosts", multiple=True, help="Use this host instead; may be repeated.")
@click.option("--trust", is_flag=True, help="Run whatever the file asks for: you know where it comes from.")
@click.option(
    "--slave-script", type=click.Path(exists=True, dir_okay=False), help="Run this script rather than the saved one."
)
@click.option("--output", metavar="RESULT", type=click.Path(dir_okay=False), help="Save the result there, pickled.")
@click.option("--no-output", is_flag=True, help="Save no result.")
def command(
    file: str | None,
    old_file: str | None,
    add_hosts: bool,
    hosts: tuple[str, ...],
    trust: bool,
    slave_script: str | None,
    output: str | None,
    no_output: bool,
) -> None:
    """Finish an interrupted calculation.

    FILE was written by a master's saveRst or its option autosave. One that you have written is
    known by its seal. Any other could run anything: you are asked on a terminal, and must say
    --trust elsewhere; or give --slave-script, and nothing but plain values is taken from the file.

    The result is pickled into RESULT. A master that saves its result by itself, in a method done
    of its own, needs none. When the calculation is interrupted or fails, what is finished goes
    into FILE.
    """
    from biskit_pvm import hosts as host_file
    from biskit_pvm import load_restart, restart
    from biskit_pvm.restart.file import describe

    path = file or old_file
    if path is None:
        raise click.UsageError("name the restart file")
    if output and no_output:
        raise click.UsageError("--output and --no-output exclude each other")
    with expecting(RestartError, OSError):
        description = describe(path)
        own = description.own or trust
        if not own and slave_script is None:
            own = _ask_for_trust(path, description)
        options: dict[str, Any] = {}
        if hosts or not own:
            options["hosts"] = list(hosts) or list(host_file.cpus_all)
        if slave_script:
            options["slave_script"] = os.path.abspath(slave_script)
        master = restart(load_restart(path, trust=own), add_hosts=int(add_hosts), **options)
    try:
        target = None if no_output else _target(path, output, master)
    except BaseException:
        master.exit()
        raise
    try:
        result = master.calculateResult()
    except BaseException as error:
        kept = _keep_finished(master, path)
        if isinstance(error, (CalculationError, RestartError)):
            raise click.ClickException(f"{error}\n{kept}") from error
        click.echo(kept, err=True)
        raise
    click.echo(f"finished: {len(master.result)} items")
    if target:
        _write(target, result, master)


def _ask_for_trust(path: str, description: Any) -> bool:
    """Show what a file of unknown origin says, and ask; refuse where nobody can answer."""
    header = description.header
    saved = time.strftime("%Y-%m-%d %H:%M", time.localtime(max(0.0, min(header.saved, 1e11))))
    rows = [
        ("class", header.master),
        ("script", header.script or "none"),
        ("slave script", header.slave_script or "not told"),
        ("items", "not told" if header.items < 0 else f"{header.items}, {header.left} to be done"),
        ("saved", saved),
    ]
    click.echo(f"{path} was not sealed by you: somebody else has written it, or an older version. It says:", err=True)
    for name, value in rows:
        # whoever wrote it could otherwise write on the terminal, too
        click.echo(f"    {name:13}{''.join(c if c.isprintable() else '?' for c in value)}", err=True)
    if not sys.stdin.isatty():
        raise click.ClickException(
            f"{path} is not restarted: it can run anything. "
            "Say --trust if you know where it comes from, or give --slave-script"
        )
    if not click.confirm("Trust it, and run whatever it asks for?", err=True):
        raise click.exceptions.Exit(1)
    return True


def _target(path: str, output: str | None, master: TrackingJobMaster) -> str | None:
    """Find out, before the work, where the result goes."""
    from biskit_pvm import TrackingJobMaster

    if output is None:
        if type(master).done is not TrackingJobMaster.done:
            return None
        if not sys.stdin.isatty():
            raise click.UsageError("say where to save the result: --output RESULT; or --no-output")
        output = click.prompt("Save the result as", default=f"{path}.result", err=True)
    folder = os.path.dirname(os.path.abspath(output))
    if not os.access(folder, os.W_OK | os.X_OK):
        raise click.ClickException(f"--output {output}: {folder} cannot be written to")
    return output


def _keep_finished(master: TrackingJobMaster, path: str) -> str:
    """Save what is finished of a calculation that did not come to its end."""
    try:
        master.saveRst(path)
    except Exception as error:
        return f"what is finished could not be saved: {error}"
    return f"what is finished is in {path}"


def _write(path: str, result: Any, master: TrackingJobMaster) -> None:
    from biskit_pvm.files import write_atomically

    try:
        content = pickle.dumps(result)
    except Exception as error:
        # what came from the slaves was pickled before
        click.echo(f"the result of getResult cannot be pickled ({error}); saved is {{item: result}}", err=True)
        content = pickle.dumps(master.result)
    try:
        write_atomically(path, content)
    except OSError as error:
        handle, other = tempfile.mkstemp(prefix="biskit-pvm-result-")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        raise click.ClickException(f"{path} cannot be written ({error}); the result is in {other}") from error
    click.echo(f"wrote {path}")


def main() -> None:
    """Run ``restartPVM``."""
    command.main(prog_name="restartPVM")
