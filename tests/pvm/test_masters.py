"""Masters and slaves on a real pvmd: what every method does."""

from __future__ import annotations

import os
import socket
import threading
import time
from pathlib import Path

import pytest

from biskit_pvm import CalculationError, JobMaster, PVMMasterSlave, PVMThread, TrackingJobMaster
from biskit_pvm.ExampleMaster import Master as ExampleMaster
from biskit_pvm.machine import names
from biskit_pvm.machine import task as machine

SLAVE = str(Path(__file__).parents[1] / "support" / "slaves" / "obedient.py")
LIMIT = 60.0


@pytest.fixture
def host(session_vm):
    return names.own_host()


@pytest.fixture
def make(host):
    """Make masters that are surely ended."""
    masters = []

    def build(data, n_slaves=2, kind=TrackingJobMaster, **options):
        defaults = dict(chunk_size=2, hosts=[host] * n_slaves, niceness={"default": 0}, slave_script=SLAVE, verbose=0)
        if issubclass(kind, TrackingJobMaster):
            defaults["add_hosts"] = 0
        master = kind(data, **dict(defaults, **options))
        masters.append(master)
        return master

    yield build
    for master in masters:
        if master.is_alive():
            master.exit()
            master.join(10)
        assert not master.is_alive()


def returns(n):
    return {i: ("return", i * i) for i in range(n)}


def squares(n):
    return {i: i * i for i in range(n)}


def test_the_example_gives_its_result_on_three_slaves_of_this_host(host, capsys):
    master = ExampleMaster(
        data={i: i + 1 for i in range(100)}, chunk_size=10, hosts=[host] * 3, niceness={"default": 0}, add_hosts=0
    )
    master.seconds_per_item = 0.01
    assert master.calculateResult() == {i: i + 2 for i in range(100)}
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Processing 100 items ..."
    assert sum(line.endswith("spawned.") for line in lines) == 3
    assert any("items left" in line for line in lines)
    assert "Cleaning up..." in lines and lines[-1] == "Now we are done."


def test_all_results_come_whatever_the_size_of_the_chunks(make):
    for chunk_size in (1, 3, 100):
        assert make(returns(20), chunk_size=chunk_size).calculateResult() == squares(20)


def test_thousands_of_short_jobs_all_come_back(make):
    assert make(returns(5000), chunk_size=1, n_slaves=3).calculateResult() == squares(5000)


def test_arrays_travel_both_ways(make):
    import numpy

    result = make({i: ("array", 200_000 + i) for i in range(5)}).calculateResult()
    assert all(numpy.array_equal(result[i], numpy.arange(200_000.0 + i)) for i in range(5))
    result[0][0] = 5.0  # the caller's own, to be changed


def test_empty_data_give_an_empty_result_at_once(make):
    start = time.monotonic()
    assert make({}).calculateResult() == {}
    assert make({}, hosts=[]).calculateResult() == {}
    assert time.monotonic() - start < 2


def test_items_with_a_result_are_not_processed_again(make):
    master = make(dict(returns(4), bad=("raise", "never asked")), kind=_WithResult, result={"bad": "old"})
    assert master.calculateResult() == dict(squares(4), bad="old")


class _WithResult(TrackingJobMaster):
    def __init__(self, data, result, **kw):
        TrackingJobMaster.__init__(self, data, **kw)
        self.result = result
        for item in result:
            self.status.objects[item] = 0


def test_a_calculation_without_hosts_is_refused_at_once(make):
    with pytest.raises(CalculationError, match="at least 1 pvm node"):
        make(returns(3), hosts=[]).calculateResult()


def test_a_bad_host_name_is_named_and_the_others_do_the_work(make, host):
    master = make(returns(5), hosts=["no-such-host", host])
    assert master.calculateResult() == squares(5)


def test_only_bad_hosts_end_in_a_clear_error(make):
    start = time.monotonic()
    with pytest.raises(CalculationError, match="no-such-host.*NoHost|no-such-host.*NO_HOST"):
        make(returns(5), hosts=["no-such-host"]).calculateResult()
    assert time.monotonic() - start < 20


def test_a_slave_script_that_does_not_exist_ends_in_a_clear_error(make):
    start = time.monotonic()
    with pytest.raises(CalculationError, match="/no/such/slave.py"):
        make(returns(5), slave_script="/no/such/slave.py").calculateResult()
    assert time.monotonic() - start < 10


