"""How a task on another host ended, and what it printed last, is known to who has spawned it."""

from __future__ import annotations

import sys

import pytest

from .cluster import Cluster

ENDS = """
import sys, time
import pvm_ext as p
from biskit_pvm import pvm
from biskit_pvm.machine import ending, output, spawning

pvm.addHosts(hosts=["node1"])
tids = []
for code in "echo no licence; exit 3", "kill -9 $$", "sleep 60":
    tids += spawning.spawn("/bin/sh", ["-c", code], spawning.ON_HOST, "node1", 1, {}, timeout=20)
    p.notify(p.Notify.TASK_EXIT, 5, tids[-1:])
    if len(tids) < 3:
        assert p.recv_frames(tag=5, timeout=20)
        print(ending.how_it_ended(tids[-1]))
print(output.last_words_soon(tids[0]).result(20))
print(repr(output.last_words_soon(tids[1]).result(20)))
sys.stdin.readline()
pvm.delHosts(["node1"])
assert p.recv_frames(tag=5, timeout=20)
start = time.monotonic()
print(repr(ending.how_it_ended(tids[2])), repr(output.last_words_soon(tids[2]).result(20)))
print(time.monotonic() - start < 3)
"""


@pytest.mark.parametrize("cluster", [2], indirect=True)
def test_ends_on_another_host_are_told(cluster: Cluster):
    told = cluster.python(0, ENDS).splitlines()
    assert told[:4] == ["exit status 3", "signal 9 (SIGKILL)", "no licence", "''"]
    assert told[4] in ("'' ''", "'signal 15 (SIGTERM)' ''")
    assert told[5] == "True"


@pytest.mark.parametrize("cluster", [2], indirect=True)
def test_they_are_told_to_a_host_that_came_later(cluster: Cluster):
    """What tasks print is in the log of the host on which the virtual machine was started."""
    cluster.exec(1, [sys.executable, "-m", "biskit_pvm", "start", "node0"])
    told = cluster.python(0, ENDS.split("sys.stdin")[0]).splitlines()
    assert told == ["exit status 3", "signal 9 (SIGKILL)", "no licence", "''"]
