"""What PVM scripts use of Biskit's mathematics."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def difference(one: Iterable[Any], two: Iterable[Any]) -> list[Any]:
    """
    Give the elements of one list that are not in the other.

    Parameters
    ----------
    one, two : list

    Returns
    -------
    list
    """
    two = list(two)
    return [element for element in one if element not in two]


def union(one: Iterable[Any], two: Iterable[Any]) -> list[Any]:
    """
    Give the elements of both lists, each once.

    Parameters
    ----------
    one, two : list

    Returns
    -------
    list
    """
    found: list[Any] = []
    for element in [*one, *two]:
        if element not in found:
            found.append(element)
    return found


def intersection(one: Iterable[Any], two: Iterable[Any], optimize: Any = 1) -> list[Any]:
    """
    Give the elements that are in both lists, each once.

    Parameters
    ----------
    one, two : list
    optimize : bool
        Kept for old callers.

    Returns
    -------
    list
    """
    two = list(two)
    return union([element for element in one if element in two], [])
