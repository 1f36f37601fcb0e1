"""Frames, Python objects and typed buffers, between this process and itself or a real task."""

from __future__ import annotations

import array
import gc
import os
import sys
import time

import numpy as np
import pytest

import pvm_ext as p

from ..support import task
from ..support.waiting import wait_for

MIB = 1 << 20


@pytest.fixture(autouse=True)
def clean(session_vm):
    """Start with no message queued."""
    while p.recv_frames(timeout=0):
        pass
    yield
    p.setopt(p.Option.ROUTE, p.Route.ALLOW)


@pytest.fixture
def child():
    """Give a task with which this process has a direct link."""
    (one,) = task.spawn()
    one.ask("p.setopt(p.Option.ROUTE, p.Route.DIRECT)")
    one.ask("None")
    yield one
    p.kill(one.tid)


def through(frames, **options):
    p.send_frames(p.mytid(), 1, frames, **options)
    message = p.recv_frames(p.mytid(), 1, timeout=60)
    assert message is not None and (message.tid, message.tag) == (p.mytid(), 1)
    return message.frames


SHAPES = {
    "none": [],
    "one empty": [b""],
    "small": [b"a", b"", b"bcd"],
    "many small": [b"%d" % n for n in range(3000)],
    "many medium": [os.urandom(40_000) for _ in range(40)],
    "one long": [os.urandom(5 * MIB + 7)],
    "several long": [os.urandom(MIB + n) for n in range(-2, 3)],
    "mixed": [b"", os.urandom(3 * MIB), b"x", b"", os.urandom(70_000), b"y" * 100, b""],
    "just packed": [bytes(65536 - 32 - 8)],
    "just not packed": [bytes(65536 - 32 - 7)],
    "whole parts": [bytes(MIB), bytes(2 * MIB), b"", bytes(MIB)],
}


@pytest.mark.parametrize("encoding", [-1, 0, 1, 2])
@pytest.mark.parametrize("shape", SHAPES)
def test_frames_come_back_as_they_were(shape, encoding):
    frames = SHAPES[shape]
    assert through(frames, encoding=encoding) == frames


@pytest.mark.parametrize("shape", ["small", "many medium", "mixed", "whole parts"])
def test_frames_travel_over_a_direct_link(child, shape):
    frames = SHAPES[shape]
    child.order("[p.send_frames(parent, 7, p.recv_frames(parent, 6).frames), len(p.getfds())][1]")
    p.send_frames(child.tid, 6, frames)
    assert p.recv_frames(child.tid, 7, 60).frames == frames
    assert child.answer() == 2


def test_anything_with_the_buffer_protocol_is_a_frame():
    frames = [bytearray(b"ab"), memoryview(b"cd"), array.array("i", [1]), np.arange(3.0), np.float32(1)]
    assert through(frames) == [bytes(frame) for frame in frames]


def test_long_frames_of_writable_memory_are_writable_and_nobody_elses():
    from biskit_pvm.messages.wire import ALWAYS_BYTES  # what reads messages has to know the same length

    (short, long) = through([bytearray(b"x" * (ALWAYS_BYTES - 1)), bytearray(b"x" * ALWAYS_BYTES)])
    assert type(short) is bytes and type(long) is bytearray
    long[0] = 0
    long.append(1)


@pytest.mark.parametrize("size", [0, 1, 16384, 70_000, 5 * MIB + 1])
def test_bytes_arrive_as_bytes(size):
    # the first one leaves little room for the next in the first part
    sent = [bytes(3), bytes(MIB - 9), b"x" * size, memoryview(b"y" * size), bytearray(b"z" * size)]
    got = through(sent)
    assert got == sent
    assert [type(frame) for frame in got[:4]] == [bytes] * 4
    assert type(got[4]) is (bytearray if size >= 16384 else bytes)


@pytest.mark.parametrize("wrong", ["text", 5, [5], [None], ["text"], [np.arange(6)[::2]]])
def test_what_is_no_row_of_contiguous_buffers_is_refused(wrong):
    with pytest.raises((TypeError, BufferError, ValueError)):
        p.send_frames(p.mytid(), 1, wrong)
    assert p.recv_frames(timeout=0.05) is None


