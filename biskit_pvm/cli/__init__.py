"""The command ``biskit-pvm``: options and help, one module per tool; the work is done elsewhere.

Exit codes: 0 for success, 1 for a failure explained by a message, 2 for a mistake on the command
line, 3 if no pvmd is running, 130 after Ctrl-C.
"""

from __future__ import annotations

from collections.abc import Sequence

PROGRAM = "biskit-pvm"


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line and end the process with its exit code.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments without the program's name; those of the process by default.
    """
    from biskit_pvm.cli.group import command

    command.main(args=None if argv is None else list(argv), prog_name=PROGRAM)
