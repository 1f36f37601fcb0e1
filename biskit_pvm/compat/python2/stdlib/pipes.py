"""The files that a command at their other end reads or writes."""

from __future__ import annotations

import errno
import subprocess
from typing import Any

from biskit_pvm.compat.python2.builtins import files
from biskit_pvm.compat.python2.builtins.strings import to_os
from biskit_pvm.compat.python2.stdlib.programs import line_of_old, words_of_old


class Pipe(files.File):
    """What ``os.popen`` gives: a file whose ``close`` gives the wait status of the command, or None for 0."""

    @classmethod
    def start(cls, command: Any, mode: str = "r", bufsize: int = -1) -> Pipe:

        end = {"stdout": subprocess.PIPE} if mode[:1] == "r" else {"stdin": subprocess.PIPE}
        text = isinstance(command, str)
        what = line_of_old(to_os(command)) if text else words_of_old(map(to_os, command))
        process = subprocess.Popen(what, shell=text, close_fds=True, **end)
        raw = process.stdout if mode[:1] == "r" else process.stdin
        made = cls.over(raw, command if text else command[0], mode[:1])
        made._process = process
        return made

    def close(self) -> int | None:
        try:
            super().close()
        except OSError as error:
            # a command that has ended already: its status tells
            if error.errno != errno.EPIPE:
                raise
        code = self._process.wait()
        status = -code if code < 0 else code << 8
        return status or None

    def __del__(self) -> None:
        if not self._raw.closed:
            self._raw.close()
