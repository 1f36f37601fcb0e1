# Packing and unpacking of C types.

cdef enum:
    BYTE, SHORT, USHORT, INT, UINT, LONG, ULONG, FLOAT, DOUBLE, CPLX, DCPLX

# array.array's letter of the numbers, bytes of an item, numbers in an item
cdef str LETTERS = "bhHiIlLfdfd"
cdef int[11] SIZES = [1, 2, 2, 4, 4, sizeof(long), sizeof(long), 4, 8, 8, 16]
cdef int[11] XDR_SIZES = [1, 4, 4, 4, 4, 4, 4, 4, 8, 8, 16]
cdef tuple FORMATS = (
    ("b", "B", "c"), ("h",), ("H",), ("i", "l"), ("I", "L"), ("l", "q"), ("L", "Q"), ("f",),
    ("d",), ("Zf", "F"), ("Zd", "D"),
)


cdef int pack(int kind, void *data, int count, int stride) noexcept nogil:
    if kind == BYTE:
        return pvm_pkbyte(<char *>data, count, stride)
    if kind == SHORT:
        return pvm_pkshort(<short *>data, count, stride)
    if kind == USHORT:
        return pvm_pkushort(<unsigned short *>data, count, stride)
    if kind == INT:
        return pvm_pkint(<int *>data, count, stride)
    if kind == UINT:
        return pvm_pkuint(<unsigned int *>data, count, stride)
    if kind == LONG:
        return pvm_pklong(<long *>data, count, stride)
    if kind == ULONG:
        return pvm_pkulong(<unsigned long *>data, count, stride)
    if kind == FLOAT:
        return pvm_pkfloat(<float *>data, count, stride)
    if kind == DOUBLE:
        return pvm_pkdouble(<double *>data, count, stride)
    if kind == CPLX:
        return pvm_pkcplx(<float *>data, count, stride)
    return pvm_pkdcplx(<double *>data, count, stride)


cdef int unpack(int kind, void *data, int count, int stride, bint xdr) noexcept nogil:
    cdef int code
    cdef long *longs = <long *>data
    cdef Py_ssize_t i
    if kind == BYTE:
        return pvm_upkbyte(<char *>data, count, stride)
    if kind == SHORT:
        return pvm_upkshort(<short *>data, count, stride)
    if kind == USHORT:
        return pvm_upkushort(<unsigned short *>data, count, stride)
    if kind == INT:
        return pvm_upkint(<int *>data, count, stride)
    if kind == UINT:
        return pvm_upkuint(<unsigned int *>data, count, stride)
    if kind == LONG:
        code = pvm_upklong(longs, count, stride)
        if code >= 0 and xdr:
            # 32 bits came, and libpvm does not extend their sign
            for i in range(count):
                longs[i * stride] = <int>longs[i * stride]
        return code
    if kind == ULONG:
        return pvm_upkulong(<unsigned long *>data, count, stride)
    if kind == FLOAT:
        return pvm_upkfloat(<float *>data, count, stride)
    if kind == DOUBLE:
        return pvm_upkdouble(<double *>data, count, stride)
    if kind == CPLX:
        return pvm_upkcplx(<float *>data, count, stride)
    return pvm_upkdcplx(<double *>data, count, stride)


cdef int encoding_of(int bufid) noexcept nogil:
    cdef pvmminfo info
    return info.enc if pvm_getminfo(bufid, &info) >= 0 else 0


cdef object numbers(int kind, items, str function):
    """Copy Python numbers, or whatever array.array takes, into an array of the C type."""
    if isinstance(items, str) or (kind != BYTE and isinstance(items, (bytes, bytearray))):
        # array.array would take bytes for the memory of numbers
        raise TypeError(f"{function} packs numbers, not {type(items).__name__}")
    try:
        if kind == CPLX or kind == DCPLX:
            copy = array(LETTERS[kind])
            for item in items:
                if isinstance(item, str):
                    raise TypeError(f"{function} packs numbers, not str")
                value = complex(item)
                copy.append(value.real)
                copy.append(value.imag)
            return copy
        if kind == BYTE:
            if isinstance(items, (bytes, bytearray)):
                return items
            return bytes([item & 0xff if -128 <= item < 0 else item for item in items])
        return array(LETTERS[kind], items)
    except OverflowError as error:
        raise error_for(PvmOverflow, function, str(error)) from None
    except ValueError as error:
        if kind == BYTE:
            raise error_for(PvmOverflow, function, "a byte holds -128 to 255") from None
        raise


