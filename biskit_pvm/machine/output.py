"""What slaves print, brought to their master by the daemons and told by lines."""

from __future__ import annotations

import os

import pvm_ext
from biskit_pvm.machine import daemon
from pvm_ext import pieces
from pvm_ext.pieces import BEGUN, DATA, ENDED, SPAWNED, Piece

__all__ = ["BEGUN", "DATA", "ENDED", "SPAWNED", "Lines", "Piece", "last_words", "read_piece"]

END_TIME = 2.0
"""Seconds that the last output may take after the slaves have gone."""

LOG_PART = 65536
"""How much of a log is looked at, from its end."""

LONGEST = 65536
"""A line is told in parts of at most so many bytes."""


def read_piece() -> Piece:
    """Take the message apart that has just been received."""
    tid, number = pvm_ext.upkint(2)
    return Piece.of(tid, number, bytes(pvm_ext.upkbytes(number)) if number > 0 else b"")


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
    """Put the pieces of many tasks together to lines of text."""

    def __init__(self) -> None:
        self._lines = pieces.Lines(LONGEST)

    @property
    def open(self) -> set[int]:
        """The tasks whose output has begun and not ended."""
        return self._lines.open

    def feed(self, piece: Piece) -> list[str]:
        """Take a piece; return the lines of its task that are whole now.

        They are decoded from UTF-8, with other bytes as ``\\x..``, without the newline.  A
        last line that ends without newline is returned with the task's end.
        """
        lines = self._lines.feed(piece)
        return [line.rstrip(b"\r\n").decode("utf-8", "backslashreplace") for line in lines]

    def lose(self, tid: int) -> None:
        """Expect nothing more of a task, since its host is gone."""
        self._lines.lose(tid)
