"""How many threads the numerical libraries of a slave start.

Left alone, each starts one per processor in each slave, so that a host with as many slaves as
processors does its work several times slower than it could.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS",
)


def thread_variables(n_processors: int, n_slaves: int, threads: int | None, given: Mapping[str, str]) -> dict[str, str]:
    """Return the environment variables by which libraries share a host's processors.

    Parameters
    ----------
    n_processors : int
        Of the host.
    n_slaves : int
        Slaves of the calculation on this host.
    threads : int or None
        Threads of each; None: processors / slaves, but at least one; 0: what the libraries like.
    given : mapping
        Variables that the caller sets for the slaves.  These, and those of the user's environment, hold.
    """
    own = {name: os.environ[name] for name in VARIABLES if name in os.environ}
    if threads != 0:
        number = threads or max(n_processors // max(n_slaves, 1), 1)
        own = {**dict.fromkeys(VARIABLES, str(number)), **own}
    return {name: value for name, value in own.items() if name not in given}


def usable_processors() -> int:
    """Return how many processors this process may use."""
    try:
        count = len(os.sched_getaffinity(0))
    except AttributeError:
        count = os.cpu_count() or 1
    limit = _group_limit()
    return max(min(count, limit), 1) if limit else count


def _group_limit() -> int:
    """Return how many processors the control group allows, rounded up; 0: no limit."""
    quota = period = ""
    try:
        with open("/proc/self/cgroup") as file:
            lines = file.read().splitlines()
        path = next((line.split(":", 2)[2] for line in lines if line.startswith("0::")), "/")
        for folder in (f"/sys/fs/cgroup{path}", "/sys/fs/cgroup"):
            if os.path.exists(f"{folder}/cpu.max"):
                with open(f"{folder}/cpu.max") as file:
                    quota, period = file.read().split()
                break
        else:
            with open("/sys/fs/cgroup/cpu/cpu.cfs_quota_us") as file:
                quota = file.read().strip()
            with open("/sys/fs/cgroup/cpu/cpu.cfs_period_us") as file:
                period = file.read().strip()
        if quota == "max" or int(quota) <= 0:
            return 0
        return -(-int(quota) // int(period))
    except (OSError, ValueError):
        return 0