cdef Py_ssize_t packed_size(int kind, Py_ssize_t count, int encoding) noexcept nogil:
    # Bytes in a message.
    if encoding != XDR_ENCODING:
        return count * SIZES[kind]
    return (count + 3) // 4 * 4 if kind == BYTE else count * XDR_SIZES[kind]


cdef int pack_items(int kind, items, stride, str function) except -1:
    """Pack numbers into the active send buffer."""
    cdef Py_buffer view
    cdef Py_ssize_t count, step = 1, given
    cdef int code, bufid, tid
    cdef bint exported = False
    given = stride
    if given < 1:
        raise ValueError(f"stride must be 1 or more, not {given}")
    if PyObject_CheckBuffer(items):
        PyObject_GetBuffer(items, &view, PyBUF_STRIDED_RO | PyBUF_FORMAT)
        letter = (<bytes>view.format).decode().lstrip("@=") if view.format != NULL else "B"
        exported = (
            view.ndim == 1 and view.itemsize == SIZES[kind] and letter in FORMATS[kind]
            and view.strides[0] > 0 and view.strides[0] % view.itemsize == 0
        )
        if not exported:
            PyBuffer_Release(&view)
    if not exported:
        items = numbers(kind, items, function)
        PyObject_GetBuffer(items, &view, PyBUF_STRIDED_RO | PyBUF_FORMAT)
    try:
        count = view.len // SIZES[kind]
        if exported:
            step = view.strides[0] // view.itemsize
        count = (count + given - 1) // given
        step *= given
        if count > INT_MAX or step > INT_MAX:
            raise error_for(PvmOverflow, function, f"{count} items; PVM counts in C ints")
        tid = start_buffer_call()
        try:
            bufid = pvm_getsbuf()
            if (kind == LONG or kind == ULONG) and bufid and encoding_of(bufid) == XDR_ENCODING:
                check_long(kind, view.buf, count, step, function)
            if bufid in pinned:
                if step != 1:
                    raise error_for(PvmNotImpl, function, "an in-place message takes stride 1 only")
                if len(pinned[bufid]) >= MAX_PIECES:
                    raise error_for(
                        PvmOutOfRes, function,
                        f"libpvm sends at most {MAX_PIECES} pieces in place in one message",
                    )
            if bufid > 0:
                make_room(packed_size(kind, count, encoding_of(bufid)), function)
            with nogil:
                code = pack(kind, view.buf, <int>count, <int>step)
            check(code, function)
            if bufid in pinned and count:
                pinned[bufid].append(memoryview(items))
        finally:
            end_buffer_call(tid)
    finally:
        PyBuffer_Release(&view)
    return 0


cdef int check_long(int kind, void *data, Py_ssize_t count, Py_ssize_t step,
                    str function) except -1:
    # XDR has 32 bits for a long: libpvm would send the lower ones and say nothing.
    cdef long *signed_items = <long *>data
    cdef unsigned long *unsigned_items = <unsigned long *>data
    cdef Py_ssize_t i
    if kind != LONG and kind != ULONG:
        return 0
    for i in range(count):
        if kind == LONG:
            if not -0x80000000L <= signed_items[i * step] <= 0x7fffffffL:
                raise error_for(PvmOverflow, function,
                                f"{signed_items[i * step]} does not fit the 4 bytes of XDR")
        elif unsigned_items[i * step] > 0xffffffffUL:
            raise error_for(PvmOverflow, function,
                            f"{unsigned_items[i * step]} does not fit the 4 bytes of XDR")
    return 0


cdef list unpack_items(int kind, nitem, stride, str function):
    """Unpack numbers from the active receive buffer into a list."""
    cdef Py_ssize_t count = nitem, given = stride, size = SIZES[kind], i
    cdef int code, bufid, nbytes, encoding, tid
    cdef void *data
    if given < 1:
        raise ValueError(f"stride must be 1 or more, not {given}")
    if count < 0:
        raise error_for(PvmBadParam, function, f"{count} items")
    tid = start_buffer_call()
    try:
        bufid = pvm_getrbuf()
        if bufid <= 0:
            raise error_for(PvmNoBuf, function)
        encoding = encoding_of(bufid)
        check(pvm_bufinfo(bufid, &nbytes, NULL, NULL), function)
        # before memory is asked for that no message fills
        if count > nbytes // (XDR_SIZES[kind] if encoding == XDR_ENCODING else size):
            raise error_for(PvmNoData, function, f"{count} items in a message of {nbytes} bytes")
        data = malloc(count * size + 1)
        if data == NULL:
            raise MemoryError
        try:
            with nogil:
                code = unpack(kind, data, <int>count, 1, encoding == XDR_ENCODING)
            check(code, function)
            if kind == BYTE:
                return [(<signed char *>data)[i] for i in range(count)]
            if kind == SHORT:
                return [(<short *>data)[i] for i in range(count)]
            if kind == USHORT:
                return [(<unsigned short *>data)[i] for i in range(count)]
            if kind == INT:
                return [(<int *>data)[i] for i in range(count)]
            if kind == UINT:
                return [(<unsigned int *>data)[i] for i in range(count)]
            if kind == LONG:
                return [(<long *>data)[i] for i in range(count)]
            if kind == ULONG:
                return [(<unsigned long *>data)[i] for i in range(count)]
            if kind == FLOAT:
                return [(<float *>data)[i] for i in range(count)]
            if kind == DOUBLE:
                return [(<double *>data)[i] for i in range(count)]
            if kind == CPLX:
                return [complex((<float *>data)[2 * i], (<float *>data)[2 * i + 1])
                        for i in range(count)]
            return [complex((<double *>data)[2 * i], (<double *>data)[2 * i + 1])
                    for i in range(count)]
        finally:
            free(data)
    finally:
        end_buffer_call(tid)


