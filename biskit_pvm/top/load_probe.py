"""A task that tells how busy its host is: spawned by the live view on each host.

The words after its own name: the seconds between two messages. It ends with the task that spawned it.
"""

from __future__ import annotations

import json
import os
import sys

import pvm_ext
from biskit_pvm.machine.inventory import Load
from biskit_pvm.machine.tags import Tag


def encode(load: Load) -> bytes:
    """Return a load as UTF-8 encoded JSON."""
    return json.dumps(list(load)).encode()


def decode(data: bytes | bytearray) -> Load:
    """Return the load that the bytes stand for; ValueError for anything else."""
    values = json.loads(data.decode())
    if not (isinstance(values, list) and len(values) == 2):
        raise ValueError("not a load")
    average, cpus = values
    if not (isinstance(average, (int, float)) and isinstance(cpus, int)):
        raise ValueError("not a load")
    return Load(float(average), cpus)


def main() -> None:
    """Send the load to the parent until that ends."""
    interval = float(sys.argv[1])
    parent = pvm_ext.parent()
    pvm_ext.notify(pvm_ext.Notify.TASK_EXIT, Tag.PARTNER_EXITED, [parent])
    while True:
        load = Load(os.getloadavg()[0], os.cpu_count() or 1)
        pvm_ext.send_frames(parent, Tag.LOAD, [encode(load)])
        if pvm_ext.recv_frames(tag=Tag.PARTNER_EXITED, timeout=interval) is not None:
            break
    pvm_ext.exit()
