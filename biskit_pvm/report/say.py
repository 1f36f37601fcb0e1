"""Printing that harms nothing: what nobody can read is lost, and the calculation goes on."""

from __future__ import annotations

import sys


def say(text: str, stream: str = "stdout", end: str = "\n") -> None:
    """Print a text.

    Parameters
    ----------
    text : str
    stream : {'stdout', 'stderr'}
    end : str
        What follows the text.
    """
    try:
        print(text, file=getattr(sys, stream), end=end, flush=True)
    except Exception:  # a closed pipe, a full disk, no stream at all
        pass
