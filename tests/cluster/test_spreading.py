"""What is alike for all slaves goes from host to host, whatever becomes of those who pass it on."""

from __future__ import annotations

import json
import shutil
import sys
import time
from pathlib import Path

import pytest

from ..support.waiting import wait_for
from .cluster import SHARED, Cluster, NodeProcess
from .test_hosts import DROP

SLAVES = str(Path(__file__).parents[1] / "support" / "slaves")
MIB = 1 << 20
SIZE = 24

#: tells, in files, when it begins to pass something on, and when it is ready
SLAVE = f"""
import os, sys
sys.path.insert(0, {SLAVES!r})
from asked import Asked
from biskit_pvm.messages import passing

def told(*arguments, send=passing._send):
    with open(f"{SHARED}/{{os.uname().nodename}} {{os.getpid()}}", "a"):
        send(*arguments)

class Slave(Asked):
    def initialize(self, params):
        Asked.initialize(self, params)
        open(f"{SHARED}/ready {{os.uname().nodename}}", "w").close()

passing._send = told
Slave().start()
"""

#: jobs begin when there is a file `go`
MASTER = f"""
import collections, json, os, sys, time
import numpy as np
from biskit_pvm import TrackingJobMaster
from biskit_pvm.PVMThread import messenger_of

megabytes, *hosts = sys.argv[1:]
table = np.arange(int(megabytes) << 17, dtype=float)
ready, up = [], []

class Master(TrackingJobMaster):
    def getInitParameters(self, tid):
        up.append(time.monotonic())
        return dict(table=table, first="")

    def initializationDone(self, tid):
        ready.append(time.monotonic())
        TrackingJobMaster.initializationDone(self, tid)

    def is_valid_slave(self, tid):
        return os.path.exists("{SHARED}/go")

asked = "__import__('time').sleep(0.02) or (os.uname().nodename, float(params['table'].sum()))"
items = {{i: (asked, None) for i in range(8 * len(hosts))}}
master = Master(items, 1, hosts, {{}}, {SHARED + "/slave.py"!r}, verbose=0, prefetch=0)
told = list(master.calculateResult().values())
print(json.dumps(dict(
    hosts=sorted({{host for host, _ in told}}), right=all(total == table.sum() for _, total in told),
    sent=messenger_of(master).n_bytes, seconds=round(max(ready) - min(up), 2),
)))
"""


class Run:
    """A master behind a slow line, with a slave on each host.

    Parameters
    ----------
    cluster : Cluster
    line : float
        MB that the master's host can send per second.
    size : int
        MiB of the parameters.
    """

    def __init__(self, cluster: Cluster, line: float, size: int = SIZE) -> None:
        self.cluster = cluster
        cluster.path(f"{SHARED}/slave.py").write_text(SLAVE)
        cluster.narrow(0, line, sending=True)
        names = cluster.names
        command = [sys.executable, "-c", MASTER, str(size), *names]
        self.process: NodeProcess = cluster.popen(0, command)
        self.awaited = set(names)

    def one_who_gives(self) -> tuple[str, str]:
        """Wait until a host passes something on; return its name, and the process there."""
        folder = self.cluster.path(SHARED)
        wait_for(lambda: any(file.name.startswith("node") for file in folder.iterdir()), 60)
        host, process = next(file.name for file in folder.iterdir() if file.name.startswith("node")).split()
        return host, process

    def outcome(self, timeout: float = 90) -> dict:
        """Wait until the slaves are ready, and for the end; return what the master tells."""
        folder = self.cluster.path(SHARED)
        ready = [folder / f"ready {name}" for name in self.awaited]
        wait_for(lambda: all(file.exists() for file in ready) or self.process.poll() is not None, timeout)
        (folder / "go").touch()
        out, err = self.process.communicate(timeout=timeout)
        assert self.process.returncode == 0, err
        figures = json.loads(out.splitlines()[-1])
        assert figures["right"]
        return figures


@pytest.mark.timeout(180)
@pytest.mark.parametrize("cluster", [16], indirect=True)
def test_the_line_of_the_master_carries_it_a_few_times(cluster: Cluster, thorough: bool, capsys):
    size, line = (100, 40) if thorough else (SIZE, 20)
    figures = Run(cluster, line, size=size).outcome()
    with capsys.disabled():
        print(f"\n{size} MiB to 15 hosts over a line of {line} MB/s: {figures}")
    assert set(figures["hosts"]) == set(cluster.names)
    assert figures["sent"] < 4.5 * size * MIB
    assert figures["seconds"] < 0.6 * 15 * size * MIB / (line * 1e6)


@pytest.mark.timeout(180)
@pytest.mark.parametrize("cluster", [6], indirect=True)
@pytest.mark.parametrize("fault", ["killed", "cut off", "stopped"])
def test_others_get_it_when_one_who_passes_it_on_cannot(cluster: Cluster, fault: str, capsys):
    run = Run(cluster, 5)
    host, process = run.one_who_gives()
    run.awaited.discard(host)
    start = time.monotonic()
    if fault == "killed":
        cluster.exec(host, ["kill", "-KILL", process])
    elif fault == "cut off":
        cluster.cut(host)
    else:
        cluster.exec(host, ["kill", "-STOP", process])
    figures = run.outcome()
    with capsys.disabled():
        print(f"\n{fault}: {time.monotonic() - start:.1f} s more, {figures}")
    assert set(cluster.names) - {host} <= set(figures["hosts"])
    assert figures["sent"] < 4.5 * SIZE * MIB
    assert figures["seconds"] < 40  # after a minute a stopped slave is killed, and its connections with it


@pytest.mark.timeout(180)
@pytest.mark.parametrize("cluster", [6], indirect=True)
def test_one_who_sends_slowly_holds_up_others_for_seconds_only(cluster: Cluster, capsys):
    run = Run(cluster, 20)
    host, _ = run.one_who_gives()
    cluster.narrow(host, 0.5, sending=True)
    figures = run.outcome()
    with capsys.disabled():
        print(f"\n{host} sends 0.5 MB/s: {figures}")
    assert set(figures["hosts"]) == set(cluster.names)
    assert figures["seconds"] < 30  # two who get it there would take 50


@pytest.mark.timeout(180)
@pytest.mark.parametrize("cluster", [6], indirect=True)
@pytest.mark.skipif(shutil.which("nft") is None, reason="needs nft to make a firewall")
def test_hosts_that_reach_the_master_but_not_each_other_get_it_from_the_master(cluster: Cluster, capsys):
    rule = f"iifname eth0 ip saddr != {cluster.addresses['node0']} tcp dport != 22 tcp flags syn / syn,ack drop"
    for name in cluster.names[1:]:
        cluster.exec(name, ["nft", DROP.format(rule)])
    figures = Run(cluster, 20).outcome()
    with capsys.disabled():
        print(f"\nbehind firewalls: {figures}")
    assert set(figures["hosts"]) == set(cluster.names)
    assert 4.5 * SIZE * MIB < figures["sent"] < 5.5 * SIZE * MIB
    assert figures["seconds"] < 30
