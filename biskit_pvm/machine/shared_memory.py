"""Large objects that the processes of a host have in memory once: files in a tmpfs, which each of them maps.

Each owner has a folder of its own, in which every process that uses it holds a lock on the file `alive`.  The
kernel gives locks back however a process ends, so a folder that nobody has locked is left over, and `sweep`
removes it.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

FOLDER = "/dev/shm"

#: seconds that a process may need between making a folder and locking it
YOUNG = 60.0

#: what the name of a folder ends with that is being removed; whoever began with it may have been killed meanwhile
_GONE = ".gone"

_ALIGNED = 64
_LENGTH = struct.Struct("<Q")
#: bytes that are compared at a time, so that they stay in the cache
_COMPARED = 65536
#: or a computer that reserves memory for whatever may be written would refuse what never is
_NORESERVE = getattr(mmap, "MAP_NORESERVE", 0)


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
            try:
                lock = os.open(os.path.join(self.path, "alive"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            except FileNotFoundError:  # swept away meanwhile
                continue
            fcntl.flock(lock, fcntl.LOCK_SH)
            try:
                if os.fstat(lock).st_ino == os.stat(os.path.join(self.path, "alive")).st_ino:
                    self._lock = lock
                    return
            except FileNotFoundError:  # swept away meanwhile
                pass
            os.close(lock)

    def draft(self, key: str, size: int) -> Draft:
        """Begin with an object; whoever does has locked it, or is the owner.  OSError when there is no room."""
        path = os.path.join(self.path, key)
        file = os.open(path + ".part", os.O_CREAT | os.O_TRUNC | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            # or a page that does not fit would end the process later
            os.posix_fallocate(file, 0, size)
        except OSError as error:
            os.close(file)
            os.unlink(path + ".part")
            raise OSError(error.errno, f"{FOLDER} has no room for {size} bytes: {error.strerror}") from None
        return Draft(size, file, path)

    def open(self, key: str, writable: bool = False) -> memoryview:
        """Map an object; KeyError when it is not here.

        Parameters
        ----------
        key : str
        writable : bool
            Let this process write: it then has the pages to which it does for itself.
        """
        try:
            file = os.open(os.path.join(self.path, key), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            raise KeyError(key) from None
        try:
            if writable:
                flags = mmap.MAP_PRIVATE | _NORESERVE
                return memoryview(mmap.mmap(file, 0, flags=flags, prot=mmap.PROT_READ | mmap.PROT_WRITE))
            return memoryview(mmap.mmap(file, 0, prot=mmap.PROT_READ))
        finally:
            os.close(file)

    @contextmanager
    def locked(self, key: str) -> Iterator[None]:
        """Be the only process of this host that fetches an object; the others wait meanwhile."""
        lock = os.open(os.path.join(self.path, key + ".lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def remove(self, key: str) -> None:
        """Remove an object; those who have mapped it keep it."""
        for name in (key, key + ".part", key + ".lock"):
            try:
                os.unlink(os.path.join(self.path, name))
            except OSError:
                pass

    def close(self) -> None:
        """Use it no more, and remove it when nobody else does."""
        lock, self._lock = self._lock, -1
        if lock < 0:
            return
        os.close(lock)
        sweep()


class Draft:
    """An object whose bytes come one after the other: a file of a store, or memory of this process alone.

    Parameters
    ----------
    size : int
        Its bytes.
    file, path : int and str, optional
        The open file, and where it belongs when it is whole.
    """

    def __init__(self, size: int, file: int = -1, path: str = "") -> None:
        self.size, self._file, self.path = size, file, path
        self._memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) if file < 0 else None
        self._end = 0

    def write(self, data: Any) -> None:
        """Put bytes behind those that there are."""
        view = memoryview(data)
        if self._memory is not None:
            self._memory[self._end : self._end + view.nbytes] = view
            self._end += view.nbytes
            return
        while view.nbytes:
            written = os.pwrite(self._file, view, self._end)
            self._end += written
            view = view[written:]

    def finish(self) -> memoryview:
        """Put the whole object in its place; return it where it is memory of this process."""
        if self._memory is not None:
            return memoryview(self._memory)
        os.close(self._file)
        os.rename(self.path + ".part", self.path)
        return memoryview(b"")

    def abandon(self) -> None:
        """Leave nothing of it."""
        if self._memory is None:
            os.close(self._file)
            try:
                os.unlink(self.path + ".part")
            except OSError:
                pass


@contextmanager
def reading(path: str) -> Iterator[int]:
    """Open the file of a draft, or of the object that has become of it; gives a descriptor."""
    try:
        file = os.open(path + ".part", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield file
    finally:
        os.close(file)


def pieces_of(parts: Sequence[Any]) -> list[memoryview]:
    """Return what an object looks like in memory: a table of lengths, and the parts, aligned."""
    views = [memoryview(part).cast("B") for part in parts]
    pieces = [memoryview(b"".join(_LENGTH.pack(n) for n in (len(views), *(view.nbytes for view in views))))]
    end = pieces[0].nbytes
    for view in views:
        gap = -end % _ALIGNED
        pieces += [memoryview(bytes(gap)), view]
        end += gap + view.nbytes
    return pieces


def parts_of(view: memoryview) -> list[memoryview]:
    """Return the parts of an object; they are not copied."""
    count = _LENGTH.unpack_from(view)[0]
    parts, begin = [], _LENGTH.size * (count + 1)
    for i in range(count):
        begin += -begin % _ALIGNED
        end = begin + _LENGTH.unpack_from(view, _LENGTH.size * (i + 1))[0]
        parts.append(view[begin:end])
        begin = end
    return parts


def same(one: memoryview, other: memoryview) -> bool:
    """Tell whether two memories hold the same bytes."""
    if one.nbytes != other.nbytes:
        return False
    # memoryviews compare item by item, which takes ten times as long
    return all(
        bytes(one[i : i + _COMPARED]) == bytes(other[i : i + _COMPARED]) for i in range(0, one.nbytes, _COMPARED)
    )


def sweep() -> list[str]:
    """Remove what ended processes of this user have left; return the paths."""
    removed = []
    try:
        names = os.listdir(FOLDER)
    except OSError:
        return []
    for name in names:
        path = os.path.join(FOLDER, name)
        if name.startswith(prefix(os.getuid())) and _remove_if_left(path):
            removed.append(path)
    return removed


def _remove_if_left(path: str) -> bool:
    try:
        if os.lstat(path).st_uid != os.getuid() or os.path.islink(path):
            return False
        if path.endswith(_GONE):
            _remove(path)
            return True
        lock = os.open(os.path.join(path, "alive"), os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        try:
            left = time.time() - os.lstat(path).st_mtime > YOUNG
        except OSError:
            return False
        if left:
            _remove(path)
        return left
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # whoever comes meanwhile waits for the lock, and sees then that the file is gone
        os.rename(path, path + _GONE)
        _remove(path + _GONE)
        return True
    except OSError:
        return False
    finally:
        os.close(lock)


def _remove(path: str) -> None:
    import shutil  # not needed by most slaves

    shutil.rmtree(path, ignore_errors=True)
