# The lock around libpvm, the buffers of each thread, and the one check of return codes.
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
#
# What few programs need is imported where it is used, so that starting a task is quick; but
# before `gate` is taken, since an import can wait for other threads.

from cpython.exc cimport PyErr_CheckSignals, PyErr_SetFromErrno
from cpython.mem cimport PyMem_Malloc, PyMem_Free
from libc.errno cimport errno, EAGAIN, EINTR
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memcpy, memset
from posix.unistd cimport close, dup2, getpid, read, write

import os

from builtins import open as open_file

from .errors import PvmError, error_for


cdef extern from *:
    """
    #include <errno.h>
    #include <fcntl.h>
    #include <limits.h>
    #include <poll.h>
    #include <pthread.h>
    #include <semaphore.h>
    #include <sys/eventfd.h>
    #include <sys/socket.h>
    #include <sys/stat.h>
    #include <sys/un.h>
    #include <time.h>
    #include <unistd.h>
    /* Where a C int is wanted, Cython would take a float as well, and cut it. */
    #define nb_int nb_index
    """
    ctypedef struct sem_t:
        pass
    ctypedef int pthread_key_t
    ctypedef struct pthread_mutex_t:
        pass
    int sem_init(sem_t *, int, unsigned int) nogil
    int sem_post(sem_t *) nogil
    int sem_wait(sem_t *) nogil
    int sem_trywait(sem_t *) nogil
    int pthread_key_create(pthread_key_t *, void (*)(void *) noexcept nogil) nogil
    void *pthread_getspecific(pthread_key_t) nogil
    int pthread_setspecific(pthread_key_t, const void *) nogil
    int pthread_mutex_init(pthread_mutex_t *, void *) nogil
    int pthread_mutex_lock(pthread_mutex_t *) nogil
    int pthread_mutex_unlock(pthread_mutex_t *) nogil
    int pthread_atfork(void (*)() noexcept nogil, void (*)() noexcept nogil,
                       void (*)() noexcept nogil) nogil
    struct pollfd:
        int fd
        short events
        short revents
    int poll(pollfd *, unsigned long, int) nogil
    struct timespec:
        long tv_sec
        long tv_nsec
    int ppoll(pollfd *, unsigned long, const timespec *, void *) nogil
    int clock_gettime(int, timespec *) nogil
    int CLOCK_MONOTONIC
    short POLLIN, POLLOUT, POLLHUP, POLLERR, POLLNVAL
    short POLLRDHUP
    int eventfd(unsigned int, int) nogil
    int EFD_CLOEXEC, EFD_NONBLOCK
    int fcntl(int, int, ...) nogil
    int F_SETFD, FD_CLOEXEC
    int open_fd "open"(const char *, int, ...) nogil
    int O_RDWR, O_CLOEXEC
    struct sockaddr:
        pass
    struct sockaddr_un:
        int sun_family
        char sun_path[1]    # longer, as the header says
    int AF_UNIX, SOCK_STREAM, SOCK_CLOEXEC, SOCK_NONBLOCK
    int make_socket "socket"(int, int, int) nogil
    int connect(int, const sockaddr *, unsigned int) nogil
    int shutdown(int, int) nogil
    int SHUT_RDWR
    struct stat_t "stat":
        unsigned long st_ino
        unsigned int st_mode
    int fstat(int, stat_t *) nogil
    int FD_SETSIZE
    int INT_MAX, INT_MIN


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


cdef int check(int code, str function, detail=None) except? -1:
    """Return the result of a call of libpvm, or raise its error."""
    if code < 0:
        fail(code, function, detail)
    return code


cdef int fail(int code, str function, detail=None) except -1:
    global matcher_error
    if matcher_error is not None:
        error, matcher_error = matcher_error, None
        raise error
    if code == PvmSysErr and connection_lost():
        forget_daemon()
        if detail is None:
            detail = "the connection to the local daemon is lost; the next call enrols anew"
    raise error_for(code, function, detail)


cdef int raise_forked() except -1:
    raise error_for(
        PvmSysErr, None,
        "this process was forked from a PVM task and must not use its connection; "
        "start a program of its own instead (multiprocessing: method 'spawn')",
    )


# --- enrolling ---------------------------------------------------------------------------

cdef str started_socket = None    # what start_pvmd put into PVMSOCK


cdef bint connection_lost() noexcept nogil:
    cdef int *fds
    cdef pollfd look
    if pvmmytid == -1 or depth != 1 or pvm_getfds(&fds) < 1:
        return False
    look.fd = fds[0]
    look.events = POLLIN | POLLRDHUP
    look.revents = 0
    return poll(&look, 1, 0) > 0 and look.revents & (POLLHUP | POLLERR | POLLNVAL | POLLRDHUP) != 0


cdef void forget_daemon() noexcept nogil:
    # libpvm goes on with the old tid when the daemon is dead.  Make it forget, so that the
    # next call can enrol with another daemon, and let those who wait find out.
    drain()
    if pvmmytid != -1:
        pvmendtask()
    wake_all()


