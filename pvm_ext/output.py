"""The output of tasks in any Python file, where libpvm can only write to one of C."""

from __future__ import annotations

import io

from . import _pvm
from .constants import Option
from .errors import SysErrError
from .pieces import BEGUN, ENDED, SPAWNED, Lines, Piece

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class _Task:
    """What is known of a task whose output comes here."""

    def __init__(self) -> None:
        self.spawned = False
        self.ended = False


class _Collector:
    """Writes the lines of all tasks to one file, each line as a whole."""

    def __init__(self, file: Any) -> None:
        if not callable(getattr(file, "write", None)):
            raise TypeError(f"a file, or something else with write(), is needed, not {file!r}")
        self.file = file
        self.binary = isinstance(file, (io.RawIOBase, io.BufferedIOBase))
        self.tasks: dict[int, _Task] = {}
        self.lines = Lines()
        self.waker = _pvm.Waker()
        self.own_tid = 0

    def take(self, tid: int, number: int, data: bytes) -> None:
        """Take one message of a daemon; see ``_direct_output``."""
        piece = Piece.of(tid, number, data)
        task = self.tasks.setdefault(tid, _Task())
        try:
            lines = self.lines.feed(piece)
            if piece.kind == BEGUN:
                self._write(tid, [b"BEGIN\n"], aside=True)
            elif piece.kind == ENDED and lines and self._show_tids():
                self._write(tid, [lines[0] + b"\n"])
            else:
                self._write(tid, lines)
            if piece.kind == ENDED:
                self._write(tid, [b"EOF\n"], aside=True)
        finally:
            task.spawned = task.spawned or piece.kind == SPAWNED
            task.ended = task.ended or piece.kind == ENDED
            # Spawned here and ended on another host: the two may be told in any order.
            if task.ended and task.spawned:
                del self.tasks[tid]
            if not self.awaited():
                self.waker.wake()

    def lose_host(self, dtid: int) -> None:
        """Expect no more from the tasks of a host."""
        for tid in self.awaited():
            if _pvm.tidtohost(tid) == dtid:
                del self.tasks[tid]
                self.lines.lose(tid)
        self.waker.wake()

    def awaited(self) -> list[int]:
        """Return the tasks that have not ended."""
        return [tid for tid, task in self.tasks.items() if not task.ended]

    def finish(self) -> None:
        """Wait until all tasks whose output comes here have ended, or the daemon is gone."""
        nothing = _pvm.Match()
        hosts = {_pvm.tidtohost(tid) for tid in self.awaited()}
        if hosts and _pvm._own_tid() == self.own_tid:
            _pvm._watch_hosts(sorted(hosts))
        while self.awaited() and _pvm._own_tid() == self.own_tid:
            try:
                _pvm.recv_frames(match=nothing, waker=self.waker)
            except SysErrError:
                break
        flush = getattr(self.file, "flush", None)
        if flush is not None and not getattr(self.file, "closed", False):
            flush()

    def _write(self, tid: int, lines: list[bytes], aside: bool = False) -> None:
        """Write lines as they are, marked with the task's tid if the option says so."""
        marked = self._show_tids()
        if not lines or (aside and not marked):
            return
        mark = b"[t%x] " % tid if marked else b""
        data = b"".join(mark + line for line in lines)
        if not self.binary:
            text = data.decode("utf-8", "surrogateescape")
            try:
                self.file.write(text)
                return
            except UnicodeEncodeError as error:
                self.file.write(text.encode(error.encoding, "backslashreplace").decode(error.encoding))
                return
            except TypeError:
                # a file for bytes that does not say so
                self.binary = True
        while data:
            written = self.file.write(data)
            if not isinstance(self.file, io.RawIOBase):
                break
            data = data[written or 0 :]

    @staticmethod
    def _show_tids() -> bool:
        return bool(_pvm.getopt(Option.SHOW_TIDS))


_collector: _Collector | None = None


def catchout(file: Any = None) -> None:
    """Collect what tasks print that are spawned from now on, and their children.

    Output arrives while the program is inside of some call of PVM, as a receive.  It is
    written by the thread that makes the call, in whole lines, by default with the tid of
    the task before it (`Option.SHOW_TIDS`).  `exit` waits until all these tasks have ended.

    Parameters
    ----------
    file : file, or any object with ``write``, optional
        Text files get the output decoded from UTF-8, with surrogates for other bytes.
        Without a file, tasks that are spawned later print into the daemon's log again.

    Raises
    ------
    TypeError
        When `file` has no method ``write``.
    """
    global _collector
    if file is None:
        if _collector is not None:
            _pvm._direct_output(None)
        return
    fresh = _Collector(file)
    if _collector is not None:
        fresh.tasks, fresh.lines = _collector.tasks, _collector.lines
    fresh.own_tid = _pvm._direct_output(fresh)
    _collector = fresh


def exit() -> None:
    """Leave PVM; the process goes on.

    While output is collected (`catchout`), this waits first until the tasks concerned have
    ended.  Messages that were sent are delivered, those that were not received are
    dropped, and threads that wait for one get a `SysErrError`.  A later call enrols again,
    with a new tid.  No error when the process is not enrolled.
    """
    global _collector
    if _collector is not None:
        _collector.finish()
        _collector = None
    _pvm.exit()
