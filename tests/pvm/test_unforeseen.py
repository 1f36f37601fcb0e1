"""What nobody foresees: wherever it happens, the caller hears of it, soon, and nothing hangs."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from biskit_pvm import CalculationError, JobSlave, TrackingJobMaster
from biskit_pvm.dispatcher import JobMaster, calculation_of
from biskit_pvm.machine import names
from biskit_pvm.machine.tags import Tag
from biskit_pvm.PVMThread import messenger_of, slaves_of

from ..support.waiting import wait_for

SLAVE = str(Path(__file__).parents[1] / "support" / "slaves" / "obedient.py")
LIMIT = 60.0
#: seconds from the error to the end of the master, on a loaded machine
SOON = 10.0


@pytest.fixture
def host(session_vm):
    return names.own_host()


@pytest.fixture
def make(host):
    """Make masters that are surely ended."""
    masters = []

    def build(data, n_slaves=1, kind=TrackingJobMaster, **options):
        defaults = dict(chunk_size=1, hosts=[host] * n_slaves, niceness={"default": 0}, slave_script=SLAVE, verbose=0)
        master = kind(data, **dict(defaults, add_hosts=0, respawn_pause=0.05, **options))
        masters.append(master)
        return master

    yield build
    for master in masters:
        if master.is_alive():
            master.exit()
            master.join(10)
        assert not master.is_alive()


def returns(n):
    return {i: ("return", i) for i in range(n)}


class Oops(Exception):
    """An error of the user's."""


class Worse(BaseException):
    """One that `except Exception` does not catch."""


HOOKS = (
    "getInitParameters",
    "initializationDone",
    "messageLoopIsUp",
    "bindMessages",
    "is_valid_slave",
    "start_job",
    "get_slave_chunk",
    "chunk_size_for",
    "job_done",
    "finish",
    "done",
    "cleanup",
    "reportProgress",
    "getResult",
)
ERRORS = (Oops("mine"), SystemExit(5), KeyboardInterrupt("mine"), Worse("mine"), StopIteration("mine"))


@pytest.mark.parametrize("hook", HOOKS)
def test_what_a_hook_raises_ends_the_calculation_and_is_raised(make, hook):
    for error in ERRORS:

        def raises(self, *args, error=error, **kw):
            raise error

        master = make(returns(3), kind=type("Master", (TrackingJobMaster,), {hook: raises}))
        start = time.monotonic()
        with pytest.raises(type(error)) as seen:
            master.calculateResult()
        assert seen.value is error
        assert time.monotonic() - start < SOON
        master.join(SOON)
        assert not master.is_alive()


def test_an_error_of_the_callback_is_raised(make):
    error = SystemExit("the results do not add up")

    def callback(master):
        raise error

    master = make(returns(2))
    master.setCallback(callback)
    with pytest.raises(SystemExit) as seen:
        master.calculateResult()
    assert seen.value is error


@pytest.mark.parametrize("where", ["tick", "queued function", "display", "bound method"])
def test_what_the_engine_itself_calls_may_raise(make, where):
    error = Worse(where)

    def raises(*args):
        raise error

    master = make({0: ("sleep", LIMIT)})
    messenger = messenger_of(master)
    outcome = []

    def wait():
        try:
            master.calculateResult()
        except BaseException as raised:
            outcome.append(raised)

    waiter = threading.Thread(target=wait)
    waiter.start()
    _until(lambda: calculation_of(master).running and master.slaves)
    if where == "tick":
        messenger.loop.tick = raises
        messenger.loop.tick_soon()
    elif where == "queued function":
        messenger.loop.call_soon(raises)
    elif where == "display":
        master._JobMaster__display.update = raises
        messenger.loop.tick_soon()
    else:
        master.bind(4711, -1, raises)
        master.send(master.getTID(), 4711, ())
    waiter.join(SOON)
    assert outcome == [error]


def test_an_error_of_what_starts_slaves_again_is_told(make):
    class Master(TrackingJobMaster):
        starts = 0

        def spawn(self, *args):
            self.starts += 1
            if self.starts > 1:
                raise Worse("no memory for a slave")
            return TrackingJobMaster.spawn(self, *args)

    master = make({0: ("kill",)}, kind=Master)
    with pytest.raises(CalculationError, match="no memory for a slave"):
        master.calculateResult()


# ---------------------------------------------------------------- nobody waits


def test_an_error_that_nobody_waits_for_is_printed_and_wakes_who_waits_on_the_lock(make, capfd):
    class Master(TrackingJobMaster):
        def job_done(self, slave_tid, result):
            raise Oops("a mistake in my hook")

    called = []
    master = make(returns(1), kind=Master)
    master.setCallback(called.append)
    with master.lockMsg:
        master.start()
        assert master.lockMsg.wait(SOON)
    master.join(SOON)
    assert not master.is_alive() and not called and not master.result
    text = capfd.readouterr().err
    assert "Traceback" in text and text.rstrip().endswith("Oops: a mistake in my hook")


