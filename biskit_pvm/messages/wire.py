"""What travels between master and slaves, and how it is proved ours.

A message is a tag and a value; the value is a pair `(time_stamp, arguments)`
with the sender's clock in seconds since the epoch and None or a tuple.  It
is written as a list of byte strings::

    [seal, pickle, buffer, buffer, ...]

The buffers are the large parts of the pickled objects (protocol 5, out of
band), which are thus never copied.  The seal is a keyed BLAKE2b digest of
the sender's tid, the tag, the pickle and the lengths of the buffers.  PVM
itself vouches for the sender's tid, so that a sealed message cannot be sent
again by somebody else.  Nothing is unpickled before its seal was verified.
"""

from __future__ import annotations

import pickle
import struct

try:
    # what the modules below take them from, after loading OpenSSL, which
    # would be a good part of the time that a slave needs to start
    from _blake2 import blake2b
    from _operator import _compare_digest as compare_digest
except ImportError:
    from hashlib import blake2b
    from hmac import compare_digest  # type: ignore[no-redef]

TYPE_CHECKING = False  # slaves start quickly
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Callable

SEAL_BYTES = 16
#: length of the random key of a calculation
KEY_BYTES = 32
_HEAD = struct.Struct("<iiI")


class NotOurs(Exception):
    """A message was not sealed with the key of this calculation."""


class Seal:
    """Write and read messages under one key.

    Parameters
    ----------
    key : bytes
        Known to the tasks of one calculation alone.
    dumps, loads : callable, optional
        In place of those of `pickle`, with the same arguments.
    """

    def __init__(
        self, key: bytes, dumps: Callable[..., bytes] | None = None, loads: Callable[..., Any] | None = None
    ) -> None:
        self._keyed = blake2b(key=key, digest_size=SEAL_BYTES)
        self._dumps = dumps or pickle.dumps
        self._loads = loads or pickle.loads

    def _digest(self, sender: int, tag: int, body: Any, buffers: Sequence[Any]) -> bytes:
        digest = self._keyed.copy()
        digest.update(_HEAD.pack(sender, tag, len(buffers)))
        for buffer in buffers:
            digest.update(struct.pack("<Q", len(buffer)))
        digest.update(body)
        return digest.digest()

    def write(self, sender: int, tag: int, value: Any) -> list[Any]:
        """Turn `value` into the byte strings of a message.

        Raises
        ------
        whatever pickle raises for what it cannot carry
        """
        out_of_band: list[pickle.PickleBuffer] = []
        body = self._dumps(value, 5, buffer_callback=out_of_band.append)
        buffers = [b.raw() for b in out_of_band]
        return [self._digest(sender, tag, body, buffers), body, *buffers]

    def read(self, sender: int, tag: int, frames: Sequence[Any]) -> Any:
        """Return the value of a message.

        Raises
        ------
        NotOurs
            The message was not written under this key, or not by `sender`
            with this tag; nothing of it was unpickled.
        """
        if len(frames) < 2 or not compare_digest(bytes(frames[0]), self._digest(sender, tag, frames[1], frames[2:])):
            raise NotOurs(f"a message with tag {tag} from task t{sender:x} does not carry the key of this calculation")
        return self._loads(frames[1], buffers=frames[2:])


def in_time_order(messages: list[tuple[int, float, Any]]) -> list[Any]:
    """Put messages of one sender into the order of their time stamps.

    Parameters
    ----------
    messages : list of (sender, time_stamp, message)
        As they were received.

    Returns
    -------
    list of messages
        Those of different senders keep their places among one another.
    """
    if len(messages) < 2:
        return [m[2] for m in messages]
    places: dict[int, list[int]] = {}
    for place, (sender, _, _) in enumerate(messages):
        places.setdefault(sender, []).append(place)
    ordered: list[Any] = [None] * len(messages)
    for own in places.values():
        ranked = sorted((messages[p] for p in own), key=lambda m: m[1])
        for place, message in zip(own, ranked):
            ordered[place] = message[2]
    return ordered
