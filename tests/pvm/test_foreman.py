"""Slaves that a foreman forks are to their masters, to PVM and to themselves what other slaves are."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import pvm_ext
from biskit_pvm import CalculationError, PVMExecutor
from biskit_pvm.machine import names, standin

from ..support.users import as_user, why_not
from ..support.waiting import wait_for
from .test_endings import alive
from .test_how_tasks_end import SPAWN
from .test_masters import SLAVE, host, make, returns, squares

CURIOUS = str(Path(__file__).parents[1] / "support" / "slaves" / "curious.py")


def parent_of(pid):
    return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])


def children_of(pid):
    return set(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


def words_of(pid):
    return Path(f"/proc/{pid}/cmdline").read_text().rstrip("\0").split("\0")


@pytest.fixture
def ask(make):
    """Ask curious slaves for the same thing, several times; give the answers."""

    def answers(wanted, n_items=4, n_slaves=4, **options):
        data = {i: wanted for i in range(n_items)}
        master = make(data, n_slaves, **{"slave_script": CURIOUS, "chunk_size": 1, "prefetch": 0, **options})
        return list(master.calculateResult().values())

    return answers


class Busy:
    """A calculation whose slaves are at work until the gate is opened."""

    def __init__(self, make, pvmd, folder, n_slaves, items, work, env, options):
        self.pvmd, self.folder = pvmd, folder
        data = {**{f"work {i}": work for i in range(n_slaves)}, **items}
        self.master = make(
            data, n_slaves, slave_script=CURIOUS, chunk_size=1, prefetch=0, redistribute=0,
            env={"CURIOUS_FOLDER": str(folder), **env}, **options,
        )  # fmt: skip
        self.n_slaves = n_slaves

    def slaves(self):
        """Return {pid: tid} of the slaves that have been at work."""
        notes = self.folder.glob("slave-*[0-9]")
        return {int(path.name.split("-")[1]): int(path.read_text()) for path in notes}

    def begin(self):
        """Start it, and return {pid: tid} of the forked slaves when all are at work."""
        self.master.start()
        wait_for(lambda: len(self.slaves()) == self.n_slaves, 60, "all slaves at work")
        return {pid: tid for pid, tid in self.slaves().items() if parent_of(pid) != self.pvmd}

    def finish(self):
        """Let the slaves finish; return the result."""
        (self.folder / "gate").touch()
        assert self.master.wait(60)
        return self.master.result

    def seen(self, kind, pid):
        """Tell whether a slave has left a note of this kind."""
        return (self.folder / f"{kind}-{pid}").exists()


@pytest.fixture
def busy(make, session_vm, tmp_path):
    """Make calculations whose slaves are at work."""

    def build(n_slaves=4, items=None, work="at_work", env=None, **options):
        return Busy(make, session_vm.pvmd.pid, tmp_path, n_slaves, items or {}, work, env or {}, options)

    return build


def foreman_of(pid):
    """Return the processes of a slave's foreman: the task of PVM, and the one that forks."""
    forks = parent_of(pid)
    return parent_of(forks), forks


def stand_ins():
    """Return the tasks of PVM that are stand-ins, the foremen among them."""
    return {info.tid for info in pvm_ext.tasks() if info.name == standin.program()}


# -- how they are started ----------------------------------------------------


def test_all_slaves_but_the_first_are_forks_of_one_process_and_all_results_come(make, busy):
    calculation = busy(5)
    forked = calculation.begin()
    assert len(forked) == 4 and len({parent_of(pid) for pid in forked}) == 1
    calculation.finish()
    assert make(returns(40), n_slaves=5).calculateResult() == squares(40)


@pytest.mark.parametrize("options", [{"n_slaves": 3}, {"n_slaves": 5, "foreman": False}], ids=["few", "option"])
def test_slaves_are_started_alone_where_they_are_few_or_the_option_says_so(busy, options):
    calculation = busy(**options)
    assert calculation.begin() == {} and len(calculation.slaves()) == options["n_slaves"]
    calculation.finish()


def test_a_forked_slave_finds_itself_as_one_that_was_started_alone(ask):
    alone = ask("found", foreman=False)[0]
    for forked in ask("found", 6):
        assert set(forked) == set(alone)
        for name in alone:
            assert forked[name] == alone[name], name