def test_a_misspelt_option_is_named_with_the_nearest(host):
    with pytest.raises(TypeError, match="did you mean 'max_tries'"):
        TrackingJobMaster({}, hosts=[host], add_hosts=0, max_trys=3)
    with pytest.raises(ValueError, match="on_error"):
        TrackingJobMaster({}, hosts=[host], add_hosts=0, on_error="maybe")


class OwnSend(TrackingJobMaster):
    """As subclasses of old do, it adds to `send` and returns nothing."""

    def send(self, task, msg_tag, value=None):
        TrackingJobMaster.send(self, task, msg_tag, value)


def test_a_subclass_may_have_a_send_of_its_own(make):
    assert make(returns(5), kind=OwnSend).calculateResult() == squares(5)


def test_slaves_run_with_the_niceness_of_their_host(make, host):
    daemon = os.nice(0)  # which this process has started
    result = make({1: ("nice",)}, n_slaves=1, niceness={host: 3}).calculateResult()
    assert result == {1: min(daemon + 3, 19)}
    result = make({1: ("nice",)}, n_slaves=1, niceness={"default": 4}).calculateResult()
    assert result == {1: min(daemon + 4, 19)}


def test_initialize_is_called_even_with_none(make):
    assert make({1: ("params",)}).calculateResult() == {1: None}


class _Hooks(TrackingJobMaster):
    """Notes which hook is called when."""

    def __init__(self, *args, **kw):
        self.calls = []
        TrackingJobMaster.__init__(self, *args, **kw)

    def note_call(self, *what):
        self.calls.append(what + (threading.current_thread(),))

    def getInitParameters(self, slave_tid):
        self.note_call("getInitParameters", slave_tid)
        return {"answer": 42}

    def start_job(self, slave_tid):
        self.note_call("start_job", slave_tid)
        TrackingJobMaster.start_job(self, slave_tid)

    def get_slave_chunk(self, data_keys):
        self.note_call("get_slave_chunk", tuple(data_keys))
        return TrackingJobMaster.get_slave_chunk(self, data_keys)

    def job_done(self, slave_tid, result):
        self.note_call("job_done", slave_tid, tuple(result))
        TrackingJobMaster.job_done(self, slave_tid, result)

    def cleanup(self):
        self.note_call("cleanup")

    def done(self):
        self.note_call("done")

    def reportProgress(self):
        self.note_call("reportProgress")

    def notifyAll(self):
        self.note_call("notifyAll")
        TrackingJobMaster.notifyAll(self)

    def getResult(self, **arg):
        return self.result, arg


def test_hooks_are_called_once_per_chunk_in_order_and_in_one_thread(make):
    master = make({i: ("sleep", 0.02) for i in range(40)}, kind=_Hooks, redistribute=0)
    back = []
    master.setCallback(lambda m: back.append(m))
    result, arguments = master.calculateResult(mirror=1)
    assert set(result) == set(range(40)) and arguments == {"mirror": 1}
    assert back == [master]
    names = [call[0] for call in master.calls]
    assert names.count("getInitParameters") == 2
    assert names.count("start_job") == names.count("get_slave_chunk") == names.count("job_done") == 20
    assert names[-4:] == ["cleanup", "reportProgress", "done", "notifyAll"]
    for chunk in [c[1] for c in master.calls if c[0] == "get_slave_chunk"]:
        given = names.index("start_job")
        done = next(i for i, c in enumerate(master.calls) if c[0] == "job_done" and set(c[2]) == set(chunk))
        made = next(i for i, c in enumerate(master.calls) if c[0] == "get_slave_chunk" and c[1] == chunk)
        assert given < made < done
        assert names[made - 1] == "start_job"
    assert len({call[-1] for call in master.calls}) == 1
    assert master.calls[0][-1] is not threading.current_thread()


def test_the_end_is_told_by_lockmsg_callback_and_event_alike(make):
    master = make(returns(6))
    ended = threading.Event()
    master.setCallback(lambda m: ended.set())
    with master.lock:
        master.start()
        assert master.lockMsg.wait(LIMIT)
    assert ended.wait(LIMIT)
    assert master.getResult() == squares(6)
    master.join(LIMIT)
    assert not master.isAlive()


