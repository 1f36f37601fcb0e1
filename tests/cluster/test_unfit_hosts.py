"""Hosts on which slaves cannot run are named with what finds the cause."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import biskit_pvm

from .cluster import Cluster
from .test_console import MASTER


def test_a_host_without_python_and_one_without_the_package(cluster: Cluster):
    cluster.hide(2, Path(biskit_pvm.__file__).parent)
    cluster.hide(3, Path(sys.executable).parent)
    script = MASTER.replace("verbose=0", "verbose=1")
    done = cluster.exec(0, [sys.executable, "-c", script, "20", *cluster.names], stderr=subprocess.STDOUT)
    assert "result 20" in done.stdout
    assert "error spawning node3\n\tNoFile  No such file; see: biskit-pvm doctor node3" in done.stdout
    assert "node2 has ended: its process ended before it was up" in done.stdout
    assert "cannot import name 'JobSlave' from 'biskit_pvm'" in done.stdout  # what the slave printed
    doctor = cluster.exec(0, [sys.executable, "-m", "biskit_pvm", "doctor", "node2", "node3"], check=False)
    assert "node2: package: " in doctor.stdout
    assert "No module named 'biskit_pvm'" in doctor.stdout
    assert f"node3: Python: there is no {sys.executable}" in doctor.stdout
