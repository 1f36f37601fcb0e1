"""Packing and unpacking."""

from __future__ import annotations

import operator
import pickle
from collections.abc import Iterable
from typing import Any, Callable

import pvm_ext
from biskit_pvm.compat.pypvm._arguments import Name, also
from pvm_ext.errors import error_for


def _packer(name: str, items: str) -> Callable[..., None]:
    """Return the old packing function `name`, which takes `items`."""
    pack = getattr(pvm_ext, name)

    @also(data="list", items="list")
    def call(list: Iterable[Any], stride: int = 1) -> None:
        pack(list, stride)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"""
    Pack {items} into the active send buffer.

    Parameters
    ----------
    list : sequence or buffer
        The items; an array of the same type is packed without a loop.
    stride : int
        Distance of the items to be packed: 2 takes every other one.

    Raises
    ------
    PvmError
        NoBuf without a send buffer, Overflow for a number that is too large.
    TypeError
        For other things; ValueError for a stride below 1.
    """
    return call


pkshort = _packer("pkshort", "short ints (16 bits)")


pkushort = _packer("pkushort", "unsigned short ints (16 bits)")


pkint = _packer("pkint", "ints (32 bits)")


pkuint = _packer("pkuint", "unsigned ints (32 bits)")


pklong = _packer("pklong", "long ints (64 bits, in the default encoding 32)")


pkulong = _packer("pkulong", "unsigned long ints (64 bits, in the default encoding 32)")


pkfloat = _packer("pkfloat", "floats of single precision")


pkdouble = _packer("pkdouble", "floats of double precision")


pkcplx = _packer("pkcplx", "complex numbers of single precision")


pkdcplx = _packer("pkdcplx", "complex numbers of double precision")


@also(data="list", items="list")
def pkbyte(list: Iterable[Name | int], stride: int = 1) -> None:
    """
    Pack bytes into the active send buffer.

    Parameters
    ----------
    list : sequence or buffer
        Bytes, or a list of characters (``""`` is a zero) and of ints from -128
        to 255.
    stride : int
        Distance of the items to be packed: 2 takes every other one.

    Raises
    ------
    PvmError
        NoBuf without a send buffer, Overflow for a number that is too large.
    TypeError
        For other things; ValueError for a stride below 1.
    """
    if isinstance(list, str):
        raise TypeError("pkbyte() packs bytes or a list of characters; pkstr() packs a string")
    try:
        view = memoryview(list)  # type: ignore[arg-type]
    except TypeError:
        view = memoryview(bytes(map(_byte, list)))
    pvm_ext.pkbyte(view, stride)


def _byte(item: Name | int) -> int:
    """Return a character or signed number as unsigned byte."""
    if isinstance(item, (str, bytes)):
        if len(item) > 1:
            raise TypeError(f"pkbyte() packs single characters, not {item!r}")
        number = ord(item or "\0")
    else:
        number = operator.index(item)
    if not -128 <= number <= 255:
        raise error_for(pvm_ext.Code.OVERFLOW, "pkbyte")
    return number & 255


def pkstr(str: Name) -> None:
    """
    Pack a string into the active send buffer.

    Parameters
    ----------
    str : str or bytes
        Text goes out as UTF-8; zeros and any other byte arrive as they are.
    """
    pvm_ext.pkstr(str)


def pkbytestr(string: Any) -> None:
    """
    Pack bytes with their number before them.

    Parameters
    ----------
    string : bytes-like
        Less than 4 GiB.
    """
    with memoryview(string) as view:
        pvm_ext.pkuint([view.nbytes])
        pvm_ext.pkbyte(view)


def pack_by_type(arg: Any, *ignored: Any) -> None:
    """
    Pack ints as long, floats as double, and strings.

    The message does not tell which types were packed; who unpacks it must know.

    Parameters
    ----------
    arg : int, float, str, bytes, or list or tuple of them

    Raises
    ------
    TypeError
        For other things. What stands before them in the list is packed already.
    """
    for item in arg if isinstance(arg, (list, tuple)) else (arg,):
        if isinstance(item, (str, bytes)):
            pvm_ext.pkstr(item)
        elif isinstance(item, float):
            pvm_ext.pkdouble([item])
        elif hasattr(item, "__index__"):
            pvm_ext.pklong([item])
        else:
            raise TypeError(f"pack_by_type() packs int, float and str, not {type(item).__name__}")


def pk_dump(obj: Any) -> bytes:
    """
    Return an object as `pk` packs it.
    """
    return pickle.dumps(obj, pickle.HIGHEST_PROTOCOL)


