"""
Comparison, equality and sorting as in Python 2, where anything could be compared with anything.

Python 3's own answer is asked first, because it is the same where there is one; only where it refuses, Python 2's order
of types and addresses decides.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Iterable
from functools import cmp_to_key
from typing import Any, Callable

from biskit_pvm.compat.python2.builtins.classic import is_classic
from biskit_pvm.compat.python2.builtins.hash_tables import in_order, is_table
from biskit_pvm.compat.python2.builtins.numbers import NARROW, narrowed
from biskit_pvm.compat.python2.builtins.strings import as_text


def _refused_by_python(error: TypeError) -> bool:
    """Tell Python 3's refusal to compare from a TypeError that a method of the script raised."""
    traceback = error.__traceback__
    return traceback.tb_next is None and "not supported between" in str(error)


def _ordered(symbol: str, native: Callable, from_cmp: Callable[[int], bool]) -> Callable:
    def compare(a: Any, b: Any) -> Any:
        try:
            if type(a) in NARROW or type(b) in NARROW:
                a, b = narrowed(a, b)
            return native(a, b)
        except TypeError as error:
            if not _refused_by_python(error):
                raise
            if isinstance(a, complex) or isinstance(b, complex):
                raise TypeError("no ordering relation is defined for complex numbers") from None
        return from_cmp(_order(a, b))

    compare.__name__ = f"compare_{symbol}"
    compare.__doc__ = f"Do ``a {symbol} b``."
    return compare


less = _ordered("<", operator.lt, lambda order: order < 0)
less_equal = _ordered("<=", operator.le, lambda order: order <= 0)
greater = _ordered(">", operator.gt, lambda order: order > 0)
greater_equal = _ordered(">=", operator.ge, lambda order: order >= 0)


def equal(a: Any, b: Any) -> Any:
    """
    Do ``a == b``.

    Parameters
    ----------
    a, b : any

    Returns
    -------
    any
        As Python 3's, except that arrays of shapes that do not fit are unequal, as is an array of numbers and a text,
        and that bytes of a Python 3 library equal the 8-bit string.
    """
    if isinstance(a, bytes) or isinstance(b, bytes):
        a, b = _text(a), _text(b)
    if type(a) in NARROW or type(b) in NARROW:
        a, b = narrowed(a, b)
        return _equal_arrays(a, b)
    return a == b


def _equal_arrays(a: Any, b: Any) -> Any:
    numpy = sys.modules["numpy"]
    for array, other in ((a, b), (b, a)):
        if isinstance(other, str) and isinstance(array, numpy.ndarray) and array.dtype.kind in "biufc":
            return False
    try:
        return a == b
    except ValueError as error:
        if "broadcast" in str(error) or "elementwise" in str(error):
            return False
        raise


def unequal(a: Any, b: Any) -> Any:
    """
    Do ``a != b``, the counterpart of `equal`.

    Parameters
    ----------
    a, b : any

    Returns
    -------
    any
    """
    if isinstance(a, bytes) or isinstance(b, bytes):
        a, b = _text(a), _text(b)
    if type(a) in NARROW or type(b) in NARROW:
        a, b = narrowed(a, b)
        result = _equal_arrays(a, b)
        return True if result is False else a != b
    return a != b


def contains(item: Any, container: Any) -> bool:
    """
    Do ``item in container``.

    Parameters
    ----------
    item, container : any

    Returns
    -------
    bool
    """
    try:
        return item in container
    except ValueError as error:
        # as `equal`: arrays whose shapes do not fit are unequal
        if not NARROW or "broadcast" not in str(error) or not isinstance(container, (list, tuple)):
            raise
    except TypeError:
        # an old-style sequence of bytes and text
        if not isinstance(item, bytes) and not isinstance(container, bytes):
            raise
        return _text(item) in _text(container)
    return any(item is other or equal(item, other) for other in container)


def contains_not(item: Any, container: Any) -> bool:
    """
    Do ``item not in container``.

    Parameters
    ----------
    item, container : any

    Returns
    -------
    bool
    """
    return not contains(item, container)


def _text(value: Any) -> Any:
    return as_text(value) if isinstance(value, bytes) else value


