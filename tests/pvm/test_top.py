"""The live view in a real terminal."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ..support.terminal import Terminal
from ..support.vm import VirtualMachine
from ..support.waiting import wait_for

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")

MASTER = """\
import os, sys
from biskit_pvm import TrackingJobMaster

class LongMaster(TrackingJobMaster):
    pass

here = os.path.dirname(os.path.abspath(__file__))
LongMaster({i: i for i in range(10000)}, 1, [sys.argv[1]] * 2, verbose=0, max_respawns=0,
           slave_script=os.path.join(here, "slave.py")).calculateResult()
"""
SLAVE = """\
import time
from biskit_pvm import JobSlave

class Slave(JobSlave):
    def go(self, chunk):
        time.sleep(0.3)
        return chunk

if __name__ == "__main__":
    Slave().start()
"""


COMMAND = [sys.executable, "-m", "biskit_pvm", "top", "--interval", "0.3"]


@pytest.fixture
def terminal(vm: VirtualMachine) -> Iterator[Callable[..., Terminal]]:
    """Give what opens a window in the virtual machine `vm`."""
    opened = []

    def open_() -> Terminal:
        opened.append(Terminal(lambda argv: vm.run(argv).stdout, str(vm.folder / "tmux"), COMMAND))
        return opened[-1]

    yield open_
    for one in opened:
        one.close()


@pytest.fixture
def calculation(vm: VirtualMachine, tmp_path: Path) -> str:
    """Run a long calculation with two slaves; give the name of the host."""
    (tmp_path / "master.py").write_text(MASTER)
    (tmp_path / "slave.py").write_text(SLAVE)
    conf = vm.run([sys.executable, "-m", "biskit_pvm", "conf", "--json"]).stdout
    (host,) = json.loads(conf)
    vm.popen([sys.executable, str(tmp_path / "master.py"), host["name"]])
    name: str = host["name"]
    return name


def test_it_shows_hosts_and_slaves_at_work(vm, calculation, terminal):  # type: ignore[no-untyped-def]
    view = terminal()
    host = calculation
    view.shows(rf"LongMaster \(t[0-9a-f]+ on {host}\): \d+/10000 items, .* left, 2 slaves")
    view.shows(rf"^ {host} +\d+\.\d\d +\d+ +4 +1000")  # load, CPUs, tasks, speed
    view.shows(rf"^ +[0-9a-f]+ {host} +working +\d+ +0\.\d+ s +\d s LongMaster +{host}_0$")
    view.shows(rf"^ +[0-9a-f]+ {host} +master .* LongMaster$")
    view.shows(rf"^ +[0-9a-f]+ {host} +agent .* LongMaster +-$")
    view.press("q")
    view.shows(r"^rc=0$")
    assert "biskit-pvm top" not in view.screen()


def test_keys_sort_and_move(vm, calculation, terminal):  # type: ignore[no-untyped-def]
    view = terminal()
    view.shows(r"working")
    tids = re.findall(r"^ +([0-9a-f]{5,}) ", view.screen(), re.M)
    assert tids == sorted(tids)
    view.shows(r"tid\^")
    view.press("r")
    view.shows(r"tidv")
    wait_for(lambda: re.findall(r"^ +([0-9a-f]{5,}) ", view.screen(), re.M) == tids[::-1], 20)
    view.press("s")
    view.shows(r"hostv")
    view.press("Tab")
    view.shows(r"^>host\^")


def test_a_task_is_killed_from_the_view(vm, calculation, terminal):  # type: ignore[no-untyped-def]
    view = terminal()
    view.shows(rf"{calculation}_1$")
    view.press("End", "k")
    tid = view.shows(r"End task ([0-9a-f]+)\? \(y/n\)")[1]
    view.press("n")
    wait_for(lambda: "(y/n)" not in view.screen(), 20)
    assert int(tid, 16) in [task["tid"] for task in vm.tasks()]
    view.press("k", "y")
    view.shows(rf"task {tid} was told to end")
    wait_for(lambda: int(tid, 16) not in [task["tid"] for task in vm.tasks()], 20)


def test_the_first_host_cannot_be_deleted_and_that_is_said(vm, calculation, terminal):  # type: ignore[no-untyped-def]
    view = terminal()
    view.shows(rf"{calculation}_1$")
    view.press("Tab", "d")
    view.shows(rf"Delete host {calculation} and end 4 tasks on it\? \(y/n\)")
    view.press("y")
    view.shows(rf"{calculation} could not be deleted: PVM was started there")


def test_a_smaller_window_is_used_as_it_is(vm, calculation, terminal):  # type: ignore[no-untyped-def]
    view = terminal()
    view.shows(r"working")
    view.resize(60, 12)
    view.shows(r"^tab other table")
    view.shows(r"working")
    view.resize(20, 3)
    view.resize(120, 30)
    view.shows(r"q quit$")


def test_it_ends_with_the_pvmd(vm, terminal):  # type: ignore[no-untyped-def]
    view = terminal()
    view.shows(r"1 host, 0 tasks, 0 calculations")
    vm.halt()
    view.shows(r"^rc=\d+$")


def test_ctrl_c_leaves(vm, terminal):  # type: ignore[no-untyped-def]
    view = terminal()
    view.shows(r"1 host, 0 tasks")
    view.press("C-c")
    view.shows(r"^rc=0$")
    wait_for(lambda: vm.tasks() == [], 20)


def test_without_a_terminal_it_says_so(vm):  # type: ignore[no-untyped-def]
    done = vm.run([sys.executable, "-m", "biskit_pvm", "top"], check=False)
    assert done.returncode == 1
    assert "needs a terminal" in done.stderr


def test_without_a_pvmd_it_says_so(vm, terminal):  # type: ignore[no-untyped-def]
    vm.halt()
    view = terminal()
    view.shows(r"^rc=3$")
    # Lines end anywhere, and a space is not seen at their ends.
    assert "startonewith:biskit-pvmstart" in re.sub(r"\s", "", view.screen())
