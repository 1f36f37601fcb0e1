"""A member of the ring of the C program spmd: hands the token on."""

import pypvm

tids = pypvm.siblings()
place = tids.index(pypvm.mytid())
before, after = tids[place - 1], tids[(place + 1) % len(tids)]
if place == 0:
    pypvm.initsend()
    pypvm.pkint([after])
    pypvm.send(after, 4)
    pypvm.recv(before, 4)
    print("token ring done")
else:
    pypvm.recv(before, 4)
    token = pypvm.upkint(1)
    pypvm.initsend()
    pypvm.pkint(token)
    pypvm.send(after, 4)
pypvm.exit()