def test_progress_holds_the_mean_time_of_each_slave(make, capsys):
    master = make({i: ("sleep", 0.1) for i in range(6)}, n_slaves=2, chunk_size=1, redistribute=0)
    master.calculateResult()
    given = [record["given"] for record in master.progress.values()]
    done = [record["done"] for record in master.progress.values()]
    assert given == done and sum(done) == 6
    assert all(0.1 <= record["time"] < 0.5 for record in master.progress.values())
    master.verbose = 1
    master.reportProgress()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["host", "given", "done", "time"]
    assert len(lines) == 3
    assert len(master.history) == 6


def test_hosts_that_are_disabled_get_no_further_job(make, host):
    class OneOnly(TrackingJobMaster):
        def is_valid_slave(self, slave_tid):
            return self.nicknameFromTID(slave_tid).endswith("_1")

    master = make({i: ("sleep", 0.1) for i in range(20)}, kind=OneOnly, chunk_size=1)  # both come up in that time
    assert master.calculateResult() == dict.fromkeys(range(20), 0.1)
    # asked after its first job, as ever
    assert master.progress[f"{host}_0"]["done"] == 1
    assert master.progress[f"{host}_1"]["done"] >= 19  # what the other had in hand may come twice


def test_a_host_can_be_disabled_and_enabled_while_running(make, host):
    master = make(returns(10), heartbeat=1.0)
    master.disabled_hosts = [host]
    master.start()
    assert not master.wait(1.0)
    master.disabled_hosts = []
    assert master.wait(LIMIT)
    assert master.result == squares(10)


def test_slow_hosts_get_smaller_chunks(make, host):
    master = make(returns(40), kind=_Hooks, chunk_size=8, n_slaves=1, redistribute=0)
    master.mark_slow_slaves([host], 0.25)
    master.calculateResult()
    sizes = [len(c[1]) for c in master.calls if c[0] == "get_slave_chunk"]
    assert sizes == [2] * 20
    with pytest.raises(ValueError):
        master.mark_slow_slaves([host], 0)


def test_hostname_and_nickname_of_a_slave(make, host):
    master = make({1: ("sleep", 0.2)}, n_slaves=2)
    master.start()
    for tid, place in master.slaves.items():
        assert master.hostnameFromTID(tid) == host
        assert master.nicknameFromTID(tid) == place["nickname"]
        assert master.getTasks()[place["nickname"]] == tid
    assert [p["nickname"] for p in master.hosts] == [f"{host}_0", f"{host}_1"]
    with pytest.raises(NameError):
        master.nicknameFromTID(1)
    with pytest.raises(NameError):
        master.hostnameFromTID(1)
    assert master.wait(LIMIT)


def test_jobmaster_alone_says_done_and_leaves_the_end_to_the_user(make, capsys):
    master = make(returns(4), kind=JobMaster)
    master.start()
    assert master.wait(LIMIT)
    assert capsys.readouterr().out == "Done\n"
    assert master.result == squares(4)
    assert master.is_alive()
    master.exit()
    master.join(LIMIT)
    assert not master.is_alive()


def test_a_message_costs_no_delay_however_long_the_old_delay_is(make):
    master = make(returns(100), chunk_size=1, n_slaves=1)
    master.setMessageLoopDelay(30.0)
    start = time.monotonic()
    assert master.calculateResult() == squares(100)
    assert time.monotonic() - start < 10
    assert master.getMessageLoopDelay() == 30.0


def test_bindings_bring_messages_to_methods(host):
    got, other = [], threading.Event()
    thread = PVMThread()
    try:
        thread.start()
        assert thread.messageLoopIsStopped() and not thread.isStopped()
        thread.bind(77, -1, lambda *args: (got.append(args), other.set()))
        assert (-1, 77) in thread.getBindings()
        thread.send(thread.getTID(), 77, ("hello", 1))
        assert not other.wait(0.2)
        thread.startMessageLoop()
        assert other.wait(LIMIT) and got == [("hello", 1)]
        assert not thread.messageLoopIsStopped()
        thread.unbind((-1, 77))
        assert (-1, 77) not in thread.getBindings()
        assert thread.getParent() is None
    finally:
        thread.stop()
        thread.join(LIMIT)
    assert thread.isStopped() and not thread.isAlive()


