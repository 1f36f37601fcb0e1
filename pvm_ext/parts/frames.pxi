# Frames: a message as a list of byte strings of any size, sent and received in one step.
#
# On the wire such a message is marked by its wait id, FRAMES_MARK, which PVM carries in the
# header of each message and does not use for messages between tasks.  The body is bytes,
# which every data format can unpack:
#
#     32 bytes  magic "bpF1", frames, own number, part (all unsigned 32 bit, little endian),
#               bytes of all frames, bytes of them in this message (64 bit)
#     8 bytes   length of each frame, in the first part; with the highest bit set where the
#               sender's memory is read-only
#     ...       the frames, one after the other
#
# A list that is too long for one message, or has more large frames than libpvm takes in
# place, travels in several parts.  All but the last go in PRIVATE_CONTEXT, so nobody else
# sees them, and receivers copy them into the frames as they come; the last one has the
# sender's context and tag, and is the one that receivers wait for.  PVM keeps the order of
# messages between two tasks.  In an XDR buffer each piece is padded to 4 bytes; sender and
# receiver pack and unpack the same pieces.
#
# A message may pass a relay, a task that receives it whole and sends it on.  Its mark is then
# RELAYED and a tid: on the way to the relay that of the receiver, from there on that of the
# sender.  A receiver that has said from whom it takes relayed messages (`trust_relay`) sees
# them as if the sender itself had sent them.

from cpython.mem cimport PyMem_RawFree, PyMem_RawMalloc
from cpython.bytearray cimport (
    PyByteArray_AS_STRING, PyByteArray_FromStringAndSize, PyByteArray_Resize,
)

cdef extern from "<string.h>" nogil:
    void *memchr(const void *, int, size_t)

cdef extern from "<malloc.h>" nogil:
    int malloc_trim(size_t)

cdef extern from "<sys/mman.h>" nogil:
    int madvise(void *, size_t, int)
    int MADV_HUGEPAGE

cdef enum:
    FRAMES_MARK = 0x31467062
    # the mark of a message that passes a relay: a tid and this bit, which no other mark has
    RELAYED = -0x80000000
    HEADER = 32
    # frames up to this many bytes are copied into one block with the header
    COPIED = 32768
    # messages up to this many bytes are packed raw, in one fragment
    PACKED = 65536
    # Bytes of frames in one part.  The receiver copies a part while the next one is on its
    # way, from memory that libpvm uses again and again, so it stays in the cache.
    PART = 1024 * 1024
    # frames from this size on are received as bytearrays, where the sender's memory is writable
    WRITABLE = 16384
    MAX_FRAMES = 0x1000000
    # short messages of up to this many frames are unpacked without a table in the heap
    FEW = 8
    # frames from this size on get large pages
    HUGE = 4 * 1024 * 1024
    # after messages from this size on, free memory goes back to the system
    VAST = 16 * 1024 * 1024
    # what fits into a block on the stack, and into a fragment of libpvm's own size
    SMALL = 2048
    # room that libpvm keeps in a fragment for its own headers, and more
    FRAGMENT_HEADERS = 256


cdef struct Header:
    unsigned int magic
    unsigned int frames
    unsigned int number
    unsigned int part
    unsigned long long total
    unsigned long long here

# in the table of lengths: the frame is received as bytes
cdef unsigned long long READ_ONLY = <unsigned long long>1 << 63

cdef unsigned int message_number = 0


@cython.freelist(4)
cdef class Message:
    """A received message.

    Attributes
    ----------
    tid : int
        The sender.
    tag : int
        The message tag.
    frames : list of bytes or bytearray, or None
        The frames; from 16 KiB on those that were writable where they come from (no bytes)
        are bytearrays that nobody else holds.  None for a message that was not made by
        `send_frames`: it is the active receive buffer of the thread, to be unpacked with
        `upkint` and its relatives.
    other : int
        The task that the receiver is to send it on to, see `send_frames`; else 0.
    """

    cdef readonly int tid
    cdef readonly int tag
    cdef readonly int other
    cdef readonly list frames

    def __repr__(self):
        body = "other" if self.frames is None else f"{len(self.frames)} frames"
        return f"<Message from {self.tid:#x}, tag {self.tag}, {body}>"


