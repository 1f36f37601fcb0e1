"""The relay of a host: it passes on what the slaves there and their master tell each other.

A master can have no more direct links than descriptors.  In large calculations the slaves of a host
therefore talk to the foreman of their host, and the foreman to the master, over one link.  The relay
opens nothing: seals go from end to end, and the binding lets each receiver see who has sent a message
(`other` in `pvm_ext.send_frames`).

A slave asks for room before it sends what is large, so the relay never holds more than `ROOM` bytes and
what comes at the moment, which is at most that or one message.  Who has asked first is first.
"""

from __future__ import annotations

import time
from array import array
from collections import deque
from typing import Any

from biskit_pvm.machine import task
from biskit_pvm.machine.tags import Tag

ROOM = 32 << 20
"""Bytes that wait for the master's line while more are let in, and that may come at a time."""

GATHERING = 0.1
"""Seconds in which signs of life of slaves become one message; their beats come at the same moment."""

PATIENCE = 3.0
"""Seconds after which a message of which nothing comes, since its slave was stopped, keeps nobody waiting."""


def tids_in(frame: Any) -> list[int]:
    """Return the tids in a message with tag `Tag.BEATS`."""
    return array("i", bytes(frame)).tolist()


class Relay:
    """Pass messages on between a master and the slaves of a host.

    Parameters
    ----------
    master : int
        The tid of the master.
    beat : float, optional
        Longest time (s) between two signs of life of this task itself; None: nothing is to be passed on.

    Attributes
    ----------
    waker : Waker
        Wakes whoever waits for messages when there is something for `look_around`.
    """

    def __init__(self, master: int, beat: float | None) -> None:
        self.master, self.beat = master, beat
        self.waker = task.Waker()
        self._alive: set[int] = set()
        #: when the master is told of them
        self._due = None if beat is None else time.monotonic() + beat
        #: slaves that wait for room, with the bytes; slaves that got some and have not sent all, with the time of
        #: their last bytes
        self._asking: deque[tuple[int, int]] = deque()
        self._coming: dict[int, tuple[int, float]] = {}
        self._watched: set[int] = set()

    def pass_on(self, message: Any) -> None:
        """Send a message on to the task that it is for."""
        sender, receiver = message.tid, message.other
        if receiver == self.master:
            if sender in self._coming and self._coming[sender][0] == sum(map(len, message.frames)):
                del self._coming[sender]
        elif sender != self.master:  # nobody else's
            return
        # each pair of sender and receiver has a queue of its own, and none gets too long: see `ROOM`, and a master
        # gives a slave no more than a few jobs
        task.queue(receiver, message.tag, message.frames, constant=True, other=sender, bounded=False)

    def begin(self) -> None:
        """Have a link to the master before the first slave speaks."""
        if self.beat is not None:
            with task.asking_for_link(True):
                task.send(self.master, Tag.BEATS, [b""])

    def timeout(self) -> float | None:
        """Return the seconds until `look_around` is due; None: it is not."""
        due = self._due
        if self._asking and self._coming:
            patient_until = min(latest for _, latest in self._coming.values()) + PATIENCE
            due = patient_until if due is None else min(due, patient_until)
        return None if due is None else max(due - time.monotonic(), 0.0)

    def look_around(self) -> None:
        """Do what is due."""
        if self._due is not None and time.monotonic() >= self._due:
            task.queue(self.master, Tag.BEATS, [array("i", self._alive).tobytes()])
            self._alive.clear()
            self._due = None if self.beat is None else time.monotonic() + self.beat
        while self._asking and self._has_room(self._asking[0][1]):
            tid, n_bytes = self._asking.popleft()
            self._coming[tid] = n_bytes, time.monotonic()
            task.queue(tid, Tag.ROOM, [b""])

    def heard(self, message: Any) -> None:
        """A slave lives."""
        self._alive.add(message.tid)
        soon = time.monotonic() + GATHERING
        self._due = soon if self._due is None else min(self._due, soon)

    # -- room for large messages ---------------------------------------------

    def asked(self, message: Any) -> None:
        """A slave wants to send so many bytes."""
        try:
            n_bytes = int(bytes(message.frames[0]))
        except (TypeError, ValueError, IndexError):  # anybody can send anything
            return
        if message.tid not in self._watched:
            self._watched.add(message.tid)
            task.notify_exit([message.tid])
        self._asking.append((message.tid, n_bytes))

    def ended(self, tid: int) -> None:
        """A slave that has asked for room has ended."""
        self._coming.pop(tid, None)
        self._asking = deque(each for each in self._asking if each[0] != tid)

    def _has_room(self, n_bytes: int) -> bool:
        self._forget_stopped()
        if self._coming and sum(size for size, _ in self._coming.values()) + n_bytes > ROOM:
            return False  # till something has come
        return task.wake_when_queued(self.master, ROOM, self.waker)

    def _forget_stopped(self) -> None:
        now = time.monotonic()
        quiet = [tid for tid, (_, latest) in self._coming.items() if now - latest >= PATIENCE]
        if quiet:
            arrivals = task.arrivals()
            for tid in quiet:
                n_bytes, _ = self._coming.pop(tid)
                if arrivals.get(tid, PATIENCE) < PATIENCE:
                    self._coming[tid] = n_bytes, now - arrivals[tid]