def test_an_exception_in_a_method_is_printed_and_does_not_end_the_loop(host, capfd):
    done = threading.Event()

    def fail():
        raise ValueError("on purpose")

    thread = PVMThread()
    try:
        thread.start()
        thread.bind(78, -1, fail)
        thread.bind(79, -1, done.set)
        thread.startMessageLoop()
        thread.send(thread.getTID(), 78)
        thread.send(thread.getTID(), 79)
        assert done.wait(LIMIT)
    finally:
        thread.stop()
        thread.join(LIMIT)
    assert "on purpose" in capfd.readouterr().err


def test_fields_may_have_any_name_that_threads_use(host):
    class Old(PVMThread):
        def __init__(self):
            PVMThread.__init__(self)
            for name in FIELDS:
                setattr(self, name, ["mine", name])

    FIELDS = (
        "name",
        "daemon",
        "ident",
        "native_id",
        "_args",
        "_kwargs",
        "_target",
        "_started",
        "_handle",
        "_stop",
        "_name",
        "_ident",
        "_is_stopped",
        "_tstate_lock",
        "_daemonic",
        "_initialized",
        "_native_id",
        "_stderr",
        "_invoke_excepthook",
    )
    thread = Old()
    done = threading.Event()
    thread.bind(80, -1, done.set)
    thread.start()
    try:
        thread.startMessageLoop()
        assert thread.is_alive() and thread.isAlive()
        thread.setName("worker")
        assert thread.getName() == "worker" and "worker" in repr(thread)
        thread.send(thread.getTID(), 80)
        assert done.wait(LIMIT)
        assert not thread.isDaemon()
    finally:
        thread.stop()
        thread.join(LIMIT)
    assert not thread.is_alive()
    assert all(getattr(thread, f) == ["mine", f] for f in FIELDS)


def test_the_methods_of_a_thread_work_without_warnings(host):
    thread = PVMThread()
    thread.setDaemon(True)
    assert thread.isDaemon() and thread.daemon is True
    thread.setDaemon(False)
    assert isinstance(thread, threading.Thread)
    assert thread.name == thread.getName()
    assert thread.ident is None and thread.native_id is None
    thread.start()
    assert thread.ident is not None
    thread.stop()
    thread.join(LIMIT)


def test_ping_tells_whether_a_task_answers(make, host):
    master = make({1: ("sleep", 0.5)}, n_slaves=1)
    master.setPingTimeout(3.0)
    assert master.getPingTimeout() == 3.0
    master.start()
    (nickname,) = master.getTasks()
    assert master.ping(nickname) == 1
    master.getTasks()["gone"] = 0x40FFF
    master.setPingTimeout(0.1)
    assert master.ping("gone") == 0
    del master.getTasks()["gone"]
    assert master.wait(LIMIT)


