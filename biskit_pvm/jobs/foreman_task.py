"""What a foreman (see `biskit_pvm.machine.foreman`) does for the slaves of its host as a task of PVM."""

from __future__ import annotations

from biskit_pvm.machine import foreman


def main(master: int, path: list[str], beat: float | None = None) -> None:
    """Be a foreman; this returns in slaves alone, when their script has ended.

    Parameters
    ----------
    master : int
        The tid of the task that it ends with.
    path : list of str
        `sys.path` of the slaves, but for the folder of their script.
    beat : float, optional
        Seconds between its signs of life, where it passes on the messages of slaves.
    """
    foreman.work(path, lambda: attend(master, beat))


def attend(master: int, beat: float | None) -> None:
    """Relay messages between the slaves and the master, until that ends.

    Raises
    ------
    pvm_ext.PvmError
        The daemon is gone.
    """
    # Only here: a process that forks must know nothing of PVM, and no more than its slaves need.
    from biskit_pvm.machine import task
    from biskit_pvm.machine.tags import DAEMON, Tag
    from biskit_pvm.messages.relay import Relay

    task.enrol()
    task.notify_exit([master])
    relay = Relay(master, beat)
    relay.begin()
    #: what to do about messages to this task itself, by tag
    handlers = {} if beat is None else {Tag.BEAT: relay.heard, Tag.ROOM: relay.asked}
    while True:
        relay.look_around()
        message = task.receive(timeout=relay.timeout(), waker=relay.waker)
        if message is not None:
            if message.other:
                relay.pass_on(message)
            elif (message.tid, message.tag) == (DAEMON, Tag.TASK_EXITED):
                (tid,) = task.notified_tids(Tag.TASK_EXITED)
                if tid == master:
                    return
                relay.ended(tid)
            elif message.tag in handlers:
                handlers[Tag(message.tag)](message)
