# A process that another one stands in for, which the daemon has started (see standin.c).
#
# A task tells the daemon its process id.  Where that is not the one the daemon knows, the
# daemon takes the task for ended when its socket closes: it never learns the status, and may
# lose the last output.  So libpvm must take the process for the one that stands in.  It asks
# the C library; `getpid` below is asked instead when this module was loaded with
# RTLD_DEEPBIND, which has libraries look for names here first.

cdef extern from *:
    """
    #include <sys/syscall.h>
    static pid_t stood_in_for = 0, stand_in = 0;
    __attribute__((visibility("default"))) pid_t getpid(void)
    {
        pid_t own = (pid_t)syscall(SYS_getpid);
        return stand_in && own == stood_in_for ? stand_in : own;  /* a child of this process is itself */
    }
    static void be_stood_in_for_by(pid_t pid)
    {
        stood_in_for = (pid_t)syscall(SYS_getpid);
        stand_in = pid;
    }
    """
    void be_stood_in_for_by(int) nogil


def enrol_as(int pid):
    """Have this process enrol as the one that the daemon has started, and which stands in for it.

    Works where this module was loaded with ``RTLD_DEEPBIND`` (`sys.setdlopenflags`); else the
    daemon learns the own process id.

    Parameters
    ----------
    pid : int
        The process id that the daemon knows.
    """
    lock()
    try:
        be_stood_in_for_by(pid)
    finally:
        unlock()
