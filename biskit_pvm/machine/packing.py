"""Python objects in PVM's active buffers, for scripts that pack their messages themselves."""

from __future__ import annotations

import pickle
from typing import Any

import pvm_ext


def pack(value: Any) -> None:
    """Append an object to the active send buffer."""
    data = pickle.dumps(value, 4)
    pvm_ext.pkint([len(data)])
    pvm_ext.pkbyte(data)


def unpack() -> Any:
    """Take an object from the active receive buffer.

    Unpickling runs code that the sender chooses: only for messages of tasks that you trust.
    """
    (length,) = pvm_ext.upkint(1)
    return pickle.loads(pvm_ext.upkbytes(length))


def pack_and_send(tid: int, tag: int, value: Any, encoding: int | None = None) -> None:
    """Send an object that the receiver takes with `unpack`; the active buffer stays.

    Parameters
    ----------
    tid, tag : int
        Receiver and message tag.
    value : object
        Anything that pickle takes.
    encoding : int, optional
        One of `pvm_ext.DataEncoding`.
    """
    before = pvm_ext.setsbuf(0)
    try:
        pvm_ext.initsend(pvm_ext.DataEncoding.DEFAULT if encoding is None else encoding)
        pack(value)
        pvm_ext.send(tid, tag)
        pvm_ext.freebuf(pvm_ext.setsbuf(0))
    finally:
        pvm_ext.setsbuf(before)
