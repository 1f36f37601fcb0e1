# The one check of return codes.
#
# What few programs need is imported where it is used, so that starting a task is quick; but
# before `gate` is taken, since an import can wait for other threads.

import os

from .errors import PvmError, error_for


cdef int check(int code, str function, detail=None) except? -1:
    """Return the result of a call of libpvm, or raise its error."""
    if code < 0:
        fail(code, function, detail)
    return code


cdef int fail(int code, str function, detail=None) except -1:
    global matcher_error
    if matcher_error is not None:
        error, matcher_error = matcher_error, None
        raise error
    if code == PvmSysErr and connection_lost():
        forget_daemon()
        if detail is None:
            detail = "the connection to the local daemon is lost; the next call enrols anew"
    raise error_for(code, function, detail)
