# Direct links: the sockets by which two tasks talk past their daemons.
#
# libpvm tells of each one that it opens (PvmRouteAdd).  The binding listens in a context of
# its own: it marks the socket close-on-exec, lets waiting threads take it into their sets,
# and remembers it for the child of a fork and for those who give a link up.
#
# A link whose receiver does not read keeps libpvm writing for ever.  The patience of a send
# puts a limit to that: a thread of its own looks after each such send that may not fit into
# its link, and shuts the link down when nothing of it goes away any more.  libpvm then sends
# the message through the daemon.

cdef extern from * nogil:
    """
    #include <stddef.h>
    #include <sys/ioctl.h>
    #include <sys/un.h>
    #include <linux/sockios.h>
    #include <netinet/in.h>
    #include <netinet/tcp.h>

    /* The bytes that wait in a socket for its receiver. */
    static int waiting_bytes(int fd)
    {
        int bytes = 0;
        return ioctl(fd, SIOCOUTQ, &bytes) == 0 ? bytes : 0;
    }

    /* Milliseconds since bytes have come last, none while some wait to be read; -1: unknown. */
    static long silence_of(int fd)
    {
        int bytes = 0;
        struct tcp_info info;
        socklen_t size = sizeof info;
        if (ioctl(fd, FIONREAD, &bytes) == 0 && bytes > 0)
            return 0;
        if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size)
            || size < offsetof(struct tcp_info, tcpi_last_data_recv) + sizeof info.tcpi_last_data_recv)
            return -1;
        return info.tcpi_last_data_recv;
    }

    /* A connected socket needs its file no more, and a killed process would leave it. */
    static void remove_socket_file(int fd)
    {
        struct sockaddr_un address;
        socklen_t length = sizeof address, size = sizeof(int);
        int listening = 1;
        if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) || listening)
            return;
        if (getsockname(fd, (struct sockaddr *)&address, &length) == 0
            && address.sun_family == AF_UNIX
            && length > offsetof(struct sockaddr_un, sun_path) && address.sun_path[0] == '/')
            unlink(address.sun_path);
    }

    /* Widen the buffer of a link, of which libpvm makes 32 KiB on a network; return how many
       bytes fit into it whenever it can be written to.  Three quarters of it are free then
       between tasks of one host, and a third on a network. */
    static int widen(int fd)
    {
        const int least = 16384, wanted = 262144;
        int family = 0, bytes = 0;
        socklen_t size = sizeof bytes;
        getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size);
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &wanted, sizeof wanted);
        getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, &size);
        bytes = family == AF_UNIX ? bytes / 2 : bytes / 5;
        return bytes > wanted ? wanted : bytes < least ? least : bytes;
    }
    """
    int waiting_bytes(int)
    long silence_of(int)
    void remove_socket_file(int)
    int widen(int)

cdef enum:
    # messages up to this many bytes fit into a link that can be written to
    FITTING = 8192
    # descriptors left to the process before links are refused; libpvm uses select()
    SPARE_DESCRIPTORS = 128


cdef struct RouteSocket:
    int tid
    int fd
    unsigned long inode     # descriptors are reused; the same inode is the same socket
    int room                # bytes that fit into it when it can be written to

cdef RouteSocket routes[1024]
cdef int route_count = 0    # routes[0] is the daemon's


cdef unsigned long inode_of(int fd) noexcept nogil:
    cdef stat_t status
    return status.st_ino if fstat(fd, &status) == 0 else 0


cdef bint is_route(RouteSocket *route) noexcept nogil:
    return route.inode != 0 and inode_of(route.fd) == route.inode


cdef void remember_route(int tid, int fd) noexcept nogil:
    global route_count, generation
    cdef int i
    generation += 1
    fcntl(fd, F_SETFD, FD_CLOEXEC)
    remove_socket_file(fd)
    if fd >= FD_SETSIZE - SPARE_DESCRIPTORS:
        pvm_setopt(PvmRoute, PvmDontRoute)
    for i in range(1, route_count):
        # its old socket, or the place of one that is gone
        if routes[i].tid == tid or not is_route(&routes[i]):
            break
    else:
        i = route_count
        if i == 1024:
            return
        route_count += 1
    routes[i].tid = tid
    routes[i].inode = inode_of(fd)
    routes[i].fd = fd
    routes[i].room = widen(fd)


cdef int route_added(int mid) noexcept nogil:
    cdef int tid, fd, source
    if pvm_bufinfo(mid, NULL, NULL, &source) < 0 or source != pvmmytid:
        return 0    # not of libpvm itself
    if pvm_upkint(&tid, 1, 1) == 0 and pvm_upkint(&fd, 1, 1) == 0:
        remember_route(tid, fd)
    return 0


cdef void watch_routes(int daemon) noexcept nogil:
    # Enrolled a moment ago: no links yet.
    global route_count, generation, server_known, gstid
    cdef int context
    server_known = False
    gstid = -1
    routes[0].tid = 0
    routes[0].fd = daemon
    routes[0].inode = inode_of(daemon)
    route_count = 1
    generation += 1
    context = pvm_setcontext(PRIVATE_CONTEXT)
    pvm_addmhf(-1, ROUTE_TAG, PRIVATE_CONTEXT, route_added)
    pvm_notify(PvmRouteAdd, ROUTE_TAG, -1, NULL)
    pvm_setcontext(context)

