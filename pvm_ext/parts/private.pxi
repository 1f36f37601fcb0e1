# What travels between tasks and daemons for the binding alone.
#
# Messages in PRIVATE_CONTEXT are seen by no receive of the program: libpvm hands them to the
# binding's message handlers, which are told apart by these tags, or they are parts of frames.

cdef enum:
    # above all contexts that PVM gives out
    PRIVATE_CONTEXT = 0x50564d31

cdef enum:
    PART_TAG = 0            # a part of a long message, but not the last (frames.pxi)
    ROUTE_TAG = 1           # libpvm has opened a direct link (links.pxi)
    WATCH_TAG = 2           # a task has ended that a Beat watches (beat.pxi)
    OUTPUT_TAG = 3          # what a task prints (output.pxi)
    LOST_HOST_TAG = 4       # a host of such tasks is gone (output.pxi)
    SERVER_TAG = 5          # the group server has ended (groups.pxi)
    SENDER_TAG = 6          # the sender of a part has ended (frames.pxi)
    RECEIVER_TAG = 7        # a task has ended for which something is queued (queues.pxi)

cdef enum:
    # the bits of a tid that number the tasks of a host; its daemon has none of them
    TASK_BITS = 0x3ffff


cdef bint from_daemon(int mid) noexcept nogil:
    # Whether the message of a message handler comes from a daemon, for any task could send
    # one that looks like it.
    cdef int source
    return pvm_bufinfo(mid, NULL, NULL, &source) >= 0 and source & TASK_BITS == 0
