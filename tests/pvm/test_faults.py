"""What a calculation survives, each fault on real slaves."""

from __future__ import annotations

import os
import pickle
import signal
import threading
import time

import pytest

import pvm_ext
from biskit_pvm import CalculationError, RestartError, TrackingJobMaster, load_restart, restart
from biskit_pvm.machine import names
from biskit_pvm.machine import task as machine
from biskit_pvm.messages import wire
from biskit_pvm.PVMThread import messenger_of
from biskit_pvm.restart import format

from ..support.slaves import obedient
from ..support.waiting import wait_for
from .test_masters import LIMIT, SLAVE, host, make, returns, squares

NO_DICTIONARY = os.path.join(os.path.dirname(SLAVE), "no_dictionary.py")


def test_an_exception_comes_with_its_traceback_and_the_others_results(make):
    master = make(dict(returns(9), bad=("raise", "poison")), chunk_size=5)
    with pytest.raises(CalculationError, match="1 of 10 items failed") as info:
        master.calculateResult()
    assert info.value.result == squares(9)
    (error,) = info.value.errors.values()
    assert error.item == "bad" and error.kind == "ValueError"
    assert "obedient.py" in error.traceback and "poison" in str(error)
    assert isinstance(error.exception, ValueError)
    assert error.host == names.own_host()
    outcomes = [r.outcome for r in master.history.records]
    assert outcomes.count("failed") == 3


def test_errors_can_be_returned_beside_the_results(make):
    master = make(dict(returns(3), bad=("raise", "x")), on_error="return", max_tries=1)
    assert master.calculateResult() == squares(3)
    assert list(master.errors) == ["bad"]


def test_an_item_that_fails_once_is_tried_on_another_slave(make, tmp_path):
    once = ("once", (str(tmp_path / "done"), ("raise", "first time")))
    master = make(dict(returns(5), odd=once), chunk_size=3)
    assert master.calculateResult() == dict(squares(5), odd="again")
    assert not master.errors


@pytest.mark.parametrize("order", [("kill",), ("exit", 3)])
def test_items_of_a_slave_that_dies_are_done_by_others(make, tmp_path, order):
    once = ("once", (str(tmp_path / "done"), order))
    master = make(dict(returns(12), odd=once), chunk_size=4)
    assert master.calculateResult() == dict(squares(12), odd="again")


def test_a_dead_slave_is_replaced_when_it_was_the_only_one(make, tmp_path):
    once = ("once", (str(tmp_path / "done"), ("kill",)))
    master = make(dict(returns(3), odd=once), n_slaves=1)
    assert master.calculateResult() == dict(squares(3), odd="again")


def test_an_item_that_kills_all_slaves_is_given_up(make):
    master = make(dict(returns(3), bad=("kill",)), max_deaths=2)
    with pytest.raises(CalculationError, match=r"\d slaves ended"):
        master.calculateResult()
    assert master.result == squares(3)


class Stopping(TrackingJobMaster):
    """Stops the slave that returned the tenth result, before its next job."""

    n_results = 0

    def job_done(self, slave_tid, result):
        self.n_results += 1
        if self.n_results == 10:
            (task,) = [t for t in pvm_ext.tasks() if t.tid == slave_tid]
            os.kill(task.pid, signal.SIGSTOP)


def test_a_stopped_slave_that_takes_no_messages_delays_nobody_for_long(make):
    data = {i: ("size", bytes(3_000_000)) for i in range(60)}
    master = make(data, kind=Stopping, n_slaves=3, chunk_size=1, heartbeat=20.0, redistribute=0)
    start = time.monotonic()
    assert master.calculateResult() == dict.fromkeys(data, 3_000_000)
    assert time.monotonic() - start < 12  # its silence is noticed later
    assert "lost" in [r.outcome for r in master.history.records]


