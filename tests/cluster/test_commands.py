"""The commands that start, change, examine and clean a virtual machine of several hosts."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

import pvm_ext

from ..support.waiting import wait_for
from .cluster import HOME, LAB, Cluster

PVM = Path(pvm_ext.__file__).with_name("_pvm3")


def biskit_pvm(cluster: Cluster, *words: str, node: int = 0, **options):
    """Run the command on a node; return the finished process."""
    return cluster.exec(node, [sys.executable, "-W", "error", "-m", "biskit_pvm", *words], check=False, **options)


def console(cluster: Cluster, *commands: str, node: int = 0) -> str:
    """Give commands to PVM's own console and return what it prints."""
    text = "\n".join([*commands, "quit", ""])
    environment = {"PVM_ROOT": str(PVM)}
    return cluster.exec(node, [PVM / "lib" / "pvm"], input=text, env=environment, check=False).stdout


def test_start_add_delete_and_halt_act_on_the_machine_of_the_console(cluster):
    started = biskit_pvm(cluster, "start", "node1", "node2")
    assert started.returncode == 0, started
    assert "added node1" in started.stdout
    assert "3 hosts" in console(cluster, "conf")
    assert biskit_pvm(cluster, "add", "node3").stdout == "added node3\n"
    assert biskit_pvm(cluster, "delete", "node1").stdout == "deleted node1\n"
    listed = console(cluster, "conf")
    assert "3 hosts" in listed
    assert "node3" in listed
    assert "node1" not in listed
    assert "already" in biskit_pvm(cluster, "start").stdout
    assert biskit_pvm(cluster, "halt").returncode == 0
    for node in range(4):
        wait_for(lambda node=node: not cluster.processes(node), 10, f"no process on node{node}")


def test_the_first_host_cannot_be_deleted(cluster):
    biskit_pvm(cluster, "start")
    done = biskit_pvm(cluster, "delete", "node0")
    assert done.returncode == 1
    assert "PvmBadParam" in done.stderr
    assert "biskit-pvm halt" in done.stderr


def test_a_machine_that_the_console_changes_is_the_same_one(cluster):
    biskit_pvm(cluster, "start")
    assert "2 successful" in console(cluster, "add node1 node2")
    assert json.loads(biskit_pvm(cluster, "conf", "--json").stdout)[2]["name"] == "node2"


def test_a_host_file_is_obeyed(cluster):
    path = cluster.shared / "hostfile"
    path.write_text(
        "# our machines\n* sp=500\nnode0 sp=900\nnode1\nnode2 sp=2000 wd=/usr  # fast\n&node3 sp=3000\nnowhere\n"
    )
    started = biskit_pvm(cluster, "start", "--hostfile", "/run/lab/shared/hostfile")
    assert started.returncode == 1
    assert "nowhere: PvmNoHost" in started.stderr
    hosts = {row["name"]: row["speed"] for row in json.loads(biskit_pvm(cluster, "conf", "--json").stdout)}
    assert hosts == {"node0": 900, "node1": 500, "node2": 2000}
    biskit_pvm(cluster, "add", "node3")
    hosts = {row["name"]: row["speed"] for row in json.loads(biskit_pvm(cluster, "conf", "--json").stdout)}
    assert hosts["node3"] == 3000


def test_the_hosts_of_the_users_file_are_added(cluster):
    folder = cluster.path(HOME) / ".biskit"
    folder.mkdir()
    (folder / "hosts.py").write_text("nodes_own = ['node0', 'node2']\ncpus_own = nodes_own * 2\n")
    biskit_pvm(cluster, "start")
    assert biskit_pvm(cluster, "add", "--all").stdout.splitlines() == ["added node0", "added node2"]
    shown = biskit_pvm(cluster, "hosts").stdout.splitlines()
    assert shown[1].split()[:3] == ["node0", "own", "2"]


def test_doctor_is_content_with_a_good_cluster(cluster):
    done = biskit_pvm(cluster, "doctor", *cluster.names)
    assert done.returncode == 0, done.stdout
    assert "node3: PVM: its pvmd starts" in done.stdout
    assert f"node3: Python: {sys.executable}" in done.stdout
    for node in range(4):
        wait_for(lambda node=node: not cluster.processes(node), 10, f"no process on node{node}")
        assert "pvm" not in cluster.exec(node, ["ls", "/tmp"]).stdout


