"""``subprocess``, ``commands`` and ``popen2``: what goes through pipes is 8-bit."""

from __future__ import annotations

import subprocess
import types
from typing import Any

from biskit_pvm.compat.python2.builtins import files
from biskit_pvm.compat.python2.builtins.strings import as_bytes, as_text, to_os
from biskit_pvm.compat.python2.registry import StandIn, new_module
from biskit_pvm.compat.python2.stdlib.eight_bit import eight_bit, python2_error
from biskit_pvm.compat.python2.stdlib.pipes import Pipe
from biskit_pvm.compat.python2.stdlib.programs import line_of_old, words_of_old


def _arguments(args: Any, executable: Any, shell: Any) -> Any:
    if not isinstance(args, str):
        words = [to_os(arg) for arg in args]
        return words if executable or shell else words_of_old(words)
    text = to_os(args)
    if shell:
        return line_of_old(text)
    return text if executable else words_of_old([text])


class Popen(subprocess.Popen):
    """Python 2's ``Popen``: unbuffered 8-bit pipes, descriptors kept open unless asked."""

    def __init__(
        self,
        args: Any,
        bufsize: int = 0,
        executable: Any = None,
        stdin: Any = None,
        stdout: Any = None,
        stderr: Any = None,
        preexec_fn: Any = None,
        close_fds: bool = False,
        shell: bool = False,
        cwd: Any = None,
        env: Any = None,
        universal_newlines: bool = False,
        startupinfo: Any = None,
        creationflags: int = 0,
    ) -> None:
        if env is not None:
            env = {to_os(key): to_os(env[key]) for key in env}
        for stream in (stdout, stderr):
            if isinstance(stream, files.File):
                stream.flush()
        try:
            super().__init__(
                _arguments(args, executable, shell),
                -1,
                to_os(executable),
                stdin,
                stdout,
                stderr,
                preexec_fn,
                bool(close_fds),
                bool(shell),
                to_os(cwd),
                env,
                startupinfo=startupinfo,
                creationflags=creationflags,
            )
        except OSError as error:
            # a program that is not there was not named
            if error.errno is not None and error.filename != to_os(cwd):
                error = OSError(error.errno, error.strerror)
            raise python2_error(error) from None
        self._raw_pipes = self.stdin, self.stdout, self.stderr
        mode = "rU" if universal_newlines else "r"
        self.stdin = self.stdin and _Unbuffered.over(self.stdin, "<fdopen>", "w")
        self.stdout = self.stdout and files.File.over(self.stdout, "<fdopen>", mode)
        self.stderr = self.stderr and files.File.over(self.stderr, "<fdopen>", mode)
        self._universal = universal_newlines

    def communicate(self, input: Any = None) -> tuple[str | None, str | None]:
        wrapped = self.stdin, self.stdout, self.stderr
        self.stdin, self.stdout, self.stderr = self._raw_pipes
        try:
            results = super().communicate(None if input is None else as_bytes(input))
        finally:
            self.stdin, self.stdout, self.stderr = wrapped
        texts = [None if data is None else as_text(data) for data in results]
        if self._universal:
            texts = [text and text.replace("\r\n", "\n").replace("\r", "\n") for text in texts]
        return texts[0], texts[1]


class _Unbuffered(files.File):
    """The input of a process: what is written is there at once, as Python 2's default buffer size of 0 had it."""

    def write(self, text: Any) -> None:
        super().write(text)
        self.flush()


class CalledProcessError(Exception):
    """A command that failed."""

    def __init__(self, returncode: int, cmd: Any, output: str | None = None) -> None:
        self.returncode, self.cmd, self.output = returncode, cmd, output

    def __str__(self) -> str:
        return f"Command '{self.cmd}' returned non-zero exit status {self.returncode}"


def call(*args: Any, **named: Any) -> int:
    """
    Run a command and give its return code.

    Parameters
    ----------
    args, named
        Those of `Popen`.

    Returns
    -------
    int
    """
    return Popen(*args, **named).wait()


def check_call(*args: Any, **named: Any) -> int:
    """
    Run a command that must succeed.

    Parameters
    ----------
    args, named
        Those of `Popen`.

    Returns
    -------
    int

    Raises
    ------
    CalledProcessError
    """
    code = call(*args, **named)
    if code:
        raise CalledProcessError(code, named.get("args") or args[0])
    return 0


