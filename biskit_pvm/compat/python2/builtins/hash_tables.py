"""
The order in which dictionaries and sets list what they hold: that of Python 2's hash tables.

Python 3's dictionaries remember in which order their keys came. That, and the numbers in `hashing`, is all that is needed to
fill Python 2's table once more. It is the same order wherever the table came about key by key; a table that was made
larger beforehand (a literal with many entries, a copy), or that has lost entries, may have had another one. Sets do not
remember; only what collided in the table is in doubt. What hashed by its address (None, classes, instances) had another place
in every process, so that the order in which it came is as good as any.
"""

from __future__ import annotations

from collections.abc import Iterator
from operator import is_, itemgetter
from typing import Any

from biskit_pvm.compat.python2.builtins.hashing import fixed_hash

#: types that list what they hold in an order of their own
_LINEAR = {list, tuple, str, range}
#: dictionary or set to its keys as they came and as they were listed: loops ask again and again
_recent: dict[tuple[int, bool], tuple[list, list]] = {}
_MANY = 100_000


def in_order(obj: Any) -> Any:
    """
    Give something to iterate over that lists what `obj` holds in the order of Python 2.

    Parameters
    ----------
    obj : any

    Returns
    -------
    any
        The object itself, unless it is a dictionary or set.
    """
    kind = type(obj)
    if kind in _LINEAR:
        return obj
    if is_table(kind):
        return _walked(obj, keys_of(obj))
    return obj


def is_table(kind: type) -> bool:
    """
    Tell whether objects of a type list what they hold in the order of a hash table.

    Parameters
    ----------
    kind : type

    Returns
    -------
    bool
    """
    return getattr(kind, "__iter__", None) in _TABLES


_TABLES = {dict.__iter__, set.__iter__, frozenset.__iter__}


def keys_of(obj: Any) -> list:
    """
    List the keys of a dictionary, or the elements of a set.

    Parameters
    ----------
    obj : dict, set or frozenset

    Returns
    -------
    list
    """
    keys = list(obj)
    if len(keys) < 2:
        return keys
    forgotten = isinstance(obj, (set, frozenset))
    place = id(obj), forgotten
    known = _recent.get(place)
    # another one may live there now, whose keys are equal and yet not the same: 1 and 1.0
    if known is not None and len(known[0]) == len(keys) and all(map(is_, known[0], keys)):
        return known[1][:]
    order = table_order(keys, forgotten)
    if order is not keys and len(keys) < _MANY:
        if len(_recent) >= 32:
            _recent.clear()
        _recent[place] = keys, order
        return order[:]
    return order


def table_order(keys: list, forgotten: bool = False, updated: bool = False) -> list:
    """
    Fill Python 2's hash table with keys, and read them off.

    Parameters
    ----------
    keys : list
        In the order in which they came.
    forgotten : bool
        In an order that means nothing, and may be another one next time.
    updated : bool
        By ``update`` with one key at a time, which made the table larger sooner, but less so.

    Returns
    -------
    list
        The same one where a key hashed by its address.
    """
    if not keys:
        return keys
    size, n = 8, len(keys)
    while n * 3 >= size * 2:
        # as many as fill the table make it larger
        filled = (size * 2 + 2) // 3
        size = _larger(filled, updated)
    if all(type(key) is int for key in keys) and min(keys) >= 0 and max(keys) < size:
        return sorted(keys)
    entries: list = []
    for key in keys:
        number = fixed_hash(key)
        if number is None:
            return keys
        entries.append((number & 0xFFFFFFFFFFFFFFFF, key))
    if forgotten:
        entries.sort(key=itemgetter(0))
    table, used, size = [None] * 8, 0, 8
    for entry in entries:
        used += 1
        if not updated:
            _put(table, entry)
        if used * 3 >= size * 2:
            size = _larger(used, updated)
            old, table = table, [None] * size
            for each in old:
                if each is not None:
                    _put(table, each)
        if updated:
            _put(table, entry)
    return [entry[1] for entry in table if entry is not None]


def _larger(used: int, updated: bool) -> int:
    size, least = 8, used * (2 if updated or used > 50000 else 4)
    while size <= least:
        size <<= 1
    return size


def _put(table: list, entry: tuple) -> None:
    mask = len(table) - 1
    disturbance = entry[0]
    place = disturbance & mask
    while table[place] is not None:
        place = (place * 5 + disturbance + 1) & mask
        disturbance >>= 5
    table[place] = entry


def _walked(obj: Any, keys: list) -> Iterator:
    size = len(obj)
    for key in keys:
        yield key
        if len(obj) != size:
            what = "dictionary" if hasattr(obj, "keys") else "Set"
            raise RuntimeError(f"{what} changed size during iteration")
