"""Adds its place among its siblings to the number that the parent has multicast."""

import pypvm

pypvm.recv(pypvm.parent(), 6)
place = pypvm.upkint(3).index(pypvm.mytid())
(number,) = pypvm.upkint(1)
pypvm.initsend()
pypvm.pkint([number + place])
pypvm.send(pypvm.parent(), 7)
pypvm.exit()
