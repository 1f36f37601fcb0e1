"""What masters tell while they run, and what can be done with them meanwhile; argv: python_bin of the slaves, if not the usual."""
import os
import re
import sys
import threading
import time
from cStringIO import StringIO

import Biskit.settings as settings
if len(sys.argv) > 1:
    settings.python_bin = sys.argv[1]
from Biskit.PVM.TrackingJobMaster import TrackingJobMaster, restart

slave = os.path.join(os.path.dirname(os.path.abspath(sys.argv[0])), 'telling_slave.py')
host = os.uname()[1]


def wait(condition):
    for i in range(300):
        if condition():
            return True
        time.sleep(0.1)
    return False


class M(TrackingJobMaster):

    wish = 0
    valid = 1

    def getInitParameters(self, tid):
        return {}

    def is_valid_slave(self, tid):
        return self.valid

    def job_done(self, tid, result):
        TrackingJobMaster.job_done(self, tid, result)
        p = self.progress[self.nicknameFromTID(tid)]
        log.append((result.keys(), p['given'], p['done'], self.status.activ(), self.status.not_started()))
        if self.wish and not self.status.not_started():
            self.wish = 0
            self.data['late'] = 99
            self.status.objects['late'] = None

    def done(self):
        print 'done', type(self.status.done()) is bool, threading.currentThread().getName() == self.getName()


def master(data, hosts, chunk_size=1, **kw):
    del log[:]
    return M(data, chunk_size, hosts, {'default': 0}, slave, redistribute=0, **kw)


log = []
# an item that comes late
m = master({1: 1, 2: 2, 3: 3}, [host], verbose=0)
m.wish = 1
m.setName('growing')
print sorted(m.calculateResult().keys())
for line in log:
    print line
print sorted(str(m.status).split('\n')), type(m.status.objects) is dict
# what is printed, with one host twice
out, sys.stdout = sys.stdout, StringIO()
m = master(dict([(i, i) for i in range(6)]), [host, host], 2)
m.calculateResult()
text, sys.stdout = sys.stdout.getvalue(), out
text = re.sub('[0-9]{6}', 'TID', text.replace(host, 'HOST'))
lines = [re.sub('HOST_[0-9]|[0-9] items', 'N', line).split('\t')[0].strip() for line in text.split('\n')]
for line in sorted(dict.fromkeys(lines).keys()):
    print repr(line)
print [line for line in text.split('\n') if 'given' in line], lines[0]
print sorted([d['nickname'] == '%s_%i' % (host, i) for i, d in enumerate(m.hosts)])
# a host that is not there
m = master({1: 1}, ['no-such-host.example', host], verbose=0)
print sorted(m.calculateResult().keys()), len(m.slaves), sorted(m.progress.keys()) == [host]
# a slave that is never valid gets one job
m = master({1: 1, 2: 2}, [host], verbose=0)
m.valid = 0
m.start()
print wait(lambda: log), log
time.sleep(1)
print m.progress[host]['given'], m.progress[host]['done'], m.status.done(), len(m.result)
m.exit()
# restarts
m = master({1: 1, 2: 2}, [host], verbose=0)
m.extra = [1, 2]
m.lost, m._private = threading.RLock(), 1
m.status.next_chunk(1)
rst = m.getRst()
print [k in rst for k in ('data', 'extra', 'status_objects', 'master_class', 'lost', '_private', 'status', 'lock')]
print sorted(rst['status_objects'].items()), rst['master_class'] is M
other = M({}, 1, [host], {'default': 0}, slave, verbose=0)
left = other.setRst(rst)
print left is rst, [k for k in ('status_objects', 'master_class') if k in rst], left['extra'], left['data']
other.__dict__.update(left)
print sorted(other.calculateResult().keys())
# hooks that fail
class Fails(M):

    def job_done(self, tid, result):
        raise ValueError('a mistake in my hook')


called = []
m = Fails({1: 1}, 1, [host], {'default': 0}, slave, verbose=0)
m.setCallback(called.append)
err, sys.stderr = sys.stderr, StringIO()
m.start()
print wait(lambda: not m.isAlive()), called, m.result
text, sys.stderr = sys.stderr.getvalue(), err
print 'Traceback' in text, text.strip().split('\n')[-1:]
sys.stdout.flush()
os._exit(0)
