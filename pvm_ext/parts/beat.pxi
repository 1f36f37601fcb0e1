# A sign of life that needs no Python: a C thread that goes on while the interpreter is
# held by a long computation, and that ends the process when it has become pointless.

cdef extern from "<unistd.h>" nogil:
    void end_process "_exit"(int)

cdef extern from "<math.h>" nogil:
    double fmod(double, double)

cdef enum:
    LOOK_INTERVAL = 2   # seconds between two looks for the end of the watched task


cdef struct Pulse:
    int to
    int tag
    int watch
    double interval
    double grace
    int status
    int own_tid         # of this process when the beat began
    int event           # eventfd that ends a sleep
    int stop
    int gone            # the watched task has ended, or the daemon is gone
    pthread_t thread
    Pulse *next

cdef Pulse *pulses = NULL


cdef int watched_ended(int mid) noexcept nogil:
    # A message handler of libpvm: the daemon tells that a watched task has ended.
    cdef int tid
    cdef Pulse *pulse = pulses
    if from_daemon(mid) and pvm_upkint(&tid, 1, 1) == 0:
        while pulse != NULL:
            if pulse.watch == tid and not pulse.gone:
                pulse.gone = 1
                signal_event(pulse.event)
            pulse = pulse.next
    return 0


cdef bint daemon_gone(int own_tid) noexcept nogil:
    # Without the lock, which another thread may hold for long.
    cdef pollfd look
    if pvmmytid != own_tid and pvmmytid != 0:
        return True
    look.fd = routes[0].fd
    look.events = 0
    look.revents = 0
    return poll(&look, 1, 0) > 0 and is_route(&routes[0])


cdef double next_round(double interval) noexcept nogil:
    # The same moment for all processes of a host: who hears their beats wakes up once.
    cdef double time = now()
    return time - fmod(time, interval) + interval


cdef int read_for_others(Waiter *waiter, int event) noexcept nogil:
    # With the lock held: read what has come, libpvm's word of a watched task's end too.
    # Returns how many sockets to go on reading from, with `event` before them: none while
    # another thread waits and does it, less than 0 when the daemon is gone.
    cdef int context, code
    if queues != NULL:
        pump()
    context = pvm_setcontext(PRIVATE_CONTEXT)
    code = pvm_probe(-1, WATCH_TAG)
    pvm_setcontext(context)
    if code == PvmSysErr:
        return code
    return gather_sockets(waiter, event) if waiters == NULL else 0


cdef void *keep_beating(void *argument) noexcept nogil:
    cdef Pulse *pulse = <Pulse *>argument
    cdef Thread *me = this_thread()
    cdef Waiter *reader = make_waiter()
    cdef int sockets = 0
    cdef pollfd look
    cdef double due = next_round(pulse.interval) - pulse.interval, look_due = due, end = 0, left
    cdef int ready = 0
    cdef double look_every = min(pulse.interval, <double>LOOK_INTERVAL)
    cdef int wait_ms
    if me == NULL or reader == NULL:
        return NULL
    look.fd = pulse.event
    look.events = POLLIN
    while not pulse.stop:
        if not pulse.gone and (ready > 0 or now() >= look_due):
            if now() >= look_due:
                look_due = next_round(look_every)
            sockets = 0
            if daemon_gone(pulse.own_tid):
                pulse.gone = 1
            elif sem_wait_for(&gate, look_every) == 0:
                begin(me)
                if pvmmytid == pulse.own_tid and not pulse.stop:
                    sockets = read_for_others(reader, pulse.event)
                    if sockets < 0:
                        pulse.gone = 1
                    if now() >= due - look_every / 2 and not pulse.gone:
                        due = max(due + pulse.interval, now())
                        if put_frames(&pulse.to, 1, pulse.tag, NULL, 0, 0, PvmDataRaw) == PvmSysErr:
                            pulse.gone = 1
                leave()
        if pulse.gone:
            if end == 0:
                end = now() + pulse.grace
            if now() >= end:
                end_process(pulse.status)
        left = (end if pulse.gone else look_due) - now()
        wait_ms = <int>(left * 1000) + 1 if left > 0 else 0
        if sockets > 0:
            ready = poll(reader.set, sockets, wait_ms)
        else:
            poll(&look, 1, wait_ms)
            ready = 0
        clear_event(pulse.event)
    free_waiter(reader)
    return NULL


