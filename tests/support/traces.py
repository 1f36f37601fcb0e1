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
    seen = {str(os.getpid())}
    # One that ends while this looks may have started another that is not in the list yet.
    while new := {name for name in os.listdir("/proc") if name.isdigit()} - seen:
        seen |= new
        for name in new:
            environment, command = _started_as(name)
            if wanted in environment:
                tests = [item for item in environment if item.startswith(b"PYTEST_CURRENT_TEST=")]
                test = b"".join(tests).partition(b"=")[2].decode(errors="replace")
                found.append(Process(int(name), command, test))
    return sorted(found, key=lambda process: process.pid)


def _started_as(pid: str) -> tuple[list[bytes], str]:
    """Return the environment and the command line of a process, both empty if it has ended."""
    folder = Path("/proc", pid)
    try:
        while True:
            environment = (folder / "environ").read_bytes()
            command = (folder / "cmdline").read_bytes()
            # Both are empty for a moment while a program takes the place of another.
            if environment or command or not (folder / "exe").exists():
                return environment.split(b"\0"), command.replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:  # it ended meanwhile, or is another user's
        return [], ""


def processes_of_run() -> list[Process]:
    """Return the living processes of this test run, without the tests' own process."""
    return processes_with(RUN_VARIABLE, os.environ[RUN_VARIABLE])
