# Message buffers, sending and receiving, as C programs do it.

cdef enum:
    XDR_ENCODING = 0x10000000
    IN_PLACE_ENCODING = 0x20000000
    # libpvm builds the headers of the pieces of an in-place message in a static array
    # that is too small for more; another six may be needed when a direct link breaks and
    # the message starts again through the daemon.
    MAX_PIECES = 6

cdef enum:
    # the largest C int, less what goes before the body in some cases
    LONGEST_BODY = 0x7fffffff - 4096

cdef int counted = 0                # the send buffer whose body is counted, and its bytes
cdef Py_ssize_t counted_bytes = 0
cdef dict pinned = {}    # bufid -> list of what an in-place buffer points at


cdef void unpin(int bufid):
    # The number of this buffer now stands for another one, or for none.
    global counted
    if bufid == counted:
        counted = 0
    if pinned:
        pinned.pop(bufid, None)


cdef int make_room(Py_ssize_t more, str function) except -1:
    """Count bytes that are about to be packed, and refuse those that libpvm cannot count."""
    global counted, counted_bytes
    cdef int bufid = pvm_getsbuf(), nbytes = 0
    if bufid <= 0:
        return 0
    if bufid != counted:
        # libpvm adds up all fragments for this, so it is asked only once
        pvm_bufinfo(bufid, &nbytes, NULL, NULL)
        counted = bufid
        counted_bytes = nbytes + sum([piece.nbytes for piece in pinned.get(bufid, ())])
    if more > LONGEST_BODY - counted_bytes:
        raise error_for(
            PvmOverflow, function,
            f"{counted_bytes + more} bytes in one message; PVM counts them in a C int. "
            "send_frames and send_object know no limit",
        )
    counted_bytes += more
    return 0


cdef int start_buffer_call() except? -2:
    # Calls that only handle buffers enrol when they can, and work without a daemon too.
    lock()
    if pvmmytid == -1:
        try:
            enrol()
        except PvmError:
            pass
        except BaseException:
            unlock()
            raise
    return pretend()


cdef void end_buffer_call(int tid) noexcept nogil:
    unpretend(tid)
    unlock()


cdef int check_encoding(int encoding, str function) except -1:
    if encoding == PvmDataInPlace and handling:
        raise error_for(
            PvmNotImpl, function,
            "not in a message handler: its messages are sent after it has returned",
        )
    return 0


def initsend(int encoding=0):
    """Make a new active send buffer for this thread; the one before is freed.

    Parameters
    ----------
    encoding : int
        A `DataEncoding`.  In place, at most 6 pieces can be packed, the data must not
        change before the message is sent, and strings cannot be packed.

    Returns
    -------
    int
        The number of the buffer.
    """
    cdef int bufid, before
    cdef int tid = start_buffer_call()
    try:
        check_encoding(encoding, "initsend")
        before = pvm_getsbuf()
        bufid = check(pvm_initsend(encoding), "initsend", f"encoding {encoding}")
        unpin(before)
        unpin(bufid)
        if encoding == PvmDataInPlace:
            pinned[bufid] = []
        return bufid
    finally:
        end_buffer_call(tid)


def mkbuf(int encoding=0):
    """Make a buffer, which is not active, and return its number.

    Parameters
    ----------
    encoding : int
        A `DataEncoding`.
    """
    cdef int bufid
    cdef int tid = start_buffer_call()
    try:
        check_encoding(encoding, "mkbuf")
        bufid = check(pvm_mkbuf(encoding), "mkbuf", f"encoding {encoding}")
        unpin(bufid)
        if encoding == PvmDataInPlace:
            pinned[bufid] = []
        return bufid
    finally:
        end_buffer_call(tid)


def freebuf(int bufid):
    """Free a buffer; 0 is allowed and does nothing.

    Raises
    ------
    NoSuchBufError
        When there is no such buffer.
    """
    cdef int tid = start_buffer_call()
    try:
        if bufid:
            check(pvm_freebuf(bufid), "freebuf", f"buffer {bufid}")
            unpin(bufid)
    finally:
        end_buffer_call(tid)


def getsbuf():
    """Return the number of this thread's active send buffer; 0 when it has none."""
    cdef int tid = start_buffer_call()
    try:
        return pvm_getsbuf()
    finally:
        end_buffer_call(tid)


def getrbuf():
    """Return the number of this thread's active receive buffer; 0 when it has none."""
    cdef int tid = start_buffer_call()
    try:
        return pvm_getrbuf()
    finally:
        end_buffer_call(tid)


def setsbuf(int bufid):
    """Make a buffer this thread's active send buffer, or none with 0.

    Returns
    -------
    int
        The one before, which is kept; 0 when there was none.
    """
    cdef int tid = start_buffer_call()
    try:
        return check(pvm_setsbuf(bufid), "setsbuf", f"buffer {bufid}")
    finally:
        end_buffer_call(tid)


def setrbuf(int bufid):
    """Make a buffer this thread's active receive buffer, or none with 0.

    Returns
    -------
    int
        The one before, which is kept; 0 when there was none.
    """
    cdef int tid = start_buffer_call()
    try:
        return check(pvm_setrbuf(bufid), "setrbuf", f"buffer {bufid}")
    finally:
        end_buffer_call(tid)


def bufinfo(int bufid):
    """Return length, tag and sender of a message.

    Returns
    -------
    BufferInfo
    """
    from .records import BufferInfo

    cdef int nbytes, tag, source
    cdef int tid = start_buffer_call()
    try:
        check(pvm_bufinfo(bufid, &nbytes, &tag, &source), "bufinfo", f"buffer {bufid}")
        return BufferInfo(nbytes, tag, source)
    finally:
        end_buffer_call(tid)


