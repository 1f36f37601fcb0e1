# The mailbox: messages by name, kept by the master daemon.


def putinfo(name, bufid=None, int flags=0):
    """Put a message into the mailbox.

    Parameters
    ----------
    name : str or bytes
        The class of entries.
    bufid : int, optional
        The message; by default the active send buffer.
    flags : int
        A sum of `Mbox` flags; `mbox_direct_index` asks for a certain index.

    Returns
    -------
    int
        The index of the entry.

    Raises
    ------
    NoSuchBufError
        When there is no such buffer.
    ExistsError
        When there is such an entry.
    DeniedError
        When it belongs to another task.
    """
    cdef bytes c_bytes = encode(name)
    cdef char *c_name = c_bytes
    cdef int buffer, code
    cdef pvmminfo info
    ask()
    try:
        buffer = pvm_getsbuf() if bufid is None else bufid
        if buffer <= 0:
            raise error_for(PvmNoBuf, "putinfo")
        # the daemon would get no request and libpvm would wait for its answer
        check(pvm_getminfo(buffer, &info), "putinfo", f"buffer {buffer}")
        if info.enc == IN_PLACE_ENCODING:
            raise error_for(PvmNotImpl, "putinfo", "a message in place cannot be put into the mailbox")
        with nogil:
            code = pvm_putinfo(c_name, buffer, flags)
        return check(code, "putinfo", os.fsdecode(c_bytes))
    finally:
        leave()


def recvinfo(name, int index=0, int flags=0):
    """Get a message from the mailbox; it becomes this thread's active receive buffer.

    With `Mbox.WAIT_FOR_INFO` the daemon answers when there is one; all other calls of
    this process wait meanwhile.

    Parameters
    ----------
    name : str or bytes
        The class of entries.
    index : int
        The index of the entry.
    flags : int
        A sum of `Mbox` flags.

    Returns
    -------
    int
        The number of the buffer.

    Raises
    ------
    NotFoundError
        When there is no such entry.
    """
    cdef bytes c_bytes = encode(name)
    cdef char *c_name = c_bytes
    cdef int code
    ask()
    try:
        with nogil:
            code = pvm_recvinfo(c_name, index, flags)
        return check(code, "recvinfo", f"{os.fsdecode(c_bytes)}, index {index}")
    finally:
        leave()


def delinfo(name, int index=0, int flags=0):
    """Remove an entry from the mailbox.

    Raises
    ------
    NotFoundError
        When there is no such entry.
    DeniedError
        When it belongs to another task.
    """
    cdef bytes c_bytes = encode(name)
    cdef char *c_name = c_bytes
    cdef int code
    ask()
    try:
        with nogil:
            code = pvm_delinfo(c_name, index, flags)
        check(code, "delinfo", f"{os.fsdecode(c_bytes)}, index {index}")
    finally:
        leave()


def getmboxinfo(pattern="*"):
    """Return what is in the mailbox.

    Parameters
    ----------
    pattern : str or bytes
        The beginning of the names, with or without a final ``*``.

    Returns
    -------
    list of (str, list of MailboxEntry)
        The classes with their entries.
    """
    from .records import MailboxEntry

    cdef bytes c_bytes = encode(pattern, "pattern")
    cdef char *c_pattern = c_bytes
    cdef int code, count = 0
    cdef pvmmboxinfo *table
    ask()
    try:
        with nogil:
            code = pvm_getmboxinfo(c_pattern, &count, &table)
        check(code, "getmboxinfo", os.fsdecode(c_bytes))
        return [
            (decode(table[i].mi_name), [
                MailboxEntry(table[i].mi_indices[j], table[i].mi_owners[j], table[i].mi_flags[j])
                for j in range(table[i].mi_nentries)
            ])
            for i in range(count)
        ]
    finally:
        leave()


def insert(name, int index, int data):
    """Store one number under a name, as in PVM 3.3; it outlives this task.

    Parameters
    ----------
    name : str or bytes
    index : int
        -1 for the first free one.
    data : int

    Returns
    -------
    int
        The index used.

    Raises
    ------
    DeniedError
        When the index is taken.
    """
    cdef bytes c_bytes = encode(name)
    cdef char *c_name = c_bytes
    cdef int code
    ask()
    try:
        with nogil:
            code = pvm_insert(c_name, index, data)
        return check(code, "insert", f"{os.fsdecode(c_bytes)}, index {index}")
    finally:
        leave()


def lookup(name, int index=-1):
    """Return the index and the number of an entry that `insert` has made.

    Parameters
    ----------
    name : str or bytes
    index : int
        -1 for the first that exists.

    Returns
    -------
    tuple of (int, int)

    Raises
    ------
    NotFoundError
        When there is no such entry.
    """
    cdef bytes c_bytes = encode(name)
    cdef char *c_name = c_bytes
    cdef int code, data = 0
    ask()
    try:
        with nogil:
            code = pvm_lookup(c_name, index, &data)
        return check(code, "lookup", f"{os.fsdecode(c_bytes)}, index {index}"), data
    finally:
        leave()


def delete(name, int index):
    """Remove an entry that `insert` has made.

    Raises
    ------
    NotFoundError
        When there is no such entry.
    """
    cdef bytes c_bytes = encode(name)
    cdef char *c_name = c_bytes
    cdef int code
    ask()
    try:
        with nogil:
            code = pvm_delete(c_name, index)
        check(code, "delete", f"{os.fsdecode(c_bytes)}, index {index}")
    finally:
        leave()
