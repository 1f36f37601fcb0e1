# Queues: messages that go out as their links take them, so that the sender waits for nobody.
#
# A receiver with a direct link that does not take a message at once gets a queue, which
# refers to the frames.  A long message leaves it in slices, each a whole message of libpvm
# and a part for the receiver, and each only when the link's socket can be written to: it
# then has room for a slice, and libpvm returns at once.  Threads that wait for messages
# look after the queues, too, one slice for each queue in turn.
#
# Messages to one receiver keep their order: whoever sends something there that is not
# queued sends what is queued first, and waits for it.  A queue ends with its receiver.
#
# What goes by way of a relay has a queue for each pair of relay and task beyond it, so that
# all of these have their turn, and keep their order among themselves only.

from cpython.ref cimport PyObject, Py_DECREF, Py_INCREF

cdef enum:
    # slices of each queue that are sent before messages are looked for again
    ROUNDS = 8

cdef double PUMP_INTERVAL = 0.001   # s between two looks of a thread that does not wait
cdef double MOMENT = 0.001          # s that a message may wait for room rather than be copied
cdef double LONGEST_MOMENT = 0.02   # s for all of it
cdef double MOURNING = 1.0          # s that the word of a receiver's end may come later than that of its link
cdef double LAST_WORDS = 2.0        # s that queues have when the process leaves PVM
cdef unsigned long long MOST_FOR_ONE = 64 * 1024 * 1024
cdef unsigned long long MOST_FOR_ALL = 512 * 1024 * 1024


cdef struct Outgoing:
    # A message in a queue.
    PyObject *data          # the Frames, owned
    Py_buffer *views
    Py_ssize_t count
    Header header
    int tag
    int context
    Py_ssize_t frame        # what is to go next: the bytes of this frame
    Py_ssize_t offset       # from here on
    unsigned long long left
    Outgoing *next


cdef struct Queue:
    int tid
    int mark                # of its messages
    RouteSocket link
    Outgoing *first
    Outgoing *last
    unsigned long long bytes
    double since            # when the link has last taken something
    int in_link             # bytes that waited in it at the last look
    double broken           # when the link was found broken; 0: it is not
    bint ended              # the receiver is gone
    Queue *next


cdef Queue *queues = NULL
cdef unsigned long long all_queued = 0
cdef bint going_out = False     # something from a queue is being sent
cdef double pumped = 0          # when the queues were last looked after
cdef set watched_receivers = set()
cdef dict held = {}             # address and size of a frame -> in how many messages it waits
cdef unsigned long long all_held = 0
cdef int low_event = -1         # who wants to know that no more than `low_bytes` are held for `low_tid`
cdef int low_tid = 0
cdef unsigned long long low_bytes = 0
cdef list sent = []             # frames that nobody needs any more, freed without the lock


def queue_frames(int tid, int tag, frames, bint constant=False, int other=0, bint bounded=True):
    """Have a list of byte strings sent as one message, without waiting for the receiver.

    What a direct link takes goes at once, and the rest as the link takes it, while any
    thread of the process waits for messages.  Over the daemon the call is `send_frames`.
    Messages to a task keep their order, also among those of `send` and its relatives,
    which wait until what is queued has gone; only message handlers overtake it.

    Frames that are not sent when the call returns are held if they are read-only, like
    bytes, or do not change, and copied otherwise.  What is queued is dropped when the receiver ends.
    When its link breaks, a message that was being sent goes once more, through the daemon.

    Parameters
    ----------
    tid : int
        The receiver.
    tag : int
        The message tag, >= 0.
    frames : sequence of bytes-like
        Contiguous buffers.
    constant : bool, optional
        Whether none of them changes until it is sent, so that nothing is copied.
    other : int, optional
        The task that it is for or comes from, where a relay has part in it; see `send_frames`.
    bounded : bool, optional
        Whether the message is refused when too much waits.

    Returns
    -------
    bool
        False when too much waits already: 64 MiB behind the message that this receiver
        gets at present, or, for messages of more than 64 KiB, 512 MiB in all.  Frames that
        wait for many receivers count once.  The message is not sent then.

    Raises
    ------
    BadParamError
        When `tid` is no task's tid, or `tag` is negative.
    """
    global going_out
    cdef Frames data = Frames(frames)
    cdef Queue *queue
    cdef RouteSocket *link
    cdef int code = 0
    cdef bint new
    cdef int mark = mark_for(other)
    data.constant = constant
    enter()
    try:
        queue = queue_of(tid, mark)
        new = queue == NULL or queue.first == NULL
        link = route_to(tid) if new else NULL
        if handling or (new and link == NULL) or tag < 0:
            with nogil:
                code = put_frames(&tid, 1, tag, data.views, data.count, data.total, -1, mark)
        elif new and is_packed(data.count, data.total) and writable(link.fd):
            with nogil:
                going_out = True    # it need not wait for what goes to other tasks by way of this one
                code = put_frames(&tid, 1, tag, data.views, data.count, data.total, PvmDataRaw, mark)
                going_out = False
        elif bounded and not new and queue.bytes - queue.first.left > MOST_FOR_ONE:
            return False
        elif bounded and all_held > MOST_FOR_ALL and not is_packed(data.count, data.total) and adds_any(data):
            return False
        else:
            queue = add_to_queue(queue, link, tid, tag, data, mark)
            if new:
                with nogil:
                    code = begin_with(queue)
                    if code >= 0 and queue.first != NULL and data.may_change():
                        code = go_on_with(queue)
            if queue.first != NULL:
                keep_queued(queue, data)
        if code < 0:
            fail(code, "queue_frames", None if code == PvmSysErr else describe(tid, tag))
        return True
    finally:
        leave()
        sent.clear()


