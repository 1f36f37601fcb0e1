"""``hash`` of what had the same number in every Python 2 on a 64-bit machine."""

from __future__ import annotations

from typing import Any

_MASK = 0xFFFFFFFFFFFFFFFF


def hash_(obj: Any) -> int:
    """
    Do the built-in ``hash``.

    Parameters
    ----------
    obj : any

    Returns
    -------
    int
        Python 2's number for strings, for tuples of what has one, and for integers that are not long.
    """
    if isinstance(obj, str) and type(obj).__hash__ is str.__hash__:
        return _signed(_of_text(obj))
    if type(obj) is tuple:
        return _signed(_of_tuple(obj))
    if type(obj) is int and -(1 << 63) <= obj < 1 << 63:
        return -2 if obj == -1 else obj
    return hash(obj)


def _of_text(text: str) -> int:
    if not text:
        return 0
    value = ord(text[0]) << 7
    for letter in text:
        value = (1000003 * value ^ ord(letter)) & _MASK
    return value ^ len(text)


def _of_tuple(items: tuple) -> int:
    value, factor = 0x345678, 1000003
    left = len(items)
    for item in items:
        left -= 1
        value = ((value ^ hash_(item)) * factor) & _MASK
        factor += 82520 + left + left
    return (value + 97531) & _MASK


def _signed(value: int) -> int:
    value = value - (1 << 64) if value >> 63 else value
    return -2 if value == -1 else value
