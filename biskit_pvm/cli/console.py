"""``biskit-pvm console``."""

from __future__ import annotations

import os
import sys

import click

from biskit_pvm.cli.common import expecting
from biskit_pvm.machine import daemon
from pvm_ext import installation


@click.command()
def command() -> None:
    """Run PVM's own console, the program pvm.

    Where no virtual machine runs, one is started first. 'help' lists the console's commands; 'quit' leaves
    the virtual machine running, 'halt' ends it.
    """
    with expecting(installation.PvmNotFoundError):
        program = installation.console()
        environment = {**os.environ, **installation.environment()}
    # The console would start /usr/bin/pvmd, whichever PVM it belongs to itself.
    daemon.start()
    sys.stdout.flush()
    os.execve(program, [os.fspath(program)], environment)
