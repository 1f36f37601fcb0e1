"""Restart data as bytes that show whether they are whole, and ours.

A restart file is one line of text, a header in JSON, and a pickle::

    biskit_pvm restart data, version 1, header of <n> bytes
    {"bytes": ..., "digest": ..., "master": ..., "script": ..., "saved": ...}
    <pickle>

The digest tells damage, not malice.  Whoever writes a file can put anything
into a pickle; reading one therefore makes only objects of classes that the
reader allows.
"""

from __future__ import annotations

import hashlib
import io
import json
import pickle
import re
from typing import Any, Callable, NamedTuple

VERSION = 1
_FIRST = re.compile(
    rb"biskit_pvm restart data, version (\d{1,9}), "
    rb"header of (\d{1,9}) bytes\n"
)

_ARRAYS = frozenset(("_reconstruct", "scalar"))
#: classes and functions that are harmless to call, by module
SAFE = {
    "builtins": frozenset(
        (
            "bool",
            "bytearray",
            "bytes",
            "complex",
            "dict",
            "float",
            "frozenset",
            "int",
            "list",
            "object",
            "range",
            "set",
            "slice",
            "str",
            "tuple",
        )
    ),
    "copyreg": frozenset(("_reconstructor",)),
    "_codecs": frozenset(("encode",)),
    "collections": frozenset(("OrderedDict", "Counter", "deque")),
    "datetime": frozenset(("date", "datetime", "time", "timedelta", "timezone")),
    "decimal": frozenset(("Decimal",)),
    "fractions": frozenset(("Fraction",)),
    "pathlib": frozenset(("Path", "PosixPath", "PurePosixPath")),
    "numpy": frozenset(("dtype", "ndarray")),
    "numpy.core.multiarray": _ARRAYS,
    "numpy._core.multiarray": _ARRAYS,
    "numpy.core.numeric": frozenset(("_frombuffer",)),
    "numpy._core.numeric": frozenset(("_frombuffer",)),
}


class Damaged(ValueError):
    """The bytes are no restart data, or not whole."""


class Header(NamedTuple):
    """What can be read of restart data without trusting them.

    `saved` is in seconds since the epoch; `script` is the path of the
    script whose classes the data need, or ''.
    """

    master: str
    script: str
    saved: float


def pack(data: dict[str, Any], header: Header) -> bytes:
    """Turn restart data into bytes."""
    body = pickle.dumps(data, 4)
    text = json.dumps(
        dict(header._asdict(), bytes=len(body), digest=hashlib.blake2b(body, digest_size=32).hexdigest())
    ).encode()
    return b"biskit_pvm restart data, version %d, header of %d bytes\n" % (VERSION, len(text)) + text + b"\n" + body


def unpack(data: bytes) -> tuple[Header, bytes]:
    """Check restart data.

    Returns
    -------
    header : Header
    body : bytes
        The pickle, whole but not read.

    Raises
    ------
    Damaged
        With the reason as its text.
    """
    match = _FIRST.match(data)
    if match is None:
        raise Damaged("it does not begin like a restart file")
    version, length = int(match.group(1)), int(match.group(2))
    if version > VERSION:
        raise Damaged(f"it was written by a newer version (format {version}, known up to {VERSION})")
    start = match.end() + length + 1
    try:
        fields = json.loads(data[match.end() : start])
        header = Header(str(fields["master"]), str(fields["script"]), float(fields["saved"]))
        size, digest = int(fields["bytes"]), str(fields["digest"])
    except (ValueError, KeyError, TypeError):
        raise Damaged("its header cannot be read") from None
    body = data[start:]
    if len(body) < size:
        raise Damaged(f"it was cut short: {len(body)} of {size} bytes")
    if hashlib.blake2b(body, digest_size=32).hexdigest() != digest:
        raise Damaged("its content was changed: the check sum differs")
    return header, body


class _Reader(pickle.Unpickler):
    def __init__(self, body: bytes, allowed: Callable[[str, str], bool], encoding: str) -> None:
        super().__init__(io.BytesIO(body), encoding=encoding)
        self._allowed = allowed

    def find_class(self, module: str, name: str) -> Any:
        if not is_safe(module, name) and not self._allowed(module, name):
            raise pickle.UnpicklingError(f"{module}.{name} is not allowed")
        return super().find_class(module, name)


def is_safe(module: str, name: str) -> bool:
    """Tell whether a class is harmless to make."""
    return name in SAFE.get(module, ())


def read(body: bytes, allowed: Callable[[str, str], bool], encoding: str = "ASCII") -> Any:
    """Read a pickle that makes only safe or allowed objects.

    Parameters
    ----------
    body : bytes
    allowed : callable
        Told module and name of what is neither built in nor on the short
        list of safe classes; says whether it may be used.
    encoding : str
        For pickles of Python 2; see `pickle.Unpickler`.

    Raises
    ------
    pickle.UnpicklingError
        Something is not allowed; nothing of it has been run.
    """
    return _Reader(body, allowed, encoding).load()
