"""The slave of the farm: returns the item, or sleeps and returns how long it slept."""

import time

from biskit_pvm import JobSlave


class Slave(JobSlave):
    """Do next to nothing."""

    def initialize(self, seconds):
        """Take over how long a job lasts."""
        self.seconds = seconds

    def go(self, chunk):
        """Return the items, or the seconds that each took."""
        if not self.seconds:
            return dict(chunk)
        result = {}
        for key in chunk:
            begin = time.perf_counter()
            time.sleep(self.seconds)
            result[key] = time.perf_counter() - begin
        return result


if __name__ == "__main__":
    import os
    import sys

    if len(sys.argv) == 2:
        os.nice(int(sys.argv[1]))
    slave = Slave()
    slave.start()
