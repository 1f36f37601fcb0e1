"""Hosts that a running calculation gets, and is to do without."""

from __future__ import annotations

import os
import threading
import time

import pytest

from biskit_pvm import CalculationError, PVMExecutor, TrackingJobMaster
from biskit_pvm.dispatcher import calculation_of
from biskit_pvm.PVMThread import slaves_of

from ..support.waiting import wait_for
from .test_futures import own_pid
from .test_masters import LIMIT, host, make


def sleeps(n, seconds=0.05):
    return {i: ("sleep", seconds) for i in range(n)}


def at_work(master):
    """Return the hosts of the slaves that are there."""
    return {master.slaves[tid]["host"] for tid in list(slaves_of(master).alive) if tid in master.slaves}


def jobs_at(master, nickname):
    return sum(r.nickname == nickname and r.outcome == "done" for r in list(master.history.records))


def test_a_host_that_is_added_gets_work_and_one_that_is_removed_finishes_and_leaves(make, host):
    master = make(sleeps(200), n_slaves=1, chunk_size=1, redistribute=0)
    master.start()
    wait_for(lambda: jobs_at(master, host) > 2, LIMIT)
    master.add_hosts(["localhost", "localhost"])
    wait_for(lambda: jobs_at(master, "localhost") > 2 and jobs_at(master, "localhost_1") > 2, LIMIT)
    master.remove_hosts(["localhost"])
    wait_for(lambda: at_work(master) == {host}, LIMIT)
    assert master.wait(LIMIT)
    assert len(master.result) == 200 and not master.errors
    assert {r.outcome for r in master.history.records} == {"done"}


def test_a_removed_host_gives_its_items_to_others_at_once_when_asked_to(make, host):
    data = {**sleeps(20), "long": ("sleep", 30.0)}

    class Master(TrackingJobMaster):
        def get_slave_chunk(self, items):
            chunk = super().get_slave_chunk(items)
            self.gave = [*getattr(self, "gave", []), *items]
            return {item: ("return", item) if self.gave.count(item) > 1 else order for item, order in chunk.items()}

    master = make(dict(reversed(data.items())), kind=Master, hosts=["localhost", host], chunk_size=1, redistribute=0)
    master.start()
    # whichever of the two has got the long one
    wait_for(lambda: jobs_at(master, host) + jobs_at(master, "localhost") > 2, LIMIT)
    slaves = list(calculation_of(master).state.slaves.values())
    busy = [slave.slot.host for slave in slaves if "long" in slave.held()]
    start = time.monotonic()
    master.remove_hosts(busy, finish=False)
    assert master.wait(20) and time.monotonic() - start < 20
    assert master.result["long"] == "long"


def test_hooks_may_add_and_remove_hosts(make, host):
    class Master(TrackingJobMaster):
        def job_done(self, slave_tid, result):
            super().job_done(slave_tid, result)
            (item,) = result
            if item == 5:
                self.add_hosts(["localhost"])
            if self.hostnameFromTID(slave_tid) == "localhost" and host in {slot["host"] for slot in self.hosts}:
                self.remove_hosts([host])

    master = make(sleeps(100), kind=Master, n_slaves=1, chunk_size=1, redistribute=0)
    master.start()
    assert master.wait(LIMIT) and len(master.result) == 100
    assert [slot["host"] for slot in master.hosts] == ["localhost"]


