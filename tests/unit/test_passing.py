"""What a host passes on, and to whom, over sockets."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from biskit_pvm.machine import addresses
from biskit_pvm.messages import passing

KEY = b"k" * 32
NAME = "1" * 16, "2" * 16
DATA = os.urandom(3_000_000)

pytestmark = pytest.mark.timeout(30)


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Iterator[passing.Door]:
    monkeypatch.setattr(addresses, "own_address", lambda: "127.0.0.1")
    door = passing.Door(KEY)
    yield door
    door._socket.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def passed(door: passing.Door, tmp_path: Path) -> passing.Passed:
    """Give an object of which nothing is there yet, though its file has its size."""
    (tmp_path / "file").write_bytes(DATA)
    passed = passing.Passed(str(tmp_path / "file"), len(DATA))
    door.pass_on(NAME, passed)
    return passed


def whole(door: passing.Door, offset: int = 0, key: bytes = KEY, name: passing.Name = NAME) -> bytes:
    """Return all that comes."""
    data = b""
    for piece in passing.received(door.address, key, name, offset):
        data += piece
        if offset + len(data) == len(DATA):
            break
    return data


def test_it_comes_as_it_grows_and_from_where_one_is(door: passing.Door, passed: passing.Passed) -> None:
    passed.grown(1000)
    pieces = passing.received(door.address, KEY, NAME, 0)
    assert bytes(next(pieces)) == DATA[:1000]
    passed.grown(5000)
    assert bytes(next(pieces)) == DATA[1000:5000]
    del pieces
    passed.grown(len(DATA))
    assert whole(door) == DATA
    assert whole(door, 2_999_000) == DATA[2_999_000:]


def test_who_waits_longer_hears_that_somebody_is_there(
    door: passing.Door, passed: passing.Passed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passing, "SIGN_TIME", 0.2)
    monkeypatch.setattr(passing, "PATIENCE", 1.5)
    threading.Timer(3, lambda: passed.grown(len(DATA))).start()
    assert whole(door) == DATA


def test_it_ends_when_no_more_will_come(door: passing.Door, passed: passing.Passed) -> None:
    passed.grown(1000)
    threading.Timer(0.2, passed.give_up).start()
    assert whole(door) in (b"", DATA[:1000])
    door.withdraw(NAME)
    assert whole(door) == b""


def test_who_is_silent_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passing, "PATIENCE", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        start = time.monotonic()
        assert list(passing.received(silent.getsockname(), KEY, NAME, 0)) == []
        assert 0.4 < time.monotonic() - start < 10


def test_who_is_not_there_is_left(door: passing.Door) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        address = gone.getsockname()
    assert list(passing.received(address, KEY, NAME, 0)) == []


def test_who_has_another_key_gets_nothing_and_nothing_is_taken_from_him(
    door: passing.Door, passed: passing.Passed
) -> None:
    passed.grown(len(DATA))
    assert whole(door, key=b"x" * 32) == b""
    # one who takes the door's word, and asks without a proof of his own
    with socket.create_connection(door.address, 10) as stranger:
        stranger.sendall(bytes(16))
        said = passing._exactly(stranger, 32)
        request = passing._REQUEST.pack(NAME[0].encode(), NAME[1].encode(), 0)
        stranger.sendall(request + said[16:])
        with pytest.raises(ConnectionError):
            passing._exactly(stranger, 1)


def test_the_first_bytes_of_strangers_keep_nobody_out(door: passing.Door, passed: passing.Passed) -> None:
    passed.grown(len(DATA))
    strangers = [socket.create_connection(door.address, 10) for _ in range(3)]
    for stranger in strangers:
        stranger.sendall(b"GET / HTTP/1.0\r\n\r\n" * 10)
    assert whole(door) == DATA
    for stranger in strangers:
        stranger.close()
