"""The virtual machine as masters and slaves use it.

This module and `biskit_pvm.machine.agent` are the only users of `pvm_ext`
in the job layer.  What can wait for a daemon on another host (starting a
task there, ending it, adding hosts) is done by agents, so that the calling
process goes on receiving messages meanwhile.
"""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager

import pvm_ext
from biskit_pvm.machine.log import Log
from biskit_pvm.machine.tags import OUTPUT_TAGS, Tag

TYPE_CHECKING = False  # slaves start quickly
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any, Callable

log = Log(__name__)

#: how PVM shows the sender of a notification
DAEMON = -0x80000000

MASTER_VARIABLE = "BISKIT_PVM_MASTER"
KEY_VARIABLE = "BISKIT_PVM_KEY"
BEAT_VARIABLE = "BISKIT_PVM_BEAT"
LINK_VARIABLE = "BISKIT_PVM_LINK"

#: most slaves that a master has direct links to; each takes a descriptor
MOST_LINKS = 500

_spawn_lock = threading.Lock()


class Heritage:
    """What a slave got from its master through its environment.

    Taken out of the environment at the first use, so that it does not reach
    the programs that the slave starts.
    """

    def __init__(self) -> None:
        key = os.environ.pop(KEY_VARIABLE, "")
        master = os.environ.pop(MASTER_VARIABLE, "")
        beat = os.environ.pop(BEAT_VARIABLE, "")
        self.link = bool(os.environ.pop(LINK_VARIABLE, ""))
        names = (KEY_VARIABLE, MASTER_VARIABLE, BEAT_VARIABLE, LINK_VARIABLE)
        exported = os.environ.get("PVM_EXPORT", "").split(":")
        if any(name in names for name in exported):
            os.environ["PVM_EXPORT"] = ":".join(name for name in exported if name not in names)
        self.key: bytes | None = bytes.fromhex(key) if key else None
        self.master: int | None = int(master) if master else None
        self.beat: float | None = float(beat) if beat else None


_heritage: Heritage | None = None


def heritage() -> Heritage:
    """Return what this process got from its master."""
    global _heritage
    if _heritage is None:
        _heritage = Heritage()
    return _heritage


def enrol() -> int:
    """Become a task of the virtual machine, starting a daemon if need be.

    Returns
    -------
    int
        The own tid.
    """
    if "PVMSOCK" not in os.environ:  # a daemon has started this process
        from biskit_pvm.machine import daemon

        daemon.ensure_running()
    return pvm_ext.mytid()


def parent() -> int | None:
    """Return the tid of the master that started this process, or None."""
    master = heritage().master
    if master is not None:
        return master
    try:
        return pvm_ext.parent()
    except pvm_ext.PvmError:
        return None


def own_host() -> str:
    """Return the name under which PVM knows this host."""
    here = pvm_ext.tidtohost(pvm_ext.mytid())
    for host in pvm_ext.config().hosts:
        if host.dtid == here:
            return host.name
    raise RuntimeError("the virtual machine does not list its own host")


def host_tids(names: Iterable[str] = ()) -> dict[str, int]:
    """Return {host name: tid of its daemon} of the virtual machine.

    Parameters
    ----------
    names : iterable of str
        Other names of hosts, such as short ones, to have in there as well;
        they come last.
    """
    from biskit_pvm.machine import host_table

    hosts = pvm_ext.config().hosts
    dtids = {host.name: host.dtid for host in hosts}
    for name in names:
        there = host_table.find(name, hosts)
        if there is not None:
            dtids.pop(name, None)
            dtids[name] = there.dtid
    return dtids


def name_in_machine(name: str) -> str:
    """Return the name by which PVM knows a host, where it does."""
    from biskit_pvm.machine import host_table

    return host_table.name_in_machine(name)


def host_of(tid: int) -> int:
    """Return the tid of the daemon of a task's host."""
    return pvm_ext.tidtohost(tid)


# -- messages ----------------------------------------------------------------

send = pvm_ext.send_frames
receive = pvm_ext.recv_frames
Match = pvm_ext.Match
Message = pvm_ext.Message
Waker = pvm_ext.Waker
Lost = pvm_ext.SysErrError
PvmError = pvm_ext.PvmError
ON_HOST = int(pvm_ext.Spawn.HOST)


