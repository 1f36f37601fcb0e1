"""What ``type(x)`` gives."""

from __future__ import annotations

from types import FunctionType, MethodType, ModuleType
from typing import Any

from biskit_pvm.compat.python2.builtins.classes import Instance, make_class
from biskit_pvm.compat.python2.builtins.classic import is_classic, known_as, owner_of
from biskit_pvm.compat.python2.builtins.numbers import Long, is_long
from biskit_pvm.compat.python2.builtins.strings import Basestring, Str


def type_of(*args: Any) -> Any:
    """
    Do ``type(x)``, or make a class of ``type(name, bases, namespace)``.

    Parameters
    ----------
    args : any

    Returns
    -------
    type
    """
    if len(args) == 3:
        return make_class(*args, metaclass=None if args[1] else type)
    kind = type(args[0])
    if kind is str or issubclass(kind, bytes):
        return Str
    if kind is int:
        return Long if is_long(args[0]) else int
    if is_classic(kind):
        return Instance
    if kind is FunctionType and owner_of(args[0]) is not None:
        return MethodType
    if issubclass(kind, ModuleType):
        return ModuleType
    if kind in (type(Str), type(Basestring)):
        return type
    return known_as(kind)


def type_call(function: Any, *args: Any) -> Any:
    """
    Do ``function(...)`` where the function is called ``type``.

    Parameters
    ----------
    function : any
        The built-in, unless the script has a ``type`` of its own.
    args : any

    Returns
    -------
    any
    """
    return type_of(*args) if function is type else function(*args)
