"""How slaves are started by a foreman: the words for PVM.

PVM's daemon spawns a stand-in, a small program (``pvm_ext/standin.c``) that asks the foreman of
the host for the slave (`biskit_pvm.machine.foreman`).  To PVM the stand-in is the task.
"""

from __future__ import annotations

import os

import pvm_ext
from biskit_pvm.machine import helper

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def program() -> str:
    """Return the path of the stand-in."""
    return os.path.join(os.path.dirname(os.path.abspath(pvm_ext.__file__)), "standin")


def new_name() -> str:
    """Return a name for the socket of a new foreman, which others cannot guess."""
    return f"biskit-pvm-{os.urandom(16).hex()}"


def words(name: str, command: Sequence[str]) -> list[str]:
    """Return the words that have a foreman run a Python command; where it is not there, they run it themselves."""
    return [program(), name, *command]


def foreman_words(name: str, module: str, master: int, beat: float | None = None) -> list[str]:
    """Return the words that start a foreman.

    Parameters
    ----------
    name : str
        Its socket; see `new_name`.
    module : str
        Whose `main` it runs.
    master : int
        The tid of the task that it ends with.
    beat : float, optional
        Seconds between the signs of life of a foreman that passes messages on.
    """
    python, *rest = helper.command(module, arguments=f"{master}, path, {beat!r}")
    # Its forks go on where `python -i script` does.
    return [program(), "--listen", name, python, "-i", *rest]