def notified_tids(tag: int) -> Sequence[Any]:
    """Return the tids in the notification that was received last; for the
    output of a slave, the `output.Piece`."""
    if tag in OUTPUT_TAGS:
        from biskit_pvm.machine import output

        return output.read_piece()
    count = pvm_ext.upkint(1)[0] if tag == Tag.HOST_ADDED else 1
    return list(pvm_ext.upkint(count))


def notify_exit(tids: Sequence[int]) -> None:
    """Have a message with tag `Tag.TASK_EXITED` sent when a task ends."""
    if tids:
        pvm_ext.notify(pvm_ext.Notify.TASK_EXIT, Tag.TASK_EXITED, tids)


def notify_hosts(dtids: Sequence[int]) -> None:
    """Have messages sent when one of these hosts leaves the machine."""
    if dtids:
        pvm_ext.notify(pvm_ext.Notify.HOST_DELETE, Tag.HOST_DELETED, dtids)


def notify_new_hosts(on: bool = True) -> None:
    """Have messages sent when hosts join the machine, or no longer."""
    pvm_ext.notify(pvm_ext.Notify.HOST_ADD, Tag.HOST_ADDED, (), -1 if on else 0)


@contextmanager
def asking_for_link() -> Iterator[None]:
    """Have the first message to another task ask for a direct link, if the
    master wants its slaves to have one.

    Over a link messages do not pass the daemons, which are slower and, while
    one host is silent, hold up what they have for the others.
    """
    option, route = pvm_ext.Option.ROUTE, pvm_ext.getopt(pvm_ext.Option.ROUTE)
    if heritage().link:
        pvm_ext.setopt(option, pvm_ext.Route.DIRECT)
    try:
        yield
    finally:
        pvm_ext.setopt(option, route)


def start_beat(to: int, interval: float) -> Any:
    """Send signs of life to `to` whatever this process is busy with, and
    end it soon after `to` has ended.

    Returns an object that keeps the beat going while it lives.
    """
    return pvm_ext.Beat(to, Tag.BEAT, interval, watch=to)


def leave() -> None:
    """Take leave of the virtual machine, once everything sent is on its
    way."""
    try:
        pvm_ext.exit()
    except pvm_ext.PvmError as error:
        log.debug("could not take leave of PVM: %s", error)


# -- tasks -------------------------------------------------------------------


@contextmanager
def exported(variables: dict[str, str]) -> Iterator[None]:
    """Let PVM hand these environment variables to the tasks spawned
    meanwhile, besides those that the user exports."""
    names = [n for n in os.environ.get("PVM_EXPORT", "").split(":") if n]
    names += [name for name in variables if name not in names]
    changed = dict(variables, PVM_EXPORT=":".join(names))
    before = {name: os.environ.get(name) for name in changed}
    os.environ.update(changed)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def spawn_here(
    command: str,
    argv: Sequence[str],
    flag: int,
    where: str,
    count: int,
    variables: dict[str, str],
    output_to: tuple[int, int, int] | None = None,
) -> list[int]:
    """Start tasks from this process.

    Parameters
    ----------
    command, argv, flag, where, count
        As those of `pvm_ext.spawn`.
    variables : dict
        Environment variables for the tasks.
    output_to : (tid, context, tag), optional
        Where the daemons send what the tasks print.

    Returns
    -------
    list of int
        A tid or a negative error code per task.
    """
    with _spawn_lock, exported(variables), _output_goes(output_to):
        return list(pvm_ext.spawn(command, argv, flag, where, count))


@contextmanager
def _output_goes(to: tuple[int, int, int] | None) -> Iterator[None]:
    """Have the daemons send what tasks print that are spawned meanwhile."""
    option = pvm_ext.Option
    own = option.OUTPUT_TID, option.OUTPUT_CONTEXT, option.OUTPUT_CODE
    before = [pvm_ext.getopt(name) for name in own]
    if to is not None:
        tid, context, tag = to
        if tid != pvm_ext.mytid() and pvm_ext.getopt(option.SELF_OUTPUT_TID) != tid:
            # PVM lets children print to another task only if this one does
            pvm_ext.setopt(option.SELF_OUTPUT_TID, tid)
            pvm_ext.setopt(option.SELF_OUTPUT_CODE, tag)
        for name, value in zip(own, to):
            pvm_ext.setopt(name, value)
    try:
        yield
    finally:
        if to is not None:
            pvm_ext.setopt(option.OUTPUT_TID, 0)
            if before[0]:
                for name, value in zip(own, before):
                    pvm_ext.setopt(name, value)


