"""In large calculations foremen pass on what slaves and their master tell each other."""

from __future__ import annotations

import os
import signal
import time
from collections import defaultdict
from pathlib import Path

import pytest

import pvm_ext
from biskit_pvm import TrackingJobMaster
from biskit_pvm.machine import task
from biskit_pvm.machine.tags import Tag
from biskit_pvm.PVMThread import messenger_of

from ..support.waiting import wait_for
from .test_foreman import busy, foreman_of
from .test_masters import host, make, returns, squares

ECHOING = str(Path(__file__).parents[1] / "support" / "slaves" / "echoing.py")
N = 5
MB = 1_000_000


@pytest.fixture(autouse=True)
def large(monkeypatch):
    """Have calculations of a few slaves be large ones."""
    monkeypatch.setattr(task, "MOST_LINKS", 2)


class Counting(TrackingJobMaster):
    """Remember which results came of whom, in their order."""

    def __init__(self, *args, **kw):
        super().__init__(*args, **kw)
        self.came = defaultdict(list)

    def job_done(self, slave_tid, result):
        """Note each item."""
        for item, (_, number, _) in result.items():
            self.came[slave_tid].append((number, item))


def foremen_of(master):
    """Return the tids of the foremen that pass messages on, of a master's slaves."""
    return set(messenger_of(master).relays.values())


def test_all_results_come_over_one_link(make, busy):
    before = set(pvm_ext.getfds())
    calculation = busy(N)
    assert len(calculation.begin()) == N, "all slaves are forks"
    assert len(foremen_of(calculation.master)) == 1
    # one to the foreman; the daemon, and where libpvm listens, were there before or are one more
    assert 1 <= len(set(pvm_ext.getfds()) - before) <= 2
    calculation.finish()
    assert make(returns(200), n_slaves=N).calculateResult() == squares(200)


@pytest.mark.parametrize("n_items, size", [(300, 100), (40, 5 * MB), (4, 50 * MB)], ids=["short", "large", "vast"])
def test_items_and_results_of_any_size_come_once_and_in_order(make, n_items, size):
    data = {i: bytes([i % 251]) * size for i in range(n_items)}
    master = make(data, N, Counting, slave_script=ECHOING, chunk_size=1, redistribute=0)
    assert {item: echo for item, (_, _, echo) in master.calculateResult().items()} == data
    assert sum(map(len, master.came.values())) == n_items
    for came in master.came.values():
        assert came == sorted(came)


def test_parameters_of_any_size_come(make):
    class Master(TrackingJobMaster):
        def getInitParameters(self, slave_tid):
            return {"initialize": ("return", bytes(20 * MB))}

    assert make(returns(20), N, Master).calculateResult() == squares(20)


def test_when_a_foreman_is_killed_all_results_come_all_the_same(make, busy):
    calculation = busy(N, items={f"more {i}": "pickled" for i in range(20)}, max_respawns=1, max_deaths=1)
    forked = calculation.begin()
    (before,) = foremen_of(calculation.master)
    os.kill(foreman_of(next(iter(forked)))[0], signal.SIGKILL)
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in forked), 30, "the slaves have ended")
    wait_for(lambda: foremen_of(calculation.master) - {before}, 30, "another foreman")
    calculation.finish()
    assert len(calculation.master.result) == N + 20
    assert not calculation.master.errors
    outcomes = [record.outcome for record in calculation.master.history.records]
    assert outcomes.count("done") == N + 20 and outcomes.count("lost") <= N


def test_after_the_end_of_three_foremen_slaves_do_without(make, busy):
    calculation = busy(N)
    calculation.begin()
    killed = set()
    for _ in range(3):
        wait_for(lambda: foremen_of(calculation.master) - killed, 60, "a foreman")
        killed |= foremen_of(calculation.master)
        pvm_ext.sendsig(max(killed), signal.SIGKILL)
    wait_for(lambda: not foremen_of(calculation.master), 60, "no foreman")
    calculation.finish()
    assert len(calculation.master.result) == N and len(killed) == 3