# --- sending -----------------------------------------------------------------------------

cdef struct Piece:
    char *data
    Py_ssize_t size


cdef class Frames:
    # The exported memory of the frames, held until libpvm is done with it.
    cdef Py_buffer *views
    cdef Py_ssize_t count
    cdef unsigned long long total
    cdef bint held      # counted as waiting in a queue
    cdef bint constant  # none of it changes until it is sent, whether it is read-only or not

    def __cinit__(self, frames):
        cdef list items = list(frames)
        self.views = <Py_buffer *>calloc(len(items) + 1, sizeof(Py_buffer))
        if self.views == NULL:
            raise MemoryError
        if len(items) >= MAX_FRAMES:
            raise ValueError(f"a message has less than {MAX_FRAMES} frames, not {len(items)}")
        for item in items:
            PyObject_GetBuffer(item, &self.views[self.count], PyBUF_SIMPLE)
            self.total += self.views[self.count].len
            self.count += 1

    def __dealloc__(self):
        for i in range(self.count):
            PyBuffer_Release(&self.views[i])
        free(self.views)

    cdef bint may_change_in(self, Py_ssize_t i) noexcept nogil:
        return not (self.constant or self.views[i].readonly) and self.views[i].len

    cdef bint may_change(self) noexcept nogil:
        for i in range(self.count):
            if self.may_change_in(i):
                return True
        return False

    cdef int own(self) except -1:
        """Copy what may change; what is there several times, once."""
        cdef dict copies = {}
        for i in range(self.count):
            if self.may_change_in(i):
                place = place_of(&self.views[i])
                copy = copies.get(place)
                if copy is None:
                    copy = copies[place] = PyBytes_FromStringAndSize(NULL, self.views[i].len)
                    ask_for_large_pages(PyBytes_AS_STRING(copy), self.views[i].len)
                    memcpy(PyBytes_AS_STRING(copy), self.views[i].buf, self.views[i].len)
                PyBuffer_Release(&self.views[i])
                PyObject_GetBuffer(copy, &self.views[i], PyBUF_SIMPLE)
                # the receiver may write to its own, as if there were no copy
                self.views[i].readonly = False
        self.constant = True
        return 0


def send_frames(tids, int tag, frames, int encoding=-1, patience=None, int other=0):
    """Send a list of byte strings as one message.

    The frames are not copied: they must not change before the call returns.  Their number
    and size are limited by memory only.  Returns like `send`, and like it waits on a
    direct link whose receiver does not read.

    Parameters
    ----------
    tids : int or sequence of int
        The receiver or receivers; the caller may be among them.
    tag : int
        The message tag, >= 0.
    frames : sequence of bytes-like
        Contiguous buffers.
    encoding : int, optional
        A `DataEncoding`.  By default raw or in place, whichever is faster; all of them
        can be read on every kind of computer.
    patience : float, optional
        Seconds for which a direct link may take nothing of the message; then the link is
        given up, and the message goes through the daemon, which keeps it until the
        receiver reads or ends.  What the receiver itself had on its way over the link may
        be lost.  None: wait for ever.  Counts for a single receiver.
    other : int, optional
        To a relay: the task that it is to send the message on to.  By a relay: the task that
        the message comes from, which the receiver takes for its sender (see `trust_relay`).

    Returns
    -------
    bool
        False when a link was given up.

    Raises
    ------
    BadParamError
        When a tid is no task's tid, or `tag` is negative.
    """
    cdef Frames data = Frames(frames)
    return send_views(tids, tag, data.views, data.count, data.total, encoding, patience, other)


