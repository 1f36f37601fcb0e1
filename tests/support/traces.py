"""Find what a test run has left behind: processes and files.

Every process of a run carries the run's name in its environment, and everything that it
writes outside pytest's own folders lies in the run's folder, so both can be found
without knowing who made them.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

RUN_VARIABLE = "BISKIT_PVM_TEST_RUN"


@dataclass(frozen=True)
class Process:
    """One running process, by its number and its command line, and the test that started it."""

    pid: int
    command: str
    test: str

    def __str__(self) -> str:
        return f"{self.pid} ({self.command}) of {self.test or 'no test'}"


def processes_with(variable: str, value: str) -> list[Process]:
    """Return the living processes that were started with ``variable=value``.

    The calling process is not among them.  Zombies have no environment and do not count.
    """
    wanted = f"{variable}={value}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            environment = (entry / "environ").read_bytes().split(b"\0")
            if wanted not in environment:
                continue
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:  # it ended meanwhile, or is another user's
            continue
        tests = [item.decode(errors="replace") for item in environment if item.startswith(b"PYTEST_CURRENT_TEST=")]
        found.append(Process(int(entry.name), command.strip(), "".join(tests).partition("=")[2]))
    return found


def processes_of_run() -> list[Process]:
    """Return the living processes of this test run, without the tests' own process."""
    return processes_with(RUN_VARIABLE, os.environ[RUN_VARIABLE])
