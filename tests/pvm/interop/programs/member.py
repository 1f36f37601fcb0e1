"""A member of a group whose other members run partner.c as `group`, doing the same."""

import math
import sys

import pypvm

name, size = sys.argv[1], int(sys.argv[2])
INT, DOUBLE = pypvm.PVM_INT, pypvm.PVM_DOUBLE

me = pypvm.joingroup(name)
assert pypvm.freezegroup(name, size) == size == pypvm.gsize(name)
assert pypvm.gettid(name, me) == pypvm.mytid()
pypvm.barrier(name, size)

pypvm.initsend()
pypvm.pkint([me])
pypvm.bcast(name, 8)
for _ in range(size - 1):
    _, _, tid = pypvm.bufinfo(pypvm.recv(-1, 8))
    (place,) = pypvm.upkint(1)
    assert pypvm.gettid(name, place) == tid and pypvm.getinst(name, tid) == place

for root in range(size):
    whole = [10 * root + i for i in range(2 * size)]
    pypvm.barrier(name, size)
    part = pypvm.scatter(whole if me == root else None, 2, INT, 20 + root, name, root)
    assert list(part) == whole[2 * me : 2 * me + 2]

    pypvm.barrier(name, size)
    everything = pypvm.gather(part, INT, 40 + root, name, root)
    assert (list(everything) == whole) if me == root else (everything is None)

    pypvm.barrier(name, size)
    largest = pypvm.reduce(pypvm.PvmMax, [me + i for i in range(3)], DOUBLE, 60 + root, name, root)
    assert me != root or list(largest) == [size - 1 + i for i in range(3)]

    pypvm.barrier(name, size)
    total = pypvm.reduce(pypvm.PvmSum, [me + 1], INT, 80 + root, name, root)
    assert me != root or list(total) == [size * (size + 1) // 2]

    pypvm.barrier(name, size)
    product = pypvm.reduce(lambda x, y: [a * b for a, b in zip(x, y)], [me + 1], DOUBLE, 100 + root, name, root)
    assert me != root or list(product) == [math.factorial(size)]
pypvm.barrier(name, size)
pypvm.lvgroup(name)
print("ok member")
pypvm.exit()
