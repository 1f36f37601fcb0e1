"""Messages that are marked as frames but are not: dropped, told of, and the next one comes."""

from __future__ import annotations

import logging
import resource
import struct
import sys
import threading
import time

import pytest

import pvm_ext as pvm

from ..support import task
from ..support.fuzz import DAMAGED, END, PRIVATE_CONTEXT, WHOLE, header, send_marked, whole_frames

MIB = 1 << 20


def length(number):
    return struct.pack("<Q", number)


@pytest.fixture(autouse=True)
def clean(session_vm):
    while pvm.recv_frames(timeout=0):
        pass
    yield
    pvm.on_damaged()
    while pvm.recv_frames(timeout=0):
        pass


@pytest.fixture
def told():
    """Give the list of what is told of damaged messages."""
    told = []
    pvm.on_damaged(lambda *damage: told.append(damage))
    return told


def resident():
    """Return the memory of this process that is really there, in bytes."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


KINDS = {
    "empty": b"",
    "cut header": header()[:20],
    "foreign": header(magic=1) + length(3) + b"abc",
    "cut table": header() + b"\3\0",
    "cut frame": header(total=300, here=300) + length(300) + b"a",
    "too many frames": header(frames=2**31) + bytes(64),
    "lengths too long": header() + length(2**63) + b"abc",
    "lengths do not add up": header(total=4, here=3) + length(3) + b"abc",
    "huge": header(total=2**62, here=3) + length(2**62) + b"abc",
    "part of nothing": header(number=1000, part=3, total=10, here=3) + b"abc",
}


@pytest.mark.parametrize("encoding", [0, 1])
@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_message_is_dropped_and_the_next_one_comes(kind, encoding, told):
    send_marked(pvm.mytid(), KINDS[kind], encoding=encoding)
    pvm.send_frames(pvm.mytid(), 4, [b"next"])
    assert pvm.recv_frames(timeout=20).frames == [b"next"]
    ((tid, tag, reason),) = told
    assert (tid, tag) == (pvm.mytid(), DAMAGED) and reason


def test_a_wait_with_a_limit_ends_in_time_after_a_damaged_message(told):
    send_marked(pvm.mytid(), b"xx")
    start = time.monotonic()
    assert pvm.recv_frames(timeout=0.3) is None
    assert 0.2 < time.monotonic() - start < 5 and len(told) == 1


@pytest.mark.parametrize("route", ["direct", "daemon"])
def test_over_a_direct_link_and_by_daemon(route, told):
    (child,) = task.spawn()
    child.order(
        "[p.setopt(p.Option.ROUTE, p.Route.DIRECT if a[0] == 'direct' else p.Route.DONT),"
        " __import__('tests.support.fuzz').support.fuzz.send_marked(parent, b'xx', tag=7),"
        " p.send_frames(parent, 8, [b'next']), len(p.getfds())][-1]",
        route,
    )
    assert pvm.recv_frames(child.tid, -1, 20).frames == [b"next"]
    assert told == [(child.tid, 7, "2 bytes have no room for a header")]
    assert child.answer() == (2 if route == "direct" else 1)
    pvm.kill(child.tid)


def test_a_message_whose_middle_part_is_lost_is_told_of_once(told):
    send_marked(pvm.mytid(), header(number=77, total=4, here=1) + length(4) + b"a", private=True)
    send_marked(pvm.mytid(), header(number=77, part=2, total=4, here=1) + b"c", private=True)
    send_marked(pvm.mytid(), header(number=77, part=3, total=4, here=1) + b"d")
    pvm.send_frames(pvm.mytid(), 4, [b"next"])
    assert pvm.recv_frames(timeout=20).frames == [b"next"]
    assert told == [(pvm.mytid(), -1, "part 2 came without the ones before it")]


@pytest.mark.parametrize("total", [2**40, 2**62, 2**63, 2**64 - 1])
def test_frames_larger_than_any_memory(total, told):
    send_marked(pvm.mytid(), header(total=total, here=0) + length(total), private=True)
    send_marked(pvm.mytid(), header(total=total, here=1, part=1) + b"a")
    assert pvm.recv_frames(timeout=0.1) is None
    ((_, _, reason),) = told
    assert str(total) in reason


def test_what_is_announced_takes_no_memory(told):
    # as much as is allowed, in one frame, and in many whose objects alone would take gigabytes
    before, most = resident(), 1 << 30
    for number in range(15):
        send_marked(pvm.mytid(), header(number=number, total=most, here=1) + length(most) + b"a", private=True)
    count = 250_000
    table = length(16000) * count
    send_marked(pvm.mytid(), header(count, 99, total=16000 * count, here=1) + table + b"a", private=True)
    assert pvm.recv_frames(timeout=0.5) is None
    assert resident() - before < 20 * MIB
    assert not told


@pytest.mark.parametrize("first", [1, 300_000, 600_000])
def test_a_long_frame_may_come_in_any_slices(first, told):
    me, content = pvm.mytid(), bytes(range(256)) * 20_000
    total = len(content)
    cuts = [0, first, first + 1, 3 * MIB, total - 1, total]
    for part, (start, end) in enumerate(zip(cuts, cuts[1:])):
        body = header(2, 1, part, total, end - start) + (length(total) + length(0) if part == 0 else b"")
        send_marked(me, body + content[start:end], private=end < total)
    assert pvm.recv_frames(timeout=20).frames == [content, b""] and not told


def test_the_oldest_goes_of_unfinished_messages_that_announce_more_than_all_memory(told):
    with open("/proc/meminfo") as file:
        sizes = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in file}
    most = (sizes["MemTotal"] + sizes["SwapTotal"]) * 2 // 5
    (child,) = task.spawn()
    code = "__import__('tests.support.fuzz').support.fuzz.send_marked(parent, *a)"
    for number in (1, 2, 3):
        total = 2 if number == 3 else most
        child.ask(code, header(number=number, total=total, here=1) + length(total) + b"a", True)
    child.ask(code, header(number=4, total=most, here=1) + length(most) + b"a", True)
    child.ask(code, header(number=3, part=1, total=2, here=1) + b"b")
    assert pvm.recv_frames(child.tid, -1, timeout=20).frames == [b"ab"]
    assert [(tid, tag) for tid, tag, _ in told] == [(child.tid, -1)]
    pvm.kill(child.tid)


def test_parts_without_end_do_not_keep_a_receiver_from_being_woken():
    me, count = pvm.mytid(), 30_000
    send_marked(me, header(total=2 * count, here=1) + length(2 * count) + b"a", private=True)
    for part in range(1, count):
        send_marked(me, header(part=part, total=2 * count, here=1) + b"a", private=True)
    send_marked(me, header(part=count, total=2 * count, here=count) + bytes(count))
    with pvm.Waker() as waker:
        waker.wake()
        assert pvm.recv_frames(waker=waker) is None
        assert len(pvm.recv_frames(waker=waker).frames[0]) == 2 * count


def test_damaged_messages_without_end_do_not_keep_a_receiver():
    told = []
    pvm.on_damaged(lambda *damage: told.append(damage) or time.sleep(0.03))
    for _ in range(100):
        send_marked(pvm.mytid(), b"x")
    assert pvm.recv_frames(timeout=0) is None
    assert 1 < len(told) < 50


def test_a_warning_is_logged_ever_more_seldom(caplog):
    before = len(caplog.records)
    (child,) = task.spawn()
    child.order(
        "[__import__('tests.support.fuzz').support.fuzz.send_marked(parent, b'xx') for _ in range(9)]"
        " and p.send_frames(parent, 8, [])"
    )
    with caplog.at_level(logging.WARNING, "pvm_ext"):
        assert pvm.recv_frames(child.tid, timeout=20).tag == 8
    records = caplog.records[before:]
    assert [record.args[-1] for record in records] == [1, 2, 4, 8]
    text = records[0].getMessage()
    assert f"{child.tid:#x}" in text and f"tag {DAMAGED}" in text and "header" in text
    pvm.kill(child.tid)


def test_who_is_told_may_use_pvm_and_may_fail(capsys):
    def complain(tid, tag, reason):
        pvm.send_frames(tid, 9, [reason.encode()])
        raise ValueError("printed")

    assert pvm.on_damaged(complain) is None
    assert pvm.on_damaged(complain) is complain
    send_marked(pvm.mytid(), b"x")
    message = pvm.recv_frames(timeout=20)
    assert (message.tag, message.frames) == (9, [b"1 bytes have no room for a header"])
    assert "ValueError: printed" in capsys.readouterr().err
    with pytest.raises(TypeError):
        pvm.on_damaged(5)


def test_a_thread_that_waits_sleeps_on(told):
    got = []
    thread = threading.Thread(target=lambda: got.append(pvm.recv_frames(-1, 4, 30).frames))
    thread.start()
    for _ in range(50):
        send_marked(pvm.mytid(), b"x", tag=4)
    pvm.send_frames(pvm.mytid(), 4, [b"next"])
    thread.join(30)
    assert got == [[b"next"]] and len(told) == 50


@pytest.mark.timeout(900)
def test_random_damage_from_tasks(thorough, told, capfd):
    """Whole messages come, in order, whatever is between them, by each route."""
    count = 30_000 if thorough else 1200
    before = resident()
    tids = []
    for seed, route in enumerate(["direct", "daemon"]):
        argv = ["-m", "tests.support.fuzz", "frames", str(pvm.mytid()), str(seed), str(count), route]
        tids += pvm.spawn(sys.executable, argv, 0, f":{task.ROOT}")
    wanted = {tid: [whole_frames(number) for number in range(count // 20)] for tid in tids}
    open_ends, most = set(tids), 0
    deadline = time.monotonic() + (800 if thorough else 100)
    while open_ends and time.monotonic() < deadline:
        message = pvm.recv_frames(timeout=1)
        most = max(most, resident())
        if message is None:
            continue
        if message.tag == END:
            open_ends.remove(message.tid)
        elif message.tag == WHOLE and message.frames == wanted[message.tid][:1][0]:
            del wanted[message.tid][0]
    assert not open_ends
    assert {tid: len(left) for tid, left in wanted.items()} == dict.fromkeys(tids, 0)
    assert len(told) > count // 3 and {tid for tid, _, _ in told} == set(tids)
    assert most - before < 100 * MIB
    assert capfd.readouterr().err == ""


def test_notices_of_the_binding_come_from_daemons_only():
    """A message that looks like the word of a task's end is not believed when a task sends it."""
    (child,) = task.spawn()
    child.ask("setattr(p, 'beat', p.Beat(parent, 999, 0.2, parent, grace=0.2))")
    for tag in range(1, 7):
        pvm.initsend()
        pvm.pkint([pvm.mytid(), 1023])
        before = pvm.setcontext(PRIVATE_CONTEXT)
        pvm.send(child.tid, tag)
        pvm.setcontext(before)
    assert child.ask("p.getopt(p.Option.ROUTE)") == pvm.Route.ALLOW
    for _ in range(3):
        assert pvm.recv_frames(child.tid, 999, 20)
    assert child.ask("p.beat.gone") is False
    pvm.kill(child.tid)


def test_a_buffer_that_does_not_exist_is_not_put_into_the_mailbox():
    freed = pvm.mkbuf()
    pvm.freebuf(freed)
    for bufid in (freed, 1 << 20):
        with pytest.raises(pvm.NoSuchBufError):
            pvm.putinfo("nobody's", bufid)
    pvm.initsend()
    pvm.putinfo("somebody's")
    pvm.delinfo("somebody's")
