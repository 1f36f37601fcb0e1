"""Slaves on other hosts whose messages foremen pass on; calculations of a few slaves are large ones here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ..support.waiting import wait_for
from .cluster import Cluster, NodeProcess

SLAVE = str(Path(__file__).parents[1] / "support" / "slaves" / "echoing.py")

MASTER = f"""
import collections, json, os, sys
from biskit_pvm import TrackingJobMaster
from biskit_pvm.machine import task
task.MOST_LINKS = 3
n_items, size, heartbeat, *hosts = sys.argv[1:]
came = collections.defaultdict(list)
class Master(TrackingJobMaster):
    def job_done(self, slave_tid, result):
        for item, (_, number, _) in result.items():
            came[slave_tid].append((number, item))
        if len(came) == len(hosts) and not self.links:
            print("all at work", flush=True)
            files = [os.path.join("/proc/self/fd", name) for name in os.listdir("/proc/self/fd")]
            own = [os.readlink(file) for file in files if os.path.islink(file)]
            sockets = [line.split() for line in open("/proc/self/net/tcp")][1:]
            # the addresses at the other ends of those that are connected
            self.links = [s[2].split(":")[0] for s in sockets if s[3] == "01" and "socket:[" + s[9] + "]" in own]
    links = ()
# "+N": the slave makes N bytes
data = dict((i, int(size[1:]) if size[0] == "+" else bytes([i % 251]) * int(size)) for i in range(int(n_items)))
master = Master(data, 1, hosts, {{"default": 0}}, {SLAVE!r}, verbose=0, add_hosts=1, heartbeat=float(heartbeat),
                redistribute=0, max_respawns=10, respawn_pause=0.1)
result = master.calculateResult()
print(json.dumps(dict(
    right=all(echo == (bytes(data[i]) if size[0] == "+" else data[i]) for i, (_, _, echo) in result.items()),
    in_order=all(numbers == sorted(numbers) for numbers in came.values()),
    n_results=len(result),
    links=master.links,
    outcomes=collections.Counter(record.outcome for record in master.history.records))))
"""


def start(cluster: Cluster, n_items: int, size: int | str, hosts: list[str], heartbeat: float = 15) -> NodeProcess:
    """Start a calculation; return its process once each slave has given a result."""
    process = cluster.popen(0, [sys.executable, "-c", MASTER, str(n_items), str(size), str(heartbeat), *hosts])
    assert process.stdout is not None
    said = process.stdout.readline()
    assert said == "all at work\n", said + process.communicate(timeout=60)[1]
    return process


def finish(process: subprocess.Popen[str], timeout: float = 100) -> dict:
    """Return what a calculation tells at its end; all results must have come."""
    said, complaints = process.communicate(timeout=timeout)
    assert process.returncode == 0, complaints
    told = json.loads(said.splitlines()[-1])
    assert told["right"] and told["in_order"], told
    # what was on its way from a slave that was given up may come as a duplicate, which does not count
    assert told["outcomes"]["done"] == told["n_results"], told
    return told


@pytest.mark.parametrize("cluster", [3], indirect=True)
def test_the_master_has_one_link_to_each_host(cluster: Cluster):
    told = finish(start(cluster, 60, 5_000_000, cluster.names * 4))
    assert len(told["links"]) == len(set(told["links"])) == 2, "its own host's link is no TCP socket"
    assert told["outcomes"] == {"done": 60}
    for node in range(3):
        wait_for(lambda node=node: not any("foreman" in words for words in cluster.processes(node).values()))


@pytest.mark.parametrize("cluster", [3], indirect=True)
def test_results_come_once_when_foremen_are_killed(cluster: Cluster):
    process = start(cluster, 300, 1_000_000, cluster.names * 4)
    for node in (1, 2):
        for pid, words in cluster.processes(node).items():
            if "foreman" in words:
                cluster.exec(node, ["kill", "-9", str(pid)], check=False)
    assert finish(process)["n_results"] == 300


@pytest.mark.parametrize("cluster", [3], indirect=True)
def test_results_come_once_when_a_host_is_lost(cluster: Cluster):
    process = start(cluster, 300, 1_000_000, cluster.names * 4, heartbeat=3)
    cluster.kill(2)
    assert finish(process)["n_results"] == 300


@pytest.mark.parametrize("cluster", [3], indirect=True)
def test_slaves_behind_a_slow_line_are_not_taken_for_lost(cluster: Cluster):
    cluster.narrow(2, 2.0)
    process = start(cluster, 60, 3_000_000, cluster.names[1:] * 4, heartbeat=3)
    assert finish(process)["outcomes"] == {"done": 60}


@pytest.mark.parametrize("cluster", [2], indirect=True)
def test_a_foreman_holds_little_of_what_the_line_does_not_take(cluster: Cluster):
    cluster.narrow(0, 20.0)
    arguments = ["32", "+10000000", "3", *["node1"] * 16]
    process = cluster.popen(0, [sys.executable, "-c", MASTER, *arguments])
    most = []  # MB

    def ended() -> bool:
        for pid in [pid for pid, words in cluster.processes(1).items() if "foreman" in words]:
            status = cluster.exec(1, ["cat", f"/proc/{pid}/status"], check=False).stdout
            most.extend(int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith("VmHWM"))
        return process.poll() is not None

    wait_for(ended, 100)
    assert finish(process)["outcomes"] == {"done": 32}
    assert 0 < max(most) < 150, f"{max(most)} MB, of 320"
