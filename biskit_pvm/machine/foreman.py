"""The foreman: a process on a slave's host that has everything loaded, and forks slaves.

To start a Python and load this package takes many times as long as to fork a process that has
done so.  A master with several slaves on a host has a foreman started there, as a task of PVM
like any other.  The slaves are spawned by PVM's daemon as ever; but the program that it starts
for each is a stand-in, which asks the foreman for the slave and then stands for it (see
``pvm_ext/standin.c``).

The foreman is two processes.  One is the task of PVM, which ends with its master (`jobs.foreman_task`).
Its child, which has never talked to PVM and may therefore be forked, listens, forks, and tells stand-ins
how their slaves have ended; it ends with the other one.  When the foreman ends, its slaves go on.

A fork becomes a slave as if its interpreter had been started by ``python -i script``, and takes
over all that the stand-in was started with.  What a fork cannot be (see `start_request`), the
stand-in becomes itself.
"""

from __future__ import annotations

import fcntl
import gc
import importlib
import os
import select
import signal
import socket
import struct
import sys
import time
from importlib.machinery import SourceFileLoader

from biskit_pvm.machine import script_code
from biskit_pvm.machine.guard import share_guard
from biskit_pvm.machine.start_request import HEAD, INT, LONGEST, Request, beginning_with, environment_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

LISTENING = 3
"""The descriptor at which the stand-in program has opened the socket."""

PATIENCE = 5.0
"""Seconds that the rest of a request may take."""

WARM = ("biskit_pvm.slave", "biskit_pvm.calls", "pvm_ext.output", "resource")
"""What slaves load before they work."""

_OF_MAIN = ("__name__", "__doc__", "__package__", "__spec__", "__annotations__", "__builtins__")

_SET_SIGNAL = getattr(fcntl, "F_SETSIG", 10)


def work(path: list[str], attend: Callable[[], None]) -> None:
    """Be the foreman; this returns in slaves alone, when their script has ended.

    Parameters
    ----------
    path : list of str
        `sys.path` of the slaves, but for the folder of their script.
    attend : callable
        What the foreman does as a task of PVM; it ends when this returns.
    """
    interrupt = signal.signal(signal.SIGINT, signal.SIG_IGN)
    flags = sys.getdlopenflags()
    sys.setdlopenflags(flags | os.RTLD_DEEPBIND)  # so that slaves can enrol as their stand-ins
    import pvm_ext

    sys.setdlopenflags(flags)
    ends_with, end = os.pipe()
    child = os.fork()
    if child:
        os.close(LISTENING)
        os.close(ends_with)
        _attend(attend, child)
    os.close(end)
    end_with(ends_with)
    for module in WARM:
        importlib.import_module(module)
    sys.path[:] = path
    if not script_code.alone():
        os._exit(1)  # something of the user's starts threads; such a process must not be forked
    try:
        share_guard()
        slave = _Workshop(ends_with).serve()
        signal.signal(signal.SIGINT, interrupt)
        slave.settle()
        pvm_ext.enrol_as(slave.stand_in)
    except BaseException:  # such as: no descriptor is left; then slaves are started without a foreman
        sys.excepthook(*sys.exc_info())
        os._exit(1)
    slave.run()


def _attend(attend: Callable[[], None], child: int) -> NoReturn:
    """Be the task of PVM, until it is done or the child ends."""
    import threading

    def child_ends() -> None:
        os.waitpid(child, 0)
        os._exit(1)

    threading.Thread(target=child_ends, daemon=True).start()
    try:
        attend()
    finally:
        os._exit(0)


