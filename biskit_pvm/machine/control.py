"""The virtual machine as a person sees it: hosts, tasks, and what to do with them.

Each function talks to the pvmd of this host, through the calling process as a task of it, and
returns plain data. None of them starts a pvmd.
"""

from __future__ import annotations

from collections.abc import Iterable

import pvm_ext
from biskit_pvm.machine.inventory import Host, Task
from pvm_ext.errors import PvmError

GROUP_SERVER = "pvmgs"
"""The program that PVM itself starts for groups, and that stays when these are gone."""


def hosts() -> list[Host]:
    """Return the hosts of the virtual machine, the first one's first.

    Raises
    ------
    PvmError
        SysErrError where no pvmd runs.
    """
    return [Host(h.name, h.dtid, h.arch, h.speed) for h in pvm_ext.config().hosts]


def tasks(host: str | None = None) -> list[Task]:
    """Return the tasks of the virtual machine, the asking one left out.

    Parameters
    ----------
    host : str, optional
        Only those on this host.

    Raises
    ------
    ValueError
        When there is no such host.
    """
    names = {h.dtid: h.name for h in hosts()}
    where = 0
    if host is not None:
        where = next((dtid for dtid, name in names.items() if name == host), 0)
        if not where:
            raise ValueError(f"no host {host!r} in the virtual machine: {', '.join(names.values())}")
    me = pvm_ext.mytid()
    return [Task(t.tid, t.ptid, names.get(t.dtid, "?"), t.pid, t.name) for t in pvm_ext.tasks(where) if t.tid != me]


def kill(tids: Iterable[int]) -> dict[int, str]:
    """End tasks.

    Parameters
    ----------
    tids : iterable of int
        Their task ids.

    Returns
    -------
    dict
        {tid: reason} of those that PVM refused to end. One that has ended already is not among
        them.
    """
    refused = {}
    for tid in tids:
        try:
            pvm_ext.kill(tid)
        except PvmError as error:
            if error.name != "NoTask":
                refused[tid] = str(error)
    return refused


def reset() -> list[Task]:
    """End all tasks but the asking one.

    Returns
    -------
    list of Task
        Those that were told to end.
    """
    ended = tasks()
    kill(task.tid for task in ended)
    return ended


def halt() -> list[Host]:
    """Halt the virtual machine: end all tasks, and the pvmd of every host.

    Returns
    -------
    list of Host
        The hosts that it had.
    """
    had = hosts()
    pvm_ext.halt()
    return had


def leave() -> None:
    """Leave the virtual machine, if this process has become a task of it."""
    try:
        pvm_ext.exit()
    except PvmError:
        pass
