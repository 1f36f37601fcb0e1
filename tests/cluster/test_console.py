"""PVM's own console as a partner while a calculation runs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from pvm_ext import installation

from ..support.waiting import wait_for
from .cluster import Cluster

SLAVE = str(Path(__file__).parents[1] / "support" / "slaves" / "talkative.py")

MASTER = f"""
import sys
from biskit_pvm import TrackingJobMaster
class Master(TrackingJobMaster):
    def job_done(self, slave_tid, result):
        TrackingJobMaster.job_done(self, slave_tid, result)
        print('done', *result, flush=True)
data = dict.fromkeys(range(int(sys.argv[1])), 0.2)
master = Master(data, chunk_size=1, hosts=sys.argv[2:], niceness=dict(), slave_script={SLAVE!r}, verbose=0)
print('result', len(master.calculateResult()))
"""


def console(cluster: Cluster, *commands: str) -> str:
    """Give commands to the console on node 0 and return what it prints."""
    text = "\n".join([*commands, "quit", ""])
    environment = {"PVM_ROOT": str(installation.pvm_root())}
    return cluster.exec(0, [installation.console()], input=text, env=environment, check=False).stdout


class Calculation:
    """A calculation on three hosts, in a machine that was started before."""

    def __init__(self, cluster: Cluster, items: int) -> None:
        cluster.exec(0, [sys.executable, "-m", "biskit_pvm", "start", "node1", "node2"])
        command = [sys.executable, "-u", "-c", MASTER, str(items), "node0", "node1", "node2"]
        self.child = cluster.popen(0, command, stderr=subprocess.STDOUT)

    def until_done(self, count: int) -> None:
        """Wait until so many more jobs are done."""
        while count:
            line = self.child.stdout.readline()
            assert line, "the master has ended"
            count -= line.startswith("done")


@pytest.fixture
def calculation(cluster: Cluster) -> Calculation:
    """Give a calculation whose first items are done."""
    started = Calculation(cluster, 120)
    started.until_done(6)
    return started


def test_ps_and_conf_show_the_calculation(cluster, calculation):
    shown = console(cluster, "conf", "ps -a")
    assert "3 hosts" in shown
    for node in cluster.names[:3]:
        assert re.search(rf"^ +{node} +\w+ +\S+ +{re.escape(sys.executable)}", shown, re.M), shown
    assert "result 120" in calculation.child.communicate(timeout=60)[0]


def test_a_slave_that_is_killed_is_replaced(cluster, calculation):
    shown = console(cluster, "ps -a")
    (tid,) = re.findall(rf"^ +node1 +(\w+) +\S+ +{re.escape(sys.executable)}", shown, re.M)
    console(cluster, f"kill {tid}")

    def others() -> list[str]:
        listed = re.findall(rf"^ +node1 +(\w+) +\S+ +{re.escape(sys.executable)}", console(cluster, "ps -a"), re.M)
        return [other for other in listed if other != tid]

    wait_for(others, 10, "another slave on node1")
    assert "result 120" in calculation.child.communicate(timeout=60)[0]


def test_reset_ends_the_calculation_and_leaves_the_hosts(cluster, calculation):
    console(cluster, "reset")
    calculation.child.communicate(timeout=30)
    assert calculation.child.returncode != 0
    for node in range(3):
        wait_for(
            lambda node=node: all("pvmd" in line for line in cluster.processes(node).values()), 15, "only daemons left"
        )
    assert "3 hosts" in console(cluster, "conf")


def test_halt_ends_everything_at_once(cluster, calculation):
    console(cluster, "halt")
    calculation.child.communicate(timeout=30)
    assert calculation.child.returncode != 0
    for node in range(3):
        wait_for(lambda node=node: not cluster.processes(node), 15, f"nothing left on node{node}")
