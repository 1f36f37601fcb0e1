"""Slaves in the process of their master: the same results through the same hooks, without a daemon."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from biskit_pvm import CalculationError, JobMaster, TrackingJobMaster
from biskit_pvm.machine import names

SLAVE = """
import os, signal, sys
from biskit_pvm import JobSlave

class Strange:
    pass

class Slave(JobSlave):
    def initialize(self, params):
        self.params = params
        self.seen = 0
    def go(self, chunk):
        return {item: self.do(*order) for item, order in chunk.items()}
    def do(self, verb, value=None):
        self.seen += 1
        if verb == "square":
            return value * value
        if verb == "divide":
            return 1 / value  # here
        if verb == "append":
            value.append("changed by the slave")
            self.params["list"].append("changed by the slave")
            return value
        if verb == "fill":
            value.fill(-1)
            return value
        if verb == "strange":
            return Strange()
        if verb == "lambda":
            return lambda: None
        if verb == "exit":
            self.exit()
        if verb == "sys.exit":
            sys.exit("no licence")
        if verb == "interrupt":
            os.kill(os.getpid(), value)
        if verb == "main":
            return __name__, os.path.basename(sys.argv[0]), os.environ.get("COLOUR")
        if verb == "pid":
            return os.getpid()

if __name__ == "__main__":
    if len(sys.argv) == 2:
        os.nice(int(sys.argv[1]))
    slave = Slave()
    slave.start()
