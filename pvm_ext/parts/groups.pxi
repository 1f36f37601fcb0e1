# Groups, which libgpvm3 and the group server task `pvmgs` provide.
#
# libgpvm3 waits by pvm_recv and pvm_trecv, with what would be the lock held: a barrier
# would stop every other thread.  So this module defines these two names itself.  The
# loader then gives libgpvm3 these (the names of the module that pulls a library in come
# before those of other libraries), and they wait as everything else does here: the lock
# free, the thread asleep.  libpvm's own functions keep to their own.
#
# libgpvm3 has state of its own, so only one thread is in it at a time: `group_gate`.

import threading

cdef extern from * nogil:
    """
    static int (*receive_in_group)(int tid, int tag, double timeout);

    int pvm_recv(int tid, int tag)
    {
        return receive_in_group(tid, tag, -1);
    }

    int pvm_trecv(int tid, int tag, struct timeval *timeout)
    {
        return receive_in_group(tid, tag, timeout ? timeout->tv_sec + 1e-6 * timeout->tv_usec : -1);
    }

    extern int gstid;    /* of libgpvm3: the group server's tid */
    """
    int (*receive_in_group)(int, int, double) noexcept nogil
    int gstid

cdef enum:
    GROUP_CONTEXT = 0x7fffc    # SYSCTX_DG of pvmproto.h


cdef class GroupGate:
    """Lets one thread at a time into libgpvm3, and each only once."""

    cdef object lock
    cdef bint taken

    def __cinit__(self):
        self.lock = threading.RLock()

    def __enter__(self):
        self.lock.acquire()
        if self.taken:
            self.lock.release()
            raise error_for(
                PvmAlready, None, "a signal handler has interrupted a group call, and cannot make another"
            )
        self.taken = True

    def __exit__(self, *exc_info):
        self.taken = False
        self.lock.release()


group_gate = GroupGate()
cdef int user_context = 0         # the context outside of the group call that is under way
cdef int group_event = 0          # why its wait must end: an errno of PVM
cdef object group_error = None    # or what a signal handler or a reduction has raised


cdef int server_ended(int mid) noexcept nogil:
    # A message handler of libpvm: the group server is gone.
    global gstid, group_event
    cdef int tid
    if from_daemon(mid) and pvm_upkint(&tid, 1, 1) == 0 and tid == gstid:
        gstid = -1
        group_event = PvmSysErr
        wake_all()
    return 0


cdef int group_receive(int tid, int tag, double timeout) noexcept nogil:
    # What libgpvm3 gets as pvm_recv and pvm_trecv.
    cdef Thread *me = this_thread()
    cdef sigset_t signals
    cdef int mid
    if me.waiter == NULL:
        me.waiter = make_waiter()
    if me.waiter == NULL or depth != 1:
        return PvmNotImpl
    block_signals(&signals)
    mid = wait_in_group(me, tid, tag, timeout, &signals)
    restore_signals(&signals)
    return mid


cdef int wait_in_group(Thread *me, int tid, int tag, double timeout,
                       sigset_t *signals) noexcept nogil:
    # As `receive` does, with signals blocked.
    global user_context
    cdef Waiter *waiter = me.waiter
    cdef int mid, n, ready = 0, mine = pvmmytid, context = pvmmyctx
    cdef bint going_on
    waiter.tid = tid
    waiter.tag = tag
    waiter.table = NULL
    waiter.parts = False
    waiter.context = context
    while True:
        mid = look(waiter) if pvmmytid == mine else PvmSysErr
        if mid != 0 or timeout == 0:
            return mid
        if group_event != 0:
            return group_event
        n = gather_sockets(waiter, -1)
        if n < 0:
            return n
        line_up(waiter)
        pvm_setcontext(user_context)
        leave()
        me.waiter = NULL      # the handler of a signal may receive, too
        restore_signals(signals)
        going_on = signals_handled()
        block_signals(signals)
        if going_on and signals_handled():
            ready = ppoll_for(waiter.set, n, timeout, signals)
        else:
            going_on = False
        relock_blocked(me, signals)
        # another thread may have set it meanwhile
        user_context = pvm_setcontext(context)
        step_out(waiter)
        free_waiter(me.waiter)
        me.waiter = waiter
        if waiter.woken:
            clear_event(waiter.event)
        if not going_on:
            return PvmSysErr
        if ready == 0:
            timeout = 0


cdef int ppoll_for(pollfd *fds, int n, double timeout, sigset_t *signals) noexcept nogil:
    cdef timespec limit
    if timeout < 0:
        return ppoll(fds, n, NULL, signals)
    limit.tv_sec = <long>timeout
    limit.tv_nsec = <long>((timeout - limit.tv_sec) * 1e9)
    return ppoll(fds, n, &limit, signals)