cdef bint send_views(tids, int tag, Py_buffer *views, Py_ssize_t n, unsigned long long total,
                     int encoding, patience, int other=0) except -1:
    global limit_of_send
    cdef double limit
    cdef Array targets
    cdef int code, one
    cdef int *c_tids
    cdef int count
    if isinstance(tids, int):
        one = tids
        c_tids, count = &one, 1
    elif hasattr(tids, "__index__"):
        one = tids.__index__()
        c_tids, count = &one, 1
    else:
        targets = ints(tids, "tids")
        c_tids, count = targets.data.as_ints, <int>len(targets)
        if count == 0:
            return True
    if encoding not in (-1, PvmDataDefault, PvmDataRaw, PvmDataInPlace):
        raise error_for(PvmBadParam, "send_frames", f"encoding {encoding}")
    enter()
    try:
        limit = limit_of(patience)
        with nogil:
            limit_of_send = limit
            code = put_frames(c_tids, count, tag, views, n, total, encoding, mark_for(other))
            limit_of_send = 0
        if code < 0:
            fail(code, "send_frames", None if code == PvmSysErr else describe(tids, tag))
        return not link_given_up
    finally:
        leave()


cdef str describe(tids, tag):
    to = f"tid {tids:#x}" if isinstance(tids, int) else f"{len(tids)} tasks"
    return f"{to}, tag {tag}"


cdef int put_frames(int *tids, int count, int tag, Py_buffer *views, Py_ssize_t n,
                    unsigned long long total, int encoding, int mark=FRAMES_MARK) noexcept nogil:
    # Send the parts.
    global message_number
    cdef Header header
    cdef Piece[MAX_PIECES] pieces
    cdef Py_ssize_t frame = 0, offset = 0, room, size, used, npieces
    cdef Py_ssize_t table = 8 * n
    cdef int code, mode_of_data, i
    cdef bint last
    cdef unsigned long long length, sent = 0
    cdef char *head
    cdef Py_ssize_t head_size
    if tag < 0:
        return PvmBadParam
    for i in range(count):
        # before the first part is on its way; a task's tid is a host and a number there
        if tids[i] <= 0 or tids[i] & TASK_BITS == 0 or tids[i] & 0x40000000:
            return PvmBadParam
    message_number += 1
    header.magic = FRAMES_MARK
    header.frames = <unsigned int>n
    header.number = message_number
    header.part = 0
    header.total = total
    mode_of_data = encoding
    if encoding == -1:
        mode_of_data = PvmDataRaw if HEADER + table + total <= PACKED else PvmDataInPlace
    if handling and mode_of_data == PvmDataInPlace:
        # what a message handler sends goes after it has returned
        mode_of_data = PvmDataRaw
    if mode_of_data == PvmDataRaw and HEADER + table + total <= PACKED:
        return put_packed(tids, count, tag, &header, views, n, mark)

    while True:
        # Gather a part: the head with small frames behind it, then large pieces.
        head_size = HEADER + (table if header.part == 0 else 0)
        used = 0
        npieces = 1
        size = head_size
        # how much of the following is small enough to be copied behind the head
        if mode_of_data == PvmDataInPlace:
            room = copied_behind(views, n, frame, offset)
        else:
            room = 0
        head = <char *>malloc(head_size + room)
        if head == NULL:
            return PvmNoMem
        if header.part == 0:
            for i in range(n):
                length = table_entry(&views[i])
                memcpy(head + HEADER + 8 * i, &length, 8)
        while room > 0:
            length = views[frame].len - offset
            memcpy(head + head_size, <char *>views[frame].buf + offset, length)
            head_size += length
            used += length
            room -= length
            frame += 1
            offset = 0
        pieces[0].data = head
        pieces[0].size = head_size

        code = pvm_mkbuf(mode_of_data)
        if code < 0:
            free(head)
            return code
        while frame < n and npieces < MAX_PIECES and used < PART:
            size = views[frame].len - offset
            if size > PART - used:
                size = PART - used
            if size > 0:
                pieces[npieces].data = <char *>views[frame].buf + offset
                pieces[npieces].size = size
                npieces += 1
            used += size
            offset += size
            if offset == views[frame].len:
                frame += 1
                offset = 0
        while frame < n and views[frame].len == 0:
            frame += 1
        sent += used
        last = frame == n
        header.here = used
        memcpy(head, &header, HEADER)
        code = put_part(tids, count, tag, code, pieces, <int>npieces, last, mark)
        free(head)
        if code < 0 or last:
            return code
        header.part += 1


cdef inline unsigned long long table_entry(Py_buffer *view) noexcept nogil:
    return <unsigned long long>view.len | (READ_ONLY if view.readonly else 0)


