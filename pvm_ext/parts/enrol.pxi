# Enrolling: a clear error where libpvm would print, wait or end the process.

from builtins import open as open_file

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
    drop_queues()
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


def _open_own(path, flags):
    """Open a file of this user; a pipe would have one wait, and a link could lead anywhere."""
    handle = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)
    status = os.fstat(handle)
    if status.st_uid != os.getuid() or status.st_mode & 0o170000 != 0o100000:
        os.close(handle)
        raise PermissionError(1, "not an ordinary file of this user", path)
    return handle


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
        with open_file(path, encoding="ascii", errors="replace", opener=_open_own) as file:
            address = file.read().strip()
    except FileNotFoundError:
        raise error_for(
            PvmSysErr, "mytid", f"no daemon of this user is running here (no file {path})"
        ) from None
    except OSError:
        raise error_for(
            PvmSysErr, "mytid",
            f"{path} is not used, since it is no ordinary file of this user: somebody else may have put it there; "
            "remove it, or use a folder of your own on every host (mkdir -m 700 FOLDER; export PVM_TMP=FOLDER)",
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
    forget_parts()
    drop_queues()
    watched_receivers.clear()
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
    if tid < 0:
        _look_for_daemon()  # one that was killed may have answered while it went: that has words of its own
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
