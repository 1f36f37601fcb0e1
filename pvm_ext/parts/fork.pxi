# The child of a fork gets copies of the sockets.  It must neither use nor keep them: the
# daemon takes a task for alive as long as its socket is open somewhere.

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


cdef int raise_forked() except -1:
    raise error_for(
        PvmSysErr, None,
        "this process was forked from a PVM task and must not use its connection; "
        "start a program of its own instead (multiprocessing: method 'spawn')",
    )
