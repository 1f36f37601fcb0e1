# C threads of the binding's own, which run without the interpreter.

cdef extern from * nogil:
    """
    #include <signal.h>
    /* A thread that gets no signals: those are for Python's main thread. */
    static int start_quiet_thread(pthread_t *thread, void *(*run)(void *), void *argument)
    {
        sigset_t all, before;
        int failed;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        failed = pthread_create(thread, NULL, run, argument);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        return failed;
    }
    static int sem_wait_for(sem_t *semaphore, double seconds)
    {
        struct timespec end;
        clock_gettime(CLOCK_REALTIME, &end);
        end.tv_sec += (time_t)seconds;
        end.tv_nsec += (long)((seconds - (time_t)seconds) * 1e9);
        if (end.tv_nsec >= 1000000000L) {
            end.tv_sec += 1;
            end.tv_nsec -= 1000000000L;
        }
        return sem_timedwait(semaphore, &end);
    }
    """
    ctypedef unsigned long pthread_t
    int start_quiet_thread(pthread_t *, void *(*)(void *) noexcept nogil, void *)
    int pthread_join(pthread_t, void **)
    int sem_wait_for(sem_t *, double)
