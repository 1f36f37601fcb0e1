"""What tasks leave for each other in the virtual machine: numbers and messages under a name."""

from __future__ import annotations

import pvm_ext
from biskit_pvm.compat.pypvm._arguments import Name
from biskit_pvm.compat.pypvm._buffers import getsbuf
from pvm_ext.records import MailboxEntry


def insert(name: Name, index: int, data: int) -> int:
    """
    Store a number under a name in the virtual machine.

    Parameters
    ----------
    name : str
    index : int
        Where, -1 for the first free place.
    data : int
        The number (32 bits).

    Returns
    -------
    int
        The index used.

    Raises
    ------
    PvmError
        DupEntry if the place is taken, BadParam for a bad index or name.
    """
    return pvm_ext.insert(name, index, data)


def lookup(name: Name, index: int) -> int:
    """
    Return a number that `insert` stored.

    Parameters
    ----------
    name : str
    index : int
        Its place, -1 for the first.

    Raises
    ------
    PvmError
        NoEntry.
    """
    return pvm_ext.lookup(name, index)[1]


def lookup_entry(name: Name, index: int) -> tuple[int, int]:
    """
    Return a number that `insert` stored, and its place.

    Parameters
    ----------
    name : str
    index : int
        Its place, -1 for the first.

    Returns
    -------
    index : int
    data : int
    """
    return pvm_ext.lookup(name, index)


def delete(name: Name, index: int) -> None:
    """
    Remove a number that `insert` stored.

    Raises
    ------
    PvmError
        NoEntry, or BadParam for an index below 0.
    """
    pvm_ext.delete(name, index)


def putinfo(name: Name, bufid: int | None = None, flags: int = 0) -> int:
    """
    Store a message under a name in the virtual machine.

    Parameters
    ----------
    name : str
    bufid : int
        The message, by default the active send buffer.
    flags : int
        Sum of ``PvmMbox...``.

    Returns
    -------
    int
        The index used.

    Raises
    ------
    PvmError
        Exists, Denied.
    """
    return pvm_ext.putinfo(name, getsbuf() if bufid is None else bufid, flags)


def recvinfo(name: Name, index: int = 0, flags: int = 0) -> int:
    """
    Fetch a message that is stored under a name.

    Parameters
    ----------
    name : str
    index : int
        Its place.
    flags : int
        Sum of ``PvmMbox...``.

    Returns
    -------
    int
        The identifier of the message, which is the active receive buffer then.

    Raises
    ------
    PvmError
        NotFound.
    """
    return pvm_ext.recvinfo(name, index, flags)


def delinfo(name: Name, index: int = 0, flags: int = 0) -> None:
    """
    Remove a message that is stored under a name.

    Raises
    ------
    PvmError
        NotFound, Denied.
    """
    pvm_ext.delinfo(name, index, flags)


def getmboxinfo(pattern: Name = "*") -> list[tuple[str, list[MailboxEntry]]]:
    """
    List what is stored under names.

    Parameters
    ----------
    pattern : str
        The beginning of the names.

    Returns
    -------
    list of (name, [(index, owner, flags), ...])
        ``owner`` is a tid, 0 if that task is gone.
    """
    return pvm_ext.getmboxinfo(pattern)
