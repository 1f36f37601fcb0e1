"""Message buffers."""

from __future__ import annotations

import pvm_ext
from biskit_pvm.compat.pypvm._arguments import also
from pvm_ext.constants import DataEncoding
from pvm_ext.records import BufferInfo, MessageInfo


def initsend(encoding: int = 0) -> int:
    """
    Make a fresh active send buffer; the one before is freed.

    Parameters
    ----------
    encoding : int
        One of `data`. For ``inplace`` the items are copied, as for ``raw``.

    Returns
    -------
    int
        Its identifier.

    Raises
    ------
    PvmError
        BadParam for an unknown encoding.
    """
    return pvm_ext.initsend(usable_encoding(encoding))


def mkbuf(encoding: int = 0) -> int:
    """
    Make a message buffer without making it active.

    Parameters
    ----------
    encoding : int
        As for `initsend`.

    Returns
    -------
    int
        Its identifier, to be given to `freebuf` in the end.
    """
    return pvm_ext.mkbuf(usable_encoding(encoding))


def usable_encoding(encoding: int) -> int:
    """Return the encoding to use; items left in place would outlive their owner."""
    return int(DataEncoding.RAW) if encoding == DataEncoding.IN_PLACE else encoding


def freebuf(bufid: int) -> None:
    """
    Free a message buffer; 0 is allowed and does nothing.

    Raises
    ------
    PvmError
        NoSuchBuf, or BadParam for a negative number.
    """
    pvm_ext.freebuf(bufid)


def getsbuf() -> int:
    """
    Return the identifier of the active send buffer, 0 if there is none.
    """
    return pvm_ext.getsbuf()


def getrbuf() -> int:
    """
    Return the identifier of the active receive buffer, 0 if there is none.
    """
    return pvm_ext.getrbuf()


def setsbuf(bufid: int) -> int:
    """
    Make a buffer the active send buffer.

    Parameters
    ----------
    bufid : int
        0 for none.

    Returns
    -------
    int
        The one before, which is kept; 0 if there was none.
    """
    return pvm_ext.setsbuf(bufid)


def setrbuf(bufid: int) -> int:
    """
    Make a buffer the active receive buffer.

    Parameters
    ----------
    bufid : int
        0 for none.

    Returns
    -------
    int
        The one before, which is kept; 0 if there was none.
    """
    return pvm_ext.setrbuf(bufid)


@also(bifid="bufid")
def bufinfo(bufid: int) -> BufferInfo:
    """
    Describe a message.

    Returns
    -------
    nbytes : int
        Length of its body, with padding.
    msgtag : int
    tid : int
        The sender.

    Raises
    ------
    PvmError
        NoSuchBuf, or BadParam for 0 and negative numbers.
    """
    return pvm_ext.bufinfo(bufid)


def getminfo(bufid: int) -> MessageInfo:
    """
    Return the header of a message.

    Returns
    -------
    namedtuple
        ``len, ctx, tag, wid, enc, crc, src, dst``, all int.
    """
    return pvm_ext.getminfo(bufid)


def setminfo(bufid: int, **fields: int) -> None:
    """
    Change ``ctx``, ``tag``, ``wid``, ``src`` or ``dst`` of a message.
    """
    pvm_ext.setminfo(bufid, **fields)


def getmwid(bufid: int) -> int:
    """
    Return the wait identifier of a message.
    """
    return pvm_ext.getminfo(bufid).wid


def setmwid(bufid: int, waitid: int) -> None:
    """
    Set the wait identifier of a message.
    """
    pvm_ext.setminfo(bufid, wid=waitid)
