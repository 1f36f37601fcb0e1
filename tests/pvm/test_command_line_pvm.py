"""The command line on a real virtual machine."""

from __future__ import annotations

import ast
import json
import os
import pickle
import pty
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ..support.vm import VirtualMachine
from ..support.waiting import wait_for

COMMAND = [sys.executable, "-m", "biskit_pvm"]


def _run(vm: VirtualMachine, *args: str, **options: Any) -> Any:
    return vm.run([*COMMAND, *args], **options)


def _spawn_sleeper(vm: VirtualMachine) -> int:
    code = "import pvm_ext as p; print(p.spawn('/bin/sleep', ['1000'], 0, '', 1)[0]); p.exit()"
    return int(vm.python(code))


def test_conf_lists_the_hosts(vm: VirtualMachine):
    (host,) = json.loads(_run(vm, "conf", "--json").stdout)
    assert (host["dtid"], host["speed"]) == (0x40000, 1000)
    text = _run(vm, "conf").stdout.splitlines()
    assert text[0].split() == ["host", "dtid", "architecture", "speed"]
    assert text[1].split() == [host["name"], "40000", host["arch"], "1000"]


def test_ps_lists_the_tasks_without_itself(vm: VirtualMachine):
    assert _run(vm, "ps").stdout == "no tasks\n"
    tid = _spawn_sleeper(vm)
    (task,) = json.loads(_run(vm, "ps", "--json").stdout)
    assert (task["tid"], task["name"]) == (tid, "/bin/sleep")
    assert os.readlink(f"/proc/{task['pid']}/exe").endswith("sleep")
    (host,) = json.loads(_run(vm, "conf", "--json").stdout)
    assert f"{tid:x}  {host['name']}" in _run(vm, "ps", "--host", host["name"]).stdout


def test_ps_of_a_host_that_is_not_there(vm: VirtualMachine):
    done = _run(vm, "ps", "--host", "nowhere", check=False)
    assert done.returncode == 1
    assert "no host 'nowhere' in the virtual machine" in done.stderr


def test_reset_ends_all_tasks_after_asking(vm: VirtualMachine):
    _spawn_sleeper(vm)
    _spawn_sleeper(vm)
    done = _run(vm, "reset", input="n\n", check=False)
    assert (done.returncode, "End 2 tasks?" in done.stdout) == (1, True)
    assert len(vm.tasks()) == 2
    assert "2 tasks told to end" in _run(vm, "reset", "--yes").stdout
    wait_for(lambda: vm.tasks() == [])


def test_halt_ends_the_machine(vm: VirtualMachine):
    (host,) = json.loads(_run(vm, "conf", "--json").stdout)
    assert _run(vm, "halt", "--yes").stdout == f"halted {host['name']}\n"
    vm.pvmd.wait(15)
    assert _run(vm, "conf", check=False).returncode == 3


def test_halt_asks_nobody_because_of_the_group_server_of_pvm(vm: VirtualMachine):
    vm.run([sys.executable, "-c", "import pvm_ext; pvm_ext.joingroup('choir'); pvm_ext.exit()"])
    assert len(vm.tasks()) == 1
    assert _run(vm, "halt", input="").stdout.startswith("halted")


def test_the_console_works_on_the_machine_that_runs(vm: VirtualMachine):
    (host,) = json.loads(_run(vm, "conf", "--json").stdout)
    said = _run(vm, "console", input="conf\nquit\n").stdout
    assert "1 host, 1 data format" in said and host["name"] in said
    assert len(json.loads(_run(vm, "conf", "--json").stdout)) == 1  # it runs on


def test_the_console_starts_the_daemon_of_its_own_pvm(vm: VirtualMachine):
    vm.halt()
    assert "1 host, 1 data format" in _run(vm, "console", input="conf\nquit\n").stdout
    assert _run(vm, "halt", "--yes").stdout.startswith("halted")


def test_add_tells_what_is_wrong_with_a_host(vm: VirtualMachine):
    done = _run(vm, "add", "no-such-host.invalid", check=False)
    assert done.returncode == 1
    assert "cannot add host no-such-host.invalid" in done.stderr
    (host,) = json.loads(_run(vm, "conf", "--json").stdout)
    assert _run(vm, "add", host["name"]).stdout == f"added {host['name']}\n"
    both = _run(vm, "add", "--json", host["name"], "no-such-host.invalid", check=False)
    assert [row["code"] < 0 for row in json.loads(both.stdout)] == [False, True]


