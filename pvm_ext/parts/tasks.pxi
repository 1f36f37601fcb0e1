# Tasks: enrol, leave, start, end, ask about.

cdef extern from "<signal.h>" nogil:
    struct sigaction_t "sigaction":
        pass
    int sigaction(int, const sigaction_t *, sigaction_t *)
    int SIGTERM

cdef extern from * nogil:
    """
    static void ignore_sigterm(struct sigaction *before)
    {
        struct sigaction ignore;
        memset(&ignore, 0, sizeof ignore);
        ignore.sa_handler = SIG_IGN;
        sigaction(SIGTERM, &ignore, before);
    }
    """
    void ignore_sigterm(sigaction_t *)


def mytid():
    """Return the tid of this process, which enrols in PVM if it has not yet.

    Returns
    -------
    int
        The task id, > 0.

    Raises
    ------
    SysErrError
        When no daemon of this user answers on this host.
    """
    enter()
    try:
        return check(pvm_mytid(), "mytid")
    finally:
        leave()


def parent():
    """Return the tid of the task that spawned this one.

    Raises
    ------
    NoParentError
        When this process was not spawned by a task.
    ParentNotSetError
        When it was spawned with the flag `Spawn.NO_SPAWN_PARENT`.
    """
    enter()
    try:
        return check(pvm_parent(), "parent")
    finally:
        leave()


def exit():
    """Leave PVM; the process goes on.

    Messages that were sent are delivered, as far as direct links take in 2 s what
    `queue_frames` was given; those that were not received are dropped, and
    threads that wait for one get a `SysErrError`; each `Beat` stops.  A later call enrols again, with a new
    tid.  No error when the process is not enrolled.
    """
    global route_count
    cdef int code
    lock()
    try:
        if pvmmytid == -1:
            return
        with nogil:
            stop_beats()
            flush_queues(LAST_WORDS)
            drain()
            code = pvm_exit()
            if pvmmytid != -1:
                pvmendtask()
            route_count = 0
            wake_all()
        # pvm_exit has removed all message handlers
        handlers.clear()
        forget_parts()
        if code != PvmSysErr:
            check(code, "exit")
    finally:
        unlock()


def halt():
    """Stop the whole virtual machine: all daemons and all tasks.

    The daemon sends SIGTERM to its tasks.  This process survives, since it ignores the
    signal during the call; it is no longer enrolled afterwards.
    """
    global started_socket
    cdef int code
    cdef sigaction_t before
    ask()
    try:
        with nogil:
            ignore_sigterm(&before)
            code = pvm_halt()
            sigaction(SIGTERM, &before, NULL)
            if code >= 0:
                forget_daemon()
        check(code, "halt")
        if started_socket is not None:
            # else programs that this process starts would look for the daemon there
            os.unsetenv("PVMSOCK")
            started_socket = None
    finally:
        unlock()


# The tids of a host have 18 bits for its tasks; a daemon that is asked for the largest int
# would be busy with it for hours.
cdef int MOST_TASKS = 1 << 20


def spawn(task, argv=(), int flag=0, where="", int ntasks=1):
    """Start tasks.

    Waits for the daemons that start them, so a host that does not answer holds the call,
    and every other call of this process, until PVM gives that host up.

    Parameters
    ----------
    task : str or bytes
        The program: an absolute path, or a name in the daemon's search path.
    argv : sequence of str or bytes
        Its arguments, without the program.
    flag : int
        A sum of `Spawn` flags.
    where : str or bytes
        A host or an architecture, as `flag` says; ``'.'`` is this host.
    ntasks : int
        How many.

    Returns
    -------
    list of int
        `ntasks` numbers: the tids first, then a negative error code for each task that
        could not be started.

    Raises
    ------
    BadParamError
        When `ntasks` is less than 1, or more than a million.
    """
    cdef bytes program = encode(task, "task")
    cdef bytes place = encode("" if where is None or where == 0 else where, "where")
    cdef Strings arguments = Strings(argv, "argv")
    cdef Array tids
    cdef char *c_program = program
    cdef char *c_place = place
    cdef int code
    if ntasks > MOST_TASKS:
        raise error_for(PvmBadParam, "spawn", f"{ntasks} tasks at once; {MOST_TASKS} are the limit")
    tids = array("i", bytes(sizeof(int) * max(ntasks, 1)))
    ask()
    try:
        with nogil:
            code = pvm_spawn(c_program, arguments.items, flag, c_place, ntasks, tids.data.as_ints)
        if code < 0 and not (ntasks > 0 and all(tids)):
            fail(code, "spawn", f"{os.fsdecode(program)}, {ntasks} tasks")
    finally:
        leave()
    return tids.tolist()


