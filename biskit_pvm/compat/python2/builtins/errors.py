"""Raising, catching and looking at exceptions as in Python 2."""

from __future__ import annotations

import sys
import threading
from types import FrameType, TracebackType
from typing import Any

from biskit_pvm.compat.python2.builtins.classic import is_classic, known_as
from biskit_pvm.compat.python2.builtins.strings import to_str
from biskit_pvm.compat.python2.builtins.wording import reword


class IOError(OSError):
    """What `open` and files raise: in Python 2 no OSError."""


class OSError2(OSError):
    """What the functions of ``os`` raise: in Python 2 no IOError."""


OSError2.__name__ = OSError2.__qualname__ = "OSError"


class StandardError(Exception):
    """The ancestor of Python 2's built-in errors."""


class ClassicException(BaseException):
    """
    Carries a raised instance of an old-style class, which Python 3 cannot raise.

    Attributes
    ----------
    instance : Instance
    """

    def __init__(self, instance: Any) -> None:
        super().__init__(instance)
        self.instance = instance

    def __str__(self) -> str:
        return f"{type(self.instance).__name__}: {to_str(self.instance)}"


# Python 3 has these below Exception, and Python 2 not below StandardError
_NOT_STANDARD = (StopIteration, Warning, SystemExit, KeyboardInterrupt, GeneratorExit)

_last = threading.local()


def raise_(kind: Any, value: Any = None, traceback: TracebackType | None = None) -> BaseException:
    """
    Make the exception of ``raise kind, value, traceback``.

    Parameters
    ----------
    kind : class, exception or tuple
    value : any
    traceback : traceback, optional

    Returns
    -------
    BaseException
        To be raised by the caller.

    Raises
    ------
    TypeError
        For a string: Python 2.7 raised none either.
    """
    while isinstance(kind, tuple) and kind:
        kind = kind[0]
    error: Any
    if isinstance(kind, type) and (issubclass(kind, BaseException) or is_classic(kind)):
        if isinstance(value, kind):
            error = value
        elif isinstance(value, ClassicException) and isinstance(value.instance, kind):
            error = value.instance
        elif value is None:
            error = kind()
        elif isinstance(value, tuple):
            error = kind(*value)
        else:
            error = kind(value)
    else:
        error = kind
    if is_classic(type(error)):
        error = ClassicException(error)
    if not isinstance(error, BaseException):
        raise TypeError(
            f"exceptions must be old-style classes or derived from BaseException, not "
            f"{type(error).__name__}: raise {kind!r} (string exceptions ended with Python 2.5)"
        )
    if isinstance(traceback, TracebackType):
        if traceback.tb_frame is sys._getframe(1):
            # Python enters the raising function again
            traceback = traceback.tb_next
        error = error.with_traceback(traceback)
    # Python 2 does not tell of the exception during whose handling another one was raised
    error.__suppress_context__ = True
    return error


def reraise() -> BaseException:
    """
    Give the exception for a ``raise`` outside of an ``except`` clause: the one caught last.

    Returns
    -------
    BaseException
    """
    error = last_caught(sys._getframe(1))
    if error is None:
        raise TypeError("exceptions must be old-style classes or derived from BaseException, not NoneType")
    return error


def match(*kinds: Any) -> Any:
    """
    Give Python 3 the classes that an ``except`` clause names, as far as they catch the present exception.

    Parameters
    ----------
    kinds : class or nested tuple of classes
        None given: everything.

    Returns
    -------
    class or tuple of classes
    """
    error = sys.exc_info()[1]
    if kinds and not _catches(error, kinds[0]):
        return ()
    if error is not None:
        reword(error)
    _last.caught = (error, sys._getframe(1))
    return BaseException


def _catches(error: Any, kind: Any) -> bool:
    if isinstance(kind, tuple):
        return any(_catches(error, part) for part in kind)
    if isinstance(kind, str):
        raise TypeError(f"a string ({kind!r}) in an except clause: string exceptions ended with Python 2.5")
    if isinstance(error, ClassicException):
        return isinstance(kind, type) and isinstance(error.instance, kind)
    if kind is IOError:
        return isinstance(error, OSError) and not isinstance(error, OSError2)
    if kind is OSError2:
        return isinstance(error, OSError) and not isinstance(error, IOError)
    if kind is StandardError:
        return isinstance(error, Exception) and not isinstance(error, _NOT_STANDARD)
    return isinstance(kind, type) and isinstance(error, kind)


def is_instance_of_error(obj: Any, kind: Any) -> bool | None:
    """
    Answer ``isinstance`` for the errors that are arranged differently in Python 3.

    Parameters
    ----------
    obj : any
    kind : type

    Returns
    -------
    bool or None
        None where Python 3's answer is right.
    """
    return _catches(obj, kind) if kind in (IOError, OSError2, StandardError) else None


def caught(error: BaseException, unpacked: bool = False) -> Any:
    """
    Give what ``except kind, target`` binds.

    Parameters
    ----------
    error : BaseException
    unpacked : bool
        The target is a tuple: it takes the exception's arguments.

    Returns
    -------
    any
    """
    if isinstance(error, ClassicException):
        return error.instance
    if unpacked and not hasattr(type(error), "__iter__"):
        return arguments(error)
    return error


def arguments(error: BaseException) -> tuple:
    """
    Give the arguments of an exception as Python 2's indexing saw them.

    Parameters
    ----------
    error : BaseException

    Returns
    -------
    tuple
    """
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno, error.strerror
    return error.args


def item_of_exception(error: Any, index: Any) -> Any:
    """
    Do ``error[index]`` of what may well be an exception: the variable of an ``except`` clause, ``sys.exc_info()[1]``.

    Parameters
    ----------
    error : any
        By now it may be anything.
    index : any

    Returns
    -------
    any
    """
    if isinstance(error, BaseException) and not hasattr(type(error), "__getitem__"):
        return arguments(error)[index]
    return error[index]


def message(error: Any) -> Any:
    """
    Give an exception's ``message``, which Python 3 does not have.

    Parameters
    ----------
    error : any

    Returns
    -------
    any
    """
    if isinstance(error, BaseException) and not hasattr(error, "message"):
        return error.args[0] if len(error.args) == 1 else ""
    return error.message


def last_caught(frame: FrameType) -> BaseException | None:
    """
    Give the exception that a function, or one that called it, caught last.

    Parameters
    ----------
    frame : frame
        Where the question is asked.

    Returns
    -------
    BaseException or None
    """
    error, where = getattr(_last, "caught", (None, None))
    asking: FrameType | None = frame
    while asking is not None:
        if asking is where:
            return error
        asking = asking.f_back
    return None


def forget() -> None:
    """Do Python 2's ``sys.exc_clear``."""
    _last.caught = (None, None)


def exc_info() -> tuple:
    """
    Do Python 2's ``sys.exc_info``, which still knew the exception after its ``except`` clause.

    Returns
    -------
    (type, value, traceback)
    """
    kind, error, traceback = sys.exc_info()
    if error is None:
        error = last_caught(sys._getframe(1))
        if error is None:
            return None, None, None
        kind, traceback = type(error), error.__traceback__
    if isinstance(error, ClassicException):
        return type(error.instance), error.instance, traceback
    return known_as(kind), error, traceback
