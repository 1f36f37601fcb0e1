"""No program that a slave has started outlives it.

Slaves often run external programs.  A slave that is killed cannot end them,
so a guard does: a process that sleeps until the slave has gone, in whichever
way, and then ends what is left of its process group.  Where the daemon that
has started the slave was killed, it clears up behind that, too.

A slave has a guard of its own, or shares one with the other forks of its
foreman.
"""

from __future__ import annotations

import os
import select
import signal
import time
import warnings

TYPE_CHECKING = False  # slaves start quickly
if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable

#: seconds that programs have for obeying SIGTERM
GRACE = 1.0

#: seconds between two looks at programs that have been told to end
LOOK = 0.05

#: seconds that a shared guard may take to listen
PATIENCE = 5.0

_shared: socket.socket | None = None


def guard_children() -> None:
    """Make this process the head of a process group, and have that group
    ended when the process has ended.

    Programs that are started in a session of their own are left alone.
    """
    pid = os.getpid()
    if os.getpgid(0) != pid:
        os.setpgid(0, 0)
    try:
        slave = os.pidfd_open(pid)
    except (AttributeError, OSError):  # before Linux 5.3
        return
    if not _ask_shared(slave, pid):
        with warnings.catch_warnings():
            # Python warns of forks beside threads; the child calls nothing that
            # a thread could have locked
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if child == 0:
            try:
                _watch({slave: pid})
            finally:
                os._exit(0)
    os.close(slave)


def share_guard() -> None:
    """Have one guard for all forks of this process that call `guard_children`."""
    global _shared
    if not hasattr(os, "pidfd_open"):
        return
    import socket

    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    if os.fork() == 0:
        try:
            ours.close()
            _watch({}, theirs)
        finally:
            os._exit(0)
    theirs.close()
    ours.settimeout(PATIENCE)
    _shared = ours


def _ask_shared(slave: int, group: int) -> bool:
    """Have the shared guard look after a process; return whether there is one."""
    global _shared
    if _shared is None:
        return False
    import socket

    try:
        with _shared:
            socket.send_fds(_shared, [str(group).encode()], [slave])
    except OSError:  # it was killed
        return False
    finally:
        _shared = None
    return True


def _close_all_but(kept: Iterable[int]) -> None:
    """Close the descriptors of this process, but for its standard streams and those kept."""
    most = os.sysconf("SC_OPEN_MAX")
    first = 3
    for descriptor in sorted({*kept, most if 0 < most < 65536 else 65536}):
        if descriptor >= first:
            os.closerange(first, descriptor)
            first = descriptor + 1


def _watch(slaves: dict[int, int], more: socket.socket | None = None) -> None:
    """Be a guard until the last slave has ended.

    Parameters
    ----------
    slaves : dict
        {pidfd: process group} of each.
    more : socket, optional
        Tells of others.
    """
    os.setsid()
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, signal.SIG_IGN)
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    _close_all_but([*slaves, *([] if more is None else [more.fileno()])])
    poll = select.epoll()
    for source in slaves if more is None else [more.fileno()]:
        poll.register(source, select.EPOLLIN)
    if more is not None:
        _allow_many_descriptors()
    #: {process group: when it is killed} of slaves that have ended
    ending: dict[int, float] = {}
    while slaves or ending or more is not None:
        for descriptor, _ in poll.poll(LOOK if ending else None):
            if more is not None and descriptor == more.fileno():
                more = _hear(more, slaves, poll)
            else:
                group = slaves.pop(descriptor)
                poll.unregister(descriptor)
                os.close(descriptor)
                ending[group] = time.monotonic() + GRACE
                _signal(group, signal.SIGTERM)
        for group, end in list(ending.items()):
            over = time.monotonic() >= end
            if not _signal(group, signal.SIGKILL if over else 0) or over:
                del ending[group]
                if not ending:
                    _clear_up()


def _hear(more: socket.socket, slaves: dict[int, int], poll: select.epoll) -> socket.socket | None:
    """Take in a slave; return None when there will be no others."""
    import socket

    group, descriptors, _, _ = socket.recv_fds(more, 20, 1)
    for descriptor in descriptors:
        slaves[descriptor] = int(group)
        poll.register(descriptor, select.EPOLLIN)
    if group:
        return more
    poll.unregister(more)
    more.close()
    return None


def _allow_many_descriptors() -> None:
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _signal(group: int, signum: int) -> bool:
    """Send a signal to a process group; return whether there is one of ours."""
    try:
        os.killpg(group, signum)
    except OSError:
        return False
    return True


def _clear_up() -> None:
    """Remove what slaves that have ended may have left, if they were the last to use it."""
    try:
        _clear_up_behind_daemon()
        left = any(name.startswith("biskit-pvm-") for name in os.listdir("/dev/shm"))
    except OSError:
        left = False
    if left:
        from biskit_pvm.machine.shared_memory import sweep

        sweep()


def _clear_up_behind_daemon() -> None:
    """Remove the files of the daemon that has started the slave, if it was killed: nobody else may do so."""
    path = os.environ.get("PVMSOCK")
    if path and os.path.lexists(path):  # else it has ended in order
        with open("/proc/net/unix", errors="replace") as sockets:
            if f" {path}\n" in sockets.read():
                return
        from biskit_pvm.machine import daemon

        daemon.clear_up_behind(path)