def test_buffers_are_given_back_after_sending():
    frame = bytearray(3 * MIB)
    p.send_frames(p.mytid(), 1, [frame])
    frame.clear()
    with pytest.raises(p.BadParamError):
        p.send_frames(0, 1, [frame])
    frame.append(1)


@pytest.mark.parametrize("tids", [0, -1, 0x80000, [0], [1, -1], 1 << 30 | 5])
def test_a_long_message_to_no_task_is_refused_before_its_first_part(tids):
    for frames in ([], [bytes(4 * MIB)]):
        with pytest.raises(p.BadParamError):
            p.send_frames(tids, 1, frames)
    with pytest.raises(p.BadParamError):
        p.send_frames(p.mytid(), -1, [])
    with pytest.raises(p.BadParamError):
        p.send_frames(p.mytid(), 1, [], 3)


def test_several_receivers_the_sender_among_them_each_get_one():
    children = task.spawn(2)
    for child in children:
        child.order("[len(frame) for frame in p.recv_frames(parent, 6).frames]")
    p.send_frames([p.mytid(), *(child.tid for child in children)], 6, [bytes(3 * MIB), b"x"])
    assert [len(frame) for frame in p.recv_frames(-1, 6, 60).frames] == [3 * MIB, 1]
    assert [child.answer() for child in children] == [[3 * MIB, 1]] * 2
    assert p.recv_frames(timeout=0.2) is None
    p.send_frames([], 6, [b""])
    for child in children:
        p.kill(child.tid)


def test_other_messages_are_left_to_be_unpacked():
    p.initsend()
    p.pkint([4, 5])
    p.send(p.mytid(), 3)
    message = p.recv_frames(timeout=20)
    assert (message.tid, message.tag, message.frames) == (p.mytid(), 3, None)
    assert p.upkint(2) == [4, 5]


def test_parts_of_long_messages_are_seen_by_nobody_else():
    p.send_frames(p.mytid(), 1, [bytes(5 * MIB)])
    while not p.probe(-1, 1):
        pass
    assert p.bufinfo(p.probe()).tag == 1
    assert len(p.recv_frames(timeout=20).frames[0]) == 5 * MIB


def test_long_messages_of_two_senders_do_not_mix():
    children = task.spawn(3)
    for number, child in enumerate(children):
        long = "[bytes([a[0] + k]) * 7_000_000, b'%d' % k]"
        child.order(f"[p.send_frames(parent, 8, {long}) for k in range(4)]", number * 10)
    got = [p.recv_frames(-1, 8, 60) for _ in range(12)]
    for number, child in enumerate(children):
        mine = [message.frames for message in got if message.tid == child.tid]
        assert [frames[1] for frames in mine] == [b"0", b"1", b"2", b"3"]
        assert all(frames[0] == bytes([number * 10 + k]) * 7_000_000 for k, frames in enumerate(mine))
        child.answer()
        p.kill(child.tid)


# --- what to wait for --------------------------------------------------------------------


def test_a_match_takes_pairs_with_wildcards_and_leaves_the_rest():
    me = p.mytid()
    match = p.Match()
    for tag in (1, 2, 3):
        p.send_frames(me, tag, [])
    assert p.recv_frames(match=match, timeout=0.2) is None and len(match) == 0
    match.add(me, 2)
    match.add(me, 2)
    assert (me, 2) in match and (me, 3) not in match and len(match) == 1
    assert p.recv_frames(match=match, timeout=20).tag == 2
    match.discard(me, 2)
    match.discard(me, 2)
    match.add(-1, 3)
    assert p.recv_frames(match=match, timeout=20).tag == 3
    match.add(me, -1)
    assert p.recv_frames(match=match, timeout=20).tag == 1
    match.discard(me, -1)
    match.add(-1, -1)
    p.send_frames(me, 9, [])
    assert p.recv_frames(match=match, timeout=20).tag == 9


