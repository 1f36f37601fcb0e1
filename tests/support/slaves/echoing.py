"""A slave that gives back what it gets, by number and size."""

import os
import time
from pathlib import Path

from biskit_pvm import JobSlave


class Echoing(JobSlave):
    """Count what has come, so that a master can see the order."""

    done = 0

    def go(self, chunk):
        """Return, for each item, who has done it, as its how manyth, and the same bytes, or so many."""
        answer = {}
        for item, data in chunk.items():
            self.done += 1
            answer[item] = os.getpid(), self.done, bytes(data) if isinstance(data, int) else data
        if "ECHOING_FOLDER" in os.environ:
            folder = Path(os.environ["ECHOING_FOLDER"])
            (folder / f"slave-{os.getpid()}").touch()
            while not (folder / "gate").exists():
                time.sleep(0.01)
        return answer


if __name__ == "__main__":
    Echoing().start()