def package_variables() -> dict[str, str]:
    """Return the variables by which a slave finds this very package."""
    folder = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    path = [p for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if p]
    if folder not in path and folder not in site_folders():
        path.append(folder)
    return {"PYTHONPATH": os.pathsep.join(path)} if path else {}


def site_folders() -> list[str]:
    """Return the folders that every interpreter like this one looks into."""
    import sysconfig

    return [sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]


def is_own_host(name: str) -> bool:
    """Tell whether PVM knows this very host by a name."""
    from biskit_pvm.machine import host_table

    return name in (".", own_host()) or host_table.is_local(name)


def _is_here(flag: int, where: str) -> bool:
    return bool(flag & pvm_ext.Spawn.HOST) and is_own_host(where.split(":")[0])


def spawn(
    command: str,
    argv: Sequence[str],
    flag: int,
    where: str,
    count: int,
    variables: dict[str, str],
    output_to: tuple[int, int, int] | None = None,
    timeout: float | None = None,
) -> list[int]:
    """Start tasks on any host, waiting at most `timeout` seconds.

    Same arguments and result as `spawn_here`.

    Raises
    ------
    TimeoutError
        The host does not answer.  A task that starts there after all is
        ended.
    """
    if _is_here(flag, where):
        return spawn_here(command, argv, flag, where, count, variables, output_to)
    from biskit_pvm.machine import agent

    tids: list[int] = agent.pool().call(
        "spawn_here",
        command,
        list(argv),
        flag,
        where,
        count,
        variables,
        output_to,
        timeout=timeout,
        too_late=_end_stragglers,
    )
    return tids


def _end_stragglers(tids: Iterable[int]) -> None:
    for tid in tids:
        if tid > 0:
            end_task(tid, 15)


def signal_here(tid: int, signum: int) -> None:
    """Send a signal to a task from this process."""
    try:
        pvm_ext.sendsig(tid, signum)
    except pvm_ext.PvmError as error:
        log.debug("signal %d to t%x: %s", signum, tid, error)


def end_task(tid: int, signum: int) -> None:
    """Send a signal to a task without waiting for its host."""
    if pvm_ext.tidtohost(tid) == pvm_ext.tidtohost(pvm_ext.mytid()):
        signal_here(tid, signum)
    else:
        from biskit_pvm.machine import agent

        agent.pool().submit("signal_here", tid, signum)


def call_slowly(
    function: str, *args: Any, timeout: float | None = None, then: Callable[..., None] | None = None
) -> Any:
    """Have an agent call a function of this module."""
    from biskit_pvm.machine import agent

    return agent.pool().call(function, *args, timeout=timeout, too_late=then)


def add_hosts(names: Sequence[str]) -> list[Any]:
    """Add hosts, whatever that waits for; see `host_table.add`."""
    enrol()
    answers: list[Any] = call_slowly("add_hosts_here", list(names))
    return answers


def delete_hosts(names: Sequence[str]) -> list[Any]:
    """Take hosts out; see `host_table.delete`."""
    enrol()
    answers: list[Any] = call_slowly("delete_hosts_here", list(names))
    return answers


def add_hosts_here(names: Sequence[str]) -> list[Any]:
    """Add hosts from this process."""
    from biskit_pvm.machine import host_table

    return host_table.add(names)


def delete_hosts_here(names: Sequence[str]) -> list[Any]:
    """Take hosts out from this process."""
    from biskit_pvm.machine import host_table

    return host_table.delete(names)


def post_here(name: str, data: bytes) -> None:
    """Post a text in PVM's mailbox, in the place of the one before."""
    from biskit_pvm.machine import mailbox

    mailbox.post(name, data)


def error_text(code: int) -> str:
    """Return the name and meaning of a PVM error code."""
    error = pvm_ext.error_for(code)
    return f"{error.name}  {error.text}"
