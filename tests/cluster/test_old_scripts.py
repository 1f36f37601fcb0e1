"""Scripts of Python 2 whose slaves run on several hosts, without the user saying how."""

from __future__ import annotations

import shlex
import sys

import pytest

from .cluster import SHARED

MASTER = """
from Biskit.PVM import TrackingJobMaster
import os, string

class Master(TrackingJobMaster):
    def getInitParameters(self, slave_tid):
        return {'half': 1/2}
    def done(self):
        print "done", len(self.result)

if __name__ == '__main__':
    m = Master({'a': 1, 'b': 2, 'c': 3, 'd': 4, 'e': 5, 'f': 6}, chunk_size=1, hosts=['node0', 'node1'],
               niceness={'default': 0}, slave_script=os.path.abspath('slave.py'), verbose=0, redistribute=0)
    r = m.calculateResult()
    keys = r.keys(); keys.sort()
    for k in keys: print k, r[k][0],
    print
    hosts = {}
    for k in keys: hosts[r[k][1]] = 1
    names = hosts.keys(); names.sort()
    print string.join(names, '+')
"""

SLAVE = """
from Biskit.PVM import JobSlave
import os, time

class Slave(JobSlave):
    def initialize(self, params):
        self.__dict__.update(params)
    def go(self, chunk):
        result = {}
        for k, v in chunk.items():
            print "working on", k
            time.sleep(0.3)
            result[k] = (v / 2 + self.half, os.uname()[1])
        return result

if __name__ == '__main__':
    import sys
    if len(sys.argv) == 2:
        os.nice(int(sys.argv[1]))
    Slave().start()
"""


@pytest.mark.parametrize("cluster", [2], indirect=True)
def test_old_slaves_run_translated_on_every_host(cluster):
    for name, text in (("master.py", MASTER), ("slave.py", SLAVE)):
        (cluster.shared / name).write_text(text)
    done = cluster.exec(
        0, ["sh", "-c", f"cd {SHARED} && exec {shlex.quote(sys.executable)} -m biskit_pvm run master.py"], timeout=100
    )
    assert done.stdout == "done 6\na 0 b 1 c 1 d 2 e 2 f 3\nnode0+node1\n"


PARENT = """
import os, sys
import pypvm
from Biskit.PVM.PVMThread import PVMThread
folder = os.path.dirname(os.path.abspath(sys.argv[0]))
boss = PVMThread()
pypvm.addhosts(['node1', 'node2', 'node3'])
heard = []
for host in 'node0', 'node1', 'node2', 'node3':
    pypvm.spawn('python', [folder + '/kid.py'], pypvm.spawnOpts['TaskHost'], host, 1)
    boss.spawn((folder + '/kid.py', [], 1, host, 1), host)
for i in range(8):
    if pypvm.trecv(10, 5):
        heard.append(pypvm.upkstr())
heard.sort()
for line in heard: print line
sys.stdout.flush()
os._exit(0)
"""

CHILD = """#!/usr/bin/env python
import os, sys
import pypvm
def tell(who):
    pypvm.initsend(0)
    pypvm.pkstr('%s on %s %i' % (who, os.uname()[1], 7 / 2))
    pypvm.send(pypvm.parent(), 5)
tell('kid')
"""


@pytest.mark.parametrize("cluster", [4], indirect=True)
def test_old_children_run_translated_on_every_host(cluster):
    (cluster.shared / "parent.py").write_text(PARENT)
    (cluster.shared / "kid.py").write_text(CHILD)
    (cluster.shared / "kid.py").chmod(0o755)
    done = cluster.exec(
        0, ["sh", "-c", f"cd {SHARED} && exec {shlex.quote(sys.executable)} -m biskit_pvm run parent.py"], timeout=100
    )
    assert done.stdout == "".join(f"kid on node{i} 3\n" * 2 for i in range(4))


BOSS = """
import os, sys, time
import pypvm
from Biskit.PVM.PVMThread import PVMThread
class Boss(PVMThread):
    def hear(self, *words):
        heard.append(words)
heard = []
folder = os.path.dirname(os.path.abspath(sys.argv[0]))
boss = Boss()
pypvm.addhosts(['node1', 'node2'])
kids = [boss.spawn((folder + '/sibling.py', [], 1, 'node%i' % i, 1), i) for i in range(3)]
for kid in kids:
    pypvm.recv(kid, 77)  # by pypvm.parent()
    boss.bind(13, kid, boss.hear)
boss.start()
boss.startMessageLoop()
for i in range(3):
    boss.send(i, 11, (i, kids))
for i in range(300):
    if len(heard) == 6: break
    time.sleep(0.1)
print sorted([(kids.index(tid), n, right) for tid, n, right in heard])
sys.stdout.flush()
os._exit(0)
"""

SIBLING = """#!/usr/bin/env python
import pypvm
from Biskit.PVM.PVMThread import PVMThread
class Sibling(PVMThread):
    def told(self, number, tids):
        for tid in tids:
            if tid != self.getTID():
                self.send(tid, 12, (number,))
    def hello(self, number):
        parents = [row[1] for row in pypvm.tasks() if row[0] == self.getTID()]
        right = parents == [self.getParent()] == [pypvm.parent()]
        self.send(self.getParent(), 13, (self.getTID(), number, right))
sibling = Sibling()
sibling.bind(11, sibling.getParent(), sibling.told)
sibling.bind(12, -1, sibling.hello)
sibling.start()
sibling.startMessageLoop()
pypvm.initsend(0)
pypvm.send(pypvm.parent(), 77)
"""


@pytest.mark.parametrize("cluster", [3], indirect=True)
def test_old_children_know_their_parent_and_each_other_on_every_host(cluster):
    (cluster.shared / "boss.py").write_text(BOSS)
    (cluster.shared / "sibling.py").write_text(SIBLING)
    (cluster.shared / "sibling.py").chmod(0o755)
    done = cluster.exec(
        0, ["sh", "-c", f"cd {SHARED} && exec {shlex.quote(sys.executable)} -m biskit_pvm run boss.py"], timeout=100
    )
    assert done.stdout == f"{[(i, n, True) for i in range(3) for n in range(3) if i != n]}\n"
