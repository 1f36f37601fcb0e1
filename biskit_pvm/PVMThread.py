"""Tasks that handle messages: a thread that calls methods on messages, and
the conversation by which a master gets its slaves ready."""

from __future__ import annotations

import os
import sys
import threading
import time
from threading import Thread

from biskit_pvm.machine import task as machine
from biskit_pvm.machine.log import Log
from biskit_pvm.machine.tags import Tag
from biskit_pvm.messages import wire
from biskit_pvm.messages.loop import MessageLoop, Notification

TYPE_CHECKING = False  # slaves start quickly
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, Callable, TypeVar

    from biskit_pvm.errors import Failure
    from biskit_pvm.messages.loop import Binding

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


class Logfile:
    """A debug log that is kept in memory and in a file.

    Parameters
    ----------
    filename : str, optional
        By default `pvm_thread.log.<pid>` in the folder for temporary files.
    """

    def __init__(self, filename: str | None = None) -> None:
        import tempfile

        self.filename = filename or os.path.join(tempfile.gettempdir(), f"pvm_thread.log.{os.getpid()}")
        self.lines: list[str] = []

    def post(self, message: str) -> None:
        """Add a message, with the time, to log and file."""
        entry = [f"\n{time.time()}:", message]
        first = not self.lines
        self.lines += entry
        # a name that others can guess, in a folder where others can write:
        # never follow a link that somebody has put there
        flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | (os.O_TRUNC if first else os.O_APPEND)
        with os.fdopen(os.open(self.filename, flags, 0o600), "a") as file:
            file.write("\n".join(entry) + "\n")

    def write(self) -> None:
        """Print the log."""
        print("\n".join(self.lines))

    def rm(self) -> None:
        """Remove the file."""
        if os.path.exists(self.filename):
            os.unlink(self.filename)


