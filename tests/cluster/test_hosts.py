"""Adding hosts, and what is said when it does not work."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

import pvm_ext

from .cluster import HOME, LAB, Cluster

PVM = Path(pvm_ext.__file__).with_name("_pvm3")

ADD = """
import json, sys
from biskit_pvm import pvm
results = pvm.addHosts(hosts=sys.argv[1:])
print(json.dumps([pvm.countHosts(), {name: [r.ok, r.code, r.error, r.remedy] for name, r in results.items()}]))
"""


def add(cluster: Cluster, *hosts: str, **options) -> tuple[int, dict[str, list]]:
    """Add hosts from node 0; return the number of hosts and the results."""
    count, results = json.loads(cluster.python(0, ADD, *hosts, **options))
    return count, results


def failure(cluster: Cluster, host: str, **options) -> tuple[int, str, str]:
    """Add a host that cannot be added; return code, error and remedy."""
    count, results = add(cluster, host, **options)
    ((ok, code, error, remedy),) = results.values()
    assert not ok
    assert count == 1
    return code, error, remedy


def test_all_hosts_are_added_at_once(cluster):
    count, results = add(cluster, "node0", "node1", "node2", "node3")
    assert count == 4
    assert all(ok for ok, *_ in results.values()), results
    assert list(results) == cluster.names
    assert len({code for _, code, *_ in results.values()}) == 4


def test_a_host_that_is_there_already_is_well(cluster):
    count, results = add(cluster, "node1", "localhost", "node1", "node0 sp=500")
    assert count == 2
    assert all(ok for ok, *_ in results.values()), results


def test_options_of_host_files_are_obeyed(cluster):
    out = cluster.python(
        0,
        "import pvm_ext, time; from biskit_pvm import pvm\n"
        "r = pvm.addHosts(hosts=['node1 sp=777 wd=/usr lo=root', 'node2 nonsense=1'])\n"
        "print([h.speed for h in pvm_ext.config().hosts if h.name == 'node1'])\n"
        "print(r['node1'].ok, r['node2'].code, r['node2'].remedy)\n",
    )
    assert out.splitlines()[0] == "[777]"
    assert out.splitlines()[1].startswith("True -2 PVM does not know the option nonsense=1; it knows lo=")


def test_number_limits_how_many_are_added(cluster):
    out = cluster.python(
        0,
        "from biskit_pvm import pvm\n"
        "print(pvm.addHosts(0, ['node1']), list(pvm.addHosts(1, ['node1', 'node2'])), pvm.countHosts())\n"
        "print(pvm.delHosts(['node1', 'node3']), pvm.countHosts())",
    )
    first, second = out.splitlines()
    assert first == "{} ['node1'] 2"
    assert second.endswith(" 1")
    assert "error=''" in second


def test_a_daemon_that_was_started_for_a_script_is_gone_after_it(cluster):
    add(cluster, "node1", "node2", "node3")
    for node in range(4):
        assert cluster.processes(node) == {}


# -------------------------------------------------------------------- what can be wrong


def test_an_unknown_name_is_told_from_others(cluster):
    count, results = add(cluster, "node1", "nosuchnode", "node2")
    assert count == 3
    ok, code, error, remedy = results["nosuchnode"]
    assert (ok, code, error) == (False, -6, "PvmNoHost (No such host)")
    assert "no such name: nosuchnode" in remedy
    assert "/etc/hosts" in remedy


def test_a_host_without_a_route(cluster):
    hosts = cluster.path(f"{LAB}/node0/hosts")
    hosts.write_text(f"{cluster.hosts_file()}10.77.9.9 ghost\n")
    started = time.monotonic()
    code, error, remedy = failure(cluster, "ghost")
    assert (code, error) == (-29, "PvmCantStart (Can't start pvmd)")
    assert "it is down" in remedy
    assert time.monotonic() - started < 15


def test_a_dead_host_holds_up_the_others_for_seconds_only(cluster):
    cluster.cut(3)
    started = time.monotonic()
    count, results = add(cluster, "node1", "node2", "node3")
    assert time.monotonic() - started < 10
    assert count == 3 and results["node1"][0] and results["node2"][0]
    assert "it is down" in results["node3"][3]


SLOW = """
import time
from biskit_pvm import pvm
started = time.monotonic()
results = pvm.addHosts(hosts=["node1", "node2", "node3"])
print(time.monotonic() - started < 12, [(result.ok, result.late) for result in results.values()], pvm.countHosts())
while pvm.countHosts() < 4 and time.monotonic() - started < 60:
    time.sleep(0.1)
