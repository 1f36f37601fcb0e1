"""Python objects in PVM's active buffers, as scripts have always packed them: one string, which holds a pickle."""

from __future__ import annotations

import pickle

import pvm_ext

TYPE_CHECKING = False  # slaves start quickly
if TYPE_CHECKING:
    from typing import Any


READABLE_BY_ALL = 0
"""Protocol of pickle that is plain text and older than Python 2."""


class Pickling:
    """How objects become bytes and come back; what runs old scripts puts its own functions in place."""

    @staticmethod
    def dumps(value: Any, protocol: int = 4) -> bytes:
        """Return the pickle of an object."""
        return pickle.dumps(value, protocol)

    @staticmethod
    def loads(data: bytes) -> Any:
        """Return the object of a pickle, also of one that Python 2 has made."""
        return pickle.loads(data, encoding="latin-1")


def pack(value: Any) -> None:
    """Append an object to the active send buffer."""
    pvm_ext.pkstr(Pickling.dumps(value))


def unpack() -> Any:
    """Take an object from the active receive buffer.

    Unpickling runs code that the sender chooses: only for messages of tasks that you trust.
    """
    return Pickling.loads(pvm_ext.upkstr(raw=True))


def pack_and_send(
    tid: int, tag: int, value: Any, encoding: int | None = None, protocol: int = 4, patience: float | None = None
) -> bool:
    """Send an object that the receiver takes with `unpack`; the active buffer stays.

    Parameters
    ----------
    tid, tag : int
        Receiver and message tag.
    value : object
        Anything that pickle takes.
    encoding : int, optional
        One of `pvm_ext.DataEncoding`.
    protocol : int
        Of pickle; scripts of Python 2 have their own.
    patience : float, optional
        Seconds for which a direct link may take nothing of the message; None: for ever.

    Returns
    -------
    bool
        False when a link was given up, and the daemon has the message.
    """
    before = pvm_ext.setsbuf(0)
    try:
        pvm_ext.initsend(pvm_ext.DataEncoding.DEFAULT if encoding is None else encoding)
        pvm_ext.pkstr(Pickling.dumps(value, protocol))
        taken = pvm_ext.send(tid, tag, patience)
        pvm_ext.freebuf(pvm_ext.setsbuf(0))
        return taken
    finally:
        pvm_ext.setsbuf(before)
