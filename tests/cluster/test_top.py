"""The live view of several hosts, one of which falls silent."""

from __future__ import annotations

import shutil
import sys

import pytest

from ..support.terminal import Terminal

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")

COMMAND = [sys.executable, "-m", "biskit_pvm", "top", "--interval", "0.3"]


@pytest.fixture
def view(cluster):
    """Give the live view on the first of three hosts."""
    cluster.exec(0, [sys.executable, "-m", "biskit_pvm", "start", "node1", "node2"])
    terminal = Terminal(lambda argv: cluster.exec(0, argv).stdout, "/tmp/tmux", COMMAND)
    yield terminal
    terminal.close()


def test_hosts_have_a_load_and_one_is_deleted(cluster, view):
    for node in range(3):
        view.shows(rf"^ node{node} +\d+\.\d\d +\d+ +0 +1000")
    view.press("Tab", "End", "d")
    view.shows(r"Delete host node2 and end 0 tasks on it\?")
    view.press("y")
    view.shows(r"node2 deleted")
    view.shows(r"2 hosts, 0 tasks")
    cluster.exec(0, [sys.executable, "-m", "biskit_pvm", "add", "node3"])
    view.shows(r"^ node3 +\d+\.\d\d +\d+ +0 +1000")


def test_a_silent_host_does_not_hold_the_person_up(cluster, view):
    view.shows(r"^ node2 +\d+\.\d\d")
    cluster.cut(2)
    view.shows(r"the pvmd has not answered for \d+ s", 60)
    view.press("Tab")
    view.shows(r"^>host")
    view.press("q")
    view.shows(r"^rc=0$", 20)
