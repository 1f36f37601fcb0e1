"""Messages that go out as their links take them: `queue_frames`, `queued`, `stalled`."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import time
import weakref
from contextlib import contextmanager

import pytest

import pvm_ext as p

from ..support import task
from ..support.waiting import wait_for

MB = 1_000_000
SUMS = "[[len(f) for f in p.recv_frames(parent, 6).frames] for _ in range(a[0])]"
HEADS = "[bytes(p.recv_frames(parent, 6).frames[0][:8]) for _ in range(a[0])]"


@pytest.fixture
def children(session_vm):
    """Give two tasks with which this process has direct links, and their pids."""
    tasks = task.spawn(2)
    for one in tasks:
        one.ask("p.setopt(p.Option.ROUTE, p.Route.DIRECT)")
        one.pid = one.ask("os.getpid()")
    yield tasks
    for one in tasks:
        if one.pid:
            p.kill(one.tid)
    assert p.queued() == 0 or wait_for(lambda: look_around() or p.queued() == 0, 10)


def look_around():
    """Let what is queued go out."""
    p.recv_frames(-1, 77, timeout=0.01)


@contextmanager
def stopped(child):
    """Have a task not run for a while."""
    os.kill(child.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        if child.pid:
            os.kill(child.pid, signal.SIGCONT)


def queue(child, data):
    """Queue a message of one frame; return the seconds that it took."""
    start = time.monotonic()
    assert p.queue_frames(child.tid, 6, [data])
    return time.monotonic() - start


def test_a_receiver_that_reads_gets_a_message_of_any_size(children):
    child = children[0]
    frames = [b"", bytes(3), bytes(10 * MB), b"", bytes(70_000), bytes(1)]
    child.order(SUMS, 3)
    for parts in (frames, [], [b"x"] * 20_000):
        assert p.queue_frames(child.tid, 6, parts)
    assert child.answer() == [[len(f) for f in frames], [], [1] * 20_000]
    assert p.queued() == p.queued(child.tid) == 0


def test_a_stopped_receiver_delays_nobody(children):
    slow, quick = children
    slow.order(SUMS, 4)
    with stopped(slow):
        assert max(queue(slow, bytes(8 * MB)) for _ in range(4)) < 0.5
        assert 28 * MB < p.queued(slow.tid) == p.queued() < 32 * MB
        quick.order(SUMS, 20)
        for _ in range(20):
            assert queue(quick, bytes(MB)) < 0.5
        assert quick.answer(10) == [[MB]] * 20
        assert p.queued(slow.tid) > 28 * MB
    assert slow.answer() == [[8 * MB]] * 4


def test_what_is_queued_by_another_thread_wakes_the_one_that_waits(children):
    child = children[0]
    child.order(SUMS, 2)
    received = []
    waiting = threading.Thread(target=lambda: received.append(child.answer(20)))
    with stopped(child):
        waiting.start()
        wait_for(lambda: p.sending() is None and waiting.is_alive(), 5)
        for _ in range(2):
            queue(child, bytes(5 * MB))
    waiting.join(20)
    assert received == [[[5 * MB]] * 2]


def test_messages_keep_their_order_whichever_way_they_are_sent(children):
    child = children[0]
    child.order(HEADS, 60)
    sizes = [8, 100_000, 2 * MB]
    with stopped(child):
        for i in range(30):
            queue(child, b"%8d" % i + bytes(sizes[i % 3]))
    for i in range(30, 60):
        data = b"%8d" % i + bytes(sizes[i % 3])
        if i % 2:
            queue(child, data)
        else:
            p.send_frames(child.tid, 6, [data])
    assert child.answer() == [b"%8d" % i for i in range(60)]


def test_a_sender_in_c_style_waits_until_what_is_queued_has_gone(children):
    child = children[0]
    with stopped(child):
        queue(child, bytes(3 * MB))
    p.initsend()
    p.pkint([7])
    p.send(child.tid, 6)
    assert p.queued(child.tid) == 0
    assert child.ask("[len(p.recv_frames(parent, 6).frames), p.recv(parent, 6), p.upkint(1)[0]][::2]") == [1, 7]


def test_what_may_change_is_copied_and_what_may_not_is_held_until_it_has_gone(children):
    class Data(bytearray):
        """Can be watched."""

    child = children[0]
    changing, constant = Data(b"a" * 4 * MB), Data(b"b" * 4 * MB)
    watch = weakref.ref(constant)
    with stopped(child):
        p.queue_frames(child.tid, 6, [changing, memoryview(constant).toreadonly()])
        del constant
        changing[:] = b"c" * len(changing)
        gc.collect()
        assert watch() is not None
    child.order("[sorted(set(bytes(f))) for f in p.recv_frames(parent, 6).frames]")
    assert child.answer() == [[ord("a")], [ord("b")]]
    assert watch() is None


def test_too_much_is_refused_and_nothing_of_it_goes(children):
    slow, quick = children
    with stopped(slow):
        constant = bytes(8 * MB)
        accepted = 0
        while p.queue_frames(slow.tid, 6, [constant]):
            accepted += 1
            assert accepted < 20
        assert 64 << 20 <= p.queued(slow.tid) < (64 << 20) + 17 * MB
        quick.order(SUMS, 1)
        assert p.queue_frames(quick.tid, 6, [constant])
        assert quick.answer() == [[8 * MB]]
    slow.order(SUMS, accepted)
    p.queue_frames(slow.tid, 6, [b"end"])
    assert slow.answer() == [[8 * MB]] * accepted
    assert slow.ask("[len(f) for f in p.recv_frames(parent, 6).frames]") == [3]


def test_what_waits_for_many_counts_once_and_small_messages_are_not_refused(children):
    first, second = children
    block = bytes(520 << 20)
    with stopped(first), stopped(second):
        for one in children:
            assert p.queue_frames(one.tid, 6, [block])
            assert not p.queue_frames(one.tid, 6, [bytes(MB)])
            assert p.queue_frames(one.tid, 6, [b"small"])
        for one in children:
            os.kill(one.pid, signal.SIGKILL)
            one.pid = 0
        wait_for(lambda: look_around() or p.queued() == 0, 10)


def test_what_is_queued_ends_with_its_receiver(children):
    dying, living = children
    living.order(SUMS, 1)
    with stopped(dying):
        queue(dying, bytes(20 * MB))
        os.kill(dying.pid, signal.SIGKILL)
        dying.pid = 0
        wait_for(lambda: look_around() or p.queued(dying.tid) == 0, 10)
        queue(living, bytes(MB))
        assert living.answer(10) == [[MB]]
        assert queue(dying, bytes(MB)) < 2  # the daemon drops it


def test_a_message_whose_link_breaks_in_the_middle_comes_whole_and_once(children):
    child = children[0]
    child.order("[[len(f) for f in p.recv_frames(parent, 6).frames], p.recv_frames(parent, 6).frames[0][:5]]")
    with stopped(child):
        queue(child, bytes(6 * MB))
        queue(child, b"after")
        assert not p.send_frames(child.tid, 7, [b"more"], patience=0.3)  # it gives up the link
    assert child.answer() == [[6 * MB], b"after"]
    assert child.ask("p.recv_frames(parent, -1, 1).tag") == 7
    assert child.ask("p.recv_frames(parent, 6, 0.2)") is None


SLOWLY = (
    "[len(m.frames[0]) for m in "
    "[x for x in (time.sleep(0.05) or p.recv_frames(parent, 6, 0) for _ in range(100)) if x]"
    " or [p.recv_frames(parent, 6)]]"
)


def test_who_takes_nothing_is_told_and_who_takes_little_is_not(children):
    stuck, slow = children
    with stopped(stuck):
        slow.order(SLOWLY)
        for each in children:
            queue(each, bytes(60 * MB))
        assert set(p.stalled(0.0)) == {stuck.tid, slow.tid} and p.stalled(60.0) == []
        end = time.monotonic() + 10
        while not p.stalled(1.5):
            assert time.monotonic() < end
            p.recv_frames(-1, 77, timeout=0.2)
        assert p.stalled(1.5) == [stuck.tid]
    stuck.order(SUMS, 1)
    assert stuck.answer() == [[60 * MB]] and slow.answer() == [60 * MB]


def test_who_reads_while_the_sender_does_something_else_is_not_told(children):
    child = children[0]
    child.order("[p.recv_frames(parent, 6), 1][1]")
    with stopped(child):
        queue(child, bytes(10 * MB))
    busy_until = time.monotonic() + 1.0
    wait_for(lambda: time.monotonic() > busy_until)
    assert p.stalled(0.2) == []
    assert child.answer() == 1


LEAVE = f"""
import os, signal, sys
sys.path.insert(0, {task.ROOT!r})
import pvm_ext as p
from tests.support import task
(child,) = task.spawn()
child.ask("p.setopt(p.Option.ROUTE, p.Route.DIRECT)")
pid = child.ask("os.getpid()")
child.order("open(a[0], 'w').write(str(len(p.recv_frames(parent, 6).frames[0])))", sys.argv[1])
os.kill(pid, signal.SIGSTOP)
p.queue_frames(child.tid, 6, [bytes(5_000_000)])
print(p.queued() > 0)
os.kill(pid, signal.SIGCONT)
p.exit()
print(p.queued())
"""


def test_what_is_queued_goes_before_the_process_leaves(session_vm, tmp_path):
    size = tmp_path / "size"
    done = subprocess.run([sys.executable, "-c", LEAVE, str(size)], capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["True", "0"], done.stderr
    wait_for(lambda: size.exists() and size.read_text() == "5000000", 10)


def test_a_receiver_without_a_link_gets_its_messages_through_the_daemon(session_vm):
    me = p.mytid()
    assert p.queue_frames(me, 6, [bytes(2 * MB), b"x"])
    message = p.recv_frames(me, 6, timeout=10)
    assert [len(f) for f in message.frames] == [2 * MB, 1]


@pytest.mark.parametrize("tid, tag", [(0, 6), (-1, 6), (1 << 31, 6), (None, 6), (0x40000, 6)])
def test_a_receiver_is_a_task(session_vm, tid, tag):
    with pytest.raises((p.BadParamError, TypeError, OverflowError)):
        p.queue_frames(tid, tag, [b"x"])
    with pytest.raises(p.BadParamError):
        p.queue_frames(p.mytid(), -1, [b"x"])
