"""The calculation of an executor: its items are calls that come while it runs."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import CancelledError, TimeoutError
from typing import Any, Protocol

from biskit_pvm import calls
from biskit_pvm.errors import CalculationError, Failure, JobError
from biskit_pvm.executor import packing, places
from biskit_pvm.executor.broken import BrokenPVMExecutor
from biskit_pvm.executor.levels import Levels
from biskit_pvm.executor.settings import CallOptions, Setting
from biskit_pvm.jobs import events as ev
from biskit_pvm.jobs.calculation import Calculation, now
from biskit_pvm.jobs.items import Jobs
from biskit_pvm.jobs.master_state import BUSY, IDLE, MasterState
from biskit_pvm.jobs.rules import Rules
from biskit_pvm.jobs.slaves import Slaves
from biskit_pvm.jobs.slots import Slots, nicknames
from biskit_pvm.machine import names, spawning, task
from biskit_pvm.machine.log import Log
from biskit_pvm.machine.tags import DAEMON, Tag
from biskit_pvm.messages.messenger import Messenger, print_error
from biskit_pvm.messages.shared import LARGE, Parcel, Shelf, joined
from biskit_pvm.report.progress_bar import Guarded, Progress

log = Log(__name__)

#: calls that have their outcome are taken out of the books in such numbers
SETTLED_AT_ONCE = 64


class Promise(Protocol):
    """What an outcome is put into: a future, or a cell of a `map`."""

    def done(self) -> bool: ...
    def cancel(self) -> bool: ...
    def set_running_or_notify_cancel(self) -> bool: ...
    def set_waiting(self) -> None: ...
    def set_result(self, value: Any, /) -> None: ...
    def set_exception(self, error: Any, /) -> None: ...


class Owner(Protocol):
    """The executor, as far as its calculation knows it."""

    futures: dict[int, Any]
    numbers: Iterator[int]
    shelf: Shelf

    def fail(self, error: BaseException) -> None:
        """No call will be done any more."""


class Work:
    """Have calls done by slaves.  Hooks are called in the thread of the message loop."""

    def __init__(self, owner: Owner, where: places.Places, setting: Setting, options: Mapping[str, Any]) -> None:
        self._owner, self._places, self._setting = owner, where, setting
        self._parcel: Parcel | None = None
        self._new: deque[tuple[int, Any]] = deque()
        self._settled: list[Any] = []
        self._begun: set[int] = set()
        #: {call: its options} of those that have any, {call: its priority}, and the calls that a user has ended
        self._options: dict[int, CallOptions] = {}
        self._priorities: dict[int, float] = {}
        self._ended: set[int] = set()
        #: notified when slaves come and go
        self.change = threading.Condition()
        self.n_done = 0
        #: whether calls that nobody has begun are cancelled, those included that slaves give back
        self.cancelling = False
        self.data: dict[int, Any] = {}
        self.jobs = Jobs(redistribute=False)
        self._levels: Levels | None = None
        self.lock = threading.RLock()
        self.messenger = Messenger()
        self.loop = self.messenger.loop
        self.calculation = Calculation(self)
        self.slaves = Slaves(self.messenger, self, owner.shelf)
        self.slots = slots = Slots(self.calculation, self.messenger, self.slaves, self, Guarded(Progress()))
        slots.slots = nicknames(where.hosts)
        slots.setup, slots.causes, slots.joins = setting.setup, where.causes, where.joins
        self.messenger.on_failed = self._failed
        self.messenger.on_unreadable = self._unreadable
        self.messenger.on_stuck = slots.stuck
        places_of = {slot["nickname"]: slot["host"] for slot in slots.slots}
        self.state = MasterState(self.jobs, places_of, Rules(**{"max_tries": 1, **options}), open=True)
        self.calculation.claim()
        self.calculation.begin(self.state, self.lock, slots, self.loop.call_soon)
        self.thread = threading.Thread(target=self._run, name="PVMExecutor")

    def start(self) -> None:
        """Start the slaves, from the calling thread."""
        self.loop.bindings[DAEMON, Tag.TASK_EXITED] = self.slaves.exited
        self.loop.tick = self._tick
        slots, setting = self.slots, self._setting
        try:
            self.thread.start()
            self.loop.resume()
            slots.prepare()
            slots.start_all(setting.setup.niceness, setting.setup.show_output)
            slots.all_started()
        except BaseException as error:
            self.calculation.abort(error)
            raise

    def _tick(self, moment: float) -> float:
        pause = self.calculation.tick(moment)
        self.slots.look_after()
        self._changed()
        return pause

    def _run(self) -> None:
        with self.loop.entered():
            try:
                self.loop.run()
            except BaseException as error:
                self._failed(error)
            finally:
                self.loop.stop()
                self.slaves.loop_ends()
                if self.calculation.running:
                    self.calculation.abort(RuntimeError("the loop of the executor has ended"))

    def _failed(self, error: BaseException) -> None:
        if isinstance(error, task.Lost):
            self.loop.stop()
            error = CalculationError(f"the PVM daemon is gone ({error})")
        if self.calculation.finished:
            print_error(error)
        else:
            self.calculation.abort(error)

    def _unreadable(self, tid: int, tag: int, error: BaseException, frames: Any) -> None:
        if tag == Tag.REPORTS:
            self.calculation.unreadable(tid, error, frames, many=True)

    # -- calls -----------------------------------------------------------

    def submit(self, number: int, call: Any, options: CallOptions | None = None) -> None:
        """Take in a call; any thread, but one at a time."""
        if options is not None:
            self._set(number, options)
        self._new.append((number, call))
        if len(self._new) == 1:
            self.loop.call_soon(self._take_in)

    def _set(self, number: int, options: CallOptions) -> None:
        """Note the options of a call before it is taken in."""
        self._options[number] = options
        if options.priority:
            self._priorities[number] = options.priority
        if options.timeout is not None:
            self.state.limits[number] = options.timeout
        if options.retries:
            self.state.tries[number] = 1 + options.retries

    def _take_in(self) -> None:
        new, data = self._new, self.data
        numbers = []
        # those that come meanwhile have their turn, but so has everything else
        for _ in range(len(new)):
            number, call = new.popleft()
            data[number] = call
            if len(call) > 2 or len(call[1]) >= packing.IN_PLACE:
                self.state.sizes[number] = packing.n_bytes(call)
            numbers.append(number)
        if new:
            self.loop.call_soon(self._take_in)
        with self.lock:
            if self._priorities and self._levels is None:  # which costs more than a plain queue
                self._levels = Levels(self._priorities)
                self.jobs.wait_in(self._levels)
            self.jobs.add(numbers)
        self.calculation.feed(ev.ItemsAdded(now()))
        if self.state.limits:
            self.loop.tick_soon()

    def close_when_done(self) -> None:
        """Take in no more calls; any thread."""
        self.loop.call_soon(self._close)

    def _close(self) -> None:
        if self._new:
            self.loop.call_soon(self._close)
        else:
            self.calculation.feed(ev.Closed(now()))

    # -- the slaves --------------------------------------------------------

    def spawn(self, host: str, nickname: str, niceness: int, show_output: Any) -> int:
        """Start a slave on a host."""
        return self.slots.spawn(host, nickname, niceness, show_output)

    def started(self, tid: int) -> None:
        """Its messages are bound already."""

    def spawned(self, tid: int, nickname: Any) -> None:
        """Take in a new slave, before anything of it is handled."""
        self.slots.adopted(tid, nickname)
        self.loop.bindings[tid, Tag.REPORTS] = self.calculation.reports_together
        self.loop.bindings[tid, Tag.RETURNED] = self.calculation.returned
        self.loop.bindings[tid, Tag.RESULTS_COMING] = self.calculation.coming
        self.loop.bindings[tid, Tag.PROCESSORS] = self._processors

    def up(self, tid: int, knows_numbers: bool) -> None:
        """Tell a slave where its master lives, and what to call first."""
        self.calculation.feed(ev.SlaveUp(tid, now()))
        same_host = names.host_of(tid) == names.host_of(self.messenger.tid)
        surroundings = calls.Surroundings.here(self._initializer(), bool(self._places.unknown), same_host)
        self._send(tid, Tag.INITIALIZE, (surroundings,))

    def _initializer(self) -> Any:
        """Return the call of the user's initializer; where it is large, it travels to each host once."""
        call = self._setting.initializer
        if call is None or packing.n_bytes(call) < LARGE:
            return call
        if self._parcel is None:
            parts = [part if type(part) is bytes else part.raw() for part in call[1:]]
            self._parcel = Parcel(joined, call[0], self._owner.shelf.put(parts, writable=True))
        return self._parcel

    def _processors(self, tid: int, number: int) -> None:
        """A slave tells how many processors its host has: as many slaves are wanted there."""
        host = self.slots.slaves_at[tid]["host"]
        if host in self._places.unknown:
            self._places = self._places._replace(unknown=self._places.unknown - {host})
            self.slots.add([host] * (number - 1))

    def ready(self, tid: int) -> None:
        """A slave has initialised itself."""
        self.calculation.feed(ev.SlaveReady(tid, now()))
        self._changed()

    def _changed(self) -> None:
        with self.change:
            self.change.notify_all()

    def n_ready(self) -> int:
        """Return how many slaves can work."""
        return sum(slave.state in (IDLE, BUSY) and not slave.retired for slave in list(self.state.slaves.values()))

    def n_expected(self) -> int:
        """Return how many slaves there can be: those that can work, and those that still come."""
        if self.state.spawning or self._places.unknown:
            return len(self.slots.slots)
        number = 0
        for each in list(self.slots.slots):
            slot = self.state.slots.get(each["nickname"])  # None: it is to be added
            number += slot is None or bool(slot.tid or slot.ordered or slot.restart is not None)
        return number

    def why_none(self) -> str:
        """Say why there are no slaves."""
        reasons = {f"{slot.nickname}: {slot.reason or 'not started'}" for slot in list(self.state.slots.values())}
        return f"no slave is left ({'; '.join(sorted(reasons))})"

    def scale(self, number: int) -> None:
        """Have so many slaves: more are started at the hosts that there are, or some are let go."""
        slots = self.slots.slots
        hosts = self._places.hosts
        more = [hosts[i % len(hosts)] for i in range(len(slots), number)]
        if more:
            self.slots.add(more)
        idle = {s.slot.nickname for s in list(self.state.slaves.values()) if s.state == IDLE}
        names = sorted((slot["nickname"] for slot in slots), key=lambda name: name not in idle)
        for name in names[: max(len(slots) - number, 0)]:
            self.slots.remove(name)

    def add(self, hosts: list[str], join: bool) -> None:
        """Start one more slave per entry of `hosts`."""
        self._places = self._places._replace(hosts=self._places.hosts + hosts)
        self.slots.add(hosts, join)

    def remove(self, hosts: list[str], finish: bool) -> None:
        """Have no slaves at some hosts any more."""
        self.slots.remove_hosts(hosts, finish)
        self._places = self._places._replace(hosts=places.without(self._places.hosts, hosts))

    def end_call(self, number: int) -> None:
        """End a call that runs, and its slave with it; in the loop's thread."""
        if number in self.data:
            self._ended.add(number)
            self.state.limits[number] = 0.0
            self.state.tries.pop(number, None)
            self.loop.tick_soon()

    def terminate(self, signum: int) -> None:
        """End all slaves by a signal, whatever they do, and the calculation with them."""
        for tid in list(self.slaves.alive):
            spawning.end_task(tid, signum)
        self.calculation.abort(BrokenPVMExecutor("the workers were ended by kill_workers or terminate_workers"))

    def failed(self, tid: int, job: int | None, failure: Failure) -> None:
        """A slave could not do something."""
        if job is None:
            self.calculation.feed(ev.SlaveFailed(tid, failure, now()))
        else:
            self.calculation.job_failed(tid, job, failure)

    def exited(self, tid: int) -> None:
        """The process of a slave has ended."""
        self.slots.exited(tid)
        self._changed()

    def _send(self, tid: int, tag: int, value: Any) -> int:
        # users leave the arguments of calls alone until these are done
        return self.messenger.send(tid, tag, (time.time(), value), constant=True)

    # -- hooks of the calculation --------------------------------------------

    def start_job(self, slave_tid: int) -> None:
        """Nothing is to be noted."""

    def is_valid_slave(self, slave_tid: int) -> bool:
        """Every slave may get calls."""
        return True

    def chunk_size_for(self, slave_tid: int) -> int:
        """Jobs are single calls; short ones are given in numbers."""
        return 1

    def get_slave_chunk(self, items: list[int]) -> dict[int, Any]:
        """Return the calls; None in place of one that was cancelled."""
        chunk: dict[int, Any] = {}
        for key in items:
            future = self._owner.futures.get(key)
            if future is None:
                chunk[key] = None
            elif key in self._begun or future.set_running_or_notify_cancel():
                self._begun.add(key)
                chunk[key] = packing.light(self.data[key])
            else:  # it was cancelled
                chunk[key] = None
                del self._owner.futures[key]
        return chunk

    def returned(self, items: list[int]) -> None:
        """A slave has not begun with calls that it had: they can be cancelled again."""
        for key in items:
            future = self._owner.futures.get(key)
            if future is not None and key in self._begun:
                self._begun.discard(key)
                future.set_waiting()
                if self.cancelling:
                    future.cancel()

    def queued_for(self, slave_tid: int) -> int:
        """Return how many bytes for a slave wait until its line takes them."""
        return self.messenger.queued(slave_tid)

    def send_jobs(self, slave_tid: int, jobs: list[tuple[int, Any]], n_left: int) -> int:
        """Send calls to a slave; return the bytes."""
        return self._send(slave_tid, Tag.JOBS, (jobs,))

    def job_done(self, slave_tid: int, result: dict[int, Any]) -> None:
        """Pass outcomes on to their futures."""
        for key in result:
            outcome, result[key] = result[key], None
            if key in self._options and type(outcome) is packing.Outcome and outcome.traceback is not None:
                if self._try_again(key):
                    continue
            future = self._settle(key)
            # None: a slave that had been taken for dead has answered after another one.
            if future is not None and outcome is not None:
                self.n_done += 1
                _pass_on(outcome, future)

    def _try_again(self, key: int) -> bool:
        """Have a call made once more that has raised something, when it may be."""
        options = self._options[key]
        future = self._owner.futures.get(key)
        if options.retries < 1 or future is None or key in self._ended:
            return False
        number = next(self._owner.numbers)
        self.data[number] = self.data[key]
        self._settle(key)
        self._owner.futures[number] = future
        self._begun.add(number)
        self._set(number, options._replace(retries=options.retries - 1))
        self.jobs.add([number])
        return True

    def keep(self, result: dict[int, Any]) -> None:
        """The futures have the results already."""
        if len(self._settled) >= SETTLED_AT_ONCE:
            self._forget_settled()

    def item_failed(self, error: JobError) -> None:
        """Let a future fail whose call the slaves could not do."""
        ended = error.item in self._ended
        future = self._settle(error.item)
        if future is None:
            return
        if ended:
            fail(future, CancelledError("its worker was ended"))
        elif error.kind == "timeout":
            fail(future, TimeoutError(error.message.replace("the job", "the call")))
        else:
            fail(future, BrokenPVMExecutor(f"{error.kind}: {error.message}"))

    def item_recovered(self, item: Any) -> None:
        """Its future has failed, and stays so."""

    def note(self, text: str) -> None:
        """Leave it to the log."""
        log.info("%s", text)
        self._changed()

    def finish(self) -> None:
        """Let the slaves go."""
        self._dismiss()

    def end_badly(self, error: BaseException) -> None:
        """Let the futures fail and the slaves go."""
        self._owner.fail(error)
        self._dismiss()

    def _dismiss(self) -> None:
        try:
            self.slaves.dismiss(self._send, lambda nickname: None)
            self.slots.slaves_left()
        except task.Lost:
            pass
        finally:
            self.loop.stop()
            self._changed()

    def _settle(self, key: int) -> Any:
        self.data.pop(key, None)
        self._begun.discard(key)
        self._settled.append(key)
        if key in self._options or key in self._ended:
            self._options.pop(key, None)
            self._priorities.pop(key, None)
            self._ended.discard(key)
        return self._owner.futures.pop(key, None)

    def _forget_settled(self) -> None:
        """Take the calls of earlier messages out of the books: an executor may live long."""
        settled = self._settled
        self._settled = self.jobs.unfinished(settled)
        left = set(self._settled)
        self.calculation.forget([key for key in settled if key not in left])


def fail(future: Any, error: BaseException) -> None:
    """Let a future fail, unless it has its outcome."""
    try:
        if future._state == "CANCELLED":
            future.set_running_or_notify_cancel()  # whoever is in `concurrent.futures.wait` has to hear of it
        elif not future.done():
            if not _is_running(future) and not future.set_running_or_notify_cancel():
                return
            future.set_exception(error)
    except BaseException as other:  # of the user's callbacks; the other futures have to fail, too
        print_error(other)


def _is_running(future: Any) -> bool:
    return bool(future._state == "RUNNING")


def _pass_on(outcome: Any, future: Any) -> None:
    value, error = packing.unpack(outcome)
    if error is None:
        future.set_result(value)
    else:
        future.set_exception(error)
