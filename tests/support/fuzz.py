"""Call the binding's functions with all kinds of arguments; the process must not crash.

Run as ``python -m tests.support.fuzz EXAMPLES`` in a virtual machine of its own.  What waits
without limit, ends tasks or daemons, or reaches for other hosts is left out, or called with
arguments that do not.

As ``python -m tests.support.fuzz frames TID SEED COUNT ROUTE`` it is a task that sends damaged
messages to another one, with whole ones among them.
"""

from __future__ import annotations

import array
import os
import struct
import sys
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pvm_ext as p

NUMBERS = st.one_of(
    st.sampled_from([0, 1, -1, 2, 3, 7, 4096, 2**16, 2**31 - 1, 2**31]),
    st.sampled_from([-(2**31), -(2**31) - 1, 2**32, 2**63, 2**64, -(2**70)]),
    st.integers(),
)
TEXTS = st.one_of(
    st.text(max_size=30), st.binary(max_size=30), st.sampled_from(["", "\0", "x" * 5000, "%s%n%d", "\udcff"])
)
BUFFERS = st.one_of(
    st.binary(max_size=200),
    st.binary(max_size=200).map(bytearray),
    st.lists(st.floats(), max_size=20).map(lambda items: array.array("d", items)),
    st.lists(st.integers(-(2**31), 2**31 - 1), max_size=20).map(lambda items: memoryview(array.array("i", items))[::2]),
    st.just(memoryview(b"abcdefgh").cast("B", (2, 2, 2))),
)
ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, st.floats(), TEXTS, BUFFERS, st.complex_numbers(), st.just(object())),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.tuples(inner, inner), st.dictionaries(TEXTS, inner, max_size=2)
    ),
    max_leaves=6,
)

LEFT_OUT = {
    # they wait, end something, or change the machine for good
    "halt", "exit", "start_pvmd", "kill", "sendsig", "addhosts", "delhosts", "recv", "precv", "barrier", "freezegroup",
    "gather", "scatter", "reduce", "reg_hoster", "reg_tasker", "reg_rm", "reg_tracer", "spawn", "tickle", "hostsync",
    "abort_stuck_send", "catchout", "setopt", "recvf", "addmhf", "recvinfo",
    "trecv", "recv_frames", "recv_object", "recv_buffer",
    # pickle runs what it reads
    "load",
    # print
    "perror",
}  # fmt: skip
FUNCTIONS = sorted(
    name
    for name in dir(p)
    if callable(getattr(p, name))
    and not name.startswith("_")
    and name not in LEFT_OUT
    and getattr(getattr(p, name), "__module__", "").startswith("pvm_ext")
    and not isinstance(getattr(p, name), type)
)


def waiting(*arguments: object) -> None:
    """Call what waits with a limit."""
    for call in (p.trecv, p.recv_frames, p.recv_object):
        attempt(call, arguments[:2], {"timeout": 0})
    attempt(p.recv_buffer, arguments[:3], {"timeout": 0})
    attempt(p.spawn, ["/no/such/program", *arguments], {})
    attempt(p.addhosts, [5 if arguments[:1] == () else [arguments[0], 5]], {})
    attempt(p.reduce, ["max", arguments[:1], *arguments[1:], "no group"], {})
    attempt(p.Beat, [0, *arguments], {"interval": 0.0})


def attempt(call: object, arguments: object, options: dict[str, object]) -> None:
    """Call; any exception will do that is no crash."""
    try:
        call(*arguments, **options)  # type: ignore[operator]
    except (Exception, RecursionError):
        pass