def test_a_second_start_leaves_the_calculation_alone(make):
    master = make({i: ("sleep", 0.05) for i in range(10)})
    called = []
    master.setCallback(called.append)
    master.start()
    for again in (master.start, master.calculateResult):
        with pytest.raises(RuntimeError, match="only be started once"):
            again()
    assert master.wait(LIMIT)
    assert len(master.result) == 10 and called == [master] and master.error is None


def test_two_threads_that_begin_at_the_same_moment_share_no_calculation(make):
    both = threading.Barrier(2, timeout=SOON)

    class Together(TrackingJobMaster):
        def start(self):
            both.wait()
            super().start()

    master = make(returns(3), kind=Together)
    outcomes = []

    def calculate():
        try:
            outcomes.append(master.calculateResult())
        except BaseException as error:
            outcomes.append(error)

    threads = [threading.Thread(target=calculate) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LIMIT)
    assert sorted(type(outcome) for outcome in outcomes if isinstance(outcome, dict)) == [dict]
    assert {0, 1, 2} in [set(outcome) for outcome in outcomes if isinstance(outcome, dict)]
    assert [str(outcome) for outcome in outcomes if isinstance(outcome, RuntimeError)] == [
        "threads can only be started once"
    ]


def test_an_end_that_is_interrupted_leaves_no_thread(make):
    class Impatient(TrackingJobMaster):
        def send(self, task, msg_tag, value=None):
            if msg_tag == Tag.EXIT:
                raise KeyboardInterrupt("again")
            super().send(task, msg_tag, value)

    master = make({0: ("sleep", LIMIT)}, kind=Impatient)
    master.start()
    assert wait_for(lambda: any(s.up for s in calculation_of(master).state.slaves.values()), LIMIT)
    with pytest.raises(KeyboardInterrupt):
        master.exit()
    master.join(SOON)
    alive = master.is_alive()
    messenger_of(master).loop.stop()
    for tid in list(master.slaves):
        messenger_of(master).end_task(tid, signal.SIGKILL)
    assert not alive


@pytest.mark.parametrize("how", ["stop", "exit"])
def test_no_item_is_given_to_slaves_that_leave(make, how):
    """Or else it would be passed on from one to the next, and fail by the death of all of them."""

    class Stopped(TrackingJobMaster):
        n_given = 0

        def start_job(self, slave_tid):
            self.n_given += not calculation_of(self).running

        def job_done(self, slave_tid, result):
            if 0 in result:
                getattr(self, how)()

    data = {0: ("sleep", 0.1), **{i: ("sleep", 0.2 + 0.02 * i) for i in range(1, 30)}}
    master = make(data, 12, kind=Stopped, max_deaths=2)
    with pytest.raises(CalculationError):
        master.calculateResult()
    assert master.errors == {} and master.n_given == 0


def test_a_slave_that_is_born_after_the_end_does_not_stay(make, host):
    spawned = []

    class Ended(TrackingJobMaster):
        def spawn(self, *args, **kw):
            # as exit() of another thread would, while PVM starts the slave
            slaves_of(self).dismiss(self.send, lambda nickname: None)
            spawned.append(super().spawn(*args, **kw))
            return spawned[-1]

    master = make({0: ("sleep", LIMIT)}, kind=Ended)
    thread = threading.Thread(target=master.start, daemon=True)
    thread.start()
    try:
        assert wait_for(lambda: spawned and spawned[0] not in slaves_of(master).alive, SOON)
    finally:
        for tid in slaves_of(master).alive:
            messenger_of(master).end_task(tid, signal.SIGKILL)
        master.exit()


def test_without_hosts_start_itself_refuses(make):
    for error in (AssertionError, CalculationError):
        with pytest.raises(error, match="at least 1 pvm node"):
            make(returns(1), hosts=[]).start()


@pytest.mark.parametrize("method", ["exit", "stop"])
@pytest.mark.parametrize("times", [1, 2])
def test_ending_before_the_start_is_an_error_of_the_start(make, method, times):
    master = make(returns(1))
    for _ in range(times):
        getattr(master, method)()
    with pytest.raises(CalculationError, match="before the calculation was started"):
        master.calculateResult()


@pytest.mark.parametrize("method", ["exit", "stop"])
@pytest.mark.parametrize("hook", ["job_done", "start_job", "initializationDone", "done"])
def test_ending_in_a_hook_hangs_nobody(make, method, hook):
    def ends(self, *args):
        getattr(self, method)()
        getattr(self, method)()
        getattr(TrackingJobMaster, hook)(self, *args)

    master = make(returns(20), kind=type("Master", (TrackingJobMaster,), {hook: ends}))
    if hook == "done":
        assert master.calculateResult() == {i: i for i in range(20)}
    else:
        with pytest.raises(CalculationError, match=method):
            master.calculateResult()
    master.join(SOON)
    assert not master.is_alive()


