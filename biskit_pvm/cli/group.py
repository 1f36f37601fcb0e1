"""The main command and how it finds the others."""

from __future__ import annotations

import importlib
from typing import Any

import click

from biskit_pvm.cli import PROGRAM
from biskit_pvm.cli.explain import NO_DAEMON, explain

#: Commands in the order of the help: name of the command and of its module, one line of help.
#: Kept here so that `biskit-pvm --help` imports none of them.
COMMANDS = {
    "Calculations": {
        "run": "Run an old Python 2 script unchanged.",
        "restart": "Finish an interrupted calculation.",
        "top": "Show hosts, slaves and calculations live.",
        "example": "Run the worked example.",
        "new": "Write a master, a slave and a test to start from.",
    },
    "Virtual machine": {
        "start": "Start the virtual machine on this host.",
        "halt": "Halt the virtual machine.",
        "conf": "List its hosts.",
        "ps": "List its tasks.",
        "add": "Add hosts.",
        "delete": "Delete hosts.",
        "reset": "End all tasks.",
        "clean": "Remove files left behind by a killed pvmd.",
        "console": "Run PVM's own console.",
    },
    "Help": {
        "hosts": "Show the hosts in your host file.",
        "doctor": "Find out why PVM or a host does not work.",
        "config": "Show how to compile C programs for this PVM.",
        "version": "Print versions and the location of PVM.",
    },
}

_HELP = {name: text for section in COMMANDS.values() for name, text in section.items()}


#: What people type, and the command that they mean.
_OTHER_WORDS = {
    "stop": "halt",
    "quit": "halt",
    "exit": "halt",
    "shutdown": "halt",
    "kill": "reset",
    "status": "conf",
    "list": "conf",
    "info": "version",
    "remove": "delete",
    "rm": "delete",
    "create": "new",
    "init": "new",
    "check": "doctor",
    "demo": "example",
    "watch": "top",
    "resume": "restart",
}

#: Exit code after Ctrl-C, as shells have it.
_INTERRUPTED = 130


class _NoDaemon(click.ClickException):
    exit_code = NO_DAEMON


class Main(click.Group):
    """Import a command's module when the command is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return list(_HELP)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command by its name."""
        if cmd_name not in _HELP:
            return None
        found = importlib.import_module(f"{__package__}.{cmd_name}").command
        assert isinstance(found, click.Command)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is meant; name the nearest one for a word that is none."""
        name = args[0] if args else ""
        if name and not name.startswith("-") and name not in _HELP:
            import difflib

            near = [_OTHER_WORDS[name]] if name in _OTHER_WORDS else difflib.get_close_matches(name, _HELP, 1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            raise click.UsageError(f"There is no command '{name}'.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands by section."""
        for title, section in COMMANDS.items():
            with formatter.section(title):
                formatter.write_dl(list(section.items()))

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; turn errors that have a plain explanation into that and an exit code."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except KeyboardInterrupt:
            raise click.exceptions.Exit(_INTERRUPTED) from None
        except Exception as error:
            told = explain(error)
            if told is None:
                raise
            kind = _NoDaemon if told.exit_code == NO_DAEMON else click.ClickException
            raise kind(told.text) from error


def _print_version(ctx: click.Context, param: click.Parameter, wanted: bool) -> None:
    if not wanted:
        return
    from biskit_pvm import __version__

    click.echo(f"{PROGRAM} {__version__}")
    ctx.exit()


def _print_completion(ctx: click.Context, param: click.Parameter, shell: str | None) -> None:
    if not shell:
        return
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None
    variable = f"_{PROGRAM.replace('-', '_').upper()}_COMPLETE"
    click.echo(kind(ctx.command, {}, PROGRAM, variable).source())
    ctx.exit()


@click.command(
    cls=Main,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="""\b
Start with:   biskit-pvm example rmsd
Then try:     biskit-pvm new mycalculation
In trouble:   biskit-pvm doctor
Exit codes:   0 success, 1 failure, 2 wrong command line, 3 no pvmd is running
Completion:   add to ~/.bashrc: eval "$(biskit-pvm --completion bash)"
""",
)
@click.option(
    "--version",
    is_flag=True,
    callback=_print_version,
    expose_value=False,
    is_eager=True,
    help="Print the version. 'biskit-pvm version' prints more.",
)
@click.option(
    "--completion",
    type=click.Choice(["bash", "zsh", "fish"]),
    callback=_print_completion,
    expose_value=False,
    is_eager=True,
    help="Print a shell script for tab completion.",
)
def command() -> None:
    """Run calculations on many computers with PVM, the Parallel Virtual Machine.

    A master hands out the items of a calculation to slaves on any number of hosts. These commands
    start and inspect the virtual machine, run and restart calculations, and help you get started.
    """
