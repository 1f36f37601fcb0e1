"""Shared objects that a host has, or gets at present, and passes on to other hosts.

Their bytes go over sockets of their own, from threads of their own: libpvm waits for a task that it is to open a link
to, and so everything else in the process would wait for one that is stopped, or behind a firewall.  Each side proves
that it has the key of the calculation before anything else is said.
"""

from __future__ import annotations

import os
import socket
import struct
import threading
import time
from collections.abc import Iterator

from biskit_pvm.machine import addresses
from biskit_pvm.machine.log import Log
from biskit_pvm.machine.shared_memory import reading
from biskit_pvm.messages.wire import blake2b, compare_digest

log = Log(__name__)

Address = tuple[str, int]
Name = tuple[str, str]

#: seconds in which somebody who is asked must be there, and in which anything must come from him
CONNECT_TIME = 2.0
PATIENCE = 5.0

#: seconds after which one who has nothing to pass on says that he is still there
SIGN_TIME = 1.0

#: seconds for which somebody may take nothing of what is sent to him
STUCK_TIME = 60

#: bytes that are announced, and received, at a time
ANNOUNCED = 1 << 23
RECEIVED = 1 << 18

#: connections at a time; more are only made by those who do not belong here
MOST_LINKS = 16

_NONCE, _PROOF = 16, 16
_REQUEST = struct.Struct("!16s16sQ")
_LENGTH = struct.Struct("!I")
_SECONDS = struct.Struct("@ll")


class Passed:
    """An object of which some bytes are here.

    Parameters
    ----------
    path : str
        Of the draft that they are written to.
    size : int
        Bytes of the whole object.
    """

    def __init__(self, path: str, size: int) -> None:
        self.path, self.size = path, size
        self._end = 0
        self._given_up = False
        self._changed = threading.Condition()

    def grown(self, end: int) -> None:
        """There are as many bytes now."""
        with self._changed:
            self._end = end
            self._changed.notify_all()

    def give_up(self) -> None:
        """No more will come."""
        with self._changed:
            self._given_up = True
            self._changed.notify_all()

    def beyond(self, offset: int, timeout: float) -> int:
        """Wait for bytes beyond an offset, and return how many there are; ConnectionError when none will come."""
        with self._changed:
            self._changed.wait_for(lambda: self._end > offset or self._given_up, timeout)
            if self._given_up:
                raise ConnectionError("an object is not passed on any more")
            return max(self._end - offset, 0)


class Door:
    """Where other hosts get what this process passes on.

    Parameters
    ----------
    key : bytes
        Of the calculation.

    Raises
    ------
    OSError
        This host has no address.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._objects: dict[Name, Passed] = {}
        self._links = threading.BoundedSemaphore(MOST_LINKS)
        self._socket = socket.socket()
        self._socket.bind((addresses.own_address(), 0))
        self._socket.listen(MOST_LINKS)
        self.address: Address = self._socket.getsockname()
        threading.Thread(target=self._listen, daemon=True, name="door").start()

    def pass_on(self, name: Name, passed: Passed) -> None:
        """Let others have an object."""
        self._objects[name] = passed

    def withdraw(self, name: Name) -> None:
        """Let nobody else have an object."""
        self._objects.pop(name, None)

    def _listen(self) -> None:
        while True:
            try:
                link, _ = self._socket.accept()
            except OSError as error:  # no descriptor is left, or whoever connected is gone
                log.info("%s", error)
                time.sleep(SIGN_TIME)
                continue
            if self._links.acquire(blocking=False):
                threading.Thread(target=self._serve, args=(link,), daemon=True, name="passing on").start()
            else:
                link.close()

    def _serve(self, link: socket.socket) -> None:
        try:
            with link:
                link.settimeout(PATIENCE)
                theirs = _exactly(link, _NONCE)
                ours = os.urandom(_NONCE)
                link.sendall(ours + _proof(self._key, b"giver", theirs + ours))
                request = _exactly(link, _REQUEST.size)
                if not compare_digest(_exactly(link, _PROOF), _proof(self._key, b"taker", theirs + ours + request)):
                    log.warning("somebody without the key of this calculation has asked for a shared object")
                    return
                shelf, key, offset = _REQUEST.unpack(request)
                passed = self._objects.get((shelf.decode(), key.decode()))
                if passed is not None:
                    with reading(passed.path) as file:
                        _send(link, passed, file, offset)
        except (OSError, ValueError) as error:
            log.info("an object was not passed on: %s", error)
        finally:
            self._links.release()


def _send(link: socket.socket, passed: Passed, file: int, offset: int) -> None:
    link.settimeout(None)  # for `sendfile`; the kernel looks after the time
    link.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _SECONDS.pack(STUCK_TIME, 0))
    while offset < passed.size:
        left = min(passed.beyond(offset, SIGN_TIME), ANNOUNCED)
        link.sendall(_LENGTH.pack(left))
        while left:
            sent = os.sendfile(link.fileno(), file, offset, left)
            if not sent:
                raise ConnectionError("the file is shorter than it was")
            offset += sent
            left -= sent


def received(address: Address, key: bytes, name: Name, offset: int) -> Iterator[memoryview]:
    """Yield the bytes of an object beyond an offset, as they come from another host.

    They end early where that one has no more, is gone, is not of this calculation, or is silent for too long.
    """
    try:
        with socket.create_connection(address, CONNECT_TIME) as link:
            link.settimeout(PATIENCE)
            ours = os.urandom(_NONCE)
            link.sendall(ours)
            theirs, proof = _exactly(link, _NONCE), _exactly(link, _PROOF)
            if not compare_digest(proof, _proof(key, b"giver", ours + theirs)):
                raise ConnectionError(f"somebody without the key of this calculation answers at {address}")
            request = _REQUEST.pack(name[0].encode(), name[1].encode(), offset)
            link.sendall(request + _proof(key, b"taker", ours + theirs + request))
            view = memoryview(bytearray(RECEIVED))
            while True:
                (left,) = _LENGTH.unpack(_exactly(link, _LENGTH.size))
                while left:
                    count = link.recv_into(view[: min(left, RECEIVED)])
                    if not count:
                        raise ConnectionError("it has ended")
                    yield view[:count]
                    left -= count
    except OSError as error:
        log.info("no more of a shared object comes from %s: %s", address[0], error)


def _exactly(link: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        got = link.recv(count - len(data))
        if not got:
            raise ConnectionError("it has ended")
        data += got
    return data


def _proof(key: bytes, who: bytes, said: bytes) -> bytes:
    return blake2b(said, key=key, digest_size=_PROOF, person=who).digest()
