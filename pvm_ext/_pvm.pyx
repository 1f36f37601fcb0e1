# cython: language_level=3, binding=True, embedsignature=True
"""The functions of libpvm3 and libgpvm3; use them through `pvm_ext`."""

cimport cython

from .libpvm cimport *

include "parts/libc.pxi"
include "parts/private.pxi"
include "parts/lock.pxi"
include "parts/check.pxi"
include "parts/enrol.pxi"
include "parts/fork.pxi"
include "parts/standin.pxi"
include "parts/thread.pxi"
include "parts/convert.pxi"
include "parts/waiting.pxi"
include "parts/links.pxi"
include "parts/tasks.pxi"
include "parts/hosts.pxi"
include "parts/options.pxi"
include "parts/messages.pxi"
include "parts/packing.pxi"
include "parts/frames.pxi"
include "parts/queues.pxi"
include "parts/relays.pxi"
include "parts/objects.pxi"
include "parts/typed.pxi"
include "parts/groups.pxi"
include "parts/handlers.pxi"
include "parts/mailbox.pxi"
include "parts/registration.pxi"
include "parts/beat.pxi"
include "parts/output.pxi"


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


set_up()