# ----------------------------------------------------- output that cannot be written

VERBOSE = """
import sys
from biskit_pvm import TrackingJobMaster
from biskit_pvm.hosts import cpus_all
if __name__ == "__main__":
    {before}
    master = TrackingJobMaster({{i: ("return", i) for i in range(30)}}, 1, cpus_all[:1], slave_script={slave!r},
                               verbose=1, niceness={{"default": 0}})
    result = master.calculateResult()
    open("finished", "w").write(str(len(result)))
"""


@pytest.mark.parametrize(
    ("how", "before"),
    [
        ("exec {python} master.py | head -1", ""),
        ("exec {python} master.py > /dev/full", ""),
        ("exec {python} master.py > /dev/full 2> /dev/full", ""),
        ("exec {python} master.py >&- 2>&-", ""),
        ("exec {python} master.py", "sys.stdout.close()"),
        ("exec {python} master.py", "sys.stdout = None"),
    ],
)
def test_output_that_cannot_be_written_does_not_end_a_calculation(vm, tmp_path, how, before):
    (tmp_path / "master.py").write_text(VERBOSE.format(slave=SLAVE, before=before or "pass"))
    done = subprocess.run(
        ["bash", "-c", how.format(python=shlex.quote(sys.executable))],
        cwd=tmp_path,
        env=vm.env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )
    assert (tmp_path / "finished").read_text() == "30"
    assert "Traceback" not in done.stderr


# ------------------------------------------------------------ what cannot be read


class Local:
    """A class that slaves do not find."""


def test_a_result_that_cannot_be_read_spoils_nothing_else(make):
    data = {**returns(6), 2: ("unreadable",), 4: ("unreadable",)}
    master = make(data, on_error="return", max_tries=1, max_deaths=1, prefetch=5.0)
    assert master.calculateResult() == {i: i for i in (0, 1, 3, 5)}
    assert sorted(master.errors) == [2, 4]
    assert "cannot be read by the master" in master.errors[2].message
    assert len(master.slaves) == 1  # the slave has lived


def test_an_item_that_cannot_be_read_names_its_class_and_the_remedy(make, monkeypatch):
    monkeypatch.setattr(Local, "__module__", "__main__")
    monkeypatch.setattr(sys.modules["__main__"], "Local", Local, raising=False)
    data = {**returns(4), 2: ("return", Local())}
    master = make(data, on_error="return", max_tries=1)
    assert master.calculateResult() == {i: i for i in (0, 1, 3)}
    assert "Local" in master.errors[2].message and "put it into a module" in master.errors[2].message
    assert len(master.slaves) == 1


def test_an_exception_whose_words_raise_is_an_ordinary_failure(make):
    master = make({0: ("raise_mute",), 1: ("return", 1)}, on_error="return", max_tries=1)
    assert master.calculateResult() == {1: 1}
    assert master.errors[0].kind == "Mute" and len(master.slaves) == 1


# ----------------------------------------------------------------- poisoned items

POISON = {
    "raise": ("raise", "bad"),
    "sys.exit": ("sys_exit", 3),
    "os._exit": ("exit", 3),
    "segmentation fault": ("segfault",),
    "kill -9": ("kill",),
    "memory": ("memory",),
}


@pytest.mark.parametrize("n_slaves", [1, 2, 3])
@pytest.mark.parametrize("poison", POISON)
def test_a_poisoned_item_is_set_aside_and_all_others_get_done(make, poison, n_slaves):
    data = {**returns(8), 3: POISON[poison]}
    master = make(data, n_slaves=n_slaves, on_error="return", max_deaths=3)
    assert master.calculateResult() == {i: i for i in range(8) if i != 3}
    assert list(master.errors) == [3]


@pytest.mark.parametrize(
    ("order", "words"), [(("exit", 7), "exit status 7"), (("kill",), "SIGKILL"), (("segfault",), "SIGSEGV")]
)
def test_why_a_slave_died_is_told(make, order, words):
    master = make({0: order}, on_error="return", max_deaths=1)
    master.calculateResult()
    assert words in master.errors[0].message


# --------------------------------------------------- several in one process, and nested