def pkbyte(items, stride=1):
    """Pack bytes: a bytes-like object, or integers -128 to 255.

    Parameters
    ----------
    items : bytes-like or iterable of int
        A buffer of the right type is packed from where it is.
    stride : int
        Of the items, the first and every `stride`-th after it are packed.

    Raises
    ------
    NoBufError
        When this thread has no active send buffer.
    PvmOverflowError
        When a number does not fit; nothing is packed then.
    """
    pack_items(BYTE, items, stride, "pkbyte")


def pkshort(items, stride=1):
    """Pack C shorts; see `pkbyte`."""
    pack_items(SHORT, items, stride, "pkshort")


def pkushort(items, stride=1):
    """Pack C unsigned shorts; see `pkbyte`."""
    pack_items(USHORT, items, stride, "pkushort")


def pkint(items, stride=1):
    """Pack C ints; see `pkbyte`."""
    pack_items(INT, items, stride, "pkint")


def pkuint(items, stride=1):
    """Pack C unsigned ints; see `pkbyte`."""
    pack_items(UINT, items, stride, "pkuint")


def pklong(items, stride=1):
    """Pack C longs, of which XDR carries 32 bits: what does not fit raises; see `pkbyte`."""
    pack_items(LONG, items, stride, "pklong")


def pkulong(items, stride=1):
    """Pack C unsigned longs, of which XDR carries 32 bits; see `pklong`."""
    pack_items(ULONG, items, stride, "pkulong")


def pkfloat(items, stride=1):
    """Pack C floats; see `pkbyte`."""
    pack_items(FLOAT, items, stride, "pkfloat")


def pkdouble(items, stride=1):
    """Pack C doubles; see `pkbyte`."""
    pack_items(DOUBLE, items, stride, "pkdouble")


def pkcplx(items, stride=1):
    """Pack complex numbers as pairs of C floats; see `pkbyte`."""
    pack_items(CPLX, items, stride, "pkcplx")


def pkdcplx(items, stride=1):
    """Pack complex numbers as pairs of C doubles; see `pkbyte`."""
    pack_items(DCPLX, items, stride, "pkdcplx")


def upkbyte(nitem, stride=1):
    """Unpack bytes from the active receive buffer, as signed numbers.

    Parameters
    ----------
    nitem : int
        How many.
    stride : int
        Accepted for likeness with C; the result is dense.

    Returns
    -------
    list of int
        -128 to 127; `upkbytes` gives bytes.

    Raises
    ------
    NoBufError
        When this thread has no active receive buffer.
    NoDataError
        When the message has too little left.
    """
    return unpack_items(BYTE, nitem, stride, "upkbyte")


def upkshort(nitem, stride=1):
    """Unpack C shorts into a list; see `upkbyte`."""
    return unpack_items(SHORT, nitem, stride, "upkshort")


def upkushort(nitem, stride=1):
    """Unpack C unsigned shorts into a list; see `upkbyte`."""
    return unpack_items(USHORT, nitem, stride, "upkushort")


def upkint(nitem, stride=1):
    """Unpack C ints into a list; see `upkbyte`."""
    return unpack_items(INT, nitem, stride, "upkint")


def upkuint(nitem, stride=1):
    """Unpack C unsigned ints into a list; see `upkbyte`."""
    return unpack_items(UINT, nitem, stride, "upkuint")


def upklong(nitem, stride=1):
    """Unpack C longs into a list, 32 bits each from XDR; see `upkbyte`."""
    return unpack_items(LONG, nitem, stride, "upklong")


