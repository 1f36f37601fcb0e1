# Taking over parts of the daemon's work, tracing, clocks, and what is seldom used.


def reg_hoster():
    """Register this task as the one that starts the daemons of new hosts.

    The daemon then sends it messages (``SM_STHOST`` of pvmproto.h) instead.  A second
    call ends that.

    Raises
    ------
    HostrNMstrError
        When this is not the master host.
    """
    cdef int code
    ask()
    try:
        with nogil:
            code = pvm_reg_hoster()
        check(code, "reg_hoster")
    finally:
        leave()


def reg_tasker():
    """Register this task as the one that starts the tasks of its host.

    The daemon then sends it messages (``SM_STTASK`` of pvmproto.h) instead.  A second
    call ends that.
    """
    cdef int code
    ask()
    try:
        with nogil:
            code = pvm_reg_tasker()
        check(code, "reg_tasker")
    finally:
        leave()


def reg_rm():
    """Register this task as the resource manager of its host.

    Tasks that enrol later send their requests (``SM_SPAWN`` and others of pvmproto.h) to
    it.  A task that does not answer them brings the virtual machine to a halt.

    Returns
    -------
    HostInfo
        The host of this task.
    """
    from .records import HostInfo

    cdef int code
    cdef pvmhostinfo *host = NULL
    ask()
    try:
        with nogil:
            code = pvm_reg_rm(&host)
        check(code, "reg_rm")
        # libpvm leaves the data format as it was
        return HostInfo(host.hi_tid, decode(host.hi_name), decode(host.hi_arch), host.hi_speed,
                        pvmmydsig)
    finally:
        leave()


def reg_tracer(int trace_context, int trace_tag, int output_context, int output_tag, mask,
               int buffer=0, int options=1):
    """Register this task as the one that gets the trace events and output of later tasks.

    Parameters
    ----------
    trace_context, trace_tag : int
        Context and tag of the messages with trace events.
    output_context, output_tag : int
        Context and tag of the messages with output.
    mask : str
        A trace mask (`gettmask`).
    buffer : int
        Bytes that tasks collect before they send events.
    options : int
        A `TraceOptions`.
    """
    cdef bytes c_bytes = trace_mask(mask)
    cdef char *c_mask = c_bytes
    cdef int code
    ask()
    try:
        with nogil:
            code = pvm_reg_tracer(trace_context, trace_tag, output_context, output_tag, c_mask,
                                  buffer, options)
        check(code, "reg_tracer")
    finally:
        leave()


cdef bytes trace_mask(mask):
    cdef bytes encoded = encode(mask, "mask")
    if len(encoded) != TEV_MASK_LENGTH - 1:
        raise ValueError(f"a trace mask has {TEV_MASK_LENGTH - 1} characters, not {len(encoded)}")
    return encoded


def gettmask(int who):
    """Return a trace mask: which calls make trace events.

    Parameters
    ----------
    who : int
        A `TraceWho`.

    Returns
    -------
    str
        35 characters, each with the bits of four kinds of event; ``@`` stands for none.
    """
    cdef char[64] mask
    memset(mask, 0, sizeof(mask))
    enter()
    try:
        check(pvm_gettmask(who, mask), "gettmask", f"who {who}")
        return decode(mask)
    finally:
        leave()


def settmask(int who, mask):
    """Set a trace mask.

    Parameters
    ----------
    who : int
        A `TraceWho`.
    mask : str
        As `gettmask` gives it.
    """
    cdef bytes c_bytes = trace_mask(mask)
    enter()
    try:
        check(pvm_settmask(who, c_bytes), "settmask", f"who {who}")
    finally:
        leave()


def hostsync(int dtid):
    """Return the clock of a host, and how far it is behind that of this one.

    Waits for that host's answer.

    Parameters
    ----------
    dtid : int
        The tid of its daemon.

    Returns
    -------
    clock : float
        Seconds since the epoch there.
    delta : float
        Seconds that this host's clock is ahead of it.

    Raises
    ------
    NoHostError
        When there is no such host.
    """
    cdef timeval clock, delta
    cdef int code
    ask()
    try:
        with nogil:
            code = pvm_hostsync(dtid, &clock, &delta)
        check(code, "hostsync", f"host {dtid:#x}")
        return clock.tv_sec + clock.tv_usec * 1e-6, delta.tv_sec + delta.tv_usec * 1e-6
    finally:
        leave()


def archcode(arch):
    """Return the data format of an architecture that is in the virtual machine now.

    Parameters
    ----------
    arch : str or bytes
        PVM's name, such as ``'LINUX64'``.

    Raises
    ------
    NotFoundError
        When no host is of it.
    """
    cdef bytes c_bytes = encode(arch, "arch")
    cdef char *c_arch = c_bytes
    cdef int code
    ask()
    try:
        with nogil:
            code = pvm_archcode(c_arch)
        return check(code, "archcode", os.fsdecode(c_bytes))
    finally:
        leave()


def getnoresets():
    """Return the tids of the tasks that a reset of the machine does not end."""
    cdef int *table
    cdef int code, count = 0
    ask()
    try:
        with nogil:
            code = pvm_getnoresets(&table, &count)
        check(code, "getnoresets")
        return [table[i] for i in range(count)]
    finally:
        leave()


