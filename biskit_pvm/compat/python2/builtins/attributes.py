"""Attributes and methods that Python 3 does not have, spells otherwise, or answers otherwise; and ``type(x)``."""

from __future__ import annotations

import sys
from functools import partial
from types import BuiltinMethodType, FunctionType, MethodType, ModuleType
from typing import Any, Callable

from biskit_pvm.compat.python2.builtins import classes, containers, errors
from biskit_pvm.compat.python2.builtins.classes import Instance
from biskit_pvm.compat.python2.builtins.classic import is_classic, known_as, owner_of
from biskit_pvm.compat.python2.builtins.kinds import type_of
from biskit_pvm.compat.python2.builtins.numbers import Long, is_long
from biskit_pvm.compat.python2.builtins.strings import _METHODS, Basestring, Str, eight_bit_method
from biskit_pvm.compat.python2.registry import ask
from biskit_pvm.compat.python2.translate.names import CALLS


def _string_call(name: str) -> Callable:
    method = eight_bit_method(name)

    def call(obj: Any, *args: Any, **named: Any) -> Any:
        if type(obj) is str:
            return method(obj, *args, **named)
        if obj is Str:
            return method(*args, **named)
        if isinstance(obj, bytes):
            return method(str(obj, "latin-1"), *args, **named)
        return getattr(obj, name)(*args, **named)

    call.__name__ = name
    return call


def _native_call(name: str) -> Callable:
    def call(obj: Any, *args: Any, **named: Any) -> Any:
        return getattr(str(obj, "latin-1") if isinstance(obj, bytes) else obj, name)(*args, **named)

    call.__name__ = name
    return call


def _bound_slice(name: str, function: Callable, fallback: str) -> Callable:
    """``x.__getslice__(i, j)`` called by hand, also of a built-in type and of ``super(...)``."""

    def call(obj: Any, *args: Any) -> Any:
        method = getattr(obj, name, None)
        if method is not None:
            return method(*args)
        if isinstance(obj, type):
            return (
                call(*args)
                if obj not in (list, tuple, str, Str)
                else getattr(str if obj is Str else obj, fallback)(args[0], slice(*args[1:3]), *args[3:])
            )
        return getattr(obj, fallback)(slice(*args[:2]), *args[2:])

    call.__name__ = name
    return call


def _array_call(name: str) -> Callable:
    """A method of NumPy arrays; `biskit_pvm.compat.python2.stdlib.arrays` knows those that went away."""

    def call(obj: Any, *args: Any, **named: Any) -> Any:
        numpy = sys.modules.get("numpy")
        if numpy is not None and isinstance(obj, (numpy.ndarray, numpy.generic)):
            return getattr(ask("arrays"), name)(obj, *args, **named)
        return getattr(obj, name)(*args, **named)

    call.__name__ = name
    return call


#: method name to ``f(obj, *args)``
METHOD_CALLS: dict[str, Callable] = {
    **{name: _native_call(name) for name in CALLS},
    **{name: _string_call(name) for name in _METHODS},
    **containers.METHODS,
    "viewkeys": containers.viewkeys,
    "viewvalues": containers.viewvalues,
    "viewitems": containers.viewitems,
    "has_key": containers.has_key,
    "popitem": containers.popitem,
    "extend": containers.extend,
    "sort": containers.sort_method,
    "next": containers.next_method,
    **{name: _array_call(name) for name in "tostring astype ptp itemset newbyteorder".split()},
    "__cmp__": containers.cmp_method,
    "__nonzero__": containers.nonzero_method,
    "__div__": containers.div_method,
    "__unicode__": containers.unicode_method,
    "__getslice__": _bound_slice("__getslice__", classes.get_slice, "__getitem__"),
    "__setslice__": _bound_slice("__setslice__", classes.set_slice, "__setitem__"),
    "__delslice__": _bound_slice("__delslice__", classes.delete_slice, "__delitem__"),
}

