"""Hosts behind slow lines; the figures are printed (pytest -s shows them)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from .cluster import Cluster

ROOT = str(Path(__file__).parents[2])
SLAVE = str(Path(__file__).parents[1] / "support" / "slaves" / "obedient.py")

#: works for some seconds with jobs of 5 MB that last 50 ms, and tells how many each host did
MASTER = f"""
import collections, json, sys, time
from biskit_pvm import TrackingJobMaster
seconds, *hosts = sys.argv[1:]
data = dict.fromkeys(range(100_000))
block = bytes(5_000_000)
class Master(TrackingJobMaster):
    began = None
    def initializationDone(self, slave_tid):
        self.began = self.began or time.monotonic()
        TrackingJobMaster.initializationDone(self, slave_tid)
    def get_slave_chunk(self, items):
        return {{i: ("size", block) if i % 2 else ("sleep", 0.05) for i in items}}
    def job_done(self, slave_tid, result):
        if time.monotonic() > self.began + float(seconds):
            self.exit()
master = Master(data, chunk_size=2, hosts=hosts, niceness=dict(), slave_script={SLAVE!r}, verbose=0, add_hosts=1)
try:
    master.calculateResult()
except Exception as error:
    assert "exit was called" in str(error), error
done = [record for record in master.history.records if record.outcome == "done"]
print(json.dumps([collections.Counter(record.host for record in done), len({{record.tid for record in done}})]))
"""

#: queues messages for a host at 1 MB/s, tells how long that took, and whether all came in order
QUEUES = f"""
import hashlib, os, sys, time
sys.path.insert(0, {ROOT!r})
import pvm_ext as p
from biskit_pvm import pvm
from tests.support import task
pvm.addHosts(hosts=["node1"])
(tid,) = p.spawn(sys.executable, ["-m", "tests.support.task"], p.Spawn.HOST, "node1:{ROOT}")
child = task.Task(tid)
child.ask("p.setopt(p.Option.ROUTE, p.Route.DIRECT)")
child.ask("None")
print("linked", flush=True)
sys.stdin.readline()
blocks = [os.urandom(size) for size in (2_000_000, 10, 100_000, 3, 1_000_000)] * 2
child.order(
    "[__import__('hashlib').md5(p.recv_frames(parent, 6).frames[0]).digest() for _ in range(a[0])]", len(blocks)
)
start = time.monotonic()
for block in blocks:
    assert p.queue_frames(tid, 6, [block])
print(time.monotonic() - start < 2 and p.queued() > 1_000_000)
answer = child.answer(60)
print(answer == [hashlib.md5(block).digest() for block in blocks], time.monotonic() - start > 4)
p.kill(tid)
"""


@pytest.mark.parametrize("cluster", [2], indirect=True)
def test_what_is_queued_for_a_slow_line_waits_for_nobody_and_comes_in_order(cluster: Cluster):
    with cluster.popen(0, [sys.executable, "-W", "error", "-c", QUEUES], stdin=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "linked\n"
        cluster.narrow(1, 1)
        out, err = process.communicate("go\n", timeout=60)
    assert out.split() == ["True", "True", "True"], err


def rates(cluster: Cluster, seconds: float, hosts: list[str]) -> dict[str, float]:
    """Return how many jobs each host does per second."""
    command = [sys.executable, "-W", "error", "-c", MASTER, str(seconds), *hosts]
    done, n_slaves = json.loads(cluster.exec(0, command, timeout=seconds + 60).stdout)
    assert n_slaves == len(hosts)
    return {host: done.get(host, 0) / seconds for host in hosts}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("cluster", [4], indirect=True)
def test_a_host_behind_a_slow_line_delays_no_other(cluster: Cluster, capsys):
    fast, slow = cluster.names[1:3], cluster.names[3]
    rates(cluster, 1, [*fast, slow])
    cluster.narrow(slow, 1)
    alone, beside = rates(cluster, 6, fast), rates(cluster, 12, [*fast, slow])
    with capsys.disabled():
        print(f"\njobs of 5 MB per second: {alone}; beside a host at 1 MB/s: {beside}")
    assert beside[slow] > 0
    assert sum(beside[host] for host in fast) > 0.7 * sum(alone.values())
