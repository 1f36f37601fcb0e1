"""What travels between master and slaves, and how it is proved ours.

A message is a tag and a value; the value is a pair `(time_stamp, arguments)`
with the sender's clock in seconds since the epoch and None or a tuple.  It
is written as a list of byte strings::

    [seal, pickle, buffer, buffer, ...]

The buffers are the large parts of the pickled objects (protocol 5, out of
band), which are thus never copied.  The seal is a number of the message and
a keyed BLAKE2b digest of that number, the sender's tid, the tag, the pickle
and the lengths of the buffers.  What is in the buffers is not covered:
computing its digest would take a good part of the time that it takes to
travel (docs/security.md).  Nothing is unpickled before its seal was
verified, and no message is taken twice.
"""

from __future__ import annotations

import pickle
import struct
from bisect import bisect_right
from itertools import count

try:
    # what the modules below take them from, after loading OpenSSL, which
    # would be a good part of the time that a slave needs to start
    from _blake2 import blake2b
    from _operator import _compare_digest as compare_digest
except ImportError:
    from hashlib import blake2b
    from hmac import compare_digest  # type: ignore[no-redef]

try:
    from _random import Random  # as above
except ImportError:
    from random import Random  # type: ignore[assignment]

TYPE_CHECKING = False  # slaves start quickly
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Callable

DIGEST_BYTES = 16
#: frames below this size arrive as bytes even from memory that is writable
ALWAYS_BYTES = 16384
#: length of the random key of a calculation
KEY_BYTES = 32
_HEAD = struct.Struct("<iiI")
_NUMBER = struct.Struct("<QQ")
SEAL_BYTES = _NUMBER.size + DIGEST_BYTES

#: tells the messages of this process from those of one that had its tid before
_process = Random().getrandbits(64)
#: all messages of this process have different numbers
_numbers = count(1)
#: gaps in the numbers of a sender that a receiver remembers; a message that comes
#: later than so many others that do not follow one another is thrown away
MOST_GAPS = 1024


class NotOurs(Exception):
    """A message was not sealed with the key of this calculation, or has come before."""


class Received:
    """Which numbers of one sender have come, as spans of numbers that follow one another.

    Messages may overtake each other, but nearly all come in order, and few numbers are
    missing, so this is one span most of the time.
    """

    __slots__ = ("firsts", "lasts", "old", "process")

    def __init__(self, process: int) -> None:
        self.process = process
        self.firsts: list[int] = []
        self.lasts: list[int] = []
        #: processes that had this tid before
        self.old: set[int] = set()

    def take(self, process: int, number: int) -> bool:
        """Note a number; tell whether it is new."""
        if process != self.process:
            if process in self.old:
                return False
            self.old.add(self.process)
            self.process, self.firsts, self.lasts = process, [], []
        firsts, lasts = self.firsts, self.lasts
        if not lasts or number > lasts[-1]:
            if lasts and number == lasts[-1] + 1:
                lasts[-1] = number
                return True
            firsts.append(number)
            lasts.append(number)
            if len(lasts) > MOST_GAPS:  # the oldest gap counts as filled from now on
                del firsts[1], lasts[0]
                firsts[0] = 0
            return True
        place = bisect_right(firsts, number)
        if place and number <= lasts[place - 1]:
            return False
        # between two spans: it may close the gap to either, or both
        before = place > 0 and lasts[place - 1] + 1 == number
        after = firsts[place] == number + 1
        if before and after:
            lasts[place - 1] = lasts[place]
            del firsts[place], lasts[place]
        elif before:
            lasts[place - 1] = number
        elif after:
            firsts[place] = number
        else:
            firsts.insert(place, number)
            lasts.insert(place, number)
        return True


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
        self._keyed = blake2b(key=key, digest_size=DIGEST_BYTES)
        self._received: dict[int, Received] = {}
        self._dumps = dumps or pickle.dumps
        self._loads = loads or pickle.loads

    def _digest(self, number: bytes, sender: int, tag: int, body: Any, buffers: Sequence[Any]) -> bytes:
        digest = self._keyed.copy()
        digest.update(number + _HEAD.pack(sender, tag, len(buffers)))
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
        number = _NUMBER.pack(_process, next(_numbers))
        return [number + self._digest(number, sender, tag, body, buffers), body, *buffers]

    def read(self, sender: int, tag: int, frames: Sequence[Any]) -> Any:
        """Return the value of a message.

        Raises
        ------
        NotOurs
            The message was not written under this key, or not by `sender`
            with this tag, or it was read before; nothing of it was
            unpickled.
        """
        seal = bytes(frames[0]) if len(frames) >= 2 else b""
        number = seal[: _NUMBER.size]
        if len(seal) != SEAL_BYTES or not compare_digest(
            seal[_NUMBER.size :], self._digest(number, sender, tag, frames[1], frames[2:])
        ):
            raise NotOurs(f"a message with tag {tag} from task t{sender:x} does not carry the key of this calculation")
        process, which = _NUMBER.unpack(number)
        received = self._received.get(sender)
        if received is None:
            received = self._received[sender] = Received(process)
        if not received.take(process, which):
            raise NotOurs(f"a message with tag {tag} from task t{sender:x} has come before")
        # short frames come as bytes, whatever they were: an array on them could not be written to
        buffers = [bytearray(f) if type(f) is bytes and len(f) < ALWAYS_BYTES else f for f in frames[2:]]
        return self._loads(frames[1], buffers=buffers)


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
