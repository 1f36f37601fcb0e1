"""Python objects as messages: pickle, with large buffers out of band and without copies."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Optional, Union

from ._pvm import recv_frames, send_frames
from .errors import BadMsgError


class Received(NamedTuple):
    """An object that has come, and from whom."""

    value: Any
    tid: int
    """The sender."""
    tag: int


def dump(value: Any) -> list[Any]:
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
    buffers: list[pickle.PickleBuffer] = []
    frames: list[Any] = [pickle.dumps(value, 5, buffer_callback=buffers.append)]
    if buffers:
        try:
            frames += [buffer.raw() for buffer in buffers]
        except BufferError:
            # memory with gaps goes into the pickle
            return [pickle.dumps(value, 5)]
    return frames


def load(frames: Sequence[Any]) -> Any:
    """Make the object again from the frames of `dump`; only for frames from whom you trust.

    Parameters
    ----------
    frames : sequence of bytes-like
        What `recv_frames` gave.  Bytearrays become the memory of arrays in the object;
        bytes are copied, so that these arrays are writable too.
    """
    if len(frames) == 1:
        return pickle.loads(frames[0])
    buffers = [bytearray(frame) if isinstance(frame, bytes) else frame for frame in frames[1:]]
    return pickle.loads(frames[0], buffers=buffers)


def send_object(tids: Union[int, Iterable[int]], tag: int, value: Any, encoding: int = -1) -> None:
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
    send_frames(tids, tag, dump(value), encoding)


def recv_object(tid: int = -1, tag: int = -1, timeout: Optional[float] = None) -> Optional[Received]:
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
    message = recv_frames(tid, tag, timeout)
    if message is None:
        return None
    if not message.frames:
        raise BadMsgError(
            -12, "recv_object", f"the message from {message.tid:#x} with tag {message.tag} is no object"
        )
    try:
        value = load(message.frames)
    except Exception as error:
        raise BadMsgError(
            -12,
            "recv_object",
            f"the object from {message.tid:#x} with tag {message.tag} cannot be unpickled: "
            f"{type(error).__name__}: {error}",
        ) from error
    return Received(value, message.tid, message.tag)