def queued(tid=None, int other=0):
    """Return how many bytes of frames are still to be sent by `queue_frames`.

    Parameters
    ----------
    tid : int, optional
        The receiver; None: all together.
    other : int, optional
        Of what this receiver gets, only what it is to send on to, or is said to be of, this task.
    """
    lock()
    try:
        return all_queued if tid is None else bytes_for(tid, mark_for(other) if other else 0)
    finally:
        unlock()


def stalled(double seconds):
    """Return the tids of receivers that have something queued, and took nothing for so many seconds.

    What the receivers do is looked at when this is called, so it sees what lasts for two calls.
    One whose link has room again has taken something, even if nobody has sent more meanwhile.
    """
    cdef Queue *queue
    cdef int in_link
    lock()
    try:
        found = []
        queue = queues
        while queue != NULL:
            in_link = waiting_bytes(queue.link.fd) if is_route(&queue.link) else queue.in_link
            if in_link != queue.in_link or takes(queue) > 0:
                queue.in_link, queue.since = in_link, now()
            if queue.first != NULL and now() - queue.since >= seconds:
                if queue.tid not in found:
                    found.append(queue.tid)
            queue = queue.next
        return found
    finally:
        unlock()


cdef inline bint is_packed(Py_ssize_t count, unsigned long long total) noexcept nogil:
    return HEADER + 8 * count + total <= PACKED


cdef Queue *queue_of(int tid, int mark) noexcept nogil:
    cdef Queue *queue = queues
    while queue != NULL and (queue.tid != tid or queue.mark != mark or queue.ended):
        queue = queue.next
    return queue


cdef unsigned long long bytes_for(int tid, int mark) noexcept nogil:
    # What waits for a receiver; with mark 0, whatever the mark.
    cdef Queue *queue = queues
    cdef unsigned long long bytes_ = 0
    while queue != NULL:
        if queue.tid == tid and not queue.ended and (mark == 0 or queue.mark == mark):
            bytes_ += queue.bytes
        queue = queue.next
    return bytes_


cdef unsigned long long held_for(int tid) noexcept nogil:
    # The memory of what waits for a receiver: a message counts whole until it has gone.
    cdef Queue *queue = queues
    cdef unsigned long long bytes_ = 0
    while queue != NULL:
        if queue.tid == tid and not queue.ended and queue.first != NULL:
            bytes_ += queue.bytes - queue.first.left + queue.first.header.total
        queue = queue.next
    return bytes_


cdef Queue *add_to_queue(Queue *queue, RouteSocket *link, int tid, int tag, Frames data, int mark) except NULL:
    """Add a message to a queue, which is made when there is none."""
    global queues, all_queued, message_number
    cdef Outgoing *message = <Outgoing *>calloc(1, sizeof(Outgoing))
    if message == NULL:
        raise MemoryError
    if queue == NULL:
        queue = <Queue *>calloc(1, sizeof(Queue))
        if queue == NULL:
            free(message)
            raise MemoryError
        queue.tid, queue.mark = tid, mark
        queue.next = queues
        queues = queue
    if link != NULL:
        queue.link = link[0]
        queue.broken = 0
        queue.since = now()
    message_number += 1
    message.header.magic = FRAMES_MARK
    message.header.frames = <unsigned int>data.count
    message.header.number = message_number
    message.header.total = message.left = data.total
    message.views, message.count = data.views, data.count
    message.tag, message.context = tag, pvmmyctx
    message.data = <PyObject *>data
    Py_INCREF(data)
    if queue.first == NULL:
        queue.first = message
    else:
        queue.last.next = message
    queue.last = message
    queue.bytes += message.left
    all_queued += message.left
    return queue


