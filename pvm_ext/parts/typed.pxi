# Typed buffers: arrays sent from where they are and received into arrays of the caller's.
#
# The message is what a C program would make: one pack of the items, nothing else.  The
# type goes in the wait id of its header, so a receiver can tell a wrong one; messages of
# C programs have none there and are taken by their length.


cdef enum:
    TYPED_MARK = 0x54700000
    TYPED_MASK = 0x7ff00000

cdef tuple KIND_NAMES = (
    "byte", "short", "ushort", "int", "uint", "long", "ulong", "float", "double", "cplx", "dcplx",
)

# the buffer protocol's letters; "l" and "L" are kinds of their own
cdef dict KINDS = {
    "b": BYTE, "B": BYTE, "c": BYTE, "?": BYTE, "h": SHORT, "H": USHORT, "i": INT, "I": UINT,
    "l": LONG, "q": LONG, "L": ULONG, "Q": ULONG, "f": FLOAT, "d": DOUBLE, "Zf": CPLX, "Zd": DCPLX,
}


cdef int kind_of(Py_buffer *view) except -1:
    cdef str letter = (<bytes>view.format).decode() if view.format != NULL else "B"
    cdef int kind = KINDS.get(letter.lstrip("@="), -1)
    if letter[:1] in ("<", ">", "!") or kind < 0 or view.itemsize != SIZES[kind]:
        raise TypeError(
            f"PVM has no type for items of format {letter!r}, {view.itemsize} bytes each; "
            "it has " + ", ".join(KIND_NAMES)
        )
    return kind


cdef class Items:
    # The exported memory of an array, held until libpvm is done with it.
    cdef Py_buffer view
    cdef bint held
    cdef int kind
    cdef Py_ssize_t count
    cdef char *gathered     # the same without gaps

    def __cinit__(self, buffer, bint writable):
        PyObject_GetBuffer(
            buffer, &self.view, PyBUF_FORMAT | PyBUF_STRIDES | (PyBUF_WRITABLE if writable else 0)
        )
        self.held = True
        self.kind = kind_of(&self.view)
        self.count = self.view.len // SIZES[self.kind]

    def __dealloc__(self):
        free(self.gathered)
        if self.held:
            PyBuffer_Release(&self.view)

    cdef bint contiguous(self) noexcept nogil:
        cdef Py_ssize_t expected = self.view.itemsize
        cdef int i
        for i in range(self.view.ndim - 1, -1, -1):
            if self.view.shape[i] != 1 and self.view.strides[i] != expected:
                return self.count == 0
            expected *= self.view.shape[i]
        return True

    cdef void *linear(self) except NULL:
        # Memory without gaps: its own, or some to gather into and to scatter from.
        if self.contiguous():
            return self.view.buf if self.count else <void *>&self.kind
        self.gathered = <char *>malloc(self.view.len)
        if self.gathered == NULL:
            raise MemoryError
        return self.gathered


cdef void walk(Items items, char *linear, bint gathering) noexcept nogil:
    # Copy between an array with gaps and linear memory, in the order of the indices.
    cdef Py_ssize_t[64] index
    cdef Py_buffer *view = &items.view
    cdef Py_ssize_t size = view.itemsize, length = view.shape[view.ndim - 1]
    cdef Py_ssize_t step = view.strides[view.ndim - 1], i
    cdef char *row = <char *>view.buf
    cdef int axis
    memset(index, 0, sizeof(index))
    while True:
        for i in range(length):
            if gathering:
                memcpy(linear, row + i * step, size)
            else:
                memcpy(row + i * step, linear, size)
            linear += size
        axis = view.ndim - 2
        while axis >= 0:
            index[axis] += 1
            row += view.strides[axis]
            if index[axis] < view.shape[axis]:
                break
            row -= view.strides[axis] * view.shape[axis]
            index[axis] = 0
            axis -= 1
        if axis < 0:
            return


cdef int check_size(Items items, str function) except -1:
    if items.view.len > INT_MAX or items.count > INT_MAX:
        raise error_for(
            PvmOverflow, function,
            f"{items.view.len} bytes; PVM counts in C ints. Send it in slices, or use send_object",
        )
    return 0