def test_it_does_so_with_a_relative_script_another_environment_and_another_niceness(ask, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("own.py").symlink_to(CURIOUS)
    env = {"PYTHONPATH": "some:/where", "TZ": "Asia/Tokyo", "MALLOC_ARENA_MAX": "1", "LC_ALL": "C", "AN_ODD": "a=b\nc"}
    options = {"slave_script": "own.py", "niceness": {"default": 5}, "env": env, "threads": 2, "show_output": "log"}
    alone = ask("found", foreman=False, **options)[0]
    forked = ask("found", **options)[0]
    for name in alone:
        assert forked[name] == alone[name], name
    assert forked["argv"] == [str(tmp_path / "own.py"), "5"] and forked["environment"]["OMP_NUM_THREADS"] == "2"
    assert forked["environment"]["AN_ODD"] == "a=b\nc" and forked["time"] == ("JST", "JST")


def test_objects_of_the_main_module_are_pickled_and_the_main_thread_lives(ask):
    assert set(ask("pickled")) == {True}
    assert set(ask("main_thread")) == {True}


def test_each_has_random_numbers_of_its_own(ask):
    first = {pid: (one, other) for one, other, pid, _ in reversed(ask("chance", 10, 5))}
    assert len(first) == 5
    assert len({one for one, _ in first.values()}) == 5 and len({other for _, other in first.values()}) == 5


NUMERICAL = """
import os, sys, time
warm = "numpy" in sys.modules
import numpy
from biskit_pvm import JobSlave

def threads():
    return len(os.listdir("/proc/self/task"))

class Slave(JobSlave):
    def go(self, chunk):
        square = numpy.ones((600, 600)) @ numpy.ones((600, 600))
        time.sleep(0.2)
        return {item: (warm, os.getppid(), threads(), float(square[0, 0])) for item in chunk}

if __name__ == "__main__":
    Slave().start()
"""


@pytest.mark.parametrize("threads", [1, 2])
def test_forks_have_numpy_loaded_with_the_threads_that_it_is_to_have(make, session_vm, tmp_path, threads):
    script = tmp_path / "slave.py"
    script.write_text(NUMERICAL)
    options = {"slave_script": str(script), "threads": threads, "chunk_size": 1, "prefetch": 0}
    found = set(make(dict.fromkeys(range(15)), 5, **options).calculateResult().values())
    alone, forked = set(), set()
    for warm, parent, *rest in found:
        assert warm == (parent != session_vm.pvmd.pid)
        (forked if warm else alone).add(tuple(rest))
    assert alone == forked and len(forked) == 1


def test_numpy_is_not_loaded_before_with_other_values_of_what_it_looks_at(busy, tmp_path):
    calculation = busy()
    _, tid = next(iter(calculation.begin().items()))
    (pid,) = [info.pid for info in pvm_ext.tasks() if info.tid == tid]  # the stand-in
    strings = Path(f"/proc/{pid}/environ").read_text().rstrip("\0").split("\0")
    environment = dict(text.split("=", 1) for text in strings)
    script = tmp_path / "slave.py"
    script.write_text("import sys\nprint('numpy' in sys.modules)\nimport numpy\n")
    command = [*words_of(pid)[:2], sys.executable, "-i", str(script)]
    for change, warm in [({}, True), ({"OPENBLAS_NUM_THREADS": "7"}, False), ({"NPY_PROMOTION_STATE": "weak"}, False)]:
        done = subprocess.run(
            command, env={**environment, **change}, cwd=f"/proc/{pid}/cwd", timeout=60,
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
        )  # fmt: skip
        assert done.stdout == f"{warm}\n", (change, done.stderr)
    assert len(calculation.finish()) == 4


OF_ITS_OWN = """
import numpy, time
from biskit_pvm import JobSlave

class Slave(JobSlave):
    def go(self, chunk):
        time.sleep(0.1)
        return dict.fromkeys(chunk, numpy.__file__)

if __name__ == "__main__":
    Slave().start()
"""


def test_a_script_that_has_a_numpy_of_its_own_gets_that(make, tmp_path):
    (tmp_path / "numpy.py").touch()
    (tmp_path / "slave.py").write_text(OF_ITS_OWN)
    result = make(dict.fromkeys(range(15)), 5, slave_script=str(tmp_path / "slave.py")).calculateResult()
    assert set(result.values()) == {str(tmp_path / "numpy.py")}


def test_executors_have_their_workers_forked(session_vm, host):
    with PVMExecutor(hosts=[host] * 5) as executor:
        assert list(executor.map(pow, range(20), [2] * 20)) == [i * i for i in range(20)]
        pids = set(executor.map(_pid_after, [0.3] * 10))
        forked = {pid for pid in pids if parent_of(pid) != session_vm.pvmd.pid}
        assert len(forked) > 1 and len({parent_of(pid) for pid in forked}) == 1
    with PVMExecutor(hosts=[host] * 5, foreman=False) as executor:
        assert {parent_of(pid) for pid in executor.map(_pid_after, [0.3] * 10)} == {session_vm.pvmd.pid}


def _pid_after(seconds):
    import os
    import time

    time.sleep(seconds)
    return os.getpid()


# -- what PVM knows ----------------------------------------------------------


def test_pvm_knows_tid_parent_and_process_of_each(busy, session_vm):
    calculation = busy()
    slaves = calculation.begin()
    foreman, _ = foreman_of(next(iter(slaves)))
    tasks = {info.tid: info for info in pvm_ext.tasks()}
    for pid, tid in slaves.items():
        assert tid in calculation.master.slaves and tasks[tid].ptid == pvm_ext.mytid()
        assert words_of(pid) == [sys.executable, "-i", CURIOUS, "0"]
        assert words_of(tasks[tid].pid)[2:5] == [sys.executable, "-i", CURIOUS]  # what stands for it
        assert tasks[tid].name == standin.program() and pvm_ext.pstat(tid) == 0
        assert f" {tid:x} " in session_vm.console("ps -a")
    assert foreman in {info.pid for info in tasks.values()}
    calculation.finish()
    wait_for(lambda: not alive(foreman), 10)


@pytest.mark.parametrize(
    ("end", "words"),
    [
        ("os._exit(3)", "exit status 3"),
        ("os.kill(os.getpid(), 9)", "signal 9 (SIGKILL)"),
        ("os.abort()", "signal 6 (SIGABRT)"),
        ("os.kill(os.getpid(), 36)", "signal 36"),
    ],
)
def test_how_one_has_ended_is_told_and_another_comes_for_it(busy, end, words):
    options = {"max_deaths": 1, "on_error": "return", "respawn_pause": 0.1}
    calculation = busy(items={"last": "once"}, env={"CURIOUS_END": end}, **options)
    calculation.begin()
    assert len(calculation.finish()) == 4
    assert words in calculation.master.errors["last"].message


RAISES = """
import atexit, os, sys, traceback

# at once, since the log has each part of a line for itself
sys.excepthook = lambda *error: os.write(2, "".join(traceback.format_exception(*error)).encode())
atexit.register(os._exit, 5)
atexit.register(os.write, 1, b"goodbye\\n")

def begin():
    raise LookupError("no such thing")

begin()
"""


def test_an_exception_in_the_script_is_told_as_ever(make, session_vm, tmp_path):
    script = tmp_path / "slave.py"
    script.write_text(RAISES)
    with pytest.raises(CalculationError, match=r"(?s)LookupError: no such thing.*exit status 5 before it was up"):
        make(returns(3), n_slaves=5, slave_script=str(script), max_respawns=0).calculateResult()
    said = {}
    for tid, line in re.findall(r"\[(t\w+)\] (.*\n)", session_vm.log()):
        said[tid] = said.get(tid, "") + line
    told = {words.partition("goodbye")[0] for words in said.values() if str(script) in words}
    assert len(told) == 1 and "line 12, in <module>" in told.pop()


def test_what_one_prints_is_in_the_log_under_its_tid(busy, session_vm):
    calculation = busy()
    slaves = calculation.begin()
    calculation.finish()
    for tid in slaves.values():
        assert f"[t{tid:x}] from the script 0\n" in session_vm.log()


def test_what_one_prints_comes_to_the_master_with_show_output(ask, capsys, host):
    ask("pickled", show_output="log", verbose=1)
    lines = capsys.readouterr().out.splitlines()
    assert {f"{host}_{i}: from the script 0" for i in range(4)} <= set(lines)


# -- signals and ends --------------------------------------------------------


def test_signals_reach_it_and_sigkill_ends_it_and_what_it_has_started(busy):
    calculation = busy(respawn_pause=0.1)
    slaves = calculation.begin()
    (one, tid), (other, other_tid), *_ = slaves.items()
    pvm_ext.sendsig(tid, signal.SIGUSR1)
    wait_for(lambda: calculation.seen("signal", one), 10)
    assert not calculation.seen("signal", other)
    os.kill(other, signal.SIGSTOP)  # it can do nothing about its end
    pvm_ext.sendsig(other_tid, signal.SIGKILL)
    wait_for(lambda: not alive(other), 10)
    wait_for(lambda: len(calculation.slaves()) == 5, 30, "another slave at work")  # its item is done by another one
    assert len(calculation.finish()) == 4


def test_it_ends_as_others_do_with_what_is_registered_for_that(busy):
    calculation = busy()
    slaves = calculation.begin()
    assert set(calculation.finish().values()) == set(calculation.slaves())
    for pid in slaves:
        wait_for(lambda: not alive(pid), 10)
        assert calculation.seen("atexit", pid) is False  # slaves are told to leave by os._exit


def test_one_guard_ends_the_programs_of_all_that_a_foreman_has_forked_and_outlives_it(busy, tmp_path):
    calculation = busy(work="at_work_with_a_program", respawn_pause=0.1)
    slaves = calculation.begin()
    task, forks = foreman_of(next(iter(slaves)))
    (guard,) = children_of(forks) - set(slaves)
    for pid in (task, forks):
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not alive(forks), 10)
    programs = {pid: int((tmp_path / f"program-{pid}").read_text()) for pid in slaves}
    one, *others = slaves
    os.kill(one, signal.SIGKILL)
    wait_for(lambda: not alive(programs[one]), 10)
    assert alive(guard) and all(alive(programs[pid]) for pid in others)
    assert len(calculation.finish()) == 4
    wait_for(lambda: not any(map(alive, [guard, *programs.values()])), 10)


