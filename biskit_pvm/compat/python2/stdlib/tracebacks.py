"""``traceback``: what the script wrote, without the steps of this package in between, in Python 2's form."""

from __future__ import annotations

import sys
import traceback
import types
from collections.abc import Iterable
from typing import Any

from biskit_pvm.compat.python2.builtins import errors, files
from biskit_pvm.compat.python2.builtins.classic import known_as
from biskit_pvm.compat.python2.builtins.strings import Unicode, plain, to_str
from biskit_pvm.compat.python2.registry import StandIn
from biskit_pvm.compat.python2.stdlib.eight_bit import is_ours

_HEAD = "Traceback (most recent call last):\n"


def text_of(error: Any) -> str:
    """
    Give the text of an exception that is shown behind its name.

    Parameters
    ----------
    error : any

    Returns
    -------
    str
    """
    try:
        return plain(to_str(error))
    except Exception:
        try:
            return plain(Unicode(error)).encode("ascii", "backslashreplace").decode()
        except Exception:
            return f"<unprintable {type(error).__name__} object>"


def format_exception_only(kind: Any, error: Any) -> list[str]:
    """Do Python 2's function of this name."""
    if isinstance(kind, type) and issubclass(kind, SyntaxError):
        # as such, whatever the translator calls it
        return traceback.format_exception_only(SyntaxError, SyntaxError(error.msg, *error.args[1:]))
    name = known_as(kind).__name__ if isinstance(kind, type) else to_str(kind)
    text = "" if error is None else text_of(error)
    return [f"{name}: {text}\n" if text else f"{name}\n"]


def _own(steps: Iterable[Any]) -> list[tuple]:
    return [(step[0], step[1], step[2], step[3] or None) for step in steps if not is_ours(step[0], step[2])]


def extract_tb(tb: Any, limit: Any = None) -> list[tuple]:
    """Do Python 2's function of this name."""
    return _own(traceback.extract_tb(tb))[:limit]


def format_tb(tb: Any, limit: Any = None) -> list[str]:
    """Do Python 2's function of this name."""
    return traceback.format_list(extract_tb(tb, limit))  # type: ignore[arg-type]


def format_exception(kind: Any, error: Any, tb: Any, limit: Any = None) -> list[str]:
    """Do Python 2's function of this name."""
    return [*([_HEAD, *format_tb(tb, limit)] if tb else []), *format_exception_only(kind, error)]


def _stack(frame: Any, limit: Any) -> list[tuple]:
    steps = _own(traceback.extract_stack(frame))
    return steps if limit is None else steps[-limit:]


def _print(lines: Iterable[str], file: Any) -> None:
    (files.standard("stderr") if file is None else file).write("".join(lines))


def _traceback() -> types.ModuleType:
    def format_exc(limit: Any = None) -> str:
        return "".join(format_exception(*errors.exc_info(), limit))

    def print_exc(limit: Any = None, file: Any = None) -> None:
        _print(format_exception(*errors.exc_info(), limit), file)

    def print_exception(kind: Any, error: Any, tb: Any, limit: Any = None, file: Any = None) -> None:
        _print(format_exception(kind, error, tb, limit), file)

    def print_tb(tb: Any, limit: Any = None, file: Any = None) -> None:
        _print(format_tb(tb, limit), file)

    def extract_stack(f: Any = None, limit: Any = None) -> list[tuple]:
        return _stack(f or sys._getframe(1), limit)

    def format_stack(f: Any = None, limit: Any = None) -> list[str]:
        return traceback.format_list(_stack(f or sys._getframe(1), limit))  # type: ignore[arg-type]

    def print_stack(f: Any = None, limit: Any = None, file: Any = None) -> None:
        _print(traceback.format_list(_stack(f or sys._getframe(1), limit)), file)  # type: ignore[arg-type]

    names = {
        each.__name__: each
        for each in (format_exc, print_exc, print_exception, print_tb, extract_stack, format_stack, print_stack)
        + (extract_tb, format_tb, format_exception, format_exception_only)
    }
    return StandIn(traceback, names, name="traceback")


MODULES = {"traceback": _traceback}
