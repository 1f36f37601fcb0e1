"""Hosts and messages of PVM by the names of old scripts."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import Any

from biskit_pvm import hosts as _hosts
from biskit_pvm.machine import host_table, packing
from biskit_pvm.machine import names as host_names
from biskit_pvm.machine.host_table import HostResult
from pvm_ext.errors import ERRORS

__all__ = ["addHosts", "countHosts", "delHosts", "expandLocal", "pack", "pack_and_send", "pvmerrors", "unpack"]

pvmerrors: dict[int, str] = {
    0: "PvmOk           Success",
    **{code: f"{'Pvm' + error.name:<15} {error.text}" for code, error in ERRORS.items()},
    # as scripts knew them, not as libpvm has them
    -33: "PvmExists       Already exists",
    -34: "PvmHostrNMstr   Hoster run on non-master host",
    -35: "PvmParentNotSet Spawning parent set PvmNoSpawnParent",
    -36: "PvmIPLoopback   Master Host's IP is Loopback",
}
"""{error code: name and meaning}, for every code of PVM."""

pack = packing.pack
unpack = packing.unpack


def pack_and_send(tid: int, msg_tag: int, object: Any, encoding: int | None = None) -> None:
    """Send an object to a task, which takes it with `unpack`.

    Parameters
    ----------
    tid : int
        The receiver.
    msg_tag : int
        Message tag.
    object : object
        Anything that pickle takes.
    encoding : int, optional
        One of ``pypvm.data``.
    """
    packing.pack_and_send(tid, msg_tag, object, encoding)


def addHosts(
    number: int | None = None, hosts: Iterable[str] | None = None, expand: bool | int = 1
) -> dict[str, HostResult]:
    """Add hosts to PVM, all at once; start PVM here where it does not run.

    Each failure is told on standard error, with its cause and what mends it.

    Parameters
    ----------
    number : int, optional
        Add only so many, the first ones; 0 adds none, None all.
    hosts : iterable of str, optional
        Names, with options as in a host file if needed.  By default the user's:
        `biskit_pvm.hosts.nodes_all`.
    expand : bool
        Give the local host its full name.

    Returns
    -------
    dict of HostResult
        For each host what became of it: ``result.ok``, ``result.code`` (the tid of its
        daemon, or a negative error code), ``result.error``, ``result.remedy``.  A host that
        was there already is well.

    Raises
    ------
    PvmError
        When PVM does not run here and cannot be started.
    """
    names = list(_hosts.nodes_all if hosts is None else hosts)
    if number is not None:
        names = names[: max(number, 0)]
    if expand:
        names = [expandLocal(name) for name in names]
    if not names:
        return {}
    results = {result.host: result for result in host_table.add_by_agent(names)}
    for result in results.values():
        if not result.ok:
            sys.stderr.write(f"cannot add host {result}\n")
    return results


def delHosts(hosts: Iterable[str]) -> dict[str, HostResult]:
    """Take hosts out of PVM; the tasks there are ended.

    Parameters
    ----------
    hosts : iterable of str
        Names.

    Returns
    -------
    dict of HostResult
        For each host what became of it; one that was not there is well.
    """
    return {result.host: result for result in host_table.delete_by_agent(map(expandLocal, hosts))}


def expandLocal(host: str) -> str:
    """Return the full name of the local host when `host` is its short one, else `host`."""
    full = os.uname().nodename
    return full if full.split(".")[0] == host else host


def countHosts() -> int:
    """Return the number of hosts in PVM."""
    return len(host_names.host_tids())