class _Free:
    """An attribute of Thread that belongs to subclasses again.

    Reading it gives the thread's own value until something is assigned,
    which then is an ordinary field of the object.
    """

    def __init__(self, default: Callable[[Any], Any]) -> None:
        self.default = default

    def __get__(self, owner: Any, kind: Any = None) -> Any:
        return self if owner is None else self.default(owner)


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

    #: seconds for which a task may take nothing of a message that comes to
    #: it over a direct link; None: wait for ever
    _patience: float | None = None

    def __init__(self, log: Any = None) -> None:
        Thread.__init__(self)
        self.__thread = Thread(target=self.__main, daemon=False)
        self.__mytid = machine.enrol()
        self.__parent = machine.parent()
        self.__key = os.urandom(wire.KEY_BYTES)
        self.__seal = wire.Seal(self.__key)
        master_key = machine.heritage().key
        self.__parent_seal = self.__seal if master_key is None else wire.Seal(master_key)
        self.__loop = MessageLoop(self.__handle, self._tick, self._work)
        self.__tasks: dict[Any, int] = {}
        self.__nicknames: dict[int, Any] = {}
        self.__delay = 0.1
        self.__ping_timeout = 5.0
        self.__pinged: dict[int, threading.Event] = {}
        self.__sender = 0
        self.__log = Logfile() if log else None
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
        self.__thread.start()

    def join(self, timeout: float | None = None) -> None:
        """Wait until the thread has ended, at most `timeout` seconds."""
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
        self.run()

    # -- the message loop ----------------------------------------------

    def run(self) -> None:
        """Be the message loop, until `stop`."""
        try:
            self.__loop.run()
        except machine.Lost as error:
            self._machine_lost(error)

    def _tick(self, now: float) -> float:
        """Pass the time; return the seconds until the next call."""
        return 3600.0

    def _work(self) -> bool:
        """Do a piece of work between messages; return whether more waits."""
        return False

    def _machine_lost(self, error: Exception) -> None:
        """The connection to the PVM daemon has broken."""
        log.error("the PVM daemon is gone: %s", error)
        self.stop()

    @property
    def _loop(self) -> MessageLoop:
        return self.__loop

    def startMessageLoop(self) -> None:
        """Let messages be handled."""
        self.__loop.resume()

    def stopMessageLoop(self) -> None:
        """Let messages wait until `startMessageLoop`."""
        self.__loop.pause()

    def messageLoopIsStopped(self) -> bool:
        """Tell whether messages wait at present."""
        return self.__loop.paused

    def stop(self) -> None:
        """End the thread."""
        self.__loop.stop()

    def isStopped(self) -> bool:
        """Tell whether the thread was told to end."""
        return self.__loop.stopped

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
        return self.__mytid

    def getParent(self) -> int | None:
        """Return the tid of the task that spawned this one, or None."""
        return self.__parent

    def getTasks(self) -> dict[Any, int]:
        """Return {nickname: tid} of the spawned tasks."""
        return self.__tasks

    def nicknameFromTID(self, tid: int) -> Any:
        """Return the nickname of a spawned task.

        Raises
        ------
        NameError
            No task with this tid was spawned.
        """
        nickname = self.__nicknames.get(tid)
        if nickname is not None and self.__tasks.get(nickname) == tid:
            return nickname
        for nickname, known in self.__tasks.items():
            if known == tid:
                self.__nicknames[tid] = nickname
                return nickname
        raise NameError(f"no task with tid {tid} was spawned from here")

    # -- bindings ------------------------------------------------------

    def getBindings(self) -> dict[Binding, Method]:
        """Return {(tid, message_tag): method}; it can be changed."""
        return self.__loop.bindings

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

    def __handle(self, messages: list[Any]) -> None:
        if len(messages) == 1:
            opened = self.__open(messages[0])
            if opened is not None:
                self.__execute(opened)
            return
        stamped = []
        for message in messages:
            opened = self.__open(message)
            if opened is not None:
                stamped.append((message.tid, opened[2], opened))
        for opened in wire.in_time_order(stamped):
            self.__execute(opened)

    def __open(self, message: Any) -> tuple[int, int, float, Any] | None:
        """Return sender, tag, time stamp and arguments; None for what is not
        from one of ours."""
        tid, tag = message.tid, message.tag
        if type(message) is Notification:
            return tid, tag, 0.0, (message.tids,)
        if tag == Tag.BEAT:
            return tid, tag, 0.0, (tid,)
        if message.frames is None:
            log.warning("message with tag %d from task t%x is none of ours; thrown away", tag, tid)
            return None
        try:
            stamp, arguments = self.__seal_of(tid).read(tid, tag, message.frames)
        except wire.NotOurs as error:
            log.warning("%s; thrown away", error)
            return None
        except Exception as error:
            self._unreadable(tid, tag, error)
            return None
        return tid, tag, stamp, arguments

    def __execute(self, opened: tuple[int, int, float, Any]) -> None:
        tid, tag, _, arguments = opened
        method = self.__loop.bindings.find(tid, tag)
        if method is None:
            return
        self.__sender = tid
        if self.__log:
            self.post_execute_method(tag, tid, arguments)
        try:
            if arguments is None:
                method()
            else:
                method(*arguments)
        except machine.Lost:
            raise
        except Exception as error:
            self._handler_failed(error, tid, tag)

    def _handler_failed(self, error: Exception, tid: int, tag: int) -> None:
        """A method that is bound to a message has raised; the loop goes on."""
        log.error("the method bound to tag %d failed on a message from t%x", tag, tid, exc_info=error)

    def _unreadable(self, tid: int, tag: int, error: Exception) -> None:
        """A message of ours holds objects that cannot be made here."""
        log.error("message with tag %d from t%x cannot be read: %s", tag, tid, error)

    # -- sending -------------------------------------------------------

    def __seal_of(self, tid: int) -> wire.Seal:
        return self.__parent_seal if tid == self.__parent else self.__seal

    def send_primitive(self, tid: int, msg_tag: int, value: Any) -> int:
        """Send one object, as it is, to a task; return its bytes."""
        frames = self.__seal_of(tid).write(self.__mytid, msg_tag, value)
        if not machine.send(tid, msg_tag, frames, patience=self._patience):
            self._does_not_read(tid)
        if self.__log:
            self.post_message_sent(msg_tag, tid, value)
        return sum(map(len, frames))

    def _does_not_read(self, tid: int) -> None:
        """A task did not take a message for long; the daemon has it now."""

    def send(self, task: Any, msg_tag: int, value: tuple[Any, ...] | None = None) -> int:
        """Have the method that is bound to `msg_tag` called elsewhere.

        Parameters
        ----------
        task : nickname or int or tuple of these
            Nicknames or tids of the receivers.
        msg_tag : int
        value : tuple, optional
            The arguments of the method.

        Returns
        -------
        int
            How many bytes were sent.
        """
        stamp = time.time()
        n_bytes = 0
        for receiver in task if isinstance(task, tuple) else (task,):
            try:
                tid = self.__tasks[receiver]
            except (KeyError, TypeError):
                tid = receiver
            n_bytes += self.send_primitive(tid, msg_tag, (stamp, value)) or 0
        return n_bytes

    def sendToAll(self, msg_tag: int, value: tuple[Any, ...] | None = None) -> None:
        """Send to all spawned tasks."""
        self.send(tuple(self.__tasks.values()), msg_tag, value)

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
        command, argv, flag, where, count = tuple(pvm_task)
        tid = machine.spawn(
            command,
            [str(a) for a in argv],
            flag,
            where or "",
            count,
            self._heritage(),
            self._output_target(),
            timeout=self._spawn_timeout(),
        )[0]
        if tid > 0:
            if nickname is None:
                nickname = tid
            self.__tasks[nickname] = tid
            self.__nicknames[tid] = nickname
        return tid

    def _heritage(self) -> dict[str, str]:
        """Return the environment variables for spawned tasks."""
        variables = {machine.KEY_VARIABLE: self.__key.hex(), machine.MASTER_VARIABLE: str(self.__mytid)}
        variables.update(machine.package_variables())
        return variables

    def _output_target(self) -> tuple[int, int, int] | None:
        """Return (tid, context, tag) where the output of tasks goes."""
        return None

    def _spawn_timeout(self) -> float | None:
        """Return the longest time (s) that a spawn may take."""
        return None

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
        tid = self.__tasks[nickname]
        answered = self.__pinged.setdefault(tid, threading.Event())
        answered.clear()
        self.send(tid, MSG_PING, (self.__mytid,))
        if self.__loop.inside():
            return int(self.__loop.run_until(answered.is_set, self.__ping_timeout))
        return int(answered.wait(self.__ping_timeout))

    def _ping(self, sender_tid: int | None = None) -> None:
        """Answer a ping; without an argument the message is an answer."""
        if sender_tid is not None:
            self.send(sender_tid, MSG_PING, None)
        elif self.__sender in self.__pinged:
            self.__pinged[self.__sender].set()

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
        self.__post("received", msg_tag, tid, params)

    def post_message_sent(self, msg_tag: int, tid: int, params: Any) -> None:
        """Note in the debug log that a message was sent."""
        self.__post("sent", msg_tag, tid, params)

    def post_execute_method(self, msg_tag: int, tid: int, params: Any) -> None:
        """Note in the debug log that a method is called."""
        self.__post("executed", msg_tag, tid, params)

    def __post(self, what: str, msg_tag: int, tid: int, params: Any) -> None:
        self.post(f"PVMThread: message {what}: msg_tag = {msg_tag}, tid = {tid}\n[params = {params}]")

    def rm_log(self) -> None:
        """Remove the file of the debug log, if there is one."""
        if self.__log:
            self.__log.rm()