_RENAMED = {
    "im_func": "__func__",
    "im_self": "__self__",
    "func_name": "__name__",
    "func_code": "__code__",
    "func_defaults": "__defaults__",
    "func_globals": "__globals__",
    "func_dict": "__dict__",
    "func_doc": "__doc__",
    "func_closure": "__closure__",
    "gi_code": "gi_code",
}
_MISSING = object()
# the methods that go through helpers, of the types that have them
_BUILT_IN_METHODS = {
    str: {name for name in CALLS if name in _METHODS or hasattr(str, name)} | {"__getslice__"},
    bytes: set(_METHODS),
    dict: {
        "keys",
        "values",
        "items",
        "iterkeys",
        "itervalues",
        "iteritems",
        "viewkeys",
        "viewvalues",
        "viewitems",
        "has_key",
        "__cmp__",
    },
    list: {"sort", "count", "index", "__getslice__", "__setslice__", "__delslice__"},
    tuple: {"count", "index", "__getslice__"},
}
_FUNCTIONS = (FunctionType, MethodType, BuiltinMethodType)


def attribute(obj: Any, name: str) -> Any:
    """
    Do ``obj.name`` for the names in `biskit_pvm.compat.python2.translate.names.LOADS`.

    Parameters
    ----------
    obj : any
    name : str

    Returns
    -------
    any

    Raises
    ------
    AttributeError
    """
    if name == "message":
        return errors.message(obj)
    if name == "__class__":
        if type(obj) in (int, str, bytes):
            return type_of(obj)
        kind = obj.__class__
        return kind.__bases__[0] if "_of_one_instance" in kind.__dict__ else known_as(kind)
    if name in ("char", "itemsize", "kind"):
        return _of_dtype(obj, name)
    if name == "__bases__":
        return tuple(base for base in obj.__bases__ if base is not object) if is_classic(obj) else obj.__bases__
    if name in _RENAMED:
        return _function_attribute(obj, name)
    if name == "im_class":
        return _class_of_method(obj)
    if name in _BUILT_IN_METHODS.get(type(obj), ()):
        return partial(METHOD_CALLS[name], obj)
    if isinstance(obj, type) and name in _BUILT_IN_METHODS.get(str if obj is Str else obj, ()):
        return METHOD_CALLS[name]
    found = getattr(obj, name, _MISSING)
    if found is _MISSING:
        if (
            (name == "next" and hasattr(obj, "__next__"))
            or (name == "has_key" and hasattr(obj, "__contains__"))
            or (name in ("__getslice__", "__setslice__", "__delslice__") and hasattr(obj, "__getitem__"))
            or (name.startswith(("iter", "view")) and hasattr(obj, name[4:]))
            or (name == "sort" and isinstance(obj, list))
        ):
            return partial(METHOD_CALLS[name], obj)
        return getattr(obj, name)
    if name in ("keys", "values", "items") and isinstance(found, BuiltinMethodType):
        return partial(METHOD_CALLS[name], obj)
    return found


def _is_method(function: FunctionType) -> bool:
    """Tell whether a function was taken from a class, whose unbound method it was in Python 2."""
    owner = function.__qualname__.rpartition(".")[0]
    return bool(owner) and not owner.endswith("<locals>")


def _class_of_method(obj: Any) -> Any:
    if hasattr(obj, "im_class"):
        return obj.im_class
    if not isinstance(obj, FunctionType):
        return type(obj.__self__)
    found = owner_of(obj) or obj.__globals__.get(obj.__qualname__.rpartition(".")[0])
    if not isinstance(found, type):
        raise AttributeError("'function' object has no attribute 'im_class'")
    return found


def _function_attribute(obj: Any, name: str) -> Any:
    found = getattr(obj, name, _MISSING)
    if found is not _MISSING:
        return found
    if name in ("im_func", "im_self") and isinstance(obj, FunctionType):
        if not _is_method(obj):
            raise AttributeError(f"'function' object has no attribute {name!r}")
        return obj if name == "im_func" else None
    if isinstance(obj, _FUNCTIONS) or (hasattr(obj, _RENAMED[name]) and not is_classic(type(obj))):
        return getattr(obj, _RENAMED[name])
    return getattr(obj, name)