def test_hosts_may_be_added_and_removed_before_the_start_and_by_many_threads(make, host):
    master = make(sleeps(60), n_slaves=2, chunk_size=1, redistribute=0)
    master.add_hosts(["localhost"])
    master.remove_hosts([host])
    assert [slot["nickname"] for slot in master.hosts] == ["localhost"]
    master.start()
    threads = [threading.Thread(target=master.add_hosts, args=(["localhost"],)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({slot["nickname"] for slot in master.hosts}) == len(master.hosts) == 5
    assert master.wait(LIMIT) and len(master.result) == 60
    assert len({r.nickname for r in master.history.records}) == 5


def test_a_host_that_cannot_be_added_is_named_and_the_others_go_on(make, host, caplog):
    master = make(sleeps(100), n_slaves=1, chunk_size=1, redistribute=0)
    master.start()
    caplog.set_level("INFO", "biskit_pvm")
    master.add_hosts(["no-such-host"])
    wait_for(lambda: "error spawning no-such-host" in caplog.text, LIMIT)
    master.remove_hosts(["no-such-host"])
    assert master.wait(LIMIT) and len(master.result) == 100


def test_slips_are_refused(make, host):
    master = make(sleeps(1))
    with pytest.raises(TypeError, match="one string"):
        master.add_hosts(host)
    with pytest.raises(ValueError, match="no slave is wanted on 'elsewhere'"):
        master.remove_hosts([host, "elsewhere"])
    assert len(master.hosts) == 2


def test_a_calculation_whose_last_host_is_removed_ends_with_an_error(make, host):
    master = make(sleeps(1000), n_slaves=2, chunk_size=1)
    master.start()
    wait_for(lambda: master.result, LIMIT)
    master.remove_hosts([host])
    with pytest.raises(CalculationError, match="no slave is left"):
        assert master.wait(LIMIT)
        raise master.error


def test_an_executor_gets_hosts_and_does_without_them(host):
    with PVMExecutor(hosts=[host]) as executor:
        mine = {executor.submit(own_pid).result(LIMIT)}
        executor.add_hosts(["localhost", "localhost"])
        assert executor.wait_for_workers(3, LIMIT) == executor.n_workers == 3
        executor.remove_hosts(["localhost"])
        assert executor.n_workers == 1
        wait_for(lambda: repr(executor).endswith("1 slave on 1 host>"))
        executor.scale(2)  # the removed host is not used again
        assert executor.wait_for_workers(2, LIMIT) == 2
        assert mine <= {executor.submit(own_pid).result(LIMIT) for _ in range(20)} | mine
        assert {slot["host"] for slot in executor._pool.master.slots.slots} == {host}


def test_callbacks_of_an_executor_may_add_hosts_and_remove_them(host):
    with PVMExecutor(hosts=[host]) as executor:
        first = executor.submit(os.getpid)
        first.add_done_callback(lambda future: executor.add_hosts(["localhost"]))
        first.result(LIMIT)
        assert executor.wait_for_workers(2, LIMIT) == 2
        second = executor.submit(os.getpid)
        second.add_done_callback(lambda future: executor.remove_hosts([host], finish=False))
        second.result(LIMIT)
        assert executor.submit(os.getpid).result(LIMIT)
        assert executor.n_workers == 1


def test_one_host_is_added_and_removed_by_its_name_alone(make, host):
    class Master(TrackingJobMaster):
        add_hosts = remove_hosts = None  # whatever an old script has under these names

    master = make(sleeps(1), kind=Master, n_slaves=1)
    master.add_host("localhost")
    assert [slot["host"] for slot in master.hosts] == [host, "localhost"]
    master.remove_host(host, finish=False)
    assert [slot["host"] for slot in master.hosts] == ["localhost"]

    with PVMExecutor(hosts=[host], add_hosts=False) as executor:
        executor.add_host("localhost")
        assert executor.n_workers == 2
        executor.remove_host(host)
        assert executor.n_workers == 1


def test_an_executor_that_was_not_started_has_the_hosts_that_are_left(host):
    executor = PVMExecutor(5, hosts=[host, "localhost"], add_hosts=False)
    executor.remove_hosts(["localhost"])
    assert executor.n_workers == 3
    with pytest.raises(ValueError, match="no host would be left"):
        executor.remove_hosts([host])
    with pytest.raises(ValueError, match="elsewhere"):
        executor.remove_hosts(["elsewhere"])
    executor.shutdown()
