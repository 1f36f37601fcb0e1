"""What a pvmd that was killed has left behind on this host.

PVM itself never removes these files, and beside them a new pvmd writes no log or is not found.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from . import daemon


def find() -> list[Path]:
    """Return the files of this user that no living process needs.

    These are address file and log of this virtual machine, if its pvmd is gone, and sockets of
    processes that have ended.
    """
    found = []
    if daemon.pid() is None:
        found += [path for path in (daemon.address_file(), daemon.log_file()) if _mine(path)]
    for path in daemon.folder().glob("pvmtmp*"):
        number = re.fullmatch(r"pvmtmp(\d+)\.\d+", path.name)
        if number and _mine(path) and not _lives(int(number[1])):
            found.append(path)
    return sorted(found)


def remove() -> list[Path]:
    """Remove them, and return those that were removed."""
    found = find()
    for path in found:
        path.unlink(missing_ok=True)
    return found


def _mine(path: Path) -> bool:
    try:
        return path.lstat().st_uid == os.getuid()
    except FileNotFoundError:
        return False


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
