# The lock around libpvm, and the buffers of each thread.
#
# libpvm3 has one set of global variables and no locks.  Every call is made by the thread
# that holds `gate`.  The rules:
#
# - `gate` is taken before libpvm is called and given back after; compound steps (make a
#   buffer, pack, send) happen under one hold.  It is a semaphore and not a mutex since a
#   wait for it must end when a signal comes (Ctrl-C).
# - Nobody waits for `gate` with the GIL held, so who holds `gate` may wait for the GIL.
# - Nobody waits for a message with `gate` held (see waiting.pxi).  Calls that ask the
#   daemon do hold it till the answer is there, with the GIL released.
# - libpvm calls message handlers in the midst of its own functions.  A handler may call
#   the binding again: the thread that holds `gate` passes, `depth` counts.
# - libpvm has one active send and one active receive buffer.  Each thread has its own
#   pair; `begin` puts them in place when another thread was last.

cdef struct Waiter

cdef struct Thread:
    # What belongs to one thread that has called libpvm.
    int sbuf            # its active send buffer while it is not the active thread
    int rbuf            # its active receive buffer, likewise
    Waiter *waiter      # its place in the list of waiting threads, made at the first wait
    Thread *next        # in the list of ended threads


cdef sem_t gate
cdef Thread *holder = NULL        # who holds the gate
cdef int depth = 0                # how often
cdef Thread *active = NULL        # whose buffers are libpvm's active ones
cdef Thread *ended = NULL         # threads that have ended and left buffers behind
cdef pthread_mutex_t ended_mutex  # guards that list, held for moments only
cdef pthread_key_t thread_key
cdef int handling = 0             # message handlers of Python that are running
cdef bint forked = False          # this process is a fork of one that used PVM


cdef void reset_locks() noexcept nogil:
    global holder, depth
    sem_init(&gate, 0, 1)
    pthread_mutex_init(&ended_mutex, NULL)
    holder = NULL
    depth = 0


cdef void thread_ended(void *thread) noexcept nogil:
    # Called by the C library when a thread ends, without the GIL and without the gate.
    global ended
    pthread_mutex_lock(&ended_mutex)
    (<Thread *>thread).next = ended
    ended = <Thread *>thread
    pthread_mutex_unlock(&ended_mutex)


cdef Thread *this_thread() noexcept nogil:
    cdef Thread *me = <Thread *>pthread_getspecific(thread_key)
    if me == NULL:
        me = <Thread *>calloc(1, sizeof(Thread))
        if me != NULL:
            pthread_setspecific(thread_key, me)
    return me


cdef int pretend() noexcept nogil:
    # Each function of libpvm first looks for the daemon when the process is not enrolled,
    # and grumbles on stderr when there is none.  Those that only handle buffers work
    # without: between `pretend` and `unpretend` libpvm takes itself for enrolled.
    global pvmmytid, pvmmydsig
    cdef int tid = pvmmytid
    if tid == -1:
        pvmmydsig = pvmgetdsig()
        pvmmytid = 0
    return tid


cdef void unpretend(int tid) noexcept nogil:
    global pvmmytid
    pvmmytid = tid


cdef void bury() noexcept nogil:
    # Free what ended threads have left behind.
    global ended, active, counted
    cdef Thread *thread
    cdef Thread *following
    cdef int tid = pretend()
    pthread_mutex_lock(&ended_mutex)
    thread = ended
    ended = NULL
    pthread_mutex_unlock(&ended_mutex)
    while thread != NULL:
        following = thread.next
        if thread == active:
            thread.sbuf = pvm_setsbuf(0)
            thread.rbuf = pvm_setrbuf(0)
            active = NULL
        if thread.sbuf > 0:
            pvm_freebuf(thread.sbuf)
        if thread.rbuf > 0:
            pvm_freebuf(thread.rbuf)
        free_waiter(thread.waiter)
        free(thread)
        thread = following
    counted = 0
    unpretend(tid)


cdef int put_sbuf(int bufid) noexcept nogil:
    # Another thread may have freed the buffer of this one.
    cdef int before = pvm_setsbuf(bufid)
    return before if before >= 0 else pvm_setsbuf(0)


cdef int put_rbuf(int bufid) noexcept nogil:
    cdef int before = pvm_setrbuf(bufid)
    return before if before >= 0 else pvm_setrbuf(0)


cdef void begin(Thread *me) noexcept nogil:
    # The gate has just been taken by this thread.
    global holder, depth, active, handler_sends
    cdef int tid, sbuf, rbuf
    holder = me
    depth = 1
    handler_sends = 0
    if ended != NULL:
        bury()
    if active != me:
        tid = pretend()
        sbuf = put_sbuf(me.sbuf)
        rbuf = put_rbuf(me.rbuf)
        if active != NULL:
            active.sbuf = sbuf
            active.rbuf = rbuf
        active = me
        unpretend(tid)


cdef void relock(Thread *me) noexcept nogil:
    while sem_wait(&gate) != 0:
        pass
    begin(me)


cdef int lock() except -1:
    """Take the lock; a signal that comes meanwhile is handled."""
    global depth
    cdef Thread *me = this_thread()
    cdef int failed
    if me == NULL:
        raise MemoryError
    if forked:
        raise_forked()
    if holder == me:
        depth += 1
        return 0
    while sem_trywait(&gate) != 0:
        with nogil:
            failed = sem_wait(&gate)
        if not failed:
            break
        PyErr_CheckSignals()
    begin(me)
    return 0


cdef void unlock() noexcept nogil:
    # A wait that a signal ended may come back without the lock.
    global holder, depth
    if holder != <Thread *>pthread_getspecific(thread_key):
        return
    depth -= 1
    if depth == 0:
        holder = NULL
        sem_post(&gate)


cdef int enter() except -1:
    """Take the lock, enrolled in PVM."""
    lock()
    if pvmmytid == -1:
        try:
            enrol()
        except BaseException:
            unlock()
            raise
    return 0


cdef int ask() except -1:
    """Take the lock for a call that waits for the daemon's answer."""
    if handling and holder == this_thread():
        # libpvm would ask, not wait, and take the answer for that of the next call
        raise error_for(PvmNotImpl, None, "a message handler cannot ask the daemon")
    return enter()


cdef void leave() noexcept nogil:
    # Give the lock back after a call that may have read messages for other threads.
    if waiters != NULL and depth == 1 and holder == <Thread *>pthread_getspecific(thread_key):
        wake_receivers()
    unlock()
