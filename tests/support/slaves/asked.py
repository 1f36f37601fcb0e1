"""A slave whose items are (expression, object): it evaluates the one with the other as `it`."""

import os
import sys

from biskit_pvm import JobSlave


def mapped(array):
    """Tell where the memory of an array lies: in a file of a tmpfs, or elsewhere."""
    address = array.__array_interface__["data"][0]
    with open("/proc/self/maps") as maps:
        for line in maps:
            first, last = (int(end, 16) for end in line.split()[0].split("-"))
            if first <= address < last:
                return "/dev/shm/biskit-pvm-" in line
    return False


class Asked(JobSlave):
    """Evaluate what items ask."""

    def initialize(self, params):
        """Take over the parameters, which may tell to change themselves."""
        self.params = params
        if isinstance(params, dict) and "first" in params:
            exec(params["first"], {"params": params, "os": os})

    def go(self, chunk):
        """Answer."""
        return {
            item: eval(asked, {"it": it, "params": self.params, "mapped": mapped, "os": os})
            for item, (asked, it) in chunk.items()
        }


if __name__ == "__main__":
    if len(sys.argv) == 2:
        os.nice(int(sys.argv[1]))
    Asked().start()
