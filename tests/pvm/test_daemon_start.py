"""A daemon is started where none runs, and is gone when nobody needs it any more."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from biskit_pvm.machine import helper

from ..support.traces import processes_with
from ..support.vm import VirtualMachine
from ..support.waiting import wait_for

START = "from biskit_pvm.machine import daemon\nimport pvm_ext, sys, time\nprint(daemon.ensure_running(), flush=True)\n"


@pytest.fixture
def place() -> Iterator[VirtualMachine]:
    """Give a folder and an environment of its own in which no daemon runs."""
    with VirtualMachine() as machine:
        machine.halt()
        yield machine


def daemons(place: VirtualMachine) -> list[str]:
    """Return the command lines of the daemons that run."""
    found = processes_with("PVM_TMP", str(place.folder))
    return [process.command for process in found if "/pvmd" in process.command]


def test_a_daemon_is_started_and_halted_behind_us(place):
    out = place.python(START + "print(len(pvm_ext.config().hosts))")
    assert out == "True\n1\n"
    assert daemons(place) == []
    assert not list(place.folder.glob("pvmd.*"))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_it_is_halted_however_we_end(place, number):
    # Python sees a signal that comes just before a sleep only after it.
    child = place.popen([sys.executable, "-c", START + "while True: time.sleep(0.1)"])
    assert child.stdout.readline() == "True\n"
    wait_for(lambda: len(daemons(place)) == 1, 20)  # the first one forks at its start
    child.send_signal(number)
    child.wait(30)
    wait_for(lambda: not processes_with("PVM_TMP", str(place.folder)), 20)


def test_it_stays_as_long_as_others_use_it(place):
    child = place.popen([sys.executable, "-c", START + "sys.stdin.read()"], stdin=subprocess.PIPE)
    assert child.stdout.readline() == "True\n"
    other = place.popen([sys.executable, "-c", START + "sys.stdin.read()"], stdin=subprocess.PIPE)
    assert other.stdout.readline() == "False\n"
    child.stdin.close()
    child.wait(30)
    assert len(daemons(place)) == 1
    assert other.poll() is None
    other.stdin.close()
    other.wait(30)
    wait_for(lambda: not daemons(place), 20)


HELPED = """
from biskit_pvm.machine import agent, daemon
print(daemon.ensure_running(), agent.pool().call("delete_hosts_here", ["nowhere"]))
"""


def test_helpers_import_nothing_from_the_folder_that_happens_to_be_the_current_one(place, tmp_path):
    """The keeper and agents, in a folder with a package of our name that is not built, and other traps."""
    folder, script = tmp_path / "folder", tmp_path / "script.py"
    script.write_text(HELPED)
    for module in ("biskit_pvm/__init__", "pvm_ext/__init__", "struct", "queue", "pickle", "signal", "tempfile"):
        trap = folder / f"{module}.py"
        trap.parent.mkdir(parents=True, exist_ok=True)
        trap.write_text(f"open({str(tmp_path / 'taken')!r}, 'w').write(__file__)\nraise ImportError(__file__)\n")
    done = place.run([sys.executable, str(script)], cwd=folder)
    assert done.stdout.startswith("True [HostResult(host='nowhere', code=0")
    wait_for(lambda: not daemons(place), 20)
    assert not (tmp_path / "taken").exists()


def test_one_that_runs_is_used_and_left_alone(vm):
    assert vm.python(START) == "False\n"
    assert vm.pvmd.poll() is None


def test_autostart_can_be_turned_off(place):
    done = place.run([sys.executable, "-c", START], check=False, env={**place.env, "BISKIT_PVM_AUTOSTART": "0"})
    assert done.returncode == 1
    assert "no daemon of this user is running here" in done.stderr
    assert daemons(place) == []


def test_a_task_starts_no_daemon_when_its_own_is_gone(place):
    environment = {**place.env, "PVMSOCK": str(place.folder / "pvmtmp000000.0")}
    done = place.run([sys.executable, "-c", START], check=False, env=environment)
    assert done.returncode == 1
    assert daemons(place) == []


def test_the_files_of_a_killed_daemon_are_no_obstacle(vm):
    vm.pvmd.kill()
    vm.pvmd.wait(15)
    code = START + "print(daemon.lives(), daemon.is_stale(), daemon.pid() > 0, daemon.log_file().exists())"
    assert vm.python(code) == "True\nTrue False True True\n"


def test_settings_are_those_of_the_daemon_that_runs(vm):
    code = (
        "import json, os\nos.environ['PVM_RSH'] = '/ours'\nfrom biskit_pvm.machine import daemon\n"
        "s = daemon.settings()\n"
        "print(json.dumps([s['PVM_RSH'], s['PVM_DPATH'], s['PVM_TMP'], daemon.uses_loopback()]))\n"
    )
    rsh, dpath, folder, _ = json.loads(vm.python(code))
    assert (rsh, dpath, folder) == ("rsh", "pvmd", str(vm.folder))
    vm.halt()
    rsh, dpath, _, loopback = json.loads(vm.python(code))
    assert rsh == "/ours"
    assert "exec pvmd" in dpath
    assert not loopback


def test_two_processes_that_start_one_at_once_get_the_same(place):
    code = START + "print(pvm_ext.mytid() > 0, flush=True); sys.stdin.read()"
    children = [place.popen([sys.executable, "-c", code], stdin=subprocess.PIPE) for _ in range(4)]
    for child in children:
        assert child.stdout.readline() in ("True\n", "False\n"), child.stderr.read()
        assert child.stdout.readline() == "True\n"
    wait_for(lambda: len(daemons(place)) == 1, 20)
    for child in children:
        child.stdin.close()
    for child in children:
        child.wait(30)
    wait_for(lambda: not daemons(place), 20)


def test_the_remote_command_finds_our_daemon_and_else_the_paths(place, tmp_path):
    """It is a word for any shell: try it with sh, as ssh does."""
    code = "from biskit_pvm.machine import daemon; print(daemon.remote_command())"
    command = place.python(code).strip()
    program = tmp_path / "pvmd"
    program.write_text('#!/bin/sh\necho other $PVM_ROOT "$@"\n')
    program.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "PVM_TMP": str(tmp_path), "PVM_ALLOW_ROOT": "1"}
    ours = place.run(["sh", "-c", f"{command} -s nonsense"], env=environment, check=False)
    assert "other" not in ours.stdout
    real = place.python("from pvm_ext import installation; print(installation.daemon())").strip()
    missing = command.replace(real, "/nonexistent/pvmd")
    other = place.run(["sh", "-c", f"{missing} -s 'a b'"], env=environment)
    assert other.stdout == "other -s a b\n"
    assert not list(Path(tmp_path).glob("pvmd.*"))


@pytest.mark.parametrize("what", ["missing", "file", "read-only", "relative", ".", "", "long"])
def test_a_folder_that_cannot_have_its_files_is_named(place, tmp_path, what):
    folder = {"relative": what, ".": what, "": what, "long": str(tmp_path / ("x" * 90))}.get(what, str(tmp_path / what))
    if what == "file":
        (tmp_path / what).touch()
    elif what == "long":
        Path(folder).mkdir()
    elif what == "read-only":
        Path(folder).mkdir(0o555)
        if os.getuid() == 0:
            folder = "/proc/1"  # nobody can
    (tmp_path / "here").mkdir()
    environment = {**place.env, "PVM_TMP": folder}
    before = sorted(tmp_path.rglob("*"))
    done = place.run([sys.executable, "-c", START], check=False, env=environment, cwd=tmp_path / "here")
    assert done.returncode == 1
    assert "CantStartError" in done.stderr and f"PVM_TMP is {folder!r}" in done.stderr
    assert sorted(tmp_path.rglob("*")) == before


MASTERS = """
import os, signal, sys
from biskit_pvm import TrackingJobMaster
from biskit_pvm.machine import daemon

