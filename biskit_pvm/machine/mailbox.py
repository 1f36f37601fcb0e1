"""PVM's mailbox: short texts that tasks leave for others to read.

Every task has an entry of its own under a name, which its next one replaces and which goes with the task.
"""

from __future__ import annotations

import pvm_ext
from pvm_ext.errors import PvmError


def post(name: str, data: bytes) -> None:
    """Replace what this task has posted under a name.

    Parameters
    ----------
    name : str
    data : bytes
        UTF-8 encoded text without a zero byte.
    """
    pvm_ext.initsend(pvm_ext.DataEncoding.RAW)
    pvm_ext.pkstr(data.decode())
    pvm_ext.putinfo(f"{name}.{pvm_ext.mytid():x}")


def read(name: str) -> list[tuple[int, bytes]]:
    """Return all that is posted under a name, each with the tid of the task that posted it."""
    found = []
    for entry_name, entries in pvm_ext.getmboxinfo(name):
        for entry in entries:
            try:
                pvm_ext.recvinfo(entry_name, entry.index)
                found.append((entry.owner, pvm_ext.upkstr().encode()))
            except PvmError:  # gone meanwhile
                continue
    return found
