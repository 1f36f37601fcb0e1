"""What slaves print, brought to their master by the daemons and told by lines."""

from __future__ import annotations

import os
import time

import pvm_ext
from biskit_pvm.machine import daemon, planted, spawning
from biskit_pvm.machine.tags import Tag
from pvm_ext import pieces
from pvm_ext.pieces import BEGUN, DATA, ENDED, SPAWNED, Piece

__all__ = ["BEGUN", "DATA", "ENDED", "SPAWNED", "Lines", "Piece", "last_words", "last_words_soon", "read_piece"]

TYPE_CHECKING = False  # masters start quickly
if TYPE_CHECKING:
    from collections.abc import Iterable
    from concurrent.futures import Future

ANSWER_TIME = 5.0
"""Seconds that another host has for telling what a task has printed."""

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
    """Return the end of what a task has printed, as far as the log of this host's daemon has it.

    That is the log of all tasks on the host on which the virtual machine was started, and of none
    on the others; see `last_words_soon`.
    """
    try:
        with planted.open_own(daemon.log_file()) as file:
            file.seek(max(os.fstat(file.fileno()).st_size - LOG_PART, 0))
            return words_in_log(tid, file, n_lines)
    except OSError:
        return ""


def words_in_log(tid: int, lines: Iterable[bytes], n_lines: int = 12) -> str:
    """Return the last lines of a task in the log of a daemon."""
    mark = f"[t{tid:x}] ".encode()
    texts = [line.split(mark, 1)[1].decode("utf-8", "backslashreplace").rstrip() for line in lines if mark in line]
    return "\n".join([text for text in texts if text and text != ">>>"][-n_lines:])


def last_words_soon(tid: int) -> Future[str]:
    """Have the end of what a task has printed looked up, on whatever host that stands.

    Returns
    -------
    concurrent.futures.Future of str
        Done at once where the virtual machine was started on this host, else after `ANSWER_TIME`
        at the latest; ``''`` when nothing is found.
    """
    if pvm_ext.tidtohost(pvm_ext.mytid()) != pvm_ext.config().hosts[0].dtid:
        from biskit_pvm.machine import agent

        return agent.pool().submit("last_words_there", tid)
    from concurrent.futures import Future

    found: Future[str] = Future()
    found.set_result(last_words(tid))
    return found


def last_words_there(tid: int) -> str:
    """Return the end of what a task has printed, as the log of the first host's daemon has it.

    A shell over there looks for it, as there may be no Python like ours.
    """
    host = pvm_ext.config().hosts[0].name
    log = '"${PVM_TMP:-/tmp}/pvml.$(id -u)${PVM_VMID:+.$PVM_VMID}"'
    script = f"tail -c {LOG_PART} {log} | grep -aF '[t{tid:x}] ' | tail -n 50"
    output_to = pvm_ext.mytid(), 0, int(Tag.OUTPUT)
    (shell,) = spawning.spawn_here("/bin/sh", ["-c", script], spawning.ON_HOST, host, 1, {}, output_to)
    if shell < 0:
        return ""
    lines, found, end = pieces.Lines(), list[bytes](), time.monotonic() + ANSWER_TIME
    while (left := end - time.monotonic()) > 0 and pvm_ext.recv_frames(tag=Tag.OUTPUT, timeout=left) is not None:
        piece = read_piece()
        if piece.tid == shell:
            found += lines.feed(piece)
            if piece.kind == ENDED:
                break
    return words_in_log(tid, found)


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
