# Relays: tasks that pass messages on between two others, so that these need no link to each other.
#
# frames.pxi tells how such messages are marked.  What a relay needs besides is to know when
# there is room for more.

cdef Match trusted = Match()
cdef MatchTable *relays = &trusted.table    # pairs of a relay's tid and 0


def trust_relay(int tid, bint trust=True):
    """Take what a task relays for messages of those that it names as their senders, or no longer.

    Anybody else's relayed messages come as what they are: messages of the relay, with the
    tid that they name in `Message.other`.

    Parameters
    ----------
    tid : int
        The relay.
    trust : bool, optional
        Whether it is to be trusted.
    """
    if trust:
        trusted.add(tid, 0)
    else:
        trusted.discard(tid, 0)


def wake_when_queued(int tid, unsigned long long low, Waker waker):
    """Tell whether messages of no more than so many bytes are queued for a task; else have `waker` wake once it is so.

    A message counts with all of its bytes until the last of them has gone: so much memory it takes.

    Parameters
    ----------
    tid : int
        The receiver; see `queue_frames`.
    low : int
        Bytes.
    waker : Waker
        Stays open until it has been woken.  A process has one such wish: the last one counts.

    Returns
    -------
    bool
        True when it is so already; `waker` is not woken then.
    """
    global low_event, low_tid, low_bytes
    lock()
    try:
        if held_for(tid) <= low:
            return True
        low_event, low_tid, low_bytes = waker.event, tid, low
        return False
    finally:
        unlock()
