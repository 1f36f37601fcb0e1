"""How Biskit reports errors."""

from __future__ import annotations

from typing import Any

from biskit_pvm.compat.biskit import tools
from biskit_pvm.compat.biskit.Errors import FatalError, NormalError
from biskit_pvm.compat.biskit.LogFile import ErrLog


class ErrorHandler:
    """
    Write errors to a log.

    Parameters
    ----------
    log : LogFile, optional
        Standard error by default.
    """

    def __init__(self, log: Any = None) -> None:
        self.log = log or ErrLog()

    def fatal(self, message: Any) -> None:
        """
        Report a fatal error with its traceback.

        Parameters
        ----------
        message : any

        Raises
        ------
        FatalError
            Always.
        """
        self.log.add(f"\nFatal Error: {message}\n\t{tools.lastError()}\nTraceBack: \n{tools.lastErrorTrace()}\n")
        raise FatalError

    def error(self, message: Any) -> None:
        """
        Report an error that is not necessarily a bug.

        Parameters
        ----------
        message : any

        Raises
        ------
        NormalError
            Always.
        """
        self.log.add(f"\nError: {message}\n\t{tools.lastError()}\nTraceBack: \n{tools.lastErrorTrace()}\n")
        raise NormalError

    def warning(self, message: Any, error: Any = 1, trace: Any = 0) -> None:
        """
        Report what is no reason to stop.

        Parameters
        ----------
        message : any
        error : bool
            Tell the present exception.
        trace : bool
            Tell its traceback, too.
        """
        text = f"\nWarning (ignored): {message}"
        if error or trace:
            text += f"\n\t{tools.lastError()}\n"
        if trace:
            text += f"\nTraceBack: \n{tools.lastErrorTrace()}\n"
        self.log.add(text)