"""


class Master(TrackingJobMaster):
    def __init__(self, *args, **kw):
        self.told = []
        self.given = {"list": []}
        super().__init__(*args, **kw)

    def getInitParameters(self, slave_tid):
        self.told.append("getInitParameters")
        return self.given

    def initializationDone(self, slave_tid):
        self.told.append("initializationDone")
        super().initializationDone(slave_tid)

    def start_job(self, slave_tid):
        self.told.append("start_job")
        super().start_job(slave_tid)

    def get_slave_chunk(self, keys):
        self.told.append(("get_slave_chunk", tuple(keys)))
        return super().get_slave_chunk(keys)

    def is_valid_slave(self, slave_tid):
        self.told.append("is_valid_slave")
        return super().is_valid_slave(slave_tid)

    def job_done(self, slave_tid, result):
        self.told.append(("job_done", tuple(result)))
        super().job_done(slave_tid, result)

    def cleanup(self):
        self.told.append("cleanup")

    def done(self):
        self.told.append("done")


@pytest.fixture
def make(tmp_path):
    script = tmp_path / "my slave.py"
    script.write_text(SLAVE)

    def build(data, n_slaves=2, kind=Master, **options):
        given = dict(chunk_size=1, hosts=["here"] * n_slaves, slave_script=script, verbose=0, inline=True)
        if kind is JobMaster:
            given["niceness"] = {}
        return kind(data, **dict(given, **options))

    return build


def squares(n):
    return {i: ("square", i) for i in range(n)}


def test_all_happens_in_this_process_and_thread(make):
    class Here(Master):
        def job_done(self, slave_tid, result):
            threads.add(threading.current_thread())
            super().job_done(slave_tid, result)

    threads = set()
    master = make({1: ("pid",), 2: ("pid",)}, kind=Here)
    assert master.calculateResult() == {1: os.getpid(), 2: os.getpid()}
    assert threads == {threading.current_thread()}
    assert not master.is_alive()


@pytest.mark.parametrize("n_slaves", [1, 3])
@pytest.mark.parametrize("chunk_size", [1, 7, 100])
def test_all_items_are_processed_once(make, n_slaves, chunk_size):
    master = make(squares(50), n_slaves, chunk_size=chunk_size)
    assert master.calculateResult() == {i: i * i for i in range(50)}
    assert sum(len(told[1]) for told in master.told if told[0] == "job_done") == 50


def test_hooks_are_called_as_with_a_virtual_machine(make, session_vm):
    inline = make(squares(5), 1)
    spread = make(squares(5), 1, hosts=[names.own_host()], inline=False, add_hosts=0, prefetch=0)
    assert inline.calculateResult() == spread.calculateResult()
    assert inline.told == spread.told


def test_a_slave_cannot_change_what_its_master_has(make):
    data = {1: ("append", ["mine"])}
    master = make(data, 1)
    assert master.calculateResult() == {1: ["mine", "changed by the slave"]}
    assert data == {1: ("append", ["mine"])} and master.given == {"list": []}


def test_arrays_are_copies_that_can_be_written_to(make):
    numpy = pytest.importorskip("numpy")
    array = numpy.arange(100_000.0)
    result = make({1: ("fill", array)}, 1).calculateResult()[1]
    assert (result == -1).all() and array[-1] == 99_999
    result[0] = 5


def test_a_script_is_main_while_it_works_and_only_then(make):
    before = sys.modules["__main__"], list(sys.argv), dict(os.environ), os.nice(0)
    master = make({1: ("main",)}, env={"COLOUR": "amber"})
    assert master.calculateResult() == {1: ("__main__", "my slave.py", "amber")}
    assert (sys.modules["__main__"], sys.argv, dict(os.environ), os.nice(0)) == before


def test_an_exception_leads_to_the_line_of_the_slave(make):
    with pytest.raises(CalculationError) as caught:
        make({0: ("divide", 0), 1: ("divide", 1)}, chunk_size=2).calculateResult()
    error = caught.value
    assert error.result == {1: 1.0} and list(error.errors) == [0]
    assert error.__cause__ is error.errors[0].exception
    trace = error.__cause__.__traceback__
    while trace.tb_next is not None:
        trace = trace.tb_next
    assert trace.tb_frame.f_locals["value"] == 0
    assert SLAVE.splitlines()[trace.tb_lineno - 1].endswith("# here")


def test_a_failing_item_is_tried_once_unless_told(make):
    for options, tries in (({}, 1), ({"max_tries": 3}, 3)):
        master = make({0: ("divide", 0)}, on_error="return", **options)
        assert master.calculateResult() == {}
        assert master.told.count(("get_slave_chunk", (0,))) == tries


@pytest.mark.parametrize("verb", ["strange", "lambda", "sys.exit"])
def test_what_fails_with_a_virtual_machine_fails_here(make, verb):
    master = make(dict(squares(3), bad=(verb,)), on_error="return")
    assert master.calculateResult() == {0: 0, 1: 1, 2: 4}
    assert list(master.errors) == ["bad"]


def test_an_item_that_ends_its_slave_is_set_aside(make):
    master = make(dict(squares(3), bad=("exit",)), 1, on_error="return", max_deaths=2)
    assert master.calculateResult() == {0: 0, 1: 1, 2: 4}
    assert master.errors["bad"].kind == "died"


def test_ctrl_c_in_an_item_ends_the_calculation(make):
    for start in ("calculateResult", "start"):
        master = make({1: ("square", 1), 2: ("interrupt", signal.SIGINT), 3: ("square", 3)}, 1)
        with pytest.raises(KeyboardInterrupt):
            getattr(master, start)()
        assert master.result == {1: 1} and master.wait(0)


def test_a_hook_that_raises_ends_the_calculation(make):
    class Broken(Master):
        def job_done(self, slave_tid, result):
            raise ValueError("a slip")

    with pytest.raises(ValueError, match="a slip"):
        make(squares(3), kind=Broken).calculateResult()


def test_a_slave_script_that_raises_is_shown_as_it_is(make, tmp_path):
    script = tmp_path / "broken.py"
    script.write_text("import no_such_module\n")
    with pytest.raises(ImportError, match="no_such_module"):
        make(squares(3), slave_script=script).calculateResult()


def test_start_returns_at_the_end_and_old_ways_of_waiting_do_not_hang(make):
    master = make(squares(3))
    with master.lock:
        master.start()
        assert master.lockMsg.wait()
    assert master.wait(0) and master.result == {0: 0, 1: 1, 2: 4}
    master.join()
    plain = make(squares(3), kind=JobMaster)
    plain.start()
    begun = time.monotonic()
    plain.exit()
    assert plain.result == master.result
    assert time.monotonic() - begun < 0.9  # the slaves leave when they are told


def test_a_master_can_be_ended_by_another_thread(make):
    class Waiting(Master):
        def is_valid_slave(self, slave_tid):
            asked.set()
            return False

    asked = threading.Event()
    master = make(squares(3), 1, kind=Waiting)

    def end():
        asked.wait(20)
        master.exit()

    thread = threading.Thread(target=end)
    thread.start()
    with pytest.raises(CalculationError, match="exit was called"):
        master.calculateResult()
    thread.join(20)


def run_without_machine(tmp_path, *words, **variables):
    """Run a command where no PVM can be found."""
    home = tmp_path / "home"
    home.mkdir()
    environment = {
        **os.environ, "PVM_ROOT": "/nowhere", "PVM_TMP": str(tmp_path / "none"), "HOME": str(home),
        "BISKIT_PVM_AUTOSTART": "0", **variables,
    }  # fmt: skip
    environment.pop("PVMSOCK", None)
    return subprocess.run(
        [sys.executable, *map(str, words)], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
    )


def test_the_examples_run_without_a_daemon(tmp_path):
    run = run_without_machine(tmp_path, "-m", "biskit_pvm.ExampleMaster", BISKIT_PVM_INLINE="1")
    assert run.returncode == 0, run.stderr
    assert run.stdout.endswith("20 results, for instance 3 for item 1\n")
    assert "slave calculating..0 1 2" in run.stdout


def test_the_worked_example_gives_the_same_numbers(tmp_path):
    numpy = pytest.importorskip("numpy")
    from biskit_pvm.rmsd.kabsch import centred, rmsd_block
    from biskit_pvm.rmsd.structures import example_file, read_models

    run = run_without_machine(
        tmp_path, "-m", "biskit_pvm", "example", "rmsd", "--no-picture", "--slaves", 3, BISKIT_PVM_INLINE="1"
    )
    assert run.returncode == 0, run.stderr
    matrix = numpy.load(tmp_path / "2juy_rmsd.npy")
    models = centred(read_models(example_file(), "ca"))
    assert numpy.allclose(matrix, rmsd_block(models, models), atol=1e-6)


OLD_MASTER = """
from Biskit.PVM.TrackingJobMaster import TrackingJobMaster
import os
class Master(TrackingJobMaster):
    def done(self):
        print 'finished'
