"""What the C program hello spawns: tells the parent a string, and ends."""

import pypvm

pypvm.initsend(pypvm.PvmDataDefault)
pypvm.pkstr("hello, world from Python")
pypvm.send(pypvm.parent(), 1)
pypvm.exit()