cdef bint signals_handled() noexcept with gil:
    global group_error
    try:
        PyErr_CheckSignals()
    except BaseException as error:
        group_error = error
        return False
    return True


cdef int begin_group() except -1:
    """Make ready for a call of libgpvm3, with the lock and `group_gate` held."""
    global user_context, group_event, group_error
    cdef Waiter leftover
    cdef int mid
    user_context = pvmmyctx
    group_event = 0
    group_error = None
    if gstid < 0 or not server_known:
        find_server()
        return 0
    # an answer may be left for which an interrupted call has not waited
    memset(&leftover, 0, sizeof(leftover))
    leftover.tid, leftover.tag, leftover.context = gstid, -1, GROUP_CONTEXT
    with nogil:
        mid = pvm_setrbuf(0)
        while look(&leftover) > 0:
            pvm_freebuf(pvm_setrbuf(0))
        put_rbuf(mid)
    return 0


cdef bint server_known = False    # and watched, by this enrolment


cdef int find_server() except -1:
    """Start the group server where none is, and be told of its end."""
    global gstid, server_known
    import time

    from . import installation

    cdef int server = 0, before, mid, context, code
    cdef double end = now() + 30
    gstid = -1
    while True:
        with nogil:
            before = pvm_setrbuf(0)
            mid = pvm_recvinfo(b"pvmgs", 0, 0)
            if mid > 0:
                pvm_upkint(&server, 1, 1)
                pvm_freebuf(pvm_setrbuf(before))
            else:
                pvm_setrbuf(before)
        if mid > 0:
            break
        if mid != PvmNotFound:
            fail(mid, "recvinfo", "the mailbox of the group server cannot be read")
        if server == 0:
            server = start_server(installation)
        elif now() > end:
            raise error_for(PvmSysErr, "joingroup", "the group server was started but does not register")
        # it registers within milliseconds, and the daemon tells nobody of it
        time.sleep(0.005)
    with nogil:
        context = pvm_setcontext(PRIVATE_CONTEXT)
        pvm_addmhf(-1, SERVER_TAG, PRIVATE_CONTEXT, server_ended)
        code = pvm_notify(PvmTaskExit, SERVER_TAG, 1, &server)
        pvm_setcontext(context)
    check(code, "notify")
    server_known = True
    return 0


cdef int start_server(installation) except -1:
    # By its path, since it is in no search path of Debian's daemon; without output.
    cdef int output = pvm_setopt(PvmOutputTid, 0)
    cdef int tid
    try:
        for program in (os.fspath(installation.group_server()), "pvmgs"):
            tid, = spawn(program)
            if tid > 0:
                return tid
    finally:
        pvm_setopt(PvmOutputTid, output)
    raise error_for(tid, "joingroup", "the group server pvmgs cannot be started")


cdef int end_group(int code, str function, str detail) except? -1:
    """Return the result of a call of libgpvm3, or raise what went wrong in it."""
    global group_error, server_known
    pvm_setcontext(user_context)
    if group_error is not None:
        error, group_error = group_error, None
        raise error
    if group_event != 0:
        server_known = False
        raise error_for(group_event, function, f"{detail}: the group server has ended")
    if pvmmytid == -1 or connection_lost():
        fail(PvmSysErr, function, None)
    return check(code, function, detail)


def joingroup(group):
    """Join a group, which is made when it does not exist.

    Starts the group server when none is running.

    Parameters
    ----------
    group : str or bytes

    Returns
    -------
    int
        The instance number of this task: the smallest one that is free.

    Raises
    ------
    DupGroupError
        When the task is in it already.
    """
    return group_call(JOIN, group, 0, "joingroup")


def lvgroup(group):
    """Leave a group.

    Raises
    ------
    NoGroupError, NotInGroupError
    """
    group_call(LEAVE, group, 0, "lvgroup")


def gsize(group):
    """Return the number of members of a group."""
    return group_call(SIZE, group, 0, "gsize")


def gettid(group, int instance):
    """Return the tid of a member by its instance number.

    Raises
    ------
    NoGroupError, NoInstError
    """
    return group_call(TID, group, instance, "gettid")


def getinst(group, int tid):
    """Return the instance number of a member by its tid.

    Raises
    ------
    NoGroupError, NotInGroupError
    """
    return group_call(INSTANCE, group, tid, "getinst")


def barrier(group, int count=-1):
    """Wait until `count` members have called this.

    Other threads can use PVM meanwhile, but for groups.  Ctrl-C ends the wait; this task
    is then still counted as one that waits.

    Parameters
    ----------
    group : str or bytes
    count : int
        -1 for all members.

    Raises
    ------
    MismatchError
        When another member gave another count.
    """
    group_call(BARRIER, group, count, "barrier")


