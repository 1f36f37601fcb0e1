"""Functions that executors are measured with."""

from __future__ import annotations

from typing import Any


def increased(number: int) -> int:
    """Return the next number."""
    return number + 1


def length(array: Any) -> int:
    """Return the number of elements."""
    return len(array)
