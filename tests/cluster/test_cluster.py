"""The cluster itself: its nodes are apart, fail when told, and leave nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ..support.waiting import wait_for
from .cluster import SHARED, Cluster, why_not

SSH = ["ssh", "-o", "ConnectTimeout=3"]


def test_nodes_have_names_processes_and_folders_of_their_own(cluster):
    for name in cluster.names:
        assert cluster.exec(0, [*SSH, name, "hostname"]).stdout == f"{name}\n"
        cluster.path("/tmp/mine", name).write_text(name)
    assert [cluster.path("/tmp/mine", name).read_text() for name in cluster.names] == cluster.names
    child = cluster.popen(1, ["sleep", "60"])
    wait_for(lambda: "sleep 60" in cluster.processes(1).values())
    assert cluster.processes(2) == {}
    child.terminate()
    assert child.wait(10) == -signal.SIGTERM
    (cluster.shared / "all").write_text("seen")
    assert cluster.exec(3, ["cat", f"{SHARED}/all"]).stdout == "seen"


def test_two_clusters_do_not_meet(cluster):
    with Cluster(2) as other:
        cluster.path("/tmp/here", 1).write_text("first")
        assert not other.path("/tmp/here", 1).exists()
        other.cut(1)
        assert cluster.exec(0, [*SSH, "node1", "hostname"]).stdout == "node1\n"


def test_a_cable_is_pulled_and_put_back(cluster):
    cluster.cut(1)
    assert cluster.exec(0, [*SSH, "node1", "true"], check=False).returncode == 255
    assert cluster.exec(0, [*SSH, "node2", "true"], check=False).returncode == 0
    cluster.heal(1)
    assert cluster.exec(0, [*SSH, "node1", "true"], check=False).returncode == 0


def test_a_node_loses_its_power_and_starts_again(cluster):
    child = cluster.popen(1, ["sleep", "60"])
    cluster.path("/tmp/file", 1).write_text("")
    cluster.kill(1)
    assert child.wait(10) != 0
    assert cluster.exec(0, [*SSH, "node1", "true"], check=False).returncode == 255
    cluster.boot(1)
    # the others remember for a while that nobody answered there
    wait_for(lambda: cluster.exec(0, [*SSH, "node1", "hostname"], check=False).stdout == "node1\n", 20)
    assert not cluster.path("/tmp/file", 1).exists()


ROUND_TRIP = """
import socket, sys, time
with socket.create_connection((sys.argv[1], 22)) as peer:
    peer.recv(100)
    peer.sendall(b"SSH-2.0-none\\r\\n")
    peer.recv(2000)
    times = []
    for _ in range(3):
        begun = time.monotonic()
        with socket.create_connection((sys.argv[1], 22)):
            times.append(time.monotonic() - begun)
print(min(times))
"""


def test_a_link_is_slowed_down(cluster):
    def trip() -> float:
        return float(cluster.python(0, ROUND_TRIP, "node1"))

    quick = trip()
    cluster.slow(1, 50)
    assert 0.1 <= trip() < 0.1 + quick + 0.2
    data = "x" * 300_000
    assert cluster.exec(0, [*SSH, "node1", "cat"], input=data).stdout == data
    cluster.slow(1, 0)
    assert trip() < 0.1


MAKER = """
import os, sys, time
from tests.cluster.cluster import Cluster
cluster = Cluster(2).__enter__()
child = cluster.popen(1, ["sleep", "600"])
print(cluster._room_init, *cluster._inits.values(), child.pid, flush=True)
while True:  # since Python sees a signal that comes just before a sleep only after it
    time.sleep(0.1)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_nothing_is_left_of_a_cluster_whose_maker_ends(number):
    reason = why_not()
    if reason:
        pytest.skip(reason)
    root = Path(__file__).parents[2]
    maker = subprocess.Popen(
        [sys.executable, "-c", MAKER], cwd=root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    with maker:
        pids = [int(word) for word in maker.stdout.readline().split()]
        assert len(pids) == 4
        maker.send_signal(number)
        maker.wait(30)
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() and alive(pid) for pid in pids), 20)


def alive(pid: int) -> bool:
    """Return whether a process runs, and is no zombie."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