class StoppingForAWhile(TrackingJobMaster):
    """Stops the slave that returned the twentieth result for a while, and notes when results of others come."""

    stopped = None
    WHILE = 2.0

    def job_done(self, slave_tid, result):
        now = time.monotonic()
        if self.stopped is None:
            self.times, self.since, self.stopped = [], now, 0
        if slave_tid != self.stopped and (not self.stopped or now < self.since + self.WHILE):
            self.times.append(now)
        if len(self.times) == 20 and not self.stopped:
            self.stopped, self.since = slave_tid, now
            (pid,) = [t.pid for t in pvm_ext.tasks() if t.tid == slave_tid]
            os.kill(pid, signal.SIGSTOP)
            threading.Timer(self.WHILE, os.kill, (pid, signal.SIGCONT)).start()


def test_a_slave_that_is_stopped_for_a_while_delays_no_other(make):
    data = {i: ("size", bytes(1_000_000)) for i in range(1000)}
    master = make(data, kind=StoppingForAWhile, n_slaves=3, chunk_size=1, redistribute=0)
    assert master.calculateResult() == dict.fromkeys(data, 1_000_000)
    assert {r.outcome for r in master.history.records} == {"done"}
    waits = [after - before for before, after in zip(master.times, master.times[1:] + [master.since + master.WHILE])]
    assert max(waits) < 0.5 * master.WHILE


class Talkative(TrackingJobMaster):
    """Sends a slave a long message while it is busy."""

    def initializationDone(self, slave_tid):
        TrackingJobMaster.initializationDone(self, slave_tid)
        wait_for(lambda: os.path.exists(self.sign), 10, "the slave at work")
        start = time.monotonic()
        self.send(slave_tid, 4711, (bytes(8_000_000),))
        self.took = time.monotonic() - start


def test_a_busy_slave_takes_long_messages_meanwhile(make, tmp_path):
    sign = str(tmp_path / "at work")
    master = make({1: ("once", (sign, ("sleep", 4)))}, kind=Talkative, n_slaves=1, heartbeat=3.0)
    master.sign = sign
    assert master.calculateResult() == {1: 4}
    assert master.took < 2
    assert [r.outcome for r in master.history.records] == ["done"]


def test_a_job_that_hangs_is_taken_away(make, tmp_path):
    once = ("once", (str(tmp_path / "done"), ("sleep", 600)))
    master = make(dict(returns(4), odd=once), job_timeout=0.5, chunk_size=1, redistribute=0)
    start = time.monotonic()
    assert master.calculateResult() == dict(squares(4), odd="again")
    assert time.monotonic() - start < 20
    assert "timeout" in [r.outcome for r in master.history.records]


def test_a_stopped_slave_loses_its_items_within_the_heartbeat(make, tmp_path):
    once = ("once", (str(tmp_path / "done"), ("stop",)))
    master = make(dict(returns(4), odd=once), heartbeat=2.0, chunk_size=1, redistribute=0)
    start = time.monotonic()
    assert master.calculateResult() == dict(squares(4), odd="again")
    assert time.monotonic() - start < 10


def test_a_slave_busy_for_long_is_not_taken_for_dead(make):
    master = make({1: ("sleep", 4)}, heartbeat=1.0, n_slaves=1)
    assert master.calculateResult() == {1: 4}
    assert len(master.history) == 1


def test_initialisation_that_fails_is_told(make):
    class Bad(TrackingJobMaster):
        def getInitParameters(self, slave_tid):
            return {"initialize": ("raise", "no licence")}

    with pytest.raises(CalculationError, match="ValueError: no licence"):
        make(returns(3), kind=Bad).calculateResult()


def test_what_a_slave_printed_before_it_was_up_is_told(make, tmp_path):
    script = tmp_path / "broken.py"
    script.write_text("import no_such_module\n")
    with pytest.raises(CalculationError, match="No module named 'no_such_module'"):
        make(returns(3), slave_script=str(script)).calculateResult()


def test_who_waits_for_a_master_that_is_told_to_exit_gets_an_error(make):
    master = make({1: ("sleep", 600)}, n_slaves=1)
    timer = threading.Timer(1.0, master.exit)
    timer.start()
    with pytest.raises(CalculationError, match="exit was called"):
        master.calculateResult()
    timer.join(10)


def test_a_master_is_a_context(make):
    with make(returns(4)) as master:
        assert master.calculateResult() == squares(4)
    with pytest.raises(ZeroDivisionError), make({1: ("sleep", 600)}) as master:
        master.start()
        1 / 0  # noqa: B018
    assert not master.is_alive()
    assert not {t.tid for t in pvm_ext.tasks()} & set(master.slaves)


