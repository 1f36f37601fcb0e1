"""Restart data as bytes that show whether they are whole, and who wrote them.

A restart file is a pickle, as it always was; behind it, where a plain unpickler does not
look, stand a header in JSON and one line of text::

    <pickle>
    {"master": ..., "script": ..., "saved": ..., "slave_script": ..., "items": ..., "left": ...}
    biskit_pvm restart data, version 2, pickle of <n> bytes, header of <n> bytes, seal <hex>, digest <hex>

The digest covers every byte before it and tells damage.  The seal is a keyed digest of
what stands before it, and tells that whoever has the key has written the file.  Files of
version 1 have a first line and a header in front of the pickle, a digest and no seal;
they are still read.
"""

from __future__ import annotations

import hashlib
import json
import pickle
import re
from typing import Any, NamedTuple

VERSION = 2
_DIGITS = hashlib.blake2b(digest_size=32).digest_size * 2
_NO_SEAL = "0" * _DIGITS
_LAST = re.compile(
    rb"\nbiskit_pvm restart data, version (\d{1,9}), pickle of (\d{1,18}) bytes, "
    rb"header of (\d{1,9}) bytes, seal ([0-9a-f]{64}), digest ([0-9a-f]{64})\n\Z"
)
_LAST_OF_ANY = re.compile(rb"\nbiskit_pvm restart data, version (\d{1,9}),[^\n]*\n\Z")
_FIRST_OF_1 = re.compile(rb"biskit_pvm restart data, version (\d{1,9}), header of (\d{1,9}) bytes\n")
_LONGEST_LAST_LINE = 400
_PERSON = b"biskit restart"

#: What a master's own fields are called in restart data.  The fields of users are saved
#: whatever their names, so that a name that is missing here must be in `LEFT_OUT`.
FIELDS = (
    "data", "result", "chunk_size", "current_pos", "progress", "verbose",
    "hosts", "niceness", "slave_script", "show_output", "xterm_bin",
    "disabled_hosts", "slow_hosts", "call_done", "finished",
)  # fmt: skip
#: Fields of a master's own that are not saved.
LEFT_OUT = ("status", "slaves", "lock", "lockMsg")
#: What stands beside the fields; the last two are of the version before.
BESIDE = ("master_class", "status_objects", "master_options", "pvm_options", "autosave")
#: What is taken of the master's own fields from a file that is not trusted: what it is
#: about, but not what runs, where, and how.
TAKEN = ("data", "result", "chunk_size", "current_pos", "progress", "verbose", "finished")

#: Where modules are now whose names stand in files of the version before.
MOVED = {
    f"biskit_pvm.{old}": f"biskit_pvm.{new}"
    for old, new in {
        "core.bulletin": "jobs.bulletin",
        "core.events": "jobs.events",
        "core.history": "report.history",
        "core.inventory": "machine.inventory",
        "core.jobs": "jobs.items",
        "core.master_state": "jobs.master_state",
        "core.progress": "report.progress",
        "core.report_page": "report.page",
        "core.slave_state": "jobs.slave_state",
        "core.snapshot": "restart.format",
        "core.table": "cli.table",
        "core.timeline": "report.timeline",
        "core.watch": "top.view",
        "core.wire": "messages.wire",
        "runtime.calculation": "jobs.calculation",
        "runtime.failures": "jobs.failures",
        "runtime.output": "machine.output",
        "compat.runtime.classes": "compat.python2.builtins.classes",
        "compat.runtime.containers": "compat.python2.builtins.containers",
        "compat.runtime.errors": "compat.python2.builtins.errors",
        "compat.runtime.files": "compat.python2.builtins.files",
        "compat.runtime.numbers": "compat.python2.builtins.numbers",
        "compat.runtime.ordering": "compat.python2.builtins.ordering",
        "compat.runtime.strings": "compat.python2.builtins.strings",
        "compat.modules.arrays": "compat.python2.stdlib.arrays",
        "compat.modules.pickles": "compat.python2.stdlib.pickles",
        "compat.modules.text": "compat.python2.stdlib.text",
    }.items()
}


class Damaged(ValueError):
    """The bytes are no restart data, or not whole."""


class Header(NamedTuple):
    """What can be read of restart data without reading the pickle.

    `saved` is in seconds since the epoch; `script` is the path of the script whose
    classes the data need, or ''; `items` and `left` are the numbers of all items and of
    those that are not finished, -1 where the file does not tell.
    """

    master: str
    script: str
    saved: float
    slave_script: str = ""
    items: int = -1
    left: int = -1


