"""However a master ends, no process of it is left behind."""

from __future__ import annotations

import signal
import sys
import time

import pytest

from ..support.waiting import wait_for
from .test_masters import SLAVE

MASTER = f"""
import sys
from biskit_pvm import TrackingJobMaster
from biskit_pvm.machine import names
from biskit_pvm.machine import task as machine

class Master(TrackingJobMaster):
    def cleanup(self):
        print('cleaned up', flush=True)

    def job_done(self, slave_tid, result):
        TrackingJobMaster.job_done(self, slave_tid, result)
        for pid in result.values():
            print('pid', pid, flush=True)

if __name__ == '__main__':
    data = {{1: ('pid',), 2: ('pid',), 3: ('child', 600), 4: ORDER}}
    master = Master(data, chunk_size=1, hosts=[names.own_host()] * 2,
                    niceness={{'default': 0}}, slave_script={SLAVE!r},
                    verbose=0, add_hosts=0, redistribute=0, prefetch=0)
    {{start}}
"""
#: what the slaves are busy with: asleep; or holding the interpreter in C
SLEEPING = "('sleep', 600)"
HOLDING = "('hold', 600)"
WAITS = "master.calculateResult()"
WALKS_AWAY = "master.start()"


@pytest.fixture
def run(vm, tmp_path):
    """Start a master; give it and the pids of its slaves when these work."""

    def start(order=SLEEPING, how=WAITS):
        script = tmp_path / "master.py"
        script.write_text(MASTER.replace("ORDER", order).replace("{start}", how))
        with open(tmp_path / "output", "wb") as file:
            process = vm.popen([sys.executable, str(script)], stdout=file, stderr=file)
        output = tmp_path / "output"
        wait_for(lambda: output.read_text().count("pid ") >= 3 or process.poll() is not None, 30)
        assert process.poll() is None, output.read_text()
        slaves = [task["pid"] for task in vm.tasks() if task["pid"] != process.pid]
        children = [int(line.split()[1]) for line in output.read_text().splitlines() if line.startswith("pid")]
        pids = sorted(set(slaves + children))
        assert len(pids) >= 3  # two slaves and a child of one of them
        return process, pids, output

    return start


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def all_gone(pids, timeout):
    start = time.monotonic()
    wait_for(lambda: not any(alive(pid) for pid in pids), timeout)
    return time.monotonic() - start


def test_ctrl_c_in_a_waiting_master_leaves_no_process_behind(run):
    process, pids, output = run()
    process.send_signal(signal.SIGINT)
    assert process.wait(10) != 0
    all_gone(pids, 5)
    text = output.read_text()
    assert "KeyboardInterrupt" in text and "cleaned up" not in text


def test_sigterm_ends_the_slaves(run):
    process, pids, output = run()
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 143
    all_gone(pids, 5)
    assert "cleaned up" not in output.read_text()


@pytest.mark.parametrize("order", [SLEEPING, HOLDING])
def test_slaves_of_a_killed_master_leave_within_seconds(run, order):
    process, pids, _ = run(order)
    process.kill()
    process.wait(10)
    assert all_gone(pids, 10) < 5


def test_a_killed_pvmd_ends_slaves_and_master_with_a_reason(run, vm):
    process, pids, output = run()
    vm.pvmd.kill()
    assert process.wait(20) == 1
    all_gone(pids, 10)
    assert "the PVM daemon is gone" in output.read_text()


def test_halt_in_the_console_ends_everything_with_a_reason(run, vm):
    process, pids, output = run()
    vm.halt()
    assert process.wait(20) == 1
    all_gone(pids, 10)
    text = output.read_text()
    assert "CalculationError" in text and ("halted or reset" in text or "the PVM daemon is gone" in text)


def test_reset_in_the_console_ends_everything_with_a_reason(run, vm):
    process, pids, output = run()
    vm.console("reset")
    assert process.wait(20) == 1
    all_gone(pids, 10)
    text = output.read_text()
    assert "CalculationError: the virtual machine was halted or reset" in text


def test_an_exception_at_the_users_hands_ends_everything(run):
    process, pids, output = run(
        how="import threading\n"
        "    threading.Timer(1.5, lambda: master.fail()).start()\n"
        "    from biskit_pvm.PVMThread import messenger_of\n"
        "    master.fail = lambda: messenger_of(master).on_failed("
        'ValueError("mine"))\n'
        "    master.calculateResult()"
    )
    assert process.wait(20) == 1
    all_gone(pids, 5)
    assert "ValueError: mine" in output.read_text()


def test_a_script_that_ends_without_waiting_goes_on_until_all_is_done(vm, tmp_path):
    script = tmp_path / "master.py"
    script.write_text(
        MASTER.replace("ORDER", "('sleep', 1)")
        .replace("('child', 600)", "('return', 0)")
        .replace("{start}", WALKS_AWAY)
    )
    done = vm.run([sys.executable, str(script)], timeout=30)
    assert "cleaned up" in (done.stdout if hasattr(done, "stdout") else done)
    assert len(vm.tasks()) == 0
