"""Python objects as messages: pickle, with large buffers out of band and without copies."""

from __future__ import annotations

from typing import Any, NamedTuple

from ._pvm import dump, load, recv_object, send_object

__all__ = ["Received", "dump", "load", "recv_object", "send_object"]


class Received(NamedTuple):
    """An object that has come, and from whom."""

    value: Any
    tid: int
    """The sender."""
    tag: int