def check_output(*args: Any, **named: Any) -> str:
    """
    Run a command that must succeed and give its output.

    Parameters
    ----------
    args, named
        Those of `Popen`.

    Returns
    -------
    str

    Raises
    ------
    CalledProcessError
    """
    process = Popen(*args, stdout=subprocess.PIPE, **named)
    output = process.communicate()[0]
    if process.returncode:
        raise CalledProcessError(process.returncode, named.get("args") or args[0], output)
    return output


def _subprocess() -> types.ModuleType:
    return StandIn(
        subprocess,
        {
            "Popen": Popen,
            "CalledProcessError": CalledProcessError,
            "call": call,
            "check_call": check_call,
            "check_output": check_output,
        },
        eight_bit,
    )


# -- commands: the status is that of wait(), not the exit code


def getstatusoutput(command: str) -> tuple[int, str]:
    """
    Run a shell command.

    Parameters
    ----------
    command : str

    Returns
    -------
    (int, str)
        Wait status, and standard output with errors, without the last newline.
    """
    pipe = Pipe.start("{ " + command + "; } 2>&1")
    text = pipe.read()
    status = pipe.close() or 0
    return status, text[:-1] if text[-1:] == "\n" else text


def _quoted(text: str) -> str:
    if "'" not in text:
        return " '" + text + "'"
    return ' "' + "".join("\\" + letter if letter in '\\$"`' else letter for letter in text) + '"'


def _commands() -> types.ModuleType:
    return new_module(
        "commands",
        {
            "getstatusoutput": getstatusoutput,
            "getoutput": lambda command: getstatusoutput(command)[1],
            "getstatus": lambda file: getstatusoutput("/bin/ls -ld" + _quoted(file))[1],
            "mkarg": _quoted,
        },
    )


# -- popen2


class Popen3:
    """
    A command with pipes to it and from it.

    Parameters
    ----------
    cmd : str or list
    capturestderr : bool
    bufsize : int
    """

    def __init__(self, cmd: Any, capturestderr: bool = False, bufsize: int = -1, errors: Any = None) -> None:
        self.cmd = cmd
        where = errors if errors is not None else (subprocess.PIPE if capturestderr else None)
        self._process = Popen(
            cmd, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=where, shell=isinstance(cmd, str)
        )
        self.tochild, self.fromchild = self._process.stdin, self._process.stdout
        self.childerr = self._process.stderr
        self.pid = self._process.pid
        self.sts = -1

    def poll(self, _deadstate: Any = None) -> int:
        code = self._process.poll()
        if code is not None:
            self.sts = -code if code < 0 else code << 8
        return self.sts

    def wait(self) -> int:
        self._process.wait()
        return self.poll()


class Popen4(Popen3):
    """A command whose errors come with its output."""

    def __init__(self, cmd: Any, bufsize: int = -1) -> None:
        super().__init__(cmd, errors=subprocess.STDOUT)
        self.childerr = None


def popen_files(command: Any, number: int) -> tuple:
    """
    Start a command for ``os.popen2``, ``os.popen3`` or ``os.popen4``.

    Parameters
    ----------
    command : str or list
    number : int

    Returns
    -------
    tuple of File
        Input and output; errors too for 3.
    """
    process = Popen4(command) if number == 4 else Popen3(command, number == 3)
    pipes = (process.tochild, process.fromchild, process.childerr)
    pipes[1]._popen = process
    return pipes[:3] if number == 3 else pipes[:2]


def _popen2() -> types.ModuleType:
    def reordered(number: int):
        def popen(cmd: Any, bufsize: int = -1, mode: str = "t") -> tuple:
            pipes = popen_files(cmd, number)
            return (pipes[1], pipes[0], *pipes[2:])

        popen.__name__ = f"popen{number}"
        return popen

    return new_module("popen2", {"Popen3": Popen3, "Popen4": Popen4, **{f"popen{n}": reordered(n) for n in (2, 3, 4)}})


MODULES = {"subprocess": _subprocess, "commands": _commands, "popen2": _popen2}
