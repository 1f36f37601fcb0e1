"""The status that a running master posts for whoever watches the virtual machine.

A :class:`Bulletin` is what the master posts in PVM's mailbox, under the class name :data:`MAILBOX`,
as JSON. The mailbox is open to every task, so a reader takes nothing for granted: :func:`decode`
checks every field and raises ValueError for what is not a bulletin. Nothing is unpickled.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

from biskit_pvm.jobs.master_state import Slave

MAILBOX = "biskit_pvm.status"  #: class name in PVM's mailbox
VERSION = 1
INTERVAL = 2.0  #: seconds between two bulletins of one master, at least
LONGEST = 8.0  #: seconds between two bulletins of a master to which nothing happens
MAX_BYTES = 1 << 20  #: longer ones are not read
MAX_SLAVES = 2000  #: slaves in one bulletin; a master with more posts the first ones

#: What a slave is told to be doing, by its state at the master.
SLAVE_STATES = {
    "starting": "starting",
    "idle": "waiting",
    "busy": "working",
    "refused": "refused",
    "silent": "silent",
    "leaving": "leaving",
}


class SlaveStatus(NamedTuple):
    """One slave as its master sees it.

    Attributes
    ----------
    tid : int
        Task id.
    nickname, host : str
        The master's name for the slave, and its host.
    state : str
        One of the values of :data:`SLAVE_STATES`.
    jobs : int
        Jobs finished.
    mean : float
        Average time of a job in s; 0 before the first.
    heard : float
        When the master last heard of it, in s since the epoch; 0 for never.
    """

    tid: int
    nickname: str
    host: str
    state: str
    jobs: int
    mean: float
    heard: float


class Bulletin(NamedTuple):
    """One calculation as its master sees it.

    Attributes
    ----------
    tid : int
        The master's task id.
    name : str
        The master's class.
    host : str
        The master's host.
    pid : int
        The master's process there.
    started, posted : float
        Time in s since the epoch.
    total, done, failed : int
        Items of the calculation, finished ones, and failed ones.
    slaves : tuple of SlaveStatus
    """

    tid: int
    name: str
    host: str
    pid: int
    started: float
    posted: float
    total: int
    done: int
    failed: int
    slaves: tuple[SlaveStatus, ...]


def slave_statuses(slaves: Iterable[Slave], clock: float) -> tuple[SlaveStatus, ...]:
    """Return the slaves of a master as its bulletin tells them.

    Parameters
    ----------
    slaves : iterable of Slave
        Those of the master's state.
    clock : float
        What to add to the state's times to make them seconds since the epoch.
    """
    return tuple(
        SlaveStatus(
            slave.tid,
            slave.slot.nickname,
            slave.slot.host,
            SLAVE_STATES[slave.state],
            slave.n_done,
            slave.mean or 0.0,
            slave.heard + clock if slave.up else 0.0,
        )
        for slave in slaves
    )


def encode(bulletin: Bulletin) -> bytes:
    """Return the bulletin as UTF-8 encoded JSON."""
    record: dict[str, Any] = bulletin._asdict()
    record["slaves"] = [list(slave) for slave in bulletin.slaves[:MAX_SLAVES]]
    record["version"] = VERSION
    return json.dumps(record, separators=(",", ":")).encode()


def decode(data: bytes) -> Bulletin:
    """Return the bulletin that the bytes stand for.

    Raises
    ------
    ValueError
        When they are not a bulletin of this version.
    """
    if len(data) > MAX_BYTES:
        raise ValueError(f"a bulletin of {len(data)} bytes is too long")
    try:
        record = json.loads(data.decode())
    except RecursionError:
        raise ValueError("not a bulletin: nested too deeply") from None
    if not isinstance(record, dict) or record.pop("version", None) != VERSION:
        raise ValueError("not a bulletin of a version that is known here")
    if set(record) != set(Bulletin._fields):
        raise ValueError("not a bulletin: its fields differ")
    slaves = record.pop("slaves")
    if not isinstance(slaves, list) or len(slaves) > MAX_SLAVES:
        raise ValueError("not a bulletin: no list of slaves")
    bulletin = Bulletin(slaves=tuple(_slave(slave) for slave in slaves), **record)
    _check("bulletin", bulletin[:-1], (int, str, str, int, float, float, int, int, int))
    return bulletin


def _slave(fields: Any) -> SlaveStatus:
    if not isinstance(fields, list) or len(fields) != len(SlaveStatus._fields):
        raise ValueError("not a bulletin: a slave has other fields")
    slave = SlaveStatus(*fields)
    _check("slave", slave, (int, str, str, str, int, float, float))
    if slave.state not in SLAVE_STATES.values():
        raise ValueError(f"not a bulletin: no slave is {slave.state!r}")
    return slave


def _check(what: str, fields: Iterable[Any], types: Iterable[type[Any]]) -> None:
    for value, wanted in zip(fields, types):
        fits = isinstance(value, (int, float) if wanted is float else wanted) and not isinstance(value, bool)
        if not fits:
            raise ValueError(f"not a bulletin: {value!r} in a {what} is no {wanted.__name__}")
        # What is shown on a terminal must not carry control sequences of a stranger.
        if wanted is str and not value.isprintable():
            raise ValueError(f"not a bulletin: unprintable characters in a {what}")
        if wanted is not str and not abs(value) < 1e15:
            raise ValueError(f"not a bulletin: a number out of range in a {what}")
