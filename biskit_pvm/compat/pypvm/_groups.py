"""Groups of tasks."""

from __future__ import annotations

from typing import Any

import pvm_ext
from biskit_pvm.compat.pypvm._arguments import Name, also

#: What `reduce` combines with, besides functions of one's own.
PvmMax, PvmMin, PvmSum, PvmProduct = "max", "min", "sum", "product"


def joingroup(group: Name) -> int:
    """
    Join a group, starting the group server if none runs.

    Returns
    -------
    int
        The instance number, 0 or more.

    Raises
    ------
    PvmError
        DupGroup if the task is a member, NullGroup for ``""``.
    """
    return pvm_ext.joingroup(group)


def lvgroup(group: Name) -> None:
    """
    Leave a group.

    Raises
    ------
    PvmError
        NoGroup, NotInGroup.
    """
    pvm_ext.lvgroup(group)


def gsize(group: Name) -> int:
    """
    Return the number of members of a group.

    Raises
    ------
    PvmError
        NoGroup, NullGroup.
    """
    return pvm_ext.gsize(group)


@also(inum="instance")
def gettid(group: Name, instance: int) -> int:
    """
    Return the tid of a member of a group.

    Raises
    ------
    PvmError
        NoGroup, NoInst.
    """
    return pvm_ext.gettid(group, instance)


def getinst(group: Name, tid: int) -> int:
    """
    Return the instance number of a member of a group.

    Raises
    ------
    PvmError
        NoGroup, NotInGroup.
    """
    return pvm_ext.getinst(group, tid)


def barrier(group: Name, count: int) -> None:
    """
    Wait until a number of members have called this.

    Parameters
    ----------
    group : str
    count : int
        The number, the same in all calls.

    Raises
    ------
    PvmError
        NoGroup, NotInGroup, BadParam, Mismatch (another count than before).
    """
    pvm_ext.barrier(group, count)


def bcast(group: Name, msgtag: int) -> None:
    """
    Send the active send buffer to all other members of a group.

    Raises
    ------
    PvmError
        NoGroup, NoBuf; NoInst if there are no other members.
    """
    pvm_ext.bcast(group, msgtag)


def freezegroup(group: Name, size: int = -1) -> int:
    """
    Wait for all members and make a group static, for good.

    Parameters
    ----------
    group : str
    size : int
        Number of members, -1 for as many as have joined.

    Returns
    -------
    int
        Number of members.
    """
    return pvm_ext.freezegroup(group, size)


def reduce(func: Any, data: Any, datatype: int, msgtag: int, group: Name, root: int) -> list[Any] | None:
    """
    Combine the data of all members of a group, item by item.

    Parameters
    ----------
    func : str or callable
        `PvmMax`, `PvmMin`, `PvmSum`, `PvmProduct`, or a function of two lists that
        returns the combined one.
    data : sequence or buffer
        The own items, as many in each member.
    datatype : int
        One of ``PVM_BYTE`` to ``PVM_ULONG``.
    msgtag : int
        Tag of the messages.
    group : str
    root : int
        Instance number of the member that gets the result.

    Returns
    -------
    list or None
        The result on the root.
    """
    return pvm_ext.reduce(func, data, datatype, msgtag, group, root)


def gather(data: Any, datatype: int, msgtag: int, group: Name, root: int) -> list[Any] | None:
    """
    Collect the data of all members of a group, in the order of their instances.

    Parameters
    ----------
    data : sequence or buffer
        The own items, as many in each member.
    datatype, msgtag, group, root
        As for `reduce`.

    Returns
    -------
    list or None
        The items of all on the root.
    """
    return pvm_ext.gather(data, datatype, msgtag, group, root)


def scatter(data: Any, count: int, datatype: int, msgtag: int, group: Name, root: int) -> list[Any]:
    """
    Hand the data of the root out to all members of a group.

    Parameters
    ----------
    data : sequence, buffer or None
        `count` items for each member; used on the root alone.
    count : int
        How many items each member gets.
    datatype, msgtag, group, root
        As for `reduce`.

    Returns
    -------
    list
        The own part.
    """
    return pvm_ext.scatter(data, count, datatype, msgtag, group, root)