@pytest.mark.parametrize("which", [0, 1], ids=["the task", "the one that forks"])
def test_slaves_go_on_and_are_started_again_when_their_foreman_was_killed(busy, which):
    calculation = busy(respawn_pause=0.1)
    slaves = calculation.begin()
    both = foreman_of(next(iter(slaves)))
    os.kill(both[which], signal.SIGKILL)
    wait_for(lambda: not any(map(alive, both)), 10)
    assert all(map(alive, slaves))
    victim, tid = next(iter(slaves.items()))
    pvm_ext.sendsig(tid, signal.SIGKILL)
    wait_for(lambda: len(calculation.slaves()) == 5, 30, "another slave at work")
    assert not alive(victim)
    late = max(calculation.slaves().items(), key=lambda slave: slave[1])[0]
    assert parent_of(late) == calculation.pvmd
    assert len(calculation.finish()) == 4


def test_slaves_start_by_themselves_while_their_foreman_does_nothing(busy, tmp_path):
    """A foreman that is killed with requests in hand: its stand-ins start the slaves."""
    calculation = busy(respawn_pause=0.1)
    slaves = calculation.begin()
    known = stand_ins()
    _, forks = foreman_of(next(iter(slaves)))
    os.kill(forks, signal.SIGSTOP)
    victim, tid = next(iter(slaves.items()))
    pvm_ext.sendsig(tid, signal.SIGKILL)
    wait_for(lambda: stand_ins() - known, 20, "another stand-in")
    assert len(calculation.slaves()) == 4  # the new one waits to be forked
    os.kill(forks, signal.SIGKILL)
    wait_for(lambda: len(calculation.slaves()) == 5, 30, "another slave at work")
    assert len(calculation.finish()) == 4