def upkulong(nitem, stride=1):
    """Unpack C unsigned longs into a list, 32 bits each from XDR; see `upkbyte`."""
    return unpack_items(ULONG, nitem, stride, "upkulong")


def upkfloat(nitem, stride=1):
    """Unpack C floats into a list; see `upkbyte`."""
    return unpack_items(FLOAT, nitem, stride, "upkfloat")


def upkdouble(nitem, stride=1):
    """Unpack C doubles into a list; see `upkbyte`."""
    return unpack_items(DOUBLE, nitem, stride, "upkdouble")


def upkcplx(nitem, stride=1):
    """Unpack complex numbers of C floats into a list; see `upkbyte`."""
    return unpack_items(CPLX, nitem, stride, "upkcplx")


def upkdcplx(nitem, stride=1):
    """Unpack complex numbers of C doubles into a list; see `upkbyte`."""
    return unpack_items(DCPLX, nitem, stride, "upkdcplx")


def upkbytes(Py_ssize_t nitem):
    """Unpack bytes from the active receive buffer.

    Parameters
    ----------
    nitem : int
        How many.

    Returns
    -------
    bytes
    """
    cdef int code, bufid, nbytes
    cdef int tid
    cdef bytes result
    cdef char *data
    if nitem < 0:
        raise error_for(PvmBadParam, "upkbytes", f"{nitem} bytes")
    tid = start_buffer_call()
    try:
        bufid = pvm_getrbuf()
        if bufid <= 0:
            raise error_for(PvmNoBuf, "upkbytes")
        check(pvm_bufinfo(bufid, &nbytes, NULL, NULL), "upkbytes")
        if nitem > nbytes:
            raise error_for(PvmNoData, "upkbytes", f"{nitem} bytes in a message of {nbytes}")
        result = PyBytes_FromStringAndSize(NULL, nitem)
        data = PyBytes_AS_STRING(result)
        with nogil:
            code = pvm_upkbyte(data, <int>nitem, 1)
        check(code, "upkbytes")
        return result
    finally:
        end_buffer_call(tid)


def pkstr(text):
    """Pack a string.

    On the wire it is what ``pvm_pkstr`` makes: an int (the length with a final NUL), the
    bytes, the NUL.  Other than that function, this one also carries NULs within.

    Parameters
    ----------
    text : str or bytes
        A str goes out as UTF-8.

    Raises
    ------
    NotImplError
        When the active send buffer is an in-place one.
    """
    cdef bytes data
    cdef int length, code
    cdef int tid
    cdef char *c_data
    if isinstance(text, str):
        data = text.encode("utf-8", "surrogateescape")
    elif isinstance(text, (bytes, bytearray, memoryview)):
        data = bytes(text)
    else:
        raise TypeError(f"pkstr packs str or bytes, not {type(text).__name__}")
    if len(data) >= INT_MAX:
        raise error_for(PvmOverflow, "pkstr", f"{len(data)} bytes; PVM counts in C ints")
    length = <int>len(data) + 1
    c_data = data
    tid = start_buffer_call()
    try:
        make_room(<Py_ssize_t>length + 8, "pkstr")
        with nogil:
            if memchr(c_data, 0, length - 1) == NULL:
                code = pvm_pkstr(c_data)
            else:
                code = pvm_pkint(&length, 1, 1)
                if code >= 0:
                    code = pvm_pkbyte(c_data, length, 1)
        check(code, "pkstr")
    finally:
        end_buffer_call(tid)


def upkstr(bint raw=False):
    """Unpack a string.

    Parameters
    ----------
    raw : bool
        Whether to return bytes.

    Returns
    -------
    str or bytes
        A str is decoded from UTF-8 so that each byte survives (surrogateescape).

    Raises
    ------
    NoDataError
        When the message has too little left.
    """
    cdef int code, bufid, nbytes, length = 0
    cdef int tid = start_buffer_call()
    cdef bytes data
    try:
        bufid = pvm_getrbuf()
        if bufid <= 0:
            raise error_for(PvmNoBuf, "upkstr")
        check(pvm_upkint(&length, 1, 1), "upkstr")
        check(pvm_bufinfo(bufid, &nbytes, NULL, NULL), "upkstr")
        if length < 0 or length > nbytes:
            raise error_for(PvmNoData, "upkstr", f"a string of {length} bytes in a message of {nbytes}")
        data = upkbytes(length)
    finally:
        end_buffer_call(tid)
    if data.endswith(b"\0"):
        data = data[:-1]
    return data if raw else data.decode("utf-8", "surrogateescape")
