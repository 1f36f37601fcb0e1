"""Built-in functions that gave lists, and the methods of dictionaries."""

from __future__ import annotations

import builtins
import functools
import operator
from collections.abc import Iterable
from typing import Any, Callable

from biskit_pvm.compat.python2.builtins.hash_tables import in_order, is_table, keys_of
from biskit_pvm.compat.python2.builtins.kinds import type_of
from biskit_pvm.compat.python2.builtins.numbers import Long, divide, is_long, number_call
from biskit_pvm.compat.python2.builtins.ordering import compare, sort
from biskit_pvm.compat.python2.builtins.strings import Unicode, u

_VIEWS = (type({}.keys()), type({}.values()), type({}.items()))


def map_(function: Callable | None, *sequences: Iterable) -> list:
    """
    Do Python 2's ``map``: a list; shorter sequences are filled up with None.

    Parameters
    ----------
    function : callable or None
    sequences : iterables

    Returns
    -------
    list
    """
    if not sequences:
        raise TypeError("map() requires at least two args")
    if function is type:
        function = type_of
    elif function is int or function is float:
        function = functools.partial(number_call, function)
    if len(sequences) == 1:
        items = in_order(sequences[0])
        return list(items) if function is None else [function(item) for item in items]
    lists = [list(in_order(sequence)) for sequence in sequences]
    length = max(map(len, lists))
    rows = zip(*(items + [None] * (length - len(items)) for items in lists))
    return list(rows) if function is None else [function(*row) for row in rows]


def filter_(function: Callable | None, sequence: Any) -> Any:
    """
    Do Python 2's ``filter``: text and tuples give their own type, all else a list.

    Parameters
    ----------
    function : callable or None
    sequence : iterable

    Returns
    -------
    list, str or tuple
    """
    kept = [item for item in in_order(sequence) if (item if function is None else function(item))]
    if isinstance(sequence, str):
        return u("").join(kept) if isinstance(sequence, Unicode) else "".join(kept)
    return tuple(kept) if isinstance(sequence, tuple) else kept


def zip_(*sequences: Iterable) -> list[tuple]:
    """
    Do Python 2's ``zip``.

    Parameters
    ----------
    sequences : iterables

    Returns
    -------
    list of tuple
    """
    return list(zip(*map(in_order, sequences)))


def range_(*bounds: Any) -> list[int]:
    """
    Do Python 2's ``range``.

    Parameters
    ----------
    bounds : int
        Start, stop and step.

    Returns
    -------
    list of int
    """
    return list(range(*bounds))


def iter_(obj: Any, *sentinel: Any) -> Any:
    """
    Do the built-in ``iter``.

    Parameters
    ----------
    obj : any
    sentinel : any, optional

    Returns
    -------
    iterator
    """
    return iter(obj, *sentinel) if sentinel else iter(in_order(obj))


def reduce_(function: Callable, sequence: Iterable, *initial: Any) -> Any:
    """
    Do the built-in ``reduce``.

    Parameters
    ----------
    function : callable
    sequence : iterable
    initial : any, optional

    Returns
    -------
    any
    """
    return functools.reduce(function, in_order(sequence), *initial)


def listed(function: Any, items: Any) -> Any:
    """
    Give the argument of what is called ``list``, ``tuple`` or ``enumerate``.

    Parameters
    ----------
    function : any
        The built-in, unless the script has something else of that name.
    items : any

    Returns
    -------
    any
    """
    return in_order(items) if function in (list, tuple, enumerate) else items


def apply(function: Callable, args: Iterable = (), named: dict = {}) -> Any:
    """
    Do Python 2's ``apply``.

    Parameters
    ----------
    function : callable
    args : iterable
    named : dict

    Returns
    -------
    any
    """
    return function(*args, **named)


def coerce(a: Any, b: Any) -> tuple:
    """
    Do Python 2's ``coerce``: two numbers as the wider type of the two.

    Parameters
    ----------
    a, b : numbers

    Returns
    -------
    tuple
    """
    if any(isinstance(number, int) and is_long(number) for number in (a, b)):
        kinds: tuple[type, ...] = (complex, float, Long)
    else:
        kinds = (complex, float, int)
    for kind in kinds:
        if isinstance(a, kind) or isinstance(b, kind):
            return kind(a), kind(b)
    method = getattr(type(a), "__coerce__", None)
    if method is not None:
        return method(a, b)
    raise TypeError("number coercion failed")


def unichr(number: int) -> Unicode:
    """
    Do Python 2's ``unichr``.

    Parameters
    ----------
    number : int

    Returns
    -------
    Unicode
    """
    return u(builtins.chr(number))


def chr_(number: int) -> str:
    """
    Do Python 2's ``chr``: a byte.

    Parameters
    ----------
    number : int
        0 to 255.

    Returns
    -------
    str
    """
    if not 0 <= operator.index(number) < 256:
        raise ValueError("chr() arg not in range(256)")
    return builtins.chr(number)


# -- methods


