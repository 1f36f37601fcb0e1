# Options, descriptors, versions and texts.


def getopt(int what):
    """Return the value of an option.

    Parameters
    ----------
    what : int
        An `Option`.

    Returns
    -------
    int
        The value; some options have negative ones.

    Raises
    ------
    BadParamError
        When there is no such option here.
    """
    cdef int value
    lock()
    try:
        pvm_errno_clear()
        value = pvm_getopt(what)
        if value < 0 and pvm_errno == value:
            fail(value, "getopt", f"option {what}")
        return value
    finally:
        unlock()


def setopt(int what, int val):
    """Set an option and return its value before.

    Parameters
    ----------
    what : int
        An `Option`.
    val : int
        The new value.

    Raises
    ------
    BadParamError
        When there is no such option here, or it cannot have that value.
    """
    cdef int before
    if what in LOCAL_OPTIONS:
        lock()
    else:
        ask()
    try:
        pvm_errno_clear()
        with nogil:
            before = pvm_setopt(what, val)
        if before < 0 and pvm_errno == before:
            fail(before, "setopt", f"option {what}, value {val}")
        return before
    finally:
        leave()


# Those that can be set without asking the daemon: all but the ones about the output and
# the tracing of this task, and NO_RESET.
LOCAL_OPTIONS = frozenset(range(1, 26)) - {4, 5, 6, 7, 12, 13, 14, 15, 21, 22, 23, 24, 25}


cdef void pvm_errno_clear() noexcept nogil:
    # pvm_getopt and pvm_setopt return values that may be negative; pvm_errno tells them
    # from errors.
    global pvm_errno
    pvm_errno = 0


def getfds():
    """Return the file descriptors that libpvm reads from, for looking only.

    Returns
    -------
    list of int
        The daemon's first; then one for each direct link, which come and go.
    """
    cdef int *fds
    cdef int count
    enter()
    try:
        count = check(pvm_getfds(&fds), "getfds")
        return [fds[i] for i in range(count)]
    finally:
        unlock()


def version():
    """Return the version of libpvm, such as ``'3.4.6'``."""
    return decode(pvm_version())


def strerror(code=None):
    """Return PVM's text of an error code, or of the last error when there is no code.

    Parameters
    ----------
    code : int, optional
        0 or negative.
    """
    cdef int number
    lock()
    try:
        number = pvm_errno if code is None else code
        if -pvm_nerr < number <= 0:
            return decode(pvm_errlist[-number])
        return "Unknown error code"
    finally:
        unlock()


def getrsh():
    """Return the program that PVM starts remote daemons with (``PVM_RSH``)."""
    return decode(pvmgetrsh())


def gettmp():
    """Return the folder of PVM's files on this host (``PVM_TMP``)."""
    return decode(pvmgettmp())
