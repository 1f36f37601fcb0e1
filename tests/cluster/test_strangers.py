"""A stranger on the network: who can connect to a direct link, and what that does."""

from __future__ import annotations

import subprocess
import sys

import pytest

from .cluster import Cluster
from .test_calculations import Run

# Runs until its input ends.  Connects to every TCP port of this node that is listened on, as
# soon as it is, and to those that are in use.
STRANGER = """
import os, select, socket, struct, sys
def rows(state):
    for line in open('/proc/net/tcp').readlines()[1:]:
        words = line.split()
        if words[3] == state:
            address, port = words[1].split(':')
            host = socket.inet_ntoa(bytes(reversed(bytes.fromhex(address))))
            yield sys.argv[1] if host == '0.0.0.0' else host, int(port, 16)
own, met, opened, refused = set(), set(), [], 0
print('ready', flush=True)
while not select.select([sys.stdin], [], [], 0.002)[0]:
    for where in [*rows('0A'), *rows('01')]:
        if where[1] in (22,) or where in own:
            continue
        s = socket.socket()
        s.settimeout(1)
        try:
            s.connect(where)
            own.add(s.getsockname())
            met.add(where)
            s.sendall(struct.pack('>IIII', 0x40001, 0x80001, 64, 0) + os.urandom(400))
            opened.append(s)
        except OSError:
            refused += 1
print(len(met), refused, flush=True)
"""


@pytest.mark.timeout(120)
@pytest.mark.parametrize("cluster", [2], indirect=True)
def test_what_connects_to_direct_links_changes_nothing(cluster: Cluster):
    strangers = [
        cluster.popen(name, [sys.executable, "-c", STRANGER, cluster.addresses[name]], stdin=subprocess.PIPE)
        for name in cluster.names
    ]
    for stranger in strangers:
        assert stranger.stdout.readline() == "ready\n"
    # a link whose other end somebody else has taken is given up, and its slave replaced
    run = Run(cluster, cluster.names, 60, 0.02, options={"start_timeout": 10.0, "heartbeat": 5.0})
    result = run.result()
    assert len(result) == 60 and {place.split(":")[0] for place in result.values()} <= set(cluster.names)
    for stranger in strangers:
        out, err = stranger.communicate("\n", timeout=20)
        assert stranger.returncode == 0, err
        print(out)
