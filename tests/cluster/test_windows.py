"""Slaves in windows on the user's screen, from several hosts, and their output without windows."""

from __future__ import annotations

import re
import secrets
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..support.waiting import wait_for
from .cluster import HOME, LAB, Cluster

SLAVE = str(Path(__file__).parents[1] / "support" / "slaves" / "talkative.py")

MASTER = f"""
import sys
from biskit_pvm import TrackingJobMaster
seconds, show_output, *hosts = sys.argv[1:]
data = dict.fromkeys(range(4 * len(hosts)), float(seconds))
master = TrackingJobMaster(data, chunk_size=1, hosts=hosts, niceness=dict(), slave_script={SLAVE!r}, redistribute=0,
                           show_output=dict([("1", 1)]).get(show_output, show_output))
print('result', sorted(set(master.calculateResult().values())))
"""


class Screen:
    """An X server on node 0, which lets in who knows its key."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.key = secrets.token_hex(16)
        self.user = {"DISPLAY": ":0"}
        # xauth takes the key from its standard input, so it is in no list of processes.
        add = ["xauth", "-q", "-f", f"{HOME}/.Xauthority", "source", "-"]
        cluster.exec(0, add, input=f"add :0 . {self.key}\n")
        self.server = cluster.popen(
            0,
            [
                "Xvfb",
                ":0",
                "-screen",
                "0",
                "900x600x24",
                "-noreset",
                "-nolisten",
                "tcp",
                "-auth",
                f"{HOME}/.Xauthority",
            ],
        )
        wait_for(lambda: cluster.exec(0, ["xwininfo", "-root"], check=False, env=self.user).returncode == 0, 20)

    def windows(self) -> set[str]:
        """Return the titles of the windows there are."""
        tree = self.cluster.exec(0, ["xwininfo", "-root", "-tree"], env=self.user).stdout
        titles = re.findall(r'^ +0x[0-9a-f]+ "([^"]+)": \("xterm" "XTerm"\)', tree, re.M)
        assert len(titles) == len(set(titles))
        return set(titles)


@pytest.fixture
def screen(cluster: Cluster) -> Iterator[Screen]:
    """Give a screen on node 0 on which windows write down what they show."""
    lacking = [tool for tool in ("Xvfb", "xauth", "xterm", "xwininfo") if shutil.which(tool) is None]
    if lacking:
        pytest.skip(f"windows need the programs {', '.join(lacking)}")
    (cluster.path(HOME) / ".Xdefaults").write_text("XTerm*logging: on\nXTerm*logFile: /tmp/window\n")
    yield Screen(cluster)


def master(cluster: Cluster, *argv: str, **options):
    """Start a master on node 0."""
    return cluster.popen(0, [sys.executable, "-W", "error", "-u", "-c", MASTER, *argv], **options)


def shown(cluster: Cluster, host: str) -> str:
    """Return what the window of a host has shown."""
    path = cluster.path("/tmp/window", host)
    return path.read_text(errors="replace") if path.exists() else ""


def test_each_slave_has_a_window_with_its_output_from_remote_hosts_too(cluster, screen):
    child = master(cluster, "1.0", "1", "node0", "node1", "node2", env=screen.user)
    wait_for(lambda: len(screen.windows()) == 3, 30, "three windows")
    windows = screen.windows()
    assert windows == {"node0", "node1", "node2"}
    processes = [line for node in range(3) for line in cluster.processes(node).values()]
    terminals = [line for line in processes if line.startswith("/usr/bin/xterm")]
    # a terminal that is just starting its slave is in the list of processes twice
    titles = [re.search(r"-title (node\d) -geometry 30x10 -display \S+ -e .+? -i ", line)[1] for line in terminals]
    assert set(titles) == windows
    # live: before the calculation has ended
    for host in windows:
        wait_for(lambda host=host: "working on item" in shown(cluster, host), 20, f"text in the window of {host}")
    assert child.poll() is None
    # Nothing secret where everybody can read it, and nobody let in besides.
    assert screen.key not in "".join(processes)
    stranger = {**screen.user, "XAUTHORITY": "/nonexistent", "HOME": "/nonexistent"}
    assert cluster.exec(0, ["xwininfo", "-root"], env=stranger, check=False).returncode != 0
    out, err = child.communicate(timeout=60)
    assert "result ['node0', 'node1', 'node2']" in out, out + err
    for host in windows:
        text = shown(cluster, host)
        assert f"ready on {host}" in text
        assert "a warning about" in text
    wait_for(lambda: not screen.windows(), 10, "all windows closed")
    for node in (1, 2):
        wait_for(lambda node=node: not cluster.processes(node), 10, f"no process on node{node}")


def test_windows_can_be_kept_for_reading(cluster, screen):
    child = master(cluster, "0.1", "keep", "node0", "node1", env=screen.user)
    out, err = child.communicate(timeout=60)
    assert "result ['node0', 'node1']" in out, out + err
    assert set(screen.windows()) == {"node0", "node1"}
    assert "working on item" in shown(cluster, "node1")
    (terminal,) = [pid for pid, line in cluster.processes(1).items() if "xterm" in line]
    cluster.exec(1, ["kill", str(terminal)])
    # The connection that forwarded the display ends with the last window.
    wait_for(lambda: not cluster.processes(1), 10, "no process on node1")
    assert set(screen.windows()) == {"node0"}


def test_without_a_display_the_calculation_goes_on_without_windows(cluster):
    done = cluster.exec(0, [sys.executable, "-u", "-c", MASTER, "0.2", "1", "node0", "node1"])
    assert "result ['node0', 'node1']" in done.stdout
    assert "no windows: DISPLAY is not set" in done.stdout + done.stderr
    assert (done.stdout + done.stderr).count("no windows") == 1


def test_a_display_that_refuses_is_told(cluster, screen):
    environment = {**screen.user, "XAUTHORITY": f"{LAB}/nothing"}
    done = cluster.exec(0, [sys.executable, "-u", "-c", MASTER, "0.2", "1", "node0", "node1"], env=environment)
    assert "result ['node0', 'node1']" in done.stdout
    assert "no windows: the display :0 refuses us" in done.stdout + done.stderr


def test_a_host_without_xterm_works_without_a_window(cluster, screen):
    cluster.exec(1, ["mount", "--bind", "/dev/null", "/usr/bin/xterm"])
    child = master(cluster, "0.3", "1", "node1", "node2", env=screen.user)
    wait_for(lambda: set(screen.windows()) == {"node2"}, 30, "a window of node2 alone")
    out, err = child.communicate(timeout=60)
    assert "result ['node1', 'node2']" in out, out + err
    assert "no window on node1: xterm is not there; on node1: apt-get install xterm" in out + err


def test_a_host_that_forwards_no_displays_works_without_a_window(cluster, screen):
    config = cluster.path(f"{LAB}/sshd_config")
    config.write_text(config.read_text().replace("X11Forwarding yes", "X11Forwarding no"))
    cluster.kill(1)
    cluster.boot(1)
    done = cluster.exec(0, [sys.executable, "-u", "-c", MASTER, "0.2", "1", "node0", "node1"], env=screen.user)
    assert "result ['node0', 'node1']" in done.stdout
    assert "no window on node1: its ssh server forwards no displays" in done.stdout + done.stderr


def test_output_is_told_by_lines_and_named_by_host(cluster):
    done = cluster.exec(0, [sys.executable, "-u", "-c", MASTER, "0.2", "log", *cluster.names])
    lines = done.stdout.splitlines()
    assert f"result {cluster.names}" in lines
    for host in cluster.names:
        assert f"{host}: ready on {host}" in lines
    told = sorted(int(line.split()[-1]) for line in lines if re.fullmatch(r"node\d: working on item \d+", line))
    assert told == list(range(16))
    told = sorted(int(line.split()[-1]) for line in lines if re.fullmatch(r"node\d: a warning about \d+", line))
    assert told == list(range(16))
