"""What the C program master1 spawns: sums data and exchanges with its neighbours."""

import pypvm

me = pypvm.mytid()
pypvm.recv(-1, 0)
(nproc,) = pypvm.upkint(1)
tids = pypvm.upkint(nproc)
(n,) = pypvm.upkint(1)
data = pypvm.upkfloat(n)
place = tids.index(me)

total = place * sum(data)
pypvm.initsend()
pypvm.pkfloat([total])
pypvm.send(tids[(place + 1) % nproc], 22)
pypvm.recv(-1, 22)
total += pypvm.upkfloat(1)[0]

pypvm.initsend()
pypvm.pkint([place])
pypvm.pkfloat([total])
pypvm.send(pypvm.parent(), 5)
pypvm.exit()
