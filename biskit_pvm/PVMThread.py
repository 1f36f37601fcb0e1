"""Tasks that handle messages: a thread that calls methods on messages, and
the conversation by which a master gets its slaves ready."""

from __future__ import annotations

import threading
import time
from threading import Thread

from biskit_pvm.machine import task
from biskit_pvm.machine.log import Log
from biskit_pvm.machine.logfile import Logfile
from biskit_pvm.machine.tags import DAEMON, Tag
from biskit_pvm.messages.messenger import make, print_error

TYPE_CHECKING = False  # slaves start quickly
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, Callable, TypeVar

    from biskit_pvm.errors import Failure
    from biskit_pvm.jobs.slaves import Slaves
    from biskit_pvm.messages.loop import Binding
    from biskit_pvm.messages.messenger import Messenger

    Method = Callable[..., Any]
    _Own = TypeVar("_Own", bound="PVMMasterSlave")

__all__ = [
    "MSG_EXIT",
    "MSG_INITIALIZATION_DONE",
    "MSG_INITIALIZE",
    "MSG_MESSAGELOOP_UP",
    "MSG_PING",
    "Logfile",
    "PVMMasterSlave",
    "PVMThread",
]

MSG_PING = int(Tag.PING)
MSG_MESSAGELOOP_UP = int(Tag.LOOP_UP)
MSG_INITIALIZE = int(Tag.INITIALIZE)
MSG_INITIALIZATION_DONE = int(Tag.INITIALIZED)
MSG_EXIT = int(Tag.EXIT)

log = Log(__name__)


class _Free:
    """An attribute of Thread that belongs to subclasses again.

    Reading it gives the thread's own value until something is assigned,
    which then is an ordinary field of the object.
    """

    def __init__(self, default: Callable[[Any], Any]) -> None:
        self.default = default

    def __get__(self, owner: Any, kind: Any = None) -> Any:
        return self if owner is None else self.default(owner)


class _LoopThread(Thread):
    """The thread of a `PVMThread`, which is that object to whoever asks for the current thread."""

    def __init__(self, owner: PVMThread, target: Callable[[], None]) -> None:
        Thread.__init__(self, daemon=False)
        self.__owner, self.__target = owner, target

    def run(self) -> None:
        active = getattr(threading, "_active", {})
        active[self.ident] = self.__owner
        try:
            self.__target()
        finally:
            active[self.ident] = self
            del self.__owner, self.__target


