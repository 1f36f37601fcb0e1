"""
Translated code kept for the next start, by what the source says and not by where it lies.

An entry is a code object in Python's own format; reading one is as good as running it. So entries are only taken from a
folder that belongs to this user and that nobody else can write to, whatever the umask says. They are written under another
name and then renamed: slaves that start at the same time never see half an entry.
"""

from __future__ import annotations

import hashlib
import marshal
import os
import stat
import sys
import tempfile
from pathlib import Path
from types import CodeType

from biskit_pvm.compat.python2.translate import translator_version
from biskit_pvm.files import write_atomically

_MAGIC = b"biskit_pvm translated code 2\n"
_DIGEST_SIZE = hashlib.sha256().digest_size


def folder(part: str = "translated") -> Path | None:
    """
    Give a folder of the cache, such as ``$XDG_CACHE_HOME/biskit_pvm/translated``, by default below ``~/.cache``.

    Parameters
    ----------
    part : str

    Returns
    -------
    Path or None
        None where no safe folder can be had: everything is then translated anew.
    """
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    if not os.path.isabs(base):
        return None
    path = Path(base, "biskit_pvm", part)
    try:
        # whoever can write to a folder above can put another one in its place
        if not _make_own(path.parent) or not _make_own(path):
            return None
    except OSError:
        return None
    return path


def _make_own(path: Path) -> bool:
    """Make a folder that only this user can write to, or see to it that one is that; tell whether it is."""
    try:
        path.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        pass
    status = os.lstat(path)
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
        return False
    if status.st_mode & 0o022:  # made under a umask such as 002; what others may have put there is not theirs to run
        os.chmod(path, stat.S_IMODE(status.st_mode) & ~0o022)
    return True


def read_grammar() -> None:
    """Have fissix keep its grammar, a pickle, where only this user can write, and do without where there is no such place."""
    if "fissix.pygram" in sys.modules:
        return
    try:
        import fissix
    except ImportError:
        return  # who translates says what to install
    with tempfile.TemporaryDirectory(prefix="biskit_pvm-") as temporary:
        fissix.CACHE_DIR = folder("grammar") or Path(temporary)
        from fissix import pygram


def key(source: bytes, language: str) -> str:
    """
    Name the entry of a source.

    Parameters
    ----------
    source : bytes
    language : str
        What else the code depends on: the language it was taken for, the mode of compilation.

    Returns
    -------
    str
    """
    digest = hashlib.sha256(f"{translator_version()} {language}\n".encode())
    digest.update(source)
    return digest.hexdigest()


def read(name: str) -> CodeType | None:
    """
    Give the code of an entry.

    Parameters
    ----------
    name : str
        From `key`.

    Returns
    -------
    code or None
        None where there is no entry, or a damaged one.
    """
    path = folder()
    if path is None:
        return None
    try:
        descriptor = os.open(path / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o022:
                return None
            data = file.read()
    except OSError:
        return None
    body = data[len(_MAGIC) + _DIGEST_SIZE :]
    if data[: -len(body) or None] != _MAGIC + _digest(name, body):
        return None
    try:
        code = marshal.loads(body)
    except (EOFError, ValueError, TypeError):
        return None
    return code if isinstance(code, CodeType) else None


def _digest(name: str, body: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + body).digest()


def write(name: str, code: CodeType) -> None:
    """
    Keep code for later; where that fails, it is translated again next time.

    Parameters
    ----------
    name : str
        From `key`.
    code : code
    """
    path = folder()
    if path is None:
        return
    body = marshal.dumps(code)
    try:
        write_atomically(path / name, _MAGIC + _digest(name, body) + body, mode=0o600)
    except OSError:
        pass
