"""The addresses of this host."""

from __future__ import annotations

import fcntl
import os
import socket
import struct


def address_for_others() -> str | None:
    """Return the address that PVM must be told to use on this host, or None.

    By itself PVM uses the one that the host's name resolves to.  Where that is a loopback
    address, as Debian sets it up (127.0.1.1), no other host can be added.  None when all
    is well, or when there is no network.
    """
    if _is_reachable(_resolve(socket.gethostname())):
        return None
    return next(iter(own_addresses()), None)


def own_address() -> str:
    """Return the address of this host that PVM uses, unless its host file says otherwise."""
    return address_for_others() or _resolve(socket.gethostname()) or "127.0.0.1"


def own_addresses() -> list[str]:
    """Return the IPv4 addresses of this host, loopback left out, the best one first.

    That is the one by which it would leave for another network; those of bridges to
    containers and virtual machines come last.
    """
    get_address = 0x8915  # SIOCGIFADDR of Linux
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for _, interface in socket.if_nameindex():
            request = struct.pack("256s", os.fsencode(interface)[:15])
            try:
                answer = fcntl.ioctl(probe.fileno(), get_address, request)
            except OSError:  # it has none
                continue
            inner = interface.startswith(("docker", "virbr", "br-", "veth", "lxc"))
            found.append((inner, socket.inet_ntoa(answer[20:24])))
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing; the kernel picks an address
            outgoing = probe.getsockname()[0]
        except OSError:
            outgoing = ""
    found.sort(key=lambda item: (item[1] != outgoing, item[0]))
    return [address for _, address in found if _is_reachable(address)]


def _resolve(name: str) -> str | None:
    try:
        return socket.gethostbyname(name)
    except OSError:
        return None


def _is_reachable(address: str | None) -> bool:
    return address is not None and not address.startswith(("127.", "0."))
