"""Wait for a condition instead of for a time."""

from __future__ import annotations

import time
from typing import Callable, TypeVar

T = TypeVar("T")


def wait_for(condition: Callable[[], T], timeout: float = 20.0, what: str = "") -> T:
    """Wait until `condition` gives something true, and return that.

    Parameters
    ----------
    condition : callable
        Called without arguments, again and again.
    timeout : float
        Seconds after which the test fails.
    what : str
        What is waited for, for the message; by default the condition's name.

    Raises
    ------
    AssertionError
        When the condition is still false after `timeout`.
    """
    end = time.monotonic() + timeout
    pause = 0.001
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            name = what or getattr(condition, "__name__", repr(condition))
            raise AssertionError(f"waited {timeout} s in vain for: {name}")
        time.sleep(pause)
        pause = min(2 * pause, 0.1)
