"""The message loop: one thread that sleeps until a message comes.

It receives every message that something is bound to in one look at the
library, whatever the number of bindings, and hands it on; what nobody is
bound to stays where it is, for whoever asks PVM for it.  The loop decides
nothing: what to do with a message, with a moment in time or with idle time
is told to it by the functions that it is made with.

Whatever one of these raises, SystemExit and KeyboardInterrupt included, goes
to one place, `failed`: no exception ends the thread behind everybody's back.

PVM sends its notices to a process, not to one of its loops.  So loops note
what they want to hear of, and whichever receives a notice passes it on.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import contextmanager

from biskit_pvm.machine import task
from biskit_pvm.machine.tags import Tag

TYPE_CHECKING = False  # slaves start quickly
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any

#: most messages that are received before the first of them is handled
BATCH = 64

#: bytes of a message after which no other is received before it was handled
LARGE = 1 << 20

#: seconds until a failed tick is tried again
LONGEST_PAUSE = 1.0

#: seconds for which messages that come faster than they are handled put off a tick
LONGEST_FLOOD = 20.0

Binding = tuple[int, int]


class Bindings(dict[Binding, Callable[..., object]]):
    """{(tid, message_tag): method}; tid -1 stands for any sender.

    An ordinary dictionary for whoever uses it, which keeps the table by
    which libpvm chooses messages up to date.
    """

    def __init__(self) -> None:
        super().__init__()
        self.match = task.Match()
        self._changed: Callable[[], None] = lambda: None

    def on_change(self, function: Callable[[], None]) -> None:
        """Have `function` called when something new is bound."""
        self._changed = function

    def __setitem__(self, key: Binding, method: Any) -> None:
        super().__setitem__(key, method)
        self.match.add(*key)
        self._changed()

    def __delitem__(self, key: Binding) -> None:
        super().__delitem__(key)
        self.match.discard(*key)

    def pop(self, key: Binding, *default: Any) -> Any:
        if key in self:
            self.match.discard(*key)
        return super().pop(key, *default)

    def popitem(self) -> Any:
        key, method = super().popitem()
        self.match.discard(*key)
        return key, method

    def clear(self) -> None:
        for key in list(self):
            del self[key]

    def setdefault(self, key: Binding, default: Any = None) -> Any:
        if key not in self:
            self[key] = default
        return self[key]

    def update(self, *args: Any, **kw: Any) -> None:
        for key, method in dict(*args, **kw).items():
            self[key] = method

    def find(self, tid: int, tag: int) -> Any:
        """Return what is bound to messages of this kind; None if nothing."""
        method = self.get((tid, tag))
        if method is None:
            method = self.get((-1, tag))
        if method is None:
            method = self.get((tid, -1))
        return method if method is not None else self.get((-1, -1))


class Notices:
    """Which loops of this process want to hear of which tasks and hosts.

    PVM tells of the end of a task, and of the loss of a host, once for each
    time that it was asked.  The first notice goes to all loops that want it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wanted: dict[tuple[int, int], list[MessageLoop]] = {}

    def want(self, loop: MessageLoop, tag: int, tids: Iterable[int]) -> None:
        """Note that a loop wants notices with a tag about `tids`."""
        with self._lock:
            for tid in tids:
                loops = self._wanted.setdefault((tag, tid), [])
                if loop not in loops:
                    loops.append(loop)

    def drop(self, loop: MessageLoop) -> None:
        """Forget what a loop wanted."""
        with self._lock:
            for key, loops in list(self._wanted.items()):
                if loop in loops:
                    loops.remove(loop)
                if not loops:
                    del self._wanted[key]

    def any(self, tag: int) -> bool:
        """Tell whether any loop wants notices with a tag."""
        with self._lock:
            return any(key[0] == tag for key in self._wanted)

    def receivers(self, tag: int, tids: Sequence[int]) -> dict[MessageLoop, list[int]]:
        """Return who is to hear of which of `tids`; each notice is given out once."""
        found: dict[MessageLoop, list[int]] = {}
        with self._lock:
            for tid in tids:
                if tag == Tag.HOST_ADDED:
                    loops = self._wanted.get((tag, ANY), [])
                else:
                    loops = self._wanted.pop((tag, tid), [])
                for loop in loops:
                    found.setdefault(loop, []).append(tid)
        return found


