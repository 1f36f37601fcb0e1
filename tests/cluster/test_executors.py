"""Executors on several hosts: by `hosts=`, by the host file, by what the console has added."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter

import pytest

from pvm_ext.installation import console

from .cluster import HOME, Cluster

PROGRAM = """
import json, os, socket, sys, time
from biskit_pvm import PVMExecutor

def where(n):
    time.sleep(0.05)
    return socket.gethostname()

if __name__ == "__main__":
    with PVMExecutor({arguments}) as executor:
        executor.wait_for_workers()
        print(json.dumps(list(executor.map(where, range(80)))))
"""


def calls_per_host(cluster: Cluster, arguments: str, **options) -> tuple[Counter[str], str]:
    """Run 80 calls from node 0; return how many each host did, and what was said on standard error."""
    script = cluster.path(f"{HOME}/program.py")
    script.write_text(PROGRAM.format(arguments=arguments))
    done = cluster.exec(0, [sys.executable, f"{HOME}/program.py"], **options)
    return Counter(json.loads(done.stdout.splitlines()[-1])), done.stderr


@pytest.mark.timeout(120)
def test_hosts_that_are_named_are_added_and_all_of_them_work(cluster: Cluster):
    calls, _ = calls_per_host(cluster, f"hosts={cluster.names!r}")
    assert set(calls) == set(cluster.names) and min(calls.values()) >= 5


@pytest.mark.timeout(120)
def test_the_host_file_says_where_and_how_many(cluster: Cluster):
    folder = cluster.path(f"{HOME}/.biskit")
    folder.mkdir(exist_ok=True)
    cpus = ["node0", "node1", "node1", "node2", "node2", "node2"]
    (folder / "hosts.py").write_text(f"cpus_own = {cpus!r}\nnodes_own = ['node0', 'node1', 'node2']\n")
    calls, _ = calls_per_host(cluster, "")
    assert set(calls) == {"node0", "node1", "node2"}
    assert calls["node2"] > calls["node0"]


@pytest.mark.timeout(120)
def test_all_processors_of_what_the_console_has_added_are_used(cluster: Cluster):
    cluster.exec(0, [sys.executable, "-m", "biskit_pvm", "start"])
    cluster.exec(0, [str(console())], input="add node1 node2\nquit\n")
    calls, _ = calls_per_host(cluster, "")
    assert set(calls) == {"node0", "node1", "node2"}
    n_processors = len(os.sched_getaffinity(0))
    assert max(calls.values()) < 80 * 2 / 3, f"{n_processors} processors each: {calls}"


@pytest.mark.timeout(120)
def test_a_host_that_cannot_be_had_is_told_with_numbers_and_the_others_work(cluster: Cluster):
    calls, errors = calls_per_host(cluster, "hosts=['node0', 'node1', 'no-such-host']")
    assert set(calls) == {"node0", "node1"}
    assert "2 of 3 slaves started" in errors and "no-such-host" in errors


FIRST_CALL = """
import asyncio, json, time
from biskit_pvm import PVMExecutor

async def main():
    with PVMExecutor(hosts=["node0", "node1", "node2"]) as executor:
        begun = time.monotonic()
        call = asyncio.get_running_loop().run_in_executor(executor, abs, -1)
        submitted = time.monotonic() - begun
        assert await call == 1
        print(json.dumps([submitted, time.monotonic() - begun]))

if __name__ == "__main__":
    asyncio.run(main())
"""


@pytest.mark.timeout(120)
def test_who_makes_the_first_call_does_not_wait_for_hosts_that_are_added(cluster: Cluster):
    cluster.cut(2)
    cluster.path(f"{HOME}/program.py").write_text(FIRST_CALL)
    done = cluster.exec(0, [sys.executable, f"{HOME}/program.py"])
    submitted, begun = json.loads(done.stdout.splitlines()[-1])
    assert submitted < begun / 4
