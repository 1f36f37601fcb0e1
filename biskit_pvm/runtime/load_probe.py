"""A task that tells how busy its host is: spawned by the live view on each host.

Run as ``python -m biskit_pvm.runtime.load_probe TAG SECONDS``. It ends with the task that spawned
it.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Union

import pvm_ext

from ..core.inventory import Load

EXIT_TAG = 1


def encode(load: Load) -> bytes:
    """Return a load as UTF-8 encoded JSON."""
    return json.dumps(list(load)).encode()


def decode(data: Union[bytes, bytearray]) -> Load:
    """Return the load that the bytes stand for; ValueError for anything else."""
    values = json.loads(data.decode())
    if not (isinstance(values, list) and len(values) == 2):
        raise ValueError("not a load")
    average, cpus = values
    if not (isinstance(average, (int, float)) and isinstance(cpus, int)):
        raise ValueError("not a load")
    return Load(float(average), cpus)


def main(argv: list[str]) -> None:
    """Send the load to the parent until that ends.

    Parameters
    ----------
    argv : list of str
        Message tag, and seconds between two messages.
    """
    tag, interval = int(argv[0]), float(argv[1])
    parent = pvm_ext.parent()
    pvm_ext.notify(pvm_ext.Notify.TASK_EXIT, EXIT_TAG, [parent])
    while True:
        load = Load(os.getloadavg()[0], os.cpu_count() or 1)
        pvm_ext.send_frames(parent, tag, [encode(load)])
        if pvm_ext.recv_frames(tag=EXIT_TAG, timeout=interval) is not None:
            break
    pvm_ext.exit()


if __name__ == "__main__":
    main(sys.argv[1:])