def test_a_match_holds_as_many_pairs_as_one_likes():
    match = p.Match()
    pairs = [(tid, tag) for tid in range(-1, 300) for tag in range(-1, 30)]
    for pair in pairs:
        match.add(*pair)
    assert len(match) == len(pairs) and all(pair in match for pair in pairs)
    for pair in pairs[::2]:
        match.discard(*pair)
    assert [pair in match for pair in pairs] == [number % 2 == 1 for number in range(len(pairs))]
    for pair in pairs[::2] * 3:
        match.add(*pair)
        match.discard(*pair)
    assert len(match) == len(pairs) // 2


def test_a_wake_before_the_wait_ends_it_at_once():
    with p.Waker() as waker:
        waker.wake()
        waker.wake()
        start = time.monotonic()
        assert p.recv_frames(waker=waker) is None
        assert time.monotonic() - start < 1
        assert p.recv_frames(waker=waker, timeout=0.1) is None
        assert waker.fileno() > 0
    waker.wake()
    waker.close()
    with pytest.raises(ValueError):
        p.recv_frames(waker=waker)


# --- other data formats ------------------------------------------------------------------

# The child's libpvm takes its computer for one of another kind, as far as it can: what it
# packs raw has the mark of an unknown data format.
STRANGER = """
import ctypes, sys
import pvm_ext as p
parent = p.parent()
with open("/proc/self/maps") as maps:
    library, = {line.split(maxsplit=5)[-1].rstrip() for line in maps if "libpvm3" in line}
ctypes.c_int.in_dll(ctypes.CDLL(library), "pvmmydsig").value = 0x123456
p.send_frames(parent, 1, [b"short"])
p.send_frames(parent, 2, [bytes(range(256)) * 20_000, b"x"])
p.send_object(parent, 3, {"a": [1, 2]})
p.initsend(p.DataEncoding.RAW); p.pkint([1, 2]); p.pkbyte(b"abc"); p.send(parent, 4)
import array
p.send_buffer(parent, 5, array.array("d", [1, 2]))
p.send_buffer(parent, 6, array.array("d", [1, 2]), p.DataEncoding.DEFAULT)
p.exit()
"""


def test_messages_of_another_data_format_are_read_as_far_as_pvm_can(session_vm):
    (tid,) = p.spawn(sys.executable, ["-c", STRANGER])
    assert p.recv_frames(tid, 1, 30).frames == [b"short"]
    assert p.recv_frames(tid, 2, 30).frames == [bytes(range(256)) * 20_000, b"x"]
    assert p.recv_object(tid, 3, 30).value == {"a": [1, 2]}
    assert p.trecv(tid, 4, 30) and p.getminfo(p.getrbuf()).enc == 0x123456
    for unpack in (p.upkint, p.upkdouble):
        with pytest.raises(p.BadMsgError):
            unpack(1)
    assert p.upkbytes(11)[8:] == b"abc"
    target = np.zeros(2)
    with pytest.raises(p.BadMsgError, match="DataEncoding.DEFAULT"):
        p.recv_buffer(target, tid, 5, 30)
    assert not target.any()
    p.recv_buffer(target, tid, 6, 30)
    assert list(target) == [1, 2]
    assert through([b"next"]) == [b"next"]


# --- objects -----------------------------------------------------------------------------


def test_objects_come_back_with_their_sender():
    value = {"text": "ü\0", "nested": [(1, 2.5), {"x": None}], "bytes": bytes(100_000)}
    p.send_object(p.mytid(), 2, value)
    received = p.recv_object()
    assert received == (value, p.mytid(), 2) == (received.value, received.tid, received.tag)
    assert p.recv_object(timeout=0.05) is None


