"""Slaves on other hosts that foremen there have forked."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from ..support.waiting import wait_for
from .cluster import Cluster

SLAVE = str(Path(__file__).parents[1] / "support" / "slaves" / "curious.py")

MASTER = f"""
import json, sys
from biskit_pvm import TrackingJobMaster

hosts = ["node0", "node1", "node2"] * 4
master = TrackingJobMaster(dict.fromkeys(range(36), "place"), 1, hosts, {{"default": 0}}, {SLAVE!r}, verbose=0,
                           add_hosts=1, on_error="return", prefetch=0, max_respawns=10, respawn_pause=0.1)
master.start()
print("began", flush=True)
sys.stdin.readline()
master.wait()
print(json.dumps(list(master.result.values())))
"""


@pytest.mark.parametrize("cluster", [3], indirect=True)
def test_each_host_has_one_and_none_is_left(cluster: Cluster):
    made = json.loads(cluster.python(0, MASTER, input="\n").splitlines()[1])
    assert len({(host, pid) for host, pid, _ in made}) >= 9
    for node in ("node0", "node1", "node2"):
        children = Counter(parent for host, _, parent in {tuple(each) for each in made} if host == node)
        # the first one of a host is the daemon's
        assert len(children) == 2 and min(children.values()) == 1 < max(children.values()), f"{node}: {children}"
    for node in range(3):
        wait_for(
            lambda: not any("foreman" in words or "standin" in words for words in cluster.processes(node).values())
        )


@pytest.mark.parametrize("cluster", [3], indirect=True)
def test_a_host_that_is_lost_with_its_foreman_delays_nobody_for_ever(cluster: Cluster):
    process = cluster.popen(0, [sys.executable, "-c", MASTER], stdin=subprocess.PIPE)
    assert process.stdout is not None and process.stdin is not None
    assert process.stdout.readline() == "began\n"
    wait_for(lambda: sum("curious" in words for words in cluster.processes(2).values()) > 2, 30)
    cluster.kill(2)
    said, _ = process.communicate("\n", timeout=100)
    assert len(json.loads(said.splitlines()[0])) == 36