cdef Py_ssize_t copied_behind(Py_buffer *views, Py_ssize_t n, Py_ssize_t frame,
                              Py_ssize_t offset) noexcept nogil:
    cdef Py_ssize_t bytes_ = 0
    if offset:
        return 0
    while frame < n and views[frame].len <= COPIED and bytes_ + views[frame].len <= PACKED:
        bytes_ += views[frame].len
        frame += 1
    return bytes_


cdef int deliver(int *tids, int count, int tag, bint small) noexcept nogil:
    # Send the active buffer to everybody, the caller included.
    cdef int code, i
    if count == 1:
        return send_active(tids, 1, tag, False, small)
    code = send_active(tids, count, tag, True, small)
    if code >= 0:
        for i in range(count):
            if tids[i] == pvmmytid:
                return send_active(&tids[i], 1, tag, False, small)
    return code


cdef inline int mark_for(int other) noexcept nogil:
    return other | RELAYED if other > 0 else FRAMES_MARK


cdef inline int other_of(int mark) noexcept nogil:
    # The tid in the mark of a message that passes a relay; 0 in that of any other.
    return mark & ~RELAYED if mark < 0 else 0


cdef inline bint is_marked(int mark) noexcept nogil:
    return mark == FRAMES_MARK or other_of(mark) > 0


cdef void set_mark(int bufid, int mark) noexcept nogil:
    cdef pvmminfo info
    if pvm_getminfo(bufid, &info) >= 0:
        info.wid = mark
        pvm_setminfo(bufid, &info)


cdef int put_packed(int *tids, int count, int tag, Header *header, Py_buffer *views,
                    Py_ssize_t n, int mark) noexcept nogil:
    # A short message, copied into one fragment: libpvm then needs one look and one write.
    cdef Py_ssize_t head_size = HEADER + 8 * n, i
    cdef int size = <int>(head_size + header.total) + FRAGMENT_HEADERS
    cdef char[SMALL] block
    cdef bint small = head_size + header.total <= SMALL
    cdef char *head = &block[0]
    cdef unsigned long long length
    cdef int bufid, before, code, fragment = 0
    if not small:
        head = <char *>malloc(head_size)
        if head == NULL:
            return PvmNoMem
    header.here = header.total
    memcpy(head, header, HEADER)
    for i in range(n):
        length = table_entry(&views[i])
        memcpy(head + HEADER + 8 * i, &length, 8)
    if not small:
        fragment = pvm_getopt(PvmFragSize)
        if size > fragment:
            pvm_setopt(PvmFragSize, size)
    bufid = code = pvm_mkbuf(PvmDataRaw)
    if bufid >= 0:
        before = pvm_setsbuf(bufid)
        if small:
            for i in range(n):
                memcpy(head + head_size, views[i].buf, views[i].len)
                head_size += views[i].len
        code = pvm_pkbyte(head, <int>head_size, 1)
        if not small:
            for i in range(n):
                if code >= 0 and views[i].len:
                    code = pvm_pkbyte(<char *>views[i].buf, <int>views[i].len, 1)
    if not small:
        free(head)
        if size > fragment:
            pvm_setopt(PvmFragSize, fragment)
    if bufid < 0:
        return bufid
    if code >= 0:
        set_mark(bufid, mark)
        code = deliver(tids, count, tag, size <= FITTING)
    pvm_freebuf(put_sbuf(before))
    return code


cdef int put_part(int *tids, int count, int tag, int bufid, Piece *pieces, int n,
                  bint last, int mark) noexcept nogil:
    cdef int before = pvm_setsbuf(bufid)
    cdef int code = 0, i, context = pvmmyctx
    for i in range(n):
        if code >= 0:
            code = pvm_pkbyte(pieces[i].data, <int>pieces[i].size, 1)
    if code >= 0:
        set_mark(bufid, mark)
        if last:
            code = deliver(tids, count, tag, False)
        else:
            pvm_setcontext(PRIVATE_CONTEXT)
            code = deliver(tids, count, PART_TAG, False)
            pvm_setcontext(context)
    pvm_freebuf(put_sbuf(before))
    return code


# --- receiving ---------------------------------------------------------------------------

