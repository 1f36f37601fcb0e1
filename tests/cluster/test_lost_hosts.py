"""Hosts that are lost while a calculation runs, or not there when it starts; pytest -s shows how long that takes."""

from __future__ import annotations

import sys
import time

import pytest

from ..support.waiting import wait_for
from .cluster import LAB, Cluster
from .test_calculations import Run, console

PVM = [sys.executable, "-m", "biskit_pvm"]


def jobs_after(run: Run, moment: float, host: str) -> int:
    """Return how many jobs a host has done after a moment, of those that were read so far."""
    done = [line for line in run.lines if line[0] == "done"]
    return sum(line[2].split(":")[0] == host and float(line[3]) > moment for line in done)


def until_used(run: Run, moment: float, host: str, seconds: float) -> None:
    """Read until a host has done a job after a moment; fail when that takes longer than so many seconds."""
    while not jobs_after(run, moment, host):
        assert run.read(), run.lines[-5:]
        assert time.time() - moment < seconds, f"{host} is not used {seconds} s later; {run.lines[-5:]}"
    print(f"{host} is used after {time.time() - moment:.1f} s")


def until_told(run: Run, words: str, seconds: float) -> None:
    """Read until a line has these words; fail when that takes longer than so many seconds."""
    end = time.monotonic() + seconds
    while not (run.lines and words in " ".join(run.lines[-1])):
        assert run.read(), run.lines[-5:]
        assert time.monotonic() < end, f"nobody says {words!r}"


def daemon_of(cluster: Cluster, node: int) -> str:
    (pid,) = (pid for pid, command in cluster.processes(node).items() if "/pvmd" in command)
    return str(pid)


def hosts(cluster: Cluster, node: int = 0) -> list[str]:
    """Return the hosts in the virtual machine of a node."""
    listing = cluster.exec(node, [*PVM, "conf"]).stdout
    return sorted(line.split()[0] for line in listing.splitlines()[1:])


@pytest.mark.timeout(180)
@pytest.mark.parametrize("cluster", [3], indirect=True)
def test_a_rebooted_host_is_used_again_within_30_s_of_answering(cluster: Cluster):
    run = Run(cluster, cluster.names, 2000, 0.1, options={"heartbeat": 4.0})
    run.until(40)
    cluster.kill(1)
    run.until(200)
    cluster.boot(1)
    until_used(run, time.time(), "node1", 30)
    assert hosts(cluster) == hosts(cluster, 1) == cluster.names
    run.child.kill()


@pytest.mark.timeout(180)
@pytest.mark.parametrize("cluster", [2], indirect=True)
@pytest.mark.parametrize("signal", ["KILL", "TERM"])
def test_a_host_whose_daemon_has_died_is_used_again(cluster: Cluster, signal: str):
    run = Run(cluster, cluster.names, 2000, 0.1, options={"heartbeat": 4.0})
    run.until(40)
    cluster.exec(1, ["kill", f"-{signal}", daemon_of(cluster, 1)])
    until_used(run, time.time() + 1, "node1", 60)
    # nothing of the daemon before is left
    assert len(list(cluster.path("/tmp", 1).glob("pvm*"))) == 3
    run.child.kill()


@pytest.mark.timeout(180)
@pytest.mark.parametrize("cluster", [2], indirect=True)
def test_a_host_that_somebody_deletes_stays_out_until_it_is_added(cluster: Cluster):
    run = Run(cluster, cluster.names, 2000, 0.1, verbose=1, options={"progress": "lines"})
    run.until(40)
    cluster.exec(0, [str(console())], input="delete node1\nquit\n")
    until_told(run, "node1 was deleted", 30)
    assert hosts(cluster) == ["node0"]
    cluster.exec(0, [str(console())], input="add node1\nquit\n")
    until_used(run, time.time(), "node1", 30)
    run.child.kill()


@pytest.mark.timeout(180)
@pytest.mark.parametrize("cluster", [2], indirect=True)
def test_lost_hosts_stay_out_when_they_are_not_watched(cluster: Cluster):
    run = Run(cluster, cluster.names, 200, 0.1, options={"heartbeat": 4.0, "watch_hosts": 0})
    run.until(40)
    killed = time.time()
    cluster.exec(1, ["kill", daemon_of(cluster, 1)])
    assert len(run.result()) == 200
    assert not jobs_after(run, killed + 1, "node1")


@pytest.mark.timeout(180)
@pytest.mark.parametrize("cluster", [2], indirect=True)
def test_a_rebooted_host_that_another_machine_has_taken_is_named_and_left_to_it(cluster: Cluster):
    run = Run(cluster, cluster.names, 2000, 0.1, verbose=1, options={"heartbeat": 4.0, "progress": "lines"})
    run.until(40)
    cluster.kill(1)
    cluster.boot(1)
    cluster.exec(1, [*PVM, "start"])
    words = "node1 cannot be used yet: PvmDupHost"
    until_told(run, words, 60)
    assert hosts(cluster, 1) == ["node1"]
    cluster.exec(1, [*PVM, "halt"])
    until_used(run, time.time(), "node1", 60)
    run.child.kill()