def compare(a: Any, b: Any) -> int:
    """
    Do Python 2's ``cmp(a, b)``.

    Parameters
    ----------
    a, b : any

    Returns
    -------
    int
        Below, equal to or above zero.
    """
    if a is b:
        return 0
    for first, second, sign in ((a, b, 1), (b, a, -1)):
        method = getattr(type(first), "__cmp__", None)
        if method is not None:
            result = method(first, second)
            if result is not NotImplemented:
                return sign * ((result > 0) - (result < 0))
    if a == b:
        return 0
    try:
        if a < b:
            return -1
        if a > b:
            return 1
    except TypeError as error:
        if not _refused_by_python(error):
            raise
    return _order(a, b)


def _order(a: Any, b: Any) -> int:
    """Order two objects that Python 3 does not."""
    for kind in (list, tuple):
        if isinstance(a, kind) and isinstance(b, kind):
            for x, y in zip(a, b):
                if not (x is y or x == y):
                    return compare(x, y)
            return (len(a) > len(b)) - (len(a) < len(b))
    if isinstance(a, dict) and isinstance(b, dict):
        return _order_dicts(a, b)
    method = getattr(type(a), "__cmp__", None) or getattr(type(b), "__cmp__", None)
    if method is not None:
        return compare(a, b)
    if isinstance(a, (set, frozenset)) and isinstance(b, (set, frozenset)):
        raise TypeError("cannot compare sets using cmp()")
    place_a, place_b = _place(a), _place(b)
    if place_a == place_b:
        place_a, place_b = (id(a),), (id(b),)
        if type(a) is not type(b) and not (is_classic(type(a)) and is_classic(type(b))):
            place_a, place_b = (id(type(a)),), (id(type(b)),)
    return (place_a > place_b) - (place_a < place_b)


def _place(obj: Any) -> tuple[int, str]:
    """None before all, then numbers, then the rest by the name of the type."""
    if obj is None:
        return 0, ""
    if isinstance(obj, (int, float, complex)) or hasattr(type(obj), "__float__") or is_classic(type(obj)):
        # an old-style instance might be a number, and so counted as one
        return 1, ""
    return 2, "str" if isinstance(obj, bytes) else "classobj" if is_classic(obj) else type(obj).__name__


def _order_dicts(a: dict, b: dict) -> int:
    if len(a) != len(b):
        return (len(a) > len(b)) - (len(a) < len(b))

    def smallest_difference(x: dict, y: dict) -> Any:
        keys = [key for key in x if key not in y or not x[key] == y[key]]
        return sort([key for key in keys])[0] if keys else None

    key_a, key_b = smallest_difference(a, b), smallest_difference(b, a)
    if key_a is None:
        return 0
    return compare(key_a, key_b) or compare(a[key_a], b[key_b])


_by_compare = cmp_to_key(compare)


def sort(items: Iterable, cmp: Callable | None = None, key: Callable | None = None, reverse: Any = False) -> list:
    """
    Sort as Python 2's ``sorted``.

    Parameters
    ----------
    items : iterable
    cmp : callable, optional
        Compares two items (or their keys).
    key : callable, optional
    reverse : bool

    Returns
    -------
    list
    """
    items = list(in_order(items))
    if cmp is not None:
        by_cmp = cmp_to_key(cmp)
        return sorted(items, key=by_cmp if key is None else lambda item: by_cmp(key(item)), reverse=bool(reverse))
    keys = items if key is None else [key(item) for item in items]
    try:
        if key is None:
            return sorted(items, reverse=bool(reverse))
        order = sorted(range(len(items)), key=keys.__getitem__, reverse=bool(reverse))
    except TypeError as error:
        if "not supported between" not in str(error):
            raise
        order = sorted(range(len(items)), key=lambda i: _by_compare(keys[i]), reverse=bool(reverse))
    return [items[i] for i in order]


def extreme(native: Callable, wanted: int) -> Callable:
    """
    Make Python 2's ``min`` or ``max`` of Python 3's.

    Parameters
    ----------
    native : callable
        ``min`` or ``max``.
    wanted : int
        -1 for the smallest, 1 for the largest.

    Returns
    -------
    callable
    """

    def find(*args: Any, **options: Any) -> Any:
        # an iterator can be used up only once
        if len(args) == 1 and (is_table(type(args[0])) or iter(args[0]) is args[0]):
            args = (list(in_order(args[0])),)
        try:
            return native(*args, **options)
        except TypeError as error:
            if "not supported between" not in str(error):
                raise
        values = list(args[0] if len(args) == 1 else args)
        key = options.get("key") or (lambda value: value)
        best = values[0]
        for value in values[1:]:
            if compare(key(value), key(best)) * wanted > 0:
                best = value
        return best

    find.__name__ = native.__name__
    return find
