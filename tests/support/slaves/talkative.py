"""A slave that prints what it does; each item is the seconds that it takes."""

import os
import sys
import time

from biskit_pvm import JobSlave


class Slave(JobSlave):
    def initialize(self, params):
        print("ready on", os.uname().nodename)

    def go(self, chunk):
        result = {}
        for item, seconds in chunk.items():
            print("working on item", item)
            print("a warning about", item, file=sys.stderr)
            time.sleep(seconds)
            result[item] = os.uname().nodename
        return result


if __name__ == "__main__":
    if len(sys.argv) == 2:
        os.nice(int(sys.argv[1]))
    Slave().start()