# -- the end of the master, and others -------------------------------------------

MASTER = f"""
import sys
from biskit_pvm import TrackingJobMaster
from biskit_pvm.machine import names

if __name__ == "__main__":
    hosts = [names.own_host()] * 4
    env = {{"CURIOUS_FOLDER": sys.argv[1]}}
    master = TrackingJobMaster(dict.fromkeys("abcd", "at_work"), 1, hosts, {{"default": 0}}, {CURIOUS!r},
                               verbose=0, add_hosts=0, env=env, redistribute=0, prefetch=0)
    master.calculateResult()
"""


@pytest.mark.parametrize("which", [0, 1], ids=["the task", "the one that forks"])
def test_a_foreman_that_is_stopped_ends_with_its_master(busy, which):
    calculation = busy()
    both = foreman_of(next(iter(calculation.begin())))
    os.kill(both[which], signal.SIGSTOP)
    try:
        assert len(calculation.finish()) == 4
        wait_for(lambda: not any(map(alive, both)), 10)
    finally:
        for pid in filter(alive, both):
            os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_is_left_when_the_master_ends(vm, tmp_path, how):
    process = vm.popen([sys.executable, "-c", MASTER, str(tmp_path)])
    wait_for(lambda: len(list(tmp_path.glob("slave-*[0-9]"))) == 4, 60, "slaves at work")
    assert len(vm.processes()) > 8
    process.send_signal(how)
    process.wait(20)
    wait_for(lambda: [p.pid for p in vm.processes()] == [vm.pvmd.pid], 15, "only the pvmd is there")
    assert vm.tasks() == []