cdef class Partial:
    # A message that is being put together.
    cdef unsigned int part         # the next one
    cdef list frames               # those whose bytes have begun to come
    cdef unsigned long long *lengths
    cdef Py_ssize_t count
    cdef Py_ssize_t begun          # how many these are
    cdef Piece target              # the last one of them, as far as it has memory
    cdef Py_ssize_t wanted         # its size
    cdef Py_ssize_t offset         # where its next bytes go
    cdef unsigned long long total
    cdef unsigned long long missing
    cdef double touched            # when its last part has come
    cdef double orphaned           # when its sender was told to have ended

    def __dealloc__(self):
        free(self.lengths)


# (sender, number) -> the message of which parts have come, but not the last one; those that
# were continued last stand at the end
cdef dict partials = {}
cdef set watched_senders = set()
cdef dict given_up = {}     # sender -> the number of its last message that was given up

cdef enum:
    # seconds that the last part may come later than the daemon's word of its sender's end
    AFTERLIFE = 60
    # A longer frame gets its memory when so many of its bytes have come: even a byte that
    # is written there takes pages of 2 MiB, one at its end and one at its beginning.
    EARNEST = 512 * 1024


cdef int sender_ended(int mid) noexcept with gil:
    # A message handler of libpvm: a task is gone of which long messages have come.
    cdef int tid
    if from_daemon(mid) and pvm_upkint(&tid, 1, 1) == 0:
        watched_senders.discard(tid)
        given_up.pop(tid, None)
        for key, partial in partials.items():
            if key[0] == tid:
                (<Partial>partial).orphaned = now()
    return 0


cdef int watch_sender(int tid) except -1:
    """Let go of the parts of long messages whose sender ended before the last one."""
    cdef int context
    for key in [key for key, partial in partials.items()
                if (<Partial>partial).orphaned and now() - (<Partial>partial).orphaned > AFTERLIFE]:
        del partials[key]
    if tid not in watched_senders:
        watched_senders.add(tid)
        with nogil:
            context = pvm_setcontext(PRIVATE_CONTEXT)
            pvm_addmhf(-1, SENDER_TAG, PRIVATE_CONTEXT, sender_ended)
            pvm_notify(PvmTaskExit, SENDER_TAG, 1, &tid)
            pvm_setcontext(context)
    return 0


cdef int forget_parts() except -1:
    """Forget all that has come of long messages; the process leaves PVM or comes anew."""
    partials.clear()
    watched_senders.clear()
    given_up.clear()
    damages.clear()
    return 0


def recv_frames(int tid=-1, int tag=-1, timeout=None, Match match=None, Waker waker=None):
    """Wait for a message of `send_frames`, or any other, and take it apart.

    Other threads can use PVM meanwhile, and signals are handled: Ctrl-C interrupts.

    Parameters
    ----------
    tid : int
        The sender; -1 for any.
    tag : int
        The message tag; -1 for any.
    timeout : float, optional
        Seconds; 0 or less looks once, None waits for ever.
    match : Match, optional
        The pairs of sender and tag to accept, instead of `tid` and `tag`.
    waker : Waker, optional
        Lets another thread end the wait.

    Returns
    -------
    Message or None
        None when the time is over or `waker` has fired.

    Notes
    -----
    A message that is marked as one of `send_frames` but damaged is dropped, and the wait
    goes on; `on_damaged` tells of it.
    """
    cdef pvmminfo info
    cdef list frames = next_frames(tid, tag, timeout, match, waker, &info)
    cdef Message message
    if info.len < 0:
        return None
    message = Message.__new__(Message)
    message.tid, message.tag, message.frames = info.src, info.tag, frames
    message.other = other_of(info.wid)
    return message


