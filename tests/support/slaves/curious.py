"""A slave that tells what it finds itself to be."""

import atexit
import os
import pickle
import random
import re
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from biskit_pvm import JobSlave

if __name__ == "__main__":
    # before anything of ours runs
    FOUND = {
        "name": __name__,
        "file": __file__,
        "names": sorted(globals()),
        "argv": list(sys.argv),
        "orig_argv": list(getattr(sys, "orig_argv", ())),
        "path": list(sys.path),
        "flags": str(sys.flags),
        "folder": os.getcwd(),
        "threads": len(os.listdir("/proc/self/task")),
        "environment": {
            name: value
            for name, value in os.environ.items()
            # numbers and keys of its own, each time
            if name not in ("PVMEPID", "PVMSOCK", "BISKIT_PVM_KEY", "BISKIT_PVM_MASTER", "BISKIT_PVM_ROOT")
        },
        "signals": [str(signal.getsignal(number)) for number in sorted(signal.valid_signals())],
        "masks": re.findall(r"^(?:SigBlk|SigIgn|SigCgt|Umask):.*", Path("/proc/self/status").read_text(), re.M),
        "limits": [resource.getrlimit(number) for number in range(16)],
        "streams": [
            (stream.fileno(), stream.encoding, stream.errors, stream.line_buffering, stream.write_through)
            for stream in (sys.stdin, sys.stdout, sys.stderr)
        ],
        "descriptors": [os.readlink(f"/proc/self/fd/{number}").partition("[")[0] for number in range(3)],
        "one pipe": os.fstat(1) == os.fstat(2),
        "group": os.getpgid(0) == os.getpgid(int(os.environ["PVMEPID"])),
        "session": os.getsid(0) == os.getsid(int(os.environ["PVMEPID"])),
        "priority": os.nice(0),
        "processors": sorted(os.sched_getaffinity(0)),
        "time": time.tzname,
        "hook": str(sys.excepthook),
        "main": sys.modules["__main__"].__dict__ is globals(),
        "wakeup": signal.set_wakeup_fd(-1),
        "executable": sys.executable,
    }


class Point:
    """Something of the main module."""

    def __init__(self, x):
        self.x = x

    def __eq__(self, other):
        return type(other) is Point and other.x == self.x


class Curious(JobSlave):
    """Tell what was found."""

    def go(self, chunk):
        """Return, for each item, what it asks for."""
        return {item: getattr(self, wanted)() for item, wanted in chunk.items()}

    def found(self):
        """What there was when the script began."""
        time.sleep(0.2)  # so that each slave gets one
        return FOUND

    def pickled(self):
        """Whether an object of the main module survives its pickle."""
        return pickle.loads(pickle.dumps(Point(3))) == Point(3) and Point.__module__ == "__main__"

    def chance(self):
        """Random numbers, and this process and its parent."""
        import numpy

        time.sleep(0.2)
        return random.random(), float(numpy.random.random()), os.getpid(), os.getppid()

    def at_work(self):
        """Be at work, and say so, until the gate opens."""
        folder = Path(os.environ["CURIOUS_FOLDER"])
        write_whole(folder / f"slave-{os.getpid()}", str(self.getTID()))
        while not (folder / "gate").exists():
            time.sleep(0.01)
        return os.getpid()

    def at_work_with_a_program(self):
        """The same, with a program that the slave has started."""
        program = subprocess.Popen(["sleep", "1000"])
        write_whole(Path(os.environ["CURIOUS_FOLDER"], f"program-{os.getpid()}"), str(program.pid))
        return self.at_work()

    def once(self):
        """End in the way that the environment says, but for the second one who comes."""
        try:
            os.close(os.open(Path(os.environ["CURIOUS_FOLDER"], "once"), os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return "again"
        print("my last words", flush=True)
        exec(os.environ["CURIOUS_END"], {"os": os})

    def place(self):
        """The host, this process and its parent."""
        time.sleep(0.2)
        return os.uname().nodename, os.getpid(), os.getppid()

    def main_thread(self):
        """Whether the main thread is there still."""
        return threading.main_thread().is_alive()


def write_whole(path, text):
    """Write a file that is whole when it is there."""
    path.with_suffix(".new").write_text(text)
    path.with_suffix(".new").rename(path)


if __name__ == "__main__":
    sys.stdout.write(f"from the script {sys.argv[1]}\n")
    if "CURIOUS_FOLDER" in os.environ:
        here = Path(os.environ["CURIOUS_FOLDER"])
        signal.signal(signal.SIGUSR1, lambda *_: write_whole(here / f"signal-{os.getpid()}", "USR1"))
        atexit.register(write_whole, here / f"atexit-{os.getpid()}", "")
    Curious().start()