def test_blanks_and_line_ends_around_a_name_do_not_matter(vm: VirtualMachine):
    (host,) = json.loads(_run(vm, "conf", "--json").stdout)
    assert _run(vm, "add", f" {host['name']}\n").stdout == f"added {host['name']}\n"
    assert _run(vm, "ps", "--host", f"{host['name']} ").stdout == "no tasks\n"


def test_the_first_host_cannot_be_deleted(vm: VirtualMachine):
    (host,) = json.loads(_run(vm, "conf", "--json").stdout)
    done = _run(vm, "delete", host["name"], check=False)
    assert done.returncode == 1
    assert f"cannot delete {host['name']}" in done.stderr


def test_doctor_looks_at_this_host(vm: VirtualMachine):
    findings = json.loads(_run(vm, "doctor", "--json", check=False).stdout)
    assert {"PVM", "Python"} & {finding["subject"] for finding in findings}
    assert {finding["level"] for finding in findings} <= {"ok", "warning", "error"}


@pytest.mark.parametrize(
    ("text", "level", "words"),
    [
        (None, "ok", "there is no ~/.biskit/hosts.py"),
        ("nodes_own = ['a', 'b']\ncpus_own = nodes_own * 4\n", "ok", "~/.biskit/hosts.py: 2 hosts, 8 slaves"),
        ("nodes_own = [\n", "error", "hosts.py, line 1: "),
    ],
)
def test_doctor_looks_at_the_host_file(vm: VirtualMachine, tmp_path: Path, text: str, level: str, words: str):
    if text:
        (tmp_path / ".biskit").mkdir()
        (tmp_path / ".biskit" / "hosts.py").write_text(text)
    done = _run(vm, "doctor", "--json", env={**vm.env, "HOME": str(tmp_path)}, check=False)
    (found,) = [finding for finding in json.loads(done.stdout) if finding["subject"] == "host file"]
    assert found["level"] == level
    assert words in found["text"]
    assert done.returncode == (level == "error")


def test_doctor_names_what_is_wrong_with_a_host(vm: VirtualMachine):
    done = _run(vm, "doctor", "no-such-host.invalid", check=False)
    assert done.returncode == 1
    assert "ERROR   no-such-host.invalid" in done.stdout


def test_clean_removes_what_a_killed_pvmd_left(vm: VirtualMachine):
    def cleaned(*options: str) -> list[str]:
        *lines, last = _run(vm, "clean", *options).stdout.splitlines()
        what = "to remove" if options else "removed"
        assert last == f"{len(lines)} file{'s' * (len(lines) != 1)} {what}"
        return [line for line in lines if line.startswith("pvm")]  # others may work in /dev/shm

    assert cleaned("--dry-run") == []
    files = {path.name for path in vm.folder.iterdir()}
    vm.pvmd.kill()
    vm.pvmd.wait(15)
    assert len(cleaned("-n")) >= 2
    assert {path.name for path in vm.folder.iterdir()} == files
    assert len(cleaned()) >= 2
    left = {path.name for path in vm.folder.iterdir()}
    assert not [name for name in left if name.startswith(("pvmd.", "pvml.", "pvmtmp"))]
    assert cleaned() == []


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Give the environment of a virtual machine that does not run yet; it is halted behind us."""
    with VirtualMachine() as vm:
        env = dict(vm.env)
        vm.halt()
        yield env
        vm.run([*COMMAND, "halt", "--yes"], env=env, check=False)


def test_start_starts_a_machine_that_stays(alone: dict[str, str], vm: VirtualMachine):
    assert _run(vm, "start", env=alone).stdout.startswith("started")
    assert len(json.loads(_run(vm, "conf", "--json", env=alone).stdout)) == 1
    assert _run(vm, "start", env=alone).stdout.startswith("a virtual machine is already running")
    assert _run(vm, "halt", env=alone).stdout.startswith("halted")


def test_hosts_shows_the_host_file(vm: VirtualMachine, tmp_path: Path):
    folder = tmp_path / ".biskit"
    folder.mkdir()
    (folder / "hosts.py").write_text(
        "nodes_own = ['here']\ncpus_own = ['here'] * 4\nnodes_other = ['there']\n"
        "nice_dic = {'default': 1, 'here': 5, 'there': 10}\n"
    )
    env = {**vm.env, "HOME": str(tmp_path)}
    rows = [line.split() for line in _run(vm, "hosts", env=env).stdout.splitlines()]
    assert rows[0] == ["host", "group", "cpus", "nice", "GB"]
    assert rows[1][:4] == ["here", "own", "4", "5"]
    assert rows[2][:4] == ["there", "other", "1", "10"]
    assert json.loads(_run(vm, "hosts", "--json", env=env).stdout)["cpus_own"] == ["here"] * 4


def test_a_broken_host_file_is_named(vm: VirtualMachine, tmp_path: Path):
    (tmp_path / ".biskit").mkdir()
    (tmp_path / ".biskit" / "hosts.py").write_text("nodes_own = [\n")
    done = _run(vm, "hosts", env={**vm.env, "HOME": str(tmp_path)}, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: ")
    assert "hosts.py" in done.stderr


MASTER = """\
import os, sys
from biskit_pvm import TrackingJobMaster

