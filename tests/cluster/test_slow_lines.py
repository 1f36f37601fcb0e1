"""Hosts behind slow lines; the figures are printed (pytest -s shows them)."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from .cluster import Cluster

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