cdef list next_frames(int tid, int tag, timeout, Match match, Waker waker, pvmminfo *info):
    """Wait for the frames of a message; None for another message, or with info.len -1 for none."""
    cdef double limit = seconds(timeout)
    cdef double deadline = now() + limit if limit >= 0 else 0
    cdef int event = -1
    cdef int mid, mine
    cdef list frames
    if waker is not None:
        event = waker.event
        if event < 0:
            raise ValueError("the waker is closed")
    enter()
    mine = pvmmytid
    try:
        while True:
            mid = check(
                receive(tid, tag, &match.table if match is not None else NULL, True, limit, event),
                "recv_frames",
            )
            if mid == 0:
                info.len = -1
                return None
            check(pvm_getminfo(mid, info), "recv_frames")
            if not is_marked(info.wid):
                return None
            frames = None
            try:
                frames = take_part(info)
            except _Damage as error:
                note_damage(info.src, tag_of(info), str(error))
            except MemoryError as error:
                note_damage(info.src, tag_of(info), f"no memory is left for {str(error) or 'it'}")
            finally:
                pvm_freebuf(pvm_setrbuf(0))
            if frames is not None:
                return frames
            if untold:
                # whoever is told may use PVM
                leave()
                try:
                    tell_damage()
                finally:
                    lock()
                if pvmmytid != mine:
                    fail(PvmSysErr, "recv_frames")
            # what is no whole message must not keep the caller for ever
            if event >= 0 and readable(event):
                clear_event(event)
                info.len = -1
                return None
            if limit >= 0:
                limit = max(deadline - now(), 0)
                if now() > deadline + OVERTIME:
                    info.len = -1
                    return None
    finally:
        leave()
        if sent:
            sent.clear()


# --- damaged messages --------------------------------------------------------------------
# Any task of the virtual machine can send anything.  What is marked as frames and is none
# must neither end nor hold up who receives it, and what it announces costs nothing: a frame
# gets its memory when its first bytes have come, all at once, and the kernel gives pages
# only to bytes that come.  So a sender can make a receiver hold what it has really sent, and
# no more than a few times as much if it is out for that.

cdef double OVERTIME = 0.1      # s that a receive may go on with parts after its time

cdef object damage_taker = None
cdef dict damages = {}          # sender -> how many of its messages were dropped
cdef list untold = []           # (sender, tag, reason) of those that nobody was told of


class _Damage(Exception):
    """A received message is not what it claims to be."""


def on_damaged(func=None):
    """Have a function called when a damaged message is dropped.

    Without one, a warning goes to the logger ``pvm_ext``: for the first such message of a
    sender, the second, the fourth, and so on.

    Parameters
    ----------
    func : callable or None
        Called as ``func(tid, tag, reason)`` by the thread that receives, which holds no
        lock, with the sender, the tag (-1 when a long message is dropped before its last
        part, which has the tag, has come), and a str.  An exception in it is printed.
        None restores the warnings.

    Returns
    -------
    callable or None
        The one before.
    """
    global damage_taker
    if func is not None and not callable(func):
        raise TypeError(f"func must be callable or None, not {func!r}")
    before, damage_taker = damage_taker, func
    return before


cdef int tag_of(pvmminfo *info) noexcept nogil:
    return info.tag if info.ctx != PRIVATE_CONTEXT else -1


cdef int note_damage(int tid, int tag, str reason) except -1:
    untold.append((tid, tag, reason))
    damages[tid] = damages.get(tid, 0) + 1
    return 0


cdef int tell_damage() except -1:
    """Tell of what was dropped; without the lock."""
    while untold:
        tid, tag, reason = untold.pop(0)
        count = damages.get(tid, 1)
        try:
            if damage_taker is not None:
                damage_taker(tid, tag, reason)
            elif count & (count - 1) == 0:
                import logging

                logging.getLogger("pvm_ext").warning(
                    "dropped a damaged message of task %#x, %s: %s (%d so far)",
                    tid, "a long one" if tag < 0 else f"tag {tag}", reason, count,
                )
        except Exception:
            sys.excepthook(*sys.exc_info())
    return 0


cdef int damaged(str what) except -1:
    raise _Damage(what)


cdef extern from * nogil:
    """
    #include <sys/sysinfo.h>
    /* Memory and swap space of this computer, in bytes. */
    static unsigned long long memory_size(void)
    {
        struct sysinfo info;
        if (sysinfo(&info))
            return (unsigned long long)-1;
        return ((unsigned long long)info.totalram + info.totalswap) * info.mem_unit;
    }
    """
    unsigned long long memory_size()


