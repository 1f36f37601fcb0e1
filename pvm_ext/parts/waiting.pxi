# Waiting for messages without holding the lock.
#
# A thread that waits looks first (pvm_nrecv under the lock); when libpvm's queue is empty,
# it leaves the look at the sockets to the sleep.  When nothing fits, it puts
# itself into the list `waiters`, leaves the lock, and sleeps in poll() on libpvm's sockets
# and on an event of its own.  Whoever calls libpvm meanwhile may read messages from those
# sockets into libpvm's queue, or open a new socket; `leave` then goes through the queue
# once, and wakes exactly those for whom something is there.  So no message is slept over,
# and two waiting threads never wake each other for nothing.
#
# A signal that comes between the last look at Python's signals and the sleep would not end
# the sleep.  So signals are blocked from that look on, and let in by ppoll() itself.
#
# libpvm decides by `match` whether a message in its queue is wanted.  The modes:
#   AS_PVM   libpvm's own rule: tid and tag of the call, and the current context
#   LOOKING  what the thread `looker` waits for
#   WAKING   nothing is received, but waiting threads are woken whose message is seen
#   ALL      everything, to empty the queue

cdef enum:
    AS_PVM, LOOKING, WAKING, ALL


cdef struct MatchTable:
    # A set of pairs (tid, tag): open addressing, never more than half full.
    unsigned long long *slots
    unsigned long size      # a power of two
    unsigned long used      # slots that hold a pair or the mark of a removed one
    unsigned long count


cdef struct Waiter:
    int tid                 # what it waits for: sender, -1 any
    int tag                 # tag, -1 any
    int context             # context, -1 any
    int parts               # whether parts of long messages are wanted too
    MatchTable *table       # or these pairs of sender and tag
    int event               # eventfd that wakes it
    int woken
    int abandoned           # its thread has left by an exception; free when seen
    int sockets             # how many sockets it polls
    bint mending            # there is a queue whose link is broken
    unsigned long generation
    pollfd *set
    int set_size
    Waiter *next


cdef Waiter *waiters = NULL
cdef Waiter *looker = NULL
cdef int mode = AS_PVM
cdef unsigned long generation = 0    # counts the sockets that came
cdef bint interrupted = False        # Ctrl-C came while a message handler ran


# --- what is wanted ----------------------------------------------------------------------

cdef unsigned long long EMPTY = 0x7fffffff7fffffffULL
cdef unsigned long long REMOVED = 0x7fffffff7ffffffeULL


cdef inline unsigned long long pair(int tid, int tag) noexcept nogil:
    return (<unsigned long long><unsigned int>tid << 32) | <unsigned int>tag


cdef unsigned long slot_of(MatchTable *table, unsigned long long key) noexcept nogil:
    # The slot of the pair, or an empty one.
    cdef unsigned long i = <unsigned long>((key * 0x9e3779b97f4a7c15ULL) >> 32) & (table.size - 1)
    while table.slots[i] != key and table.slots[i] != EMPTY:
        i = (i + 1) & (table.size - 1)
    return i


cdef bint has(MatchTable *table, int tid, int tag) noexcept nogil:
    cdef unsigned long long key = pair(tid, tag)
    return table.count > 0 and table.slots[slot_of(table, key)] == key


cdef bint wants(Waiter *waiter, pvmminfo *message) noexcept nogil:
    cdef MatchTable *table = waiter.table
    if message.ctx == PRIVATE_CONTEXT:
        return waiter.parts and is_marked(message.wid)
    if waiter.context != -1 and waiter.context != message.ctx:
        return False
    if table == NULL:
        return (waiter.tid == -1 or waiter.tid == message.src) and (
            waiter.tag == -1 or waiter.tag == message.tag)
    return (has(table, message.src, message.tag) or has(table, -1, message.tag)
            or has(table, message.src, -1) or has(table, -1, -1))


cdef int match(int mid, int tid, int tag) noexcept nogil:
    cdef pvmminfo message
    cdef Waiter *waiter
    cdef int code
    if mode == ALL:
        return 1
    code = pvm_getminfo(mid, &message)
    if code < 0:
        return code
    if message.wid < 0 and has(relays, message.src, 0):
        message.src = other_of(message.wid)
        message.wid = FRAMES_MARK
        pvm_setminfo(mid, &message)
    if mode == LOOKING:
        if user_matches and plain(looker) and message.ctx != PRIVATE_CONTEXT:
            return ask_matcher(mid, looker.tid, looker.tag)
        return wants(looker, &message)
    if mode == WAKING:
        waiter = waiters
        while waiter != NULL:
            if not waiter.woken and (wants(waiter, &message) or user_matches and plain(waiter)):
                wake(waiter)
            waiter = waiter.next
        return 0
    if user_matches and message.ctx != PRIVATE_CONTEXT:
        return ask_matcher(mid, tid, tag)
    return ((tid == -1 or tid == message.src) and (tag == -1 or tag == message.tag)
            and (pvmmyctx == -1 or pvmmyctx == message.ctx))