def getminfo(int bufid):
    """Return the header of a message.

    Returns
    -------
    MessageInfo
    """
    from .records import MessageInfo

    cdef pvmminfo info
    cdef int tid = start_buffer_call()
    try:
        check(pvm_getminfo(bufid, &info), "getminfo", f"buffer {bufid}")
        return MessageInfo(info.len, info.ctx, info.tag, info.wid, info.enc, info.crc,
                           info.src, info.dst)
    finally:
        end_buffer_call(tid)


# --- sending -----------------------------------------------------------------------------

cdef int sending_to = -1       # who gets what is being sent; 0 several, -1 nothing is sent
cdef double sending_since = 0


cdef enum:
    # libpvm queues what message handlers send, and aborts the process at 100
    MAX_HANDLER_SENDS = 90

cdef int handler_sends = 0


cdef int send_active(int *tids, int count, int tag, bint many, bint small) noexcept nogil:
    # Send the active buffer, which is `small` if it fits into any link that takes something,
    # and let `sending` tell of it.
    global sending_to, sending_since, handler_sends
    cdef int code, i
    cdef bint looked_after = False
    if queues != NULL and not going_out and not handling:
        for i in range(count):
            code = flush_queue(tids[i])
            if code < 0:
                return code
    if handling:
        if many:
            return PvmNotImpl
        handler_sends += 1
        if handler_sends > MAX_HANDLER_SENDS:
            return PvmOutOfRes
    elif limit_of_send > 0 and not many:
        looked_after = watch_send(tids[0], small)
    sending_since = now()
    sending_to = tids[0] if count == 1 else 0
    code = pvm_mcast(tids, count, tag) if many else pvm_send(tids[0], tag)
    sending_to = -1
    if looked_after:
        watch_no_more()
    return code


def send(int tid, int tag, patience=None):
    """Send the active send buffer to a task.  The buffer stays as it is.

    Returns when libpvm has handed the message over, which does not say that it was
    received; a message to a task that is gone is dropped without an error.  Over a direct
    link the call waits while the receiver does not read (see `abort_stuck_send`).

    Parameters
    ----------
    tid : int
        The receiver.
    tag : int
        The message tag, >= 0.
    patience : float, optional
        As in `send_frames`.

    Returns
    -------
    bool
        False when a link was given up.

    Raises
    ------
    NoBufError
        When nothing was packed by this thread.
    BadParamError
        When `tid` is no task's tid or `tag` is negative.
    """
    global limit_of_send
    cdef int code
    enter()
    try:
        limit_of_send = limit_of(patience)
        with nogil:
            code = send_active(&tid, 1, tag, False, False)
        limit_of_send = 0
        if code < 0:
            fail(code, "send", f"tid {tid:#x}, tag {tag}")
        return not link_given_up
    finally:
        leave()


def mcast(tids, int tag):
    """Send the active send buffer to several tasks, but never to the caller itself.

    Parameters
    ----------
    tids : sequence of int
        The receivers; each gets the message once.
    tag : int
        The message tag, >= 0.
    """
    cdef Array targets = ints(tids, "tids")
    cdef int count = <int>len(targets)
    cdef int code
    enter()
    try:
        with nogil:
            code = send_active(targets.data.as_ints, count, tag, True, False)
        check(code, "mcast", f"{count} tasks, tag {tag}")
    finally:
        leave()


def sending():
    """Tell what this process is sending at this moment.

    Needs no lock, so that one thread can see that another is stuck.

    Returns
    -------
    tuple of (int, float) or None
        The receiver's tid (0 for several) and for how many seconds libpvm has been
        sending; None when nothing is being sent.
    """
    cdef int tid = sending_to
    cdef double since = sending_since
    return None if tid == -1 else (tid, max(now() - since, 0.0))


# --- receiving ---------------------------------------------------------------------------

def recv(int tid=-1, int tag=-1):
    """Wait for a message and make it this thread's active receive buffer.

    Other threads can use PVM meanwhile, and signals are handled.  The active receive
    buffer before is freed.

    Parameters
    ----------
    tid : int
        The sender; -1 for any.
    tag : int
        The message tag; -1 for any.

    Returns
    -------
    int
        The number of the buffer.
    """
    enter()
    try:
        return check(receive(tid, tag, NULL, False, -1, -1), "recv")
    finally:
        leave()


def nrecv(int tid=-1, int tag=-1):
    """Receive a message if it is there.

    The active receive buffer before is freed in any case.

    Returns
    -------
    int
        The number of the buffer, the active receive buffer now; 0 when there is none.
    """
    enter()
    try:
        return check(receive(tid, tag, NULL, False, 0, -1), "nrecv")
    finally:
        leave()


def trecv(int tid=-1, int tag=-1, timeout=None):
    """Wait for a message for a limited time.

    Parameters
    ----------
    tid : int
        The sender; -1 for any.
    tag : int
        The message tag; -1 for any.
    timeout : float, optional
        Seconds; 0 or less looks once, None waits for ever.

    Returns
    -------
    int
        As `nrecv`.
    """
    cdef double limit = seconds(timeout)
    enter()
    try:
        return check(receive(tid, tag, NULL, False, limit, -1), "trecv")
    finally:
        leave()


def probe(int tid=-1, int tag=-1):
    """Look whether a message is there, and leave it there.

    Returns
    -------
    int
        The number of its buffer, for `bufinfo` and `getminfo`; 0 when there is none.
    """
    cdef int code
    enter()
    try:
        with nogil:
            code = pvm_probe(tid, tag)
        return check(code, "probe")
    finally:
        leave()
