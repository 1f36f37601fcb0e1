"""Multiplies seven numbers by what the slaves are initialized with; argv: slave script, python_bin of the slaves."""
import os
import sys

import Biskit.settings as settings

settings.python_bin = sys.argv[2]
from Biskit.PVM.TrackingJobMaster import TrackingJobMaster


class Master(TrackingJobMaster):

    def getInitParameters(self, slave_tid):
        return {'factor': 10}


data = {}
for i in range(7):
    data[i] = i
host = os.uname()[1]
master = Master(data, 2, [host, host], {'default': 0}, slave_script=sys.argv[1], verbose=0)
result = master.calculateResult()
print [(i, int(result[i][0]), str(result[i][1])) for i in sorted(result.keys())]