cdef int keep_queued(Queue *queue, Frames data) except -1:
    """See to it that what did not go at once goes later, as it is now, or ends with its receiver."""
    global generation
    cdef int tid = queue.tid, context
    try:
        data.own()
    except MemoryError:
        pass
    hold(data)
    generation += 1     # threads that sleep are to look after the link
    if tid not in watched_receivers:
        watched_receivers.add(tid)
        with nogil:
            context = pvm_setcontext(PRIVATE_CONTEXT)
            pvm_addmhf(-1, RECEIVER_TAG, PRIVATE_CONTEXT, receiver_ended)
            pvm_notify(PvmTaskExit, RECEIVER_TAG, 1, &tid)
            pvm_setcontext(context)
    return 0


cdef inline object place_of(Py_buffer *view):
    return <size_t>view.buf, view.len


cdef bint adds_any(Frames data) except -1:
    """Tell whether a message would hold memory that no other one in a queue holds."""
    for i in range(data.count):
        if data.views[i].len and (data.may_change_in(i) or place_of(&data.views[i]) not in held):
            return True
    return False


cdef int hold(Frames data) except -1:
    """Count the memory of a message that waits."""
    global all_held
    data.held = True
    for i in range(data.count):
        place = place_of(&data.views[i])
        count = held.get(place, 0)
        held[place] = count + 1
        if count == 0:
            all_held += data.views[i].len
    return 0


cdef int let_go(Frames data) except -1:
    """Count the memory of a message no longer."""
    global all_held
    data.held = False
    for i in range(data.count):
        place = place_of(&data.views[i])
        count = held.pop(place)
        if count > 1:
            held[place] = count - 1
        else:
            all_held -= data.views[i].len
    return 0


cdef int receiver_ended(int mid) noexcept with gil:
    # A message handler of libpvm.  It may run while the queue is at work, which frees it later.
    cdef int tid
    cdef Queue *queue
    if from_daemon(mid) and pvm_upkint(&tid, 1, 1) == 0:
        watched_receivers.discard(tid)
        queue = queues
        while queue != NULL:
            if queue.tid == tid:
                queue.ended = True
            queue = queue.next
    return 0


# --- what goes ---------------------------------------------------------------------------

cdef int takes(Queue *queue) noexcept nogil:
    # Whether the link has room for a slice; -1 when it is broken.
    cdef pollfd look
    if queue.broken or not is_route(&queue.link):
        return -1
    look.fd = queue.link.fd
    look.events = POLLOUT
    look.revents = 0
    poll(&look, 1, 0)
    if look.revents & (POLLHUP | POLLERR | POLLNVAL):
        return -1
    return look.revents & POLLOUT != 0


cdef int begin_with(Queue *queue) noexcept nogil:
    # Send what the link takes of a new message at once.
    cdef int i, code = 0
    for i in range(ROUNDS):
        if code < 0 or queue.first == NULL or queue.ended or takes(queue) <= 0:
            break
        code = send_slice(queue)
    return code


cdef int go_on_with(Queue *queue) noexcept nogil:
    # What may change would have to be copied, and most receivers read at once: for a moment
    # send this message and all others, and read what comes, as libpvm does while it sends.
    global mode
    cdef double end = now() + LONGEST_MOMENT
    cdef Waiter *waiter = this_thread().waiter
    cdef int n, code = 0
    while (waiter != NULL and code >= 0 and queue.first != NULL and not queue.ended and not queue.broken
           and now() - queue.since < MOMENT and now() < end):
        n = gather_sockets(waiter, -1)
        if n < 0 or poll(waiter.set, n, <int>(1000 * MOMENT)) <= 0:
            break
        send_round()
        if queue.first != NULL:
            mode = WAKING
            code = pvm_probe(-1, -1)
            mode = AS_PVM
    return code


cdef int pump() noexcept nogil:
    # Send what the links take.
    global pumped
    cdef int i, moved = 1
    for i in range(ROUNDS):
        if moved > 0:
            moved = send_round()
    tidy()
    pumped = now()
    return moved


