"""Tasks: the own one, others, and their start and end."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import pvm_ext
from biskit_pvm.compat.pypvm._arguments import Name, also, list_of_names
from pvm_ext.constants import Notify
from pvm_ext.records import TaskInfo


def mytid(*ignored: Any) -> int:
    """
    Return the own tid, enrolling in PVM if need be.

    Returns
    -------
    int
        The tid, above 0.

    Raises
    ------
    PvmError
        SysErr if there is no pvmd.
    """
    return pvm_ext.mytid()


def parent(*ignored: Any) -> int:
    """
    Return the tid of the task that spawned this one.

    Raises
    ------
    PvmError
        NoParent if this task was not spawned, ParentNotSet if it was spawned
        with NoSpawnParent.
    """
    return pvm_ext.parent()


def exit(*ignored: Any) -> None:
    """
    Leave PVM; the process goes on and may enrol again, with a new tid.

    While output is collected (see `catchout`) this waits until all tasks whose
    output is collected have ended.
    """
    pvm_ext.exit()


def tasks(tid: int = 0) -> list[TaskInfo]:
    """
    Return the running tasks.

    Parameters
    ----------
    tid : int
        0 for all tasks, the tid of a pvmd for those of its host, or the tid of
        one task.

    Returns
    -------
    list of (tid, ptid, dtid, flag, name, pid)
        ``name`` is empty for tasks that were not spawned.

    Raises
    ------
    PvmError
        NoHost for a tid that is on no host.
    """
    return pvm_ext.tasks(tid)


def pstat(tid: int) -> int:
    """
    Return the state of a task as a code; never raises a PvmError.

    Returns
    -------
    int
        0 for a running task, else ``results["NoTask"]``, ``["BadParam"]`` (no
        tid of a task) or ``["SysErr"]`` (no pvmd).
    """
    try:
        return pvm_ext.pstat(tid)
    except pvm_ext.SysErrError as failure:
        return failure.code


@also(flags="flag", ntask="ntasks")
def spawn(
    task: Name, argv: Iterable[Name] | None = (), flag: int = 0, where: Name | None = "", ntasks: int = 1
) -> list[int]:
    """
    Start tasks.

    Parameters
    ----------
    task : str
        The program, with its path or to be found in the pvmd's search path.
    argv : iterable of str
        Its arguments.
    flag : int
        Sum of `spawnOpts`.
    where : str
        Host or architecture as `flag` says; ``"."`` is the local host, and
        ``"host:/folder"`` or ``":/folder"`` sets the working directory. None
        or 0 stand for ``""``.
    ntasks : int
        How many.

    Returns
    -------
    list of int
        `ntasks` numbers: the tids, then a negative code for each task that did
        not start.

    Raises
    ------
    PvmError
        BadParam if `ntasks` is less than 1.

    Notes
    -----
    In a program that ``biskit-pvm run`` runs, tasks that are a Python run the same
    way, on every host; so do theirs.
    """
    arguments = list_of_names(() if argv is None else argv)
    if "BISKIT_PVM_RUN" not in os.environ:
        return list(pvm_ext.spawn(task, arguments, flag, where or "", ntasks))
    from biskit_pvm.machine import spawning

    program, words = spawning.of_old(os.fsdecode(task), [os.fsdecode(word) for word in arguments])
    variables = {**spawning.package_variables(), **spawning.slave_variables()}
    return spawning.spawn_here(program, words, flag, os.fsdecode(where or ""), ntasks, variables)


def kill(tid: int) -> None:
    """
    End a task with the signal SIGTERM; the own tid ends the caller.

    Raises
    ------
    PvmError
        BadParam for what is not the tid of a task.
    """
    pvm_ext.kill(tid)


def sendsig(tid: int, signum: int) -> None:
    """
    Send a signal to a task.

    Raises
    ------
    PvmError
        BadParam for what is not the tid of a task.
    """
    pvm_ext.sendsig(tid, signum)


@also(cnt="count")
def notify(what: int, msgtag: int, tids: Iterable[int] | None = None, count: int = 0) -> None:
    """
    Ask for messages about events.

    Parameters
    ----------
    what : int
        One of `notifyDict`, plus ``NotifyCancel`` to call it off.
    msgtag : int
        Tag of the messages.
    tids : iterable of int
        The tasks (TaskExit, RouteDelete) or pvmds (HostDelete) that are meant.
    count : int
        For HostAdd and RouteAdd: how many messages, -1 without limit, 0 none.

    Raises
    ------
    PvmError
        BadParam for another `what`, a negative tag or what is no tid.
    TypeError
        If `tids` is needed and missing.
    """
    kind = what & ~int(Notify.CANCEL)
    if kind in (Notify.HOST_ADD, Notify.ROUTE_ADD):
        pvm_ext.notify(what, msgtag, (), count)
        return
    if tids is None:
        if kind in (Notify.TASK_EXIT, Notify.HOST_DELETE, Notify.ROUTE_DELETE):
            raise TypeError("notify() needs tids for this kind of event")
        tids = ()
    pvm_ext.notify(what, msgtag, list(tids))


def export(name: Name) -> None:
    """
    Let tasks spawned from now on inherit an environment variable.
    """
    pvm_ext.export(name)


def unexport(name: Name) -> None:
    """
    Undo `export`; a name that was not exported does no harm.
    """
    pvm_ext.unexport(name)


def siblings() -> list[int]:
    """
    Return the tids of the tasks that one spawn started together with this one.
    """
    return list(pvm_ext.siblings())
