"""What the functions of ``pypvm`` have in common: names, and arguments under several keywords."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any, Callable, TypeVar, Union

Name = Union[str, bytes]


_Function = TypeVar("_Function", bound=Callable[..., Any])


def also(**aliases: str) -> Callable[[_Function], _Function]:
    """
    Let a function take arguments by further keywords.

    Parameters
    ----------
    **aliases : str
        The name of the argument, for each further keyword.
    """

    def decorate(function: _Function) -> _Function:
        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            for alias in aliases.keys() & kwargs.keys():
                name = aliases[alias]
                if name in kwargs:
                    raise TypeError(f"{function.__name__}() got {name}= and {alias}=, which are one argument")
                kwargs[name] = kwargs.pop(alias)
            return function(*args, **kwargs)

        return call  # type: ignore[return-value]

    return decorate


def list_of_names(names: Iterable[Name]) -> list[Name]:
    """Return names as a list; a lone string is a mistake, not a sequence."""
    if isinstance(names, (str, bytes)):
        raise TypeError("a list of names is needed, not one string")
    return list(names)