def _address_file():
    """Return the path of the file in which a local daemon leaves its address."""
    name = f"pvmd.{os.getuid()}"
    if os.environ.get("PVM_VMID"):
        name += "." + os.environ["PVM_VMID"]
    return os.path.join(os.environ.get("PVM_TMP") or "/tmp", name)


def _answers(str path):
    """Tell whether somebody listens at a Unix socket."""
    # Python's module for it takes longer to load than all the rest of enrolling.
    cdef bytes name = os.fsencode(path)
    cdef sockaddr_un address
    cdef int probe
    cdef bint answered
    memset(&address, 0, sizeof(address))
    if <size_t>len(name) >= sizeof(address.sun_path):
        return False
    address.sun_family = AF_UNIX
    memcpy(address.sun_path, <char *>name, len(name))
    probe = make_socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)
    if probe < 0:
        PyErr_SetFromErrno(OSError)
    # a daemon that is busy has a full queue; that is no reason to wait here
    answered = connect(probe, <sockaddr *>&address, sizeof(address)) == 0 or errno == EAGAIN
    close(probe)
    return answered


def _look_for_daemon():
    """Raise a clear error where libpvm would print, wait for 12 s or end the process."""
    global started_socket
    if os.getuid() == 0 and "PVM_ALLOW_ROOT" not in os.environ:
        raise error_for(
            PvmSysErr, "mytid",
            "PVM refuses to run as root; use another account, or set the environment "
            "variable PVM_ALLOW_ROOT (to any value) on every host if you must",
        )
    address = os.environ.get("PVMSOCK", started_socket)
    if address is not None:
        if not address.startswith("/") or _answers(address):
            return
        if address != started_socket:
            raise error_for(
                PvmSysErr, "mytid",
                f"the daemon that started this task does not answer any more ({address})",
            )
        os.unsetenv("PVMSOCK")
        started_socket = None
    path = _address_file()
    try:
        with open_file(path, encoding="ascii", errors="replace") as file:
            address = file.read().strip()
    except OSError:
        raise error_for(
            PvmSysErr, "mytid", f"no daemon of this user is running here (no file {path})"
        ) from None
    if address.startswith("/") and not _answers(address):
        raise error_for(
            PvmSysErr, "mytid",
            f"the daemon is gone without removing its address file {path}; "
            "remove that file, then start a new daemon",
        )


cdef int enrol() except -1:
    cdef int tid, number
    cdef int *fds
    _look_for_daemon()
    partials.clear()
    watched_senders.clear()
    number = open_fd("/dev/null", O_RDWR | O_CLOEXEC)
    if number >= 0:
        close(number)
    if number < 0 or number >= FD_SETSIZE - 1:
        raise error_for(
            PvmSysErr, "mytid",
            f"libpvm can only use file descriptors below {FD_SETSIZE}; close some files",
        )
    with nogil:
        tid = pvm_mytid()
        if tid > 0 and pvm_getfds(&fds) > 0:
            fcntl(fds[0], F_SETFD, FD_CLOEXEC)
            watch_routes(fds[0])
    check(tid, "mytid")
    restore_limit()
    return 0


cdef str LIMIT_VARIABLE = "PVM_EXT_OPEN_FILES"


cdef int restore_limit() except -1:
    # Take back the limit of open files that start_pvmd has set for the daemon.
    before = os.environ.pop(LIMIT_VARIABLE, None)
    if before is not None:
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft == FD_SETSIZE:
            try:
                resource.setrlimit(resource.RLIMIT_NOFILE, (int(before), hard))
            except ValueError:      # somebody has lowered the hard limit
                pass
    return 0


# --- fork --------------------------------------------------------------------------------
# A child gets copies of the sockets.  It must neither use nor keep them: the daemon takes
# a task for alive as long as its socket is open somewhere.

cdef void in_child() noexcept nogil:
    global forked
    cdef int null, i
    if pvmmytid == -1 and route_count == 0:
        # nothing to protect: the child may enrol by itself
        reset_locks()
        return
    forked = True
    null = open_fd("/dev/null", O_RDWR | O_CLOEXEC)
    for i in range(route_count):
        if null >= 0 and is_route(&routes[i]):
            dup2(null, routes[i].fd)
            fcntl(routes[i].fd, F_SETFD, FD_CLOEXEC)
    if null >= 0:
        close(null)


cdef void reset_locks() noexcept nogil:
    global holder, depth
    sem_init(&gate, 0, 1)
    pthread_mutex_init(&ended_mutex, NULL)
    holder = NULL
    depth = 0


cdef int set_up() except -1:
    # Called once, when the module is imported; touches no daemon.
    cdef int tid
    reset_locks()
    if pthread_key_create(&thread_key, thread_ended) != 0:
        raise ImportError("pvm_ext: the C library has no more thread keys")
    pthread_atfork(NULL, NULL, in_child)
    global receive_in_group
    receive_in_group = group_receive
    tid = pretend()
    pvm_setopt(PvmAutoErr, 0)
    pvm_recvf(match)
    unpretend(tid)
    return 0
