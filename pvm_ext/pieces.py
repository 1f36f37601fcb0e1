"""What daemons tell of the output of tasks, and how lines are made of it.

With the output options of spawn set, a daemon sends everything that a task and its children
write to stdout and stderr to whom the options name, as messages of the task's tid, a number,
and so many bytes; numbers below 1 are signs.
"""

from __future__ import annotations

from typing import NamedTuple

SPAWNED, BEGUN, DATA, ENDED = "spawned", "begun", "data", "ended"

_SIGNS = {-2: SPAWNED, -1: BEGUN, 0: ENDED}


class Piece(NamedTuple):
    """One message about the output of a task."""

    tid: int
    """The task that prints."""
    kind: str
    """'spawned', 'begun', 'data' or 'ended'."""
    data: bytes = b""

    @classmethod
    def of(cls, tid: int, number: int, data: bytes = b"") -> Piece:
        """Return what a daemon means by a number, and the bytes behind it."""
        return cls(tid, DATA, data) if number > 0 else cls(tid, _SIGNS.get(number, ENDED))


class Lines:
    """Put the pieces of many tasks together to lines.

    Parameters
    ----------
    longest : int, optional
        Give a line that is longer than so many bytes in parts.

    Attributes
    ----------
    open : set of int
        Tasks whose output has begun and not ended.
    """

    def __init__(self, longest: int | None = None) -> None:
        self.open: set[int] = set()
        self._longest = longest
        self._rest: dict[int, bytes] = {}

    def feed(self, piece: Piece) -> list[bytes]:
        """Take a piece; return the lines of its task that are whole now, with their newlines.

        A last line that ends without newline is returned with the task's end.
        """
        tid, kind, data = piece
        lines: list[bytes] = []
        if kind == BEGUN:
            self.open.add(tid)
        elif kind == DATA:
            *whole, rest = (self._rest.pop(tid, b"") + data).split(b"\n")
            lines = [line + b"\n" for line in whole]
            while self._longest is not None and len(rest) > self._longest:
                lines.append(rest[: self._longest])
                rest = rest[self._longest :]
            if rest:
                self._rest[tid] = rest
        elif kind == ENDED:
            self.open.discard(tid)
            rest = self._rest.pop(tid, b"")
            lines = [rest] if rest else []
        return lines

    def lose(self, tid: int) -> None:
        """Expect nothing more of a task, since its host is gone."""
        self.open.discard(tid)
        self._rest.pop(tid, None)
