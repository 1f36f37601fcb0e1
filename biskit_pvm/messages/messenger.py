"""Who a task is to others: its key, its bindings, and the messages it sends and takes."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import contextmanager

from biskit_pvm.machine import spawning, task
from biskit_pvm.machine.log import Log
from biskit_pvm.machine.packing import READABLE_BY_ALL, Pickling, pack_and_send
from biskit_pvm.machine.tags import OURS, Tag
from biskit_pvm.messages import wire
from biskit_pvm.messages.loop import MessageLoop, Notification, Plain

TYPE_CHECKING = False  # slaves start quickly
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    #: sender, tag, time stamp and arguments of a message that was proved ours
    Opened = tuple[int, int, float, Any]

log = Log(__name__)

#: whether this process runs a script of Python 2
_old_code = "BISKIT_PVM_RUN" in os.environ


def family_key() -> bytes:
    """Return the key of the family that this process belongs to.

    Whatever descends from one program has its key, so that siblings and
    masters inside slaves understand each other.
    """
    global _key
    if _key is None:
        _key = task.heritage().key or os.urandom(wire.KEY_BYTES)
    return _key


_key: bytes | None = None

LARGE = 1 << 18
"""Bytes of a message that may take long on a slow line."""

OPEN_VARIABLE = "BISKIT_PVM_OPEN_MESSAGES"
"""Set to 1, it has messages unpickled that any task of the virtual machine sends without a seal."""


class Messenger:
    """Open what comes to a task, call what is bound to it, and seal what goes.

    Attributes
    ----------
    tid : int
        The own tid.
    parent : int or None
        The tid of the task that spawned this one.
    loop : MessageLoop
    sender : int
        Who sent the message that is handled at present.
    relays : dict
        {tid: the task by way of which messages go there}.
    patience : float, optional
        Seconds for which a task may take nothing of a message that comes to
        it over a direct link.  None: sends wait for their receivers, for
        ever; otherwise they do not wait, and `look_after_queues` has to be
        called.
    on_failed : callable(error)
        What to do about an exception of whatever the loop has called.
    on_unreadable : callable(tid, tag, error, frames)
        What to do about a message of ours that does not unpickle.
    on_stuck : callable(tid)
        What to do about a task that takes no messages.
    on_execute : callable(tag, tid, arguments), optional
        Told before a method is called.
    on_large : callable(tid, tag, value), optional
        Told before a message goes that may take long.
    tasks : dict
        {nickname: tid} of the spawned tasks.
    variables : dict
        Environment variables for tasks that are spawned from now on, beyond
        those by which they know their family.
    output_to : (tid, context, tag), optional
        Where what spawned tasks print is sent.
    spawn_timeout : float, optional
        Longest time (s) that a spawn may take.
    """

    def __init__(self) -> None:
        self.tid, self.parent, self.root = self._settle()
        self.key = family_key()
        self._seal = wire.Seal(self.key)
        self.loop = self._make_loop()
        self.loop.read_plain = self._plain_text
        #: tasks that are known to read sealed messages
        heritage = task.heritage()
        self._readers = set() if heritage.master is None else {heritage.master}
        #: tasks that know the form of old alone: a parent that gave no key, and who has spoken so first
        self._plain_speakers = set() if heritage.key or self.parent is None else {self.parent}
        self._of_family: dict[int, bool] = {}
        self.relays: dict[int, int] = {}
        self._large = threading.Lock()
        if heritage.relay is not None and heritage.master is not None:
            self.relays[heritage.master] = heritage.relay
            task.trust_relay(heritage.relay)
        #: bytes that were sent so far
        self.n_bytes = 0
        self.tasks: dict[Any, int] = {}
        self._nicknames: dict[int, Any] = {}
        self.variables: dict[str, str] = {}
        self.output_to: tuple[int, int, int] | None = None
        self.spawn_timeout: float | None = None
        self.sender = 0
        self.patience: float | None = None
        self.on_failed: Callable[[BaseException], None] = print_error
        self.on_unreadable: Callable[[int, int, BaseException, Any], None] = self._log_unreadable
        self.on_stuck: Callable[[int], None] = lambda tid: None
        self.on_execute: Callable[[int, int, Any], None] | None = None
        self.on_large: Callable[[int, int, Any], None] | None = None

    # -- the process that it lives in; others in `biskit_pvm.messages.inline` ----

    #: whether the task is a process of its own
    own_process = True

    def _settle(self) -> tuple[int, int | None, int]:
        """Become a task; return its tid, its parent's, and that of the program that all descend from."""
        tid = task.enrol()
        return tid, task.parent(), task.heritage().root or tid

    def _make_loop(self) -> MessageLoop:
        return MessageLoop(self.handle, self._failed)

    def start(self, thread: threading.Thread) -> None:
        """Have the loop run, in a thread that was made for it."""
        thread.start()

    @contextmanager
    def first_words(self, to: int) -> Iterator[None]:
        """Ask for a link by the first message of a slave to its master."""
        with task.asking_for_link():
            yield

    def end_task(self, tid: int, signum: int) -> None:
        """Send a signal to a task."""
        spawning.end_task(tid, signum)

    def leave(self, status: int) -> None:
        """End this process, which is a slave, with everything it printed."""
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except Exception:
                pass
        task.leave()
        os._exit(status)

    def failing(self, error: BaseException) -> None:
        """Called in a slave before it reports an exception; raises those that are not to be reported."""

    def raised_by(self, tid: int) -> BaseException | None:
        """Return the exception that a slave has reported last, where it was raised in this process."""
        return None

    # -- what comes ----------------------------------------------------

    def handle(self, messages: list[Any]) -> None:
        """Call what is bound to messages that came together."""
        if len(messages) == 1:
            opened = self._open(messages.pop())  # what it holds is not held twice while it is worked with
            if opened is not None:
                self._execute(opened)
            return
        stamped = []
        for message in messages:
            opened = self._open(message)
            if opened is not None:
                stamped.append((message.tid, opened[2], opened))
        for opened in wire.in_time_order(stamped):
            self._execute(opened)

    def _open(self, message: Any) -> Opened | None:
        """Return a message that is proved ours; None for any other."""
        tid, tag = message.tid, message.tag
        if type(message) is Notification:
            return tid, tag, 0.0, (message.tids,)
        if tag == Tag.BEAT:
            return tid, tag, 0.0, (tid,)
        if message.frames is None:
            return self._open_plain(message)
        if tag == Tag.BEATS:
            from biskit_pvm.messages.relay import tids_in

            return tid, tag, 0.0, (tids_in(message.frames[0]),)
        try:
            stamp, arguments = self._seal.read(tid, tag, message.frames)
        except wire.NotOurs as error:
            log.warning("%s; thrown away", error)
            return None
        except BaseException as error:
            try:
                self.on_unreadable(tid, tag, error, message.frames)
            except BaseException as other:
                self._failed(other)
            return None
        self._readers.add(tid)
        return tid, tag, stamp, arguments

    def _plain_text(self, tid: int) -> bytes | None:
        """Return the text of the message that has just come from a task, if that is of the family."""
        # who has once sealed its messages goes on doing so: anything else is forged
        if (tid in self._readers and not _old_code) or not self._trusts(tid):
            return None
        return task.plain_text()

    def _trusts(self, tid: int) -> bool:
        """Tell whether what a task sends without a seal may be unpickled."""
        known = self._of_family.get(tid)
        if known is None:
            known = (
                os.environ.get(OPEN_VARIABLE) == "1"
                or tid == self.parent
                or tid in self.tasks.values()
                or tid in self._readers
                # in old code any task of the family may talk to any other
                or (_old_code and task.descends(tid, {self.tid, self.root, self.parent or self.tid}))
            )
            self._of_family[tid] = known
        return known

    def _open_plain(self, message: Any) -> Opened | None:
        """Open a message in the form of old: one PVM string that holds the pickle of (time, arguments)."""
        tid, tag, text = message.tid, message.tag, message.text
        if text is None:
            log.warning(
                "message with tag %d from task t%x carries no seal and is not of a task that this program has "
                "started; thrown away (to take such messages, set %s=1)",
                tag,
                tid,
                OPEN_VARIABLE,
            )
            return None
        try:
            stamp, arguments = Pickling.loads(text)
            opened = tid, tag, float(stamp), arguments
        except BaseException as error:
            log.warning("message with tag %d from task t%x is no pickle of (time, arguments): %s", tag, tid, error)
            return None
        self._plain_speakers.add(tid)
        return opened

    def unread(self, tid: int, tag: int, timeout: float = 0) -> Iterator[Any]:
        """Yield the arguments of messages that wait, or come within `timeout` s each; any thread."""
        match = task.Match()
        match.add(tid, tag)
        while True:
            message = task.receive(match=match, timeout=timeout)
            if message is None:
                return
            opened = self._open(message) if message.frames is not None else None
            if opened is not None:
                yield opened[3]

    def _execute(self, opened: Opened) -> None:
        tid, tag, _, arguments = opened
        method = self.loop.bindings.find(tid, tag)
        if method is None:
            return
        self.sender = tid
        try:
            if self.on_execute is not None:
                self.on_execute(tag, tid, arguments)
            if arguments is None:
                method()
            else:
                method(*arguments)
        except BaseException as error:
            self._failed(error)

    def _failed(self, error: BaseException) -> None:
        """The last resort for whatever is raised in the loop's thread."""
        try:
            self.on_failed(error)
        except BaseException as other:
            print_error(error)
            print_error(other)
            self.loop.stop()

    def _log_unreadable(self, tid: int, tag: int, error: BaseException, frames: Any) -> None:
        from biskit_pvm.messages.salvage import reason

        log.error("message with tag %d from t%x cannot be read: %s", tag, tid, reason(error))

    def take(self, tid: int, tag: int, timeout: float) -> None:
        """Wait for one message while no loop runs, at most `timeout` s, and handle it."""
        message = task.receive(tid, tag, timeout=timeout)
        if message is not None:
            self.handle([message if message.frames is not None else Plain(tid, tag, self._plain_text(tid))])

    # -- what goes -----------------------------------------------------

    def send(self, tid: int, tag: int, value: Any, constant: bool = False) -> int:
        """Send one object to a task; return its bytes.

        It goes sealed, but in the form of old to tasks that have spoken so themselves, and in a run of old
        code to all that are not known to read sealed messages.  What an old script sends under a tag of its own
        always goes in that form, since the receiver may read it by hand.  A value that is constant does not change
        until it has been sent, so nothing of it is copied while it waits.
        """
        known = tid in self._readers
        if (not known and tid in self._plain_speakers) or (_old_code and not (known and tag in OURS)):
            if not pack_and_send(tid, tag, value, protocol=READABLE_BY_ALL, patience=self.patience):
                self.on_stuck(tid)
            return 0
        frames = self._seal.write(self.tid, tag, value)
        n_bytes = sum(map(len, frames))
        if self.on_large is not None and n_bytes >= LARGE:
            self.on_large(tid, tag, value)
        relay = self.relays.get(tid, 0)
        to, other = (relay, tid) if relay else (tid, 0)
        if relay and self.patience is None and n_bytes >= LARGE:
            with self._large:
                task.ask_for_room(relay, n_bytes)
                task.send(to, tag, frames, other=other)
        # what waits for room in a full queue is nothing of ours: masters send a slave one job, or few small ones
        elif self.patience is None or not task.queue(to, tag, frames, constant, other):
            if not task.send(to, tag, frames, patience=self.patience, other=other):
                self.on_stuck(to)
        self.n_bytes += n_bytes
        return n_bytes

    def queued(self, tid: int) -> int:
        """Return how many bytes for a task wait until its line, or that of its relay, takes them."""
        relay = self.relays.get(tid, 0)
        return task.queued(relay, tid) if relay else task.queued(tid)

    def look_after_queues(self) -> None:
        """Tell which tasks have taken nothing of what waits for them; to be called now and then."""
        if self.patience is not None:
            for tid in task.stalled(self.patience):
                self.on_stuck(tid)

    def arrivals(self) -> dict[int, float]:
        """Return how many seconds ago bytes of tasks have come last, those of unfinished messages, too."""
        return task.arrivals()

    # -- whom it spawns ------------------------------------------------

    def spawn(self, pvm_task: Iterable[Any], nickname: Any = None, variables: dict[str, str] | None = None) -> int:
        """Start a task.

        Parameters
        ----------
        pvm_task : tuple
            Arguments of `pypvm.spawn`: (command, argv, flag, where, count).
        nickname : hashable, optional
            By default the tid.
        variables : dict, optional
            Environment variables for this task alone.

        Returns
        -------
        int
            The tid, or a negative PVM error code.
        """
        command, argv, flag, where, count = tuple(pvm_task)
        tid = spawning.spawn(
            command,
            [str(a) for a in argv],
            flag,
            where or "",
            count,
            {**self.heritage(), **self.variables, **(variables or {})},
            self.output_to,
            timeout=self.spawn_timeout,
        )[0]
        if tid > 0:
            self.know(tid, tid if nickname is None else nickname)
        return tid

    def know(self, tid: int, nickname: Any) -> None:
        """Note that a task was spawned."""
        self.tasks[nickname] = tid
        self._nicknames[tid] = nickname

    def heritage(self) -> dict[str, str]:
        """Return the environment variables by which a spawned task knows its family."""
        return {
            task.KEY_VARIABLE: self.key.hex(),
            task.MASTER_VARIABLE: str(self.tid),
            task.ROOT_VARIABLE: str(self.root),
            **spawning.package_variables(),
        }

    def nickname_of(self, tid: int) -> Any:
        """Return the nickname of a spawned task.

        Raises
        ------
        NameError
            No task with this tid was spawned.
        """
        nickname = self._nicknames.get(tid)
        if nickname is not None and self.tasks.get(nickname) == tid:
            return nickname
        for nickname, known in self.tasks.items():
            if known == tid:
                self._nicknames[tid] = nickname
                return nickname
        raise NameError("tid not known")


_making = threading.local()


def make() -> Messenger:
    """Return the messenger of a new task of this process."""
    maker = getattr(_making, "maker", None) or Messenger
    return maker()


@contextmanager
def made_by(maker: Callable[[], Messenger] | None) -> Iterator[None]:
    """Have the messengers of tasks that this thread makes come from `maker`, for a while."""
    before = getattr(_making, "maker", None)
    _making.maker = maker
    try:
        yield
    finally:
        _making.maker = before


def print_error(error: BaseException) -> None:
    """Print an exception with its traceback, as far as there is somewhere to print it."""
    import traceback

    try:
        traceback.print_exception(type(error), error, error.__traceback__, file=sys.stderr)
        sys.stderr.flush()
    except Exception:
        pass