class Parts(NamedTuple):
    """Restart data that are whole: the header, the pickle, and whether the seal is right."""

    header: Header
    body: bytes
    sealed: bool


def pack(data: dict[str, Any], header: Header, key: bytes | None = None) -> bytes:
    """Turn restart data into bytes.

    Parameters
    ----------
    data : dict
    header : Header
    key : bytes, optional
        Seal them with it.
    """
    return pack_body(pickle.dumps(data, 4), header, key)


def pack_body(body: bytes, header: Header, key: bytes | None = None) -> bytes:
    """Turn the pickle of restart data into bytes; see `pack`."""
    text = json.dumps(header._asdict()).encode()
    content = b"%b\n%b\nbiskit_pvm restart data, version %d, pickle of %d bytes, header of %d bytes, seal " % (
        body,
        text,
        VERSION,
        len(body),
        len(text),
    )
    seal = _NO_SEAL if key is None else _seal(content, key)
    content += f"{seal}, digest ".encode()
    return content + f"{_digest(content)}\n".encode()


def _digest(content: bytes | memoryview) -> str:
    return hashlib.blake2b(content, digest_size=32).hexdigest()


def _seal(content: bytes | memoryview, key: bytes) -> str:
    return hashlib.blake2b(content, digest_size=32, key=key, person=_PERSON).hexdigest()


def is_restart_data(head: bytes, tail: bytes) -> bool:
    """Tell whether the first and the last bytes of a file look like restart data."""
    return _FIRST_OF_1.match(head) is not None or _LAST_OF_ANY.search(tail) is not None


def unpack(data: bytes, key: bytes | None = None) -> Parts:
    """Check restart data; nothing of the pickle is read.

    Parameters
    ----------
    data : bytes
    key : bytes, optional
        With which the seal would be a right one.

    Raises
    ------
    Damaged
        With the reason as its text.
    """
    if _FIRST_OF_1.match(data):
        return _unpack_1(data)
    last = _LAST.search(data, max(0, len(data) - _LONGEST_LAST_LINE))
    if last is None or int(last[1]) != VERSION:
        any_ = _LAST_OF_ANY.search(data, max(0, len(data) - _LONGEST_LAST_LINE))
        if any_ is not None and int(any_[1]) > VERSION:
            raise Damaged(f"it was written by a newer version (format {int(any_[1])}, known up to {VERSION})")
        raise Damaged("it was cut short or changed, or is no restart file: its last line is not that of one")
    view = memoryview(data)
    if _digest(view[: last.start(5)]) != last[5].decode():
        raise Damaged("its content was changed: the check sum differs")
    size, length = int(last[2]), int(last[3])
    if size + length + 1 != last.start():
        raise Damaged("its parts do not have the lengths that it tells")
    sealed = key is not None and _same(_seal(view[: last.start(4)], key), last[4].decode())
    return Parts(_header(data[size + 1 : last.start()]), data[:size], sealed)


def _same(one: str, other: str) -> bool:
    """Compare in a time that tells nothing of the contents."""
    difference = 0
    for a, b in zip(one, other):
        difference |= ord(a) ^ ord(b)
    return difference == 0 and len(one) == len(other)


def _header(text: bytes) -> Header:
    try:
        fields = json.loads(text)
        return Header(
            str(fields["master"]),
            str(fields["script"]),
            float(fields["saved"]),
            str(fields.get("slave_script", "")),
            int(fields.get("items", -1)),
            int(fields.get("left", -1)),
        )
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        raise Damaged("its header cannot be read") from None


def _unpack_1(data: bytes) -> Parts:
    match = _FIRST_OF_1.match(data)
    assert match is not None
    version, length = int(match[1]), int(match[2])
    if version != 1:
        raise Damaged(f"it was written by a newer version (format {version}, known up to {VERSION})")
    start = match.end() + length + 1
    header = _header(data[match.end() : start])
    try:
        fields = json.loads(data[match.end() : start])
        size, digest = int(fields["bytes"]), str(fields["digest"])
    except (ValueError, KeyError, TypeError, OverflowError):
        raise Damaged("its header cannot be read") from None
    body = data[start:]
    if len(body) < size:
        raise Damaged(f"it was cut short: {len(body)} of {size} bytes")
    if _digest(body) != digest:
        raise Damaged("its content was changed: the check sum differs")
    return Parts(header, body, False)
