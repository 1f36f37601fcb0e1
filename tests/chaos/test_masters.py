"""A master that is ended at random moments, and started again each time."""

from __future__ import annotations

import json
import random
import signal
import sys
import time

import pytest

from ..pvm.test_endings import alive
from ..pvm.test_masters import SLAVE
from ..support.vm import VirtualMachine
from ..support.waiting import wait_for

N_ITEMS = 150
N_ENDS = 4

SCRIPT = f"""
import json, os, sys
from biskit_pvm import TrackingJobMaster, load_restart, restart
from biskit_pvm.machine import names
from biskit_pvm.machine import task as machine

folder = sys.argv[1]
path = os.path.join(folder, 'run.rst')
saved = (path, 0.1)
host = names.own_host()
if os.path.exists(path):
    master = restart(load_restart(path, trust=True), autosave=saved)  # each machine has a home of its own
else:
    data = {{i: ('sleep', 0.05) for i in range({N_ITEMS})}}
    master = TrackingJobMaster(
        data, chunk_size=1, hosts=[host] * 3, niceness={{'default': 0}},
        slave_script={SLAVE!r}, verbose=0, add_hosts=0, autosave=saved)
result = master.calculateResult()
with open(os.path.join(folder, 'result'), 'w') as file:
    json.dump(sorted(result.items()), file)
"""


def kill(process, vm):
    """End it as a lack of memory does."""
    process.kill()


def terminate(process, vm):
    """End it as a batch system does."""
    process.terminate()


def interrupt(process, vm):
    """End it as Ctrl-C does."""
    process.send_signal(signal.SIGINT)


def kill_daemon(process, vm):
    """Take the daemon away."""
    vm.pvmd.kill()


def halt(process, vm):
    """Halt the virtual machine in the console."""
    vm.halt()


@pytest.mark.parametrize("seed", range(2))
def test_a_calculation_is_finished_however_often_its_master_ends(seed, figures, tmp_path):
    rng = random.Random(1000 + seed)
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    ways = [kill, terminate, interrupt, kill_daemon, halt]
    rng.shuffle(ways)
    figures["runs"] += 1
    figures["items"] += N_ITEMS
    for way in ways[:N_ENDS] + [None]:
        with VirtualMachine() as vm:
            process = vm.popen([sys.executable, str(script), str(tmp_path)])
            if way is None:
                assert process.wait(60) == 0
                break
            wait_for(lambda: len(vm.tasks()) == 4 or process.poll() is not None, 20)
            time.sleep(rng.uniform(0.1, 0.6))  # the random moment
            pids = [task["pid"] for task in vm.tasks() if task["pid"] != process.pid]
            if process.poll() is not None:
                break
            way(process, vm)
            figures["faults"] += 1
            figures["fault master " + way.__name__] += 1
            try:
                process.wait(20)
                wait_for(lambda: not any(alive(pid) for pid in pids), 8)
            except Exception:
                figures["hung"] += 1
                raise
    result = json.loads((tmp_path / "result").read_text())
    figures["lost"] += N_ITEMS - len(result)
    assert result == [[i, 0.05] for i in range(N_ITEMS)]
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == ["result", "run.rst", "run.rst~", "script.py"]
