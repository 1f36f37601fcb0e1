"""Multiplies, and says who it was."""
import os
import sys

from Biskit.PVM import JobSlave


class Slave(JobSlave):

    def initialize(self, params):
        self.factor = params['factor']

    def go(self, data):
        who = 'original'
        if hasattr(sys, 'implementation'):
            who = 'old'
        result = {}
        for k in data.keys():
            result[k] = (data[k] * self.factor, who)
        return result


if __name__ == '__main__':
    if len(sys.argv) == 2:
        os.nice(int(sys.argv[1]))
    Slave().start()