cdef RouteSocket *route_to(int tid) noexcept nogil:
    cdef int i
    for i in range(1, route_count):
        if routes[i].tid == tid and is_route(&routes[i]):
            return &routes[i]
    return NULL


cdef bint writable(int fd) noexcept nogil:
    cdef pollfd look
    look.fd = fd
    look.events = POLLOUT
    look.revents = 0
    return poll(&look, 1, 0) != 0


def arrivals():
    """Return how long ago bytes of other tasks have come, those of unfinished messages, too.

    Known of tasks with a direct link to another host or with unread bytes, and of those that are in the middle of a
    message of several MiB by `send_frames`.

    Returns
    -------
    dict
        {tid: seconds}
    """
    cdef long silence
    cdef double seconds
    cdef int i
    found = {}
    lock()
    try:
        for i in range(1, route_count):
            if is_route(&routes[i]):
                silence = silence_of(routes[i].fd)
                if silence >= 0:
                    found[routes[i].tid] = silence / 1000.0
        for (tid, _), partial in partials.items():
            seconds = now() - (<Partial>partial).touched
            found[tid] = min(found.get(tid, seconds), seconds)
    finally:
        unlock()
    return found


# --- sends that take too long -------------------------------------------------------------

cdef double limit_of_send = 0       # patience of the send that goes on, in seconds; 0: endless
cdef int watch_event = -1           # wakes the thread that looks after sends
cdef pthread_mutex_t watch_mutex    # guards the two that follow
cdef RouteSocket watched            # the link of the send that is looked after; fd -1: none
cdef unsigned long watch_number = 0
cdef bint link_given_up = False     # by the thread, for the send that goes on


cdef bint watch_send(int tid, bint small) noexcept nogil:
    # Have the send that follows looked after, if it may have to wait for its receiver.
    global watched, watch_number
    cdef RouteSocket *route = route_to(tid)
    if route == NULL or small and writable(route.fd):
        return False
    pthread_mutex_lock(&watch_mutex)
    watched = route[0]
    watch_number += 1
    pthread_mutex_unlock(&watch_mutex)
    signal_event(watch_event)
    return True


cdef void watch_no_more() noexcept nogil:
    pthread_mutex_lock(&watch_mutex)
    watched.fd = -1
    pthread_mutex_unlock(&watch_mutex)


cdef void *watch_sends(void *unused) noexcept nogil:
    cdef pollfd look
    cdef unsigned long number = 0
    cdef int before = -1, bytes_, pause
    cdef double since = 0
    cdef bint over = True
    look.fd = watch_event
    look.events = POLLIN
    while True:
        pause = -1 if over else <int>(limit_of_send * 1000 / 8) + 1
        look.revents = 0
        poll(&look, 1, pause)
        clear_event(watch_event)
        pthread_mutex_lock(&watch_mutex)
        over = watched.fd < 0
        if not over:
            bytes_ = waiting_bytes(watched.fd)
            if watch_number != number or bytes_ != before or writable(watched.fd):
                number, before, since = watch_number, bytes_, now()
            elif now() - since >= limit_of_send > 0:
                give_up_link()
                over = True
        pthread_mutex_unlock(&watch_mutex)
    return NULL


cdef void give_up_link() noexcept nogil:
    # with the mutex held, so the send has not returned
    global link_given_up
    if is_route(&watched):
        shutdown(watched.fd, SHUT_RDWR)
        link_given_up = True
    watched.fd = -1


cdef int start_watching() except -1:
    global watch_event
    cdef pthread_t thread
    cdef int event
    if watch_event >= 0:
        return 0
    event = watch_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)
    watched.fd = -1
    pthread_mutex_init(&watch_mutex, NULL)
    if event < 0 or start_quiet_thread(&thread, watch_sends, NULL):
        watch_event = -1
        close(event)
        raise OSError("no thread or file descriptor is left to look after sends")
    return 0


cdef double limit_of(patience) except -1:
    """Turn the patience of the send that follows into seconds; None becomes 0, which is endless."""
    global link_given_up
    cdef double limit
    link_given_up = False
    if patience is None:
        return 0
    limit = patience
    if not 0 < limit < 1e6:
        raise ValueError(f"a patience is a number of seconds, not {patience}")
    start_watching()
    return limit


def abort_stuck_send(tid=None):
    """Break direct links that take nothing any more, so that another thread's send ends.

    For use by another thread than the one that is stuck in `send`, `mcast`, or one of
    their relatives, because a receiver with a direct link has stopped reading.  The link
    is shut down; libpvm then sends the whole message again through the daemon, which
    keeps it until the receiver reads or ends.  What the receiver had on its way over the
    network at that moment may be lost.

    This does not help a send that waits for a direct link to be made
    (`Route.DIRECT` and a receiver that does not call libpvm): such a wait ends only when
    the receiver answers or ends.  It never comes up in a task that leaves `Option.ROUTE`
    at `Route.ALLOW` and lets the others ask for direct links.

    Parameters
    ----------
    tid : int, optional
        Break only the link to this task.

    Returns
    -------
    list of int
        The tids whose links were broken.
    """
    cdef int wanted = -1 if tid is None else tid
    broken = []
    if holder == NULL or holder == this_thread() or sending_to == -1:
        return broken
    for i in range(1, route_count):
        if wanted != -1 and routes[i].tid != wanted:
            continue
        if is_route(&routes[i]) and not writable(routes[i].fd):
            shutdown(routes[i].fd, SHUT_RDWR)
            broken.append(routes[i].tid)
    return broken
