"""``hash`` of what had the same number in every Python 2 on a 64-bit machine."""

from __future__ import annotations

import math
from functools import lru_cache
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
        Python 2's number for strings, numbers, and tuples and frozensets of these; for anything else one of today's.
    """
    number = fixed_hash(obj)
    return hash(obj) if number is None else number


def fixed_hash(obj: Any) -> int | None:
    """
    Give the number that an object's ``hash`` was in every process.

    Parameters
    ----------
    obj : any

    Returns
    -------
    int or None
        None where it hung on an address, or on a method of the object's class.
    """
    kind = type(obj)
    if kind is int or kind is bool:
        return _of_integer(obj)
    if isinstance(obj, str):
        return of_text(str.__str__(obj)) if kind.__hash__ is str.__hash__ else None
    if kind is float:
        return _of_float(obj)
    if kind is tuple:
        return _of_tuple(obj)
    if kind is complex:
        return _of_complex(obj)
    if kind is frozenset:
        return _of_frozenset(obj)
    if isinstance(obj, int) and kind.__hash__ is int.__hash__:
        return _of_integer(obj)
    return None


def _of_integer(number: int) -> int:
    number = int.__int__(number)
    if -(1 << 63) <= number < 1 << 63:
        return -2 if number == -1 else number
    # a long's digits of 30 bits, rotated and added with an end-around carry
    value = abs(number) % _MASK or _MASK
    return _signed((value if number > 0 else -value) & _MASK)


@lru_cache(maxsize=200_000)
def of_text(text: str) -> int:
    """
    Give the hash of a string.

    Parameters
    ----------
    text : str

    Returns
    -------
    int
    """
    if not text:
        return 0
    letters = text.encode("latin-1") if text.isascii() else list(map(ord, text))
    value = letters[0] << 7
    for letter in letters:
        value = (1000003 * value ^ letter) & _MASK
    return _signed(value ^ len(text))


def _of_float(number: float) -> int:
    if math.isnan(number):
        return 0
    if math.isinf(number):
        return 314159 if number > 0 else -271828
    if number == int(number):
        return _of_integer(int(number))
    fraction, exponent = math.frexp(number)
    fraction *= 2147483648.0
    high = int(fraction)
    low = int((fraction - high) * 2147483648.0)
    return _signed((high + low + (exponent << 15)) & _MASK)


def _of_complex(number: complex) -> int:
    return _signed((_of_float(number.real) + 1000003 * _of_float(number.imag)) & _MASK)


def _of_tuple(items: tuple) -> int | None:
    value, factor = 0x345678, 1000003
    left = len(items)
    for item in items:
        number = fixed_hash(item)
        if number is None:
            return None
        left -= 1
        value = ((value ^ number) * factor) & _MASK
        factor += 82520 + left + left
    return _signed((value + 97531) & _MASK)


def _of_frozenset(items: frozenset) -> int | None:
    value = 1927868237 * (len(items) + 1) & _MASK
    for item in items:
        number = fixed_hash(item)
        if number is None:
            return None
        number &= _MASK
        value ^= ((number ^ (number << 16) ^ 89869747) * 3644798167) & _MASK
    value = (value * 69069 + 907133923) & _MASK
    return 590923713 if value == _MASK else _signed(value)


def _signed(value: int) -> int:
    value = value - (1 << 64) if value >> 63 else value
    return -2 if value == -1 else value
