"""The slave of ``biskit_pvm.futures.PVMExecutor``."""

from biskit_pvm.calls import CallSlave

if __name__ == "__main__":
    import os
    import sys

    if len(sys.argv) == 2:
        os.nice(int(sys.argv[1]))
    slave = CallSlave()
    slave.start()
