"""Messages that a task passes on between two others: `other`, `trust_relay`, `wake_when_queued`."""

from __future__ import annotations

import pytest

import pvm_ext as p
from biskit_pvm.machine.tags import Tag

from ..support import task
from ..support.waiting import wait_for
from .test_binding_queues import MB, children, stopped  # fixtures

#: a relay: what comes for somebody else goes on, said to be of whoever has sent it
PASS_ON = """(
    lambda m: p.queue_frames(m.other, m.tag, m.frames, constant=True, other=m.tid) and (m.tid, m.other, m.tag)
)(p.recv_frames(-1, 8, timeout=20))"""
#: say the same in a message by way of the relay
SEND = "p.send_frames(a[0], 8, [bytes(n) for n in a[1]], other=a[2])"
SIZES = ([3], [0, 70_000, 5], [5 * MB, 1, 3 * MB], [])


@pytest.fixture
def trusted(children):
    """Give a relay that is trusted, another task, and the tid of this one."""
    relay, far = children
    own = p.mytid()
    p.trust_relay(relay.tid)
    far.ask("p.trust_relay(a[0])", relay.tid)
    yield relay, far, own
    p.trust_relay(relay.tid, False)


def passed_on(relay, n):
    """Have the relay pass on so many messages; return what it says of them."""
    relay.order(f"[{PASS_ON} for _ in range(a[0])]", n)


def test_what_is_relayed_comes_from_its_sender_with_its_tag(trusted):
    relay, far, own = trusted
    passed_on(relay, len(SIZES))
    for sizes in SIZES:
        far.ask(SEND, relay.tid, sizes, own)
    for sizes in SIZES:
        message = p.recv_frames(far.tid, 8, timeout=20)
        assert (message.tid, message.tag, message.other) == (far.tid, 8, 0)
        assert [len(frame) for frame in message.frames] == sizes
    assert relay.answer() == [(far.tid, own, 8)] * len(SIZES)


def test_it_goes_the_other_way_too_and_keeps_its_order(trusted):
    relay, far, own = trusted
    passed_on(relay, len(SIZES))
    far.order("[[len(f) for f in p.recv_frames(a[0], 8, timeout=20).frames] for _ in range(a[1])]", own, len(SIZES))
    for sizes in SIZES:
        assert p.queue_frames(relay.tid, 8, [bytes(n) for n in sizes], other=far.tid)
    assert far.answer() == list(SIZES)
    relay.answer()


@pytest.mark.parametrize("sizes", [[3], [0, 5 * MB]])
def test_nobody_else_can_pass_for_another_task(children, sizes):
    forger, other = children
    forger.ask(SEND, p.mytid(), sizes, other.tid)
    message = p.recv_frames(-1, 8, timeout=20)
    assert (message.tid, message.other) == (forger.tid, other.tid)


def test_a_match_finds_relayed_messages_by_their_sender(trusted):
    relay, far, own = trusted
    passed_on(relay, 1)
    far.ask(SEND, relay.tid, [2 * MB], own)
    match = p.Match()
    match.add(far.tid, 8)
    assert p.recv_frames(match=match, timeout=20).tid == far.tid
    relay.answer()


def test_a_waker_tells_when_a_queue_has_become_short(children):
    child = children[0]
    child.order("[len(p.recv_frames(a[0], 6, timeout=20).frames[0]) for _ in range(3)]", p.mytid())
    with p.Waker() as waker:
        assert p.wake_when_queued(child.tid, 0, waker)
        with stopped(child):
            for _ in range(3):
                p.queue_frames(child.tid, 6, [bytes(5 * MB)])
            assert not p.wake_when_queued(child.tid, 6 * MB, waker)
            assert p.recv_frames(-1, 77, timeout=0.2, waker=waker) is None
            assert p.queued(child.tid) > 6 * MB
        assert p.recv_frames(-1, 77, timeout=20, waker=waker) is None
        assert 0 < p.queued(child.tid) <= 5 * MB
    assert child.answer() == [5 * MB] * 3
    wait_for(lambda: p.recv_frames(-1, 77, timeout=0.01) or p.queued() == 0, 10)


ATTEND = "__import__('biskit_pvm.jobs.foreman_task', fromlist=['attend']).attend(a[0], 60.0)"
ASK = f"p.send_frames(a[0], {int(Tag.ROOM)}, [b'%d' % a[1]])"
GET = f"p.recv_frames(a[0], {int(Tag.ROOM)}, timeout=a[1]) is not None"


def test_a_relay_lets_in_no_more_than_it_has_room_for_and_waits_for_nobody_who_has_stopped(session_vm):
    tasks = task.spawn(3)
    try:
        relay, first, second = tasks
        relay.order(ATTEND, p.mytid())
        for one, size in ((first, 50 * MB), (second, MB)):
            one.ask(ASK, relay.tid, size)
        assert first.ask(GET, relay.tid, 20)
        assert not second.ask(GET, relay.tid, 1)
        first.ask(SEND, relay.tid, [50 * MB], p.mytid())
        assert second.ask(GET, relay.tid, 20), "the room is free"
        first.ask(ASK, relay.tid, 50 * MB)
        second.ask(SEND, relay.tid, [MB], p.mytid())
        assert first.ask(GET, relay.tid, 20)
        second.ask(ASK, relay.tid, MB)
        assert second.ask(GET, relay.tid, 20), "nothing of the other message has come for long"
    finally:
        for one in tasks:
            p.kill(one.tid)
        p.trecv(-1, 8, 0.1)