cdef class Match:
    """A set of pairs of sender and tag that `recv_frames` accepts.

    Messages that fit no pair stay in libpvm's queue.  The set may be changed by any
    thread, also while another one waits with it.
    """

    cdef MatchTable table

    def __cinit__(self):
        self.table.size = 16
        self.table.slots = <unsigned long long *>malloc(16 * sizeof(unsigned long long))
        if self.table.slots == NULL:
            raise MemoryError
        for i in range(16):
            self.table.slots[i] = EMPTY

    def __dealloc__(self):
        free(self.table.slots)

    def __len__(self):
        return self.table.count

    def __contains__(self, key):
        tid, tag = key
        lock()
        try:
            return bool(has(&self.table, tid, tag))
        finally:
            unlock()

    def add(self, int tid, int tag):
        """Accept messages of this sender with this tag.

        Parameters
        ----------
        tid : int
            The sender; -1 for any.
        tag : int
            The message tag; -1 for any.
        """
        cdef unsigned long i
        lock()
        try:
            if has(&self.table, tid, tag):
                return
            if 2 * (self.table.used + 1) > self.table.size:
                self.grow()
            i = slot_of(&self.table, pair(tid, tag))
            self.table.slots[i] = pair(tid, tag)
            self.table.used += 1
            self.table.count += 1
        finally:
            leave()

    def discard(self, int tid, int tag):
        """Accept the pair no longer; no error when it was not accepted."""
        cdef unsigned long i
        lock()
        try:
            i = slot_of(&self.table, pair(tid, tag))
            if self.table.slots[i] != EMPTY:
                self.table.slots[i] = REMOVED
                self.table.count -= 1
        finally:
            unlock()

    cdef int grow(self) except -1:
        cdef unsigned long long *old = self.table.slots
        cdef unsigned long old_size = self.table.size
        cdef unsigned long size = 16
        while size < 4 * (self.table.count + 1):
            size *= 2
        self.table.slots = <unsigned long long *>malloc(size * sizeof(unsigned long long))
        if self.table.slots == NULL:
            self.table.slots = old
            raise MemoryError
        self.table.size = size
        self.table.used = self.table.count
        for i in range(size):
            self.table.slots[i] = EMPTY
        for i in range(old_size):
            if old[i] != EMPTY and old[i] != REMOVED:
                self.table.slots[slot_of(&self.table, old[i])] = old[i]
        free(old)
        return 0


# --- who waits ---------------------------------------------------------------------------

cdef void signal_event(int event) noexcept nogil:
    cdef unsigned long long one = 1
    cdef Py_ssize_t done = write(event, &one, sizeof(one))


cdef void clear_event(int event) noexcept nogil:
    cdef unsigned long long count
    cdef Py_ssize_t done = read(event, &count, sizeof(count))


cdef bint readable(int fd) noexcept nogil:
    cdef pollfd look
    look.fd = fd
    look.events = POLLIN
    look.revents = 0
    return poll(&look, 1, 0) > 0


cdef void wake(Waiter *waiter) noexcept nogil:
    waiter.woken = 1
    signal_event(waiter.event)


cdef void wake_all() noexcept nogil:
    cdef Waiter *waiter = waiters
    while waiter != NULL:
        if not waiter.woken:
            wake(waiter)
        waiter = waiter.next


cdef void wake_receivers() noexcept nogil:
    # The queue and the sockets may have changed: wake those who are concerned.
    global mode
    cdef Waiter *waiter = waiters
    cdef Waiter *following
    while waiter != NULL:
        following = waiter.next
        if waiter.abandoned:
            step_out(waiter)
            free_waiter(waiter)
        elif waiter.generation != generation and not waiter.woken:
            wake(waiter)
        waiter = following
    if waiters != NULL and pvmmytid != -1:
        mode = WAKING
        pvm_probe(-1, -1)
        mode = AS_PVM


cdef void drain() noexcept nogil:
    # Drop every message in libpvm's queue.
    global mode
    mode = ALL
    while pvmmytid != -1 and pvm_nrecv(-1, -1) > 0:
        pass
    mode = AS_PVM