class PVMThread(Thread):
    """A thread that waits for messages and calls the methods bound to them.

    Parameters
    ----------
    log : bool
        Keep a debug log (see `Logfile`).

    Notes
    -----
    The thread itself is a part of the object rather than its base class, so
    that subclasses may give their fields any name that `threading.Thread`
    uses for its own.  All methods of a Thread work.
    """

    name = _Free(lambda self: self.__thread.name)
    daemon = _Free(lambda self: self.__thread.daemon)
    ident = _Free(lambda self: self.__thread.ident)
    native_id = _Free(lambda self: self.__thread.native_id)

    def __init__(self, log: Any = None) -> None:
        own = dict(self.__dict__)
        Thread.__init__(self)
        self.__dict__.update(own)  # fields that a subclass has set before
        self.__thread = _LoopThread(self, self.__main)
        self.__messenger = make()
        self.__messenger.on_failed = self.__failed
        self.__on_end: Callable[[], None] = lambda: None
        self.__delay = 0.1
        self.__ping_timeout = 5.0
        self.__pinged: dict[int, threading.Event] = {}
        self.__log = Logfile() if log else None
        if self.__log:
            self.__messenger.on_execute = self.post_execute_method
        self.bind(MSG_PING, -1, self._ping)

    # -- the thread ----------------------------------------------------

    def start(self) -> None:
        """Start the thread."""
        daemon = self.__dict__.get("daemon")
        if isinstance(daemon, bool):
            self.__thread.daemon = daemon
        name = self.__dict__.get("name")
        if isinstance(name, str):
            self.__thread.name = name
        self.__messenger.start(self.__thread)

    def join(self, timeout: float | None = None) -> None:
        """Wait until the thread has ended, at most `timeout` seconds."""
        if self.__messenger.own_process:
            self.__thread.join(timeout)

    def is_alive(self) -> bool:
        """Tell whether the thread runs."""
        return self.__thread.is_alive()

    isAlive = is_alive

    def getName(self) -> str:
        """Return the name of the thread."""
        return self.__thread.name

    def setName(self, name: str) -> None:
        """Give the thread a name."""
        self.__thread.name = name

    def isDaemon(self) -> bool:
        """Tell whether the process may end while the thread runs."""
        return self.__thread.daemon

    def setDaemon(self, daemonic: bool) -> None:
        """Let the process end while the thread runs, or not."""
        self.__thread.daemon = daemonic

    def __repr__(self) -> str:
        state = "initial" if self.__thread.ident is None else "started" if self.is_alive() else "stopped"
        return f"<{type(self).__name__}({self.__thread.name}, {state})>"

    def __main(self) -> None:
        with self.__messenger.loop.entered():
            try:
                self.run()
            except BaseException as error:
                self.__messenger.on_failed(error)
            finally:
                self.__messenger.loop.stop()
                self.__on_end()

    # -- the message loop ----------------------------------------------

    def run(self) -> None:
        """Be the message loop, until `stop`."""
        self.__messenger.loop.run()

    def __failed(self, error: BaseException) -> None:
        """The loop has called something that raised: print it, and go on where that makes sense."""
        if isinstance(error, task.Lost):
            log.error("the PVM daemon is gone: %s", error)
            self.__messenger.loop.stop()
            return
        print_error(error)
        if not isinstance(error, Exception):
            self.__messenger.loop.stop()

    def startMessageLoop(self) -> None:
        """Let messages be handled."""
        self.__messenger.loop.resume()

    def stopMessageLoop(self) -> None:
        """Let messages wait until `startMessageLoop`."""
        self.__messenger.loop.pause()

    def messageLoopIsStopped(self) -> bool:
        """Tell whether messages wait at present."""
        return self.__messenger.loop.paused

    def stop(self) -> None:
        """End the thread."""
        self.__messenger.loop.stop()

    def isStopped(self) -> int:
        """Return 1 when the thread was told to end, else 0."""
        return int(self.__messenger.loop.stopped)

    def setMessageLoopDelay(self, delay: float) -> None:
        """Set the delay (s) that old programs ask for.

        It is kept, but nothing waits for it: a message is handled when it
        comes.
        """
        self.__delay = delay

    def getMessageLoopDelay(self) -> float:
        """Return what `setMessageLoopDelay` was given, in seconds."""
        return self.__delay

    # -- who is who ----------------------------------------------------

    def getTID(self) -> int:
        """Return the own tid."""
        return self.__messenger.tid

    def getParent(self) -> int | None:
        """Return the tid of the task that spawned this one, or None."""
        return self.__messenger.parent

    def getTasks(self) -> dict[Any, int]:
        """Return {nickname: tid} of the spawned tasks."""
        return self.__messenger.tasks

    def nicknameFromTID(self, tid: int) -> Any:
        """Return the nickname of a spawned task.

        Raises
        ------
        NameError
            No task with this tid was spawned.
        """
        return self.__messenger.nickname_of(tid)

    # -- bindings ------------------------------------------------------

    def getBindings(self) -> dict[Binding, Method]:
        """Return {(tid, message_tag): method}; it can be changed."""
        return self.__messenger.loop.bindings

    def bind(self, message_tag: int, tid: int, method: Method) -> None:
        """Have `method` called with the arguments in messages of this tag.

        Parameters
        ----------
        message_tag : int
        tid : int
            The sender; -1 for any.
        method : callable
            Called in the thread of the message loop.
        """
        self.getBindings()[(tid, message_tag)] = method

    def unbind(self, tid_message_tag: Binding) -> None:
        """Remove the binding of `(tid, message_tag)`."""
        del self.getBindings()[tid_message_tag]

    # -- sending -------------------------------------------------------

    def send_primitive(self, tid: int, msg_tag: int, value: Any) -> None:
        """Send one object, as it is, to a task."""
        self.__messenger.send(tid, msg_tag, value)
        if self.__log:
            self.post_message_sent(msg_tag, tid, value)

    def send(self, task: Any, msg_tag: int, value: tuple[Any, ...] | None = None) -> None:
        """Have the method that is bound to `msg_tag` called elsewhere.

        Parameters
        ----------
        task : nickname or int or tuple of these
            Nicknames or tids of the receivers.
        msg_tag : int
        value : tuple, optional
            The arguments of the method.
        """
        stamp = time.time()
        tasks = self.__messenger.tasks
        for receiver in task if isinstance(task, tuple) else (task,):
            try:
                tid = tasks[receiver]
            except (KeyError, TypeError):
                tid = receiver
            self.send_primitive(tid, msg_tag, (stamp, value))

    def sendToAll(self, msg_tag: int, value: tuple[Any, ...] | None) -> None:
        """Send to all spawned tasks."""
        self.send(tuple(self.getTasks().values()), msg_tag, value)

    # -- spawning ------------------------------------------------------

    def spawn(self, pvm_task: Iterable[Any], nickname: Any = None) -> int:
        """Start a task.

        Parameters
        ----------
        pvm_task : tuple
            Arguments of `pypvm.spawn`: (command, argv, flag, where, count).
        nickname : hashable, optional
            By default the tid.

        Returns
        -------
        int
            The tid, or a negative PVM error code.
        """
        return self.__messenger.spawn(pvm_task, nickname)

    # -- ping ----------------------------------------------------------

    def setPingTimeout(self, t: float) -> None:
        """Set how long `ping` waits, in seconds."""
        self.__ping_timeout = t

    def getPingTimeout(self) -> float:
        """Return how long `ping` waits, in seconds."""
        return self.__ping_timeout

    def ping(self, nickname: Any) -> int:
        """Ask a spawned task for a sign of life.

        Returns
        -------
        int
            1 when it answers within `getPingTimeout()` seconds, else 0.
        """
        if nickname not in self.__messenger.tasks:
            raise TypeError(f"no task with the nickname {nickname!r} was spawned from here")
        tid = self.__messenger.tasks[nickname]
        answered = self.__pinged.setdefault(tid, threading.Event())
        answered.clear()
        self.send(tid, MSG_PING, (self.getTID(),))
        loop = self.__messenger.loop
        if loop.inside():
            return int(loop.run_until(answered.is_set, self.__ping_timeout))
        if loop.thread is None or loop.paused:  # nobody else takes the answer
            end = time.monotonic() + self.__ping_timeout
            while not answered.is_set() and (left := end - time.monotonic()) > 0:
                self.__messenger.take(tid, MSG_PING, left)
        return int(answered.wait(self.__ping_timeout))

    def _ping(self, sender_tid: int | None = None) -> None:
        """Answer a ping; without an argument the message is an answer."""
        if sender_tid is not None:
            self.send(sender_tid, MSG_PING, None)
        elif self.__messenger.sender in self.__pinged:
            self.__pinged[self.__messenger.sender].set()

    # -- the debug log -------------------------------------------------

    def log(self) -> None:
        """Print the debug log, if there is one."""
        if self.__log:
            self.__log.write()

    def post(self, message: str) -> None:
        """Add to the debug log, if there is one."""
        if self.__log:
            self.__log.post(message)

    def post_message_received(self, msg_tag: int, tid: int, params: Any) -> None:
        """Note in the debug log that a message has come."""
        self.__post("received and unpacked", msg_tag, tid, params)

    def post_message_sent(self, msg_tag: int, tid: int, params: Any) -> None:
        """Note in the debug log that a message was sent."""
        self.__post("message sent", msg_tag, tid, params)

    def post_execute_method(self, msg_tag: int, tid: int, params: Any) -> None:
        """Note in the debug log that a method is called."""
        self.__post("execute method bound to", msg_tag, tid, params)

    def __post(self, what: str, msg_tag: int, tid: int, params: Any) -> None:
        self.post(f"PVMThread: {what}: msg_tag = {msg_tag}, tid = {tid}\n[params = {params}]")

    def rm_log(self) -> None:
        """Remove the file of the debug log, if there is one."""
        if self.__log:
            self.__log.rm()


