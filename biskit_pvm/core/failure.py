"""What a slave tells its master of an exception."""

from __future__ import annotations

from typing import NamedTuple, Optional


class Failure(NamedTuple):
    """Why a job or a slave came to nothing.

    `kind` is the name of the exception, or one of 'died', 'timeout',
    'no result'; `exception` is the pickled exception where there is one.
    """

    kind: str
    message: str
    traceback: str = ''
    exception: Optional[bytes] = None