def bcast(group, int tag):
    """Send the active send buffer to all members of a group but the caller.

    Raises
    ------
    NoInstError
        When the caller is the only member.
    """
    group_call(BROADCAST, group, tag, "bcast")


def freezegroup(group, int size=-1):
    """Make a group unchangeable, so that its members need no more answers of the server.

    Waits until `size` members have called this.

    Returns
    -------
    int
        The number of members.
    """
    return group_call(FREEZE, group, size, "freezegroup")


cdef enum:
    JOIN, LEAVE, SIZE, TID, INSTANCE, BARRIER, BROADCAST, FREEZE


cdef object group_call(int what, group, int number, str function):
    cdef bytes name = encode(group, "group")
    cdef char *c_name = name
    cdef int code
    with group_gate:
        ask()
        try:
            if not name:
                raise error_for(-17, function)
            begin_group()
            with nogil:
                if what == JOIN:
                    code = pvm_joingroup(c_name)
                elif what == LEAVE:
                    code = pvm_lvgroup(c_name)
                elif what == SIZE:
                    code = pvm_gsize(c_name)
                elif what == TID:
                    code = pvm_gettid(c_name, number)
                elif what == INSTANCE:
                    code = pvm_getinst(c_name, number)
                elif what == BARRIER:
                    code = pvm_barrier(c_name, number)
                elif what == BROADCAST:
                    code = pvm_bcast(c_name, number)
                else:
                    code = pvm_freezegroup(c_name, number)
            return end_group(code, function, f"group {os.fsdecode(name)!r}")
        finally:
            leave()


# --- gather, scatter, reduce -------------------------------------------------------------

def gather(data, datatype, int tag, group, int root):
    """Collect the same number of items from every member on one of them.

    A long travels in 32 bits here; what does not fit raises.

    Parameters
    ----------
    data : buffer or sequence of numbers
        This member's items.
    datatype : int or None
        A `DataType`; None for that of the buffer `data`.
    tag : int
        A message tag, the same for all members.
    group : str or bytes
    root : int
        The instance number of the member that gets the result.

    Returns
    -------
    list of numbers or None
        On the root the items in the order of the instance numbers, else None.

    Raises
    ------
    NoInstError, NoGroupError, NotInGroupError
    BadParamError
        When PVM has no such operation for the type.
    """
    cdef Items items = items_for(data, datatype, "gather")
    return collective(GATHER, items, items.count, tag, group, root, "gather")


def scatter(data, int count, datatype, int tag, group, int root):
    """Give every member its share of what one of them has.

    A long travels in 32 bits here; what does not fit raises.

    Parameters
    ----------
    data : buffer or sequence of numbers, or None
        On the root `count` items for each member, in the order of the instance numbers;
        ignored elsewhere.
    count : int
        How many items each member gets.
    datatype : int
        A `DataType`.
    tag, group, root
        As in `gather`.

    Returns
    -------
    list of numbers
        This member's share.

    Raises
    ------
    ValueError
        On the root, when `data` has another number of items.
    """
    cdef Items items = items_for([] if data is None else data, datatype, "scatter")
    return collective(SCATTER, items, count, tag, group, root, "scatter")


def reduce(func, data, datatype, int tag, group, int root):
    """Combine the items of all members, item by item, into one result on one of them.

    A long travels in 32 bits here; what does not fit, a result on the way included,
    raises.

    Parameters
    ----------
    func : str or callable
        ``'max'``, ``'min'``, ``'sum'`` or ``'product'``: PVM's own functions; or a
        function of two lists of numbers that returns the combined list.  The order in
        which members are combined is not defined.
    data : buffer or sequence of numbers
        This member's items; they are not changed.
    datatype : int or None
        A `DataType` other than the unsigned ones; None for that of the buffer `data`.
    tag, group, root
        As in `gather`.

    Returns
    -------
    list of numbers or None
        On the root the result, else None.
    """
    cdef Items items = items_for(data, datatype, "reduce")
    if callable(func):
        pass
    elif func not in REDUCTIONS:
        raise ValueError(f"func must be {', '.join(map(repr, REDUCTIONS))} or callable, not {func!r}")
    return collective(REDUCE, items, items.count, tag, group, root, "reduce", func)


cdef enum:
    GATHER, SCATTER, REDUCE

cdef tuple REDUCTIONS = ("max", "min", "sum", "product")
cdef object reducer = None        # what `combine` applies
cdef int reduce_kind = 0


cdef enum:
    LATE_MEMBERS = 16


