"""A member of the group of the C program gexample: norm and product of a matrix."""

import numpy as np
import pypvm

GROUP, INIT, SUM = "matrix", 1000, 1001
PRODUCT = INIT + 1 + 1  # as C expands SUMTAG + 1

me = pypvm.joingroup(GROUP)
pypvm.recv(-1, INIT)
nproc, dimension = pypvm.upkint(2)
pypvm.freezegroup(GROUP, nproc)

size, extra = divmod(dimension, nproc)
first = (size + 1) * me if me < extra else (size + 1) * extra + size * (me - extra)
rows = np.arange(first, first + size + (me < extra))
block = 1 + abs(rows[:, None] - np.arange(dimension))
# gexample fills with 1 + |row + i - j|, row being the first row of a block
sums = block.sum(axis=0).astype(np.int32)
products = block.astype(float).prod(axis=0)

pypvm.reduce(pypvm.PvmSum, sums, pypvm.PVM_INT, SUM, GROUP, 0)
pypvm.reduce(lambda x, y: x * y, products, pypvm.PVM_DOUBLE, PRODUCT, GROUP, 0)
pypvm.barrier(GROUP, -1)
pypvm.lvgroup(GROUP)
pypvm.exit()
