"""How tasks ended: the exit status, or the signal.

The notice of a task's end (`pvm_notify`) does not say that, but PVM's daemons do to whom they
report the events of a task for tracing: the last event of a task has the status that its daemon
got from the system, on whatever host.  So tasks are spawned with this process for the one that
their events are reported to, and with an empty mask, so that the daemons report what they see
(start and end) and the tasks themselves nothing.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import contextmanager

import pvm_ext
from biskit_pvm.machine.log import Log
from biskit_pvm.machine.tags import DAEMON, Tag

TYPE_CHECKING = False  # slaves start quickly
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

log = Log(__name__)

MOST = 10_000
"""So many tasks are remembered, the latest ones."""

PATIENCE = 0.5
"""Seconds that the status may come later than the notice of the end; it is sent right behind that."""

# A report, as `pvmtev.h` has it: a mark, the number of the event, and its values.  A daemon's
# first one of a kind tells a name and, before each value, what it is and its type.
_FIRST, _PLAIN = -5, -7
_END_OF_TASK = 76
_TASK, _STATUS = 88, 98


class _Endings:
    """The statuses of the tasks that have ended, as the reports come."""

    def __init__(self) -> None:
        self.own_tid = 0
        self.statuses: dict[int, int] = {}
        self.lock = threading.Lock()
        self.waiting: list[pvm_ext.Waker] = []

    def listen(self) -> int:
        """Have reports taken in; return the tid that they go to, or 0 where somebody else traces."""
        with self.lock:
            tid = pvm_ext.mytid()
            if tid != self.own_tid:
                if pvm_ext.getopt(pvm_ext.Option.TRACE_TID):
                    return 0
                self._handle(-1, Tag.TASK_EVENT, self._take)
                # A daemon tells that an agent's events are reported here before it knows the tag.
                self._handle(DAEMON, 0, _drop)
                self.own_tid = tid
                self.statuses.clear()
            return tid

    def _handle(self, sender: int, tag: int, function: Callable[[int], None]) -> None:
        try:
            pvm_ext.addmhf(sender, tag, 0, function)
        except pvm_ext.ExistsError:  # from before this process left PVM and enrolled again
            pass

    def _take(self, bufid: int) -> None:
        # Called in the midst of some function of libpvm, in any thread.
        found = read_report(pvm_ext.upkint(pvm_ext.bufinfo(bufid).nbytes // 4))
        if found is not None:
            tid, status = found
            if len(self.statuses) >= MOST:
                self.statuses.pop(next(iter(self.statuses)), None)
            self.statuses[tid] = status
            for waker in tuple(self.waiting):
                waker.wake()

    def wait(self, tid: int) -> int | None:
        """Return the status of a task that has ended; None when none comes."""
        if tid not in self.statuses and pvm_ext.mytid() == self.own_tid and _host_is_there(tid):
            end, nothing = time.monotonic() + PATIENCE, pvm_ext.Match()
            with pvm_ext.Waker() as waker:
                self.waiting.append(waker)
                while tid not in self.statuses and time.monotonic() < end:
                    pvm_ext.recv_frames(match=nothing, timeout=max(end - time.monotonic(), 0), waker=waker)
                self.waiting.remove(waker)
        return self.statuses.get(tid)


_endings = _Endings()


def _drop(bufid: int) -> None:
    """Do nothing with a message."""


def read_report(values: Sequence[int]) -> tuple[int, int] | None:
    """Return tid and status out of the report of a task's end; None for any other report.

    Parameters
    ----------
    values : sequence of int
        The whole message, by words of four bytes.
    """
    if len(values) < 6 or values[1] != _END_OF_TASK:
        return None
    if values[0] == _PLAIN:
        return values[4], values[5]
    if values[0] != _FIRST:
        return None
    fields = values[3 + -(-values[2] // 4) : -1]  # behind the event's name
    found = dict(zip(fields[::3], fields[2::3]))
    return (found[_TASK], found[_STATUS]) if _TASK in found and _STATUS in found else None


def _host_is_there(tid: int) -> bool:
    host = pvm_ext.tidtohost(tid)
    return any(there.dtid == host for there in pvm_ext.config().hosts)


@contextmanager
def told(to: int) -> Iterator[None]:
    """Have the ends of tasks that are spawned meanwhile reported.

    Parameters
    ----------
    to : int
        What `listen` has returned in the process that wants to know; 0 for nobody.
    """
    if not to:
        yield
        return
    option = pvm_ext.Option
    if to != pvm_ext.mytid() and pvm_ext.getopt(option.SELF_TRACE_TID) != to:
        # PVM lets a task's children report to another task only while it does so itself
        pvm_ext.setopt(option.SELF_TRACE_OPTIONS, pvm_ext.TraceOptions.FULL)
        pvm_ext.setopt(option.SELF_TRACE_TID, to)
        pvm_ext.setopt(option.SELF_TRACE_CODE, Tag.TASK_EVENT)
    pvm_ext.setopt(option.TRACE_OPTIONS, pvm_ext.TraceOptions.FULL)
    pvm_ext.setopt(option.TRACE_CODE, Tag.TASK_EVENT)
    pvm_ext.setopt(option.TRACE_CONTEXT, 0)
    pvm_ext.setopt(option.TRACE_TID, to)
    try:
        yield
    finally:
        pvm_ext.setopt(option.TRACE_TID, 0)


def listen() -> int:
    """Have the ends of tasks told to this process; return its tid, or 0 where the user traces tasks."""
    return _endings.listen()


def how_it_ended(tid: int) -> str:
    """Return how a task has ended that this process has spawned.

    To be called when it has ended; waits at most `PATIENCE`.

    Returns
    -------
    str
        Such as ``'exit status 1'`` or ``'signal 9 (SIGKILL)'``; ``''`` when it is not known, as
        when its host is gone.
    """
    try:
        status = _endings.wait(tid)
    except pvm_ext.PvmError as error:
        log.debug("how t%x ended is not known: %s", tid, error)
        return ""
    return "" if status is None else describe(status)


def describe(status: int) -> str:
    """Say in words what the status of a process means, as `os.wait` returns it."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        try:
            name = signal.Signals(number).name
        except ValueError:  # one of real time
            return f"signal {number}"
        return f"signal {number} ({name})"
    return f"exit status {os.WEXITSTATUS(status)}"
