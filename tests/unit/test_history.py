"""The record of a run: exact totals, bounded memory."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from biskit_pvm.report import history
from biskit_pvm.report.history import DONE, DUPLICATE, FAILED, LOST, History, JobRecord, condense


def test_jobs_are_kept_one_by_one_until_the_limit():
    log = History(limit=10)
    for i in range(10):
        log.add(1, "a", "host", i, i + 1, 5)
    assert [r.jobs for r in log.records] == [1] * 10
    assert log.records[3] == JobRecord(1, "a", "host", 3, 4, 5, DONE, "", 1)


def test_neighbours_are_joined_beyond_the_limit():
    log = History(limit=8)
    for i in range(10):
        log.add(1, "a", "host", i, i + 1, 5)
    records = log.records
    assert len(records) <= 5
    assert sum(r.jobs for r in records) == 10
    assert sum(r.items for r in records) == 50
    assert (records[0].start, records[-1].end) == (0, 10)


def test_a_job_sent_ahead_begins_when_the_one_before_it_ends():
    log = History()
    log.add(1, "a", "host", 0.0, 10.0, 1)
    log.add(1, "a", "host", 1.0, 12.0, 1)
    assert log.records[1].start == 10.0
    assert log.totals[0].busy == 12.0
    assert log.totals[0].mean == 6.0


def test_faults_are_never_joined_and_keep_the_end_of_their_text():
    log = History(limit=4, fault_limit=3)
    for i in range(100):
        log.add(1, "a", "host", i, i + 1, 1)
        if i % 10 == 0:
            log.add(2, "b", "host", i, i + 1, 1, FAILED, "x" * 100_000 + "ValueError: no")
    faults = [r for r in log.records if r.outcome == FAILED]
    assert len(faults) == 3
    assert all(r.jobs == 1 for r in faults)
    assert all(len(r.error) == history.ERROR_CHARACTERS and r.error.endswith("ValueError: no") for r in faults)
    assert [(t.jobs, t.faults, t.items) for t in log.totals] == [(100, 0, 100), (10, 10, 0)]
    assert len(log) == 110


def test_only_accepted_items_count():
    log = History()
    log.add(1, "a", "host", 0, 1, 5)
    log.add(1, "a", "host", 1, 2, 5, DUPLICATE)
    log.add(1, "a", "host", 2, 3, 5, LOST, "host lost")
    total = log.totals[0]
    assert (total.jobs, total.items, total.faults) == (3, 5, 1)


def test_a_duplicate_adds_no_items_to_a_good_job():
    records = [JobRecord(1, "a", "h", i, i + 1, 5, DUPLICATE if i == 2 else DONE) for i in range(4)]
    assert condense(records, 1) == [JobRecord(1, "a", "h", 0, 4, 15, DONE, "", 4)]


def test_jobs_on_both_sides_of_a_fault_are_not_joined():
    records = [JobRecord(1, "a", "h", i, i + 1, 1, LOST if i == 2 else DONE) for i in range(5)]
    assert [(r.outcome, r.jobs) for r in condense(records, 1)] == [(DONE, 2), (LOST, 1), (DONE, 2)]


def test_very_many_slaves_do_not_slow_it_down():
    log = History(limit=10)
    for i in range(50_000):
        log.add(i, "a", "host", i, i + 1, 1)
    assert len(log.records) == 50_000


def test_condensing_leaves_enough_alone():
    records = [JobRecord(1, "a", "h", i, i + 1, 1) for i in range(4)]
    assert condense(records, 4) == records


def test_more_slaves_than_the_limit_keep_a_record_each():
    records = [JobRecord(i, "a", "h", i, i + 1, 1) for i in range(10)]
    assert condense(records, 3) == records


def test_a_history_needs_room():
    with pytest.raises(ValueError, match="at least 2"):
        History(limit=1)


def test_a_million_jobs_take_bounded_room():
    log = History(limit=1000)
    for i in range(1_000_000):
        log.add(i % 7, "a", "host", i, i + 7, 1)
    assert len(log.records) <= 1000 + 7
    assert len(log) == 1_000_000
    assert sum(r.jobs for r in log.records) == 1_000_000


def test_it_survives_pickling():
    log = History()
    log.add(1, "a", "host", 0, 1, 5)
    assert pickle.loads(pickle.dumps(log)).records == log.records


@given(
    st.lists(
        st.tuples(st.integers(1, 5), st.sampled_from(history.OUTCOMES), st.integers(1, 3)),
        max_size=300,
    ),
    st.integers(2, 30),
)
def test_nothing_is_lost_whatever_is_joined(jobs: list[tuple[int, str, int]], limit: int):
    log = History(limit=limit)
    for i, (tid, outcome, items) in enumerate(jobs):
        log.add(tid, f"s{tid}", "host", i, i + 1, items, outcome)
    records = log.records
    assert sum(r.jobs for r in records) == len(jobs) == len(log)
    assert sum(r.items for r in records if r.outcome == DONE) == sum(t.items for t in log.totals)
    assert len([r for r in records if r.outcome in history.FAULTS]) == len([j for j in jobs if j[1] in history.FAULTS])
    assert [r.end for r in records] == sorted(r.end for r in records)
    for tid in {r.tid for r in records}:
        mine = [r for r in records if r.tid == tid]
        assert all(mine[i].end <= mine[i + 1].start for i in range(len(mine) - 1)), "records of one slave overlap"
