"""What the C program timing spawns: answers every message, over a direct route."""

import pypvm

pypvm.setopt(pypvm.PvmRoute, pypvm.PvmRouteDirect)
pypvm.initsend(pypvm.PvmDataRaw)
pypvm.send(pypvm.parent(), 0)
pypvm.initsend(pypvm.PvmDataRaw)
pypvm.pkint([pypvm.mytid()])
while True:
    _, _, sender = pypvm.bufinfo(pypvm.recv())
    pypvm.freebuf(pypvm.getrbuf())
    pypvm.send(sender, 2)
