"""Run shell scripts on other hosts, by the program that PVM reaches them with."""

from __future__ import annotations

import math
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from biskit_pvm.machine import daemon

CONNECT_TIME = 10
"""Seconds that ssh may take for a connection."""


class RemoteError(Exception):
    """A script could not be run on a host; the text is what the remote shell said."""

    def __init__(self, program: str, text: str) -> None:
        super().__init__(text)
        self.program = program


def run_script(script: str, host: str | None, options: Sequence[str] = (), timeout: float = 60.0) -> str:
    """Run a shell script on a host and return what it prints.

    Parameters
    ----------
    script : str
        For a plain POSIX shell.  It comes by standard input, so it is seen in no list of
        processes.
    host : str or None
        Name of the host; None for this one.
    options : sequence of str
        Options as in a host file; ``lo=`` and ``ip=`` are obeyed.
    timeout : float
        Seconds.

    Raises
    ------
    RemoteError
        When the host cannot be reached, asks for a password, or the script fails or takes
        too long.
    """
    command = ["sh", "-s"]
    if host is not None:
        command = _remote_shell(host, options) + command
    try:
        done = subprocess.run(
            command,
            input=script,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            env={**os.environ, **daemon.environment()},
            start_new_session=True,  # no terminal to ask for a password on
        )
    except OSError as error:
        raise RemoteError(command[0], f"{command[0]}: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise RemoteError(command[0], f"no answer: timed out after {timeout:g} s") from error
    if done.returncode:
        raise RemoteError(command[0], done.stderr.strip() or f"it ended with {done.returncode}")
    return done.stdout


def start_script(
    script: str, host: str, options: Sequence[str] = (), connect_time: float = CONNECT_TIME
) -> subprocess.Popen[str]:
    """Start a shell script on another host; its output is to be read from the process.

    Parameters
    ----------
    script, host, options
        As those of `run_script`.
    connect_time : float
        Seconds that ssh may take for a connection.
    """
    process = subprocess.Popen(
        _remote_shell(host, options, connect_time) + ["sh", "-s"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env={**os.environ, **daemon.environment()},
        start_new_session=True,
    )
    assert process.stdin is not None
    try:
        process.stdin.write(script)
        process.stdin.close()
    except BrokenPipeError:  # it has failed already, and says why
        pass
    process.stdin = None
    return process


def _remote_shell(host: str, options: Sequence[str], connect_time: float = CONNECT_TIME) -> list[str]:
    given = dict(word.split("=", 1) for word in options if "=" in word)
    program = daemon.settings().get("PVM_RSH", "ssh")
    command = [program]
    if Path(program).name == "ssh":
        command += ["-o", "BatchMode=yes", "-o", f"ConnectTimeout={math.ceil(connect_time)}"]
    command.append(given.get("ip", host))
    if "lo" in given:
        command += ["-l", given["lo"]]
    return command
