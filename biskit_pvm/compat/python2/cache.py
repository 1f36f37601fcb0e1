"""
Translated code kept for the next start, by what the source says and not by where it lies.

An entry is a code object in Python's own format; reading one is as good as running it. So entries are only taken from a
folder that belongs to this user and that nobody else can write to. They are written under another name and then renamed:
slaves that start at the same time never see half an entry.
"""

from __future__ import annotations

import hashlib
import marshal
import os
import stat
import tempfile
from pathlib import Path
from types import CodeType

from biskit_pvm.compat.python2.translate import translator_version

_MAGIC = b"biskit_pvm translated code 1\n"
_DIGEST_SIZE = hashlib.sha256().digest_size


def folder() -> Path | None:
    """
    Give the folder of the cache: ``$XDG_CACHE_HOME/biskit_pvm/translated``, by default below ``~/.cache``.

    Returns
    -------
    Path or None
        None where no safe folder can be had: everything is then translated anew.
    """
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    if not os.path.isabs(base):
        return None
    path = Path(base, "biskit_pvm", "translated")
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        # whoever can write to a folder above can put another one in its place
        for each in (path, path.parent):
            status = os.lstat(each)
            if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o022:
                return None
    except OSError:
        return None
    return path


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
        with open(path / name, "rb") as file:
            status = os.fstat(file.fileno())
            if status.st_uid != os.getuid() or status.st_mode & 0o022:
                return None
            data = file.read()
    except OSError:
        return None
    body = data[len(_MAGIC) + _DIGEST_SIZE :]
    if not data.startswith(_MAGIC) or hashlib.sha256(body).digest() != data[len(_MAGIC) : len(_MAGIC) + _DIGEST_SIZE]:
        return None
    code = marshal.loads(body)
    return code if isinstance(code, CodeType) else None


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
        descriptor, temporary = tempfile.mkstemp(prefix=".new-", dir=path)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(_MAGIC + hashlib.sha256(body).digest() + body)
            os.replace(temporary, path / name)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError:
        pass