@pytest.mark.parametrize(
    "original",
    [
        np.arange(5),
        np.arange(100_000.0),
        np.arange(24).reshape(2, 3, 4).transpose(),
        np.asfortranarray(np.arange(60_000).reshape(200, 300)),
        np.arange(100_000)[::3],
        np.zeros((0, 3)),
        np.array(["a", None], object),
        np.zeros(3, [("a", "i4"), ("b", "f8")]),
    ],
    ids=str,
)
def test_arrays_in_objects_arrive_equal_writable_and_owned(original):
    p.send_object(p.mytid(), 2, [original, {"again": original}])
    one, two = p.recv_object(timeout=20).value
    for copy in (one, two["again"]):
        assert copy.dtype == original.dtype and copy.shape == original.shape
        assert np.array_equal(copy, original)
        assert copy.flags.writeable
    if original.size and original.dtype != object:
        one.flat[0] = 1
        assert two["again"] is one


@pytest.mark.parametrize("pickled", [p.dump({"a": 1})[0][:-1], b"", b"\x80\x05garbage", b"cos\nno_such\n."])
def test_a_damaged_pickle_raises_and_the_next_object_comes(pickled):
    p.send_frames(p.mytid(), 2, [pickled])
    with pytest.raises(p.BadMsgError, match="cannot be unpickled"):
        p.recv_object(timeout=20)
    p.send_object(p.mytid(), 2, "next")
    assert p.recv_object(timeout=20).value == "next"


def test_an_object_that_lacks_its_buffers_raises():
    frames = p.dump(np.zeros(100_000))
    assert len(frames) == 2
    p.send_frames(p.mytid(), 2, frames[:1])
    with pytest.raises(p.BadMsgError):
        p.recv_object(timeout=20)
    p.send_frames(p.mytid(), 2, [])
    with pytest.raises(p.BadMsgError, match="no object"):
        p.recv_object(timeout=20)


def test_errors_of_pickle_pass_through():
    with pytest.raises((AttributeError, TypeError, Exception)) as caught:
        p.send_object(p.mytid(), 2, lambda: None)
    assert not isinstance(caught.value, p.PvmError)
    assert p.recv_frames(timeout=0.05) is None


# --- typed buffers -----------------------------------------------------------------------