cdef object collective(int what, Items items, int count, int tag, group, int root,
                       str function, func=None):
    global reducer, reduce_kind
    cdef bytes name = encode(group, "group")
    cdef char *c_name = name
    cdef int kind = items.kind, datatype = DATA_TYPE_OF_KIND[items.kind]
    cdef int code, members, own = 0
    cdef Py_ssize_t share = SIZES[items.kind], room
    cdef bytearray here, there
    cdef char *c_here = NULL
    cdef char *c_there
    cdef str detail = f"group {os.fsdecode(name)!r}, root {root}"
    if count < 1:
        raise error_for(PvmBadParam, function, f"{detail}: {count} items")
    check_size(items, function)
    share *= count
    if share > INT_MAX:
        raise error_for(PvmOverflow, function, f"{detail}: {count} items; PVM counts in C ints")
    here = memory_of(items)
    check_long(kind, PyByteArray_AS_STRING(here), items.count, 1, function)
    with group_gate:
        ask()
        try:
            begin_group()
            reducer, reduce_kind = func, kind
            with nogil:
                members = pvm_gsize(c_name)
                own = pvm_getinst(c_name, pvmmytid) if members >= 0 else 0
            end_group(members, function, detail)
            end_group(own, function, detail)
            if what != REDUCE and share * members > INT_MAX:
                raise error_for(
                    PvmOverflow, function, f"{detail}: {count} items of {members} members; PVM counts in C ints"
                )
            # libgpvm3 asks for the size again, and trusts that there is memory for all: let
            # there be some for members that join just now
            room = share * (members + (LATE_MEMBERS if own == root else 0))
            if what == SCATTER:
                if own == root and items.count != <Py_ssize_t>members * count:
                    raise ValueError(
                        f"scatter: {items.count} items for {members} members that get {count} each"
                    )
                here += bytearray(room - len(here) if own == root else 1)
                there = bytearray(share)
            elif what == GATHER:
                there = bytearray(room if own == root else 1)
            else:
                there = bytearray()
            c_here, c_there = PyByteArray_AS_STRING(here), PyByteArray_AS_STRING(there)
            with nogil:
                if what == GATHER:
                    code = pvm_gather(c_there, c_here, count, datatype, tag, c_name, root)
                elif what == SCATTER:
                    code = pvm_scatter(c_there, c_here, count, datatype, tag, c_name, root)
                else:
                    code = pvm_reduce(combine, c_here, count, datatype, tag, c_name, root)
            end_group(code, function, detail)
        finally:
            reducer = None
            leave()
    if what != SCATTER and own != root:
        return None
    result = here if what == REDUCE else there[:share * members] if what == GATHER else there
    if kind == LONG:
        extend_sign(<long *>PyByteArray_AS_STRING(result), <int>(len(result) // sizeof(long)))
    return to_numbers(kind, bytes(result))


cdef bytearray memory_of(Items items):
    """Copy the items into memory of their own, without gaps."""
    cdef bytearray copy = PyByteArray_FromStringAndSize(NULL, items.view.len)
    if items.contiguous():
        memcpy(PyByteArray_AS_STRING(copy), items.view.buf, items.view.len)
    else:
        walk(items, PyByteArray_AS_STRING(copy), True)
    return copy


cdef void extend_sign(long *items, int count) noexcept nogil:
    cdef int i
    for i in range(count):
        items[i] = <int>items[i]


cdef void combine(int *datatype, void *x, void *y, int *count, int *info) noexcept nogil:
    # Called by libgpvm3 for every pair: x becomes the result.
    if reduce_kind == LONG:
        # both may have come through XDR, in which libpvm loses the upper 32 bits
        extend_sign(<long *>x, count[0])
        extend_sign(<long *>y, count[0])
    with gil:
        info[0] = combine_here(datatype, x, y, count)


cdef int combine_here(int *datatype, void *x, void *y, int *count) noexcept:
    global group_error
    cdef int info = 0
    cdef int size = SIZES[reduce_kind] * count[0]
    try:
        if reducer == "max":
            PvmMax(datatype, x, y, count, &info)
        elif reducer == "min":
            PvmMin(datatype, x, y, count, &info)
        elif reducer == "sum":
            PvmSum(datatype, x, y, count, &info)
        elif reducer == "product":
            PvmProduct(datatype, x, y, count, &info)
        else:
            result = from_numbers(reduce_kind, reducer(
                to_numbers(reduce_kind, PyBytes_FromStringAndSize(<char *>x, size)),
                to_numbers(reduce_kind, PyBytes_FromStringAndSize(<char *>y, size)),
            ), "reduce")
            if (<Items>result).count != count[0]:
                raise ValueError(
                    f"the function of reduce returned {(<Items>result).count} items instead of {count[0]}"
                )
            memcpy(x, (<Items>result).view.buf, size)
        if reduce_kind == LONG:
            check_long(LONG, x, count[0], 1, "reduce")
        return info
    except BaseException as error:
        group_error = error
        return PvmBadParam
