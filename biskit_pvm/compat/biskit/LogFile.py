"""Simple logs that can be passed between objects."""

from __future__ import annotations

import sys
from typing import Any

from biskit_pvm.compat.biskit import tools


class LogFile:
    """
    A log that is up to date after every line; its file is opened by the first.

    Parameters
    ----------
    fname : str
    mode : {'w', 'a'}
    """

    def __init__(self, fname: str, mode: str = "w") -> None:
        self.fname: str | None = tools.absfile(fname)
        self.mode: str | None = mode
        self._f: Any = None

    def f(self) -> Any:
        """
        Give the open file.

        Returns
        -------
        file
        """
        if self._f is None:
            self._f = open(self.fname, self.mode, encoding="latin-1", errors="backslashreplace")
        return self._f

    def write(self, s: str) -> None:
        """
        Write a text as it is.

        Parameters
        ----------
        s : str
        """
        self.add_nobreak(s)

    def writeln(self, s: Any) -> None:
        """
        Write a line.

        Parameters
        ----------
        s : str or list of str
        """
        self.add(s)

    def add(self, s: Any) -> None:
        """
        Write a line, or several.

        Parameters
        ----------
        s : str or list of str
        """
        for line in s if isinstance(s, list) else [s]:
            self.f().write(line)
            self.f().write("\n")
        self.f().flush()

    def add_nobreak(self, s: str) -> None:
        """
        Write a text as it is.

        Parameters
        ----------
        s : str
        """
        self.f().write(s)
        self.f().flush()

    def __del__(self) -> None:
        if getattr(self, "_f", None) is not None:
            self._f.close()
            self._f = None


class ErrLog(LogFile):
    """Standard error as a log."""

    def __init__(self) -> None:
        self.fname = self.mode = None
        self._f = sys.stderr

    def __del__(self) -> None:
        """Leave standard error open."""


class StdLog(LogFile):
    """Standard output as a log."""

    def __init__(self) -> None:
        self.fname = self.mode = None
        self._f = sys.stdout

    def __del__(self) -> None:
        """Leave standard output open."""
