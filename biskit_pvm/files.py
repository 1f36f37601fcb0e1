"""Files that are whole or not there: written beside the old one, then put in its place.

A file in a folder that others may write to is never followed through their links, and no
file that somebody else has put there is written into.
"""

from __future__ import annotations

import os
import secrets
import socket
import stat
import threading

__all__ = ["write_atomically"]

#: whoever likes may save, and autosaving is done in a thread of its own
_writing = threading.Lock()


def write_atomically(
    path: str | os.PathLike[str], content: bytes, keep_old: bool = False, mode: int | None = None
) -> None:
    """Replace a file by a new one; a failure or a crash leaves the old one as it was.

    A link of one's own is followed, and the file behind it replaced.  What is no ordinary
    file, such as a pipe or a device, is written to.

    Parameters
    ----------
    path : path
    content : bytes
    keep_old : bool
        Keep the old file as `<path>~`.
    mode : int, optional
        Permissions of the file; by default those of the file before, and of a new one those
        that the umask leaves.

    Raises
    ------
    OSError
    """
    target = _target(os.fspath(path))
    try:
        before: os.stat_result | None = os.lstat(target)
    except FileNotFoundError:
        before = None
    if before is not None and stat.S_ISDIR(before.st_mode):
        raise IsADirectoryError(21, os.strerror(21), target)
    if before is not None and not stat.S_ISREG(before.st_mode) and not stat.S_ISLNK(before.st_mode):
        with open(target, "wb") as file:
            file.write(content)
        return
    old = before is not None and stat.S_ISREG(before.st_mode)
    if mode is None and old and before is not None and before.st_uid == os.getuid():
        mode = stat.S_IMODE(before.st_mode) & 0o777
    with _writing:
        _replace(target, content, old and keep_old, mode)


def _target(path: str) -> str:
    """Follow links that are this user's own, or the administrator's."""
    path = os.path.abspath(path)
    for _ in range(40):
        try:
            status = os.lstat(path)
        except FileNotFoundError:
            return path
        if not stat.S_ISLNK(status.st_mode) or status.st_uid not in (os.getuid(), 0):
            return path
        path = os.path.join(os.path.dirname(path), os.readlink(path))
    raise OSError(40, os.strerror(40), path)


def _replace(path: str, content: bytes, keep_old: bool, mode: int | None) -> None:
    folder, name = os.path.split(path)
    mark = f".{name}.{socket.gethostname()}-"
    _remove_leftovers(folder, mark)
    temporary = os.path.join(folder, f"{mark}{os.getpid()}-{secrets.token_hex(4)}.part")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    handle = os.open(temporary, flags, 0o666 if mode is None else 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            if mode is not None:
                os.fchmod(file.fileno(), mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if keep_old:
            _keep(path, temporary + "~")
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    _sync(folder)


def _keep(path: str, temporary: str) -> None:
    """Give the old file a second name: at no time is there neither."""
    try:
        os.link(path, temporary, follow_symlinks=False)
        os.replace(temporary, path + "~")
    except OSError:  # a file system without a second name for a file, or somebody else's file
        os.replace(path, path + "~")
    finally:
        try:
            os.unlink(temporary)  # it stays where both names meant the same file already
        except FileNotFoundError:
            pass


def _sync(folder: str) -> None:
    """Have the new name survive a failure of the power, where the file system can."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    except OSError:
        pass
    finally:
        os.close(descriptor)


def _remove_leftovers(folder: str, mark: str) -> None:
    """Remove what processes of this host that were killed while they wrote have left."""
    try:
        names = os.listdir(folder)
    except OSError:
        return
    for name in names:
        if name.startswith(mark) and name.endswith((".part", ".part~")):
            pid = name[len(mark) :].split("-")[0]
            if not os.path.exists(f"/proc/{pid}"):
                try:
                    os.unlink(os.path.join(folder, name))
                except OSError:
                    pass