DTYPES = ["i1", "u1", "?", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8", "c8", "c16"]


@pytest.mark.parametrize("encoding", [-1, 0, 1, 2])
@pytest.mark.parametrize("dtype", DTYPES)
def test_arrays_of_every_type_go_from_gaps_to_gaps(dtype, encoding):
    least = 0 if dtype[0] == "u" else -100
    source = np.random.default_rng(1).integers(least, 100, (6, 14)).astype(dtype)
    for taken, filled in (
        (source, np.zeros_like(source)),
        (source[::-1, ::2], np.zeros((7, 6), dtype).T),
        (source.T, np.zeros((14, 6, 3), dtype)[:, :, 1]),
        (source[2], np.zeros(28, dtype)[::-2]),
        (source[:0], np.zeros((0, 14), dtype)),
        (source[3:4, 5], np.zeros((), dtype)),
    ):
        p.send_buffer(p.mytid(), 2, taken, encoding)
        info = p.recv_buffer(filled, p.mytid(), 2, 20)
        assert info.tid == p.mytid() and info.tag == 2
        assert np.array_equal(filled.reshape(taken.shape), taken)


def test_nothing_beside_the_target_is_touched():
    field = np.full((9, 9), 7.0)
    p.send_buffer(p.mytid(), 2, np.zeros((3, 3)))
    p.recv_buffer(field[1:8:3, 2::3], timeout=20)
    assert field.sum() == (81 - 9) * 7
    assert not field[1:8:3, 2::3].any()


def test_a_large_array_goes_over_a_direct_link(child):
    back = "(lambda x: [p.recv_buffer(x, parent, 6), p.send_buffer(parent, 7, x)])"
    child.order(back + "(__import__('array').array('d', bytes(8_000_000)))")
    source = np.random.default_rng(2).random(1_000_000)
    p.send_buffer(child.tid, 6, source)
    target = np.empty((1000, 2000))[:, ::2]
    p.recv_buffer(target, child.tid, 7, 60)
    assert np.array_equal(target.ravel(), source)
    child.answer()


def test_a_c_program_understands_typed_buffers_and_is_understood():
    p.send_buffer(p.mytid(), 2, np.array([1.5, 2.5]), p.DataEncoding.DEFAULT)
    p.recv(-1, 2)
    assert p.upkdouble(2) == [1.5, 2.5]
    p.initsend()
    p.pkdouble([3.5, 4.5])
    p.send(p.mytid(), 2)
    target = np.zeros(2)
    p.recv_buffer(target, timeout=20)
    assert list(target) == [3.5, 4.5]


def test_negative_longs_survive_xdr_and_large_ones_raise():
    p.send_buffer(p.mytid(), 2, np.array([-1, -(2**31), 5]), 0)
    target = np.zeros(3, "i8")
    p.recv_buffer(target, timeout=20)
    assert list(target) == [-1, -(2**31), 5]
    with pytest.raises(p.PvmOverflowError):
        p.send_buffer(p.mytid(), 2, np.array([2**31]), 0)


@pytest.mark.parametrize(
    ("target", "error"),
    [
        (np.zeros(3, "f4"), TypeError),
        (np.zeros(3, "i8"), TypeError),
        (np.zeros(2), ValueError),
        (np.zeros(4), ValueError),
    ],
    ids=["float", "long", "short", "large"],
)
def test_a_wrong_target_is_left_alone_and_the_message_can_still_be_unpacked(target, error):
    p.send_buffer(p.mytid(), 2, np.array([1.0, 2.0, 3.0]))
    with pytest.raises(error):
        p.recv_buffer(target, timeout=20)
    assert not target.any() and p.upkdouble(3) == [1, 2, 3]


@pytest.mark.parametrize(
    "target", [b"bytes", np.frombuffer(b"12345678"), [1], None, np.zeros(2, ">f8"), np.zeros(2, "O")]
)
def test_targets_that_cannot_be_filled_are_refused_before_anything_is_received(target):
    p.send_buffer(p.mytid(), 2, np.zeros(1))
    with pytest.raises((TypeError, BufferError, ValueError)):
        p.recv_buffer(target, timeout=20)
    assert p.trecv(-1, 2, 20)


def test_frames_are_no_typed_buffer():
    p.send_frames(p.mytid(), 2, [b"12345678"])
    with pytest.raises(TypeError, match="send_frames"):
        p.recv_buffer(np.zeros(1), timeout=20)


def test_numpy_is_not_imported_for_other_buffers(session_vm):
    code = (
        "import sys, array, pvm_ext as p\n"
        "p.send_buffer(p.mytid(), 1, array.array('d', [1, 2])); t = array.array('d', [0, 0])\n"
        "p.recv_buffer(t); p.send_object(p.mytid(), 1, [1]); p.recv_object()\n"
        "print(list(t), 'numpy' in sys.modules); p.exit()"
    )
    assert session_vm.python(code).split("\n")[0] == "[1.0, 2.0] False"


# --- size --------------------------------------------------------------------------------


def free_memory():
    with open("/proc/meminfo") as file:
        return 1024 * int(next(line for line in file if line.startswith("MemAvailable")).split()[1])


def test_typed_buffers_beyond_c_ints_are_refused_before_anything_is_sent():
    # address space only: nothing of it is touched
    huge = np.lib.stride_tricks.as_strided(np.zeros(1), (2**28 + 1,), (0,))
    for call in (lambda: p.send_buffer(p.mytid(), 1, huge), lambda: p.psend(p.mytid(), 1, huge)):
        with pytest.raises(p.PvmOverflowError):
            call()
    assert p.recv_frames(timeout=0.05) is None


def test_packing_beyond_what_pvm_can_count_is_refused():
    # untouched zeros take no memory
    huge = np.zeros(1_500_000_000, dtype=np.uint8)
    half = p.initsend(p.DataEncoding.IN_PLACE)
    p.pkbyte(huge)
    with pytest.raises(p.PvmOverflowError, match="send_frames"):
        p.pkbyte(huge)
    other = p.mkbuf(p.DataEncoding.IN_PLACE)
    p.setsbuf(other)
    p.pkbyte(huge)
    p.setsbuf(half)
    with pytest.raises(p.PvmOverflowError):
        p.pkbyte(huge)
    p.pkbyte(huge[:1000])
    p.freebuf(other)
    for encoding in (p.DataEncoding.DEFAULT, p.DataEncoding.RAW):
        p.initsend(encoding)
        with pytest.raises(p.PvmOverflowError):
            p.pkint(np.zeros(600_000_000, dtype=np.int32))
        assert p.bufinfo(p.getsbuf()).nbytes == 0
    p.initsend(p.DataEncoding.DEFAULT)
    for call in (p.pkshort, lambda items: p.send_buffer(p.mytid(), 1, items, p.DataEncoding.DEFAULT)):
        with pytest.raises(p.PvmOverflowError):
            call(np.zeros(600_000_000, dtype=np.int16))
    p.freebuf(p.getsbuf())


PEAK = "__import__('resource').getrusage(0).ru_maxrss * 1024"


@pytest.mark.parametrize("make", [bytearray, np.ones, bytes], ids=["bytearray", "array", "bytes"])
def test_a_large_frame_costs_the_sender_nothing_and_the_receiver_its_own_size(make):
    """Also for many receivers, and over direct links."""
    children = task.spawn(3)
    for child in children:
        child.ask("p.setopt(p.Option.ROUTE, p.Route.DIRECT)")
        child.order(f"(lambda before: (p.recv_frames(parent, 6), {PEAK} - before)[1])({PEAK})")
    large = make(25 * MIB) if make is np.ones else make(b"x") * (200 * MIB)
    before = eval(PEAK)
    for child in children:
        p.send_frames(child.tid, 6, [b"head", large])
    grown = [child.answer() for child in children]
    assert eval(PEAK) - before < 4 * MIB
    # a process may have been larger before, while it started
    assert all(100 * MIB < more < 220 * MIB for more in grown), grown
    for child in children:
        p.kill(child.tid)


def test_bytes_that_wait_in_a_link_have_just_arrived(child):
    assert child.tid not in p.arrivals()
    child.order("p.send_frames(parent, 6, [b'x'])")
    wait_for(lambda: p.arrivals().get(child.tid) == 0.0)
    p.recv_frames(child.tid, 6, 20)
    child.answer()
    assert child.tid not in p.arrivals()


def test_the_age_of_the_last_part_of_an_unfinished_message_is_known():
    (one,) = task.spawn()
    one.order("p.send_frames(parent, 6, [bytes(5_000_000)])")
    wait_for(lambda: p.recv_frames(one.tid, 7, 0.05) is None and one.tid in p.arrivals())
    p.recv_frames(one.tid, 7, 0.2)
    before = p.arrivals()[one.tid]
    p.recv_frames(one.tid, 7, 0.2)
    assert 0 <= before < p.arrivals()[one.tid] < 30
    assert len(p.recv_frames(one.tid, 6, 20).frames[0]) == 5_000_000
    assert one.tid not in p.arrivals()
    p.kill(one.tid)


@pytest.mark.timeout(600)
@pytest.mark.skipif(free_memory() < 14e9, reason="needs 14 GB of free memory")
def test_a_message_of_3_gigabytes_arrives(session_vm):
    code = (
        "import sys, pvm_ext as p\n"
        "p.setopt(p.Option.ROUTE, p.Route.DIRECT)\n"
        "big = bytearray(3 << 30)\n"
        "for at in range(0, len(big), 1 << 20): big[at:at + 8] = at.to_bytes(8, 'little')\n"
        "p.send_frames(p.parent(), 6, [b'head', big, b'tail'])\n"
        "p.recv_frames(p.parent(), 7); p.exit()\n"
    )
    (tid,) = p.spawn(sys.executable, ["-c", code])
    message = p.recv_frames(tid, 6, 500)
    head, big, tail = message.frames
    assert (bytes(head), len(big), bytes(tail)) == (b"head", 3 << 30, b"tail")
    step = 1 << 20
    assert all(int.from_bytes(big[at : at + 8], "little") == at for at in range(0, len(big), step))
    p.send_frames(tid, 7, [])
    del message, big
    gc.collect()
