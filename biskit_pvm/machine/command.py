"""The command line of a slave."""

from __future__ import annotations

import os
import sys


def xterm() -> str:
    """Return the path of xterm, or its mere name where it is missing."""
    import shutil

    return shutil.which("xterm") or "xterm"


def python_command(slave_script: str, niceness: int) -> list[str]:
    """Return the words by which a slave script is run.

    Where this process itself was started for old scripts (see
    `biskit_pvm.compat`), its slaves are run in the same way.
    """
    runner = os.environ.get("BISKIT_PVM_RUN")
    if runner:
        return [sys.executable, "-i", "-m", runner, slave_script, str(niceness)]
    return [sys.executable, "-i", slave_script, str(niceness)]


def slave_variables() -> dict[str, str]:
    """Return the environment variables by which slaves run like this
    process."""
    return {name: os.environ[name] for name in ("BISKIT_PVM_RUN", "BISKIT_PVM_RUN_PATH") if name in os.environ}
