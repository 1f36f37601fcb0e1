"""Messages between a master and slaves that live in its own process, in one thread.

Nothing here calls PVM.  Messages are sealed, pickled and opened as ever, so that nobody gets hold of another's objects
and what cannot travel cannot travel here either.  When the loop of the master has nothing to do, the slaves have their
turn: whatever they call is called in the master's thread, where debuggers and profilers look.
"""

from __future__ import annotations

import itertools
import os
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from biskit_pvm.machine.tags import DAEMON, Tag
from biskit_pvm.messages import messenger
from biskit_pvm.messages.loop import BATCH, MessageLoop, Notification

_tids = itertools.count(0x40001)


class Left(BaseException):
    """A slave has ended what would be its process."""


def passes(error: BaseException | None) -> bool:
    """Tell whether an exception in a slave is meant for whoever runs the program: Ctrl-C, or the end of a debugger.

    All others belong to the item at work.
    """
    if isinstance(error, SystemExit):
        return _of_the_debugger(error)
    return error is not None and (not isinstance(error, Exception) or type(error).__name__ == "BdbQuit")


def _of_the_debugger(error: SystemExit) -> bool:
    """Tell whether the user has left pdb, which from Python 3.14 on exits instead of raising BdbQuit."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return bool(frames) and frames[-1].f_globals.get("__name__") == "pdb"


class _Message:
    """A message as the loop takes it."""

    __slots__ = ("frames", "tag", "tid")

    def __init__(self, tid: int, tag: int, frames: list[Any] | None) -> None:
        self.tid, self.tag, self.frames = tid, tag, frames


class _Waker(threading.Event):
    """Ends the sleep of the master's loop."""

    wake = threading.Event.set


class InlineLoop(MessageLoop):
    """A message loop whose messages come from the same process."""

    def __init__(self, handle: Any, failed: Any, world: World) -> None:
        self._sleep = _Waker()
        super().__init__(handle, failed, waker=self._sleep)
        self.world = world
        self.inbox: deque[Any] = deque()
        self._again = False

    def inside(self) -> bool:
        """Tell whether the caller runs in the thread of master and slaves."""
        # where nobody runs the loop, whoever calls has to
        return self.world.master.loop.thread in (None, threading.get_ident())

    def watch_tasks(self, tids: Sequence[int]) -> None:
        """A master hears of the end of its slaves in any case."""

    def watch_hosts(self, dtids: Sequence[int]) -> None:
        """There is this host alone."""

    def watch_new_hosts(self) -> None:
        """There is this host alone."""

    @property
    def pending(self) -> bool:
        """Whether a step would do something."""
        return not self.paused and (self._again or bool(self.inbox) or bool(self._calls))

    def deliver(self, message: Any) -> None:
        """Take a message; any thread."""
        self.inbox.append(message)
        self._waker.wake()

    def _receive(self, longest: float | None, busy: bool) -> list[Any]:
        if self is self.world.master.loop and not busy:
            self._wait(longest)
        messages = [self.inbox.popleft() for _ in range(min(len(self.inbox), BATCH))]
        self._again = busy or bool(messages)
        return messages

    def _wait(self, longest: float | None) -> None:
        """Let the slaves have their turn until there is something to do here."""
        now = time.monotonic()
        end = now + 3600 if longest is None else now + longest
        if self.tick is not None:
            end = min(end, self._due)
        while not (self.inbox or self._calls or self._stopped):
            left = end - time.monotonic()
            if left <= 0:
                return
            self._sleep.clear()
            if self.inbox or self._calls or self._stopped:
                return
            if not self.world.turn():
                self._sleep.wait(left)


