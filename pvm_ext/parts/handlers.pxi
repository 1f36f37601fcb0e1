# Python functions that libpvm calls: message handlers, and the matching of messages.

import sys

cdef dict handlers = {}         # (src, tag, ctx) -> (id, function)


cdef int call_handler(int mid) noexcept with gil:
    # libpvm calls this for all handlers of Python; it allows no two that could take the
    # same message, so the header tells which one is meant.
    global interrupted, handling
    cdef pvmminfo info
    if pvm_getminfo(mid, &info) < 0:
        return 0
    for src in (info.src, -1):
        for tag in (info.tag, -1):
            for ctx in (info.ctx, -1):
                found = handlers.get((src, tag, ctx))
                if found is not None:
                    handling += 1
                    try:
                        found[1](mid)
                    except KeyboardInterrupt:
                        # nothing can be raised through libpvm
                        PyErr_SetInterrupt()
                        interrupted = True
                    except BaseException:
                        sys.excepthook(*sys.exc_info())
                    finally:
                        handling -= 1
                    return 0
    return 0


def addmhf(int src, int tag, int ctx, func):
    """Have a function called for each message that comes with this header.

    It is called in the midst of some call of PVM, by the thread that makes it, and the
    message is then consumed.  It gets the number of the message's buffer, which is the
    active receive buffer.  It may unpack it and send at most 90 messages, but not
    receive, multicast, or ask the daemon.  An exception in it is printed.

    Parameters
    ----------
    src : int
        The sender; -1 for any.
    tag : int
        The message tag; -1 for any.
    ctx : int
        The context; -1 for any.
    func : callable
        Called as ``func(bufid)``; what it returns is ignored.

    Returns
    -------
    int
        The id for `delmhf`.

    Raises
    ------
    ExistsError
        When there is a handler for such messages.
    """
    cdef int code
    if not callable(func):
        raise TypeError(f"the handler must be callable, not {func!r}")
    enter()
    try:
        code = check(pvm_addmhf(src, tag, ctx, call_handler), "addmhf")
        handlers[src, tag, ctx] = code, func
        return code
    finally:
        leave()


def delmhf(int mhid):
    """Remove a message handler.

    Raises
    ------
    NotFoundError
        When there is none of this id.
    """
    lock()
    try:
        key = next((key for key, (number, _) in handlers.items() if number == mhid), None)
        if key is None:
            raise error_for(PvmNotFound if mhid >= 0 else PvmBadParam, "delmhf", f"handler {mhid}")
        check(pvm_delmhf(mhid), "delmhf", f"handler {mhid}")
        del handlers[key]
    finally:
        unlock()


# --- matching ----------------------------------------------------------------------------

cdef enum:
    # SYSCTX_LAST and SYSCTX_FIRST of pvmproto.h
    FIRST_SYSTEM_CONTEXT = 0x7fff6
    LAST_SYSTEM_CONTEXT = 0x7ffff

cdef object matcher = None        # the function of `recvf`
cdef bint user_matches = False
cdef object matcher_error = None


cdef bint plain(Waiter *waiter) noexcept nogil:
    # One of recv and its relatives, not of frames.
    return not waiter.parts and waiter.table == NULL


cdef int ask_matcher(int mid, int tid, int tag) noexcept with gil:
    # Answers of the daemon that libpvm itself waits for are not asked about.
    global matcher_error
    cdef pvmminfo info
    if pvm_getminfo(mid, &info) < 0 or FIRST_SYSTEM_CONTEXT <= info.ctx <= LAST_SYSTEM_CONTEXT:
        return 0
    try:
        return matcher(mid, tid, tag)
    except BaseException as error:
        matcher_error = error
        return PvmSysErr


def recvf(func=None):
    """Have a function decide which messages are received.

    It decides for `recv`, `nrecv`, `trecv`, `precv`, `probe` and `recv_buffer`, not for
    `recv_frames` and `recv_object`.

    Parameters
    ----------
    func : callable or None
        Called as ``func(bufid, tid, tag)`` for each message in the queue, with the tid and
        the tag that are asked for.  It returns 1 to take this message, 0 not to take it,
        and a higher number to take the one with the highest if none gives 1.  It may only
        call `bufinfo` and `getminfo`.  None restores PVM's own rule.

    Returns
    -------
    callable or None
        The one before.
    """
    global matcher, user_matches
    if func is not None and not callable(func):
        raise TypeError(f"func must be callable or None, not {func!r}")
    lock()
    try:
        before, matcher = matcher, func
        user_matches = func is not None
        return before
    finally:
        leave()


# --- contexts ----------------------------------------------------------------------------

def newcontext():
    """Make a new context, which is not the current one, and return its number."""
    cdef int code
    ask()
    try:
        with nogil:
            code = pvm_newcontext()
        return check(code, "newcontext")
    finally:
        leave()


def freecontext(int ctx):
    """Give a context back.

    Raises
    ------
    NotFoundError
        When there is no such context.
    """
    cdef int code
    ask()
    try:
        with nogil:
            code = pvm_freecontext(ctx)
        check(code, "freecontext", f"context {ctx}")
    finally:
        leave()


def setcontext(int ctx):
    """Make a context the current one of this process, for all its threads.

    Messages are received only in the context that was current when they were sent.

    Returns
    -------
    int
        The one before.
    """
    if ctx < 0:
        raise ValueError(f"a context is 0 or more, not {ctx}")
    cdef int tid = start_buffer_call()
    try:
        return pvm_setcontext(ctx)
    finally:
        end_buffer_call(tid)


def getcontext():
    """Return the current context of this process; 0 is the base context."""
    cdef int tid = start_buffer_call()
    try:
        return pvm_getcontext()
    finally:
        end_buffer_call(tid)