def test_one_slave_that_cannot_be_initialised_stops_nobody_else(make):
    class OneBad(TrackingJobMaster):
        def getInitParameters(self, slave_tid):
            if slave_tid == min(self.slaves):
                return {"initialize": ("raise", "no licence")}

    assert make(returns(9), kind=OneBad).calculateResult() == squares(9)


@pytest.mark.parametrize("verb", ["unpicklable", "unreadable"])
def test_a_result_that_cannot_travel_is_an_error_of_its_item(make, verb):
    master = make(dict(returns(6), bad=(verb,)), max_tries=2, max_deaths=2)
    with pytest.raises(CalculationError) as info:
        master.calculateResult()
    assert list(info.value.errors) == ["bad"]
    assert info.value.result == squares(6)


def test_a_go_that_returns_no_dictionary_is_explained(make):
    with pytest.raises(CalculationError, match="must return a dictionary"):
        make(returns(2), slave_script=NO_DICTIONARY).calculateResult()


def test_data_that_cannot_be_sent_reach_the_caller(make):
    with pytest.raises(TypeError, match="cannot be pickled"):
        make({1: obedient.Unpicklable()}).calculateResult()


def test_items_that_go_leaves_out_are_errors_of_their_own(make, tmp_path):
    script = tmp_path / "forgetful.py"
    script.write_text("""
from biskit_pvm import JobSlave
class Forgetful(JobSlave):
    def go(self, chunk):
        return {item: 1 for item in chunk if item != 3}
Forgetful().start()
""")
    master = make({i: i for i in range(5)}, slave_script=str(script), on_error="return")
    assert master.calculateResult() == {0: 1, 1: 1, 2: 1, 4: 1}
    assert master.errors[3].kind == "no result"


@pytest.mark.parametrize(
    "hook",
    [
        "start_job",
        "job_done",
        "get_slave_chunk",
        "is_valid_slave",
        "getInitParameters",
        "done",
        "cleanup",
        "initializationDone",
        "reportProgress",
        "getResult",
    ],
)
def test_an_exception_in_a_hook_reaches_the_caller(make, hook, tmp_path):
    def fail(self, *args, **kw):
        raise KeyError("in " + hook)

    Bad = type("Bad", (TrackingJobMaster,), {hook: fail})
    master = make(returns(6), kind=Bad)
    with pytest.raises(KeyError, match="in " + hook):
        master.calculateResult()
    assert not master.is_alive()
    rst = master.getRst()
    assert set(rst["data"]) == set(range(6))
    assert set(rst["status_objects"]) == set(range(6))


