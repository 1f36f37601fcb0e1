"""Names of hosts: the user's, and those by which PVM knows the hosts of the virtual machine.

PVM itself knows a host only by the very name that it was added with.
"""

from __future__ import annotations

import pvm_ext

TYPE_CHECKING = False  # slaves start quickly
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def host_list(hosts: Iterable[str]) -> list[str]:
    """Return the names in a list of hosts; one string is taken for a slip."""
    if isinstance(hosts, (str, bytes)):
        raise TypeError(f"hosts must be a list of host names, not one string: [{hosts!r}]")
    return [str(host).strip() for host in hosts]


def own_host() -> str:
    """Return the name under which PVM knows this host."""
    here = pvm_ext.tidtohost(pvm_ext.mytid())
    for host in pvm_ext.config().hosts:
        if host.dtid == here:
            return host.name
    raise RuntimeError("the virtual machine does not list its own host")


def host_of(tid: int) -> int:
    """Return the tid of the daemon of a task's host."""
    return pvm_ext.tidtohost(tid)


def host_tids(names: Iterable[str] = ()) -> dict[str, int]:
    """Return {host name: tid of its daemon} of the virtual machine.

    Parameters
    ----------
    names : iterable of str
        Other names of hosts, such as short ones, to have in there as well;
        they come last.
    """
    hosts = pvm_ext.config().hosts
    dtids = {host.name: host.dtid for host in hosts}
    for name in names:
        there = find(name, hosts)
        if there is not None:
            dtids.pop(name, None)
            dtids[name] = there.dtid
    return dtids


def find(name: str, hosts: Sequence[pvm_ext.HostInfo]) -> pvm_ext.HostInfo | None:
    """Find a host of the virtual machine by any of its usual names.

    Parameters
    ----------
    name : str
        Full or short name; for this host also ``localhost`` and ``.``.
    hosts : sequence of HostInfo
        From `pvm_ext.config`.
    """
    lower = name.lower()
    for host in hosts:
        if host.name == name:
            return host
    for host in hosts:
        other = host.name.lower()
        if other == lower or _is_short_for(lower, other) or _is_short_for(other, lower):
            return host
    if is_local(name):
        here = pvm_ext.tidtohost(pvm_ext.mytid())
        return next((host for host in hosts if host.dtid == here), None)
    return None


def is_same(one: str, other: str) -> bool:
    """Tell whether two names are those of one host, as far as the names tell."""
    one, other = one.lower(), other.lower()
    return one == other or _is_short_for(one, other) or _is_short_for(other, one)


def name_in_machine(name: str) -> str:
    """Return the name by which PVM knows a host, or the same name when it does not."""
    there = find(name, pvm_ext.config().hosts)
    return name if there is None else there.name


def is_local(name: str) -> bool:
    """Return whether a name means this host."""
    import socket

    own = socket.gethostname().lower()
    lower = name.lower()
    if lower in (".", "localhost", own) or _is_short_for(lower, own) or _is_short_for(own, lower):
        return True
    if lower.startswith("127."):
        return True
    from biskit_pvm.machine import addresses

    return lower in addresses.own_addresses()


def is_own_host(name: str) -> bool:
    """Return whether PVM knows this very host by a name."""
    return is_local(name) or name == own_host()  # in this order: the second asks the daemon


def _is_short_for(short: str, long: str) -> bool:
    return "." not in short and not long[:1].isdigit() and long.split(".")[0] == short