def test_masters_in_one_process_hear_of_their_own_slaves(make, tmp_path):
    broken = tmp_path / "broken.py"
    broken.write_text("import no_such_module_at_all\n")
    busy = make({i: ("sleep", 0.05) for i in range(10_000)}, n_slaves=2)
    busy.start()
    start = time.monotonic()
    with pytest.raises(CalculationError, match="no_such_module_at_all"):
        make(returns(3), slave_script=str(broken)).calculateResult()
    assert time.monotonic() - start < SOON
    for _ in range(3):
        start = time.monotonic()
        assert make({**returns(5), 3: ("kill",)}, on_error="return", max_deaths=2).calculateResult()
        assert time.monotonic() - start < SOON
    assert busy.is_alive() and busy.error is None
    start = time.monotonic()
    busy.exit()
    busy.join(SOON)
    assert not busy.is_alive() and time.monotonic() - start < SOON


def test_calculations_that_start_together_all_end(make):
    masters = [make(returns(20)) for _ in range(4)]
    threads = [threading.Thread(target=master.calculateResult) for master in masters]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LIMIT)
    assert [master.result for master in masters] == [{i: i for i in range(20)}] * 4


def test_a_master_inside_a_slave_is_a_master(make):
    master = make({0: ("nested", SLAVE)})
    assert master.calculateResult() == {0: {i: i for i in range(3)}}


# --------------------------------------------------------------- fields of subclasses

#: what the original's API page has, and what `threading.Thread` gives to everybody
API = {
    "bind", "bindMessages", "calculateResult", "call_done", "chunk_size", "cleanup", "current_pos", "data",
    "disabled_hosts", "done", "exit", "finish", "finished", "getBindings", "getInitParameters",
    "getMessageLoopDelay", "getName", "getParent", "getPingTimeout", "getResult", "getRst", "getTID", "getTasks",
    "get_slave_chunk", "hostnameFromTID", "hosts", "initializationDone", "initialize", "isAlive", "isDaemon",
    "isStopped", "is_valid_slave", "job_done", "join", "lock", "lockMsg", "log", "mark_slow_slaves",
    "messageLoopIsStopped", "messageLoopIsUp", "niceness", "nicknameFromTID", "notifyAll", "ping", "post",
    "post_execute_method", "post_message_received", "post_message_sent", "progress", "reportProgress", "result",
    "rm_log", "run", "saveRst", "send", "sendToAll", "send_primitive", "setCallback", "setDaemon",
    "setMessageLoopDelay", "setName", "setPingTimeout", "setRst", "show_output", "slave_script", "slaves",
    "spawn", "spawnAll", "start", "startMessageLoop", "start_job", "status", "stop", "stopMessageLoop", "unbind",
    "verbose", "xterm_bin", "_ping", "is_alive",
}  # fmt: skip


def own_names():
    """Return the names that masters have beyond those of old, but for those that Python keeps for one class."""
    classes = [kind for kind in TrackingJobMaster.__mro__ if kind.__module__.startswith("biskit_pvm")]
    marks = tuple(f"_{kind.__name__}__" for kind in [*classes, threading.Thread])
    found = {name for kind in [*classes, threading.Thread] for name in vars(kind)}
    return sorted(n for n in found if n not in API and not n.startswith("__") and not n.startswith(marks))


def test_a_subclass_may_use_each_of_our_names_for_a_field_of_its_own(make):
    checked = own_names()
    assert {"errors", "error", "history", "wait", "chunk_size_for", "pvm_options"} <= set(checked)
    for name in checked:
        for value in ([], "mine", 0):
            master = make({**returns(3), 9: ("raise", "bad")}, on_error="return", max_tries=1)
            setattr(master, name, value)
            assert master.calculateResult() == {i: i for i in range(3)}, name
            assert getattr(master, name) == value, name


def test_a_subclass_may_use_each_of_our_names_for_a_class_attribute(make):
    for name in own_names():
        kind = type("Master", (TrackingJobMaster,), {name: [7]})
        master = make(returns(2), kind=kind)
        assert master.calculateResult() == {0: 0, 1: 1}, name


# ------------------------------------------------------------------------- options


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"autosave": "run.rst"}, "autosave"),
        ({"max_tries": 0}, "max_tries"),
        ({"max_deaths": -1}, "max_deaths"),
        ({"heartbeat": 0}, "heartbeat"),
        ({"prefetch": "much"}, "prefetch"),
        ({"on_error": "ignore"}, "on_error"),
        ({"progress": "loud"}, "progress"),
        ({"hosts": "node"}, "hosts"),
    ],
)
def test_a_slip_in_an_option_is_named_before_anything_starts(host, options, name):
    with pytest.raises((TypeError, ValueError), match=name):
        TrackingJobMaster({}, **{"hosts": [host], "add_hosts": 0, "verbose": 0, "slave_script": SLAVE, **options})


def test_masters_and_slaves_are_told_apart_by_their_class():
    assert JobMaster._PVMMasterSlave__is_master and not JobSlave._PVMMasterSlave__is_master


def _until(condition, limit=LIMIT):
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


assert os.path.exists(SLAVE)
