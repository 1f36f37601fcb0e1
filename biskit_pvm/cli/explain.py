"""Which errors have a plain explanation for the person at the terminal."""

from __future__ import annotations

import os
from typing import NamedTuple

from biskit_pvm.hosts import HostsError
from pvm_ext.errors import PvmError

FAILURE = 1  #: exit code of a failure
NO_DAEMON = 3  #: exit code where no pvmd runs


class Explanation(NamedTuple):
    """What to print, and the exit code of the process."""

    text: str
    exit_code: int


def explain(error: Exception) -> Explanation | None:
    """Return the explanation of an error, or None for a fault of the program.

    Such a fault deserves its traceback.
    """
    if isinstance(error, PvmError):
        if error.name != "SysErr":
            return Explanation(f"PVM: {error}", FAILURE)
        if os.getuid() == 0 and "PVM_ALLOW_ROOT" not in os.environ:
            return Explanation(str(error.detail or error), FAILURE)
        return Explanation(f"{error.detail or error}; start one with: biskit-pvm start", NO_DAEMON)
    if isinstance(error, FileNotFoundError) and _folder_is_gone():
        return Explanation("the current folder no longer exists; change to another one", FAILURE)
    if isinstance(error, (HostsError, OSError)):
        return Explanation(str(error), FAILURE)
    return None


def _folder_is_gone() -> bool:
    try:
        os.getcwd()
    except FileNotFoundError:
        return True
    return False
