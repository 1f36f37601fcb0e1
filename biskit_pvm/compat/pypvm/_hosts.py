"""The hosts of the virtual machine."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pvm_ext
from biskit_pvm.compat.pypvm._arguments import Name, also, list_of_names
from pvm_ext.errors import error_for


def config(*ignored: Any) -> tuple[int, int, list[dict[str, Any]]]:
    """
    Return what the virtual machine consists of.

    Returns
    -------
    nhost : int
        Number of hosts.
    narch : int
        Number of data formats.
    hosts : list of dict
        For each host, the master first: ``dtid`` (int, tid of its pvmd),
        ``hostname`` (str), ``arch`` (str), ``speed`` (int, 1000 by default) and
        ``dsig`` (int, signature of its data format).
    """
    machine = pvm_ext.config()
    return (
        machine.nhost,
        machine.narch,
        [
            {"dtid": host.dtid, "hostname": host.name, "arch": host.arch, "speed": host.speed, "dsig": host.dsig}
            for host in machine.hosts
        ],
    )


def hostinfo(*ignored: Any) -> list[tuple[int, str, str, int]]:
    """
    Return the hosts of the virtual machine.

    Returns
    -------
    list of (dtid, name, arch, speed)
    """
    return [(host.dtid, host.name, host.arch, host.speed) for host in pvm_ext.config().hosts]


def narch(*ignored: Any) -> int:
    """
    Return the number of different data formats in the virtual machine.
    """
    return pvm_ext.config().narch


configuration = config


number_of_architectures = narch


def tidtohost(tid: int) -> int:
    """
    Return the tid of the pvmd of the host that a tid is on.
    """
    return pvm_ext.tidtohost(tid)


@also(hosts="hostlist")
def addhosts(hostlist: Iterable[Name]) -> list[int]:
    """
    Add hosts to the virtual machine.

    Parameters
    ----------
    hostlist : iterable of str
        Names of hosts, each with the options of a host file if need be.

    Returns
    -------
    list of int
        For each host the tid of its new pvmd, or a negative error code.

    Raises
    ------
    PvmError
        BadParam for an empty list, Already while another task adds hosts.
    """
    return list(pvm_ext.addhosts(list_of_names(hostlist)))


@also(hosts="hostlist")
def delhosts(hostlist: Iterable[Name]) -> list[int]:
    """
    Remove hosts from the virtual machine, with the tasks on them.

    Parameters
    ----------
    hostlist : iterable of str
        Names of hosts.

    Returns
    -------
    list of int
        For each host 0 or a negative error code.
    """
    return list(pvm_ext.delhosts(list_of_names(hostlist)))


def mstat(host: Name) -> int:
    """
    Check that a host is in the virtual machine and well.

    Parameters
    ----------
    host : str
        Its name.

    Returns
    -------
    int
        0.

    Raises
    ------
    PvmError
        NoHost or HostFail.
    """
    code = pvm_ext.mstat(host)
    if code < 0:
        raise error_for(code, "mstat", str(host))
    return code


def archcode(arch: Name) -> int:
    """
    Return the signature of the data format of an architecture.

    Returns
    -------
    int
        ``results["NotFound"]``, without an exception, if no host has it.
    """
    try:
        return pvm_ext.archcode(arch)
    except pvm_ext.NotFoundError as failure:
        return failure.code


def hostsync(dtid: int) -> tuple[float, float]:
    """
    Ask for the clock of a host.

    Parameters
    ----------
    dtid : int
        Tid of its pvmd.

    Returns
    -------
    clock : float
        Its time of day (s).
    delta : float
        Its distance from the local clock (s).
    """
    return pvm_ext.hostsync(dtid)