def messenger_of(thread: PVMThread) -> Messenger:
    """Return the messenger of a thread.

    A function, and not an attribute, so that subclasses keep all names for themselves.
    """
    return thread._PVMThread__messenger  # type: ignore[attr-defined, no-any-return]


def run_here(thread: PVMThread, until: Callable[[], bool]) -> None:
    """Be the message loop of a thread in the calling one, until it is stopped or something holds."""
    messenger = messenger_of(thread)
    loop = messenger.loop
    with loop.entered():
        try:
            while not loop.stopped and not until():
                loop.step()
        except BaseException as error:
            messenger.on_failed(error)
    if loop.stopped:
        thread._PVMThread__on_end()  # type: ignore[attr-defined]


def at_end(thread: PVMThread, function: Callable[[], None]) -> None:
    """Have a function called in a thread before it ends, however it ends."""
    thread._PVMThread__on_end = function  # type: ignore[attr-defined]


class PVMMasterSlave(PVMThread):
    """A task that starts slaves and gets them ready, or is such a slave.

    A slave reports when its message loop is up; its master answers with
    parameters, and the slave reports when it has initialised itself.

    Parameters
    ----------
    verbose : bool
        Print what happens to the slaves.
    """

    # A master stays one when a task has started it; its class says what it
    # is, and not whether it has a parent.  The name belongs to this class,
    # so that no field of a subclass can touch it.
    __is_master = False

    def __init__(self, verbose: Any = 1, *arg: Any, **kw: Any) -> None:
        PVMThread.__init__(self, *arg, **kw)
        self.verbose = verbose
        self.__messenger = messenger_of(self)
        self.__slaves: Slaves | None = None
        self.__beat: Any = None
        self.bind(Tag.TASK_EXITED, DAEMON, self.__exited)
        self.__master = None if self.__is_master else self.__messenger.parent
        if self.__master is not None:
            self.__messenger.on_unreadable = self.__unreadable
            self.__messenger.on_failed = self.__slave_failed
            self.bind(MSG_INITIALIZE, self.__master, self.__initialize)
            self.bind(MSG_EXIT, self.__master, self.exit)

    def spawn(self, pvm_task: Iterable[Any], nickname: Any = None) -> int:
        """Start a slave and have its reports handled.

        See `PVMThread.spawn`.
        """
        tid = PVMThread.spawn(self, pvm_task, nickname)
        if tid > 0:
            slaves_of(self).adopt(tid, self.nicknameFromTID(tid))
        return tid

    def startMessageLoop(self) -> None:
        """Let messages be handled, and tell the master so."""
        PVMThread.startMessageLoop(self)
        if self.__master is not None:
            beat = task.heritage().beat
            if beat is not None and self.__beat is None and self.__messenger.own_process:
                # a slave whose relay has ended is of no use either
                self.__beat = task.start_beat(self.__messenger.relays.get(self.__master, self.__master), beat)
            self.__messenger.loop.watch_tasks([self.__master])
            with self.__messenger.first_words(self.__master):
                self.send(self.__master, MSG_MESSAGELOOP_UP, (self.getTID(),))

    def messageLoopIsUp(self, slave: int) -> None:
        """Called when the message loop of a slave has started: sends it the
        parameters."""
        parameters = self.getInitParameters(slave)
        if type(self).send is PVMThread.send and type(self).send_primitive is PVMThread.send_primitive:
            parameters = slaves_of(self).lighter(slave, parameters)
        self.send(slave, MSG_INITIALIZE, (parameters,))

    def getInitParameters(self, slave_tid: int) -> Any:
        """Return the parameters for a slave (None).  Override.

        Where their large parts (arrays, say, of 1 MB and more altogether) are the same for all slaves, these
        travel to each host once and are in its memory once.  A slave may change its own: it then has what it
        changes for itself.
        """
        return None

    def initialize(self, parameters: Any) -> None:
        """Called in a slave, once, with its parameters.  Override."""

    def __initialize(self, parameters: Any = None) -> None:
        try:
            self.initialize(parameters)
        except BaseException as error:
            if isinstance(error, task.Lost):
                raise
            report_failure(self, None, error)
            return
        self.send(self.__master, MSG_INITIALIZATION_DONE, (self.getTID(),))

    def __unreadable(self, tid: int, tag: int, error: BaseException, frames: Any) -> None:
        """A slave cannot read what its master sends."""
        if tag == MSG_INITIALIZE:
            from biskit_pvm.messages.salvage import reason

            report_failure(self, None, TypeError(f"the slave cannot read its parameters: {reason(error)}"))
        else:
            log.error("message with tag %d from t%x cannot be read: %s", tag, tid, error)

    def __slave_failed(self, error: BaseException) -> None:
        """In a slave: what its loop has called has raised."""
        if isinstance(error, task.Lost):
            self.__messenger.leave(1)
        print_error(error)
        if isinstance(error, SystemExit):
            code = error.code
            self.__messenger.leave(code if isinstance(code, int) else 0 if code is None else 1)
        if not isinstance(error, Exception):
            self.__messenger.leave(1)

    def initializationDone(self, slave_tid: int) -> None:
        """Called when a slave has initialised itself.  Override."""

    # -- the end -------------------------------------------------------

    def __exited(self, tids: list[int]) -> None:
        if self.__master is not None and self.__master in tids:
            self.__messenger.leave(1)
        if self.__slaves is not None:
            self.__slaves.exited(tids)

    def exit(self) -> None:
        """End the slaves and this thread; in a slave, end the process.

        A master tells its slaves to leave and waits for them, a little;
        those that are still there then are killed.
        """
        if self.__master is not None:
            self.__messenger.leave(0)
        try:
            if self.__slaves is not None:
                self.__slaves.dismiss(self.send, self.__say_goodbye)
        finally:  # a second Ctrl-C must not leave a thread that runs for ever
            self.stop()

    def __say_goodbye(self, nickname: Any) -> None:
        if self.verbose:
            from biskit_pvm.report.say import say  # not needed by slaves

            say(f"{nickname} shutting down...")

    def __enter__(self: _Own) -> _Own:
        return self

    def __exit__(self, *exception: object) -> None:
        self.exit()
        if self.is_alive():
            self.join()


