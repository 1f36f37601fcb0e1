"""The slaves of a master, from their birth to their end.

A slave reports when its message loop is up; its master answers with
parameters, and the slave reports when it has initialised itself.  At the end
it is told to leave, and ended when it does not.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

from biskit_pvm.errors import Failure
from biskit_pvm.machine import names, task
from biskit_pvm.machine.log import Log
from biskit_pvm.machine.tags import Tag
from biskit_pvm.messages.messenger import Messenger
from biskit_pvm.messages.shared import Common, Pieces, Shelf

log = Log(__name__)

#: seconds that slaves have for leaving by themselves, and then for obeying a signal
GRACE = 1.0


class Owner(Protocol):
    """What is told to whoever has slaves, in the thread of the message loop but for `spawned`."""

    def spawned(self, tid: int, nickname: Any) -> None:
        """A slave was started; nothing that it sends was handled yet.  Any thread."""

    def up(self, tid: int, knows_numbers: bool) -> None:
        """The message loop of a slave runs: send it its parameters."""

    def ready(self, tid: int) -> None:
        """A slave has initialised itself."""

    def failed(self, tid: int, job: int | None, failure: Failure) -> None:
        """A slave could not do a job, or (None) not initialise itself."""

    def exited(self, tid: int) -> None:
        """The process of a slave has ended."""


class Slaves:
    """The tasks that work for one master.

    Parameters
    ----------
    messenger : Messenger
        The master's.
    owner : Owner
    shelf : Shelf, optional
        What is shared with them.

    Attributes
    ----------
    alive : dict
        {tid: nickname} of those whose end was not told yet.
    """

    def __init__(self, messenger: Messenger, owner: Owner, shelf: Shelf | None = None) -> None:
        self.messenger = messenger
        self.owner = owner
        self.shelf = Shelf() if shelf is None else shelf
        self.alive: dict[int, Any] = {}
        self.shelf.on_removed = self._unshared
        self._parameters = Common(self.shelf)
        self._pieces = Pieces(messenger)
        #: hosts on which each slave has what is shared for itself
        self._roomless: set[int] = set()
        self._gone = threading.Condition()
        self._others: dict[int, Callable[[int], None]] = {}
        self._numbers: set[int] = set()
        self._dismissed = False

    def adopt(self, tid: int, nickname: Any) -> None:
        """Take in a new slave before its first message is handled."""
        self.alive[tid] = nickname
        self.owner.spawned(tid, nickname)
        bindings = self.messenger.loop.bindings
        bindings[tid, Tag.FAILED] = self._failed
        bindings[tid, Tag.INITIALIZED] = self.owner.ready
        bindings[tid, Tag.SPEAKS] = self._numbers.add
        bindings[tid, Tag.WANTED] = self._wanted
        bindings[tid, Tag.WHOM] = self._asks_whom
        bindings[tid, Tag.PASSING] = self._pieces.passes
        self.messenger.loop.watch_tasks([tid])
        bindings[tid, Tag.LOOP_UP] = self._up
        if self._dismissed:  # it was on its way when the others were told to leave
            self.messenger.end_task(tid, signal.SIGKILL)

    def _up(self, tid: int) -> None:
        self.owner.up(tid, self.knows_numbers(tid))

    def knows_numbers(self, tid: int) -> bool:
        """Tell whether a slave has said that it knows more than the messages of old."""
        return tid in self._numbers

    def lighter(self, tid: int, parameters: Any) -> Any:
        """Return what stands for the parameters of a slave in the message to it."""
        if not self.knows_numbers(tid) or not self.messenger.own_process:
            return parameters
        return self._parameters.lighter(parameters)

    def _wanted(self, tid: int, shelf: str, key: str, offset: int, alone: str, failed: int | None) -> None:
        """A slave needs a piece of a shared object."""
        self._pieces.ask(tid, shelf, key, offset, failed)
        self._warn(tid, alone)

    def _asks_whom(self, tid: int, shelf: str, key: str, offset: int, alone: str, source: int | None) -> None:
        """A slave needs a shared object that hosts pass on."""
        self._pieces.whom(tid, shelf, key, offset, source)
        self._warn(tid, alone)

    def _warn(self, tid: int, alone: str) -> None:
        host = names.host_of(tid)
        if alone and host not in self._roomless:
            self._roomless.add(host)
            log.warning("what is shared goes to each slave on the host of %s: %s", self.alive.get(tid), alone)

    def _unshared(self, shelf: str, key: str) -> None:
        self.messenger.loop.call_soon(self._tell_unshared, shelf, key)

    def _tell_unshared(self, shelf: str, key: str) -> None:
        self._pieces.unshared(shelf, key)
        for tid in self._numbers.intersection(self.alive):
            self.messenger.send(tid, Tag.UNSHARED, (time.time(), (shelf, key)))

    def _failed(self, tid: int, job: int | None, failure: Any) -> None:
        self.owner.failed(tid, job, Failure(*failure))

    def exited(self, tids: list[int]) -> None:
        """Take notice of the end of tasks."""
        for tid in tids:
            if self.forget(tid):
                self.owner.exited(tid)
            if tid in self._others:
                self._others.pop(tid)(tid)

    def watch_other(self, tid: int, ended: Callable[[int], None]) -> None:
        """Have `ended` called with the tid of a task that is no slave when it has ended; any thread."""
        self._others[tid] = ended
        self.messenger.loop.watch_tasks([tid])

    def forget(self, tid: int) -> bool:
        """No longer wait for a slave; return whether it was waited for."""
        self._pieces.forget(tid)
        with self._gone:
            known = self.alive.pop(tid, None) is not None
            self._gone.notify_all()
        return known

    def dismiss(self, send: Callable[..., Any], say: Callable[[Any], None]) -> bool:
        """Tell all slaves to leave, once, and see to it that they do.

        Parameters
        ----------
        send : callable(tid, tag, value)
        say : callable(nickname)
            Called for each slave that is told.

        Returns
        -------
        bool
            False when they had been told before.
        """
        if self._dismissed:
            return False
        self._dismissed = True
        for tid, nickname in list(self.alive.items()):
            try:
                send(tid, int(Tag.EXIT), None)  # methods of users see the number
            except task.Lost:
                raise
            except Exception as error:  # the others are told all the same
                log.warning("could not tell %s to leave: %s", nickname, error)
            say(nickname)
        self.messenger.loop.resume()  # it is what hears of their end
        for signum in (None, signal.SIGTERM, signal.SIGKILL):
            if signum is not None:
                for tid in list(self.alive):
                    self.messenger.end_task(tid, signum)
            if not self.alive or self._wait(GRACE):
                return True
        log.warning("slaves that may still run: %s", ", ".join(str(n) for n in self.alive.values()))
        return True

    def _wait(self, timeout: float) -> bool:
        loop = self.messenger.loop
        if loop.inside():
            return loop.run_until(lambda: not self.alive, timeout)
        with self._gone:
            return self._gone.wait_for(lambda: not self.alive or loop.stopped, timeout)

    def wait_until_gone(self, timeout: float) -> bool:
        """Wait, from another thread than the loop's, until no slave is left, or the loop has ended.

        Returns whether that is so after at most `timeout` seconds.
        """
        with self._gone:
            return self._gone.wait_for(lambda: not self.alive or self.messenger.loop.stopped, timeout)

    def loop_ends(self) -> None:
        """Wake whoever waits for the slaves: nothing more is heard of them, or sent to them."""
        self.shelf.close()
        with self._gone:
            self._gone.notify_all()