cdef Waiter *make_waiter() noexcept nogil:
    cdef Waiter *waiter = <Waiter *>calloc(1, sizeof(Waiter))
    if waiter != NULL:
        waiter.event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)
        if waiter.event < 0:
            free(waiter)
            waiter = NULL
    return waiter


cdef void free_waiter(Waiter *waiter) noexcept nogil:
    if waiter != NULL:
        close(waiter.event)
        free(waiter.set)
        free(waiter)


cdef void line_up(Waiter *waiter) noexcept nogil:
    global waiters
    waiter.woken = 0
    waiter.next = waiters
    waiters = waiter


cdef void step_out(Waiter *waiter) noexcept nogil:
    global waiters
    cdef Waiter *other = waiters
    if other == waiter:
        waiters = waiter.next
        return
    while other != NULL:
        if other.next == waiter:
            other.next = waiter.next
            return
        other = other.next


cdef int gather_sockets(Waiter *waiter, int waker) noexcept nogil:
    # Fill the set to sleep on: own event, waker, libpvm's sockets, links with something
    # queued.  Returns its length.
    cdef int *fds
    cdef int n
    if queues != NULL:
        tidy()
    n = pvm_getfds(&fds)
    cdef pollfd *bigger
    cdef int i
    if n < 0:
        return n
    if waiter.set_size < n + 2:
        bigger = <pollfd *>realloc(waiter.set, (n + 8) * sizeof(pollfd))
        if bigger == NULL:
            return PvmNoMem
        waiter.set = bigger
        waiter.set_size = n + 8
    waiter.mending = False
    waiter.set[0].fd = waiter.event
    waiter.set[1].fd = waker         # poll ignores a negative one
    for i in range(n):
        waiter.set[i + 2].fd = fds[i]
    for i in range(n + 2):
        waiter.set[i].events = POLLIN
        waiter.set[i].revents = 0
    waiter.generation = generation
    return add_links(waiter, n + 2) if queues != NULL else n + 2


cdef double now() noexcept nogil:
    cdef timespec moment
    clock_gettime(CLOCK_MONOTONIC, &moment)
    return moment.tv_sec + moment.tv_nsec * 1e-9


cdef int look(Waiter *waiter) noexcept nogil:
    # Receive what the waiter wants, if it is there: bufid, 0, or an error.
    global mode, looker
    cdef int mid
    mode = LOOKING
    looker = waiter
    mid = pvm_nrecv(-1, -1)
    mode = AS_PVM
    return mid


cdef extern from *:
    """
    #include <signal.h>
    /* All but those that the thread's own faults raise. */
    static void block_signals(sigset_t *before)
    {
        static const int faults[] = {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP};
        sigset_t signals;
        unsigned i;
        sigfillset(&signals);
        for (i = 0; i < sizeof faults / sizeof *faults; i++)
            sigdelset(&signals, faults[i]);
        pthread_sigmask(SIG_BLOCK, &signals, before);
    }
    static void restore_signals(const sigset_t *before)
    {
        pthread_sigmask(SIG_SETMASK, before, NULL);
    }
    """
    ctypedef struct sigset_t:
        pass
    void block_signals(sigset_t *) nogil
    void restore_signals(const sigset_t *) nogil


cdef double seconds(timeout) except? -2:
    """Turn a timeout into seconds; None becomes -1, for ever."""
    cdef double value
    if timeout is None:
        return -1
    value = timeout
    if value != value:
        raise ValueError("the timeout is not a number")
    if value > 1e9:
        # 30 years, and more than some clocks can hold
        return -1
    return value if value > 0 else 0


cdef void relock_blocked(Thread *me, sigset_t *signals) noexcept nogil:
    # Take the lock again; while somebody else has it, signals may come.
    global interrupted
    if sem_trywait(&gate) == 0:
        begin(me)
        return
    restore_signals(signals)
    relock(me)
    block_signals(signals)
    # one may have come: look for it before the next sleep
    interrupted = True


cdef Waiter *wanting(Thread *me, int tid, int tag, MatchTable *table, bint parts) except NULL:
    if me.waiter == NULL:
        me.waiter = make_waiter()
        if me.waiter == NULL:
            raise OSError("no file descriptor is left to wait with")
    me.waiter.tid = tid
    me.waiter.tag = tag
    me.waiter.table = table
    me.waiter.parts = parts
    me.waiter.context = pvmmyctx
    return me.waiter