def test_the_debug_log_is_kept_and_removed(host, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", None)
    thread = PVMThread(log=1)
    thread.post("first")
    thread.post_message_received(1, 2, ("x",))
    thread.post_message_sent(1, 2, ("y",))
    thread.post_execute_method(1, 2, None)
    thread.log()
    assert "first" in capsys.readouterr().out
    path = tmp_path / f"pvm_thread.log.{os.getpid()}"
    written = path.read_text()
    assert "PVMThread: received and unpacked: msg_tag = 1, tid = 2\n[params = ('x',)]" in written
    assert "PVMThread: message sent: msg_tag = 1, tid = 2\n[params = ('y',)]" in written
    assert "PVMThread: execute method bound to: msg_tag = 1, tid = 2\n[params = None]" in written
    thread.rm_log()
    assert not path.exists()


def test_send_takes_nicknames_tids_and_tuples(host):
    got, both = [], threading.Event()

    def take(value):
        got.append(value)
        if len(got) == 4:
            both.set()

    thread = PVMThread()
    thread.bind(81, -1, take)
    thread.getTasks()["me"] = thread.getTID()
    thread.start()
    try:
        thread.startMessageLoop()
        thread.send("me", 81, (1,))
        thread.send(thread.getTID(), 81, (2,))
        thread.send(("me", thread.getTID()), 81, (3,))
        assert both.wait(LIMIT)
    finally:
        thread.stop()
        thread.join(LIMIT)
    assert got == [1, 2, 3, 3]


def test_a_plain_master_slave_pair_does_the_handshake(host):
    class Boss(PVMMasterSlave):
        def __init__(self):
            PVMMasterSlave.__init__(self, verbose=0)
            self.ready = threading.Event()

        def getInitParameters(self, slave_tid):
            return {"for": slave_tid}

        def initializationDone(self, slave_tid):
            self.who = slave_tid
            self.ready.set()

    import sys

    boss = Boss()
    boss.start()
    boss.startMessageLoop()
    try:
        tid = boss.spawn((sys.executable, [SLAVE], 0, "", 1), "helper")
        assert tid > 0 and boss.ready.wait(LIMIT) and boss.who == tid
    finally:
        boss.exit()
        boss.join(LIMIT)
    assert not boss.is_alive()


def test_spawn_returns_the_error_code_of_pvm(host):
    boss = PVMMasterSlave(verbose=0)
    try:
        assert boss.spawn(("/no/such/program", [], 0, "", 1)) == -7
    finally:
        boss.exit()


def test_this_host_is_known_to_pvm(host):
    assert host == socket.gethostname()


def test_send_to_all_reaches_every_task(host):
    got, both = [], threading.Event()
    thread = PVMThread()
    thread.bind(82, -1, lambda x: (got.append(x), both.set()))
    thread.getTasks()["me"] = thread.getTID()
    thread.start()
    try:
        thread.startMessageLoop()
        thread.sendToAll(82, ("all",))
        assert both.wait(LIMIT)
    finally:
        thread.stop()
        thread.join(LIMIT)
    assert got == ["all"]


def test_every_name_of_the_public_page_is_there():
    names = """hostnameFromTID is_valid_slave mark_slow_slaves start_job
        job_done reportProgress setCallback cleanup done notifyAll finish
        getResult calculateResult getRst saveRst setRst bindMessages
        getInitParameters get_slave_chunk initializationDone spawn spawnAll
        start exit initialize messageLoopIsUp startMessageLoop bind
        getBindings getMessageLoopDelay getParent getPingTimeout getTID
        getTasks isStopped log messageLoopIsStopped nicknameFromTID ping post
        post_execute_method post_message_received post_message_sent rm_log
        run send sendToAll send_primitive setMessageLoopDelay setPingTimeout
        stop stopMessageLoop unbind _ping getName isAlive isDaemon join
        setDaemon setName __repr__""".split()
    assert [n for n in names if not callable(getattr(TrackingJobMaster, n, None))] == []
    import inspect

    defaults = {
        name: p.default
        for name, p in inspect.signature(TrackingJobMaster).parameters.items()
        if p.kind is p.POSITIONAL_OR_KEYWORD
    }
    assert list(defaults)[:9] == [
        "data",
        "chunk_size",
        "hosts",
        "niceness",
        "slave_script",
        "verbose",
        "show_output",
        "add_hosts",
        "redistribute",
    ]
    assert [defaults[n] for n in ("chunk_size", "verbose", "show_output", "add_hosts", "redistribute")] == [
        5,
        1,
        0,
        1,
        1,
    ]


TELLS_WHAT_IT_LOADS = """
import sys
before = set(sys.modules)       # with those of an editable installation
from biskit_pvm import JobSlave

class Slave(JobSlave):
    def go(self, items):
        return dict.fromkeys(items, sorted(set(sys.modules) - before))

Slave().start()
"""


def test_slaves_load_little(make, tmp_path):
    script = tmp_path / "slave.py"
    script.write_text(TELLS_WHAT_IT_LOADS)
    loaded = set(make({1: None}, slave_script=str(script)).calculateResult()[1])
    assert "biskit_pvm.slave" in loaded
    assert not loaded & {
        "biskit_pvm.dispatcher",
        "biskit_pvm.machine.daemon",
        "dataclasses",
        "hashlib",
        "inspect",
        "logging",
        "pathlib",
        "random",
        "secrets",
        "shutil",
        "socket",
        "ssl",
        "subprocess",
        "tempfile",
        "traceback",
        "typing",
    }
    assert {name for name in loaded if name.startswith("pvm_ext.")} == {
        "pvm_ext._pvm",
        "pvm_ext.constants",
        "pvm_ext.errors",
    }


@pytest.mark.parametrize("niceness", [None, {}, {"elsewhere": 5}])
def test_slaves_of_a_host_without_a_niceness_are_not_slowed(make, niceness, monkeypatch):
    seen = []

    class Master(TrackingJobMaster):
        def spawn(self, host, nickname, nice, show_output=0):
            seen.append(nice)
            return TrackingJobMaster.spawn(self, host, nickname, nice, show_output)

    master = make(returns(2), n_slaves=1, kind=Master)
    master.niceness = niceness
    assert master.calculateResult() == squares(2) and seen == [0]
