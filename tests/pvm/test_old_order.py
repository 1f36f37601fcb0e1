"""What old scripts see of hooks, threads, errors and the example: the order and kinds they were written for."""

from __future__ import annotations

import sys
import threading

import pytest

from biskit_pvm import RestartError, TrackingJobMaster, restart
from biskit_pvm.ExampleMaster import Master
from biskit_pvm.machine import names

LIMIT = 60


@pytest.fixture
def host(session_vm):
    return names.own_host()


class Recorder(Master):
    """Note which hooks are called, and in which thread; whether the lock is held in those that change the status."""

    seconds_per_item = 0.0

    def __init__(self, **kw):
        self.calls, self.threads, self.free = [], set(), set()
        Master.__init__(self, verbose=0, add_hosts=0, **kw)

    def _note(self, name):
        self.calls.append(name)
        self.threads.add(threading.current_thread())

    def _lock_is_free(self, name):
        got = []
        other = threading.Thread(target=lambda: got.append(self.status.lock.acquire(timeout=0.05)))
        other.start()
        other.join()
        if got[0]:
            self.free.add(name)

    def spawn(self, *args):
        tid = Master.spawn(self, *args)
        self.calls.append("spawned")
        return tid

    def bindMessages(self, slave_tid):
        self.calls.append("bindMessages")
        Master.bindMessages(self, slave_tid)

    def is_valid_slave(self, slave_tid):
        self._note("is_valid_slave")
        return Master.is_valid_slave(self, slave_tid)

    def getInitParameters(self, slave_tid):
        self._note("getInitParameters")
        return Master.getInitParameters(self, slave_tid)

    def initializationDone(self, slave_tid):
        self._note("initializationDone")
        Master.initializationDone(self, slave_tid)

    def start_job(self, slave_tid):
        self._note("start_job")
        Master.start_job(self, slave_tid)

    def job_done(self, slave_tid, result):
        self._note("job_done")
        self._lock_is_free("job_done")
        Master.job_done(self, slave_tid, result)

    def finish(self):
        self._note("finish")
        self._lock_is_free("finish")
        self.listed = self in threading.enumerate()
        Master.finish(self)


@pytest.fixture
def finished(host):
    master = Recorder(data={i: i for i in range(4)}, chunk_size=2, hosts=[host])
    assert master.calculateResult() == {i: i + 1 for i in range(4)}
    return master


def test_a_slave_is_initialised_before_its_first_job_and_finish_comes_last(finished):
    assert finished.calls[:5] == ["spawned", "bindMessages", "getInitParameters", "initializationDone", "start_job"]
    assert finished.calls.index("is_valid_slave") > finished.calls.index("job_done")
    assert finished.calls.count("job_done") == 2
    assert finished.calls.count("finish") == 1
    assert finished.calls[-1] == "finish"


def test_every_initialised_slave_has_a_row_of_progress(host):
    master = Recorder(data={1: 1}, hosts=[host, host], redistribute=0)
    master.seconds_per_item = 3.0  # the other slave comes up meanwhile
    assert master.calculateResult() == {1: 2}
    n_ready = master.calls.count("initializationDone")  # both, unless the machine is very busy
    assert len(master.progress) == master.calls.count("start_job") == n_ready >= 1


def test_hooks_run_in_the_master(finished):
    assert finished.threads == {finished}
    assert finished.listed


def test_the_lock_of_the_status_is_held_in_job_done_and_finish(finished):
    assert finished.free == set()


def test_errors_of_unknown_tids(host):
    master = TrackingJobMaster(data={1: 1}, hosts=[host], slave_script=Master.slave_script, add_hosts=0, verbose=0)
    for ask in (master.nicknameFromTID, master.hostnameFromTID, master.is_valid_slave, master.start_job):
        with pytest.raises(NameError) as caught:
            ask(77)
        assert caught.value.args == ("tid not known",)
    with pytest.raises(KeyError) as unbound:
        master.unbind((5, 6))
    assert unbound.value.args == ((5, 6),)
    with pytest.raises(TypeError):
        master.ping("nobody")


def test_errors_of_restart_are_those_of_old_and_new_programs():
    with pytest.raises(KeyError) as missing:
        restart({})
    assert isinstance(missing.value, RestartError)
    assert missing.value.args == ("master_class",)
    assert str(missing.value) == "this is no restart data: master_class is missing"
    with pytest.raises(TypeError) as none:
        restart(None)
    assert isinstance(none.value, RestartError)


OLD = """
import sys, time
from Biskit.PVM.ExampleMaster import Master
host = sys.argv[1]
m = Master(data=dict([(i, i) for i in range(4)]), chunk_size=1, hosts=[host, host], verbose=0, add_hosts=0)
print m.xterm_bin
began = time.time()
print len(m.calculateResult()), time.time() - began >= 1
print len([d for d in m.progress.values() if d['done'] > 0])
"""


def test_the_example_and_xterm_in_an_old_script(vm, tmp_path):
    (tmp_path / ".biskit").mkdir()
    (tmp_path / ".biskit" / "exe_xterm.dat").write_text("[BINARY]\n## binary\nbin=/opt/my xterm\n")
    script = tmp_path / "old.py"
    script.write_text(OLD)
    command = ["env", f"HOME={tmp_path}", sys.executable, "-m", "biskit_pvm", "run", str(script), names.own_host()]
    done = vm.run(command, cwd=tmp_path, timeout=LIMIT)
    assert done.stdout.splitlines() == ["/opt/my xterm", "4 True", "2"], done.stderr
    written = [path.read_text() for path in vm.folder.rglob("slave_*.out")]
    assert len(written) == 2
    assert all("slave calculating.." in text and "Done." in text for text in written)
