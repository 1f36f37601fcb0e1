# Hosts: the virtual machine, its daemons, and starting the first one.


def config():
    """Return the virtual machine: how many hosts and data formats, and the hosts.

    Returns
    -------
    Configuration
    """
    from .records import Configuration, HostInfo

    cdef int code, nhost = 0, narch = 0
    cdef pvmhostinfo *table
    ask()
    try:
        with nogil:
            code = pvm_config(&nhost, &narch, &table)
        check(code, "config")
        return Configuration(nhost, narch, [
            HostInfo(table[i].hi_tid, decode(table[i].hi_name), decode(table[i].hi_arch),
                     table[i].hi_speed, table[i].hi_dsig)
            for i in range(nhost)
        ])
    finally:
        leave()


def addhosts(hosts):
    """Add hosts to the virtual machine.

    Waits until all have answered or failed; a host that is silent is given up after about
    60 s.  All other calls of this process wait meanwhile.

    Parameters
    ----------
    hosts : sequence of str or bytes
        Names, each with options as in a host file if needed (``'node1 lo=me'``).

    Returns
    -------
    list of int
        For each host the tid of its daemon, or a negative error code.

    Raises
    ------
    BadParamError
        When there are no names.
    AlreadyError
        When another task is adding hosts at this moment.
    """
    cdef Strings names = Strings(hosts, "hosts")
    cdef Array results = array("i", bytes(sizeof(int) * max(names.count, 1)))
    cdef int code
    ask()
    try:
        with nogil:
            code = pvm_addhosts(names.items, names.count, results.data.as_ints)
        check(code, "addhosts")
    finally:
        leave()
    return results.tolist()


def delhosts(hosts):
    """Take hosts out of the virtual machine; the tasks there are killed.

    Parameters
    ----------
    hosts : sequence of str or bytes
        Names.

    Returns
    -------
    list of int
        For each host 0, or a negative error code; `Code.BAD_PARAM` for the master.

    Raises
    ------
    BadParamError
        When there are no names.
    """
    cdef Strings names = Strings(hosts, "hosts")
    cdef Array results = array("i", bytes(sizeof(int) * max(names.count, 1)))
    cdef int code
    ask()
    try:
        with nogil:
            code = pvm_delhosts(names.items, names.count, results.data.as_ints)
        check(code, "delhosts")
    finally:
        leave()
    return results.tolist()


def mstat(host):
    """Return the status of a host: 0 when it is in the virtual machine and answers.

    Parameters
    ----------
    host : str or bytes
        Its name.

    Returns
    -------
    int
        0, or `Code.NO_HOST`, or `Code.HOST_FAIL`.
    """
    cdef bytes name = encode(host, "host")
    cdef char *c_name = name
    cdef int code
    ask()
    try:
        with nogil:
            code = pvm_mstat(c_name)
        if code == PvmSysErr or code == PvmBadParam:
            fail(code, "mstat", os.fsdecode(name))
        return code
    finally:
        leave()


def tidtohost(int tid):
    """Return the tid of the daemon on whose host the task is; a matter of its bits only."""
    return pvm_tidtohost(tid)


