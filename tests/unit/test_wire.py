"""A sealed message is read once, in whatever order messages come."""

from __future__ import annotations

import random
import subprocess
import sys

import pytest

from biskit_pvm.messages import wire

KEY = b"k" * 32


def test_a_message_that_comes_again_is_not_read():
    here, there = wire.Seal(KEY), wire.Seal(KEY)
    frames = [here.write(5, 7, (float(i), i)) for i in range(20)]
    assert [there.read(5, 7, f)[1] for f in frames] == list(range(20))
    for f in frames:
        with pytest.raises(wire.NotOurs, match="come before"):
            there.read(5, 7, f)
    assert there.read(5, 7, here.write(5, 7, (0.0, "new")))[1] == "new"


def test_messages_that_overtake_each_other_are_all_read_once():
    here, there = wire.Seal(KEY), wire.Seal(KEY)
    frames = [here.write(5, 7, (0.0, i)) for i in range(500)]
    random.Random(3).shuffle(frames)
    seen = []
    for f in frames * 2:
        try:
            seen.append(there.read(5, 7, f)[1])
        except wire.NotOurs:
            pass
    assert sorted(seen) == list(range(500))


def test_the_number_of_a_message_cannot_be_changed():
    here, there = wire.Seal(KEY), wire.Seal(KEY)
    frames = here.write(5, 7, (0.0, "x"))
    for place in range(wire.SEAL_BYTES):
        seal = bytearray(frames[0])
        seal[place] ^= 1
        with pytest.raises(wire.NotOurs):
            there.read(5, 7, [bytes(seal), *frames[1:]])
    assert there.read(5, 7, frames)[1] == "x"


def test_a_process_that_gets_the_tid_of_another_is_heard_and_the_other_no_more():
    code = (
        "import sys\nfrom biskit_pvm.messages import wire\n"
        "f = wire.Seal(b'k' * 32).write(5, 7, (0.0, 'old'))\n"
        "sys.stdout.write(f[0].hex() + ' ' + f[1].hex())"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True).stdout
    old = [bytes.fromhex(word) for word in out.split()]
    there = wire.Seal(KEY)
    assert there.read(5, 7, old)[1] == "old"
    assert there.read(5, 7, wire.Seal(KEY).write(5, 7, (0.0, "new")))[1] == "new"
    with pytest.raises(wire.NotOurs, match="come before"):
        there.read(5, 7, old)


def test_any_two_seals_of_a_process_number_their_messages_differently():
    one, two, there = wire.Seal(KEY), wire.Seal(KEY), wire.Seal(KEY)
    assert there.read(5, 7, one.write(5, 7, (0.0, 1)))[1] == 1
    assert there.read(5, 7, two.write(5, 7, (0.0, 2)))[1] == 2


@pytest.mark.parametrize("seed", range(5))
def test_received_numbers_are_as_a_set_would_have_them(seed):
    chance = random.Random(seed)
    received, known = wire.Received(1), set()
    for _ in range(3000):
        number = chance.randrange(1, 400)
        assert received.take(1, number) is (number not in known)
        known.add(number)
        assert all(a <= b for a, b in zip(received.firsts, received.lasts))
        assert all(b + 1 < a for a, b in zip(received.firsts[1:], received.lasts))
    assert sum(b - a + 1 for a, b in zip(received.firsts, received.lasts)) == len(known)


def test_what_is_remembered_has_a_bound():
    received = wire.Received(1)
    for number in range(2, 20_000, 2):  # every second one goes to somebody else
        assert received.take(1, number)
    assert len(received.firsts) <= wire.MOST_GAPS
    assert not received.take(1, 2) and not received.take(1, 3)
    assert received.take(1, 19_997) and not received.take(1, 19_998)