class PVMMasterSlave(PVMThread):
    """A task that starts slaves and gets them ready, or is such a slave.

    A slave reports when its message loop is up; its master answers with
    parameters, and the slave reports when it has initialised itself.

    Parameters
    ----------
    verbose : bool
        Print what happens to the slaves.
    """

    #: seconds that slaves have for leaving by themselves, and then for
    #: obeying a signal
    exit_grace = 1.0

    def __init__(self, verbose: Any = 1, *arg: Any, **kw: Any) -> None:
        PVMThread.__init__(self, *arg, **kw)
        self.verbose = verbose
        self.__alive: dict[int, Any] = {}
        self.__gone = threading.Condition()
        self.__beat: Any = None
        self.__leaving = False
        self.bind(Tag.TASK_EXITED, machine.DAEMON, self.__exited)
        parent = self.getParent()
        if parent is not None:
            self.bind(MSG_INITIALIZE, parent, self.__initialize)
            self.bind(MSG_EXIT, parent, self.exit)

    def spawn(self, pvm_task: Iterable[Any], nickname: Any = None) -> int:
        """Start a slave and have its reports handled.

        See `PVMThread.spawn`.
        """
        tid = PVMThread.spawn(self, pvm_task, nickname)
        if tid > 0:
            self._adopt(tid, self.nicknameFromTID(tid))
        return tid

    def _adopt(self, tid: int, nickname: Any) -> None:
        """Take in a new slave before its first message is handled."""
        self.__alive[tid] = nickname
        self.bind(Tag.FAILED, tid, self._slave_failed)
        self.bind(MSG_INITIALIZATION_DONE, tid, self.initializationDone)
        machine.notify_exit([tid])
        self.bind(MSG_MESSAGELOOP_UP, tid, self.__loop_up)

    def __loop_up(self, slave_tid: int) -> None:
        self._slave_up(slave_tid)
        self.messageLoopIsUp(slave_tid)

    def startMessageLoop(self) -> None:
        """Let messages be handled, and tell the master so."""
        PVMThread.startMessageLoop(self)
        parent = self.getParent()
        if parent is not None:
            beat = machine.heritage().beat
            if beat is not None and self.__beat is None:
                self.__beat = machine.start_beat(parent, beat)
            machine.notify_exit([parent])
            with machine.asking_for_link():
                self.send(parent, MSG_MESSAGELOOP_UP, (self.getTID(),))

    def _slave_up(self, slave_tid: int) -> None:
        """The message loop of a slave has started."""

    def messageLoopIsUp(self, slave: int) -> None:
        """Called when the message loop of a slave has started: sends it the
        parameters."""
        self.send(slave, MSG_INITIALIZE, (self.getInitParameters(slave),))

    def getInitParameters(self, slave_tid: int) -> Any:
        """Return the parameters for a slave (None).  Override."""
        return None

    def initialize(self, parameters: Any) -> None:
        """Called in a slave, once, with its parameters.  Override."""

    def __initialize(self, parameters: Any = None) -> None:
        try:
            self.initialize(parameters)
        except Exception as error:
            self._report_failure(None, error)
            return
        parent = self.getParent()
        if parent is not None:
            self.send(parent, MSG_INITIALIZATION_DONE, (self.getTID(),))

    def _report_failure(self, job: int | None, error: BaseException) -> None:
        """Tell the master that a job, or (None) the initialisation, failed."""
        from biskit_pvm.jobs import failures  # not needed by most slaves

        self.send(self.getParent(), Tag.FAILED, (self.getTID(), job, failures.describe(error)))

    def _unreadable(self, tid: int, tag: int, error: Exception) -> None:
        if tid == self.getParent() and tag == MSG_INITIALIZE:
            self._report_failure(None, error)
        else:
            PVMThread._unreadable(self, tid, tag, error)

    def initializationDone(self, slave_tid: int) -> None:
        """Called when a slave has initialised itself.  Override."""

    def _slave_failed(self, slave_tid: int, job: int | None, failure: Failure | tuple[str, ...]) -> None:
        """A slave has reported a failure."""
        from biskit_pvm.errors import Failure

        failure = Failure(*failure)
        log.error(
            "slave %s could not initialise itself: %s: %s\n%s",
            self.nicknameFromTID(slave_tid),
            failure.kind,
            failure.message,
            failure.traceback,
        )

    # -- the end -------------------------------------------------------

    def __exited(self, tids: list[int]) -> None:
        for tid in tids:
            if tid == self.getParent():
                self._leave_process(1)
            with self.__gone:
                known = self.__alive.pop(tid, None) is not None
                self.__gone.notify_all()
            if known:
                self._slave_exited(tid)

    def _slave_exited(self, tid: int) -> None:
        """The process of a slave has ended."""

    def exit(self) -> None:
        """End the slaves and this thread; in a slave, end the process.

        A master tells its slaves to leave and waits for them, a little;
        those that are still there then are killed.
        """
        if self.getParent() is not None:
            self._leave_process(0)
        if not self.__leaving:
            self.__leaving = True
            for nickname, tid in list(self.getTasks().items()):
                if tid in self.__alive:
                    self.send(tid, MSG_EXIT, None)
                    if self.verbose:
                        print(nickname, "shutting down...")
            if self.__alive:
                self.__await_exits()
            self._slaves_left()
        self.stop()

    def _slaves_left(self) -> None:
        """Called once when the slaves have gone, before the loop stops."""

    def __await_exits(self) -> None:
        import signal

        for signum in (None, signal.SIGTERM, signal.SIGKILL):
            if signum is not None:
                for tid in list(self.__alive):
                    machine.end_task(tid, signum)
            if self.__wait_for_exits(self.exit_grace):
                return
        log.warning("slaves that may still run: %s", ", ".join(str(n) for n in self.__alive.values()))

    def __wait_for_exits(self, timeout: float) -> bool:
        if self._loop.inside():
            return self._loop.run_until(lambda: not self.__alive, timeout)
        with self.__gone:
            return self.__gone.wait_for(lambda: not self.__alive or not self.is_alive(), timeout)

    def __enter__(self: _Own) -> _Own:
        return self

    def __exit__(self, *exception: object) -> None:
        self.exit()
        if self.is_alive():
            self.join()

    def _forget_slave(self, tid: int) -> None:
        """No longer wait for a slave whose host is gone."""
        with self.__gone:
            self.__alive.pop(tid, None)
            self.__gone.notify_all()

    def _machine_lost(self, error: Exception) -> None:
        if self.getParent() is not None:
            self._leave_process(1)
        PVMThread._machine_lost(self, error)

    def _leave_process(self, status: int) -> None:
        """End this process, which is a slave, with everything it printed."""
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except Exception:
                pass
        machine.leave()
        os._exit(status)
