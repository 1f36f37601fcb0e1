"""Functions of Python 3's modules that take and give 8-bit strings, and raise what Python 2 raised."""

from __future__ import annotations

import functools
import os
import types
from typing import Any, Callable

from biskit_pvm.compat.python2.builtins.errors import OSError2
from biskit_pvm.compat.python2.builtins.strings import as_bytes, as_text, from_os, to_os

#: Python's way to run a module, which is not frozen before Python 3.11
_RUNPY = os.path.join(os.path.dirname(os.__file__), "runpy.py")
_HERE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))) + os.sep

# the binding's are named as they were when it was compiled
_NOT_THE_USERS = _HERE, "<frozen ", "pvm_ext/"


def is_ours(filename: str, function: str = "") -> bool:
    """
    Tell whether code in a traceback is this package's or the import machinery's, and no user's concern.

    Parameters
    ----------
    filename : str
    function : str, optional
        What runs there; a list comprehension is a function of its own before Python 3.12.

    Returns
    -------
    bool
    """
    return function == "<listcomp>" or filename.startswith(_NOT_THE_USERS) or filename == _RUNPY


def eight_bit(function: Callable) -> Callable:
    """
    Let a function that takes and gives file names or arguments take and give 8-bit strings.

    Parameters
    ----------
    function : callable

    Returns
    -------
    callable
        Its OSErrors are Python 2's.
    """

    @functools.wraps(function)
    def call(*args: Any, **named: Any) -> Any:
        try:
            result = function(*[_out(arg) for arg in args], **{key: _out(value) for key, value in named.items()})
        except OSError as error:
            raise python2_error(error) from None
        return map(from_os, result) if isinstance(result, types.GeneratorType) else from_os(result)

    return call


def _out(value: Any) -> Any:
    if isinstance(value, str):
        return to_os(value)
    if type(value) in (list, tuple):
        return type(value)(_out(item) for item in value)
    return value


def python2_error(error: OSError) -> OSError:
    """
    Give an OSError as the class that Python 2 raised, which no ``except IOError`` catches.

    Parameters
    ----------
    error : OSError

    Returns
    -------
    OSError
    """
    if type(error).__module__ != "builtins" or error.errno is None:
        return error
    if error.filename is not None:
        return OSError2(error.errno, error.strerror, from_os(error.filename))
    return OSError2(error.errno, error.strerror)


def bytes_function(function: Callable) -> Callable:
    """
    Let a function that takes and gives bytes take and give 8-bit strings.

    Parameters
    ----------
    function : callable

    Returns
    -------
    callable
    """

    @functools.wraps(function)
    def call(*args: Any, **named: Any) -> Any:
        return _in(function(*map(_to_bytes, args), **named))

    return call


def _to_bytes(value: Any) -> Any:
    return as_bytes(value) if isinstance(value, str) else value


def _in(value: Any) -> Any:
    if type(value) in (bytes, bytearray):
        return as_text(value)
    if type(value) in (tuple, list):
        return type(value)(_in(item) for item in value)
    return value