def tickle(args):
    """Poke the daemon, to debug it.

    Parameters
    ----------
    args : sequence of int
        1 to 10 numbers, as PVM's console takes them.

    Returns
    -------
    list of int
    """
    cdef Array numbers = ints(args, "args")
    cdef int code, narg = <int>len(numbers), nresp = 0
    # the daemon answers with as many numbers as its own limit allows
    cdef int[64] answers
    if not 1 <= narg <= 10:
        raise error_for(PvmBadParam, "tickle", f"{narg} numbers")
    ask()
    try:
        with nogil:
            code = pvm_tickle(narg, numbers.data.as_ints, &nresp, answers)
        check(code, "tickle")
        return [answers[i] for i in range(min(nresp, 64))]
    finally:
        leave()


def perror(message=""):
    """Print the last error of libpvm on the C library's stderr, with a message before it."""
    cdef bytes c_bytes = encode(message, "message")
    cdef int tid = start_buffer_call()
    try:
        # libpvm declares no limit, and copies
        pvm_perror(c_bytes[:200])
    finally:
        end_buffer_call(tid)


def export(name):
    """Have an environment variable given to the tasks that are spawned from now on.

    Its name goes into ``PVM_EXPORT``, of `os.environ` too.

    Parameters
    ----------
    name : str or bytes
        At most 199 bytes long.
    """
    cdef bytes encoded = encode(name)
    if not encoded or b"=" in encoded or b":" in encoded or len(encoded) > 199:
        raise ValueError(f"not the name of a variable that PVM can export: {name!r}")
    names = [part for part in os.environ.get("PVM_EXPORT", "").split(":") if part]
    if os.fsdecode(encoded) not in names:
        os.environ["PVM_EXPORT"] = ":".join([*names, os.fsdecode(encoded)])


def unexport(name):
    """Have an environment variable no longer given to tasks; no error when it was not."""
    wanted = os.fsdecode(encode(name))
    names = [part for part in os.environ.get("PVM_EXPORT", "").split(":") if part]
    if wanted in names:
        names.remove(wanted)
        if names:
            os.environ["PVM_EXPORT"] = ":".join(names)
        else:
            del os.environ["PVM_EXPORT"]


# --- messages within messages ------------------------------------------------------------

def setminfo(int bufid, ctx=None, tag=None, wid=None, src=None, dst=None):
    """Change the header of a message; what is None stays.

    Parameters
    ----------
    bufid : int
    ctx, tag, wid, src, dst : int, optional
        As in `MessageInfo`.
    """
    cdef pvmminfo info
    cdef int tid = start_buffer_call()
    try:
        check(pvm_getminfo(bufid, &info), "setminfo", f"buffer {bufid}")
        if ctx is not None:
            info.ctx = ctx
        if tag is not None:
            info.tag = tag
        if wid is not None:
            info.wid = wid
        if src is not None:
            info.src = src
        if dst is not None:
            info.dst = dst
        check(pvm_setminfo(bufid, &info), "setminfo", f"buffer {bufid}")
    finally:
        end_buffer_call(tid)


def pkmesg(int bufid):
    """Pack a message, header included, into the active send buffer; see `upkmesg`."""
    cdef int code, nbytes
    cdef int tid = start_buffer_call()
    try:
        if pvm_getsbuf() in pinned or bufid in pinned:
            raise error_for(PvmNotImpl, "pkmesg", "not with messages in place")
        if pvm_bufinfo(bufid, &nbytes, NULL, NULL) >= 0:
            make_room(<Py_ssize_t>nbytes + 64, "pkmesg")
        with nogil:
            code = pvm_pkmesg(bufid)
        check(code, "pkmesg", f"buffer {bufid}")
    finally:
        end_buffer_call(tid)


def pkmesgbody(int bufid):
    """Pack the body of a message into the active send buffer, as if packed there.

    Raises
    ------
    MismatchError
        When the two have different encodings.
    """
    cdef int code, nbytes
    cdef int tid = start_buffer_call()
    try:
        if pvm_getsbuf() in pinned or bufid in pinned:
            raise error_for(PvmNotImpl, "pkmesgbody", "not with messages in place")
        if pvm_bufinfo(bufid, &nbytes, NULL, NULL) >= 0:
            make_room(<Py_ssize_t>nbytes + 64, "pkmesgbody")
        with nogil:
            code = pvm_pkmesgbody(bufid)
        check(code, "pkmesgbody", f"buffer {bufid}")
    finally:
        end_buffer_call(tid)


def upkmesg():
    """Unpack a message that `pkmesg` has packed, into a buffer of its own.

    Returns
    -------
    int
        The number of the buffer, which is not active.
    """
    cdef int code
    cdef int tid = start_buffer_call()
    try:
        if pvm_getrbuf() <= 0:
            raise error_for(PvmNoBuf, "upkmesg")
        with nogil:
            code = pvm_upkmesg()
        return check(code, "upkmesg")
    finally:
        end_buffer_call(tid)
