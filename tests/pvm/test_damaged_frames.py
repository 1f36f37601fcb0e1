"""Messages that are marked as frames but are not: refused, and the connection goes on."""

import os
import random
import struct

import pytest

import pvm_ext as pvm

MARK, PRIVATE_CONTEXT, TAG = 0x31467062, 0x50564D31, 5
LENGTHS = [0, 1, 10, 100, 5000, 20000, 2**31, 2**33, 2**40, 2**62, 2**63, 2**64 - 1]


def send_marked(body, context=0, encoding=pvm.DataEncoding.RAW):
    buffer = pvm.initsend(encoding)
    pvm.pkbyte(body)
    pvm.setminfo(buffer, wid=MARK)
    before = pvm.setcontext(context)
    # parts of long messages travel in a context of their own, with tag 0
    pvm.send(pvm.mytid(), 0 if context else TAG)
    pvm.setcontext(before)


def header(frames, number, part, total, here, magic=MARK):
    return struct.pack("<IIIIQQ", magic, frames, number, part, total, here)


def random_body(random):
    """Make a header, a table of lengths and frames that may or may not fit each other."""
    lengths = [random.choice(LENGTHS) for _ in range(random.choice([0, 1, 2, 3, 5]))]
    if random.random() < 0.5:
        lengths = [length for length in lengths if length < 30000]
    frames = len(lengths) if random.random() < 0.7 else random.choice([1000, 2**24 - 1, 2**24, 2**32 - 1])
    total = sum(lengths) % 2**64 if random.random() < 0.7 else random.choice(LENGTHS)
    content = os.urandom(random.choice([0, 1, 10, min(total, 40000)]))
    here = len(content) if random.random() < 0.7 else random.choice([*LENGTHS, total])
    magic = random.choice([MARK] * 9 + [7])
    body = header(frames, random.choice([1, 2]), random.choice([0, 0, 0, 1, 2]), total, here, magic)
    body += b"".join(struct.pack("<Q", length) for length in lengths) + content
    return body if random.random() < 0.8 else body[: random.randrange(len(body) + 1)]


@pytest.mark.parametrize("seed", range(3))
def test_random_damage(session_vm, seed, capfd):
    chance = random.Random(seed)
    outcomes = {"damaged": 0, "whole": 0}
    for _ in range(1500):
        context = chance.choice([0, 0, PRIVATE_CONTEXT])
        send_marked(random_body(chance), context, chance.choice([0, 1]))
        try:
            # a part of a longer message is kept, and nothing comes
            if pvm.recv_frames(-1, TAG, timeout=0.002) is not None:
                outcomes["whole"] += 1
        except (pvm.BadMsgError, MemoryError):
            outcomes["damaged"] += 1
    assert outcomes["damaged"] > 500 and outcomes["whole"] > 10
    while True:
        try:
            if pvm.recv_frames(-1, TAG, timeout=0.1) is None:
                break
        except (pvm.BadMsgError, MemoryError):
            pass
    pvm.send_frames(pvm.mytid(), TAG, [b"a" * 3_000_000, b"", b"c"])
    assert [len(frame) for frame in pvm.recv_frames(-1, TAG, timeout=20).frames] == [3_000_000, 0, 1]
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("total", [2**40, 2**62, 2**63, 2**64 - 1])
def test_frames_larger_than_any_memory(session_vm, total):
    body = header(1, 1, 0, total, 0) + struct.pack("<Q", total)
    send_marked(body, PRIVATE_CONTEXT)
    with pytest.raises((pvm.BadMsgError, MemoryError)):
        pvm.recv_frames(-1, TAG, timeout=20)
