"""Loggers for what slaves load, too."""

from __future__ import annotations

TYPE_CHECKING = False  # slaves start quickly
if TYPE_CHECKING:
    from typing import Any


class Log:
    """The logger of a module, made when there is something to log.

    Loading `logging` would be a good part of the time that a slave needs to
    start, and few slaves ever log anything.

    Parameters
    ----------
    name : str
        Name of the logger: the module's.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def __getattr__(self, method: str) -> Any:
        import logging

        value = getattr(logging.getLogger(self.name), method)
        setattr(self, method, value)
        return value
