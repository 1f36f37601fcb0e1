"""Answers each array by its items in reverse order; partner.c tells how it is asked."""

import pypvm

NAMES = "str byte short int float cplx double dcplx long ushort uint ulong".split()
STOP, REPLY = 999, 1000

while True:
    _, kind, sender = pypvm.bufinfo(pypvm.recv())
    if kind == STOP:
        break
    encoding, n = pypvm.upkint(2)
    pypvm.initsend(encoding)
    pypvm.pkint([n])
    if kind == pypvm.PVM_STR:
        pypvm.pkstr(pypvm.upkstr()[::-1])
    else:
        items = getattr(pypvm, "upk" + NAMES[kind])(n)
        getattr(pypvm, "pk" + NAMES[kind])(items[::-1])
    pypvm.send(sender, kind + REPLY)
pypvm.exit()
