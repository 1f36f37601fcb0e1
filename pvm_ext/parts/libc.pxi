# What the parts use of CPython's C API, the C library and Linux.

from cpython.exc cimport PyErr_CheckSignals, PyErr_SetFromErrno
from cpython.mem cimport PyMem_Malloc, PyMem_Free
from libc.errno cimport errno, EAGAIN, EINTR
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memcpy, memset
from posix.unistd cimport close, dup2, getpid, read, write


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