def calculate():
    master = TrackingJobMaster({1: 1, 2: 2}, 1, [os.uname().nodename] * 2, slave_script=sys.argv[1], verbose=0)
    return dict(sorted(master.calculateResult().items()))

print(calculate())
os.kill(daemon.pid(), signal.SIGKILL)
print(calculate())
print(len(list(daemon.folder().glob("pvmd.*"))))
"""


def test_a_master_works_after_another_one_whose_daemon_was_killed(place, tmp_path):
    script = tmp_path / "slave.py"
    script.write_text(
        "from biskit_pvm import JobSlave\nclass Slave(JobSlave):\n    go = lambda self, items: items\nSlave().start()\n"
    )
    assert place.python(MASTERS, str(script)) == "{1: 1, 2: 2}\n" * 2 + "1\n"
    wait_for(lambda: not daemons(place), 20)


def left(place: VirtualMachine) -> list[str]:
    """Return the files that daemons and tasks have left behind, logs apart."""
    return sorted(path.name for path in place.folder.iterdir() if path.name.startswith(("pvmd", "pvmtmp")))


@pytest.mark.parametrize("milliseconds", [0, 2, 4, 6, 8, 10, 15, 20, 30])
def test_none_is_left_however_early_its_owner_is_killed(place, milliseconds):
    """Who has started a daemon is killed while that is still starting."""
    code = "from biskit_pvm.machine import daemon\nprint(flush=True)\ndaemon.ensure_running()\n"
    child = place.popen([sys.executable, "-c", code])
    assert child.stdout.readline() == "\n"
    time.sleep(milliseconds / 1000)
    child.kill()
    child.wait(30)
    wait_for(lambda: not processes_with("PVM_TMP", str(place.folder)), 20)
    assert left(place) == []


def test_a_keeper_whose_daemon_has_ended_before_it_could_look_ends(place):
    """The shell that becomes the keeper has waited for it, so that it is nobody's child any more."""
    ended = place.popen(["true"])
    ended.wait(30)
    numbers = [str(os.getpid()), str(ended.pid)]
    keeper = place.popen([*helper.command("biskit_pvm.machine.daemon", "keep"), *numbers], stdin=subprocess.PIPE)
    assert keeper.wait(20) == 0