def test_doctor_finds_what_is_wrong_on_each_host(cluster):
    package = Path(pvm_ext.__file__).parents[1] / "biskit_pvm"
    cluster.path("/tmp/pvmd.0", 1).write_text("/tmp/pvmtmp999999.0\n")
    cluster.hide(2, package)
    cluster.hide(3, PVM)
    done = biskit_pvm(cluster, "doctor", "node1", "node2", "node3", "nowhere", "--json")
    assert done.returncode == 1
    found = {(row["host"], row["subject"]): row for row in json.loads(done.stdout)}
    assert found["node1", "files"]["level"] == "warning"
    assert found["node1", "files"]["remedy"] == "biskit-pvm clean node1"
    assert found["node1", "PVM"]["level"] == "ok"
    assert found["node2", "package"]["level"] == "error"
    assert "No module named" in found["node2", "package"]["text"]
    assert "not installed" in found["node3", "PVM"]["text"]
    assert found["nowhere", "name"]["level"] == "error"


def test_doctor_sees_that_a_daemon_uses_a_loopback_address(cluster):
    hosts = cluster.path(f"{LAB}/node0/hosts")
    hosts.write_text(cluster.hosts_file().replace("10.77.1.1\tnode0", "127.0.1.1\tnode0"))
    pvmd = cluster.popen(0, [PVM / "lib" / "pvmd"], {"PVM_ROOT": str(PVM)})
    assert pvmd.stdout.readline().startswith("/tmp/pvmtmp")
    done = biskit_pvm(cluster, "doctor", "node1")
    assert done.returncode == 1
    assert "biskit-pvm halt; biskit-pvm start" in done.stdout


def test_clean_removes_what_killed_daemons_left_and_nothing_else(cluster):
    biskit_pvm(cluster, "start", "node1")
    for node in (1, 2):
        cluster.path("/tmp/pvmd.0.old", node).write_text("/tmp/pvmtmp999999.0\n")
        cluster.path("/tmp/pvml.0.old", node).write_text("log\n")
    cluster.path("/tmp/pvmd.0", 2).write_text("/tmp/pvmtmp888888.0\n")
    before = cluster.exec(0, ["ls", "/tmp"]).stdout
    done = biskit_pvm(cluster, "clean", "node0", "node1", "node2")
    assert done.returncode == 0, done
    assert cluster.exec(0, ["ls", "/tmp"]).stdout == before
    assert "pvmd.0.old" not in cluster.exec(1, ["ls", "/tmp"]).stdout
    assert "pvmd.0\n" in cluster.exec(1, ["ls", "/tmp"]).stdout
    assert "pvm" not in cluster.exec(2, ["ls", "/tmp"]).stdout
    assert "2 hosts" in console(cluster, "conf")


@pytest.mark.parametrize("cluster", [2], indirect=True)
def test_clean_ends_slaves_that_lost_their_daemon(cluster):
    biskit_pvm(cluster, "start", "node1")
    spawn = (
        "import pvm_ext as p\n"
        "print(p.spawn('/usr/bin/setsid', ['sleep', '300'], 1, 'node1', 1), p.spawn('/bin/sleep', ['300'], 1, '.', 1))"
    )
    cluster.python(0, spawn)
    assert "sleep 300" in str(cluster.processes(1))
    (daemon,) = [pid for pid, name in cluster.processes(1).items() if "pvmd" in name]
    assert "0 slaves ended" in biskit_pvm(cluster, "clean", "node1", "--slaves").stdout
    cluster.exec(1, ["kill", "-KILL", str(daemon)])
    done = biskit_pvm(cluster, "clean", "node1", "--slaves")
    assert done.returncode == 0
    assert "sleep 300" in done.stdout
    assert cluster.processes(1) == {}
    assert "sleep 300" in str(cluster.processes(0))
    assert "1 slave ended" in biskit_pvm(cluster, "clean", "node0", "--all-slaves").stdout