class InlineMessenger(messenger.Messenger):
    """The messenger of a master, or slave, in a world of its own."""

    own_process = False

    def __init__(self, world: World, tid: int, parent: int | None) -> None:
        self.world, self._place = world, (tid, parent)
        super().__init__()

    def _settle(self) -> tuple[int, int | None, int]:
        tid, parent = self._place
        return tid, parent, parent or tid

    def _make_loop(self) -> MessageLoop:
        return InlineLoop(self.handle, self._failed, self.world)

    def start(self, thread: threading.Thread) -> None:
        """Nothing: the loop runs in the thread of whoever starts the calculation."""

    def send(self, tid: int, tag: int, value: Any, constant: bool = False) -> int:
        """Send one object to a task of this world; return its bytes."""
        # the buffers are the sender's own memory
        frames = [bytearray(frame) for frame in self._seal.write(self.tid, tag, value)]
        self.world.deliver(tid, _Message(self.tid, tag, frames))
        n_bytes = sum(map(len, frames))
        self.n_bytes += n_bytes
        return n_bytes

    def queued(self, tid: int) -> int:
        """Nothing waits."""
        return 0

    def arrivals(self) -> dict[int, float]:
        """Messages come whole."""
        return {}

    def end_task(self, tid: int, signum: int) -> None:
        """End a slave."""
        self.world.end(tid)

    @contextmanager
    def first_words(self, to: int) -> Iterator[None]:
        """Nothing is to be prepared."""
        yield

    def leave(self, status: int) -> None:
        """End this slave."""
        raise Left

    def failing(self, error: BaseException) -> None:
        """Keep the exception of a slave with its traceback, or raise it where it is not the item's."""
        if passes(error):
            raise error
        self.world.raised[self.tid] = error

    def raised_by(self, tid: int) -> BaseException | None:
        """Return the exception that a slave has reported last."""
        return self.world.raised.get(tid)

    def _failed(self, error: BaseException) -> None:
        if self.parent is None:
            super()._failed(error)
        elif passes(error):
            raise error
        else:
            self.on_failed(error)


class Role:
    """What differs in a process that is a slave: its `__main__`, command line and environment."""

    def __init__(self, main: ModuleType, argv: list[str], variables: Mapping[str, str]) -> None:
        self.main, self.argv, self.variables = main, argv, variables

    @contextmanager
    def played(self) -> Iterator[None]:
        """Have it so for a while."""
        main, argv = sys.modules["__main__"], sys.argv
        before = {name: os.environ.get(name) for name in self.variables}
        sys.modules["__main__"], sys.argv = self.main, self.argv
        os.environ.update(self.variables)
        try:
            yield
        finally:
            sys.modules["__main__"], sys.argv = main, argv
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


class World:
    """A master and its slaves.

    Attributes
    ----------
    master : InlineMessenger
    raised : dict
        {tid: exception} that slaves have reported last.
    """

    def __init__(self) -> None:
        self.master = InlineMessenger(self, next(_tids), None)
        self.raised: dict[int, BaseException] = {}
        self._slaves: dict[int, tuple[InlineMessenger, Role]] = {}
        self._order: deque[int] = deque()

    def make_master(self) -> Any:
        """Have the next task that is made in this thread be the master; for `with`."""
        return messenger.made_by(lambda: self.master)

    def spawn(self, role: Role, run: Any) -> int:
        """Start a slave.

        Parameters
        ----------
        role : Role
        run : callable
            Runs the slave script.

        Returns
        -------
        int
            Its tid.

        Raises
        ------
        Exception
            Whatever the script raises.
        """
        tid = next(_tids)
        own = InlineMessenger(self, tid, self.master.tid)
        self._slaves[tid] = own, role
        self._order.append(tid)
        try:
            with role.played(), messenger.made_by(lambda: own):
                run()
        except (Left, SystemExit):
            self.end(tid)
        except BaseException:
            self._slaves.pop(tid, None)
            raise
        return tid

    def living(self) -> Iterable[int]:
        """Return the tids of the slaves."""
        return list(self._slaves)

    def deliver(self, tid: int, message: Any) -> None:
        """Hand a message on; one for somebody who has left is lost."""
        if tid == self.master.tid:
            self.master.loop.deliver(message)  # type: ignore[attr-defined]
        elif tid in self._slaves:
            self._slaves[tid][0].loop.deliver(message)  # type: ignore[attr-defined]
            self.master.loop._waker.wake()

    def end(self, tid: int) -> None:
        """End a slave, and tell its master so."""
        if self._slaves.pop(tid, None) is not None:
            self.master.loop.deliver(Notification(DAEMON, Tag.TASK_EXITED, [tid]))  # type: ignore[attr-defined]

    def turn(self) -> bool:
        """Let one slave do something; return whether there was something to do."""
        for _ in range(len(self._order)):
            tid = self._order[0]
            self._order.rotate(-1)
            if tid not in self._slaves:
                self._order.remove(tid)
                continue
            own, role = self._slaves[tid]
            if own.loop.stopped:
                self.end(tid)
                return True
            if own.loop.pending:  # type: ignore[attr-defined]
                try:
                    with role.played():
                        own.loop.step()
                except Left:
                    self.end(tid)
                return True
        return False