cdef int send_round() noexcept nogil:
    # Send a slice from each queue whose link takes it; return whether there was one.
    cdef Queue *queue = queues
    cdef int code = 0, room
    cdef bint moved = False
    while queue != NULL and code >= 0:
        if queue.first != NULL and not queue.ended:
            room = takes(queue)
            if room > 0:
                code = send_slice(queue)
                moved = True
            elif room < 0:
                if not queue.broken:
                    queue.broken = now()
                elif now() - queue.broken > MOURNING:
                    code = mend(queue)
        queue = queue.next
    return moved if code >= 0 else code


cdef int send_slice(Queue *queue) noexcept nogil:
    # Send the next slice of the first message.
    global going_out
    cdef Outgoing *message = queue.first
    cdef unsigned long long before = message.left
    cdef bint whole = is_packed(message.count, message.header.total)
    cdef int context = pvm_setcontext(message.context), code
    going_out = True
    if whole:
        code = put_packed(&queue.tid, 1, message.tag, &message.header, message.views, message.count,
                          queue.mark)
        message.frame = message.count
        message.left = 0
    else:
        code = put_slice(queue.tid, message, queue.mark, queue.link.room)
    going_out = False
    pvm_setcontext(context)
    if code < 0 and code != PvmSysErr:
        # a slice that cannot be packed now will not go later
        count_out(queue, before)
        drop_first(queue)
        return code
    count_out(queue, before - message.left)
    queue.since = now()
    if code >= 0 and not whole and not is_route(&queue.link):
        # libpvm has sent this slice through the daemon; those before may be lost
        queue.broken = now()
        begin_again(queue)
    elif code < 0:
        begin_again(queue)
    elif message.frame == message.count:
        drop_first(queue)
    return code


cdef int put_slice(int tid, Outgoing *message, int mark, int most) noexcept nogil:
    # Pack a part of at most so many bytes into one fragment, for which libpvm needs one write.
    cdef Py_ssize_t table = 8 * message.count if message.header.part == 0 else 0
    cdef Py_ssize_t used = 0, room = most - HEADER - table, size
    cdef Py_ssize_t frame = message.frame, offset = message.offset
    cdef int wanted, fragment, bufid, before, code, i, context = pvmmyctx
    cdef unsigned long long length
    cdef char *head = <char *>malloc(HEADER + table)
    if head == NULL:
        return PvmNoMem
    while frame < message.count and used < room:
        size = min(message.views[frame].len - offset, room - used)
        used += size
        offset += size
        if offset == message.views[frame].len:
            frame += 1
            offset = 0
    while offset == 0 and frame < message.count and message.views[frame].len == 0:
        frame += 1
    message.header.here = used
    memcpy(head, &message.header, HEADER)
    if table:
        for i in range(message.count):
            length = table_entry(&message.views[i])
            memcpy(head + HEADER + 8 * i, &length, 8)

    wanted = <int>(HEADER + table + used + FRAGMENT_HEADERS)
    fragment = pvm_getopt(PvmFragSize)
    if wanted > fragment:
        pvm_setopt(PvmFragSize, wanted)
    bufid = code = pvm_mkbuf(PvmDataRaw)
    if bufid >= 0:
        before = pvm_setsbuf(bufid)
        code = pvm_pkbyte(head, <int>(HEADER + table), 1)
        while used > 0 and code >= 0:
            size = min(message.views[message.frame].len - message.offset, used)
            if size > 0:
                code = pvm_pkbyte(<char *>message.views[message.frame].buf + message.offset, <int>size, 1)
            used -= size
            message.left -= size
            message.offset += size
            if message.offset == message.views[message.frame].len:
                message.frame += 1
                message.offset = 0
    free(head)
    if wanted > fragment:
        pvm_setopt(PvmFragSize, fragment)
    if bufid < 0:
        return bufid
    message.frame, message.offset = frame, offset
    message.header.part += 1
    if code >= 0:
        set_mark(bufid, mark)
        if frame == message.count:
            code = deliver(&tid, 1, message.tag, False)
        else:
            pvm_setcontext(PRIVATE_CONTEXT)
            code = deliver(&tid, 1, PART_TAG, False)
            pvm_setcontext(context)
    pvm_freebuf(put_sbuf(before))
    return code