def send_buffer(tids, int tag, buffer, int encoding=-1):
    """Send an array of numbers, as a C program would.

    A C program receives it with the unpacking function of the type.

    Parameters
    ----------
    tids : int or sequence of int
        The receiver or receivers; the caller may be among them.
    tag : int
        The message tag, >= 0.
    buffer : buffer
        Anything with the buffer protocol whose items are a C type: a NumPy array, an
        array.array, bytes.  Contiguous memory is sent from where it is.
    encoding : int, optional
        A `DataEncoding`; by default raw or in place, whichever is faster.  Between hosts
        with different data formats it must be `DataEncoding.DEFAULT`.

    Raises
    ------
    TypeError
        When the items are of no type that PVM has.
    PvmOverflowError
        When the array is larger than 2 GiB, or a long does not fit XDR.
    """
    cdef Items items = Items(buffer, False)
    cdef Array targets
    cdef int one = 0, count = 1, code, bufid, before
    cdef int *c_tids = &one
    cdef void *data = items.linear()
    cdef pvmminfo info
    check_size(items, "send_buffer")
    if hasattr(tids, "__index__"):
        one = tids.__index__()
    else:
        targets = ints(tids, "tids")
        c_tids, count = targets.data.as_ints, <int>len(targets)
    if encoding == -1:
        encoding = PvmDataInPlace if items.view.len > PACKED else PvmDataRaw
    if items.gathered != NULL:
        walk(items, items.gathered, True)
    if encoding == PvmDataDefault:
        if packed_size(items.kind, items.count, XDR_ENCODING) > LONGEST_BODY:
            raise error_for(PvmOverflow, "send_buffer", f"{items.count} items are too many for XDR")
        check_long(items.kind, data, items.count, 1, "send_buffer")
    enter()
    try:
        bufid = check(pvm_mkbuf(encoding), "send_buffer", f"encoding {encoding}")
        with nogil:
            before = pvm_setsbuf(bufid)
            code = pack(items.kind, data, <int>items.count, 1)
            if code >= 0 and pvm_getminfo(bufid, &info) >= 0:
                info.wid = TYPED_MARK | items.kind
                pvm_setminfo(bufid, &info)
                code = deliver(c_tids, count, tag, False)
            pvm_freebuf(put_sbuf(before))
        check(code, "send_buffer", describe(tids, tag))
    finally:
        leave()


def recv_buffer(target, int tid=-1, int tag=-1, timeout=None):
    """Wait for an array of numbers and put it into an array that is there.

    Parameters
    ----------
    target : writable buffer
        An array of the type and number of items that come, contiguous or not; it is
        filled in the order of its indices.
    tid : int
        The sender; -1 for any.
    tag : int
        The message tag; -1 for any.
    timeout : float, optional
        Seconds; 0 looks once, None waits for ever.

    Returns
    -------
    BufferInfo or None
        Length in bytes, tag and sender; None when the time is over.

    Raises
    ------
    TypeError
        When the items are of another type.
    ValueError
        When they are more or fewer.
    BufferError
        When `target` is read-only.
    BadMsgError
        When they are in the data format of another kind of computer.

    After these errors the message is this thread's active receive buffer, and can be
    unpacked otherwise; `target` is as it was.
    """
    from .records import BufferInfo

    cdef Items items = Items(target, True)
    cdef double limit = seconds(timeout)
    cdef int mid, code
    cdef pvmminfo info
    cdef void *data
    check_size(items, "recv_buffer")
    enter()
    try:
        mid = check(receive(tid, tag, NULL, False, limit, -1), "recv_buffer")
        if mid == 0:
            return None
        check(pvm_getminfo(mid, &info), "recv_buffer")
        check_message(items, &info)
        data = items.linear()
        with nogil:
            code = unpack(items.kind, data, <int>items.count, 1, info.enc == XDR_ENCODING)
            if code >= 0 and items.gathered != NULL:
                walk(items, items.gathered, False)
        check(code, "recv_buffer")
        pvm_freebuf(pvm_setrbuf(0))
        return BufferInfo(info.len, info.tag, info.src)
    finally:
        leave()


cdef int check_message(Items items, pvmminfo *info) except -1:
    """Compare the active receive buffer with the array that it is to fill."""
    cdef Py_ssize_t expected
    origin = f"the message from {info.src:#x} with tag {info.tag}"
    if is_marked(info.wid):
        raise TypeError(f"{origin} is one of send_frames or send_object")
    if info.wid & TYPED_MASK == TYPED_MARK and info.wid & ~TYPED_MASK != items.kind:
        sent = info.wid & ~TYPED_MASK
        name = KIND_NAMES[sent] if sent < len(KIND_NAMES) else "?"
        raise TypeError(f"{origin} holds items of type {name}, the target {KIND_NAMES[items.kind]}")
    if info.enc == XDR_ENCODING:
        expected = items.count * XDR_SIZES[items.kind]
        if items.kind == BYTE:
            expected = (expected + 3) // 4 * 4
    elif info.enc == pvmmydsig:
        expected = items.view.len
    else:
        raise error_for(
            PvmBadMsg, "recv_buffer",
            f"{origin} is in the data format of another kind of computer ({info.enc:#x}); "
            "it must be sent with DataEncoding.DEFAULT",
        )
    if info.len != expected:
        raise ValueError(
            f"{origin} has {info.len} bytes, but {items.count} items of type "
            f"{KIND_NAMES[items.kind]} have {expected}"
        )
    return 0


