"""Large objects that the processes of a host have in memory once: files in a tmpfs, mapped read-only.

Each owner has a folder of its own, in which every process that uses it holds a lock on the file `alive`.  The
kernel gives locks back however a process ends, so a folder that nobody has locked is left over, and `sweep`
removes it.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import pickle
import shutil
import struct
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import Any

FOLDER = "/dev/shm"

#: seconds that a process may need between making a folder and locking it
YOUNG = 60.0

_ALIGNED = 64
_LENGTH = struct.Struct("<Q")


def prefix(user: object) -> str:
    """Return what the names of a user's folders begin with."""
    return f"biskit-pvm-{user}-"


class Store:
    """The folder of one owner on this host, which this process uses.

    Parameters
    ----------
    name : str
        Of the owner; random.

    Raises
    ------
    OSError
        There is no tmpfs, or somebody else has taken the name.
    """

    def __init__(self, name: str) -> None:
        self.path = os.path.join(FOLDER, prefix(os.getuid()) + name)
        while True:
            try:
                os.mkdir(self.path, 0o700)
            except FileExistsError:
                status = os.lstat(self.path)
                if status.st_uid != os.getuid() or not os.path.isdir(self.path) or os.path.islink(self.path):
                    raise
            lock = os.open(os.path.join(self.path, "alive"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            fcntl.flock(lock, fcntl.LOCK_SH)
            try:
                if os.fstat(lock).st_ino == os.stat(os.path.join(self.path, "alive")).st_ino:
                    self._lock = lock
                    return
            except FileNotFoundError:  # swept away meanwhile
                pass
            os.close(lock)

    def put(self, key: str, parts: Sequence[Any]) -> None:
        """Write the parts of an object; OSError when there is no room."""
        views = [memoryview(part).cast("B") for part in parts]
        free = os.statvfs(self.path)
        if sum(view.nbytes for view in views) + 65536 > free.f_bavail * free.f_frsize:
            raise OSError(28, "no room for it", self.path)
        file, path = tempfile.mkstemp(dir=self.path)
        try:
            with os.fdopen(file, "wb") as out:
                out.write(b"".join(_LENGTH.pack(number) for number in (len(views), *(view.nbytes for view in views))))
                for view in views:
                    out.write(bytes(-out.tell() % _ALIGNED))
                    out.write(view)
            os.rename(path, os.path.join(self.path, key))
        except BaseException:
            os.unlink(path)
            raise

    def get(self, key: str) -> Any:
        """Make an object of its parts, which are mapped and not copied; KeyError when it is not here."""
        try:
            file = os.open(os.path.join(self.path, key), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            raise KeyError(key) from None
        try:
            view = memoryview(mmap.mmap(file, 0, prot=mmap.PROT_READ))
        finally:
            os.close(file)
        count = _LENGTH.unpack_from(view)[0]
        parts, begin = [], _LENGTH.size * (count + 1)
        for i in range(count):
            begin += -begin % _ALIGNED
            end = begin + _LENGTH.unpack_from(view, _LENGTH.size * (i + 1))[0]
            parts.append(view[begin:end])
            begin = end
        return pickle.loads(parts[0], buffers=parts[1:])

    def get_or_fetch(self, key: str, fetch: Callable[[], Sequence[Any]]) -> Any:
        """Return an object, which one process of this host fetches while the others wait for it."""
        try:
            return self.get(key)
        except KeyError:
            pass
        lock = os.open(os.path.join(self.path, key + ".lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            try:
                return self.get(key)
            except KeyError:
                parts = fetch()
            try:
                self.put(key, parts)
            except OSError:  # no room: this process has it for itself
                return pickle.loads(parts[0], buffers=parts[1:])
            del parts
            return self.get(key)
        finally:
            os.close(lock)

    def remove(self, key: str) -> None:
        """Remove an object; those who have mapped it keep it."""
        for name in (key, key + ".lock"):
            try:
                os.unlink(os.path.join(self.path, name))
            except OSError:
                pass

    def close(self) -> None:
        """Use it no more, and remove it when nobody else does."""
        os.close(self._lock)
        sweep()


def sweep() -> list[str]:
    """Remove what ended processes of this user have left; return the paths."""
    removed = []
    try:
        names = os.listdir(FOLDER)
    except OSError:
        return []
    for name in names:
        path = os.path.join(FOLDER, name)
        if name.startswith(prefix(os.getuid())) and _is_left(path):
            shutil.rmtree(path, ignore_errors=True)
            removed.append(path)
    return removed


def _is_left(path: str) -> bool:
    try:
        if os.lstat(path).st_uid != os.getuid() or os.path.islink(path):
            return False
        lock = os.open(os.path.join(path, "alive"), os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        try:
            return time.time() - os.lstat(path).st_mtime > YOUNG
        except OSError:
            return False
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except OSError:
        return False
    finally:
        os.close(lock)
