#!/usr/bin/env python
"""Divides integers, as Python 2 did."""
from Biskit.PVM import JobSlave
import Biskit.tools as T
import time


class Slave(JobSlave):

    def initialize(self, params):
        self.params = params

    def go(self, jobs):
        result = {}
        for key, value in jobs.iteritems():
            T.flushPrint(key + ' ')
            result[key] = value / self.params['factor'], '%s' % (value * 0.1)
            time.sleep(0.01)
        print "Done."
        return result


if __name__ == '__main__':
    import os, sys
    if len(sys.argv) == 2:
        os.nice(int(sys.argv[1]))
    slave = Slave()
    slave.start()
