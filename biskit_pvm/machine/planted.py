"""Files that somebody else has put where this user's daemon would have its own.

The folder of PVM's files is often one in which everybody may write, such as /tmp, and the
names in it are known.  A file there is used only if it is an ordinary one of this user.
"""

from __future__ import annotations

import os
import stat

TYPE_CHECKING = False  # slaves start quickly
if TYPE_CHECKING:
    from typing import BinaryIO

REMEDY = "use a folder of your own, on every host: mkdir -m 700 FOLDER; export PVM_TMP=FOLDER"
"""What helps against a file that this user cannot remove."""


def what_is_wrong(path: str | os.PathLike[str]) -> str:
    """Return in words why a file is not to be used.

    Returns
    -------
    str
        '' where it is an ordinary file of this user, and where there is none.
    """
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return ""
    except OSError as error:
        return f"{os.fspath(path)} cannot be looked at: {error.strerror}"
    return _judge(os.fspath(path), status)


def _judge(path: str, status: os.stat_result) -> str:
    if status.st_uid != os.getuid():
        return f"{path} belongs to another user (uid {status.st_uid})"
    kinds = ((stat.S_ISLNK, "a link"), (stat.S_ISDIR, "a folder"), (stat.S_ISFIFO, "a pipe"))
    for is_kind, name in kinds:
        if is_kind(status.st_mode):
            return f"{path} is {name}, and no ordinary file"
    return "" if stat.S_ISREG(status.st_mode) else f"{path} is no ordinary file"


def open_own(path: str | os.PathLike[str]) -> BinaryIO:
    """Open a file of this user for reading, without waiting for anything.

    Raises
    ------
    OSError
        There is none, or it is not an ordinary file of this user.
    """
    file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb")
    wrong = _judge(os.fspath(path), os.fstat(file.fileno()))
    if wrong:
        file.close()
        raise PermissionError(1, wrong)
    return file


def read_own(path: str | os.PathLike[str]) -> str:
    """Return the text of a file of this user; see `open_own`."""
    with open_own(path) as file:
        return file.read().decode(errors="replace")
