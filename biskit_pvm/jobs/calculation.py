"""A calculation at work: events reach the state, its orders are carried out.

A master *has* a calculation.  The calculation knows the hooks of the master
(`biskit_pvm.jobs.hooks`) and nothing of its class.  It owns what came of the
items: errors, history, and the one error that ended everything.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from biskit_pvm.errors import CalculationError, Failure, JobError
from biskit_pvm.jobs import events as ev
from biskit_pvm.jobs import failures
from biskit_pvm.jobs.hooks import Hooks, Starter
from biskit_pvm.jobs.items import Item, Jobs
from biskit_pvm.jobs.master_state import MasterState
from biskit_pvm.machine.log import Log
from biskit_pvm.messages.salvage import fault_in, reason, salvage
from biskit_pvm.report.history import DONE, DUPLICATE, History

log = Log(__name__)

now = time.monotonic


class AlreadyBegun(RuntimeError):
    """A calculation was begun before, and belongs to whoever did so."""

    __py2_type__ = RuntimeError


class Calculation:
    """Bring events to the state and carry out its orders.

    Parameters
    ----------
    hooks : Hooks

    Attributes
    ----------
    state : MasterState
        Empty before `begin`.
    errors : dict
        {item: JobError} of the items that failed.
    error : BaseException or None
        What ended the calculation before its end.
    history : History
        Which slave did which job, and when.
    ended : threading.Event
        Set when the slaves have gone and all hooks were called.
    """

    def __init__(self, hooks: Hooks) -> None:
        self.hooks = hooks
        self.state = MasterState(Jobs(), {})
        self.errors: dict[Any, JobError] = {}
        self.error: BaseException | None = None
        self.history = History()
        self.ended = threading.Event()
        self._lock: Any = threading.RLock()
        self._starter: Starter | None = None
        self._call_soon: Callable[..., None] = lambda function, *args: function(*args)
        self._begun = False
        self._finished = False
        self._once = threading.Lock()
        self._parcels: dict[int, list[tuple[int, Any]]] = {}
        self._left = 0
        self._tick_due = 0.0
        self._orders: dict[type, Callable[[Any], list[ev.Instruction] | None]] = {
            ev.Consider: self._consider,
            ev.Give: self._give,
            ev.Surplus: self._surplus,
            ev.SetAside: self._set_aside,
            ev.Reinstate: self._reinstate,
            ev.Kill: self._kill,
            ev.Dismiss: self._dismiss,
            ev.Spawn: self._spawn,
            ev.TryHost: self._try_host,
            ev.Ended: self._record_end,
            ev.Note: self._note,
            ev.AllDone: self._all_done,
            ev.Stranded: self._stranded,
        }

    # -- the beginning ---------------------------------------------------

    def claim(self) -> None:
        """Let the caller, and nobody after it, begin the calculation.

        Raises
        ------
        AlreadyBegun
            It was begun before; it goes on undisturbed.
        CalculationError
            It was ended before it could begin.
        """
        with self._once:
            if self._begun:
                raise AlreadyBegun("threads can only be started once")
            if self._finished:
                raise CalculationError("exit() or stop() was called before the calculation was started")
            self._begun = True

    def begin(self, state: MasterState, lock: Any, starter: Starter, call_soon: Callable[..., None]) -> None:
        """Work with a state from now on.

        Parameters
        ----------
        state : MasterState
        lock : context manager
            Reentrant; held while events are handled.
        starter : Starter
        call_soon : callable
            Has a function called in the loop's thread.
        """
        self.state, self._lock, self._starter = state, lock, starter
        self._call_soon = call_soon
        self._tick_due = now()

    def never_begins(self) -> bool:
        """End a calculation that has not begun; return whether that is so."""
        with self._once:
            if self._begun:
                return False
            self._finished = True
        self.ended.set()
        return True

    @property
    def running(self) -> bool:
        """Whether the calculation has begun and not ended."""
        return self._begun and not self._finished

    @property
    def finished(self) -> bool:
        """Whether the end has come, or has begun."""
        return self._finished

    # -- events ------------------------------------------------------------

    def feed(self, event: ev.Event) -> None:
        """Handle one event; none after the end, when slaves leave and take no more jobs."""
        with self._lock:
            if not self._finished:
                self._carry_out(self.state.handle(event))

    def feed_soon(self, event: ev.Event) -> None:
        """Have one event handled in the loop's thread."""
        self._call_soon(self.feed, event)

    def tick(self, moment: float) -> float:
        """Take notice of the time; return the seconds until the next call is due."""
        assert self._starter is not None
        arrivals = {tid: moment - seconds for tid, seconds in self._starter.arrivals().items()}
        self.feed(ev.Tick(moment, max(moment - self._tick_due, 0.0), arrivals))
        pause = self.state.next_tick(moment)
        self._tick_due = moment + pause
        return pause

    def ticks_in(self, pause: float) -> None:
        """Note that the next tick comes in so many seconds."""
        self._tick_due = now() + pause

    def reports(self, slave_tid: int, reports: list[tuple[int, Any, float]]) -> None:
        """Handle results that came in one message.

        Parameters
        ----------
        slave_tid : int
        reports : list of (job, result, seconds)
        """
        hooks, handle = self.hooks, self.state.handle
        with self._lock:
            orders: list[ev.Instruction] = []
            for job, result, seconds in reports:
                if self.state.finished:  # what comes late counts nothing
                    break
                if not isinstance(result, dict):
                    orders += handle(ev.ResultIsNoDict(slave_tid, job, type(result).__name__, now()))
                    continue
                hooks.job_done(slave_tid, result)
                first = handle(ev.JobDone(slave_tid, job, result.keys(), seconds, now()))
                n_items, outcome = len(result), DONE
                if first and any(type(order) is ev.Surplus for order in first):
                    result = self._without_surplus(result, first)
                    outcome = DONE if result else DUPLICATE
                hooks.keep(result)
                self._record(slave_tid, seconds, n_items, outcome)
                orders += first
            if not self._finished:
                self._carry_out(orders)

    def reports_together(self, slave_tid: int, reports: list[tuple[int, dict[Any, Any], float]]) -> None:
        """Handle the results of one message together, for hooks that need not be called job by job."""
        with self._lock:
            if self._finished or self.state.finished or not reports:
                return
            for _, result, _ in reports:
                self.hooks.job_done(slave_tid, result)
            orders = self.state.handle(ev.JobsDone(slave_tid, reports, now()))
            self.hooks.keep({})
            seconds = sum(report[2] for report in reports)
            self._record(slave_tid, seconds, len(reports), DONE)
            self._carry_out(orders)

    def returned(self, slave_tid: int, numbers: list[int], seconds: float) -> None:
        """Handle jobs that a slave gives back, since another one takes it long."""
        with self._lock:
            slave = self.state.slaves.get(slave_tid)
            if slave is not None:
                jobs = [slave.jobs[number] for number in numbers if number in slave.jobs]
                self.hooks.returned([item for job in jobs for item in job.items])
            self.feed(ev.JobsReturned(slave_tid, numbers, seconds, now()))

    def coming(self, slave_tid: int, numbers: list[int]) -> None:
        """Note that a slave begins to send large results."""
        self.feed(ev.ResultsComing(slave_tid, numbers, now()))

    def report(self, slave_tid: int, result: Any) -> None:
        """Handle the result of a slave that knows nothing of numbers: that of its oldest job."""
        with self._lock:
            slave = self.state.slaves.get(slave_tid)
            job = next(iter(slave.jobs), 0) if slave is not None else 0
            seconds = now() - slave.since if slave is not None and slave.jobs else 0.0
            self.reports(slave_tid, [(job, result, seconds)])

    def job_failed(self, slave_tid: int, job: int, failure: Failure) -> None:
        """Handle the failure of a job; 0 stands for the slave's oldest one."""
        if job:
            self.feed(ev.JobFailed(slave_tid, job, failure, now()))
        else:
            self.feed(ev.ResultsUnreadable(slave_tid, failure, now()))

    def unreadable(self, slave_tid: int, error: BaseException, frames: Any, many: bool) -> None:
        """Handle results that cannot be read: those that can be count, the others have failed.

        Parameters
        ----------
        slave_tid : int
        error : BaseException
        frames : list of bytes-like
            The message; known to be ours.
        many : bool
            Whether it holds numbered reports, or the result of one job.
        """
        try:
            reports = salvage(frames[1], frames[2:])[1][1]
            if not many:
                reports = [(0, reports, 0.0)]
            faults = [fault_in(result) for _, result, _ in reports]
        except Exception:
            self.job_failed(slave_tid, 0, unreadable_failure(error))
            return
        for (job, result, seconds), fault in zip(reports, faults):
            if fault is None:
                self.reports(slave_tid, [(job, result, seconds)])
            else:
                self.job_failed(slave_tid, job, unreadable_failure(fault))

    def _record(self, slave_tid: int, seconds: float, n_items: int, outcome: str) -> None:
        slave = self.state.slaves.get(slave_tid)
        if slave is not None:
            end = time.time()
            self.history.add(slave_tid, slave.slot.nickname, slave.slot.host, end - seconds, end, n_items, outcome)

    @staticmethod
    def _without_surplus(result: dict[Any, Any], orders: list[ev.Instruction]) -> dict[Any, Any]:
        """Return a result without the items that had one before."""
        known = {item for order in orders if type(order) is ev.Surplus for item in order.items}
        return {item: value for item, value in result.items() if item not in known}

    def forget(self, items: list[Item]) -> None:
        """Take items out of all books, for calculations that never end."""
        self.state.forget(items)
        if self.errors:
            for item in items:
                self.errors.pop(item, None)

    # -- orders --------------------------------------------------------------

    def _carry_out(self, orders: list[ev.Instruction]) -> None:
        waiting, methods = deque(orders), self._orders
        while waiting:
            order = waiting.popleft()
            more = methods[type(order)](order)
            if more:
                waiting.extend(more)
        if self._parcels:
            parcels, self._parcels = self._parcels, {}
            for tid, jobs in parcels.items():
                self.state.sent(self.hooks.send_jobs(tid, jobs, self._left) / len(jobs))

    def _consider(self, order: ev.Consider) -> list[ev.Instruction]:
        tid = order.tid
        if not order.first and not self.hooks.is_valid_slave(tid):
            return self.state.handle(ev.SlaveRefused(tid))
        free = ev.SlaveFree(tid, self.hooks.chunk_size_for(tid), now(), self.hooks.queued_for(tid))
        answer = self.state.handle(free)
        if order.first and not answer:
            self.hooks.start_job(tid)  # as masters have always been told
        return answer

    def _give(self, order: ev.Give) -> None:
        self.hooks.start_job(order.tid)
        chunk = self.hooks.get_slave_chunk(order.items)
        self._parcels.setdefault(order.tid, []).append((order.job, chunk))
        self._left = order.n_left

    def _surplus(self, order: ev.Surplus) -> None:
        """The results were not counted; nothing is to be done."""

    def _set_aside(self, order: ev.SetAside) -> None:
        error = JobError.from_failure(order.item, order.host, order.failure, failures.revive(order.failure))
        self.errors[order.item] = error
        self.hooks.item_failed(error)

    def _reinstate(self, order: ev.Reinstate) -> None:
        self.errors.pop(order.item, None)
        self.hooks.item_recovered(order.item)

    def _kill(self, order: ev.Kill) -> None:
        assert self._starter is not None
        self._starter.kill(order.tid, order.reason)

    def _dismiss(self, order: ev.Dismiss) -> None:
        assert self._starter is not None
        self._starter.dismiss(order.tid)

    def _spawn(self, order: ev.Spawn) -> None:
        assert self._starter is not None
        self._starter.start_again(order.nickname)

    def _try_host(self, order: ev.TryHost) -> None:
        assert self._starter is not None
        self._starter.try_host(*order)

    def _record_end(self, order: ev.Ended) -> None:
        end = time.time()
        self.history.add(
            order.tid,
            order.nickname,
            order.host,
            end - now() + order.given,
            end,
            order.n_items,
            order.outcome,
            order.error,
        )

    def _note(self, order: ev.Note) -> None:
        self.hooks.note(order.text)

    def _all_done(self, order: ev.AllDone) -> None:
        self._call_soon(self.conclude)

    def _stranded(self, order: ev.Stranded) -> None:
        n = self.state.jobs.n_unfinished
        text = f"no slave is left for {n} unfinished item{'s' * (n != 1)} ({order.reason})"
        first = next(iter(self.errors.values()), None)
        if first is not None:
            text += f"; {len(self.errors)} item{'s' * (len(self.errors) != 1)} had failed before, the first: {first}"
        self._call_soon(self.abort, self.error_of(text))

    # -- the end ---------------------------------------------------------------

    def error_of(self, text: str) -> CalculationError:
        """Return an error of this calculation, with what there is of it."""
        return CalculationError(text, self.errors, getattr(self.hooks, "result", None))

    def conclude(self) -> None:
        """End the calculation, whose items are all finished or failed; in the loop's thread."""
        if not self._end_once():
            return
        try:
            with self._lock:
                self.hooks.finish()
        except BaseException as error:
            self.error = error
            self._end_badly(error)
        finally:
            self.ended.set()

    def abort(self, error: BaseException) -> None:
        """End the calculation because of `error`; any thread.

        A calculation that has ended, or is about to, keeps its end.
        """
        if not self._end_once():
            return
        self.error = error
        log.debug("the calculation ends early", exc_info=error)
        try:
            self._end_badly(error)
        finally:
            self.ended.set()

    def _end_badly(self, error: BaseException) -> None:
        self.hooks.end_badly(error)

    def _end_once(self) -> bool:
        """Tell whoever comes first that it is the first."""
        with self._once:
            first, self._finished = not self._finished, True
            return first


def unreadable_failure(error: BaseException) -> Failure:
    """Return the failure of a job whose result cannot be read by the master."""
    return Failure(type(error).__name__, f"the result cannot be read by the master: {reason(error)}")
