"""What a foreman (see `biskit_pvm.machine.foreman`) does for the slaves of its host as a task of PVM."""

from __future__ import annotations

from biskit_pvm.machine import foreman


def main(master: int, path: list[str]) -> None:
    """Be a foreman; this returns in slaves alone, when their script has ended.

    Parameters
    ----------
    master : int
        The tid of the task that it ends with.
    path : list of str
        `sys.path` of the slaves, but for the folder of their script.
    """
    foreman.work(path, lambda: attend(master))


def attend(master: int) -> None:
    """Wait for the end of the master.

    Raises
    ------
    pvm_ext.PvmError
        The daemon is gone.
    """
    # Only here: a process that forks must know nothing of PVM, and no more than its slaves need.
    from biskit_pvm.machine import task
    from biskit_pvm.machine.tags import Tag

    task.enrol()
    task.notify_exit([master])
    task.receive(tag=Tag.TASK_EXITED)
