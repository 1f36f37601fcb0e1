# What tasks print, brought here in pieces; output.py puts the pieces together.
#
# The daemons send what a task prints as messages to whom its spawner has named, here to
# this process in PRIVATE_CONTEXT, so that no receive of the program sees them.  libpvm
# hands them to `output_came` in the midst of its own functions.

from cpython.exc cimport PyErr_SetInterrupt

cdef object output_taker = None


cdef int output_came(int mid) noexcept with gil:
    # A message handler of libpvm: its message is the active receive buffer.
    global interrupted, handling
    cdef int tid, number, nbytes
    cdef bytes piece = b""
    if (not from_daemon(mid) or pvm_bufinfo(mid, &nbytes, NULL, NULL) < 0 or pvm_upkint(&tid, 1, 1) < 0
            or pvm_upkint(&number, 1, 1) < 0 or number > nbytes):
        return 0
    if number > 0:
        piece = PyBytes_FromStringAndSize(NULL, number)
        if pvm_upkbyte(PyBytes_AS_STRING(piece), number, 1) < 0:
            return 0
    handling += 1
    try:
        output_taker.take(tid, number, piece)
    except KeyboardInterrupt:
        # nothing can be raised through libpvm
        PyErr_SetInterrupt()
        interrupted = True
    finally:
        handling -= 1
    return 0


cdef int host_lost(int mid) noexcept with gil:
    # A message handler of libpvm: a host is gone, and with it what its tasks would print.
    cdef int dtid
    if from_daemon(mid) and pvm_upkint(&dtid, 1, 1) == 0:
        output_taker.lose_host(dtid)
    return 0


def _direct_output(taker):
    """Have the output of tasks that are spawned from now on brought here, or not any more.

    Parameters
    ----------
    taker : object or None
        Its ``take(tid, number, piece)`` is called for each message about the output of
        task `tid`, with the lock held: `number` is -2 when it was spawned, -1 when it
        begins, 0 at its end, and else the length of the bytes `piece`.
        ``lose_host(dtid)`` is called for hosts that `_watch_hosts` has named.

    Returns
    -------
    int
        The own tid.
    """
    global output_taker
    cdef bint here = taker is not None
    enter()
    try:
        if here:
            output_taker = taker
            with nogil:
                pvm_addmhf(-1, OUTPUT_TAG, PRIVATE_CONTEXT, output_came)
                pvm_addmhf(-1, LOST_HOST_TAG, PRIVATE_CONTEXT, host_lost)
        with nogil:
            pvm_setopt(PvmOutputTid, pvmmytid if here else 0)
            pvm_setopt(PvmOutputCode, OUTPUT_TAG if here else 0)
            pvm_setopt(PvmOutputContext, PRIVATE_CONTEXT if here else 0)
        return pvmmytid
    finally:
        leave()


def _watch_hosts(dtids):
    """Have ``lose_host`` called for each of these hosts that is lost or deleted."""
    cdef Array hosts = ints(dtids, "dtids")
    cdef int context, code, count = <int>len(hosts)
    enter()
    try:
        with nogil:
            context = pvm_setcontext(PRIVATE_CONTEXT)
            code = pvm_notify(PvmHostDelete, LOST_HOST_TAG, count, hosts.data.as_ints)
            pvm_setcontext(context)
        check(code, "notify")
    finally:
        leave()


def _own_tid():
    """Return the own tid, without enrolling; -1 when not enrolled."""
    return pvmmytid
