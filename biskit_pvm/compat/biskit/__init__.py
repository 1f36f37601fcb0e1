"""
The small ``Biskit``: what PVM scripts use of it, for users without a Biskit tree.

Each module has the names and the behaviour of Biskit 2's, as far as master and slave scripts go; nothing here knows of
molecules. Where a Biskit 2 tree is on the path, it is used instead, and only ``Biskit.PVM`` is ours.
"""

from biskit_pvm.compat.biskit.ErrorHandler import ErrorHandler
from biskit_pvm.compat.biskit.Errors import BiskitError
from biskit_pvm.compat.biskit.ExeConfig import ExeConfig, ExeConfigError
from biskit_pvm.compat.biskit.ExeConfigCache import ExeConfigCache
from biskit_pvm.compat.biskit.LogFile import ErrLog, LogFile, StdLog

__version__ = "2.4.3"

#: reports errors to standard error
EHandler = ErrorHandler()

__all__ = [
    "BiskitError",
    "EHandler",
    "ErrLog",
    "ErrorHandler",
    "ExeConfig",
    "ExeConfigCache",
    "ExeConfigError",
    "LogFile",
    "StdLog",
]
