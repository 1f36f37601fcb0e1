"""Calculations over several hosts, some of which go away meanwhile."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Callable

import pytest

from .cluster import Cluster

SLAVE = str(Path(__file__).parents[1] / "support" / "slaves" / "obedient.py")

MASTER = """
import json, logging, sys, time
from biskit_pvm import TrackingJobMaster
logging.basicConfig()
settings = json.loads(sys.argv[1])
data = {i: ('where', settings['seconds']) for i in range(settings['items'])}

class Master(TrackingJobMaster):
    def job_done(self, slave_tid, result):
        TrackingJobMaster.job_done(self, slave_tid, result)
        for item, host in result.items():
            print('done', item, host, time.time(), flush=True)

master = Master(data, chunk_size=1, hosts=settings['hosts'], niceness=settings.get('nice', {}),
                slave_script=settings['slave'], redistribute=0,
                verbose=settings.get('verbose', 0), **settings.get('options', {}))
result = master.calculateResult()
print('result', json.dumps(result), flush=True)
"""


class Run:
    """A calculation whose master runs on node 0."""

    def __init__(self, cluster: Cluster, hosts, items, seconds, **more):
        self.items = items
        settings = dict(hosts=hosts, items=items, seconds=seconds, slave=SLAVE, **more)
        self.child = cluster.popen(0, [sys.executable, "-c", MASTER, json.dumps(settings)], stderr=subprocess.STDOUT)
        self.lines: list[list[str]] = []

    def until(self, n_done: int) -> None:
        """Read until so many jobs are done."""
        while sum(line[0] == "done" for line in self.lines) < n_done:
            assert self.read(), self.lines[-20:]

    def read(self) -> bool:
        """Read a line; tell whether there was one."""
        line = self.child.stdout.readline()
        if line:
            self.lines.append(line.split(" ", 4) if line.startswith("done") else line.split(" ", 1))
        return bool(line)

    def result(self) -> dict[str, str]:
        """Wait for the end and return {item: host}."""
        while self.read():
            pass
        assert self.child.wait(20) == 0, self.lines[-5:]
        (text,) = (line[1] for line in self.lines if line[0] == "result")
        return json.loads(text)

    def survive(self, fault: Callable[[int], None], node: int) -> float:
        """Let a fault befall a node after 40 jobs, wait for all results, and return when it came."""
        self.until(40)
        moment = time.time()
        fault(node)
        assert len(self.result()) == self.items
        return moment

    def gaps(self, since: float, *hosts: str) -> list[float]:
        """Return the seconds between jobs done on some hosts, or all, after a moment."""
        times = [since] + [
            float(line[3])
            for line in self.lines
            if line[0] == "done" and float(line[3]) > since and (not hosts or line[2].split(":")[0] in hosts)
        ]
        return [b - a for a, b in zip(times, times[1:])]


@pytest.mark.timeout(120)
def test_a_calculation_is_done_on_all_hosts(cluster):
    run = Run(cluster, cluster.names, 40, 0.05, nice={"node1": 7, "default": 0})
    result = run.result()
    assert len(result) == 40
    assert {place.split(":")[0] for place in result.values()} == set(cluster.names)
    assert {place for place in result.values() if place.startswith("node1:")} == {"node1:7"}


@pytest.mark.timeout(180)
def test_work_goes_on_within_the_heartbeat_when_a_cable_is_pulled(cluster):
    run = Run(cluster, cluster.names, 200, 0.2, options={"heartbeat": 10.0})
    cut = run.survive(cluster.cut, 2)
    assert max(run.gaps(cut)) < 10.0
    late = [line for line in run.lines if line[0] == "done" and float(line[3]) > cut + 1 and line[2] == "node2:0"]
    assert not late


@pytest.mark.timeout(180)
def test_a_host_that_loses_its_power_costs_nothing(cluster):
    run = Run(cluster, cluster.names, 200, 0.1, options={"heartbeat": 5.0})
    killed = run.survive(cluster.kill, 3)
    assert max(run.gaps(killed)) < 5.0


@pytest.mark.timeout(180)
def test_others_work_on_at_full_speed_though_daemons_wait_for_a_silent_host(cluster):
    run = Run(cluster, cluster.names, 500, 0.2, options={"heartbeat": 2.0})
    cut = run.survive(cluster.cut, 3)
    # after 8 s its slave is sent a signal, which stays on its way for minutes
    assert time.time() - cut > 20
    assert max(run.gaps(cut, "node1", "node2")) < 3.0


@pytest.mark.timeout(180)
def test_a_silent_host_at_the_start_holds_nobody_up(cluster):
    cluster.exec(0, [sys.executable, "-m", "biskit_pvm", "start", "node1", "node2", "node3"])
    cluster.cut(2)
    start = time.time()
    run = Run(cluster, cluster.names, 40, 0.05, options={"heartbeat": 6.0, "add_hosts": 0})
    result = run.result()
    assert len(result) == 40
    assert "node2:0" not in result.values()
    assert time.time() - start < 30


@pytest.mark.timeout(180)
def test_a_cable_that_is_mended_in_time_brings_the_slave_back(cluster):
    run = Run(cluster, cluster.names[:3], 240, 0.2, options={"heartbeat": 4.0})
    run.until(30)
    cluster.cut(1)
    time.sleep(6)  # the break itself: longer than the heartbeat
    healed = time.time()
    cluster.heal(1)
    result = run.result()
    assert len(result) == 240
    again = [line for line in run.lines if line[0] == "done" and line[2] == "node1:0" and float(line[3]) > healed]
    assert len(again) > 1


@pytest.mark.timeout(180)
def test_hosts_deleted_and_added_in_the_console_leave_and_join(cluster):
    run = Run(cluster, cluster.names[:3], 200, 0.15, options={"watch_hosts": 1})
    run.until(30)
    deleted = time.time()
    cluster.exec(0, [str(console())], input="delete node1\nquit\n")
    run.until(60)
    cluster.exec(0, [str(console())], input="add node1\nquit\n")
    result = run.result()
    assert len(result) == 200
    times = [float(line[3]) for line in run.lines if line[0] == "done" and line[2] == "node1:0"]
    assert any(t < deleted for t in times) and any(t > deleted + 1 for t in times)


def console() -> Path:
    """Return the path of PVM's console."""
    from pvm_ext import installation

    return Path(installation.console())
