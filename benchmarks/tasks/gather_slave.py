"""The slave of the gathering: returns an array, or bytes, of the wanted size for each item."""

from biskit_pvm import JobSlave


class Slave(JobSlave):
    """Make large results."""

    def initialize(self, parameters):
        """Take over kind and size in bytes."""
        self.kind, self.size = parameters

    def go(self, chunk):
        """Return one large object per item."""
        if self.kind == "bytes":
            return {key: bytes(self.size) for key in chunk}
        import numpy

        return {key: numpy.full(self.size // 8, float(key)) for key in chunk}


if __name__ == "__main__":
    import os
    import sys

    if len(sys.argv) == 2:
        os.nice(int(sys.argv[1]))
    slave = Slave()
    slave.start()