def main(examples: int) -> None:
    """Fuzz, and show at the end that the connection works."""

    @settings(
        max_examples=examples, deadline=None, database=None, derandomize=True,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.sampled_from(FUNCTIONS), st.lists(ANYTHING, max_size=5), st.integers(0, 5))
    def call(name: str, arguments: list[object], prepare: int) -> None:
        if prepare == 1:
            p.initsend(prepare % 2)
        elif prepare == 2:
            attempt(p.pkbyte, [b"some bytes to unpack, of which there are enough"], {})
            attempt(p.send, [p.mytid(), 1], {})
            p.trecv(timeout=0.01)
        elif prepare == 3:
            waiting(*arguments)
        attempt(getattr(p, name), arguments, {})
        while p.getcontext() != 0:
            p.setcontext(0)

    call()
    while p.recv_frames(timeout=0.05):
        pass
    p.send_frames(p.mytid(), 1, [b"still there"])
    assert p.recv_frames(-1, 1, 20).frames == [b"still there"]
    print(len(FUNCTIONS), "functions")
    p.exit()


# --- damaged frames ----------------------------------------------------------------------

MARK, PRIVATE_CONTEXT = 0x31467062, 0x50564D31  # wait id of frames; context of their parts
DAMAGED, WHOLE, END = 21, 22, 23
LENGTHS = [0, 1, 10, 100, 5000, 20000, 2**31, 2**33, 2**40, 2**62, 2**63, 2**64 - 1]


def header(frames: int = 1, number: int = 1, part: int = 0, total: int = 3, here: int = 3, magic: int = MARK) -> bytes:
    """Make the head of a message of `send_frames`."""
    return struct.pack("<IIIIQQ", magic, frames, number, part, total, here)


def send_marked(tid: int, body: bytes, private: bool = False, tag: int = DAMAGED, encoding: int = 1) -> None:
    """Send a body that is marked as frames; `private` as a part of a long message."""
    buffer = p.initsend(encoding)
    p.pkbyte(body)
    p.setminfo(buffer, wid=MARK)
    before = p.setcontext(PRIVATE_CONTEXT if private else 0)
    p.send(tid, 0 if private else tag)
    p.setcontext(before)


def random_body(chance: Random) -> bytes:
    """Make a header, a table of lengths and frames that may or may not fit each other."""
    lengths = [chance.choice(LENGTHS) for _ in range(chance.choice([0, 1, 2, 3, 5]))]
    if chance.random() < 0.5:
        lengths = [length for length in lengths if length < 30000]
    frames = len(lengths) if chance.random() < 0.7 else chance.choice([1000, 2**24 - 1, 2**24, 2**32 - 1])
    total = sum(lengths) % 2**64 if chance.random() < 0.7 else chance.choice(LENGTHS)
    content = os.urandom(chance.choice([0, 1, 10, min(total, 40000)]))
    here = len(content) if chance.random() < 0.7 else chance.choice([*LENGTHS, total])
    magic = chance.choice([MARK] * 9 + [7])
    body = header(frames, chance.choice(range(1, 9)), chance.choice([0, 0, 0, 1, 2]), total, here, magic)
    body += b"".join(struct.pack("<Q", length) for length in lengths) + content
    return body if chance.random() < 0.8 else body[: chance.randrange(len(body) + 1)]


def whole_frames(number: int) -> list[bytes]:
    """Make the frames of the whole message of a number: short ones, and long ones in parts."""
    return [b"%d" % number, bytes([number % 256]) * (3_000_000 if number % 10 == 0 else 1000 * (number % 7)), b""]


def disturb(to: int, seed: int, count: int, direct: bool) -> None:
    """Send `count` damaged messages, and a whole one after every twentieth."""
    chance = Random(seed)
    p.setopt(p.Option.ROUTE, p.Route.DIRECT if direct else p.Route.DONT)
    for number in range(count):
        private, encoding = chance.choice([False, False, True]), chance.choice([0, 1])
        send_marked(to, random_body(chance), private, chance.choice([DAMAGED, WHOLE]), encoding)
        if number % 20 == 0:
            p.send_frames(to, WHOLE, whole_frames(number // 20))
    p.send_frames(to, END, [])
    p.exit()


if __name__ == "__main__":
    if sys.argv[1] == "frames":
        disturb(*map(int, sys.argv[2:5]), direct=sys.argv[5] == "direct")
    else:
        main(int(sys.argv[1]))
