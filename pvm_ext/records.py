"""What the calls that describe the virtual machine return: named tuples, copies of libpvm's tables."""

from __future__ import annotations

from typing import NamedTuple


class HostInfo(NamedTuple):
    """A host of the virtual machine."""

    dtid: int
    """The tid of its daemon."""
    name: str
    arch: str
    """PVM's name of its kind of computer, such as ``'LINUX64'``."""
    speed: int
    """Relative speed as given when it was added; 1000 by default."""
    dsig: int
    """Its data format."""


class Configuration(NamedTuple):
    """The virtual machine."""

    nhost: int
    """How many hosts."""
    narch: int
    """How many different data formats."""
    hosts: list[HostInfo]
    """The hosts in the order of PVM's host table, the master first."""


class TaskInfo(NamedTuple):
    """A task of the virtual machine."""

    tid: int
    ptid: int
    """The tid of the task that spawned it; 0 when none did."""
    dtid: int
    """The tid of the daemon on its host."""
    flag: int
    """PVM's status bits: 2 started by a daemon, 4 connected."""
    name: str
    """The program as given to `spawn`; empty when not spawned."""
    pid: int
    """Its process id on its host."""


class BufferInfo(NamedTuple):
    """What `bufinfo` tells of a message."""

    nbytes: int
    """Length of the body in bytes, padding included."""
    tag: int
    tid: int
    """The sender."""


class MessageInfo(NamedTuple):
    """The header of a message, as `getminfo` tells it."""

    len: int
    """Length of the body in bytes, padding included."""
    ctx: int
    tag: int
    wid: int
    """Wait id."""
    enc: int
    """Encoding: 0x10000000 XDR, 0x20000000 in place, else a data format."""
    crc: int
    src: int
    """The sender."""
    dst: int
    """The receiver."""


class MailboxEntry(NamedTuple):
    """An entry of the mailbox, as `getmboxinfo` tells it."""

    index: int  # type: ignore[assignment]  # takes the place of tuple's method
    owner: int
    """The tid of the task that put it there; 0 when that task has ended."""
    flags: int
