"""Sending and receiving."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Callable

import pvm_ext
from biskit_pvm.compat.pypvm._arguments import Name
from biskit_pvm.compat.pypvm._buffers import initsend
from biskit_pvm.compat.pypvm._packing import pkstr


def getfds() -> list[int]:
    """
    Return the file descriptors that PVM reads from, the pvmd's first.
    """
    return list(pvm_ext.getfds())


def send(tid: int, msgtag: int) -> None:
    """
    Send the active send buffer to a task; it can be sent again.

    Raises
    ------
    PvmError
        NoBuf without a send buffer, BadParam for what is no tid of a task and
        for a negative tag. A task that has ended is no error.
    """
    pvm_ext.send(tid, msgtag)


def mcast(tids: Iterable[int], msgtag: int) -> None:
    """
    Send the active send buffer to several tasks, but never to the caller.

    Raises
    ------
    PvmError
        As for `send`.
    """
    pvm_ext.mcast(list(tids), msgtag)


def psend_str(encoding: int, tid: int, msgtag: int, string: Name) -> None:
    """
    Send one string, replacing the active send buffer.

    Parameters
    ----------
    encoding : int
        One of `data`.
    tid, msgtag : int
        Where to and as what.
    string : str or bytes
        As for `pkstr`.
    """
    initsend(encoding)
    pkstr(string)
    send(tid, msgtag)


def recv(tid: int = -1, msgtag: int = -1) -> int:
    """
    Wait for a message and make it the active receive buffer.

    Parameters
    ----------
    tid, msgtag : int
        Sender and tag, -1 for any.

    Returns
    -------
    int
        Its identifier.
    """
    return pvm_ext.recv(tid, msgtag)


def nrecv(tid: int = -1, msgtag: int = -1) -> int:
    """
    Make a message that has arrived the active receive buffer.

    The active receive buffer from before is freed in any case.

    Parameters
    ----------
    tid, msgtag : int
        Sender and tag, -1 for any.

    Returns
    -------
    int
        Its identifier, 0 if there is none.
    """
    return pvm_ext.nrecv(tid, msgtag)


def probe(tid: int = -1, msgtag: int = -1) -> int:
    """
    Look for a message without receiving it.

    Parameters
    ----------
    tid, msgtag : int
        Sender and tag, -1 for any.

    Returns
    -------
    int
        Its identifier, good for `bufinfo`; 0 if there is none.
    """
    return pvm_ext.probe(tid, msgtag)


def trecv(timeout: float | None, msgtag: int = -1, tid: int = -1) -> int:
    """
    Wait for a message for a limited time; mind the order of the arguments.

    Parameters
    ----------
    timeout : float
        Limit (s); 0 or less only looks, None waits without limit.
    msgtag, tid : int
        Tag and sender, -1 for any.

    Returns
    -------
    int
        The identifier of the message, which is the active receive buffer then;
        0 if none came.
    """
    return pvm_ext.trecv(tid, msgtag, timeout)


def psend(tid: int, msgtag: int, data: Any, datatype: int | None = None) -> None:
    """
    Pack and send an array as one step, leaving the active send buffer alone.

    Parameters
    ----------
    tid, msgtag : int
        Where to and as what.
    data : sequence or buffer
        The items, sent as they are in memory.
    datatype : int
        One of ``PVM_BYTE`` to ``PVM_ULONG``; can be left out for arrays that
        know their type.
    """
    pvm_ext.psend(tid, msgtag, data, datatype)


def precv(tid: int, msgtag: int, nitem: int, datatype: int) -> tuple[Any, int, int, int]:
    """
    Wait for a message of `psend` and unpack it.

    Parameters
    ----------
    tid, msgtag : int
        Sender and tag, -1 for any.
    nitem : int
        How many items there is room for.
    datatype : int
        One of ``PVM_BYTE`` to ``PVM_ULONG``.

    Returns
    -------
    data : list
        The items, at most `nitem`.
    tid, msgtag : int
        Of the message.
    nbytes : int
        Its full length.
    """
    return pvm_ext.precv(tid, msgtag, nitem, datatype)


def addmhf(src: int, tag: int, ctx: int, func: Callable[[int], Any]) -> int:
    """
    Have a function called for certain messages as soon as they arrive.

    Parameters
    ----------
    src, tag, ctx : int
        Sender, tag and context, -1 for any.
    func : callable
        Gets the identifier of the message, which is active then. It may send,
        but neither receive nor multicast.

    Returns
    -------
    int
        Number of the handler, for `delmhf`.
    """
    return pvm_ext.addmhf(src, tag, ctx, func)


def delmhf(mhid: int) -> None:
    """
    Remove a message handler.
    """
    pvm_ext.delmhf(mhid)


def recvf(func: Any) -> Any:
    """
    Replace the function that decides which message a receive takes.

    Parameters
    ----------
    func : callable or None
        ``func(bufid, tid, msgtag)``; None for PVM's own.

    Returns
    -------
    callable or None
        The one before.
    """
    return pvm_ext.recvf(func)