def test_an_exception_in_the_callback_reaches_the_caller(make):
    master = make(returns(3))
    master.setCallback(lambda m: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        master.calculateResult()


def test_slaves_have_left_before_cleanup(make):
    pids = []

    class Late(TrackingJobMaster):
        def cleanup(self):
            running = {t.tid for t in pvm_ext.tasks()}
            pids.append(running & set(self.slaves))

    # the same item goes to both slaves, and one of them is still at it
    master = make({1: ("sleep", 0.5), 2: ("sleep", 0.1)}, chunk_size=1, kind=Late)
    master.calculateResult()
    assert pids == [set()]


def test_a_stubborn_slave_is_killed_at_the_end(make, tmp_path):
    once = ("once", (str(tmp_path / "done"), ("sleep", 600)))
    master = make({1: once}, n_slaves=2)
    start = time.monotonic()
    assert master.calculateResult() == {1: "again"}
    assert time.monotonic() - start < 8
    assert not {t.tid for t in pvm_ext.tasks()} & set(master.slaves)


# -- restart -----------------------------------------------------------------


def test_an_interrupted_calculation_is_finished_by_a_restart(make, tmp_path):
    path = str(tmp_path / "run.rst")
    gate = tmp_path / "gate"
    data = dict(returns(5), late=("until", str(gate)))
    master = make(data, chunk_size=1, redistribute=0)
    master.extra = "mine"
    master.start()
    _until(lambda: len(master.result) == 5)
    master.saveRst(path)
    master.exit()
    master.join(LIMIT)
    gate.touch()
    again = restart(load_restart(path))
    assert type(again) is TrackingJobMaster
    assert again.extra == "mine" and again.result == squares(5)
    assert again.status.not_started() == ["late"]
    assert again.calculateResult() == dict(squares(5), late="seen")


def _until(condition, timeout=LIMIT):
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_restart_data_are_saved_in_intervals_and_the_last_one_kept(make, tmp_path):
    path = tmp_path / "auto.rst"
    master = make({i: ("sleep", 0.15) for i in range(12)}, n_slaves=1, chunk_size=1, autosave=(str(path), 0.3))
    master.calculateResult()
    _until(lambda: path.exists() and len(list(tmp_path.iterdir())) == 2)
    spare = load_restart(str(tmp_path / "auto.rst~"))
    assert 0 < len(spare["result"]) <= len(load_restart(str(path))["result"])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["auto.rst", "auto.rst~"]


def test_failed_items_are_tried_again_after_a_restart(make, tmp_path):
    path = str(tmp_path / "x.rst")
    once = tmp_path / "once"
    # one slave: an idle second one would be given item 2 as well, and have it
    master = make(
        {1: ("return", 1), 2: ("once", (str(once), ("raise", "x")))},
        n_slaves=1,
        max_tries=1,
        chunk_size=1,
        on_error="return",
    )
    assert master.calculateResult() == {1: 1}
    master.saveRst(path)
    assert restart(load_restart(path)).calculateResult() == {1: 1, 2: "again"}


def test_what_a_master_has_is_saved_or_left_out_on_purpose(make):
    """A new public attribute of ours must not change the file without a word."""
    master = make(returns(3))
    master.calculateResult()
    public = {name for name in vars(master) if not name.startswith("_")}
    assert public <= {*format.FIELDS, *format.LEFT_OUT}
    master.extra, master.gate, master._hidden = "mine", threading.Lock(), 1
    assert set(master.getRst()) == {*format.FIELDS, "extra", *format.BESIDE[:3]}


@pytest.mark.parametrize("old", [False, True])
def test_options_are_those_of_the_saved_master_or_the_callers(make, tmp_path, old):
    own, other = (str(tmp_path / "own.rst"), 300.0), (str(tmp_path / "other.rst"), 400.0)
    rst = make(returns(2), max_tries=7, heartbeat=9.0, autosave=own).getRst()
    if old:  # as the version before wrote them
        options = rst.pop("master_options")
        rst.update(autosave=options.pop("autosave"), pvm_options=options)
    one, two = restart(rst), restart(rst, max_tries=2, autosave=other)
    assert (one.pvm_options["max_tries"], one.pvm_options["heartbeat"], one.autosave) == (7, 9.0, own)
    assert (two.pvm_options["max_tries"], two.pvm_options["heartbeat"], two.autosave) == (2, 9.0, other)
    assert not {"autosave", "pvm_options", "master_options"} & set(vars(one))
    one.exit()
    two.exit()


def test_a_restart_file_is_a_pickle_of_what_getRst_gives(make, tmp_path):
    path = tmp_path / "x.rst"
    master = make(returns(2))
    master.saveRst(str(path))
    with open(path, "rb") as file:
        saved = pickle.load(file)
    assert saved.keys() == master.getRst().keys() and saved["data"] == master.data


def test_a_restart_of_somebody_elses_file_runs_only_what_the_caller_names(make, host, tmp_path):
    path = tmp_path / "x.rst"
    rst = make(returns(3)).getRst()
    rst.update(slave_script="/no/such/script", xterm_bin="/no/such/xterm", hosts=[{"host": "nowhere", "nickname": "n"}])
    path.write_bytes(format.pack(rst, format.Header("x", "", 0.0)))
    got = load_restart(str(path))
    master = restart(got, slave_script=SLAVE, hosts=[host], verbose=0)
    assert master.calculateResult() == squares(3)


def test_a_field_that_cannot_be_saved_is_named(make, tmp_path):
    master = make(returns(2))
    master.odd = lambda: None
    with pytest.raises(RestartError, match="odd"):
        master.saveRst(str(tmp_path / "x.rst"))
    assert list(tmp_path.iterdir()) == []


# -- who may speak -----------------------------------------------------------


def test_messages_without_the_key_are_never_unpickled(make, tmp_path, caplog):
    """Send a bomb, pickled in every way, with every tag, as a stranger."""
    crater, gate = tmp_path / "crater", tmp_path / "gate"
    master = make(dict(returns(20), last=("until", str(gate))), chunk_size=1)
    master.bind(4711, -1, lambda *args: None)
    master.start()
    script = tmp_path / "stranger.py"
    script.write_text(f"""
import os, pickle, sys, time
import pvm_ext
from biskit_pvm.machine.tags import Tag
from biskit_pvm.messages import wire
class Bomb:
    def __reduce__(self):
        return os.system, ('touch {crater}',)
bomb = pickle.dumps((time.time(), (Bomb(),)))
victims = [int(a) for a in sys.argv[1:]]
tags = [int(tag) for tag in Tag]
forged = wire.Seal(b'k' * 32).write(pvm_ext.mytid(), 1, (0.0, (Bomb(),)))
for victim in victims:
    for tag in tags + [4711]:
        for frames in ([bomb], [b'', bomb], [b'x' * 16, bomb], [bomb, bomb],
                       forged):
            pvm_ext.send_frames(victim, tag, frames)
        pvm_ext.initsend(); pvm_ext.pkstr(bomb); pvm_ext.send(victim, tag)
        pvm_ext.initsend(); pvm_ext.send(victim, tag)
pvm_ext.exit()
""")
    import sys

    victims = [master.getTID()] + sorted(master.slaves)
    (tid,) = pvm_ext.spawn(sys.executable, [str(script)] + [str(v) for v in victims])
    _until(lambda: tid not in {t.tid for t in pvm_ext.tasks()})
    gate.touch()
    assert master.wait(LIMIT)
    assert master.result == dict(squares(20), last="seen")
    assert not master.errors and not crater.exists()
    assert "does not carry the key" in caplog.text


def test_the_key_stands_in_no_command_line_and_not_in_the_slaves_environment(make):
    master = make(
        {1: ("environ", "BISKIT_PVM_KEY"), 2: ("environ", "PVM_EXPORT"), 3: ("pid",)}, n_slaves=1, chunk_size=3
    )
    key = messenger_of(master).heritage()[machine.KEY_VARIABLE]
    seen = []

    class Look(TrackingJobMaster):
        def job_done(self, slave_tid, result):
            with open(f"/proc/{result[3]}/cmdline") as file:
                seen.append(file.read())

    master.__class__ = Look
    result = master.calculateResult()
    assert result[1] is None and "BISKIT_PVM_KEY" not in (result[2] or "")
    assert seen and key not in seen[0] and SLAVE in seen[0]
    assert machine.KEY_VARIABLE not in os.environ


def test_a_seal_binds_sender_tag_and_content():
    ours, theirs = wire.Seal(b"a" * 32), wire.Seal(b"b" * 32)
    frames = ours.write(5, 7, (1.0, ("x",)))
    assert ours.read(5, 7, frames) == (1.0, ("x",))
    for read in (
        lambda: theirs.read(5, 7, frames),
        lambda: ours.read(6, 7, frames),
        lambda: ours.read(5, 8, frames),
        lambda: ours.read(5, 7, frames[:1]),
        lambda: ours.read(5, 7, []),
        lambda: ours.read(5, 7, frames + [b"more"]),
        lambda: ours.read(5, 7, [frames[0], pickle.dumps(1)]),
        lambda: ours.read(5, 7, frames),
    ):
        with pytest.raises(wire.NotOurs):
            read()


def test_large_parts_are_not_copied_into_the_pickle():
    import numpy

    seal = wire.Seal(b"a" * 32)
    array = numpy.arange(100_000.0)
    frames = seal.write(1, 2, (0.0, (array,)))
    assert len(frames) == 3 and len(bytes(frames[1])) < 1000
    back = seal.read(1, 2, [bytearray(f) for f in frames])[1][0]
    assert numpy.array_equal(back, array) and back.flags.writeable
