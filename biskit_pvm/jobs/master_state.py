"""Who works on what: the decisions of a master, without any I/O.

Events go in through `MasterState.handle`, instructions come out.  The state
knows slots, slaves and jobs:

* a *slot* is one entry of the master's list of hosts; it has at most one
  slave at a time and remembers how often one was started there;
* a *slave* is a task in one of the states of `State`; `MEANING` says what
  they are, and `MOVES` how a slave gets from one to another;

* a *job* is one chunk of items at one slave.

Items are never lost: whatever a slave holds is either reported by it, or
given back when the slave fails, exits, is silent or is killed.  Nothing is
counted twice: only the first result of an item counts.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple

from biskit_pvm.jobs import events as ev
from biskit_pvm.jobs.events import Event, Instruction
from biskit_pvm.jobs.items import Item, Jobs
from biskit_pvm.jobs.lost_hosts import LostHosts
from biskit_pvm.jobs.rules import Rules
from biskit_pvm.report import history


class State(str, Enum):
    """What a slave is doing, as far as its master knows."""

    STARTING = "starting"
    IDLE = "idle"
    BUSY = "busy"
    REFUSED = "refused"
    SILENT = "silent"
    LEAVING = "leaving"


STARTING, IDLE, BUSY, REFUSED, SILENT, LEAVING = State

#: what a state means
MEANING = {
    STARTING: "spawned, not yet initialised",
    IDLE: "initialised, without a job",
    BUSY: "has jobs, the oldest of which it works on",
    REFUSED: "initialised, but the master's hook refuses it for now",
    SILENT: "not heard of for too long; what it held was given back",
    LEAVING: "ordered to be killed, or let go; it holds nothing",
}

#: every move that a slave can make, and when it makes it; there are no others
MOVES = {
    (STARTING, IDLE): "it has been initialised",
    (STARTING, LEAVING): "its initialisation failed, it does not report, or its host is removed",
    (IDLE, BUSY): "it gets a job",
    (IDLE, REFUSED): "`is_valid_slave` refuses it",
    (IDLE, SILENT): "it is not heard of for 0.7 heartbeats",
    (IDLE, LEAVING): "it takes or gets no messages, is let go, or its host is removed",
    (BUSY, IDLE): "it has reported its last job",
    (BUSY, SILENT): "it is not heard of for 0.7 heartbeats",
    (BUSY, LEAVING): "its job takes too long, it takes or gets no messages, or its host is removed",
    (REFUSED, IDLE): "it is asked about again, at the next tick",
    (REFUSED, SILENT): "it is not heard of for 0.7 heartbeats",
    (REFUSED, LEAVING): "it takes or gets no messages, or its host is removed",
    (SILENT, BUSY): "it is heard again",
    (SILENT, LEAVING): "it is not heard of for 4 heartbeats, or its host is removed",
}


class ImpossibleMove(AssertionError):
    """A slave was to make a move that is not in `MOVES`: a fault of this package."""


#: most jobs that a slave has in hand at a time
MAX_DEPTH = 256
#: bytes of jobs, at most, that are sent to a slave that may not read now; about what its line takes
BYTES_AHEAD = 262144
#: seconds that a job must take, on the average, to be given singly
LONG_JOB = 0.02
#: seconds of work that are not worth a message each: about what it takes to ask for more and get it
SHORT_STOCK = 0.002
LONGEST_PAUSE = 60.0
#: seconds after which a slave has reported what it had done before its present job
REPORTED = 0.5


class Job(NamedTuple):
    """One chunk of items at one slave."""

    items: list[Item]
    given: float


@dataclass
class Slave:
    """A task that works for the master."""

    tid: int
    slot: Slot
    heard: float
    state: State = STARTING
    #: its jobs by number, the one that it works on first
    jobs: OrderedDict[int, Job] = field(default_factory=OrderedDict)
    #: numbers of the jobs whose items were given back while it was silent
    withdrawn: dict[int, Job] = field(default_factory=dict)
    #: when it began with its first job
    since: float = 0.0
    #: running mean of the seconds that a job takes; None before the first
    mean: float | None = None
    #: whether it has been up (its message loop was heard)
    up: bool = False
    n_done: int = 0
    asked: bool = False
    #: it takes one job at a time, as slaves of old scripts do
    single: bool = False
    #: its job takes long: it has given back what waited behind it
    held_up: bool = False
    #: its jobs whose results are on their way, and whether its results are large
    coming: set[int] = field(default_factory=set)
    large: bool = False
    #: it leaves when it has done what it has
    retired: bool = False

    def held(self) -> set[Item]:
        """Return the items of all its jobs."""
        return {item for job in self.jobs.values() for item in job.items}


@dataclass
class Slot:
    """One entry of the list of hosts."""

    nickname: str
    host: str
    tid: int = 0
    #: starts in a row without a finished job
    starts: int = 0
    #: when to start a slave again; None: not planned
    restart: float | None = None
    ordered: bool = False
    #: its host is not there
    lost: bool = False
    #: no slave is wanted here any more
    removed: bool = False
    was_up: bool = False
    reason: str = ""
    #: items that its last slave died over
    suspects: set[Item] = field(default_factory=set)


class MasterState:
    """Decide who works on what.

    Parameters
    ----------
    jobs : Jobs
        The items; shared with the master's `status`.
    slots : dict
        {nickname: host}, in the order in which slaves are started.
    rules : Rules
    open : bool
        Items will be added while slaves work; the end is announced by
        `Closed`.
    """

    def __init__(self, jobs: Jobs, slots: dict[str, str], rules: Rules | None = None, open: bool = False) -> None:
        self.jobs = jobs
        self.rules = rules or Rules()
        self.open = open
        self.slots = {n: Slot(n, h) for n, h in slots.items()}
        #: slaves by tid
        self.slaves: dict[int, Slave] = {}
        #: items that failed
        self.failed: dict[Item, ev.Failure] = {}
        #: hosts that are tried again
        self.lost_hosts = LostHosts()
        self._waits_for_hosts = False
        self.spawning = True
        self.finished = False
        self.stranded = False
        self.n_surplus = 0
        self._numbers = 0
        self._job_bytes = 0.0
        #: {item: seconds} and {item: tries} in place of those of the rules
        self.limits: dict[Item, float] = {}
        self.tries: dict[Item, int] = {}
        #: {item: bytes} where that is known beforehand and much
        self.sizes: dict[Item, int] = {}
        self._tries: dict[Item, int] = {}
        self._deaths: dict[Item, int] = {}
        self._idle: dict[int, None] = {}
        #: items whose results are on their way
        self._coming: set[Item] = set()
        #: running mean of the seconds until a large result is there, 0 where the last one was small; and when an item
        #: that nobody had was given out last
        self._took = 0.0
        self._last_given = 0.0
        self._handlers: dict[type, Callable[[Any], list[Instruction]]] = {
            ev.SlaveSpawned: self._spawned,
            ev.SpawnFailed: self._not_spawned,
            ev.SpawningDone: self._spawning_done,
            ev.SlotAdded: self._slot_added,
            ev.SlotRemoved: self._slot_removed,
            ev.SlaveUp: self._up,
            ev.SlaveReady: self._ready,
            ev.SlaveFree: self._free,
            ev.SlaveRefused: self._refused,
            ev.JobDone: self._done,
            ev.JobsDone: self._several_done,
            ev.JobsReturned: self._returned,
            ev.ResultsComing: self._results_coming,
            ev.ResultIsNoDict: self._no_dict,
            ev.ResultsUnreadable: self._unreadable,
            ev.JobFailed: self._failed,
            ev.SlaveFailed: self._slave_failed,
            ev.SlaveStuck: self._stuck,
            ev.Heard: self._heard,
            ev.SlaveExited: self._exited,
            ev.HostLost: self._host_lost,
            ev.HostAdded: self._host_added,
            ev.HostTried: self._host_tried,
            ev.ItemsAdded: self._added,
            ev.Closed: self._closed,
            ev.Tick: self._tick,
        }

    def handle(self, event: Event) -> list[Instruction]:
        """Take notice of an event.

        Parameters
        ----------
        event : one of biskit_pvm.jobs.events.Event

        Returns
        -------
        list of biskit_pvm.jobs.events.Instruction
            To be carried out in this order.
        """
        if self.finished:
            return []
        return self._handlers[type(event)](event)

    def next_tick(self, now: float) -> float:
        """Return the seconds until the next `Tick` is due."""
        pause = self.rules.tick
        for slot in self.slots.values():
            if slot.restart is not None and not slot.ordered:
                pause = min(pause, max(slot.restart - now, 0.0))
        due = self.lost_hosts.next_due()
        if due is not None:
            pause = min(pause, max(due - now, 0.0))
        if self.limits:
            for slave in self.slaves.values():
                limit = self._limit(slave)
                if limit is not None and slave.state == BUSY:
                    pause = min(pause, max(slave.since + limit - now, 0.001))
        return pause

    # -- slaves come ---------------------------------------------------

    def _spawned(self, event: ev.SlaveSpawned) -> list[Instruction]:
        slot = self.slots[event.nickname]
        slot.tid, slot.restart, slot.ordered = event.tid, None, False
        slot.lost = False
        self._waits_for_hosts = False
        slot.starts += 1
        self.slaves[event.tid] = Slave(event.tid, slot, event.now)
        return []

    def _not_spawned(self, event: ev.SpawnFailed) -> list[Instruction]:
        slot = self.slots[event.nickname]
        slot.tid, slot.ordered, slot.restart = 0, False, None
        slot.starts += 1
        slot.reason = event.reason
        if slot.removed:
            del self.slots[event.nickname]
        elif event.absent and self.rules.watch_hosts:
            slot.lost = True
            self.lost_hosts.lose(slot.host, event.now, awaited=slot.was_up)
        elif slot.was_up:
            self._plan_restart(slot, event.now)
        return self._settle([])

    def _spawning_done(self, event: ev.SpawningDone) -> list[Instruction]:
        self.spawning = False
        return self._settle([])

    def _slot_added(self, event: ev.SlotAdded) -> list[Instruction]:
        self.slots[event.nickname] = Slot(event.nickname, event.host, ordered=True)
        return [ev.Spawn(event.nickname, event.host)]

    def _slot_removed(self, event: ev.SlotRemoved) -> list[Instruction]:
        slot = self.slots.get(event.nickname)
        if slot is None:
            return []
        slot.removed, slot.restart = True, None
        if all(other.removed for other in self.slots.values() if other.host == slot.host):
            self.lost_hosts.forget(slot.host)
        slave = self.slaves.get(slot.tid)
        if slave is None:
            if not slot.ordered:
                del self.slots[event.nickname]
            return self._settle([])
        if event.finish:
            return self._settle(self._retire(slave))
        if slave.state == LEAVING:
            return []
        return self._settle(self._lost(slave) + self._kill(slave, "its host is removed"))

    def _retire(self, slave: Slave) -> list[Instruction]:
        """Give a slave no more jobs, and let it go when it has none."""
        slave.retired = True
        if slave.jobs or slave.state not in (IDLE, BUSY):
            return []
        self._idle.pop(slave.tid, None)
        self._move(slave, LEAVING)
        slave.slot.reason = "it was let go"
        return [ev.Dismiss(slave.tid)]

    def _limit(self, slave: Slave) -> float | None:
        """Return how many seconds the present job of a slave may take; its result may take as long as it likes."""
        for number, job in slave.jobs.items():
            return None if number in slave.coming else self.limits.get(job.items[0], self.rules.job_timeout)
        return None

    def _up(self, event: ev.SlaveUp) -> list[Instruction]:
        slave = self.slaves.get(event.tid)
        if slave is not None:
            slave.heard = event.now
            slave.up = slave.slot.was_up = True
            slave.single = event.single
        return []

    def _ready(self, event: ev.SlaveReady) -> list[Instruction]:
        slave = self.slaves.get(event.tid)
        if slave is None or slave.state != STARTING:
            return []
        slave.heard = event.now
        slave.up = slave.slot.was_up = True
        return self._settle(self._unoccupied(slave, first=True))

    def _unoccupied(self, slave: Slave, first: bool = False) -> list[Instruction]:
        self._move(slave, IDLE)
        if slave.retired or slave.slot.removed:
            return self._retire(slave)
        self._idle[slave.tid] = None
        return self._ask(slave, first)

    def _ask(self, slave: Slave, first: bool = False) -> list[Instruction]:
        if slave.asked:
            return []
        slave.asked = True
        return [ev.Consider(slave.tid, first)]

    @staticmethod
    def _move(slave: Slave, state: State) -> None:
        """Let a slave change its state: the one place where this is done."""
        if (slave.state, state) not in MOVES and state is not slave.state:
            raise ImpossibleMove(f"slave t{slave.tid:x} cannot get from {slave.state.value} to {state.value}")
        slave.state = state

    def _refused(self, event: ev.SlaveRefused) -> list[Instruction]:
        slave = self.slaves.get(event.tid)
        if slave is None:
            return []
        slave.asked = False
        if slave.state == IDLE:
            self._move(slave, REFUSED)
            self._idle.pop(event.tid, None)
        return self._settle([])

    # -- giving out ----------------------------------------------------

    def _free(self, event: ev.SlaveFree) -> list[Instruction]:
        slave = self.slaves.get(event.tid)
        if slave is None:
            return []
        slave.asked = False
        if slave.state not in (IDLE, BUSY) or slave.withdrawn or slave.retired:
            return []
        orders: list[Instruction] = []
        # where a line is slow, what the slave has is not all there yet
        depth = 1 if event.queued else self._depth(slave, event.chunk_size)
        if self.rules.jobs_per_slave is not None:
            depth = min(depth, self.rules.jobs_per_slave - slave.n_done)
        # only an item that is tried again may be at this slave already
        again = self.jobs.retrying()
        avoid = self._avoid(slave) if again else None
        if slave.jobs and (again or self._tries_alone(slave)):
            return []  # should it die, it must be clear over what
        n_bytes = sum(map(self._size, slave.jobs.values())) if self.sizes else 0
        while len(slave.jobs) < depth and n_bytes <= BYTES_AHEAD:
            held = slave.held() if again else self._coming
            fresh = self.jobs.n_waiting
            # a copy of a large result takes long: it is made where the first one takes longer than they do
            copies = not slave.jobs and event.now - self._last_given >= 2 * self._took
            # those of several jobs at once, unless each depends on the one before
            n_jobs = 1 if again or self.sizes or not fresh else depth - len(slave.jobs)
            items, n_left = self.jobs.choose(n_jobs * event.chunk_size, held, copies, avoid)
            if not items:
                break
            if fresh:
                self._last_given = event.now
            if not slave.jobs:
                slave.since = event.now
            for start in range(0, len(items), event.chunk_size):
                self._numbers += 1
                job = Job(items[start : start + event.chunk_size], event.now)
                slave.jobs[self._numbers] = job
                orders.append(ev.Give(slave.tid, self._numbers, job.items, n_left - start))
            if again:
                break
            if self.sizes:
                n_bytes += self._size(job)
        if self.rules.jobs_per_slave is not None and slave.n_done + len(slave.jobs) >= self.rules.jobs_per_slave:
            slave.retired = True
        if slave.jobs and slave.state == IDLE:
            self._move(slave, BUSY)
            self._idle.pop(slave.tid, None)
        return orders

    def _size(self, job: Job) -> int:
        return sum(self.sizes.get(item, 0) for item in job.items)

    def _tries_alone(self, slave: Slave) -> bool:
        """Tell whether a slave works on an item that must be alone with it."""
        return any(self.jobs.is_alone(job.items[0]) for job in slave.jobs.values())

    def _depth(self, slave: Slave, chunk_size: int) -> int:
        """Return how many jobs the slave should have in hand.

        One while nothing is known of it or jobs are long; short jobs come in
        numbers that keep it at work for `prefetch` seconds, but never more
        than its fair part of what is left (half of an even split, or where
        that is too little to come back for, what the slaves that have nothing
        can share), nor more bytes than its line takes at once.
        """
        mean = slave.mean
        if mean is None or mean > LONG_JOB or not self.rules.prefetch or slave.single or slave.held_up or slave.large:
            return 1
        depth = 2 + (MAX_DEPTH if mean * MAX_DEPTH < self.rules.prefetch else int(self.rules.prefetch / mean))
        n_left = -(-self.jobs.n_waiting // max(chunk_size, 1))
        n_workers = max(self._n_workers(), 1)
        fair = 1 + n_left // (2 * n_workers)
        if fair * mean < SHORT_STOCK:
            sharing = n_workers if slave.jobs else max(len(self._idle), 1)
            fair = max(fair, min(-(-n_left // sharing), 1 + int(SHORT_STOCK / max(mean, 1e-6))))
        if self._job_bytes:
            depth = min(depth, 1 + int(BYTES_AHEAD / self._job_bytes))
        return min(depth, fair, MAX_DEPTH)

    def _n_workers(self) -> int:
        """Return how many slaves share what is left: those that are still to be started, too."""
        return len(self.slots) if self.spawning else len(self.slaves)

    def sent(self, job_bytes: float) -> None:
        """Take notice of the size of jobs, in bytes each, that were sent."""
        self._job_bytes = max(job_bytes, 0.8 * self._job_bytes + 0.2 * job_bytes)

    def _avoid(self, slave: Slave) -> int | None:
        """Return the mark of items that this slave should leave to others:
        those that it failed on, as long as there are others."""
        for other in self.slaves.values():
            if other is not slave and other.state in (IDLE, BUSY):
                return slave.tid
        return None

    def _refill(self, slave: Slave) -> list[Instruction]:
        """Ask for more jobs when the slave has used up half of its stock."""
        if slave.state != BUSY:
            return []
        if not slave.jobs:
            return self._unoccupied(slave)
        if (
            self.rules.prefetch
            and not slave.single
            and not slave.held_up
            and slave.mean is not None
            and slave.mean <= LONG_JOB
            and self.jobs.n_waiting
            and len(slave.jobs) <= MAX_DEPTH // 2
        ):
            return self._ask(slave)
        return []

    # -- getting back --------------------------------------------------

    def _take(self, tid: int, number: int, now: float) -> Job | None:
        """Strike a job off its slave's list."""
        slave = self.slaves.get(tid)
        if slave is None:
            return None
        slave.heard = now
        slave.since = now
        slave.held_up = False
        job = slave.jobs.pop(number, None)
        slave.large = number in slave.coming
        if job is not None:
            took = now - job.given
            self._took = 0.0 if not slave.large else took if not self._took else 0.8 * self._took + 0.2 * took
            self._comes_no_more(slave, number, job)
        return job

    def _comes_no_more(self, slave: Slave, number: int, job: Job) -> None:
        """Note that the result of a job is not on its way: it has come, or never will."""
        if number in slave.coming:
            slave.coming.discard(number)
            self._coming.difference_update(job.items)

    def _done(self, event: ev.JobDone) -> list[Instruction]:
        slave = self.slaves.get(event.tid)
        job = self._take(event.tid, event.job, event.now)
        surplus: list[Item] = []
        orders: list[Instruction] = []
        if self._coming:
            self._coming.difference_update(event.items)
        finish, failed = self.jobs.finish, self.failed
        for item in event.items:
            if finish(item):
                continue
            if failed and item in failed:
                del failed[item]
                orders.append(ev.Reinstate(item))
            else:
                surplus.append(item)
        if surplus:
            self.n_surplus += len(surplus)
            orders.append(ev.Surplus(surplus))
        if job is not None:
            if not all(map(event.items.__contains__, job.items)):
                orders += self._blame(
                    job,
                    event.tid,
                    ev.Failure("no result", "go() returned no result for this item"),
                    missing=[i for i in job.items if i not in event.items],
                )
        if slave is not None:
            slave.n_done += 1
            slave.slot.starts = 0
            slave.mean = event.seconds if slave.mean is None else 0.8 * slave.mean + 0.2 * event.seconds
            if slave.withdrawn or slave.state != BUSY or not slave.jobs:
                orders += self._recover(slave, event.job)
                orders += self._refill(slave)
            elif not slave.asked:
                orders += self._refill(slave)
        return self._settle(orders)

    def _several_done(self, event: ev.JobsDone) -> list[Instruction]:
        """Take all but the last job off the books where that is all there is to do, and look around after the last."""
        slave = self.slaves.get(event.tid)
        orders: list[Instruction] = []
        simple = (
            slave is not None
            and slave.state == BUSY
            and slave.mean is not None
            and not (slave.withdrawn or slave.coming or self._coming)
        )
        *others, last = event.reports
        finished: list[Item] = []
        for report in others:
            number, items, seconds = report
            job = slave.jobs.get(number) if slave is not None and simple and not self.failed else None
            if slave is None or job is None or len(slave.jobs) == 1 or job.items != list(items):
                orders += self._done(ev.JobDone(event.tid, *report, event.now))
                continue
            del slave.jobs[number]
            finished += job.items
            slave.n_done += 1
            slave.mean = 0.8 * slave.mean + 0.2 * seconds  # type: ignore[operator]
        surplus = self.jobs.finish_all(finished)
        if surplus:
            self.n_surplus += len(surplus)
            orders.append(ev.Surplus(surplus))
        return orders + self._done(ev.JobDone(event.tid, *last, event.now))

    def _results_coming(self, event: ev.ResultsComing) -> list[Instruction]:
        """Nobody else need do what is on its way."""
        slave = self.slaves.get(event.tid)
        if slave is None:
            return []
        orders = self._heard(ev.Heard(event.tid, event.now))
        for number in event.jobs:
            if number in slave.jobs:
                slave.coming.add(number)
                slave.large = True
                self._coming.update(item for item in slave.jobs[number].items if self.jobs.objects[item] != 0)
        return orders

    def _returned(self, event: ev.JobsReturned) -> list[Instruction]:
        """Let others have what waits behind a job that takes long."""
        slave = self.slaves.get(event.tid)
        if slave is None:
            return []
        slave.heard = event.now
        slave.held_up = True
        jobs = [slave.jobs.pop(number) for number in event.jobs if number in slave.jobs and number not in slave.coming]
        for job in reversed(jobs):
            for item in reversed(job.items):
                self.jobs.give_back(item)
        orders: list[Instruction] = []
        for number in event.jobs:
            if number in slave.withdrawn:
                orders += self._recover(slave, number)
        if not slave.jobs:
            slave.held_up = False
            orders += self._refill(slave)
        return self._settle(orders)

    def _no_dict(self, event: ev.ResultIsNoDict) -> list[Instruction]:
        failure = ev.Failure("TypeError", f"go() must return a dictionary {{item: result}}, not {event.kind}")
        return self._failed(ev.JobFailed(event.tid, event.job, failure, event.now))

    def _unreadable(self, event: ev.ResultsUnreadable) -> list[Instruction]:
        """Blame the oldest job: slaves report in the order of their jobs."""
        slave = self.slaves.get(event.tid)
        if slave is None or not slave.jobs:
            return []
        return self._failed(ev.JobFailed(event.tid, next(iter(slave.jobs)), event.failure, event.now))

    def _failed(self, event: ev.JobFailed) -> list[Instruction]:
        slave = self.slaves.get(event.tid)
        since = slave.since if slave is not None else event.now
        job = self._take(event.tid, event.job, event.now)
        orders: list[Instruction] = []
        if job is not None:
            orders += self._blame(job, event.tid, event.failure)
        if slave is not None:
            if job is not None:
                orders.append(self._ended(slave, job, since, history.FAILED, event.failure))
            orders += self._recover(slave, event.job)
            orders += self._refill(slave)
        return self._settle(orders)

    @staticmethod
    def _ended(slave: Slave, job: Job, since: float, outcome: str, failure: ev.Failure) -> ev.Ended:
        return ev.Ended(
            slave.tid,
            slave.slot.nickname,
            slave.slot.host,
            len(job.items),
            since,
            outcome,
            failure.traceback or f"{failure.kind}: {failure.message}",
        )

    def _blame(self, job: Job, tid: int, failure: ev.Failure, missing: list[Item] | None = None) -> list[Instruction]:
        """Give the items of a failed job back, each to be tried alone, or
        set the only item of it aside when it has failed too often."""
        orders: list[Instruction] = []
        slave = self.slaves.get(tid)
        host = slave.slot.host if slave else ""
        for item in job.items if missing is None else missing:
            if self.jobs.objects[item] == 0:
                continue
            self._tries[item] = tries = self._tries.get(item, 0) + 1
            if len(job.items) == 1 and tries >= self.tries.get(item, self.rules.max_tries):
                orders += self._set_aside(item, failure, host)
            else:
                self.jobs.give_back(item, alone=True, mark=tid)
        return orders

    def _set_aside(self, item: Item, failure: ev.Failure, host: str) -> list[Instruction]:
        if not self.jobs.finish(item):
            return []
        self._coming.discard(item)
        self.failed[item] = failure
        return [ev.SetAside(item, failure, host)]

    def _recover(self, slave: Slave, number: int) -> list[Instruction]:
        """A silent slave has spoken: it may work again when it has reported
        the last job of the time before."""
        slave.withdrawn.pop(number, None)
        if slave.state == SILENT:
            self._move(slave, BUSY)
        if slave.state == BUSY and not slave.jobs and not slave.withdrawn:
            return self._unoccupied(slave)
        return []

    # -- signs of life, and their lack -------------------------------------

    def _heard(self, event: ev.Heard) -> list[Instruction]:
        slave = self.slaves.get(event.tid)
        if slave is None:
            return []
        slave.heard = event.now
        if slave.state != SILENT:
            return []
        return [ev.Note(f"{slave.slot.nickname} is heard again")] + self._settle(self._recover(slave, 0))

    def _tick(self, event: ev.Tick) -> list[Instruction]:
        now, rules = event.now, self.rules
        orders: list[Instruction] = []
        for tid, moment in event.arrivals.items():
            known = self.slaves.get(tid)
            if known is not None and moment > known.heard:
                orders += self._heard(ev.Heard(tid, moment))
        for slave in list(self.slaves.values()):
            slave.heard = min(slave.heard + event.late, now)
            quiet = now - slave.heard
            if slave.state in (IDLE, BUSY, REFUSED) and quiet > 0.7 * rules.heartbeat:
                orders.append(ev.Note(f"{slave.slot.nickname} is not heard of for {quiet:.0f} s; others get its items"))
                slave.withdrawn.update(slave.jobs)
                orders += self._lost(slave)
                self._give_back(slave)
                self._move(slave, SILENT)
            elif slave.state == STARTING and not slave.up:
                if rules.start_timeout is not None and quiet > rules.start_timeout:
                    orders += self._kill(slave, f"it did not report within {rules.start_timeout:g} s of its start")
            elif slave.state in (STARTING, SILENT) and quiet > 4 * rules.heartbeat:
                orders += self._kill(slave, "silent for too long")
            elif slave.state == BUSY and (limit := self._limit(slave)) is not None and now - slave.since > limit:
                number = next(iter(slave.jobs))
                job = slave.jobs.pop(number)
                failure = ev.Failure("timeout", f"the job took longer than {limit:g} s")
                orders += self._blame(job, slave.tid, failure)
                orders.append(self._ended(slave, job, slave.since, history.TIMEOUT, failure))
                slave.slot.starts = max(slave.slot.starts - 1, 0)  # the item is to blame
                orders += self._kill(slave, "its job takes too long")
            elif slave.state == REFUSED:
                self._move(slave, IDLE)
                self._idle[slave.tid] = None
                orders += self._ask(slave)
        for slot in self.slots.values():
            if slot.restart is not None and not slot.ordered and slot.restart <= now:
                slot.ordered = True
                orders.append(ev.Spawn(slot.nickname, slot.host))
        if rules.watch_hosts:
            orders += self._look_for_hosts(now)
        return self._settle(orders)

    def _look_for_hosts(self, now: float) -> list[Instruction]:
        """See which hosts are silent, and have those tried that are due."""
        orders: list[Instruction] = []
        heard: dict[str, float] = {}
        for slave in self.slaves.values():
            if slave.up:
                heard[slave.slot.host] = max(heard.get(slave.slot.host, slave.heard), slave.heard)
        for host, latest in heard.items():
            quiet = now - latest
            if quiet <= self.rules.heartbeat:
                if self.lost_hosts.is_silent(host):
                    self.lost_hosts.forget(host)
            elif host not in self.lost_hosts:
                self.lost_hosts.lose(host, now, silent=True)
                orders.append(ev.Note(f"{host} is silent for {quiet:.0f} s; it is tried until it answers"))
        if not self.slaves and self.rules.start_timeout is not None:
            self.lost_hosts.give_up(now, self.rules.start_timeout)
        return orders + [ev.TryHost(*due) for due in self.lost_hosts.take_due(now)]

    def _kill(self, slave: Slave, reason: str) -> list[Instruction]:
        self._give_back(slave)
        self._move(slave, LEAVING)
        slave.slot.reason = reason
        return [ev.Kill(slave.tid, reason)]

    def _stuck(self, event: ev.SlaveStuck) -> list[Instruction]:
        slave = self.slaves.get(event.tid)
        if slave is None or slave.state == LEAVING:
            return []
        slave.slot.reason = event.reason or "it takes no messages"
        what = f" is cut off, {event.reason}" if event.reason else " takes no messages"
        orders: list[Instruction] = [ev.Note(f"{slave.slot.nickname}{what}; others get its items")]
        orders += self._lost(slave)
        slave.retired |= bool(event.reason)  # not its own fault: it is started again at once
        return self._settle(orders + self._kill(slave, slave.slot.reason))

    # -- slaves go -----------------------------------------------------

    def _lost(self, slave: Slave) -> list[Instruction]:
        """Record that the job that a slave worked on is lost with it."""
        for job in slave.jobs.values():
            return [self._ended(slave, job, slave.since, history.LOST, ev.Failure("lost", slave.slot.reason))]
        return []

    def _give_back(self, slave: Slave) -> None:
        """Take back, blamelessly, what a slave holds; oldest first again."""
        self._idle.pop(slave.tid, None)
        slave.asked = False
        for number, job in reversed(slave.jobs.items()):
            self._comes_no_more(slave, number, job)
            for item in reversed(job.items):
                self.jobs.give_back(item)
        slave.jobs.clear()

    def _slave_failed(self, event: ev.SlaveFailed) -> list[Instruction]:
        slave = self.slaves.get(event.tid)
        if slave is None:
            return []
        orders = self._kill(slave, f"{event.failure.kind}: {event.failure.message}")
        slave.up = False
        return self._settle(orders)

    def _exited(self, event: ev.SlaveExited) -> list[Instruction]:
        slave = self.slaves.get(event.tid)
        if slave is None:
            return []
        slot = slave.slot
        if slave.state != LEAVING:
            slot.reason = event.reason
        if slot.removed:
            del self.slots[slot.nickname]
        elif slave.retired and slave.state == LEAVING:
            self._remove(slave)
            slot.starts, slot.restart = 0, event.now
            return self._settle([])
        orders: list[Instruction] = [ev.Note(f"{slot.nickname} has ended: {slot.reason}")]
        orders += self._lost(slave)
        suspects = self._suspects(slave, event.now)
        self._remove(slave)
        if suspects:
            items = {item for job in suspects for item in job.items}
            orders += self._suspect(suspects, slave)
            if slot.suspects.intersection(items):
                slot.starts = max(slot.starts - 1, 0)  # the item is to blame, not the slot
            slot.suspects = items
        # where none has ever come up, none will: it gets one more chance
        if slave.up or (slave.state != LEAVING and (slot.starts < 2 or any(p.was_up for p in self.slots.values()))):
            self._plan_restart(slot, event.now)
        return self._settle(orders)

    def _suspects(self, slave: Slave, now: float) -> list[Job]:
        """Take from a dead slave the jobs that it may have died over, oldest first.

        The results of some of them may have been on their way: it reports short jobs in numbers.
        """
        jobs = list(slave.jobs.items())
        if now - slave.since > REPORTED:
            jobs = jobs[:1]
        for number, job in jobs:
            self._comes_no_more(slave, number, job)
        return [slave.jobs.pop(number) for number, _ in jobs]

    def _suspect(self, jobs: list[Job], slave: Slave) -> list[Instruction]:
        """A slave died over one of these jobs: whether because of it, nobody knows."""
        if len(jobs) > 1:
            for job in jobs:
                for item in job.items:
                    self.jobs.give_back(item, alone=True)
            return []
        orders: list[Instruction] = []
        job = jobs[0]
        for item in reversed(job.items):
            if self.jobs.objects[item] == 0:
                continue
            self._deaths[item] = deaths = self._deaths.get(item, 0) + 1
            if len(job.items) == 1 and deaths >= self.rules.max_deaths:
                orders += self._set_aside(
                    item,
                    ev.Failure(
                        "died", f"{deaths} slaves ended while they worked on it; the last one: {slave.slot.reason}"
                    ),
                    slave.slot.host,
                )
            else:
                self.jobs.give_back(item, alone=deaths > 1 or len(job.items) > 1)
        return orders

    def _remove(self, slave: Slave) -> None:
        self._give_back(slave)
        del self.slaves[slave.tid]
        slave.slot.tid = 0

    def _plan_restart(self, slot: Slot, now: float) -> None:
        if slot.lost or slot.removed or slot.starts > self.rules.max_respawns:
            slot.restart = None
            return
        pause = self.rules.respawn_pause * 2 ** max(slot.starts - 1, 0)
        slot.restart = now + min(pause, LONGEST_PAUSE)

    def _host_lost(self, event: ev.HostLost) -> list[Instruction]:
        orders: list[Instruction] = [ev.Note(f"{event.host} has left the virtual machine")]
        for slot in self._slots_at(event.host):
            slot.lost, slot.restart, slot.ordered = True, None, False
            slot.reason = "its host has left the virtual machine"
            slave = self.slaves.get(slot.tid)
            if slave is not None:
                orders += self._lost(slave)
                self._remove(slave)
            if slot.removed:
                del self.slots[slot.nickname]
            elif self.rules.watch_hosts:
                self.lost_hosts.lose(event.host, event.now)
        return self._settle(orders)

    def _slots_at(self, host: str) -> list[Slot]:
        return [slot for slot in self.slots.values() if slot.host == host]

    def _host_added(self, event: ev.HostAdded) -> list[Instruction]:
        if not self.rules.watch_hosts:
            return []
        orders: list[Instruction] = []
        self.lost_hosts.forget(event.host)
        for slot in self._slots_at(event.host):
            if not slot.tid and not slot.ordered:
                orders += self._start_again(slot, event.now)
        return orders

    @staticmethod
    def _start_again(slot: Slot, now: float) -> list[Instruction]:
        """Have a slave started at a slot whose host is there again."""
        slot.lost, slot.starts = False, 0
        slot.restart, slot.ordered = now, True
        return [ev.Spawn(slot.nickname, slot.host)]

    def _host_tried(self, event: ev.HostTried) -> list[Instruction]:
        host, orders = event.host, list[Instruction]()
        waiting = [slot for slot in self._slots_at(host) if slot.lost and not slot.tid and not slot.ordered]
        if event.outcome == ev.DELETED:
            if self.lost_hosts.forget(host):
                orders.append(
                    ev.Note(f"{host} was deleted from the virtual machine; it is used when it is added again")
                )
        elif event.outcome == ev.THERE and waiting:
            self.lost_hosts.forget(host)
            for slot in waiting:
                orders += self._start_again(slot, event.now)
        elif self.lost_hosts.tried(host, event.now, event.outcome == ev.REFUSED, event.reason):
            orders.append(ev.Note(f"{host} cannot be used yet: {event.reason}"))
        return self._settle(orders)

    # -- more work, and the end ----------------------------------------------

    def _added(self, event: ev.ItemsAdded) -> list[Instruction]:
        orders = self._settle([])
        for tid in list(self.slaves):
            slave = self.slaves[tid]
            if slave.state == BUSY:
                orders += self._refill(slave)
        return orders

    def _closed(self, event: ev.Closed) -> list[Instruction]:
        self.open = False
        return self._settle([])

    def _settle(self, orders: list[Instruction]) -> list[Instruction]:
        """Add what follows: idle slaves are asked when there is something to
        give, and the end is declared when there is nothing to wait for."""
        if self.slaves and not self._idle and self.jobs.n_unfinished:
            return orders  # as after most jobs
        if self.jobs.all_finished():
            if not self.open:
                self.finished = True
                orders.append(ev.AllDone())
            return orders
        left = self.jobs.n_waiting or (self.jobs.redistribute and self.jobs.n_unfinished > len(self._coming))
        if self._idle and left:
            for tid in list(self._idle):
                orders += self._ask(self.slaves[tid])
        if not self.spawning and not self.slaves and not self.stranded:
            orders += self._without_slaves()
        return orders

    def _without_slaves(self) -> list[Instruction]:
        """Declare the end when no slave is left and none will come."""
        slots = self.slots.values()
        if any(p.restart is not None or p.ordered for p in slots):
            return []
        awaited = {p.host for p in slots if p.lost and self.lost_hosts.awaits(p.host)}
        if awaited:
            if self._waits_for_hosts:
                return []
            self._waits_for_hosts = True
            return [ev.Note(f"no slave is left; waiting for {', '.join(sorted(awaited))}")]
        self.stranded = True
        reasons = {f"{p.nickname}: {p.reason or 'not started'}" for p in slots}
        return [ev.Stranded("; ".join(sorted(reasons)) or "there are no slots for slaves")]

    def forget(self, items: list[Item]) -> None:
        """Take finished items out of all books."""
        for book in (self.failed, self._tries, self._deaths, self.limits, self.tries, self.sizes):
            if book:
                for item in items:
                    book.pop(item, None)
        self.jobs.forget(items)

    def check(self) -> None:
        """Raise AssertionError when the state contradicts itself."""
        self.jobs.check()
        states = self.jobs.objects
        held: dict[Item, int] = {}
        for tid, slave in self.slaves.items():
            assert slave.tid == tid == slave.slot.tid
            assert (slave.state == BUSY) >= bool(slave.jobs)
            assert (tid in self._idle) == (slave.state == IDLE)
            assert slave.coming <= slave.jobs.keys()
            for job in slave.jobs.values():
                for item in job.items:
                    held[item] = held.get(item, 0) + 1
        for item, state in states.items():
            if state:
                assert held.get(item, 0) == self.jobs._copies[item], item
        coming = {i for s in self.slaves.values() for n in s.coming for i in s.jobs[n].items}
        assert self._coming <= coming and not any(states[item] == 0 for item in self._coming)
        for item in self.failed:
            assert states[item] == 0