cdef class Beat:
    """Send a sign of life at regular intervals, from a thread that needs no Python.

    The messages are those of ``send_frames(to, tag, [])``.  They go on while Python code
    holds the interpreter.  When the task `watch` has ended, or the daemon is gone, and
    the process has not ended by itself within `grace` seconds, it is ended at once, as by
    ``os._exit``.  The thread wakes up every two seconds, or at each beat where these are
    closer; while another thread is stuck in a libpvm call, nothing is sent.  When it wakes
    up and no thread waits for messages, it reads those that come until one does, so that
    whoever sends over a direct link is not held up.

    Parameters
    ----------
    to : int
        The tid of the task that gets the messages.
    tag : int
        Their tag.
    interval : float
        Seconds between them.
    watch : int, optional
        A task without which this process is pointless.
    grace : float, optional
        Seconds that the process has to end by itself.
    status : int, optional
        The exit status when it has not.
    """

    cdef Pulse *pulse
    cdef int pid

    def __cinit__(self, int to, int tag, double interval, int watch=0, double grace=2.0,
                  int status=1):
        cdef int code = 0, context
        if not interval > 0 or not grace >= 0:
            raise ValueError("interval must be > 0 and grace >= 0")
        enter()
        try:
            self.start(to, tag, interval, watch, grace, status)
        finally:
            leave()

    cdef int start(self, int to, int tag, double interval, int watch, double grace,
                   int status) except -1:
        global pulses
        cdef Pulse *pulse = <Pulse *>calloc(1, sizeof(Pulse))
        cdef int code = 0, context
        if pulse == NULL:
            raise MemoryError
        pulse.to, pulse.tag, pulse.watch = to, tag, watch
        pulse.interval, pulse.grace, pulse.status = interval, grace, status
        pulse.own_tid = pvmmytid
        pulse.event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)
        pulse.next = pulses
        pulses = pulse
        if watch:
            with nogil:
                context = pvm_setcontext(PRIVATE_CONTEXT)
                pvm_addmhf(-1, WATCH_TAG, PRIVATE_CONTEXT, watched_ended)
                code = pvm_notify(PvmTaskExit, WATCH_TAG, 1, &watch)
                pvm_setcontext(context)
        if code < 0 or pulse.event < 0 or start_quiet_thread(&pulse.thread, keep_beating, pulse):
            pulses = pulse.next
            if pulse.event >= 0:
                close(pulse.event)
            free(pulse)
            check(code, "notify", f"tid {watch:#x}")
            raise OSError("no thread or file descriptor is left for a Beat")
        self.pulse = pulse
        self.pid = getpid()
        return 0

    @property
    def gone(self):
        """Whether the watched task has ended or the daemon is gone."""
        return self.pulse != NULL and bool(self.pulse.gone)

    def close(self):
        """Stop; the process is not ended any more."""
        global pulses
        cdef Pulse *pulse = self.pulse
        cdef Pulse *other
        if pulse == NULL or self.pid != getpid():
            return
        self.pulse = NULL
        pulse.stop = 1
        signal_event(pulse.event)
        with nogil:
            pthread_join(pulse.thread, NULL)
        lock()
        try:
            if pulses == pulse:
                pulses = pulse.next
            else:
                other = pulses
                while other != NULL and other.next != pulse:
                    other = other.next
                if other != NULL:
                    other.next = pulse.next
        finally:
            unlock()
        close(pulse.event)
        free(pulse)

    def __dealloc__(self):
        # without close: only the thread is stopped, for the list needs the lock
        if self.pulse != NULL and self.pid == getpid():
            self.pulse.stop = 1
            signal_event(self.pulse.event)

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self.close()


cdef void stop_beats() noexcept nogil:
    # The process leaves PVM of its own will.
    cdef Pulse *pulse = pulses
    while pulse != NULL:
        pulse.stop = 1
        signal_event(pulse.event)
        pulse = pulse.next