cdef int make_way(int sender, Header *header) except -1:
    """Refuse what this computer cannot hold; the oldest parts of its sender go first."""
    cdef unsigned long long most = memory_size()
    cdef unsigned long long announced = header.total
    cdef Partial partial
    if announced > most:
        damaged(f"{announced} bytes announced, more than this computer can hold")
    for key in reversed([key for key in partials if key[0] == sender]):
        partial = partials[key]
        announced += partial.total
        if announced > most:
            del partials[key]
            note_damage(sender, -1, "it is unfinished, and newer ones announce all memory")
    return 0


# --- taking apart ------------------------------------------------------------------------

cdef list take_part(pvmminfo *info):
    """Unpack the active receive buffer; return the frames when their last part has come."""
    cdef Header header
    cdef Partial partial
    cdef bint last = info.ctx != PRIVATE_CONTEXT
    if info.len < HEADER or pvm_upkbyte(<char *>&header, HEADER_BYTES, 1) < 0:
        damaged(f"{info.len} bytes have no room for a header")
    if header.magic != FRAMES_MARK:
        damaged("its header is foreign")
    if last and header.part == 0:
        check_first(info, &header, last)
        if header.frames <= FEW and header.total <= PACKED:
            return short_message(&header)
        partial = begin_message(&header)
        fill(partial, header.here)
        return all_frames(partial)

    # one of several parts; when it is damaged, nothing is said of those that follow
    partial = partials.pop((info.src, header.number), None)
    before = given_up.pop(info.src, None)
    if not last:
        given_up[info.src] = header.number
    if header.part and partial is None and before == header.number:
        return None
    if header.part == 0:
        check_first(info, &header, last)
        make_way(info.src, &header)
        partial = begin_message(&header)
    else:
        check_here(info, &header)
        if partial is None or partial.part != header.part:
            damaged(f"part {header.part} came without the ones before it")
        if header.here > partial.missing or (last and header.here != partial.missing):
            damaged("the lengths of its parts do not fit")
    fill(partial, header.here)
    if last:
        if header.total >= VAST:
            # the buffers of its parts have left holes in the heap
            malloc_trim(0)
        return all_frames(partial)
    del given_up[info.src]
    partial.part += 1
    partial.touched = now()
    partials[info.src, header.number] = partial
    if header.part == 0:
        watch_sender(info.src)
    return None


cdef int check_here(pvmminfo *info, Header *header) except -1:
    if header.here > <unsigned long long>info.len or header.here > header.total:
        damaged(f"{header.here} bytes announced in a message of {info.len}")
    return 0


cdef int check_first(pvmminfo *info, Header *header, bint last) except -1:
    check_here(info, header)
    if last and header.here != header.total:
        damaged("parts are missing")
    if (header.frames >= MAX_FRAMES
            or HEADER + 8 * <unsigned long long>header.frames + header.here
            > <unsigned long long>info.len):
        damaged(f"{header.frames} frames announced in {info.len} bytes")
    return 0


cdef int HEADER_BYTES = HEADER


cdef int read_table(Header *header, unsigned long long *lengths) except -1:
    """Read the lengths of the frames, and check them."""
    cdef unsigned long long total = 0, length
    cdef Py_ssize_t count = header.frames, i
    if count and pvm_upkbyte(<char *>lengths, <int>(8 * count), 1) < 0:
        damaged("it ends too early")
    for i in range(count):
        length = lengths[i] & ~READ_ONLY
        if length > header.total - total:
            damaged("the lengths of its frames do not fit")
        total += length
    if total != header.total:
        damaged("the lengths of its frames do not fit")
    return 0


cdef list short_message(Header *header):
    """Unpack few and short frames that have come in one part."""
    cdef unsigned long long[FEW] lengths
    cdef list frames = []
    cdef Piece target
    cdef unsigned int i
    read_table(header, lengths)
    for i in range(header.frames):
        frames.append(new_frame(
            <Py_ssize_t>(lengths[i] & ~READ_ONLY), lengths[i] & READ_ONLY != 0, &target
        ))
        if target.size and pvm_upkbyte(target.data, <int>target.size, 1) < 0:
            damaged("it ends too early")
    return frames