class Master(TrackingJobMaster):
    pass

if __name__ == "__main__":
    here = os.path.dirname(os.path.abspath(__file__))
    master = Master({i: i for i in range(10)}, 1, [sys.argv[1]],
                    slave_script=os.path.join(here, "slave.py"), verbose=0)
    master.saveRst("saved.rst")
    print("saved")
"""
SLAVE = """\
from biskit_pvm import JobSlave

class Slave(JobSlave):
    def go(self, chunk):
        return {k: v * 2 for k, v in chunk.items()}

if __name__ == "__main__":
    Slave().start()
"""


def _saved(vm: VirtualMachine, folder: Path, master: str = MASTER, slave: str = SLAVE) -> None:
    """Have a master save itself in a folder."""
    (folder / "master.py").write_text(master)
    (folder / "slave.py").write_text(slave)
    (host,) = json.loads(_run(vm, "conf", "--json").stdout)
    vm.run([sys.executable, "master.py", host["name"]], cwd=folder)


DOUBLED = {i: 2 * i for i in range(10)}


def test_restart_finishes_a_saved_calculation(vm: VirtualMachine, tmp_path: Path):
    _saved(vm, tmp_path)
    done = _run(vm, "restart", "saved.rst", "--output", "result", cwd=tmp_path)
    assert "finished: 10 items" in done.stdout
    assert pickle.loads((tmp_path / "result").read_bytes()) == DOUBLED


def _as_somebody_else_writes_it(path: Path) -> None:
    """Take the seal from a restart file."""
    from biskit_pvm.restart import format

    parts = format.unpack(path.read_bytes())
    path.write_bytes(format.pack_body(parts.body, parts.header))


PLAIN = MASTER.replace("class Master(TrackingJobMaster):\n    pass\n", "Master = TrackingJobMaster\n")


def test_restart_of_a_file_of_somebody_else_needs_a_word(vm: VirtualMachine, tmp_path: Path):
    _saved(vm, tmp_path, PLAIN)
    _as_somebody_else_writes_it(tmp_path / "saved.rst")
    before = sorted(os.listdir(tmp_path))
    refused = _run(vm, "restart", "saved.rst", "--output", "result", cwd=tmp_path, check=False)
    assert refused.returncode == 1 and "--trust" in refused.stderr
    for told in ("TrackingJobMaster", str(tmp_path / "slave.py"), "10, 10 to be done"):
        assert told in refused.stderr
    assert sorted(os.listdir(tmp_path)) == before
    done = _run(vm, "restart", "saved.rst", "--trust", "--output", "result", cwd=tmp_path)
    assert "finished: 10 items" in done.stdout


def test_restart_with_a_script_of_ones_own_takes_plain_values_alone(vm: VirtualMachine, tmp_path: Path):
    slave = SLAVE.replace("    def go", "    def initialize(self, x):\n        open('marker', 'w')\n\n    def go")
    _saved(vm, tmp_path, PLAIN, slave)
    _as_somebody_else_writes_it(tmp_path / "saved.rst")
    (tmp_path / "own.py").write_text(SLAVE)
    (host,) = json.loads(_run(vm, "conf", "--json").stdout)
    words = ["--slave-script", "own.py", "--host", host["name"], "--output", "result"]
    _run(vm, "restart", "saved.rst", *words, cwd=tmp_path)
    assert pickle.loads((tmp_path / "result").read_bytes()) == DOUBLED
    assert not (tmp_path / "marker").exists()


def test_restart_without_output_refuses_before_the_work(vm: VirtualMachine, tmp_path: Path):
    _saved(vm, tmp_path)
    before = (tmp_path / "saved.rst").read_bytes()
    refused = _run(vm, "restart", "saved.rst", cwd=tmp_path, check=False)
    assert refused.returncode == 2 and "--output" in refused.stderr
    assert vm.tasks() == [] and (tmp_path / "saved.rst").read_bytes() == before
    refused = _run(vm, "restart", "saved.rst", "--output", "no/such/result", cwd=tmp_path, check=False)
    assert refused.returncode == 1 and "cannot be written" in refused.stderr
    assert "finished: 10 items" in _run(vm, "restart", "saved.rst", "--no-output", cwd=tmp_path).stdout


def test_restart_of_a_master_that_saves_its_result_needs_no_output(vm: VirtualMachine, tmp_path: Path):
    done = "class Master(TrackingJobMaster):\n    def done(self):\n        open('mine', 'w').write(repr(self.result))\n"
    _saved(vm, tmp_path, MASTER.replace("class Master(TrackingJobMaster):\n    pass\n", done))
    _run(vm, "restart", "saved.rst", cwd=tmp_path)
    assert ast.literal_eval((tmp_path / "mine").read_text()) == DOUBLED


def test_restart_keeps_what_is_finished_when_an_item_fails(vm: VirtualMachine, tmp_path: Path):
    slave = SLAVE.replace("        return", "        chunk.get(7) and 1 / 0\n        return")
    _saved(vm, tmp_path, slave=slave)
    failed = _run(vm, "restart", "saved.rst", "--output", "result", cwd=tmp_path, check=False)
    assert failed.returncode == 1 and "ZeroDivisionError" in failed.stderr
    assert "what is finished is in saved.rst" in failed.stderr
    (tmp_path / "slave.py").write_text(SLAVE)
    _run(vm, "restart", "saved.rst", "--output", "result", cwd=tmp_path)
    assert pickle.loads((tmp_path / "result").read_bytes()) == DOUBLED


def _run_typing(vm: VirtualMachine, keys: bytes, *args: str, cwd: Path) -> Any:
    """Run a command with a terminal at which somebody types."""
    here, there = pty.openpty()
    try:
        os.write(here, keys)
        return _run(vm, *args, cwd=cwd, stdin=there, check=False)
    finally:
        os.close(here)
        os.close(there)


def test_restart_asks_on_a_terminal(vm: VirtualMachine, tmp_path: Path):
    _saved(vm, tmp_path)
    _as_somebody_else_writes_it(tmp_path / "saved.rst")
    done = _run_typing(vm, b"n\n", "restart", "saved.rst", cwd=tmp_path)
    assert done.returncode == 1 and "Trust it" in done.stderr
    assert not (tmp_path / "saved.rst.result").exists()
    done = _run_typing(vm, b"y\n\n", "restart", "saved.rst", cwd=tmp_path)
    assert done.returncode == 0 and "Save the result as" in done.stderr
    assert pickle.loads((tmp_path / "saved.rst.result").read_bytes()) == DOUBLED


def test_ctrl_c_ends_a_calculation_and_its_slaves(vm: VirtualMachine, tmp_path: Path):
    _saved(vm, tmp_path, slave=SLAVE.replace("        return", "        import time; time.sleep(60)\n        return"))
    master = vm.popen([*COMMAND, "restart", "saved.rst", "--no-output"], cwd=tmp_path)
    wait_for(lambda: [task for task in vm.tasks() if task["ptid"]])
    master.send_signal(signal.SIGINT)
    assert master.wait(30) == 130
    wait_for(lambda: vm.tasks() == [])


def test_restart_refuses_what_is_no_restart_file(vm: VirtualMachine, tmp_path: Path):
    (tmp_path / "file").write_bytes(b"something else")
    done = _run(vm, "restart", "file", cwd=tmp_path, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: ")


OLD_SCRIPT = """\
import sys
import pypvm

print "tid", pypvm.mytid() > 0, sys.argv[1:], 7 / 2
pypvm.exit()
sys.exit(4)
"""


def test_run_runs_a_script_of_old_as_it_is(vm: VirtualMachine, tmp_path: Path):
    (tmp_path / "old.py").write_text(OLD_SCRIPT)
    done = _run(vm, "run", "old.py", "-a", "--json", "x", cwd=tmp_path, check=False)
    assert done.stdout == "tid True ['-a', '--json', 'x'] 3\n"
    assert done.returncode == 4


def test_run_wants_a_script(vm: VirtualMachine, tmp_path: Path):
    done = _run(vm, "run", "nothing.py", cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert "nothing.py" in done.stderr
