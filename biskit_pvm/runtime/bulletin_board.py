"""Posts a master's status in PVM's mailbox, and reads what masters have posted.

Every poster has an entry of its own, which the next one replaces and which goes with it. PVM keeps
the mailbox on the host that was started first, so both calls can wait for that one's pvmd: a
master's message loop leaves them to an agent.
"""

from __future__ import annotations

import pvm_ext
from pvm_ext.errors import PvmError

from ..core.bulletin import MAILBOX, Bulletin, decode


def post(data: bytes) -> None:
    """Replace what this task has posted.

    Parameters
    ----------
    data : bytes
        A bulletin, as :func:`biskit_pvm.core.bulletin.encode` makes it.
    """
    pvm_ext.initsend(pvm_ext.DataEncoding.RAW)
    pvm_ext.pkstr(data.decode())
    pvm_ext.putinfo(f"{MAILBOX}.{pvm_ext.mytid():x}")


def read() -> list[Bulletin]:
    """Return all bulletins in the mailbox; entries that are none are passed over."""
    found = []
    for name, entries in pvm_ext.getmboxinfo(MAILBOX):
        for entry in entries:
            try:
                pvm_ext.recvinfo(name, entry[0])
                found.append(decode(pvm_ext.upkstr().encode()))
            except (PvmError, ValueError):  # gone meanwhile, or somebody else's
                continue
    return found