cdef int flush_queue(int tid) noexcept nogil:
    # Send all that is queued for a task, and wait as long as its link does.
    cdef Queue *queue = queues
    cdef int code = 0
    while code >= 0 and queue != NULL:
        while code >= 0 and queue.tid == tid and queue.first != NULL and not queue.ended:
            code = send_slice(queue) if takes(queue) >= 0 else mend(queue)
        queue = queue.next
    return code


cdef void flush_queues(double seconds) noexcept nogil:
    # Send what the links take in so much time, and drop the rest.
    cdef double end = now() + seconds
    cdef Waiter *waiter
    cdef int n
    if queues == NULL or going_out:     # a message handler has the process leave
        drop_queues()
        return
    waiter = make_waiter()
    while waiter != NULL and queues != NULL and pump() >= 0:
        n = add_links(waiter, 0)
        if n <= 0 or now() >= end:
            break
        poll(waiter.set, n, <int>((end - now()) * 1000) + 1)
    free_waiter(waiter)
    drop_queues()


cdef int add_links(Waiter *waiter, int n) noexcept nogil:
    # Add the links with something queued to a set of n sockets; return how many these are then.
    cdef Queue *queue = queues
    cdef pollfd *bigger
    waiter.mending = False
    while queue != NULL:
        if queue.first != NULL and not queue.ended:
            if n == waiter.set_size:
                bigger = <pollfd *>realloc(waiter.set, (n + 8) * sizeof(pollfd))
                if bigger == NULL:
                    return PvmNoMem
                waiter.set = bigger
                waiter.set_size = n + 8
            if queue.broken or not is_route(&queue.link):
                waiter.mending = True
            else:
                waiter.set[n].fd = queue.link.fd
                waiter.set[n].events = POLLOUT
                waiter.set[n].revents = 0
                n += 1
        queue = queue.next
    return n


# --- what does not go --------------------------------------------------------------------

cdef int mend(Queue *queue) noexcept nogil:
    # The link is gone, and its receiver is not said to have ended.
    global going_out
    cdef RouteSocket *link = route_to(queue.tid)
    cdef Outgoing *message = queue.first
    cdef int code, context
    begin_again(queue)
    if link != NULL and link.inode != queue.link.inode:
        queue.link = link[0]
        queue.broken = 0
        return 0
    context = pvm_setcontext(message.context)
    going_out = True
    code = put_frames(&queue.tid, 1, message.tag, message.views, message.count, message.header.total, -1,
                      queue.mark)
    going_out = False
    pvm_setcontext(context)
    if code != PvmSysErr:
        count_out(queue, message.left)
        drop_first(queue)
    queue.since = now()
    return code


cdef void begin_again(Queue *queue) noexcept nogil:
    # Send a message from its beginning, as another one: the receiver drops what it has of it.
    global all_queued, message_number
    cdef Outgoing *message = queue.first
    if message.header.part == 0:
        return
    message_number += 1
    message.header.number = message_number
    message.header.part = 0
    message.frame = message.offset = 0
    queue.bytes += message.header.total - message.left
    all_queued += message.header.total - message.left
    message.left = message.header.total


cdef void count_out(Queue *queue, unsigned long long bytes_) noexcept nogil:
    global all_queued
    queue.bytes -= bytes_
    all_queued -= bytes_


cdef void drop_first(Queue *queue) noexcept nogil:
    global low_event
    cdef Outgoing *message = queue.first
    queue.first = message.next
    if queue.first == NULL:
        queue.last = NULL
    if low_event >= 0 and queue.tid == low_tid and held_for(low_tid) <= low_bytes:
        signal_event(low_event)
        low_event = -1
    put_aside(message.data)
    free(message)


cdef void put_aside(PyObject *data) noexcept with gil:
    # Whatever ends with the frames may run code of the user's.
    cdef Frames frames = <Frames>data
    if frames.held:
        let_go(frames)
    sent.append(frames)
    Py_DECREF(frames)


cdef void tidy() noexcept nogil:
    # Remove queues that are empty, or whose receiver is gone.
    global queues
    cdef Queue **place = &queues
    cdef Queue *queue
    while place[0] != NULL:
        queue = place[0]
        if queue.ended:
            while queue.first != NULL:
                count_out(queue, queue.first.left)
                drop_first(queue)
        if queue.first == NULL:
            place[0] = queue.next
            free(queue)
        else:
            place = &queue.next


cdef void drop_queues() noexcept nogil:
    # The process leaves PVM, or the daemon is gone.
    cdef Queue *queue = queues
    while queue != NULL:
        queue.ended = True
        queue = queue.next
    if not going_out:
        tidy()
