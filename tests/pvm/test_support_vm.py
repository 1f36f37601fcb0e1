"""The virtual machines that the other tests stand on."""

import os
import shutil
import subprocess
import sys

import pytest

import pvm_ext
from pvm_ext import installation
from tests.support.traces import processes_with
from tests.support.vm import VirtualMachine
from tests.support.waiting import wait_for


def test_two_machines_know_nothing_of_each_other():
    with VirtualMachine() as one, VirtualMachine() as other:
        one.console("spawn /bin/sleep 30")
        wait_for(lambda: "sleep" in one.console("ps -a"))
        assert "sleep" not in other.console("ps -a")


def test_nothing_of_a_machine_is_left():
    with VirtualMachine() as machine:
        machine.console("spawn /bin/sleep 30")
        sleeper = machine.popen(["/bin/sleep", "30"])
        assert len(wait_for(lambda: len(machine.processes()) >= 3 and machine.processes())) == 3
    assert not machine.folder.exists()
    assert sleeper.poll() is not None
    assert processes_with("PVM_TMP", str(machine.folder)) == []


def test_a_task_that_ignores_the_end_of_its_pvmd_is_killed_and_told(monkeypatch):
    monkeypatch.setattr("tests.support.vm.END_TIMEOUT", 1.0)
    with pytest.raises(AssertionError, match="had to be killed.*sleep 60"):
        with VirtualMachine() as machine:
            code = "(trap '' TERM; exec /bin/sleep 60) & exit 0"
            machine.popen(["/bin/sh", "-c", code]).wait(5)
    assert processes_with("PVM_TMP", str(machine.folder)) == []


def test_a_machine_ends_when_the_tests_are_killed():
    code = (
        "import sys\n"
        "from tests.support.vm import VirtualMachine\n"
        "with VirtualMachine() as machine:\n"
        "    machine.console('spawn /bin/sleep 30')\n"
        "    print(machine.folder, flush=True)\n"
        "    sys.stdin.read()\n"
    )
    tests = [sys.executable, "-c", code]
    with subprocess.Popen(tests, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        folder = child.stdout.readline().strip()
        wait_for(lambda: len(processes_with("PVM_TMP", folder)) == 2)
        child.kill()
    wait_for(lambda: processes_with("PVM_TMP", folder) == [])
    shutil.rmtree(folder)


def test_the_console_halts_the_machine():
    with VirtualMachine() as machine:
        machine.halt()
        assert machine.pvmd.returncode == 0


def test_a_pvmd_that_cannot_start_shows_its_words():
    with pytest.raises(RuntimeError, match="pvmd did not start"):
        with VirtualMachine(pvmd_args=["-nno.such.host.invalid"]):
            pass


def test_a_command_that_fails_shows_its_words(vm):
    with pytest.raises(AssertionError, match="(?s)ended with 3.*out loud"):
        vm.run(["/bin/sh", "-c", "echo out loud; exit 3"])


def test_the_environment_of_the_user_is_kept_out(monkeypatch):
    monkeypatch.setenv("PVM_EXPORT", "SECRET")
    monkeypatch.setenv("PVM_RSH", "/bin/false")
    with VirtualMachine(env={"EXTRA": "1", "HOME": None}) as machine:
        assert "PVM_EXPORT" not in machine.env and "PVM_RSH" not in machine.env
        assert machine.env["EXTRA"] == "1" and "HOME" not in machine.env
        assert machine.env["PVM_ROOT"] == str(installation.pvm_root())
    assert os.environ["PVM_EXPORT"] == "SECRET"


def test_the_process_of_the_tests_is_a_task_of_the_session_machine(session_vm):
    tid = pvm_ext.mytid()
    assert tid > 0
    assert tid in [task.tid for task in pvm_ext.tasks()]
    assert pvm_ext.config().nhost == 1


def test_the_tasks_of_a_machine_are_listed_without_the_asker(vm):
    assert vm.tasks() == []
    vm.console("spawn /bin/sleep 30")
    (task,) = wait_for(vm.tasks)
    assert task["name"] == "/bin/sleep"
    assert task["pid"] in [process.pid for process in vm.processes()]
