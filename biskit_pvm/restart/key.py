"""The key by which a user's own restart files are known."""

from __future__ import annotations

import logging
import os
import secrets
import stat
from pathlib import Path

log = logging.getLogger(__name__)

KEY_BYTES = 32


def path() -> Path:
    """Return where the key is: ``~/.biskit/restart.key``."""
    return Path(os.path.expanduser("~"), ".biskit", "restart.key")


def own_key(make: bool = False) -> bytes | None:
    """Return the user's key.

    Parameters
    ----------
    make : bool
        Make one where there is none.

    Returns
    -------
    bytes or None
        None where there is none, where it cannot be made, and where somebody else could
        know it; the log tells the latter two.
    """
    file = path()
    try:
        key = _read(file)
        if key is None and make:
            _make(file)
            key = _read(file)
    except (OSError, ValueError) as error:
        log.warning("restart files are not sealed: %s", error)
        return None
    return key


def _read(file: Path) -> bytes | None:
    try:
        handle = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    with os.fdopen(handle, "rb") as opened:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise ValueError(f"{file} is no ordinary file")
        if status.st_uid != os.getuid():
            raise ValueError(f"{file} belongs to another user (uid {status.st_uid})")
        if status.st_mode & 0o077:
            raise ValueError(f"others may read {file}; remove it, and a new one is made")
        text = opened.read(4 * KEY_BYTES)
    try:
        key = bytes.fromhex(text.decode())
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise ValueError(f"{file} is damaged; remove it, and a new one is made")
    return key


def _make(file: Path) -> None:
    """Write a new key; of several processes that do so at once, on any host, one succeeds."""
    folder = file.parent
    folder.mkdir(mode=0o700, exist_ok=True)
    if os.stat(folder).st_uid != os.getuid():
        raise ValueError(f"{folder} belongs to another user")
    temporary = folder / f".{file.name}.{secrets.token_hex(8)}"
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "w") as opened:
            os.fchmod(handle, 0o600)
            opened.write(secrets.token_hex(KEY_BYTES) + "\n")
            opened.flush()
            os.fsync(handle)
        try:
            os.link(temporary, file)
        except FileExistsError:
            pass
        except OSError:  # a file system where a file has one name only
            if not os.path.lexists(file):
                os.replace(temporary, file)
    finally:
        temporary.unlink(missing_ok=True)