def _of_dtype(obj: Any, name: str) -> Any:
    """An array of 8-bit strings is one of Python 3 ``str``, but says 'S', with a byte for each character, as it did."""
    found = getattr(obj, name)
    numpy = sys.modules.get("numpy")
    if numpy is None or not isinstance(obj, (numpy.dtype, numpy.ndarray, numpy.generic)):
        return found
    if name == "itemsize":
        return found // 4 if getattr(obj, "dtype", obj).kind == "U" else found
    return "S" if found == "U" else found


def set_attribute(obj: Any, name: str, value: Any) -> None:
    """
    Do ``obj.func_name = value`` and its like.

    Parameters
    ----------
    obj : any
    name : str
    value : any
    """
    if name in classes.SPECIAL and is_classic(type(obj)):
        classes.let_instance_have(obj, name)
    setattr(obj, _RENAMED[name] if isinstance(obj, FunctionType) and name in _RENAMED else name, value)


def get_attribute(obj: Any, name: str, *default: Any) -> Any:
    """
    Do the built-in ``getattr``, also for the names of Python 2.

    Parameters
    ----------
    obj : any
    name : str
    default : any, optional

    Returns
    -------
    any
    """
    name = str.__str__(name)
    if name in _LOADED:
        try:
            return attribute(obj, name)
        except AttributeError:
            if default:
                return default[0]
            raise
    return getattr(obj, name, *default)


def has_attribute(obj: Any, name: str) -> bool:
    """
    Do the built-in ``hasattr``: any exception means no.

    Parameters
    ----------
    obj : any
    name : str

    Returns
    -------
    bool
    """
    name = str.__str__(name)
    if name in ("__iter__",) and isinstance(obj, str):
        return False
    if name in _DUNDER and isinstance(obj, type(None)):
        return False
    if name == "__call__" and is_classic(type(obj)):
        return callable_(obj)
    try:
        get_attribute(obj, name)
    except Exception:
        return False
    return True


_DUNDER = frozenset(("__lt__", "__le__", "__gt__", "__ge__"))
from biskit_pvm.compat.python2.translate.names import LOADS as _LOADED


def callable_(obj: Any) -> bool:
    """
    Do the built-in ``callable``.

    Parameters
    ----------
    obj : any

    Returns
    -------
    bool
    """
    if is_classic(type(obj)) and "__getattr__" in dir(type(obj)):
        try:
            own = type(obj).__call__
            if own.__qualname__.endswith("_delegated.<locals>.call"):
                return type(obj).__getattr__(obj, "__call__") is not None
            return True
        except AttributeError:
            return False
    return callable(obj)


def is_instance(obj: Any, kinds: Any) -> bool:
    """
    Do the built-in ``isinstance`` with Python 2's types.

    Parameters
    ----------
    obj : any
    kinds : type or nested tuple of types

    Returns
    -------
    bool
    """
    if isinstance(kinds, tuple):
        return any(is_instance(obj, kind) for kind in kinds)
    if kinds is int:
        if isinstance(obj, int):
            return not is_long(obj)
        numpy = sys.modules.get("numpy")
        return numpy is not None and isinstance(obj, numpy.int64)
    if kinds is Long:
        return isinstance(obj, int) and not isinstance(obj, bool) and is_long(obj)
    if kinds is Str or kinds is str or kinds is Basestring:
        return isinstance(obj, (kinds, bytes))
    if kinds is type:
        return isinstance(obj, type) and not is_classic(obj)
    if kinds is Instance:
        return is_classic(type(obj))
    if kinds is MethodType and owner_of(obj) is not None:
        return True
    if isinstance(obj, BaseException):
        special = errors.is_instance_of_error(obj, kinds)
        if special is not None:
            return special
    return isinstance(obj, kinds)


def is_subclass(kind: Any, kinds: Any) -> bool:
    """
    Do the built-in ``issubclass`` with Python 2's types.

    Parameters
    ----------
    kind : type
    kinds : type or tuple of types

    Returns
    -------
    bool
    """
    if isinstance(kinds, tuple):
        return any(is_subclass(kind, each) for each in kinds)
    if kinds is errors.StandardError:
        return issubclass(kind, Exception) and not issubclass(kind, errors._NOT_STANDARD)
    if kinds is object and is_classic(kind):
        return False
    if kinds is int and isinstance(kind, type) and issubclass(kind, Long):
        return False
    return issubclass(kind, kinds)
