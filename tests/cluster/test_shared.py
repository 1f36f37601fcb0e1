"""What is alike for all slaves travels to each host once, lies there once, and goes with its owner."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ..support.waiting import wait_for
from .cluster import HOME, Cluster

ASKED = str(Path(__file__).parents[1] / "support" / "slaves" / "asked.py")
MIB = 1 << 20

# Jobs are given out when all slaves are there, so that each has some.
MASTER = f"""
import json, logging, resource, sys, time
import numpy as np
from biskit_pvm import TrackingJobMaster
from biskit_pvm.PVMThread import messenger_of

logging.basicConfig()
size, seconds, *hosts = sys.argv[1:]
table = np.arange(int(size) << 17, dtype=float)
ready, up, began = [], [], []

class Master(TrackingJobMaster):
    def getInitParameters(self, tid):
        up.append(time.monotonic())
        return dict(table=table, tid=tid, first="params['table'][7] = params['tid']")

    def initializationDone(self, tid):
        ready.append(time.monotonic())
        if len(ready) == len(hosts):
            print("ready", flush=True)
        TrackingJobMaster.initializationDone(self, tid)

    def is_valid_slave(self, tid):
        return len(ready) == len(hosts)

ASKED = '''(
    __import__("time").sleep(%s) or os.uname().nodename,
    mapped(params["table"]),
    params["table"][7] == params["tid"] and float(params["table"][8:].sum()),
    {{line.split()[0]: int(line.split()[1]) for line in open("/proc/self/smaps_rollup") if "kB" in line}}["Pss:"],
    [entry.stat().st_size for folder in os.scandir("/dev/shm") if folder.name.startswith("biskit-pvm")
     for entry in os.scandir(folder.path) if entry.stat().st_size],
)''' % seconds
master = Master({{i: (ASKED, None) for i in range(8 * len(hosts))}}, 1, hosts, {{}}, {ASKED!r}, verbose=0, prefetch=0)
start = time.monotonic()
result = master.calculateResult()
print(json.dumps(dict(
    told=list(result.values()), right=float(table[8:].sum()), sent=messenger_of(master).n_bytes,
    all_up=round(max(up) - start, 2), first_ready=round(min(ready) - min(up), 2),
    all_ready=round(max(ready) - min(up), 2),
    processor_s=round(sum(resource.getrusage(resource.RUSAGE_SELF)[:2]), 2),
)))
"""


def left(cluster: Cluster) -> list[str]:
    """Return what lies in the memory of the hosts."""
    return [str(path) for name in cluster.names for path in cluster.path("/dev/shm", name).glob("biskit-pvm-*")]


def sizes(cluster: Cluster) -> list[int]:
    """Return how large the files are that lie there."""
    return [file.stat().st_size for folder in left(cluster) for file in Path(folder).iterdir()]


def calculate(cluster: Cluster, megabytes: int, n_slaves: int = 2, timeout: float = 90) -> tuple[dict, str]:
    hosts = [host for host in cluster.names for _ in range(n_slaves)]
    done = cluster.exec(0, [sys.executable, "-c", MASTER, str(megabytes), "0.02", *hosts], timeout)
    return json.loads(done.stdout.splitlines()[-1]), done.stderr


@pytest.mark.timeout(120)
def test_parameters_travel_to_each_host_once(cluster: Cluster):
    figures, errors = calculate(cluster, 24)
    size = 24 * MIB
    for host in cluster.names:
        told = [others for name, *others in figures["told"] if name == host]
        assert told, f"{host} has done nothing"
        for mapped, total, _, files in told:
            assert mapped and total == figures["right"]
            assert len(files) == 1 and size <= files[0] < size + 4096
    others = len(cluster.names) - 1
    assert size < figures["sent"] < 1.05 * others * size
    wait_for(lambda: not left(cluster))
    assert "slave" not in errors


@pytest.mark.timeout(120)
def test_nothing_is_left_on_any_host_when_the_master_is_killed(cluster: Cluster):
    hosts = [host for host in cluster.names for _ in range(2)]
    master = cluster.popen(0, [sys.executable, "-c", MASTER, "8", "60", *hosts])
    assert master.stdout is not None
    assert master.stdout.readline() == "ready\n"
    assert len(left(cluster)) == len(cluster.names)
    master.send_signal(signal.SIGKILL)
    wait_for(lambda: not left(cluster), 30)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("cluster", [3], indirect=True)
def test_a_host_without_room_gives_each_slave_its_own(cluster: Cluster):
    cluster.exec(1, ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", "/dev/shm"])
    cluster.exec(2, ["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", "/dev/shm"])
    figures, errors = calculate(cluster, 8)
    assert {(name, mapped) for name, mapped, *_ in figures["told"]} == {
        ("node0", True),
        ("node1", False),
        ("node2", False),
    }
    assert {total for _, _, total, *_ in figures["told"]} == {figures["right"]}
    assert errors.count("no room for") == 1 and errors.count("goes to each slave") == 2
    wait_for(lambda: not left(cluster))


EXECUTOR = f"""
import json, os, sys
import numpy as np
from biskit_pvm import PVMExecutor
sys.path.insert(0, {str(Path(ASKED).parent)!r})
from asked import mapped

def where(table, i):
    return os.uname().nodename, mapped(table), float(table[i])

if __name__ == "__main__":
    hosts = sys.argv[1:] * 2
    with PVMExecutor(hosts=hosts) as executor:
        executor.wait_for_workers()
        shared = executor.share(np.arange(1 << 20, dtype=float))
        told = list(executor.map(where, [shared] * 800, range(800)))
        sent = executor._pool.master.messenger.n_bytes
        print(json.dumps([told, sent]), flush=True)
        shared.close()
        sys.stdin.readline()
"""


@pytest.mark.timeout(120)
def test_an_executor_shares_with_other_hosts(cluster: Cluster):
    cluster.path(f"{HOME}/program.py").write_text(EXECUTOR)
    program = cluster.popen(0, [sys.executable, f"{HOME}/program.py", *cluster.names], stdin=subprocess.PIPE)
    assert program.stdout is not None and program.stdin is not None
    told, sent = json.loads(program.stdout.readline())
    assert {(name, mapped) for name, mapped, _ in told} == {(name, True) for name in cluster.names}
    assert [value for *_, value in told] == list(map(float, range(800)))
    assert sent < 1.1 * 3 * 8 * MIB
    wait_for(lambda: not any(size > MIB for size in sizes(cluster)))
    program.stdin.close()
    assert program.wait(30) == 0
    wait_for(lambda: not left(cluster))


@pytest.mark.timeout(400)
@pytest.mark.parametrize("cluster", [16], indirect=True)
def test_32_slaves_on_16_hosts_get_their_parameters(cluster: Cluster, thorough: bool, capsys):
    megabytes = 100 if thorough else 10
    figures, _ = calculate(cluster, megabytes, timeout=300)
    told = figures.pop("told")
    assert all(mapped and total == figures["right"] for _, mapped, total, *_ in told)
    assert {name for name, *_ in told} == set(cluster.names)
    with capsys.disabled():
        print(f"\n{megabytes} MB  " + "  ".join(f"{name} {value}" for name, value in figures.items()))
    assert figures["sent"] < 1.05 * 15 * megabytes * MIB
    assert figures["first_ready"] < 5
