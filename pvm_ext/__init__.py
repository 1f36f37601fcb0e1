"""PVM 3.4 for Python: libpvm3 and libgpvm3 under their own names, without ``pvm_``.

Importing this package needs neither the library nor a daemon.
"""

from . import constants, errors, records
from .constants import *  # noqa: F403
from .errors import *  # noqa: F403
from .records import *  # noqa: F403

try:
    from ._pvm import *  # noqa: F403
    from .formats import packf, unpackf
    from .objects import Received, dump, load, recv_object, send_object
    from .output import catchout, exit

    #: Whether libpvm3 and its binding could be loaded.
    available = True
except ImportError as _error:
    available = False
    _reason = str(_error)

    def __getattr__(name: str) -> object:
        if name.startswith("_"):
            raise AttributeError(name)
        raise ImportError(
            f"pvm_ext.{name} is not there, since the binding of libpvm3 could not be loaded: {_reason}"
        )