def test_halt_ends_all(vm, tmp_path):
    vm.popen([sys.executable, "-c", MASTER, str(tmp_path)])
    wait_for(lambda: len(list(tmp_path.glob("slave-*[0-9]"))) == 4, 60, "slaves at work")
    vm.halt()
    wait_for(lambda: vm.processes() == [], 15, "nothing is there")


def test_two_masters_each_have_their_own(ask, host):
    with PVMExecutor(hosts=[host] * 4) as executor:
        theirs = {parent_of(pid) for pid in executor.map(_pid_after, [0.3] * 8)}
        ours = {parent for *_, parent in ask("chance", 8)}
        assert len(ours) == len(theirs) == 2 and len(ours & theirs) == 1  # the daemon is parent of the first of each
        assert list(executor.map(pow, [2], [3])) == [8]


STRANGER = """
import socket, sys
with socket.socket(socket.AF_UNIX) as link:
    link.settimeout(20)
    link.connect("\\0" + sys.argv[1])
    try:
        print(link.recv(1))
    except ConnectionResetError:
        print(b"")
"""


def test_other_users_are_hung_up_on_and_a_foreman_of_theirs_is_not_asked(busy):
    if why_not():
        pytest.skip(why_not())
    calculation = busy(respawn_pause=0.1)
    slaves = calculation.begin()
    victim, tid = next(iter(slaves.items()))
    (info,) = [info for info in pvm_ext.tasks() if info.tid == tid]
    name = words_of(info.pid)[1]
    stranger = [*as_user(65534, 65534), sys.executable, "-c"]
    assert subprocess.run([*stranger, STRANGER, name], capture_output=True, text=True, timeout=60).stdout == "b''\n"
    pvm_ext.sendsig(tid, signal.SIGKILL)
    wait_for(lambda: len(calculation.slaves()) == 5, 30, "another slave at work")
    late = max(calculation.slaves().items(), key=lambda slave: slave[1])[0]
    assert parent_of(late) == parent_of(next(pid for pid in slaves if pid != victim))  # it forks as before
    calculation.finish()

    listens = "import socket, sys, time; s = socket.socket(socket.AF_UNIX); s.bind('\\0stranger'); s.listen(); "
    listens += "print('ready', flush=True); link, _ = s.accept(); print(link.recv(100), flush=True)"
    with subprocess.Popen([*stranger, listens], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "ready\n"
        command = standin.words("stranger", ["/bin/echo", "started by itself"])
        assert subprocess.run(command, capture_output=True, text=True, timeout=60).stdout == "started by itself\n"
        assert other.stdout.read() == "b''\n"  # not a word to him


def test_what_others_spawn_meanwhile_is_spawned_as_ever(busy, session_vm):
    calculation = busy()
    calculation.begin()
    script = session_vm.folder / "foreign.sh"
    script.write_text('#!/bin/sh\necho "$@" in $PWD by $PPID\nexit 4\n')
    script.chmod(0o755)
    code = f"{SPAWN}\nprint(ending.how_it_ended(ended('', program={str(script)!r})))\n"
    code += f"p.catchout(sys.stdout)\np.spawn({str(script)!r}, ['one', 'two'])\np.exit()\n"
    said = session_vm.python(code)
    assert said.startswith("exit status 4\n")
    assert f"one two in {session_vm.env['HOME']} by {session_vm.pvmd.pid}\n" in said
    assert "1 successful" in session_vm.console(f"spawn {script} three")
    assert len(calculation.finish()) == 4
