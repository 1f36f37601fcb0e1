"""A slave that doubles the number of each item, and rests as long as the item says (s)."""

import os
import sys
import time

from biskit_pvm import JobSlave


class Slave(JobSlave):
    def go(self, chunk):
        time.sleep(sum(chunk.values()))
        return {item: 2 * item for item in chunk}


if __name__ == "__main__":
    if len(sys.argv) == 2:
        os.nice(int(sys.argv[1]))
    Slave().start()
