"""Options, contexts, output, tracing, and the words of the library."""

from __future__ import annotations

from typing import Any

import pvm_ext
from biskit_pvm.compat.pypvm._arguments import Name, also


def version(*ignored: Any) -> str:
    """
    Return the version of the PVM library.
    """
    return pvm_ext.version()


def perror(msg: Name = "") -> None:
    """
    Print a text and the meaning of PVM's last error on the standard error.
    """
    pvm_ext.perror(msg)


def strerror(code: int | None = None) -> str:
    """
    Return PVM's text for an error code, or for the last error.
    """
    return pvm_ext.strerror() if code is None else pvm_ext.strerror(code)


def newcontext(*ignored: Any) -> int:
    """
    Allocate a message context without making it the current one.
    """
    return pvm_ext.newcontext()


@also(new_ctx="newctx")
def setcontext(newctx: int) -> int:
    """
    Make a message context the current one.

    Returns
    -------
    int
        The one before.

    Raises
    ------
    ValueError
        If it is negative.
    """
    return pvm_ext.setcontext(newctx)


def getcontext(*ignored: Any) -> int:
    """
    Return the current message context, 0 at the start.
    """
    return pvm_ext.getcontext()


def freecontext(ctx: int) -> None:
    """
    Give a message context back.

    Raises
    ------
    PvmError
        NoEntry if it is not allocated.
    """
    pvm_ext.freecontext(ctx)


def getopt(what: int) -> int:
    """
    Return the value of an option.

    Parameters
    ----------
    what : int
        One of `opt`.

    Raises
    ------
    PvmError
        BadParam for an unknown option.
    """
    return pvm_ext.getopt(what)


@also(value="val")
def setopt(what: int, val: int) -> int:
    """
    Set an option.

    Parameters
    ----------
    what : int
        One of `opt`.
    val : int
        The new value.

    Returns
    -------
    int
        The value before.

    Raises
    ------
    PvmError
        BadParam for an unknown option or a bad value.
    """
    return pvm_ext.setopt(what, val)


@also(ff="file")
def catchout(file: Any = None) -> None:
    """
    Collect what tasks that are spawned from now on print.

    Nothing arrives but while the program is inside some function of PVM.

    Parameters
    ----------
    file : file or None
        Any object with a ``write`` method, for text or for bytes. None ends the
        collection for later tasks.

    Raises
    ------
    TypeError
        For other objects.
    """
    pvm_ext.catchout(file)


def gettmask(who: int) -> str:
    """
    Return the trace mask.

    Parameters
    ----------
    who : int
        `PvmTaskSelf` or `PvmTaskChild`.
    """
    return pvm_ext.gettmask(who)


def settmask(who: int, mask: Name) -> None:
    """
    Set the trace mask.

    Parameters
    ----------
    who : int
        `PvmTaskSelf` or `PvmTaskChild`.
    mask : str
        As `gettmask` gives it.
    """
    pvm_ext.settmask(who, mask)