#: takes leave for the daemon of the other host, from its port and then from another one
LEAVE = """
import pvm_ext
from biskit_pvm.machine import daemon, recovery
pvm_ext.mytid()
first, other = pvm_ext.config().hosts
print(recovery._take_leave(other.name, other, first))
address, port = daemon.addresses()[other.name]
daemon.addresses = lambda known=daemon.addresses(): {**known, other.name: (address, port - 1)}
print(recovery._take_leave(other.name, other, first))
"""


@pytest.mark.parametrize("cluster", [2], indirect=True)
def test_no_leave_is_taken_for_a_daemon_that_lives_nor_from_another_port_than_its_own(cluster: Cluster):
    cluster.exec(0, [*PVM, "start", "node1"])
    assert cluster.python(0, LEAVE).split() == ["False", "False"]
    assert hosts(cluster) == hosts(cluster, 1) == cluster.names
    assert "bogus pkt" in cluster.path("/tmp/pvml.0", 0).read_text()


@pytest.mark.timeout(180)
@pytest.mark.parametrize("cluster", [2], indirect=True)
def test_a_calculation_waits_for_its_only_host(cluster: Cluster):
    run = Run(cluster, ["node1"], 100, 0.1, options={"heartbeat": 4.0})
    run.until(40)
    cluster.kill(1)
    time.sleep(6)  # longer than the heartbeat: it is known to be lost
    cluster.boot(1)
    assert len(run.result()) == 100


@pytest.mark.timeout(120)
@pytest.mark.parametrize("cluster", [5], indirect=True)
def test_one_dead_host_of_five_holds_up_the_first_job_for_seconds_only(cluster: Cluster, thorough: bool):
    cluster.kill(3)
    started = time.time()
    run = Run(cluster, cluster.names, 400, 0.05)
    run.until(1)
    first = min(float(line[3]) for line in run.lines if line[0] == "done") - started
    print(f"first job after {first:.1f} s")
    assert first < (5 if thorough else 10)
    assert "it is down" in str(run.lines) and "node3" in str(run.lines)
    cluster.boot(3)
    until_used(run, time.time(), "node3", 40)
    run.child.kill()


@pytest.mark.timeout(180)
def test_a_slow_host_joins_later_and_is_used(cluster: Cluster):
    with cluster.path(f"{LAB}/sshd_config").open("a") as file:
        file.write('Match LocalAddress 10.77.1.4\n  ForceCommand sleep 8; eval "$SSH_ORIGINAL_COMMAND"\n')
    cluster.kill(3)
    cluster.boot(3)
    run = Run(cluster, cluster.names, 2000, 0.1)
    run.until(10)
    assert not jobs_after(run, 0, "node3")
    until_used(run, time.time(), "node3", 60)
    run.child.kill()


@pytest.mark.timeout(120)
@pytest.mark.parametrize("cluster", [3], indirect=True)
def test_a_host_that_runs_another_machine_of_the_user_is_named_by_a_master_and_left_alone(cluster: Cluster):
    cluster.exec(1, [*PVM, "start"])
    run = Run(cluster, cluster.names, 40, 0.05)
    result = run.result()
    assert {place.split(":")[0] for place in result.values()} == {"node0", "node2"}
    assert "another virtual machine" in str(run.lines)
    assert hosts(cluster, 1) == ["node1"]


ADDED = """
import socket, sys, time
from biskit_pvm import PVMExecutor
def where(n):
    time.sleep(0.05)
    return socket.gethostname()
if __name__ == "__main__":
    with PVMExecutor(hosts=["node0"]) as executor:
        print(sorted(set(executor.map(where, range(10)))))
        executor.add_hosts(["node1", "node1", "no-such-node"])
        executor.wait_for_workers(3)
        print(sorted(set(executor.map(where, range(40)))))
        executor.remove_hosts(["node1"])
        time.sleep(0.5)
        print(sorted(set(executor.map(where, range(10)))))
"""


@pytest.mark.timeout(120)
@pytest.mark.parametrize("cluster", [2], indirect=True)
def test_hosts_that_an_executor_gets_while_it_runs_are_added_to_the_virtual_machine(cluster: Cluster):
    script = cluster.path("/run/lab/home/added.py")
    script.write_text(ADDED)
    out = cluster.exec(0, [sys.executable, "/run/lab/home/added.py"]).stdout
    assert out.splitlines() == ["['node0']", "['node0', 'node1']", "['node0']"]


def files(cluster: Cluster) -> dict[str, list[str]]:
    """Return PVM's files on all nodes, their logs apart."""
    return {
        name: left
        for name in cluster.names
        if (left := sorted(path.name for path in cluster.path("/tmp", name).glob("pvm*") if "pvml" not in path.name))
    }


@pytest.mark.timeout(120)
@pytest.mark.parametrize("own", [True, False], ids=["of its own", "that was there"])
def test_nothing_is_left_on_any_host_when_all_daemons_are_killed(cluster: Cluster, own: bool):
    if not own:
        cluster.exec(0, [*PVM, "start", *cluster.names[1:]])
    run = Run(cluster, cluster.names, 2000, 0.1)
    run.until(60)
    assert set(files(cluster)) == set(cluster.names)
    for node in range(4):
        cluster.exec(node, ["kill", "-KILL", daemon_of(cluster, node)])
    while run.read():
        pass
    assert run.child.wait(20) == 1 and "daemon is gone" in str(run.lines[-3:])
    wait_for(lambda: not any(cluster.processes(node) for node in range(4)), 20)
    assert files(cluster) == {}
