"""Many slaves on many hosts; the figures are printed (pytest -s shows them)."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from ..support.waiting import wait_for
from .cluster import Cluster

SLAVE = str(Path(__file__).parents[1] / "support" / "slaves" / "counting.py")
ECHOING = str(Path(SLAVE).with_name("echoing.py"))

MASTER = f"""
import json, resource, sys, time
from biskit_pvm import TrackingJobMaster
items, chunk, *hosts = sys.argv[1:]
data = dict.fromkeys(range(int(items)), 0.005)
began = time.monotonic()
first = []
class Master(TrackingJobMaster):
    def initializationDone(self, slave_tid):
        first.append(time.monotonic())
        TrackingJobMaster.initializationDone(self, slave_tid)
master = Master(data, chunk_size=int(chunk), hosts=hosts, niceness=dict(), slave_script={SLAVE!r}, verbose=0,
                add_hosts=1)
added = time.monotonic()
result = master.calculateResult()
ended = time.monotonic()
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps(dict(
    right=result == {{i: 2 * i for i in range(int(items))}}, hosts=len(set(hosts)), slaves=len(first), chunk=int(chunk),
    add_hosts_s=round(added - began, 2), all_slaves_ready_s=round(max(first) - added, 2),
    calculation_s=round(ended - added, 2), ideal_s=round(sum(data.values()) / len(first), 2),
    master_cpu_s=round(used.ru_utime + used.ru_stime, 2), master_memory_MB=round(used.ru_maxrss / 1024))))
"""


@pytest.mark.timeout(400)
@pytest.mark.parametrize("cluster", [16], indirect=True)
def test_64_slaves_on_16_hosts_do_100000_items(cluster: Cluster, capsys):
    hosts = [host for host in cluster.names for _ in range(4)]
    for chunk in ("100", "5"):
        command = [sys.executable, "-W", "error", "-c", MASTER, "100000", chunk, *hosts]
        figures = json.loads(cluster.exec(0, command, timeout=180).stdout)
        with capsys.disabled():
            print("\n" + "  ".join(f"{name} {value}" for name, value in figures.items()))
        assert figures["right"]
        assert figures["slaves"] == 64


STARTING = f"""
import json, resource, sys, time
from biskit_pvm import CalculationError, TrackingJobMaster
began = time.monotonic()
hosts = [host for host in sys.argv[2:] for _ in range(int(sys.argv[1]))]
at_work = dict()
class Master(TrackingJobMaster):
    def start_job(self, slave_tid):
        TrackingJobMaster.start_job(self, slave_tid)
        at_work.setdefault(slave_tid, time.monotonic() - began)
        if len(at_work) == len(hosts):
            self.stop()
master = Master(dict.fromkeys(range(2 * len(hosts)), 60.0), 1, hosts, dict(), {SLAVE!r}, verbose=0, add_hosts=1)
added = time.monotonic() - began
try:
    master.calculateResult()
except CalculationError:
    pass
times = sorted(at_work.values())
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps(dict(
    slaves=len(times), failed=len(master.errors), hosts_added_s=round(added, 1),
    half_at_work_s=round(times[len(times) // 2], 1), all_at_work_s=round(times[-1], 1),
    master_cpu_s=round(used.ru_utime + used.ru_stime, 1))))
"""


@pytest.mark.timeout(600)
@pytest.mark.parametrize("cluster", [32], indirect=True)
def test_a_thousand_slaves_on_32_hosts_are_at_work_within_a_minute(cluster: Cluster, thorough: bool, capsys):
    n_slaves = 32 if thorough else 4
    done = cluster.exec(0, [sys.executable, "-c", STARTING, str(n_slaves), *cluster.names], timeout=500)
    figures = json.loads(done.stdout)
    with capsys.disabled():
        print("\n" + "  ".join(f"{name} {value}" for name, value in figures.items()))
    assert figures["slaves"] == 32 * n_slaves and figures["failed"] == 0
    assert figures["all_at_work_s"] < 60
    for name in cluster.names:
        wait_for(lambda name=name: not any("counting" in words for words in cluster.processes(name).values()))


RESULTS = f"""
import json, resource, sys, time
from biskit_pvm import TrackingJobMaster
from biskit_pvm.jobs.foremen import Foremen
from biskit_pvm.machine import task
task.MOST_LINKS = 3  # few slaves are a large calculation
way, n_slaves, items, *hosts = sys.argv[1:]
hosts = [host for host in hosts for _ in range(int(n_slaves))]
if way == "daemons":
    Foremen.relay_of = lambda self, host: None
up = set()
class Master(TrackingJobMaster):
    all_up = 0
    def initializationDone(self, slave_tid):
        up.add(slave_tid)
        TrackingJobMaster.initializationDone(self, slave_tid)
        if len(up) == len(hosts):
            self.all_up, self.before, self.used = time.monotonic(), len(self.result), time.process_time()
    def is_valid_slave(self, slave_tid):
        return self.all_up
data = dict.fromkeys(range(int(items)), 100_000)
master = Master(data, 1, hosts, dict(), {ECHOING!r}, verbose=0, add_hosts=1)
result = master.calculateResult()
assert all(echo == bytes(100_000) for _, _, echo in result.values())
n = len(result) - master.before
print(json.dumps(dict(way=way, slaves=len(up), MB_per_s=round(n / 10 / (time.monotonic() - master.all_up), 1),
                      master_cpu_ms_per_result=round(1e3 * (time.process_time() - master.used) / n, 2))))
"""


@pytest.mark.timeout(600)
@pytest.mark.parametrize("cluster", [20], indirect=True)
def test_results_of_many_slaves_come_faster_by_way_of_foremen_than_of_daemons(cluster: Cluster, thorough: bool, capsys):
    n_slaves, n_items, n_rounds = (32, 4000, 2) if thorough else (4, 2000, 1)
    best = {"foremen": 0.0, "daemons": 0.0}
    for way in list(best) * n_rounds:
        command = [sys.executable, "-c", RESULTS, way, str(n_slaves), str(n_items), *cluster.names]
        figures = json.loads(cluster.exec(0, command, timeout=200).stdout)
        with capsys.disabled():
            print("\n" + "  ".join(f"{name} {value}" for name, value in figures.items()))
        assert figures["slaves"] == 20 * n_slaves
        best[way] = max(best[way], figures["MB_per_s"])
    assert best["foremen"] > (1.5 if thorough else 1) * best["daemons"]
