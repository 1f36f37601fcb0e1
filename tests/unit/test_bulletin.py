"""The status that a master posts: what goes out comes back, and nothing else gets in."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from biskit_pvm.jobs import master_state
from biskit_pvm.jobs.bulletin import (
    MAX_BYTES,
    MAX_SLAVES,
    SLAVE_STATES,
    Bulletin,
    SlaveStatus,
    decode,
    encode,
    slave_statuses,
)
from biskit_pvm.jobs.master_state import BUSY, IDLE, Slave, Slot

SLAVE = SlaveStatus(0x80001, "node_0", "node", "working", 3, 1.5, 1000.0)
BULLETIN = Bulletin(0x40001, "Master", "node", 4711, 990.0, 1001.0, 100, 7, 1, (SLAVE,))

names = st.text(st.characters(blacklist_categories=["C", "Z"]), max_size=20)
times = st.floats(0, 1e12)
counts = st.integers(-(2**31), 2**31)
slaves = st.builds(
    SlaveStatus, counts, names, names, st.sampled_from(sorted(SLAVE_STATES.values())), counts, times, times
)


@given(
    st.builds(
        Bulletin,
        counts,
        names,
        names,
        counts,
        times,
        times,
        counts,
        counts,
        counts,
        st.lists(slaves).map(tuple),
    )
)
def test_what_is_posted_is_read(bulletin: Bulletin):
    assert decode(encode(bulletin)) == bulletin


def _changed(**changes: object) -> bytes:
    record = json.loads(encode(BULLETIN))
    record.update(changes)
    return json.dumps(record).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b"[" * 100_000,
        b'"' + b"x" * MAX_BYTES + b'"',
        encode(BULLETIN)[:-1],
        _changed(version=2),
        _changed(more=1),
        _changed(tid="1"),
        _changed(tid=True),
        _changed(tid=10**30),
        _changed(posted=float("nan")),
        _changed(posted=float("inf")),
        _changed(name="\x1b[2J"),
        _changed(slaves={}),
        _changed(slaves=[[1]]),
        _changed(slaves=[[1, "a", "b", "dancing", 1, 1.0, 1.0]]),
        _changed(slaves=[[1, "a", "b\n", "working", 1, 1.0, 1.0]]),
        _changed(slaves=[[1, "a", "b", ["working"], 1, 1.0, 1.0]]),
    ],
)
def test_anything_else_is_refused(data: bytes):
    with pytest.raises(ValueError):
        decode(data)


@given(st.binary())
def test_noise_is_refused(data: bytes):
    with pytest.raises(ValueError):
        decode(data)


def test_a_very_large_calculation_posts_its_first_slaves():
    read = decode(encode(BULLETIN._replace(slaves=(SLAVE,) * (MAX_SLAVES + 5))))
    assert len(read.slaves) == MAX_SLAVES


def test_slaves_are_told_as_their_master_sees_them():
    slot = Slot("node_0", "node")
    slaves = [
        Slave(1, slot, heard=5.0, state=BUSY, up=True, n_done=3, mean=0.5),
        Slave(2, slot, heard=5.0),
    ]
    assert slave_statuses(slaves, clock=1000.0) == (
        SlaveStatus(1, "node_0", "node", "working", 3, 0.5, 1005.0),
        SlaveStatus(2, "node_0", "node", "starting", 0, 0.0, 0.0),
    )


def test_every_state_of_a_slave_has_a_word():
    words = {master_state.STARTING, IDLE, BUSY, master_state.REFUSED, master_state.SILENT, master_state.LEAVING}
    assert words == set(SLAVE_STATES)