cdef Partial begin_message(Header *header):
    """Read the table of lengths."""
    cdef Partial partial = Partial.__new__(Partial)
    partial.count = header.frames
    partial.lengths = <unsigned long long *>malloc(8 * partial.count + 8)
    if partial.lengths == NULL:
        raise MemoryError(f"{partial.count} frames")
    read_table(header, partial.lengths)
    partial.total = partial.missing = header.total
    partial.frames = []
    return partial


cdef void *ask_for(Py_ssize_t size) except NULL:
    cdef void *memory = PyMem_RawMalloc(size)
    if memory == NULL:
        raise MemoryError(f"a frame of {size} bytes")
    return memory


cdef object new_frame(Py_ssize_t size, bint read_only, Piece *target):
    """Make a frame without filling it."""
    cdef object frame
    if size >= HUGE:
        # CPython's own way out of a bytearray that is too large prints nonsense
        PyMem_RawFree(ask_for(size))
    if read_only or size < WRITABLE:
        frame = PyBytes_FromStringAndSize(NULL, size)
        set_target(PyBytes_AS_STRING(frame), size, target)
    else:
        frame = PyByteArray_FromStringAndSize(NULL, size)
        set_target(PyByteArray_AS_STRING(frame), size, target)
    return frame


cdef object grown_frame(object frame, Py_ssize_t size, Py_ssize_t filled, Piece *target):
    """Give a frame that was begun its full size; return it, or what stands in its place."""
    cdef object whole = frame
    if size >= HUGE:
        PyMem_RawFree(ask_for(size))
    if isinstance(frame, bytes):
        whole = PyBytes_FromStringAndSize(NULL, size)
        set_target(PyBytes_AS_STRING(whole), size, target)
        memcpy(target.data, PyBytes_AS_STRING(frame), filled)
    else:
        PyByteArray_Resize(frame, size)
        set_target(PyByteArray_AS_STRING(frame), size, target)
    return whole


cdef void set_target(char *data, Py_ssize_t size, Piece *target) noexcept:
    target.data = data
    target.size = size
    ask_for_large_pages(target.data, size)


cdef void ask_for_large_pages(char *data, Py_ssize_t size) noexcept nogil:
    cdef size_t start
    if size >= HUGE:
        # fresh memory comes in by page faults: fewer and larger ones
        start = (<size_t>data + 0x1fffff) & ~<size_t>0x1fffff
        madvise(<void *>start, (<size_t>data + size - start) & ~<size_t>0xfff, MADV_HUGEPAGE)


cdef int fill(Partial partial, unsigned long long here) except -1:
    """Unpack this many bytes into the frames, in the pieces in which they were packed."""
    cdef Py_ssize_t size
    cdef int code
    partial.missing -= here
    while here > 0:
        while partial.offset == partial.wanted:
            next_frame(partial, here)
        size = partial.wanted - partial.offset
        if size > <Py_ssize_t>here:
            size = <Py_ssize_t>here
        if size > partial.target.size - partial.offset:
            partial.frames[partial.begun - 1] = grown_frame(
                partial.frames[partial.begun - 1], partial.wanted, partial.offset, &partial.target
            )
        if size < WRITABLE:
            code = pvm_upkbyte(partial.target.data + partial.offset, <int>size, 1)
        else:
            with nogil:
                code = pvm_upkbyte(partial.target.data + partial.offset, <int>size, 1)
        if code < 0:
            damaged("it ends too early")
        partial.offset += size
        here -= size
    return 0


cdef inline int next_frame(Partial partial, unsigned long long here) except -1:
    cdef Py_ssize_t size = <Py_ssize_t>(partial.lengths[partial.begun] & ~READ_ONLY)
    cdef bint read_only = partial.lengths[partial.begun] & READ_ONLY != 0
    partial.begun += 1
    partial.wanted = size
    partial.offset = 0
    if size > EARNEST and here < EARNEST:
        size = EARNEST
    partial.frames.append(new_frame(size, read_only, &partial.target))
    return 0


cdef list all_frames(Partial partial):
    """Return the frames of a message whose bytes have all come."""
    while len(partial.frames) < partial.count:
        # empty ones at the end
        partial.frames.append(b"")
    return partial.frames
