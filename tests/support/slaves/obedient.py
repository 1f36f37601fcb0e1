"""A slave that does what each item says: (verb, argument)."""

import faulthandler
import os
import resource
import signal
import subprocess
import sys
import time

from biskit_pvm import JobSlave


class Unpicklable:
    """Refuses to be sent."""

    def __reduce__(self):
        raise TypeError("this cannot be pickled")


class Unreadable:
    """Can be sent, but not be read."""

    def __reduce__(self):
        return _explode, ()


def _explode():
    if __name__ == "__main__":
        raise TypeError("this cannot be read")


class Mute(Exception):
    """Has no words."""

    def __str__(self):
        raise RuntimeError("no words")


def nested(script):
    """Run a calculation of our own, inside this slave."""
    from biskit_pvm import TrackingJobMaster
    from biskit_pvm.machine import names

    data = {i: ("return", i) for i in range(3)}
    return TrackingJobMaster(
        data, 1, [names.own_host()], {"default": 0}, script, verbose=0, add_hosts=0
    ).calculateResult()


class Obedient(JobSlave):
    """Do what the items say."""

    def initialize(self, params):
        """Take over the parameters, which may be an order, too."""
        self.params = params
        if isinstance(params, dict) and "initialize" in params:
            self.do(*params["initialize"])

    def go(self, chunk):
        """Follow each order; an order may end everything."""
        return {item: self.do(*order) for item, order in chunk.items()}

    def do(self, verb, argument=None):
        """Follow one order and return its result."""
        if verb == "return":
            return argument
        if verb == "size":
            return len(argument)
        if verb == "sleep":
            time.sleep(argument)
            return argument
        if verb == "raise":
            raise ValueError(argument)
        if verb == "raise_mute":
            raise Mute
        if verb == "sys_exit":
            sys.exit(argument)
        if verb == "segfault":
            faulthandler._sigsegv()
        if verb == "memory":
            resource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31))
            return len(bytes(2**33))
        if verb == "nested":
            return nested(argument)
        if verb == "exit":
            os._exit(argument)
        if verb == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if verb == "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
        if verb == "once":  # (path, order): only the first who comes
            path, order = argument
            try:
                os.close(os.open(path, os.O_CREAT | os.O_EXCL))
            except FileExistsError:
                return "again"
            return self.do(*order)
        if verb == "until":  # wait for a file to appear, at most a minute
            for _ in range(6000):
                if os.path.exists(argument):
                    return "seen"
                time.sleep(0.01)
            raise TimeoutError(argument)
        if verb == "pid":
            return os.getpid()
        if verb == "nice":
            return os.nice(0)
        if verb == "where":  # after so many seconds
            time.sleep(argument)
            return f"{os.uname().nodename}:{os.nice(0)}"
        if verb == "params":
            return self.params
        if verb == "environ":
            return os.environ.get(argument)
        if verb == "print":
            print(argument)
            return argument
        if verb == "unpicklable":
            return Unpicklable()
        if verb == "unreadable":
            return Unreadable()
        if verb == "child":
            return subprocess.Popen(["sleep", str(argument)]).pid
        if verb == "hold":  # compute in C and let no other thread run
            import ctypes

            ctypes.PyDLL(None).sleep(argument)
        if verb == "array":
            import numpy

            return numpy.arange(argument, dtype=float)
        raise ValueError(f"unknown order {verb!r}")


if __name__ == "__main__":
    if len(sys.argv) == 2:
        os.nice(int(sys.argv[1]))
    Obedient().start()