def start_pvmd(args=(), bint block=True, keeper=()):
    """Start a daemon on this host, the first of a new virtual machine, and enrol with it.

    This does what ``pvm_start_pvmd`` does, but starts the daemon of the PVM in use
    (`pvm_ext.installation`), waits for no child of this process but its own, and clears
    away what a daemon has left that was killed.  The daemon runs with a soft limit of 1024
    open files at most, by which it starts tasks sooner; tasks that use this package get the
    limit of the caller back when they enrol.

    Parameters
    ----------
    args : sequence of str
        Arguments of the daemon, such as ``'-nNAME'`` or a host file.
    block : bool
        Whether to wait for the hosts of the host file, too.
    keeper : sequence of str
        A program to be the daemon's parent, whatever becomes of this process.  It gets the
        daemon's process id as its last argument, and as its standard input a pipe whose other
        end this process alone holds; its output is thrown away.

    Returns
    -------
    subprocess.Popen or None
        The keeper.

    Raises
    ------
    DupHostError
        When a daemon of this user is running here.
    CantStartError
        When it cannot be started.
    """
    global started_socket
    import resource
    import shlex
    import signal
    import subprocess
    import time

    from . import installation

    if isinstance(args, (str, bytes)):
        raise TypeError("args must be a sequence of str")
    if os.getuid() == 0 and "PVM_ALLOW_ROOT" not in os.environ:
        _look_for_daemon()
    path = _address_file()
    if pvmmytid != -1:
        raise error_for(PvmDupHost, "start_pvmd", "this process is enrolled with a daemon")
    socket_path = _read_address(path)
    if socket_path is not None:
        if not socket_path.startswith("/") or _answers(socket_path):
            raise error_for(PvmDupHost, "start_pvmd", f"a daemon is running (address in {path})")
        _clear_away(path, socket_path)
    environment = {**os.environ, **installation.environment()}
    # The shell ends at once, so the daemon is no child of this process; commands that a
    # shell starts in the background do not get SIGINT and SIGQUIT of the terminal.
    command = '"$@" < /dev/null & echo $!'
    if keeper:
        # Where this process is gone, SIGPIPE ends the inner shell and not the outer one.
        command = '"$@" < /dev/null & (echo $!); exec > /dev/null; exec ' + shlex.join(map(os.fspath, keeper)) + " $!"
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if not 0 <= limit <= FD_SETSIZE:
        # For each task that it starts a daemon closes all descriptors up to the limit, a
        # million or more in containers; it cannot use so many itself.  See `restore_limit`.
        environment[LIMIT_VARIABLE] = str(limit)
        command = f"ulimit -Sn {FD_SETSIZE}; {command}"
    starter = subprocess.Popen(
        ["/bin/sh", "-c", command, "sh", os.fspath(installation.daemon()), *map(os.fspath, args)],
        stdin=subprocess.PIPE if keeper else subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env=environment, start_new_session=True,
    )
    pid = address = ""
    good = False
    try:
        with starter.stdout:
            for line in starter.stdout:
                if line.startswith(b"/"):
                    address = line.decode("ascii", "replace").strip()
                else:
                    pid = line.decode("ascii", "replace").strip()
                if pid and address:
                    break
        if not address:
            raise error_for(
                PvmCantStart, "start_pvmd",
                f"{installation.daemon()} ended without giving an address; its log is "
                f"{path.replace('pvmd.', 'pvml.')}",
            )
        if _read_address(path) != address:
            # Another process has started one at the same moment, and was first to write the
            # file; nobody would find this one.
            os.kill(int(pid), signal.SIGKILL)
            _remove(address)
            raise error_for(PvmDupHost, "start_pvmd", f"another daemon was started just now (address in {path})")
        good = True
    finally:
        if not (keeper and good):
            # The shell ends at once, and a keeper with its daemon, or by the end of the pipe.
            if starter.stdin is not None:
                starter.stdin.close()
            starter.wait()
    # libpvm prefers PVMSOCK to the address file, which another daemon may own
    started_socket = address
    os.putenv("PVMSOCK", address)
    mytid()
    if block and len(args):
        # PVM tells nobody when the hosts of the host file are there; it answers "Already"
        # to whoever wants to add one before.
        own, delay = config().hosts[0].name, 0.05
        while True:
            try:
                addhosts([own])
                break
            except PvmError as error:
                if error.code != PvmAlready:
                    raise
            time.sleep(delay)
            delay = min(2 * delay, 2.0)
    return starter if keeper else None


def _read_address(path):
    """Return what the address file holds, None when there is none."""
    try:
        with open_file(path, encoding="ascii", errors="replace", opener=_open_own) as file:
            return file.read().strip()
    except FileNotFoundError:
        return None


def _clear_away(path, socket_path):
    # A new daemon does not overwrite these, and then nobody finds it and it cannot log.
    if _read_address(path) == socket_path:
        for leftover in (path, socket_path, path.replace("pvmd.", "pvml.")):
            _remove(leftover)


def _remove(path):
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