#: stands for every host, in `Notices.want`
ANY = -1

NOTICES = frozenset((Tag.TASK_EXITED, Tag.HOST_DELETED, Tag.HOST_ADDED))

notices = Notices()


class MessageLoop:
    """Receive messages and pass the time between them.

    Parameters
    ----------
    handle : callable
        Called with the list of messages that came at a time.
    failed : callable
        Called, in the loop's thread, with whatever exception one of the
        other functions has raised.
    tick : callable, optional
        Called with the time (monotonic, s) when it is due; returns the
        seconds until the next call.
    work : callable, optional
        Called when no message waits; returns whether there is more to do,
        in which case the loop does not sleep.
    waker : object with a method `wake`, optional
        By default one that ends a sleep in libpvm.
    """

    def __init__(
        self,
        handle: Callable[[list[Any]], None],
        failed: Callable[[BaseException], None],
        tick: Callable[[float], float] | None = None,
        work: Callable[[], bool] | None = None,
        waker: Any = None,
    ) -> None:
        self.bindings = Bindings()
        self.bindings.on_change(self.wake)
        self.handle, self.failed = handle, failed
        self.tick, self.work = tick, work
        #: returns the text of a message that is not in frames, or None where its sender is not trusted
        self.read_plain: Callable[[int], bytes | None] = lambda tid: None
        self._waker = task.Waker() if waker is None else waker
        self._calls: deque[tuple[Callable[..., None], Any]] = deque()
        self._going = threading.Event()
        self._stopped = False
        self._due = 0.0
        self._flooded: float | None = None
        self.thread: int | None = None

    # -- from any thread -----------------------------------------------

    def wake(self) -> None:
        """Let the loop look around at once."""
        if self.thread != threading.get_ident():
            self._waker.wake()

    def call_soon(self, function: Callable[..., None], *args: Any) -> None:
        """Have `function` called in the loop's thread."""
        self._calls.append((function, args))
        self._waker.wake()

    def pause(self) -> None:
        """Handle no further message until `resume`."""
        self._going.clear()
        self.wake()

    def resume(self) -> None:
        """Go on after `pause`; the loop starts paused."""
        self._going.set()

    @property
    def paused(self) -> bool:
        """Whether the loop handles no messages at present."""
        return not self._going.is_set()

    def stop(self) -> None:
        """End the loop after the message that it handles now."""
        self._stopped = True
        self._going.set()
        self.wake()

    @property
    def stopped(self) -> bool:
        """Whether the loop has ended, or is about to."""
        return self._stopped

    def inside(self) -> bool:
        """Tell whether the caller runs in the loop's thread."""
        return self.thread == threading.get_ident()

    # -- notices of PVM ------------------------------------------------

    def watch_tasks(self, tids: Sequence[int]) -> None:
        """Have a notice (`Tag.TASK_EXITED`) come to this loop when one of these tasks ends."""
        notices.want(self, Tag.TASK_EXITED, tids)
        task.notify_exit(tids)

    def watch_hosts(self, dtids: Sequence[int]) -> None:
        """Have a notice (`Tag.HOST_DELETED`) come to this loop when one of these hosts leaves."""
        notices.want(self, Tag.HOST_DELETED, dtids)
        task.notify_hosts(dtids)

    def watch_new_hosts(self) -> None:
        """Have notices (`Tag.HOST_ADDED`) come to this loop when hosts join the virtual machine."""
        if not notices.any(Tag.HOST_ADDED):
            task.notify_new_hosts()
        notices.want(self, Tag.HOST_ADDED, [ANY])

    # -- in the loop's thread ---------------------------------------------

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Let this thread be the loop's, before and after `run`, too."""
        self.thread = threading.get_ident()
        try:
            yield
        finally:
            self.thread = None
            notices.drop(self)

    def run(self) -> None:
        """Be the loop, until `stop`."""
        if not self.inside():
            with self.entered():
                self.run()
            return
        while not self._stopped:
            if not self._going.is_set():
                self._going.wait()
            else:
                self.step()

    def run_until(self, condition: Callable[[], bool], timeout: float) -> bool:
        """Handle messages until `condition` holds, at most `timeout` s.

        For functions that the loop has called and that have to wait for
        messages themselves.  Returns whether the condition holds.
        """
        end = time.monotonic() + timeout
        while not condition():
            left = end - time.monotonic()
            if left <= 0:
                return False
            self.step(left)
        return True

    def step(self, longest: float | None = None) -> None:
        """Wait for something to happen and handle it.

        Parameters
        ----------
        longest : float, optional
            Longest time to wait, in seconds.

        Raises
        ------
        task.Lost
            The daemon of this host is gone.
        """
        busy = False
        try:
            busy = self.work is not None and self.work()
        except BaseException as error:
            self.failed(error)
        messages = self._receive(longest, busy)
        n_messages = len(messages)
        try:
            if messages:
                self.handle(messages)
        except BaseException as error:
            self.failed(error)
        while self._calls:
            function, args = self._calls.popleft()
            try:
                function(*args)
            except BaseException as error:
                self.failed(error)
        # a long pause of our own must not be taken for silence of others:
        # what has come meanwhile is handled before the time is looked at
        if self.tick is not None and self._has_caught_up(n_messages):
            now = time.monotonic()
            if now >= self._due:
                self._due = now + LONGEST_PAUSE
                try:
                    self._due = now + self.tick(now)
                except BaseException as error:
                    self.failed(error)

    def _has_caught_up(self, n_messages: int) -> bool:
        if n_messages < BATCH:
            self._flooded = None
            return True
        now = time.monotonic()
        if self._flooded is None:
            self._flooded = now
        if now - self._flooded < LONGEST_FLOOD:
            return False
        self._flooded = None
        return True

    def tick_soon(self) -> None:
        """Have `tick` called at the next opportunity."""
        self._due = 0.0
        self.wake()

    def _receive(self, longest: float | None, busy: bool) -> list[task.Message | Notification | Plain]:
        timeout = 0.0 if busy or self._calls else longest
        if self.tick is not None:
            due = max(self._due - time.monotonic(), 0.0)
            timeout = due if timeout is None else min(timeout, due)
        match = self.bindings.match
        message: task.Message | None = task.receive(match=match, timeout=timeout, waker=self._waker)
        messages: list[task.Message | Notification | Plain] = []
        while message is not None:
            # the body of what is not in frames is gone with the next message
            if message.frames is None and message.tid < 0:
                messages += self._for_this_loop(message.tid, message.tag, task.notified_tids(message.tag))
            elif message.frames is None and message.tag != Tag.BEAT:
                messages.append(Plain(message.tid, message.tag, self.read_plain(message.tid)))
            else:
                messages.append(message)
            if len(messages) >= BATCH or is_large(message):
                break
            message = task.receive(match=match, timeout=0)
        return messages

    def _for_this_loop(self, sender: int, tag: int, tids: Sequence[Any]) -> list[Notification]:
        """Pass a notice on to the loops that want it; return what this one wants."""
        if tag not in NOTICES:
            return [Notification(sender, tag, tids)]
        own = []
        for loop, wanted in notices.receivers(tag, tids).items():
            notice = Notification(sender, tag, wanted)
            if loop is self:
                own.append(notice)
            else:
                loop.call_soon(loop.handle, [notice])
        return own


def is_large(message: Any) -> bool:
    """Tell whether others are not to be received before a message was handled, since it takes much memory."""
    return message.frames is not None and sum(map(len, message.frames)) >= LARGE


class Plain:
    """A message of somebody who knows nothing of seals, and its text where that was to be read."""

    __slots__ = ("tag", "text", "tid")
    frames = None

    def __init__(self, tid: int, tag: int, text: bytes | None) -> None:
        self.tid, self.tag, self.text = tid, tag, text


class Notification:
    """A message of PVM itself about tasks or hosts."""

    __slots__ = ("tag", "tid", "tids")
    frames = None

    def __init__(self, tid: int, tag: int, tids: Sequence[Any]) -> None:
        self.tid, self.tag, self.tids = tid, tag, tids
