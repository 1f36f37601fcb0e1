"""This process as a task of the virtual machine: what it is, receives and sends."""

from __future__ import annotations

import os
from contextlib import contextmanager

import pvm_ext
from biskit_pvm.machine.log import Log
from biskit_pvm.machine.tags import OUTPUT_TAGS, Tag

TYPE_CHECKING = False  # slaves start quickly
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from typing import Any

log = Log(__name__)

MASTER_VARIABLE = "BISKIT_PVM_MASTER"
KEY_VARIABLE = "BISKIT_PVM_KEY"
BEAT_VARIABLE = "BISKIT_PVM_BEAT"
LINK_VARIABLE = "BISKIT_PVM_LINK"
RELAY_VARIABLE = "BISKIT_PVM_RELAY"
ROOT_VARIABLE = "BISKIT_PVM_ROOT"
LOG_VARIABLE = "BISKIT_PVM_LOG_LEVEL"

#: most direct links to slaves that a master has; each takes a descriptor
MOST_LINKS = 500


class Heritage:
    """What a slave got from its master through its environment.

    Taken out of the environment at the first use, so that it does not reach
    the programs that the slave starts.
    """

    def __init__(self) -> None:
        key = os.environ.pop(KEY_VARIABLE, "")
        master = os.environ.pop(MASTER_VARIABLE, "")
        beat = os.environ.pop(BEAT_VARIABLE, "")
        root = os.environ.pop(ROOT_VARIABLE, "")
        log_level = os.environ.pop(LOG_VARIABLE, "")
        relay = os.environ.pop(RELAY_VARIABLE, "")
        self.link = bool(os.environ.pop(LINK_VARIABLE, ""))
        names = (
            *(KEY_VARIABLE, MASTER_VARIABLE, BEAT_VARIABLE, LINK_VARIABLE),
            *(RELAY_VARIABLE, ROOT_VARIABLE, LOG_VARIABLE),
        )
        exported = os.environ.get("PVM_EXPORT", "").split(":")
        if any(name in names for name in exported):
            os.environ["PVM_EXPORT"] = ":".join(name for name in exported if name not in names)
        self.key: bytes | None = bytes.fromhex(key) if key else None
        self.master: int | None = int(master) if master else None
        #: the tid of the program that all of its family descend from
        self.root: int | None = int(root) if root else None
        self.beat: float | None = float(beat) if beat else None
        #: the tid of the foreman that passes on what this slave and its master tell each other
        self.relay: int | None = int(relay) if relay else None
        #: lowest level of log records that the master wants; None: it wants none
        self.log_level: int | None = int(log_level) if log_level else None


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


def descends(tid: int, ancestors: Collection[int]) -> bool:
    """Tell whether a task is, or was spawned by, however far back, one of these, as PVM's table has it."""
    parents = {info.tid: info.ptid for info in pvm_ext.tasks()}
    for _ in range(len(parents) + 1):
        if tid in ancestors:
            return True
        if tid not in parents:
            return False
        tid = parents[tid]
    return False


def plain_text() -> bytes | None:
    """Return the string in the message that was received last; None where it holds none."""
    try:
        return bytes(pvm_ext.upkstr(raw=True))
    except pvm_ext.PvmError:
        return None


# -- messages ----------------------------------------------------------------

send = pvm_ext.send_frames
queue = pvm_ext.queue_frames
queued = pvm_ext.queued
stalled = pvm_ext.stalled
receive = pvm_ext.recv_frames
arrivals = pvm_ext.arrivals
trust_relay = pvm_ext.trust_relay
wake_when_queued = pvm_ext.wake_when_queued
Match = pvm_ext.Match
Message = pvm_ext.Message
Waker = pvm_ext.Waker
Lost = pvm_ext.SysErrError
PvmError = pvm_ext.PvmError


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
def asking_for_link(wanted: bool | None = None) -> Iterator[None]:
    """Have the first message to another task ask for a direct link.

    By default only where the master wants its slaves to have one, or where a foreman relays.
    Over a link messages do not pass the daemons, which are slower and, while
    one host is silent, hold up what they have for the others.
    """
    option, route = pvm_ext.Option.ROUTE, pvm_ext.getopt(pvm_ext.Option.ROUTE)
    if wanted is None:
        wanted = heritage().link or heritage().relay is not None
    if wanted:
        pvm_ext.setopt(option, pvm_ext.Route.DIRECT)
    try:
        yield
    finally:
        pvm_ext.setopt(option, route)


def ask_for_room(relay: int, n_bytes: int) -> None:
    """Wait until a relay takes a message of so many bytes."""
    send(relay, Tag.ROOM, [b"%d" % n_bytes])
    receive(relay, Tag.ROOM)


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