cdef int receive(int tid, int tag, MatchTable *table, bint parts, double timeout,
                 int waker) except? -1:
    """Wait for a message, with the lock taken once; return its bufid, or 0.

    The message becomes the active receive buffer.  An exception may leave the thread
    without the lock; `unlock` and `leave` know.
    """
    global interrupted
    cdef Thread *me = this_thread()
    cdef Waiter *waiter
    cdef int mine = pvmmytid
    cdef int mid = 0
    cdef int n, ready, problem
    cdef bint last = timeout == 0
    cdef bint first = True, soon
    cdef double deadline = now() + timeout if timeout > 0 else 0
    cdef double left
    cdef timespec limit
    cdef sigset_t signals
    if depth != 1:
        raise error_for(PvmNotImpl, "recv", "a message handler cannot receive")
    if last:
        waiter = wanting(me, tid, tag, table, parts)
        with nogil:
            if queues != NULL and now() - pumped > PUMP_INTERVAL:
                pump()
            return look(waiter)
    block_signals(&signals)
    try:
        # A signal that came before.  Its handler may use PVM, and may receive, too.
        unlock()
        PyErr_CheckSignals()
        if sem_trywait(&gate) == 0:
            begin(me)
        else:
            with nogil:
                relock_blocked(me, &signals)
        waiter = wanting(me, tid, tag, table, parts)
        while True:
            with nogil:
                while True:
                    if queues != NULL and pvmmytid == mine:
                        pump()
                    if pvmmytid != mine:
                        mid = PvmSysErr
                    elif not first or pvmrxlist == NULL or pvmrxlist[0] != pvmrxlist:
                        mid = look(waiter)
                        if mid == 0 and not first:
                            # the first look has read the head of a message, this one reads the rest
                            mid = look(waiter)
                    first = False
                    if mid != 0 or last:
                        break
                    n = gather_sockets(waiter, waker)
                    if n < 0:
                        mid = n
                        break
                    line_up(waiter)
                    problem = EINTR if interrupted else 0
                    interrupted = False
                    # what this look has read may be for somebody else
                    if waiter.next != NULL:
                        leave()
                    else:
                        unlock()
                    if problem:
                        break
                    left = deadline - now() if timeout >= 0 else MOURNING
                    soon = waiter.mending and left >= MOURNING
                    if soon:
                        left = MOURNING
                    if timeout < 0 and not soon:
                        ready = ppoll(waiter.set, n, NULL, &signals)
                    else:
                        if left < 0:
                            left = 0
                        limit.tv_sec = <long>left
                        limit.tv_nsec = <long>((left - limit.tv_sec) * 1e9)
                        ready = ppoll(waiter.set, n, &limit, &signals)
                    if ready < 0:
                        problem = errno
                        break
                    relock_blocked(me, &signals)
                    step_out(waiter)
                    if waiter.woken:
                        clear_event(waiter.event)
                    if waker >= 0 and waiter.set[1].revents != 0:
                        clear_event(waker)
                        last = True
                    if ready == 0 and not soon:
                        last = True
            if mid != 0 or last:
                break
            # A signal came while the thread slept without the lock.  Its handler runs now.
            # When that raises, the thread must be able to go though somebody else may hold
            # the lock for long; when it receives, it needs a place of its own in the list.
            me.waiter = NULL
            restore_signals(&signals)
            try:
                if problem != EINTR:
                    raise OSError(problem, os.strerror(problem))
                PyErr_CheckSignals()
                block_signals(&signals)
                PyErr_CheckSignals()
            except BaseException:
                if sem_trywait(&gate) == 0:
                    begin(me)
                    step_out(waiter)
                    if waiter.woken:
                        clear_event(waiter.event)
                    free_waiter(me.waiter)
                    me.waiter = waiter
                else:
                    waiter.table = NULL
                    waiter.tid = waiter.tag = -2
                    waiter.abandoned = 1
                raise
            with nogil:
                relock_blocked(me, &signals)
                step_out(waiter)
                if waiter.woken:
                    clear_event(waiter.event)
                free_waiter(me.waiter)
                me.waiter = waiter
    finally:
        restore_signals(&signals)
    return mid


cdef class Waker:
    """Ends the wait of another thread in `recv_frames`.

    `wake` may be called by any thread, by signal handlers, and before the wait begins:
    then the wait ends at once.  One wake ends one wait.
    """

    cdef int event

    def __cinit__(self):
        self.event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)
        if self.event < 0:
            raise OSError("no file descriptor is left for a Waker")

    def __dealloc__(self):
        if self.event >= 0:
            close(self.event)

    def wake(self):
        """End the wait, or the next one; no effect after `close`."""
        if self.event >= 0:
            signal_event(self.event)

    def fileno(self):
        """Return the file descriptor that becomes readable by `wake`."""
        return self.event

    def close(self):
        """Give the file descriptor back.  No thread may be waiting with it."""
        if self.event >= 0:
            close(self.event)
            self.event = -1

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self.close()