def keys(obj: Any, *args: Any) -> Any:
    """Call ``obj.keys()``; a list where the class has no method of its own."""
    if not args and _is_dictionary(obj, "keys"):
        return keys_of(obj)
    return _listed(obj.keys(*args))


def values(obj: Any, *args: Any) -> Any:
    """Call ``obj.values()``; a list where the class has no method of its own."""
    if not args and _is_dictionary(obj, "values"):
        return [dict.__getitem__(obj, key) for key in keys_of(obj)]
    return _listed(obj.values(*args))


def items(obj: Any, *args: Any) -> Any:
    """Call ``obj.items()``; a list where the class has no method of its own."""
    if not args and _is_dictionary(obj, "items"):
        return [(key, dict.__getitem__(obj, key)) for key in keys_of(obj)]
    return _listed(obj.items(*args))


def _is_dictionary(obj: Any, method: str) -> bool:
    """Tell whether an object is a dictionary that has a method from nowhere else."""
    kind = type(obj)
    return kind is dict or (is_table(kind) and getattr(kind, method, None) is getattr(dict, method))


def _listed(result: Any) -> Any:
    # whatever answers with a view (a dict, os.environ, an OrderedDict) answered with a list
    if (
        isinstance(result, _VIEWS)
        or type(result).__module__ in ("collections.abc", "odict_keys")
        or type(result).__name__ in ("odict_keys", "odict_values", "odict_items", "KeysView", "ValuesView", "ItemsView")
    ):
        return list(result)
    return result


def _iterating(old: str, new: str) -> Callable:
    def call(obj: Any, *args: Any) -> Any:
        method = getattr(obj, old, None)
        if method is not None:
            return method(*args)
        if not args and _is_dictionary(obj, new):
            if new == "keys":
                return iter(in_order(obj))
            if new == "values":
                return (dict.__getitem__(obj, key) for key in in_order(obj))
            return ((key, dict.__getitem__(obj, key)) for key in in_order(obj))
        return iter(getattr(obj, new)(*args))

    call.__name__ = old
    call.__doc__ = f"Call ``obj.{old}()``."
    return call


iterkeys, itervalues, iteritems = (_iterating("iter" + name, name) for name in ("keys", "values", "items"))


#: what lists a dictionary, by name
METHODS = {
    "keys": keys,
    "values": values,
    "items": items,
    "iterkeys": iterkeys,
    "itervalues": itervalues,
    "iteritems": iteritems,
}


def _viewing(old: str, new: str) -> Callable:
    def call(obj: Any, *args: Any) -> Any:
        method = getattr(obj, old, None)
        return getattr(obj, new)(*args) if method is None else method(*args)

    call.__name__ = old
    call.__doc__ = f"Call ``obj.{old}()``."
    return call


viewkeys, viewvalues, viewitems = (_viewing("view" + name, name) for name in ("keys", "values", "items"))


def has_key(obj: Any, *args: Any) -> Any:
    """Call ``obj.has_key(key)``."""
    method = getattr(obj, "has_key", None)
    return method(*args) if method is not None else operator.contains(obj, *args)


def popitem(obj: Any, *args: Any) -> Any:
    """Call ``obj.popitem()``: Python 2 took what comes first in the table."""
    if type(obj) is dict and obj and not args:
        key = keys_of(obj)[0]
        return key, obj.pop(key)
    return obj.popitem(*args)


def extend(obj: Any, *args: Any) -> Any:
    """Call ``obj.extend(items)``."""
    return obj.extend(*map(in_order, args)) if type(obj) is list else obj.extend(*args)


def sort_method(obj: Any, *args: Any, **named: Any) -> Any:
    """Call ``obj.sort(...)``: a list sorts as in Python 2, anything else has its own idea of it."""
    if isinstance(obj, list) and type(obj).sort is list.sort:
        obj[:] = sort(obj, *args, **named)
        return None
    return obj.sort(*args, **named)


def next_method(obj: Any, *args: Any) -> Any:
    """Call ``obj.next()``."""
    method = getattr(obj, "next", None)
    return method(*args) if method is not None else builtins.next(obj, *args)


def cmp_method(obj: Any, other: Any) -> int:
    """Call ``obj.__cmp__(other)``."""
    method = getattr(obj, "__cmp__", None)
    if method is not None:
        return method(other)
    if isinstance(obj, (str, dict, list, tuple, int, float)):
        return compare(obj, other)
    raise AttributeError(f"{type(obj).__name__!r} object has no attribute '__cmp__'")


def nonzero_method(obj: Any) -> Any:
    """Call ``obj.__nonzero__()``."""
    method = getattr(obj, "__nonzero__", None)
    return method() if method is not None else bool(obj)


def div_method(obj: Any, *others: Any) -> Any:
    """Call ``obj.__div__(other)``."""
    method = getattr(obj, "__div__", None)
    return method(*others) if method is not None else divide(obj, *others)


def unicode_method(obj: Any) -> Any:
    """Call ``obj.__unicode__()``."""
    return Unicode(obj)