class _Workshop:
    """Where slaves are forked."""

    def __init__(self, ends_with: int) -> None:
        self.ends_with = ends_with
        self.listener = socket.socket(fileno=LISTENING)
        #: {process id of a slave: descriptor to its stand-in}; a fork would have to copy objects that it drops
        self.links: dict[int, int] = {}
        self.scripts = script_code.Scripts()
        self.environment = started_with()
        self.own = dict(os.environb)
        #: what Python has added, as LC_CTYPE where there is no locale
        self.added = {name: value for name, value in self.own.items() if name not in self.environment}
        self.looked_at = beginning_with(script_code.LOOKED_AT, self.environment)
        self.executable = os.fsencode(sys.executable)
        folder = os.stat(".")
        self.folder = folder.st_dev, folder.st_ino
        self.children, wake = os.pipe()
        for descriptor in (self.children, wake):
            os.set_blocking(descriptor, False)
        self.wake = wake
        self.words_at = words_at()
        os.set_inheritable(LISTENING, False)

    def serve(self) -> _Slave:
        """Fork what is asked for, and return in each fork."""
        before = signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self.wake)
        poll = select.poll()
        for descriptor in (self.ends_with, self.children, self.listener.fileno()):
            poll.register(descriptor, select.POLLIN)
        rest()
        while True:
            for descriptor, _ in poll.poll():
                if descriptor == self.ends_with:
                    os._exit(0)
                if descriptor == self.children:
                    self._reap()
                elif descriptor == self.listener.fileno():
                    slave = self._answer()
                    if slave is not None:
                        signal.set_wakeup_fd(-1)
                        signal.signal(signal.SIGCHLD, before)
                        self._leave()
                        return slave

    def _reap(self) -> None:
        os.read(self.children, 4096)
        while self.links:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            link = self.links.pop(pid, None)
            if link is not None:
                try:
                    os.write(link, INT.pack(status))
                except OSError:  # the stand-in was killed
                    pass
                os.close(link)

    def _answer(self) -> _Slave | None:
        """Take a request, and fork; return the slave in the fork."""
        link, _ = self.listener.accept()
        try:
            link.settimeout(PATIENCE)
            slave = self._read(link)
            pid = os.fork() if slave is not None else 0
        except (OSError, ValueError):  # the stand-in has ended, or no process can be had
            link.close()
            return None
        if slave is not None and pid == 0:
            return slave
        try:
            link.send(INT.pack(pid))
        except OSError:
            pass
        if slave is None:
            link.close()
        else:
            slave.drop()
            self.links[pid] = link.detach()
        return None

    def _read(self, link: socket.socket) -> _Slave | None:
        """Return what a stand-in asks for; None where a fork cannot be that."""
        stand_in, uid, _ = struct.unpack("3i", link.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        if uid != os.getuid():
            raise ValueError("not of this user")
        head, descriptors, _, _ = socket.recv_fds(link, HEAD.size, 4)
        slave = _Slave(link, stand_in, descriptors, self.words_at)
        try:
            if len(head) < HEAD.size or len(descriptors) != 4:
                raise ValueError("not a request")
            length, n_words = HEAD.unpack(head)
            if not 0 < length <= LONGEST:
                raise ValueError(f"a request of {length} bytes")
            body = bytearray()
            while len(body) < length:
                part = link.recv(length - len(body))
                if not part:
                    raise ValueError("half a request")
                body += part
            slave.request = Request.read(bytes(body), n_words)
            folder = os.stat(slave.descriptors[3])
            unfit = slave.request.unfit(self.executable, self.environment)
            if unfit or (folder.st_dev, folder.st_ino) != self.folder or not self._prepare(slave):
                slave.drop()
                return None
            wanted = {**self.added, **slave.request.environment}
            slave.changes = {name: wanted.get(name) for name, _ in wanted.items() ^ self.own.items()}
        except BaseException:
            slave.drop()
            raise
        return slave

    def _prepare(self, slave: _Slave) -> bool:
        """Have ready what a slave needs; return whether a fork can be that slave."""
        script = slave.script = self.scripts.read(os.path.abspath(os.fsdecode(slave.request.words[2])))
        fits = beginning_with(script_code.LOOKED_AT, slave.request.environment) == self.looked_at
        missing = [] if script is None else [package for package in script.packages if package not in sys.modules]
        if fits and missing:
            if not script_code.load(missing):
                os._exit(1)
            rest()
        return fits or not script_code.loaded()

    def _leave(self) -> None:
        """Close, in a slave, what belongs to the foreman."""
        self.listener.close()
        for descriptor in (self.ends_with, self.children, self.wake, *self.links.values()):
            os.close(descriptor)


class _Slave:
    """A slave that is to be, or the process that has become it."""

    request: Request
    script: script_code.Script | None = None
    #: what is other than in the foreman's environment; None: that is not there
    changes: dict[bytes, bytes | None]

    def __init__(self, link: socket.socket, stand_in: int, descriptors: list[int], words_at: tuple[int, int]) -> None:
        self.link, self.stand_in, self.descriptors, self.words_at = link, stand_in, descriptors, words_at

    def drop(self) -> None:
        """Close what the stand-in has handed over."""
        for descriptor in self.descriptors:
            os.close(descriptor)

    def settle(self) -> None:
        """Make this process what the stand-in's would have become."""
        self.link.settimeout(None)
        if not self.link.recv(1):
            os._exit(1)  # the stand-in has changed its mind, or was killed
        self._end_with_the_stand_in()
        for number in range(3):
            os.dup2(self.descriptors[number], number)
        os.fchdir(self.descriptors[3])
        self.drop()
        try:
            os.setpgid(0, os.getpgid(self.stand_in))
        except OSError:  # it has ended
            pass
        take_over(self.changes)
        script_code.settle()
        show_words(self.request.words, *self.words_at)
        script, *arguments = map(os.fsdecode, self.request.words[2:])
        sys.argv[:] = [script, *arguments]
        if hasattr(sys, "orig_argv"):
            sys.orig_argv[:] = list(map(os.fsdecode, self.request.words))
        if not getattr(sys.flags, "safe_path", False):
            sys.path.insert(0, self.script.folder if self.script else os.path.dirname(os.path.realpath(script)))

    def _end_with_the_stand_in(self) -> None:
        """Have the kernel kill this process when the stand-in was killed."""
        end_with(self.link.detach())  # it stays open as long as this process is there

    def run(self) -> None:
        """Run the script as the main module; what it raises is printed, as by ``python -i``."""
        path = os.path.abspath(sys.argv[0])
        main: dict[str, Any] = sys.modules["__main__"].__dict__
        fresh = {name: main[name] for name in _OF_MAIN if name in main}  # versions of Python differ in this
        main.clear()
        main.update(fresh, __loader__=SourceFileLoader("__main__", path), __file__=path, __cached__=None)
        try:
            code = self.script.code if self.script else None
            if code is None:
                with open(path, "rb") as file:
                    code = compile(file.read(), path, "exec", dont_inherit=True)
            exec(code, main)
        except BaseException as error:
            trace = error.__traceback__
            error.__traceback__ = trace.tb_next if trace is not None else None  # without this frame
            sys.excepthook(type(error), error, error.__traceback__)


def end_with(descriptor: int) -> None:
    """Have the kernel kill this process, also while it is stopped, when the other end of a pipe or socket is closed."""
    fcntl.fcntl(descriptor, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(descriptor, _SET_SIGNAL, signal.SIGKILL)
    fcntl.fcntl(descriptor, fcntl.F_SETFL, fcntl.fcntl(descriptor, fcntl.F_GETFL) | os.O_ASYNC)
    poll = select.poll()
    poll.register(descriptor, 0)
    if poll.poll(0):  # just before
        os._exit(1)


def started_with() -> dict[bytes, bytes]:
    """Return the environment with which this process was started."""
    with open("/proc/self/environ", "rb") as file:
        return environment_of(file.read().split(b"\0"))


def take_over(changes: dict[bytes, bytes | None]) -> None:
    """Change the environment of this process; None removes."""
    for name, value in changes.items():
        if value is None:
            os.environb.pop(name, None)
        else:
            os.environb[name] = value
    if b"TZ" in changes:
        time.tzset()


def words_at() -> tuple[int, int]:
    """Return where the kernel has the command of this process, and of its forks: first and last address."""
    with open("/proc/self/stat", "rb") as file:
        start, end = map(int, file.read().rpartition(b")")[2].split()[45:47])
    return start, end


def show_words(words: list[bytes], start: int, end: int) -> None:
    """Have ``ps`` and others show these words as the command of this process, as far as there is room.

    Parameters
    ----------
    words : list of bytes
    start, end : int
        Where; see `words_at`.
    """
    text = b"".join(word + b"\0" for word in words)
    try:
        memory = os.open("/proc/self/mem", os.O_RDWR | os.O_CLOEXEC)
        try:
            os.pwrite(memory, text[: end - start - 1].ljust(end - start, b"\0"), start)
        finally:
            os.close(memory)
    except OSError:  # no harm: they show those of the foreman
        pass


def rest() -> None:
    """Make ready for forks: they look for modules anew, and never look at, or copy, what only garbage collectors do."""
    importlib.invalidate_caches()
    gc.collect()
    gc.freeze()
