"""A calculation at work: events reach the state, its orders are carried out.

The master lends its hooks as an object (`Hooks` below names what is called);
nothing here knows its class.  Whoever feeds an event holds the lock, so that
hooks are called one at a time.
"""

from __future__ import annotations

import time
from collections import deque
from typing import Any

from biskit_pvm.jobs import events as ev
from biskit_pvm.jobs.master_state import MasterState
from biskit_pvm.report.history import DONE, DUPLICATE, History

now = time.monotonic


class Hooks:
    """What a calculation asks of its master."""

    #: {item: result}
    result: dict[Any, Any]
    #: who did what and when
    history: History

    def start_job(self, slave_tid: int) -> None:
        """A slave is about to get a job."""

    def job_done(self, slave_tid: int, result: dict[Any, Any]) -> None:
        """A slave has returned a result."""

    def is_valid_slave(self, slave_tid: int) -> Any:
        """Tell whether a slave may get a job."""
        return 1

    def get_slave_chunk(self, data_keys: list[Any]) -> dict[Any, Any]:
        """Return what a slave is to work on."""
        raise NotImplementedError

    def chunk_size_for(self, slave_tid: int) -> int:
        """Return how many items a slave gets at a time."""
        raise NotImplementedError

    def send_jobs(self, slave_tid: int, jobs: list[tuple[int, Any]], n_left: int) -> int:
        """Send jobs to a slave; return how many bytes that took."""
        raise NotImplementedError

    def set_aside(self, order: ev.SetAside) -> None:
        """An item was given up."""

    def reinstate(self, item: Any) -> None:
        """A result came for an item that had been given up."""

    def kill(self, slave_tid: int, reason: str) -> None:
        """End the process of a slave."""

    def respawn(self, nickname: str) -> None:
        """Start a slave again."""

    def note(self, text: str) -> None:
        """Tell the user what happened."""

    def all_done(self) -> None:
        """Every item is finished or given up."""

    def stranded(self, reason: str) -> None:
        """Items are left, and no slave is."""


class Calculation:
    """Bring events to the state and carry out its orders.

    Parameters
    ----------
    state : MasterState
    hooks : Hooks
        Or anything with these methods.
    lock : context manager
        Reentrant; held while events are handled.
    """

    def __init__(self, state: MasterState, hooks: Any, lock: Any) -> None:
        self.state = state
        self.hooks = hooks
        self.lock = lock

    def feed(self, event: Any) -> None:
        """Handle one event."""
        with self.lock:
            self._carry_out(self.state.handle(event))

    def reports(self, slave_tid: int, reports: list[tuple[int, Any, float]]) -> None:
        """Handle results that came in one message.

        Parameters
        ----------
        slave_tid : int
        reports : list of (job, result, seconds)
        """
        hooks, handle = self.hooks, self.state.handle
        with self.lock:
            orders: list[Any] = []
            for job, result, seconds in reports:
                if self.state.finished:  # what comes late counts nothing
                    break
                if not isinstance(result, dict):
                    orders += handle(
                        ev.JobFailed(
                            slave_tid,
                            job,
                            ev.Failure(
                                "TypeError",
                                f"go() must return a dictionary {{item: result}}, not {type(result).__name__}",
                            ),
                            now(),
                        )
                    )
                    continue
                hooks.job_done(slave_tid, result)
                first = handle(ev.JobDone(slave_tid, job, result.keys(), seconds, now()))
                n_items, outcome = len(result), DONE
                if first and any(type(order) is ev.Surplus for order in first):
                    result = self._without_surplus(result, first)
                    outcome = DONE if result else DUPLICATE
                hooks.result.update(result)
                self._record(slave_tid, seconds, n_items, outcome)
                orders += first
            self._carry_out(orders)

    def _record(self, slave_tid: int, seconds: float, n_items: int, outcome: str) -> None:
        slave = self.state.slaves.get(slave_tid)
        if slave is not None:
            end = time.time()
            self.hooks.history.add(
                slave_tid, slave.place.nickname, slave.place.host, end - seconds, end, n_items, outcome
            )

    @staticmethod
    def _without_surplus(result: dict[Any, Any], orders: list[Any]) -> dict[Any, Any]:
        """Return a result without the items that had one before."""
        known = {item for order in orders if type(order) is ev.Surplus for item in order.items}
        return {item: value for item, value in result.items() if item not in known}

    def _carry_out(self, orders: list[Any]) -> None:
        hooks, handle = self.hooks, self.state.handle
        waiting: deque[Any] = deque(orders)
        parcels: dict[int, list[tuple[int, Any]]] = {}
        left = 0
        while waiting:
            order = waiting.popleft()
            kind = type(order)
            if kind is ev.Consider:
                tid = order.tid
                if hooks.is_valid_slave(tid):
                    answer: Any = ev.SlaveFree(tid, hooks.chunk_size_for(tid), now())
                else:
                    answer = ev.SlaveBarred(tid)
                waiting.extend(handle(answer))
            elif kind is ev.Give:
                hooks.start_job(order.tid)
                chunk = hooks.get_slave_chunk(order.items)
                parcels.setdefault(order.tid, []).append((order.job, chunk))
                left = order.n_left
            elif kind is ev.Surplus:
                pass
            elif kind is ev.SetAside:
                hooks.set_aside(order)
            elif kind is ev.Reinstate:
                hooks.reinstate(order.item)
            elif kind is ev.Kill:
                hooks.kill(order.tid, order.reason)
            elif kind is ev.Spawn:
                hooks.respawn(order.nickname)
            elif kind is ev.Ended:
                end = time.time()
                hooks.history.add(
                    order.tid,
                    order.nickname,
                    order.host,
                    end - now() + order.given,
                    end,
                    order.n_items,
                    order.outcome,
                    order.error,
                )
            elif kind is ev.Note:
                hooks.note(order.text)
            elif kind is ev.AllDone:
                hooks.all_done()
            else:
                hooks.stranded(order.reason)
        for tid, jobs in parcels.items():
            self.state.sent(hooks.send_jobs(tid, jobs, left) / len(jobs))