# --- pvm_psend and pvm_precv -------------------------------------------------------------

cdef int[12] KIND_OF_DATA_TYPE = [-1, BYTE, SHORT, INT, FLOAT, CPLX, DOUBLE, DCPLX, LONG, USHORT,
                                  UINT, ULONG]
cdef int[11] DATA_TYPE_OF_KIND = [1, 2, 9, 3, 10, 8, 11, 4, 6, 5, 7]


cdef int kind_of_data_type(int datatype, str function) except -1:
    if datatype == 0:
        raise error_for(PvmNotImpl, function, "PVM has strings in no typed call")
    if not 1 <= datatype <= 11:
        raise error_for(PvmBadParam, function, f"data type {datatype}")
    return KIND_OF_DATA_TYPE[datatype]


cdef Items items_for(data, datatype, str function):
    """Export an array, or make one of Python numbers of a data type."""
    cdef int kind
    if datatype is None:
        return Items(data, False)
    kind = kind_of_data_type(datatype, function)
    if PyObject_CheckBuffer(data):
        items = Items(data, False)
        if items.kind == kind:
            return items
        raise TypeError(
            f"{function}: items of type {KIND_NAMES[items.kind]} given as {KIND_NAMES[kind]}"
        )
    return from_numbers(kind, data, function)


cdef Items from_numbers(int kind, data, str function):
    cdef Items items = Items(numbers(kind, data, function), False)
    items.kind = kind
    items.count = items.view.len // SIZES[kind]
    return items


cdef list to_numbers(int kind, bytes data):
    """Make Python numbers of the memory of C ones."""
    flat = memoryview(data).cast(LETTERS[kind]).tolist()
    if kind == CPLX or kind == DCPLX:
        return [complex(*pair) for pair in zip(flat[::2], flat[1::2])]
    return flat


def psend(int tid, int tag, data, datatype=None):
    """Pack and send in one step; the active send buffer stays as it is.

    The items go in this host's data format and are not converted.

    Parameters
    ----------
    tid : int
        The receiver.
    tag : int
        The message tag, >= 0.
    data : buffer or sequence of numbers
        Anything with the buffer protocol whose items are a C type, or Python numbers with `datatype`.
    datatype : int, optional
        A `DataType`; by default that of `data`.
    """
    cdef Items items = items_for(data, datatype, "psend")
    cdef int code
    cdef void *memory = items.linear()
    check_size(items, "psend")
    if items.gathered != NULL:
        walk(items, items.gathered, True)
    enter()
    try:
        with nogil:
            code = pvm_psend(tid, tag, memory, <int>items.count,
                             DATA_TYPE_OF_KIND[items.kind])
        check(code, "psend", f"tid {tid:#x}, tag {tag}")
    finally:
        leave()


def precv(int tid, int tag, int nitem, int datatype):
    """Receive and unpack in one step; the active receive buffer stays as it is.

    Parameters
    ----------
    tid : int
        The sender; -1 for any.
    tag : int
        The message tag; -1 for any.
    nitem : int
        How many items at most; the rest of a longer message is dropped.
    datatype : int
        A `DataType`.

    Returns
    -------
    data : list of numbers
    tid : int
        The sender.
    tag : int
        The message tag.
    nbytes : int
        The length of the whole message.
    """
    cdef int kind = kind_of_data_type(datatype, "precv")
    cdef int before, mid, nbytes, size, code
    cdef pvmminfo info
    cdef bytes data
    cdef char *c_data
    if nitem < 0:
        raise error_for(PvmBadParam, "precv", f"{nitem} items")
    enter()
    try:
        # pvm_precv would hold the lock while it waits
        before = pvm_setrbuf(0)
        try:
            mid = check(receive(tid, tag, NULL, False, -1, -1), "precv")
            check(pvm_getminfo(mid, &info), "precv")
            size = <int>min(<Py_ssize_t>nitem * SIZES[kind], info.len) // SIZES[kind] * SIZES[kind]
            data = PyBytes_FromStringAndSize(NULL, size)
            c_data = PyBytes_AS_STRING(data)
            with nogil:
                code = pvm_upkbyte(c_data, size, 1)
                pvm_freebuf(pvm_setrbuf(0))
            check(code, "precv")
        finally:
            if holder == this_thread():
                pvm_setrbuf(before)
    finally:
        leave()
    return to_numbers(kind, data), info.src, info.tag, info.len