class _Owner:
    """What a bare `PVMMasterSlave` makes of the reports of its slaves."""

    def __init__(self, master: PVMMasterSlave) -> None:
        self.master = master

    def spawned(self, tid: int, nickname: Any) -> None:
        """Nothing is to be noted."""

    def up(self, tid: int, knows_numbers: bool) -> None:
        self.master.messageLoopIsUp(tid)

    def ready(self, tid: int) -> None:
        self.master.initializationDone(tid)

    def failed(self, tid: int, job: int | None, failure: Failure) -> None:
        log.error(
            "slave %s could not initialise itself: %s: %s\n%s",
            self.master.nicknameFromTID(tid),
            failure.kind,
            failure.message,
            failure.traceback,
        )

    def exited(self, tid: int) -> None:
        """Nobody waits for it."""


def slaves_of(master: PVMMasterSlave, owner: Any = None) -> Slaves:
    """Return the slaves of a master, made when they are first asked for."""
    from biskit_pvm.jobs.slaves import Slaves  # not needed by slaves

    slaves = master._PVMMasterSlave__slaves  # type: ignore[attr-defined]
    if slaves is None:
        slaves = Slaves(messenger_of(master), owner or _Owner(master))
        master._PVMMasterSlave__slaves = slaves  # type: ignore[attr-defined]
    return slaves  # type: ignore[no-any-return]


def report_failure(slave: PVMMasterSlave, job: int | None, error: BaseException) -> None:
    """Tell the master of a slave that a job, or (None) the initialisation, failed."""
    from biskit_pvm.jobs import failures  # not needed by most slaves

    messenger_of(slave).failing(error)
    slave.send(slave.getParent(), int(Tag.FAILED), (slave.getTID(), job, failures.describe(error)))