def pk(obj: Any) -> None:
    """
    Pack any object that pickle can carry, after what was packed before.

    Parameters
    ----------
    obj : object
        Errors of pickle pass through.
    """
    pkbytestr(pk_dump(obj))


def pkmesg(bufid: int) -> None:
    """
    Pack a whole message with its header into the active send buffer.

    Raises
    ------
    PvmError
        BadParam for the active send buffer itself.
    """
    pvm_ext.pkmesg(bufid)


def pkmesgbody(bufid: int) -> None:
    """
    Pack the body of a message into the active send buffer.

    Raises
    ------
    PvmError
        BadParam for the active send buffer itself.
    """
    pvm_ext.pkmesgbody(bufid)


def packf(fmt: str, *values: Any) -> None:
    """
    Pack several values by a format, as ``pvm_packf`` does.

    Parameters
    ----------
    fmt : str
        Such as ``"%+ %d %4lf %s"``; see `pvm_ext.packf`.
    *values
        What the format asks for.
    """
    pvm_ext.packf(fmt, *values)


def _unpacker(name: str, items: str) -> Callable[..., list[Any]]:
    """Return the old unpacking function `name`, which gives `items`."""
    unpack = getattr(pvm_ext, name)

    def call(nitem: int, stride: int = 1) -> list[Any]:
        return list(unpack(nitem, stride))

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"""
    Unpack {items} from the active receive buffer.

    Parameters
    ----------
    nitem : int
        How many.
    stride : int
        Has no effect: the result is always dense.

    Returns
    -------
    list
        `nitem` numbers.

    Raises
    ------
    PvmError
        NoData if the message has too little left, NoBuf without a receive
        buffer, BadParam for a negative number of items.
    ValueError
        For a stride below 1.
    """
    return call


upkbyte = _unpacker("upkbyte", "bytes, as numbers from -128 to 127,")


upkshort = _unpacker("upkshort", "short ints (16 bits)")


upkushort = _unpacker("upkushort", "unsigned short ints (16 bits)")


upkint = _unpacker("upkint", "ints (32 bits)")


upkuint = _unpacker("upkuint", "unsigned ints (32 bits)")


upklong = _unpacker("upklong", "long ints (64 bits, in the default encoding 32)")


upkulong = _unpacker("upkulong", "unsigned long ints (64 bits, in the default encoding 32)")


upkfloat = _unpacker("upkfloat", "floats of single precision")


upkdouble = _unpacker("upkdouble", "floats of double precision")


upkcplx = _unpacker("upkcplx", "complex numbers of single precision")


upkdcplx = _unpacker("upkdcplx", "complex numbers of double precision")


def upkbytes(nitem: int) -> bytes:
    """
    Unpack bytes from the active receive buffer.

    Parameters
    ----------
    nitem : int
        How many.
    """
    return pvm_ext.upkbytes(nitem)


def upkstr(*ignored: Any, raw: bool = False) -> Name:
    """
    Unpack a string from the active receive buffer.

    Parameters
    ----------
    raw : bool
        Whether to give the bytes instead of decoding them as UTF-8. Other
        encodings come through either way: `pkstr` sends what `upkstr` gave.

    Raises
    ------
    PvmError
        NoData at the end of the message, NoBuf without a receive buffer.
    """
    return pvm_ext.upkstr(raw=True) if raw else pvm_ext.upkstr()


def upkbytestr() -> bytes:
    """
    Unpack bytes that were packed by `pkbytestr` or `pkstr`.

    Bytes that were packed as a string end with the zero of that string.
    """
    return upkbytes(pvm_ext.upkuint(1)[0])


def upk() -> Any:
    """
    Unpack an object that was packed by `pk`, also by that of an older version.

    This unpickles, so only messages of trusted tasks should be given to it.

    Returns
    -------
    object
        Errors of pickle pass through.
    """
    return pickle.loads(upkbytestr())


def unpackf(fmt: str, *counts: int) -> tuple[Any, ...]:
    """
    Unpack several values by a format, as ``pvm_unpackf`` does.

    Parameters
    ----------
    fmt : str
        As for `packf`.
    *counts : int
        For each ``*`` of the format.

    Returns
    -------
    tuple
        For each item a number or string, or a list where the format has a count.
    """
    return pvm_ext.unpackf(fmt, *counts)


def upkmesg() -> int:
    """
    Unpack a message that was packed by `pkmesg`.

    Returns
    -------
    int
        The identifier of the new buffer.
    """
    return pvm_ext.upkmesg()
