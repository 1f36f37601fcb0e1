"""A real PVM virtual machine for tests, apart from any other on this computer."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Optional, Union

from pvm_ext import installation

from .traces import Process, processes_with
from .waiting import wait_for

Command = Sequence[Union[str, "os.PathLike[str]"]]

# pvmd's own words for each are in its log, which a failing start shows.
START_TIMEOUT = 30.0
END_TIMEOUT = 15.0


class VirtualMachine:
    """A pvmd of its own with everything that belongs to it; a context manager.

    The address file, the sockets and the log lie in a folder of its own with a short
    name (socket paths are limited to 107 bytes), so neither the user's PVM nor another
    test's can be touched.  Leaving the context ends every process of the machine, by
    number, and fails when one had to be killed for not going by itself.

    Parameters
    ----------
    env : mapping of str, optional
        Additions to the environment of the pvmd and so of every task; a value of None
        takes a variable out.
    pvmd_args : sequence of str
        Options and host file of the pvmd.

    Attributes
    ----------
    env : dict of str
        The environment that makes a process meet this machine.
    folder : Path
        The machine's ``PVM_TMP``.
    pvmd : subprocess.Popen
        The master pvmd.
    """

    def __init__(
        self,
        env: Mapping[str, str | None] | None = None,
        pvmd_args: Sequence[str] = (),
    ) -> None:
        self._additions = dict(env or {})
        self._pvmd_args = list(pvmd_args)
        self._children: list[subprocess.Popen[Any]] = []
        self.env: dict[str, str] = {}

    def __enter__(self) -> VirtualMachine:
        self.folder = Path(tempfile.mkdtemp(prefix="bp-", dir=_short_folder()))
        (self.folder / "home").mkdir()
        self.env = self._environment()
        try:
            self.pvmd = self._start()
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        left = self._end()
        log = self.log()
        shutil.rmtree(self.folder)
        # A test that failed already has the better message.
        if left and kind is None:
            names = ", ".join(map(str, left))
            raise AssertionError(f"had to be killed when its pvmd was gone: {names}\n{log}")

    def run(self, argv: Command, timeout: float = 60.0, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command in this machine's environment to its end.

        Parameters
        ----------
        argv : sequence
            Program and arguments.
        timeout : float
            Seconds; a command that takes longer is killed and raises TimeoutExpired.
        **options
            For subprocess.run; text, output and error are captured, exit code 0 is
            demanded unless ``check=False``.
        """
        options = {"text": True, "capture_output": True, "check": True, "env": self.env, **options}
        if options["capture_output"] and ("stdout" in options or "stderr" in options):
            options["capture_output"] = False
        try:
            return subprocess.run(argv, timeout=timeout, **options)
        except subprocess.CalledProcessError as error:
            raise AssertionError(f"{argv} ended with {error.returncode}\n{error.stdout}\n{error.stderr}") from error

    def popen(self, argv: Command, **options: Any) -> subprocess.Popen[str]:
        """Start a command in this machine's environment; it is ended with the machine.

        Text, and pipes for standard output and error, are the defaults of `options`.
        """
        options = {
            "text": True,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            "env": self.env,
            **options,
        }
        child = subprocess.Popen(argv, **options)
        self._children.append(child)
        return child

    def python(self, code: str, *argv: str, timeout: float = 60.0, **options: Any) -> str:
        """Run Python `code` in this machine's environment and return what it prints."""
        argv_ = [sys.executable, "-c", code, *argv]
        return self.run(argv_, timeout, **options).stdout  # type: ignore[no-any-return]

    def tasks(self) -> list[dict[str, Any]]:
        """Return the tasks of this machine, one dict per task, without the asking one."""
        code = (
            "import json, pvm_ext as p\n"
            "me = p.mytid()\n"
            "names = ('tid', 'ptid', 'dtid', 'flag', 'name', 'pid')\n"
            "rows = [{n: getattr(t, n) for n in names} for t in p.tasks() if t.tid != me]\n"
            "print(json.dumps(rows))\n"
            "p.exit()\n"
        )
        rows: list[dict[str, Any]] = json.loads(self.python(code))
        return rows

    def console(self, commands: str | Sequence[str], timeout: float = 30.0) -> str:
        """Give commands to PVM's own console and return what it answers.

        A pvmd that halts ends its tasks with SIGTERM, the console among them.
        """
        lines = [commands] if isinstance(commands, str) else list(commands)
        text = "\n".join([*lines, "quit", ""])
        done = self.run([installation.console()], timeout, input=text, check=False)
        assert done.returncode in (0, -signal.SIGTERM), done
        return done.stdout

    def halt(self) -> None:
        """Let the console halt the machine, and wait until its pvmd is gone."""
        self.console("halt")
        self.pvmd.wait(END_TIMEOUT)

    def processes(self) -> list[Process]:
        """Return the living processes of this machine, its pvmd among them."""
        return processes_with("PVM_TMP", str(self.folder))

    def log(self) -> str:
        """Return what the pvmds have logged."""
        logs = sorted(self.folder.glob("pvml.*"))
        return "\n".join(path.read_text(errors="replace") for path in logs)

    def _environment(self) -> dict[str, str]:
        outer = {name: value for name, value in os.environ.items() if not name.startswith("PVM")}
        # The one setting of the user's that tests obey: which PVM to test.
        if os.environ.get("PVM_ROOT"):
            outer["PVM_ROOT"] = os.environ["PVM_ROOT"]
        outer.update(installation.environment())
        outer.update(
            PVM_TMP=str(self.folder),
            PVM_VMID=self.folder.name,
            PVM_ALLOW_ROOT="1",
            HOME=str(self.folder / "home"),  # not the user's host file and settings
            PYTHONUNBUFFERED="1",
        )
        for name, value in self._additions.items():
            if value is None:
                outer.pop(name, None)
            else:
                outer[name] = value
        return outer

    def _start(self) -> subprocess.Popen[bytes]:
        # Should the tests be killed, their pvmd ends too, and takes its tasks with it.
        guard = ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []
        pvmd = subprocess.Popen(
            [*guard, installation.daemon(), *self._pvmd_args],
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C in the terminal is for pytest alone
        )
        # When it is ready, pvmd writes the path of its socket in one line and closes.
        assert pvmd.stdout is not None and pvmd.stderr is not None
        ready, _, _ = select.select([pvmd.stdout], [], [], START_TIMEOUT)
        line = pvmd.stdout.readline() if ready else b""
        if not line.startswith(b"/"):
            pvmd.kill()
            _, words = pvmd.communicate()
            raise RuntimeError(f"pvmd did not start: {words.decode()}\n{self.log()}")
        pvmd.stdout.close()
        pvmd.stderr.close()
        return pvmd

    def _end(self) -> list[Process]:
        """End the machine; return the processes that outlived their pvmd."""
        if self.pvmd.poll() is None:
            self.pvmd.send_signal(signal.SIGTERM)
            try:
                self.pvmd.wait(END_TIMEOUT)
            except subprocess.TimeoutExpired:
                self.pvmd.kill()
                self.pvmd.wait()
        for child in self._children:
            if child.poll() is None:
                child.terminate()
        for child in self._children:
            try:
                child.wait(END_TIMEOUT)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
            for pipe in (child.stdin, child.stdout, child.stderr):
                if pipe is not None:
                    pipe.close()
        try:
            wait_for(lambda: not self.processes(), END_TIMEOUT)
        except AssertionError:
            left = self.processes()
            _kill(left)
            return left
        return []


def _short_folder() -> str:
    """Return the folder of temporary files, or /tmp where its name is long."""
    folder = tempfile.gettempdir()
    return folder if len(folder) <= 40 else "/tmp"


def _kill(processes: Sequence[Process]) -> None:
    for process in processes:
        try:
            os.kill(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    end = time.monotonic() + END_TIMEOUT
    while any(Path(f"/proc/{p.pid}").exists() for p in processes) and time.monotonic() < end:
        time.sleep(0.01)