print(pvm.countHosts())
"""


def test_a_slow_host_joins_later(cluster):
    with cluster.path(f"{LAB}/sshd_config").open("a") as file:
        file.write('Match LocalAddress 10.77.1.4\n  ForceCommand sleep 8; eval "$SSH_ORIGINAL_COMMAND"\n')
    cluster.kill(3)
    cluster.boot(3)
    first, second = cluster.python(0, SLOW, timeout=100, stderr=subprocess.DEVNULL).splitlines()
    assert first == "True [(True, False), (True, False), (False, True)] 3"
    assert second == "4"


def test_a_host_that_runs_another_machine_of_the_user_is_left_alone(cluster):
    cluster.exec(1, [sys.executable, "-m", "biskit_pvm", "start"])
    code, error, remedy = failure(cluster, "node1")
    assert (code, error.split()[0]) == (-28, "PvmDupHost")
    assert "another virtual machine" in remedy
    assert cluster.exec(1, [sys.executable, "-m", "biskit_pvm", "conf"]).stdout.count("node") == 1


DROP = "add table inet t; add chain inet t c {{ type filter hook input priority 0; }}; add rule inet t c {}"


@pytest.mark.skipif(shutil.which("nft") is None, reason="needs nft to make a firewall")
@pytest.mark.parametrize("node", [0, 1], ids=["from it", "to it"])
def test_a_firewall_that_drops_udp_is_named_and_the_host_not_taken_in(cluster, node):
    cluster.exec(node, ["nft", DROP.format("iifname eth0 meta l4proto udp drop")])
    started = time.monotonic()
    code, error, remedy = failure(cluster, "node1")
    assert time.monotonic() - started < 20
    assert (code, error.split()[0]) == (-22, "PvmHostFail")
    assert f"UDP does not arrive {'to' if node else 'from'} node1" in remedy
    doctor = cluster.exec(0, [sys.executable, "-m", "biskit_pvm", "doctor", "node1"], check=False)
    assert doctor.returncode == 1
    assert f"UDP does not arrive {'to' if node else 'from'} node1" in doctor.stdout


@pytest.mark.skipif(shutil.which("nft") is None, reason="needs nft to make a firewall")
@pytest.mark.parametrize("node", [0, 1], ids=["from it", "to it"])
def test_a_firewall_that_drops_tcp_is_named_by_the_doctor(cluster, node):
    cluster.exec(node, ["nft", DROP.format("iifname eth0 tcp dport != 22 tcp flags syn / syn,ack drop")])
    count, results = add(cluster, "node1")
    assert count == 2, results
    doctor = cluster.exec(0, [sys.executable, "-m", "biskit_pvm", "doctor", "node1"], check=False)
    assert f"TCP does not arrive {'to' if node else 'from'} node1" in doctor.stdout
    assert "UDP does not arrive" not in doctor.stdout


def test_a_host_without_an_ssh_server(cluster):
    with cluster.path(f"{LAB}/ssh_config").open("a") as file:
        file.write("Host node1\n  Port 2222\n")
    code, _, remedy = failure(cluster, "node1")
    assert code == -29
    assert "no ssh server runs there" in remedy
    assert "openssh-server" in remedy


def test_a_host_that_asks_for_a_password(cluster):
    cluster.path(f"{LAB}/authorized_keys").write_text("")
    code, _, remedy = failure(cluster, "node1")
    assert code == -29
    assert "asks for a password" in remedy
    assert "ssh-copy-id node1" in remedy


def test_a_host_whose_key_is_unknown(cluster):
    cluster.path(f"{LAB}/known_hosts").write_text("")
    code, _, remedy = failure(cluster, "node1")
    assert code == -29
    assert "its host key is not known here" in remedy
    assert "ssh node1 true" in remedy


def test_a_host_whose_key_has_changed(cluster):
    known = cluster.path(f"{LAB}/known_hosts")
    cluster.exec(0, ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{LAB}/other"])
    other = cluster.path(f"{LAB}/other.pub").read_text()
    known.write_text("".join(f"{name} {other}" for name in cluster.names))
    _, _, remedy = failure(cluster, "node1")
    assert "not the one that is known" in remedy
    assert "ssh-keygen -R node1" in remedy


def test_a_host_without_pvm(cluster):
    cluster.hide(2, PVM)
    count, results = add(cluster, "node1", "node2", "node3")
    assert count == 3
    ok, code, _, remedy = results["node2"]
    assert (ok, code) == (False, -29)
    assert "PVM is not installed there" in remedy
    assert "dx=" in remedy


def test_a_host_with_another_version_of_pvm(cluster):
    # It says what the daemon of such a version would say; there is none for today's systems.
    program = cluster.shared / "oldpvmd"
    program.write_text("#!/bin/sh\necho 'ddpro<2300> arch<LINUX> ip<0a4d0102:1234> mtu<4080> dsig<4230209>'\nsleep 5\n")
    program.chmod(0o755)
    code, error, remedy = failure(cluster, "node1 dx=/run/lab/shared/oldpvmd")
    assert (code, error) == (-26, "PvmBadVersion (Version mismatch)")
    assert "install PVM 3.4.6 there" in remedy


def test_a_stale_file_of_a_killed_daemon_does_no_harm(cluster):
    for node in (0, 1):
        cluster.path("/tmp/pvmd.0", node).write_text("/tmp/pvmtmp999999.0\n")
    count, results = add(cluster, "node1")
    assert count == 2, results


def test_a_name_that_resolves_to_loopback_does_no_harm(cluster):
    hosts = cluster.path(f"{LAB}/node0/hosts")
    hosts.write_text(cluster.hosts_file().replace("10.77.1.1\tnode0", "127.0.1.1\tnode0"))
    count, results = add(cluster, "node0", "node1")
    assert count == 2, results


@pytest.mark.parametrize("loopback", ["127.0.0.1", "127.0.1.1"])
def test_a_daemon_with_a_loopback_address_is_explained(cluster, loopback):
    hosts = cluster.path(f"{LAB}/node0/hosts")
    hosts.write_text(cluster.hosts_file().replace("10.77.1.1\tnode0", f"{loopback}\tnode0"))
    environment = {"PVM_ROOT": str(PVM)}
    pvmd = cluster.popen(0, [PVM / "lib" / "pvmd"], environment)
    assert pvmd.stdout.readline().startswith("/tmp/pvmtmp")
    count, results = add(cluster, "node0", "node1")
    assert count == 1
    assert results["node0"][0]
    ok, code, error, remedy = results["node1"]
    assert (ok, code) == (False, -36)
    assert error.startswith("PvmIPLoopback")
    assert "biskit-pvm halt; biskit-pvm start" in remedy
    assert "10.77.1.1 node0" in remedy


def test_the_doctor_sees_what_differs_over_there(cluster):
    """Another home and Python, a clock that is wrong, and a name that is a loopback address on its own host."""
    cluster.hide(1, HOME)
    bin_folder = cluster.path("/mnt", 1)
    for name, text in (("python", "echo version 3.2.1"), ("date", "echo 1000000000")):
        (bin_folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (bin_folder / name).chmod(0o755)
    cluster.exec(1, ["mount", "--bind", "/mnt/python", sys.executable])
    cluster.exec(1, ["mount", "--bind", "/mnt/date", "/usr/bin/date"])
    own_hosts = cluster.path("/mnt/hosts", 1)
    own_hosts.write_text(cluster.hosts_file().replace("10.77.1.2\tnode1", "127.0.1.1\tnode1"))
    cluster.exec(1, ["mount", "--bind", "/mnt/hosts", "/etc/hosts"])
    told = cluster.exec(0, [sys.executable, "-m", "biskit_pvm", "doctor", "node1", "node2"], check=False).stdout
    assert "node1: Python: it is Python 3.2.1 there" in told
    assert "node1: clock: its clock is" in told
    assert "node1: name: its own name, node1, is 127.0.1.1 there" in told
    assert f"node1: home: {HOME} there is not your home here" in told
    assert not [line for line in told.splitlines() if "node2" in line and not line.startswith("ok")]
    assert list(cluster.path(HOME).glob(".biskit_pvm-*")) == []
