"""What slaves print, brought to their master by the daemons and told by lines.

With the output options of spawn set, a daemon sends everything that a task and its children
write to stdout and stderr to whom the options name, as messages with the task's tid, a
number, and so many bytes; the numbers below 1 are signs.
"""

from __future__ import annotations

import os
from typing import NamedTuple

import pvm_ext
from biskit_pvm.machine import daemon

SPAWNED, BEGUN, DATA, ENDED = "spawned", "begun", "data", "ended"

END_TIME = 2.0
"""Seconds that the last output may take after the slaves have gone."""

_SIGNS = {-2: SPAWNED, -1: BEGUN, 0: ENDED}

LOG_PART = 65536
"""How much of a log is looked at, from its end."""

LONGEST = 65536
"""A line is told in parts of at most so many bytes."""


class Piece(NamedTuple):
    """One message about the output of a task."""

    tid: int
    """The task that prints."""
    kind: str
    """'spawned', 'begun', 'data' or 'ended'."""
    data: bytes = b""


def read_piece() -> Piece:
    """Take the message apart that has just been received."""
    tid, number = pvm_ext.upkint(2)
    if number > 0:
        return Piece(tid, DATA, bytes(pvm_ext.upkbytes(number)))
    return Piece(tid, _SIGNS.get(number, ENDED))


def last_words(tid: int, n_lines: int = 12) -> str:
    """Return the end of what a task has printed, as far as the log of this host's daemon has it."""
    mark = f"[t{tid:x}] ".encode()
    try:
        with open(daemon.log_file(), "rb") as file:
            file.seek(max(os.fstat(file.fileno()).st_size - LOG_PART, 0))
            lines = [line.split(mark, 1)[1] for line in file if mark in line]
    except OSError:
        return ""
    texts = [line.decode("utf-8", "backslashreplace").rstrip() for line in lines]
    return "\n".join([text for text in texts if text and text != ">>>"][-n_lines:])


class Lines:
    """Put the pieces of many tasks together to lines.

    Attributes
    ----------
    open : set of int
        Tasks whose output has begun and not ended.
    """

    def __init__(self) -> None:
        self.open: set[int] = set()
        self._rest: dict[int, bytes] = {}

    def feed(self, piece: Piece) -> list[str]:
        """Take a piece; return the lines of its task that are whole now.

        They are decoded from UTF-8, with other bytes as ``\\\\x..``, without the newline.  A
        last line that ends without newline is returned with the task's end.
        """
        tid, kind, data = piece
        lines: list[bytes] = []
        if kind == BEGUN:
            self.open.add(tid)
        elif kind == DATA:
            *lines, rest = (self._rest.pop(tid, b"") + data).split(b"\n")
            while len(rest) > LONGEST:
                lines.append(rest[:LONGEST])
                rest = rest[LONGEST:]
            if rest:
                self._rest[tid] = rest
        elif kind == ENDED:
            self.open.discard(tid)
            rest = self._rest.pop(tid, b"")
            lines = [rest] if rest else []
        return [line.rstrip(b"\r").decode("utf-8", "backslashreplace") for line in lines]

    def lose(self, tid: int) -> None:
        """Expect nothing more of a task, since its host is gone."""
        self.open.discard(tid)
        self._rest.pop(tid, None)
