"""No program that a slave has started outlives it.

Slaves often run external programs.  A slave that is killed cannot end them,
so a guard does: a process that sleeps until the slave has gone, in whichever
way, and then ends what is left of its process group.  Where the daemon that
has started the slave was killed, it clears up behind that, too.
"""

from __future__ import annotations

import os
import select
import signal
import time
import warnings

#: seconds that programs have for obeying SIGTERM
GRACE = 1.0


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
    with warnings.catch_warnings():
        # Python warns of forks beside threads; the child calls nothing that
        # a thread could have locked
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        try:
            _watch(slave, pid)
        finally:
            os._exit(0)
    os.close(slave)


def _watch(slave: int, group: int) -> None:
    os.setsid()
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, signal.SIG_IGN)
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    keep = os.dup2(slave, 3) if slave != 3 else slave
    os.closerange(4, os.sysconf("SC_OPEN_MAX") if os.sysconf("SC_OPEN_MAX") < 65536 else 65536)
    poll = select.poll()
    poll.register(keep, select.POLLIN)
    poll.poll()
    try:
        os.killpg(group, signal.SIGTERM)
        end = time.monotonic() + GRACE
        while time.monotonic() < end:
            os.killpg(group, 0)
            time.sleep(0.05)
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        pass
    try:
        _clear_up_behind_daemon()
        left = any(name.startswith("biskit-pvm-") for name in os.listdir("/dev/shm"))
    except OSError:
        left = False
    if left:
        from biskit_pvm.machine.shared_memory import sweep  # the slave may have been the last to use something

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