@pytest.mark.parametrize("cleared", ["pvmd.*", "pvm*"])
def test_none_is_left_whose_files_were_cleared_away(place, cleared):
    """As whoever tidies up /tmp does, or a batch system at the end of a job."""
    child = place.popen([sys.executable, "-c", START + "time.sleep(60)"])
    assert child.stdout.readline() == "True\n"
    for path in place.folder.glob(cleared):
        path.unlink()
    child.kill()
    child.wait(30)
    wait_for(lambda: not processes_with("PVM_TMP", str(place.folder)), 20)
    assert left(place) == []


def test_one_that_nobody_finds_any_more_takes_nothing_of_another_along(place):
    first = place.popen([sys.executable, "-c", START + "time.sleep(60)"])
    assert first.stdout.readline() == "True\n"
    for path in place.folder.glob("pvmd.*"):
        path.unlink()
    second = place.popen([sys.executable, "-c", START + "sys.stdin.read()"], stdin=subprocess.PIPE)
    assert second.stdout.readline() == "True\n"
    wait_for(lambda: len(daemons(place)) == 2, 20)
    first.kill()
    first.wait(30)
    wait_for(lambda: len(daemons(place)) == 1, 20)
    assert place.python(START) == "False\n"
    second.stdin.close()
    second.wait(30)
    wait_for(lambda: not processes_with("PVM_TMP", str(place.folder)), 20)
    assert left(place) == []


def test_the_keeper_clears_away_what_a_killed_daemon_has_left(place):
    code = START + "import os\nos.kill(daemon.pid(), 9)\nsys.stdin.read()"
    child = place.popen([sys.executable, "-c", code], stdin=subprocess.PIPE)
    assert child.stdout.readline() == "True\n"
    wait_for(lambda: left(place) == [], 20)
    child.stdin.close()
    child.wait(30)


LIMITS = """
import resource, sys
import pvm_ext as p
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[1]), hard))
p.start_pvmd()
tid, = p.spawn(sys.executable, ["-c", sys.argv[2]], p.Spawn.HOST, ".", 1)
print(p.recv_object(tid, 1, 30).value == [hard, min(int(sys.argv[1]), 1024), hard, int(sys.argv[1]), False])
p.halt()
"""
LIMITS_OF_TASK = """
import os, resource
import pvm_ext as p
before = resource.getrlimit(resource.RLIMIT_NOFILE)
p.mytid()
after = resource.getrlimit(resource.RLIMIT_NOFILE)
p.send_object(p.parent(), 1, [before[1], before[0], after[1], after[0], "PVM_EXT_OPEN_FILES" in os.environ])
p.exit()
"""


@pytest.mark.parametrize("limit", ["512", "1024", "1500"])
def test_the_daemon_has_few_descriptors_to_close_and_its_tasks_have_our_limit(place, limit):
    assert place.python(LIMITS, limit, LIMITS_OF_TASK) == "True\n"
