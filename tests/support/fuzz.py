"""Call the binding's functions with all kinds of arguments; the process must not crash.

Run as ``python -m tests.support.fuzz EXAMPLES`` in a virtual machine of its own.  What waits
without limit, ends tasks or daemons, or reaches for other hosts is left out, or called with
arguments that do not.
"""

from __future__ import annotations

import array
import sys

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


if __name__ == "__main__":
    main(int(sys.argv[1]))
