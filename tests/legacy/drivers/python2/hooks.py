"""Tells in which order a master's hooks are called and with what; argv: python_bin of the slaves, if not the usual."""
import os, sys, threading, time
if len(sys.argv) > 1:
    import Biskit.settings as settings
    settings.python_bin = sys.argv[1]
from Biskit.PVM.Status import Status
from Biskit.PVM.TrackingJobMaster import TrackingJobMaster, restart
import Biskit.tools as T
host = os.uname()[1]
slave = os.path.join(os.path.dirname(os.path.abspath(sys.argv[0])), 'telling_slave.py')
log = []
class M(TrackingJobMaster):
    def start(self, *a, **k):
        log.append('start'); return TrackingJobMaster.start(self, *a, **k)
    def getInitParameters(self, tid):
        log.append(('init', self.hostnameFromTID(tid) == host, self.nicknameFromTID(tid)))
        return ('tuple', {'a': [1, 2.5, None, u'u', 3L]})
    def get_slave_chunk(self, keys):
        log.append(('chunk', list(keys))); return TrackingJobMaster.get_slave_chunk(self, keys)
    def start_job(self, tid):
        log.append(('start_job', sorted(self.progress[self.nicknameFromTID(tid)].keys()) if self.nicknameFromTID(tid) in self.progress else None))
        TrackingJobMaster.start_job(self, tid)
    def job_done(self, tid, result):
        log.append(('done', sorted(result.keys()), threading.currentThread() is self, [ (i, s) for i, s in sorted(self.status.objects.items())]))
        TrackingJobMaster.job_done(self, tid, result)
    def is_valid_slave(self, tid):
        log.append('valid'); return TrackingJobMaster.is_valid_slave(self, tid)
    def finish(self):
        log.append('finish'); TrackingJobMaster.finish(self)
    def cleanup(self):
        log.append('cleanup'); TrackingJobMaster.cleanup(self)
    def done(self):
        log.append('done()')
    def reportProgress(self):
        log.append('report')
def back(m): log.append(('back', m is master, len(m.getResult())))
data = {}
for i in range(7): data[i] = i * 1.5
master = M(data, 3, [host], {'default': 0}, slave_script=slave, verbose=0)
master.setCallback(back)
r = master.calculateResult()
for i in range(1000):  # the callback comes after the result
    if log[-1][0] == 'back': break
    time.sleep(0.01)
for l in log: print l
for k in sorted(r.keys()): print k, r[k]
print str(master.status), repr(master.status), master.status.done(), master.status.not_done(), master.status.activ()
p = master.progress[host]; print sorted(p.keys()), p['given'], p['done'], type(p['time']), type(p['timeStart'])
print master.slaves.__class__, master.hosts, master.niceness, master.chunk_size, master.current_pos, master.show_output, master.verbose, master.call_done is back
print isinstance(master, threading.Thread), [c.__name__ for c in M.__mro__[1:4]]
for f in (lambda: master.nicknameFromTID(5), lambda: master.hostnameFromTID(5)):
    try: print f()
    except Exception, e: print e.__class__.__name__, e
# what a saved master goes on with
class R(TrackingJobMaster):
    def getInitParameters(self, tid): return self.extra
m = R({1: 1, 2: 2, 3: 3}, 1, [host], {'default': 0}, slave_script=slave, verbose=0)
m.extra = 'first'
rst = m.getRst()
rst['status_objects'][1] = 0
rst['result'] = {1: 'kept'}
m2 = restart(rst)
print m2.__class__.__name__, m2.extra, sorted(m2.status.objects.items()), m2.result
m2.extra = 'second'
r = m2.calculateResult()
print r[1], [(k, r[k][0:2]) for k in (2, 3)]
# what is wrong, and how it is called
def wrong(f):
    try: print f()
    except Exception, e: print e.__class__, sys.exc_info()[0].__name__, type(e) is e.__class__, str(e)[:14]
wrong(lambda: M({1: 1}, 1, [], {'default': 0}, slave_script=slave, verbose=0).start())
wrong(lambda: M({1: 1}, 1, [], {'default': 0}, slave_script=slave, verbose=0).calculateResult())
wrong(master.start)
wrong(lambda: restart({}))
wrong(lambda: restart({'master_class': M}))
wrong(lambda: master.unbind((1, 2)))
wrong(lambda: master.is_valid_slave(5))
# a master whose status is asked
class Single(Status):
    def next_chunk(self, nmax):
        asked.append(nmax)
        return Status.next_chunk(self, 1)
asked = []
m3 = M(data, 3, [host], {'default': 0}, slave_script=slave, verbose=0)
m3.status = Single(data.keys())
del log[:]
print sorted(m3.calculateResult().keys()), [l[1] for l in log if l[0] == 'chunk'], asked[:7]
# the states of items
s = Status(range(6))
print s.next_chunk(2), s.next_chunk(3), s.activ(), s.not_started(), s.done()
s.deactivate(0)
print s.next_chunk(5), s.next_chunk(5), s.next_chunk(5), s.not_done(), s.objects
print s
named = Status(['TRAJ_%i' % i for i in range(8)] + ['bad'])
print named.next_chunk(5), named.not_started(), named.objects
print named
once = Status([1, 2], redistribute=0)
print once.next_chunk(9), once.next_chunk(9)
class Backwards(Status):
    def not_started(self):
        r = Status.not_started(self)
        r.reverse()
        return r
b = Backwards(range(5))
print b.next_chunk(2), b.next_chunk(2)
