"""Programs that the benchmarks run as processes of their own; each prints one JSON object on its last line."""

from __future__ import annotations


def local_host() -> str:
    """Return the name of the local host as the virtual machine knows it."""
    import pvm_ext

    (host,) = pvm_ext.config().hosts
    return host.name


def memory(field: str, process: object = "self") -> int:
    """Return a memory figure of a process in bytes, such as ``VmRSS`` or ``VmHWM`` (the highest so far)."""
    with open(f"/proc/{process}/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith(field + ":"))
