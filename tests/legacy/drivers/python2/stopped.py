"""Masters that are held up, ended early, restarted, and made by hand; argv: python_bin of the slaves, if not the usual."""
import cPickle
import os
import sys
import threading
import time

import pypvm
import Biskit.settings as settings
if len(sys.argv) > 1:
    settings.python_bin = sys.argv[1]
from Biskit.PVM import TrackingJobMaster
from Biskit.PVM.PVMThread import PVMMasterSlave, MSG_MESSAGELOOP_UP, MSG_INITIALIZATION_DONE
from Biskit.PVM.TrackingJobMaster import restart

host = os.uname()[1]
slave = os.path.join(os.path.dirname(os.path.abspath(sys.argv[0])), 'telling_slave.py')


class M(TrackingJobMaster):

    def getInitParameters(self, tid):
        return {}

    def job_done(self, tid, result):
        TrackingJobMaster.job_done(self, tid, result)
        if self.hold and len(self.result) == 2:
            self.hold = 0
            self.stopMessageLoop()

    def done(self):
        print 'done', len(self.result)


def wait(condition):
    for i in range(300):
        if condition():
            return True
        time.sleep(0.1)
    return False


# it is held up, saved, and ended
m = M(dict([(i, i) for i in range(8)]), 1, [host, host], {'default': 0}, slave, verbose=0, redistribute=0)
m.hold = 1
print m.isStopped(), m.messageLoopIsStopped()
m.start()
print wait(m.messageLoopIsStopped), m.isStopped(), m.isAlive()
time.sleep(1)
n = len(m.result)
time.sleep(0.5)
rst = m.getRst()
print 3 <= n < 8, len(rst['result']) == n, n == len(m.result), len(cPickle.dumps(rst['status_objects'])) > 10
m.exit()
m.join(10)
print m.isAlive(), m.isStopped()
for key, state in rst['status_objects'].items():
    if state:
        rst['status_objects'][key] = None
again = restart(rst)
print len(again.calculateResult()), again.status.done(), sorted(again.result.keys()) == range(8)


# all by hand
class Boss(PVMMasterSlave):

    def __init__(self):
        PVMMasterSlave.__init__(self, verbose=0)
        self.up, self.ready, self.got = [], [], {}

    def getInitParameters(self, tid):
        return len(self.up)

    def messageLoopIsUp(self, tid):
        self.up.append(tid)
        PVMMasterSlave.messageLoopIsUp(self, tid)

    def initializationDone(self, tid):
        self.ready.append(tid)
        self.bind(2, tid, self.took)
        self.send(tid, 1, ({tid: 'item'},))

    def took(self, tid, result):
        self.got.update(result)


boss = Boss()
boss.start()
boss.startMessageLoop()
tids = [boss.spawn((settings.python_bin, ['-i', slave, '0'], 0, '', 1), 'slave %i' % i) for i in range(3)]
print wait(lambda: len(boss.got) == 3), sorted([value[0] for value in boss.got.values()]) == [1, 2, 3]
print sorted(boss.up) == sorted(boss.ready) == sorted(tids), sorted(boss.getTasks().keys()), boss.getTasks()['slave 0'] == tids[0]
bound = [tag for tid, tag in boss.getBindings().keys() if tid == tids[0]]
print [tag in bound for tag in (2, MSG_INITIALIZATION_DONE, MSG_MESSAGELOOP_UP)], [t for t in bound if '%r' % t != '%i' % t]
boss.exit()
boss.join(5)
print boss.isAlive(), boss.getParent(), pypvm.mytid() == boss.getTID()
sys.stdout.flush()
os._exit(0)
