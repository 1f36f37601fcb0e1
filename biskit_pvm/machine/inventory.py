"""What is in a virtual machine: its hosts and tasks as plain data."""

from __future__ import annotations

from typing import NamedTuple


class Host(NamedTuple):
    """A host of the virtual machine.

    Attributes
    ----------
    name : str
        Its name as PVM knows it.
    dtid : int
        Task id of its pvmd.
    arch : str
        PVM's name for its architecture.
    speed : int
        Relative speed from the host file; 1000 by default.
    """

    name: str
    dtid: int
    arch: str
    speed: int


class Task(NamedTuple):
    """A task of the virtual machine.

    Attributes
    ----------
    tid : int
        Its task id.
    parent : int
        That of the task which spawned it; 0 for one that was started by hand.
    host : str
        Name of its host.
    pid : int
        Number of its process there.
    name : str
        What was spawned; '' for a task that was started by hand.
    """

    tid: int
    parent: int
    host: str
    pid: int
    name: str


class Load(NamedTuple):
    """How busy a host is.

    Attributes
    ----------
    average : float
        Processes that ran or wanted to, averaged over the last minute.
    cpus : int
        Number of CPUs.
    """

    average: float
    cpus: int
