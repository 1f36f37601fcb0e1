# Python objects as frames: the pickle, then the large buffers beside it, which are not copied.
#
# Pickle is loaded with the first object.  A task that computes between two messages finds
# little of its code in the caches, so everything here goes the shortest way.

from cpython.object cimport PyObject, PyTypeObject

cdef extern from "Python.h":
    object PyObject_Vectorcall(object, PyObject **, size_t, object)

cdef object dumps = None
cdef object loads = None
cdef type received = None
cdef tuple CALLBACK = ("buffer_callback",)


cdef int need_pickle() except -1:
    global dumps, loads, received
    import pickle

    from .objects import Received

    received, loads, dumps = Received, pickle.loads, pickle.dumps
    return 0


@cython.freelist(4)
cdef class Beside:
    # Collects the buffers that pickle leaves out.
    cdef list buffers

    def __call__(self, buffer):
        if self.buffers is None:
            self.buffers = []
        self.buffers.append(buffer)


cdef object pickled(value, Beside beside):
    cdef PyObject *arguments[3]
    if dumps is None:
        need_pickle()
    arguments[0] = <PyObject *>value
    arguments[1] = <PyObject *>PROTOCOL
    arguments[2] = <PyObject *>beside
    return PyObject_Vectorcall(dumps, arguments, 2, CALLBACK)


cdef object PROTOCOL = 5


cdef list with_buffers(pickle, list buffers, value):
    try:
        return [pickle] + [buffer.raw() for buffer in buffers]
    except BufferError:
        # memory with gaps goes into the pickle
        return [dumps(value, PROTOCOL)]


def dump(value):
    """Turn an object into frames for `send_frames`.

    Parameters
    ----------
    value : object
        Anything that pickle takes.

    Returns
    -------
    list of bytes-like
        The pickle, then the buffers beside it, which still belong to `value`.
    """
    cdef Beside beside = Beside.__new__(Beside)
    pickle = pickled(value, beside)
    return [pickle] if beside.buffers is None else with_buffers(pickle, beside.buffers, value)


def load(frames):
    """Make the object again from the frames of `dump`; only for frames from whom you trust.

    Parameters
    ----------
    frames : sequence of bytes-like
        What `recv_frames` gave.  Bytearrays become the memory of arrays in the object;
        bytes are copied, so that these arrays are writable too.
    """
    return object_of(frames, False)


cdef object object_of(frames, bint just_received):
    # long bytes that were just received were no writable memory where they come from, either
    if loads is None:
        need_pickle()
    if len(frames) == 1:
        return loads(frames[0])
    buffers = [
        bytearray(frame)
        if isinstance(frame, bytes) and not (just_received and len(frame) >= WRITABLE) else frame
        for frame in frames[1:]
    ]
    return loads(frames[0], buffers=buffers)


def send_object(tids, int tag, value, int encoding=-1):
    """Send an object.

    Parameters
    ----------
    tids : int or sequence of int
        The receiver or receivers; the caller may be among them.
    tag : int
        The message tag, >= 0.
    value : object
        Anything that pickle takes.  The memory of large arrays in it is sent from where
        it is, and must not change before the call returns.
    encoding : int, optional
        As in `send_frames`.
    """
    cdef Beside beside = Beside.__new__(Beside)
    cdef bytes pickle = pickled(value, beside)
    cdef Py_buffer view
    cdef Frames frames
    if beside.buffers is None:
        view.buf, view.len = PyBytes_AS_STRING(pickle), len(pickle)
        send_views(tids, tag, &view, 1, view.len, encoding, None)
    else:
        frames = Frames(with_buffers(pickle, beside.buffers, value))
        send_views(tids, tag, frames.views, frames.count, frames.total, encoding, None)


def recv_object(int tid=-1, int tag=-1, timeout=None):
    """Wait for an object.

    Unpickling runs code that the sender chooses.  All tasks of a virtual machine belong to
    one user; if others can send to you, use `recv_frames` and check first.

    Parameters
    ----------
    tid : int
        The sender; -1 for any.
    tag : int
        The message tag; -1 for any.
    timeout : float, optional
        Seconds; 0 looks once, None waits for ever.

    Returns
    -------
    Received or None
        None when the time is over.  Arrays in the object own their memory and are
        writable.

    Raises
    ------
    BadMsgError
        When the message is no object or its pickle is damaged.  A message that was not
        made by `send_frames` stays this thread's active receive buffer.
    """
    cdef pvmminfo info
    cdef list frames = next_frames(tid, tag, timeout, None, None, &info)
    cdef tuple arguments
    if info.len < 0:
        return None
    if not frames:
        raise error_for(
            PvmBadMsg, "recv_object",
            f"the message from {info.src:#x} with tag {info.tag} is no object",
        )
    try:
        value = object_of(frames, True)
    except Exception as error:
        raise error_for(
            PvmBadMsg, "recv_object",
            f"the object from {info.src:#x} with tag {info.tag} cannot be unpickled: "
            f"{type(error).__name__}: {error}",
        ) from error
    # what Received(value, tid, tag) does by way of a Python function
    arguments = ((value, info.src, info.tag),)
    return (<PyTypeObject *>tuple).tp_new(received, <PyObject *>arguments, NULL)
