"""The second member of the C programs for bandwidth: echoes every message.

The argument is how these pack: default, raw, inplace (raw in place), or psend.
"""

import sys

import numpy as np

import pvm_ext as pvm

GROUP, VALIDATE, MEASURE, LARGEST, SAMPLES = "bwtest", 10, 100, 100000, 20
mode = sys.argv[1]
encoding = {"default": 0, "raw": 1, "inplace": 2}.get(mode)


def echo(tag, size):
    """Receive an array of doubles and send it back."""
    if mode == "psend":
        items, *_ = pvm.precv(other, tag, size, pvm.DataType.DOUBLE)
        pvm.psend(other, tag, items, pvm.DataType.DOUBLE)
        return items
    pvm.recv(other, tag)
    items = pvm.upkdouble(size)
    pvm.initsend(encoding)
    pvm.pkdouble(items)
    pvm.send(other, tag)
    return items


me = pvm.joingroup(GROUP)
other = pvm.gettid(GROUP, 1 - me)
received = np.asarray(echo(VALIDATE, LARGEST))
exact = 46341  # above it the squares overflow in C
assert len(received) == LARGEST and (received[:exact] == np.arange(float(exact)) ** 2).all()
size = 0
while size <= LARGEST:
    for _ in range(SAMPLES):
        echo(MEASURE, size)
    size = 10 * size if size else 1
pvm.lvgroup(GROUP)
pvm.exit()