def test_a_stopped_slave_delays_only_itself(make, tmp_path):
    data = {i: bytes([i % 251]) * 5 * MB for i in range(60)}
    master = make(
        data, N, Counting, slave_script=ECHOING, chunk_size=1, redistribute=0, heartbeat=60,
        env={"ECHOING_FOLDER": str(tmp_path)},
    )  # fmt: skip
    master.start()
    wait_for(lambda: len(list(tmp_path.glob("slave-*"))) == N, 60, "all slaves at work")
    stopped = int(next(tmp_path.glob("slave-*")).name.split("-")[1])
    os.kill(stopped, signal.SIGSTOP)
    try:
        (tmp_path / "gate").touch()
        # all but those that it has
        wait_for(lambda: len(master.result) >= 55, 30, "the results of the others")
        assert stopped not in {pid for pid, _, _ in master.result.values()}
    finally:
        os.kill(stopped, signal.SIGCONT)
    assert master.wait(60)
    assert {item: echo for item, (_, _, echo) in master.result.items()} == data


def test_a_slave_ends_with_its_foreman_even_if_its_master_does_nothing(make, busy):
    calculation = busy(N)
    forked = calculation.begin()
    master = calculation.master
    master.stopMessageLoop()
    try:
        os.kill(foreman_of(next(iter(forked)))[0], signal.SIGKILL)
        wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in forked), 30)
    finally:
        master.startMessageLoop()
    calculation.finish()
    assert len(master.result) == N


def test_signs_of_life_come_by_way_of_the_foreman(make, busy):
    calculation = busy(N, heartbeat=1.5)
    calculation.begin()
    time.sleep(4)  # more than two heartbeats
    calculation.finish()
    assert [record.outcome for record in calculation.master.history.records] == ["done"] * N


def test_slaves_of_a_stopped_foreman_are_silent(make, busy):
    calculation = busy(N, heartbeat=1.5, max_respawns=3)
    foreman, _ = foreman_of(next(iter(calculation.begin())))
    relay = foremen_of(calculation.master)
    os.kill(foreman, signal.SIGSTOP)
    try:
        wait_for(lambda: calculation.master.history.records, 30, "the master takes them for lost")
        assert {record.outcome for record in calculation.master.history.records} == {"lost"}
    finally:
        os.kill(foreman, signal.SIGCONT)
    calculation.finish()
    assert len(calculation.master.result) == N and relay


def test_a_foreman_that_takes_nothing_is_replaced_soon(make, tmp_path):
    data = {i: bytes([i % 251]) * 5 * MB for i in range(20)}
    master = make(
        data, N, Counting, slave_script=ECHOING, chunk_size=1, heartbeat=60, env={"ECHOING_FOLDER": str(tmp_path)}
    )
    master.start()
    wait_for(lambda: len(list(tmp_path.glob("slave-*"))) == N, 60, "all slaves at work")
    forked = int(next(tmp_path.glob("slave-*")).name.split("-")[1])
    os.kill(foreman_of(forked)[0], signal.SIGSTOP)
    (tmp_path / "gate").touch()
    messenger_of(master).send(next(iter(master.slaves)), 12345, (0.0, (bytes(5 * MB),)))
    assert master.wait(40), "its silence would be noticed later"
    assert {item: echo for item, (_, _, echo) in master.result.items()} == data


def test_a_foreman_that_stops_before_its_slaves_are_up_is_replaced(make):
    master = make(returns(20), N, heartbeat=1.5)
    master.start()
    wait_for(lambda: foremen_of(master), 30, "a foreman")
    pvm_ext.sendsig(max(foremen_of(master)), signal.SIGSTOP)
    assert master.wait(60)
    assert master.result == squares(20)


def test_what_strangers_send_to_a_foreman_does_no_harm(busy):
    calculation = busy(N)
    calculation.begin()
    (foreman,) = foremen_of(calculation.master)
    for tag in (Tag.ROOM, Tag.BEAT, Tag.BEATS, Tag.TASK_EXITED):
        for frames in ([b"much"], [], [b"1" * 30]):
            pvm_ext.send_frames(foreman, tag, frames)
        pvm_ext.initsend()
        pvm_ext.pkstr("nothing of ours")
        pvm_ext.send(foreman, tag)
    pvm_ext.send_frames(foreman, Tag.REPORTS, [b"seal", b"cos\nsystem\n"], other=calculation.master.getTID())
    calculation.finish()
    assert {record.outcome for record in calculation.master.history.records} == {"done"}