def kill(int tid):
    """End a task by SIGTERM; no error when there is no such task any more.

    Raises
    ------
    BadParamError
        When `tid` is no task's tid.
    """
    cdef int code
    ask()
    try:
        with nogil:
            code = pvm_kill(tid)
        check(code, "kill", f"tid {tid:#x}")
    finally:
        leave()


def sendsig(int tid, int signum):
    """Send a signal to a task; no error when there is no such task any more.

    Raises
    ------
    BadParamError
        When `tid` is no task's tid.
    """
    cdef int code
    ask()
    try:
        with nogil:
            code = pvm_sendsig(tid, signum)
        check(code, "sendsig", f"tid {tid:#x}")
    finally:
        leave()


def tasks(int where=0):
    """Return the tasks of the virtual machine.

    Parameters
    ----------
    where : int
        0 for all tasks, a daemon's tid for those on its host, or the tid of one task.

    Returns
    -------
    list of TaskInfo

    Raises
    ------
    NoHostError
        When `where` is on no host of the virtual machine.
    """
    from .records import TaskInfo

    cdef int code, count = 0
    cdef pvmtaskinfo *table
    ask()
    try:
        with nogil:
            code = pvm_tasks(where, &count, &table)
        check(code, "tasks", f"where {where:#x}")
        return [
            TaskInfo(table[i].ti_tid, table[i].ti_ptid, table[i].ti_host, table[i].ti_flag,
                     decode(table[i].ti_a_out), table[i].ti_pid)
            for i in range(count)
        ]
    finally:
        leave()


def pstat(int tid):
    """Return the status of a task: 0 when it runs, else a negative code.

    Returns
    -------
    int
        0, or `Code.NO_TASK`, or `Code.BAD_PARAM` when `tid` is no task's tid.
    """
    cdef int code
    ask()
    try:
        with nogil:
            code = pvm_pstat(tid)
        if code == PvmSysErr:
            fail(code, "pstat")
        return code
    finally:
        leave()


def notify(int what, int tag, tids=(), int count=-1):
    """Ask for messages about tasks, hosts or direct links.

    The messages come from the daemon: sender -2147483648, for `Notify.ROUTE_ADD` and
    `Notify.ROUTE_DELETE` the own tid.

    Parameters
    ----------
    what : int
        A `Notify` kind; with `Notify.CANCEL` added, an earlier request is withdrawn.
    tag : int
        The tag of the messages.
    tids : sequence of int
        Tasks (`Notify.TASK_EXIT`, `Notify.ROUTE_DELETE`) or daemons
        (`Notify.HOST_DELETE`) to watch.  One message comes for each, whose body is that
        tid as one int; at once for one that does not exist.
    count : int
        For `Notify.HOST_ADD` and `Notify.ROUTE_ADD`: how many messages, -1 for no end,
        0 to stop them.

    Raises
    ------
    BadParamError
        For an unknown kind, a negative tag, no tids, or a tid <= 0.
    """
    cdef Array targets = ints(tids, "tids")
    cdef int kind = what & ~PvmNotifyCancel
    cdef int number = count if kind in (PvmHostAdd, PvmRouteAdd) else <int>len(targets)
    cdef int code
    enter()
    try:
        with nogil:
            code = pvm_notify(what, tag, number, targets.data.as_ints)
        check(code, "notify")
    finally:
        leave()


def siblings():
    """Return the tids of the tasks that one call of `spawn` has started with this one.

    Returns
    -------
    list of int
        In every one of these tasks the same list; for a task that was not spawned, only
        its own tid.
    """
    cdef int code
    cdef int *table
    ask()
    try:
        with nogil:
            code = pvm_siblings(&table)
        check(code, "siblings")
        return [table[i] for i in range(code)]
    finally:
        leave()