m = Master({1: 7, 2: 8}, 1, ['a', 'b'], {'default': 0}, os.path.abspath('slave.py'), verbose=0)
r = m.calculateResult()
print r[1], r[2]
"""

OLD_SLAVE = """
from Biskit.PVM.dispatcher import JobSlave
class Slave(JobSlave):
    def go(self, chunk):
        print 'at work'
        return dict((k, v / 2) for k, v in chunk.iteritems())
if __name__ == '__main__':
    import os, sys
    if len(sys.argv) == 2:
        os.nice(int(sys.argv[1]))
    Slave().start()
"""


def test_an_old_script_and_its_slaves_run_in_one_process(tmp_path):
    (tmp_path / "master.py").write_text(OLD_MASTER)
    (tmp_path / "slave.py").write_text(OLD_SLAVE)
    run = run_without_machine(tmp_path, "-m", "biskit_pvm", "run", "--inline", "master.py")
    assert (run.returncode, run.stdout) == (0, "at work\nat work\nfinished\n3 4\n"), run.stderr


def test_a_debugger_stops_in_the_slave_and_can_be_left(make, tmp_path):
    (tmp_path / "master.py").write_text(
        "from biskit_pvm import TrackingJobMaster\n"
        "TrackingJobMaster({1: 5, 2: 6}, 1, ['a'], slave_script='slave.py', verbose=0, inline=True).calculateResult()\n"
    )
    (tmp_path / "slave.py").write_text(
        "from biskit_pvm import JobSlave\n"
        "class Slave(JobSlave):\n"
        "    def go(self, chunk):\n"
        "        breakpoint()\n"
        "        return chunk\n"
        "if __name__ == '__main__':\n"
        "    Slave().start()\n"
    )
    run = subprocess.run(
        [sys.executable, "master.py"], input="p chunk\nc\np chunk\nq\n", cwd=tmp_path, capture_output=True, text=True,
        env={**os.environ, "PVM_ROOT": "/nowhere"}, timeout=60,
    )  # fmt: skip
    assert "(Pdb) {1: 5}" in run.stdout and "(Pdb) {2: 6}" in run.stdout
    assert run.returncode == 1
    if sys.version_info < (3, 14):
        assert run.stderr.rstrip().endswith("bdb.BdbQuit")
    else:  # pdb asks whether to quit, and then exits
        assert run.stderr == ""


def test_the_process_ends_on_sigterm(make, tmp_path):
    (tmp_path / "master.py").write_text(
        "import sys\nfrom biskit_pvm import TrackingJobMaster\n"
        "TrackingJobMaster({1: ('interrupt', 15)}, 1, ['a'], slave_script=sys.argv[1], verbose=0, inline=True)"
        ".calculateResult()\n"
    )
    run = run_without_machine(tmp_path, "master.py", tmp_path / "my slave.py")
    assert (run.returncode, run.stderr) == (143, "")


def test_slaves_and_masters_load_nothing_of_it_unless_asked(tmp_path):
    run = subprocess.run(
        [sys.executable, "-c", "import sys, biskit_pvm.TrackingJobMaster, biskit_pvm.slave\n"
         "print([name for name in sys.modules if 'inline' in name])"],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert run.stdout == "[]\n"
