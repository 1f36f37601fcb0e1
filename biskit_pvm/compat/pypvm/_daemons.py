"""The pvmds, and taking over parts of their work."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pvm_ext
from biskit_pvm.compat.pypvm._arguments import Name, list_of_names


def halt(*ignored: Any) -> None:
    """
    Stop the whole virtual machine with all its tasks, but for the caller.
    """
    pvm_ext.halt()


def start_pvmd(args: Iterable[Name] = (), block: int = 1) -> None:
    """
    Start the master pvmd on this computer.

    Parameters
    ----------
    args : iterable of str
        Its options and host file.
    block : int
        Whether to wait for the hosts of the host file.

    Raises
    ------
    PvmError
        DupHost if one runs.
    """
    pvm_ext.start_pvmd(list_of_names(args), bool(block))


def getnoresets() -> list[int]:
    """
    Return the tids of the tasks that a reset spares.
    """
    return list(pvm_ext.getnoresets())


def reg_tasker() -> None:
    """
    Take over the starting of tasks on this host.
    """
    pvm_ext.reg_tasker()


register_tasker = reg_tasker


def reg_hoster() -> None:
    """
    Take over the starting of pvmds.

    Raises
    ------
    PvmError
        HostrNMstr on another host than the master.
    """
    pvm_ext.reg_hoster()


def reg_rm() -> Any:
    """
    Take over the decision where tasks are started.
    """
    return pvm_ext.reg_rm()
