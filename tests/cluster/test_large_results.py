"""Results that are long on their way; the figures are printed (pytest -s shows them)."""

from __future__ import annotations

import json
import sys

import pytest

from .cluster import HOME, Cluster

SLAVE = """
from biskit_pvm import JobSlave
class Slave(JobSlave):
    def go(self, chunk):
        return {item: bytes([item % 256]) * size for item, size in chunk.items()}
if __name__ == "__main__":
    Slave().start()
"""

MASTER = """
import collections, json, resource, sys, time
from biskit_pvm import TrackingJobMaster
items, megabytes, heartbeat, *hosts = sys.argv[1:]
items, size = int(items), int(float(megabytes) * 1e6)
class Master(TrackingJobMaster):
    began = None
    def initializationDone(self, slave_tid):
        self.began = self.began or time.monotonic()
        TrackingJobMaster.initializationDone(self, slave_tid)
master = Master(dict.fromkeys(range(items), size), chunk_size=1, hosts=hosts, niceness={}, slave_script="large.py",
                verbose=0, heartbeat=float(heartbeat))
def memory():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 * 1.048576
before = memory()
result = master.calculateResult()
seconds = time.monotonic() - master.began
assert all(value == bytes([item % 256]) * size for item, value in result.items())
print(json.dumps(dict(
    items=len(result), outcomes=collections.Counter(r.outcome for r in master.history.records), seconds=seconds,
    MB_per_s=items * size / 1e6 / seconds, memory=(memory() - before) / (items * size / 1e6))))
"""


def large(cluster: Cluster, items: int, megabytes: float, heartbeat: float, hosts: list[str], timeout: float) -> dict:
    """Have so many results of so many MB made; return the figures."""
    cluster.path(f"{HOME}/large.py").write_text(SLAVE)
    words = [str(items), str(megabytes), str(heartbeat), *hosts]
    out = cluster.exec(0, [sys.executable, "-c", MASTER, *words], timeout=timeout).stdout
    print(out)
    figures = json.loads(out)
    assert figures["items"] == items
    return figures


@pytest.mark.timeout(300)
@pytest.mark.parametrize("cluster", [3], indirect=True)
def test_large_results_come_once_and_take_no_more_memory_than_they_need(cluster: Cluster, thorough: bool):
    # 64 results of 50 MB take 10 GB, most of it for the slaves
    number, megabytes = (64, 50.0) if thorough else (16, 25.0)
    hosts = [cluster.names[i % 3] for i in range(number)]
    figures = large(cluster, number, megabytes, 2.0, hosts, 250)
    assert figures["outcomes"] == {"done": number}
    # besides the results one that is read, parts of messages of each slave, and what any master needs
    assert figures["memory"] < (1.1 if thorough else 1.2)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("cluster", [3], indirect=True)
def test_a_slow_line_is_used_to_three_quarters_though_each_result_takes_many_heartbeats(
    cluster: Cluster, thorough: bool
):
    line, number, megabytes, slaves = (40.0, 64, 50.0, 64) if thorough else (4.0, 12, 5.0, 8)
    cluster.narrow(0, line)
    figures = large(cluster, number, megabytes, 2.0, ["node1", "node2"] * (slaves // 2), 250)
    assert figures["outcomes"] == {"done": number}
    assert figures["MB_per_s"] > 0.75 * line
