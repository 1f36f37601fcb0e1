"""What can be saved of a message that cannot be read as a whole.

A message of ours that does not unpickle is read once more, with a mark in the place of each object
that cannot be made here.  So one bad result spoils itself and not those that came with it.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Iterable
from typing import Any


class Unreadable:
    """Stands for an object that could not be made.

    Attributes
    ----------
    error : BaseException
        Why not.
    """

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __call__(self, *args: Any, **kw: Any) -> Unreadable:
        """Stand for what a missing function or class would have given, too."""
        return self

    def __setitem__(self, key: Any, value: Any) -> None:
        """Take no items."""

    def append(self, value: Any) -> None:
        """Take no items."""


_PythonUnpickler: Any = pickle._Unpickler


class _Salvager(_PythonUnpickler):  # type: ignore[misc]
    """Python's own unpickler, with a mark in the place of what raises."""

    dispatch = dict(_PythonUnpickler.dispatch)

    def find_class(self, module: str, name: str) -> Any:
        try:
            return super().find_class(module, name)
        except BaseException as error:
            return Unreadable(error)

    def load_reduce(self) -> None:
        stack = self.stack
        args = stack.pop()
        stack[-1] = self._made(stack[-1], args, {})

    dispatch[pickle.REDUCE[0]] = load_reduce

    def load_newobj(self) -> None:
        args = self.stack.pop()
        cls = self.stack.pop()
        self.append(self._new(cls, args, {}))

    dispatch[pickle.NEWOBJ[0]] = load_newobj

    def load_newobj_ex(self) -> None:
        kwargs = self.stack.pop()
        args = self.stack.pop()
        cls = self.stack.pop()
        self.append(self._new(cls, args, kwargs))

    dispatch[pickle.NEWOBJ_EX[0]] = load_newobj_ex

    def load_build(self) -> None:
        state, instance = self.stack[-1], self.stack[-2]
        if isinstance(instance, Unreadable):
            self.stack.pop()
            return
        try:
            super().load_build()
        except BaseException as error:
            if self.stack[-1] is state:
                self.stack.pop()
            self.stack[-1] = Unreadable(error)

    dispatch[pickle.BUILD[0]] = load_build

    def _new(self, cls: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        if isinstance(cls, Unreadable):
            return cls
        return self._made(cls.__new__, (cls, *args), kwargs)

    def _made(self, function: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        for value in args if isinstance(args, tuple) else ():
            if isinstance(value, Unreadable):
                return value
        try:
            return function(*args, **kwargs)
        except BaseException as error:
            return Unreadable(error)


def salvage(body: Any, buffers: Iterable[Any]) -> Any:
    """Unpickle what can be unpickled.

    Parameters
    ----------
    body : bytes
        A pickle that is known to be ours.
    buffers : iterable of bytes-like
        Its out-of-band parts.

    Returns
    -------
    object
        With an `Unreadable` in the place of each object that could not be made.
    """
    return _Salvager(io.BytesIO(body), buffers=buffers).load()


class _Finder(pickle.Pickler):
    """Looks at all objects that another one leads to."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), 5, buffer_callback=lambda buffer: None)
        self.found: Unreadable | None = None

    def persistent_id(self, thing: Any) -> Any:
        if isinstance(thing, Unreadable):
            self.found = self.found or thing
            return "unreadable"
        return None


def fault_in(value: Any) -> BaseException | None:
    """Return why a part of `value` is missing; None where it is whole."""
    finder = _Finder()
    try:
        finder.dump(value)
    except BaseException as error:
        return finder.found.error if finder.found else error
    return finder.found.error if finder.found else None


def reason(error: BaseException) -> str:
    """Return what to tell of an object that cannot be made in this process."""
    try:
        text = f"{type(error).__name__}: {error}"
    except BaseException:
        text = type(error).__name__
    if "__main__" in text:
        text += "; a class or function that a script defines is unknown to other processes: put it into a module"
    return text
