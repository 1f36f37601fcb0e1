"""Who works on what: the decisions of a master, without any I/O.

Events go in through `MasterState.handle`, instructions come out.  The state
knows places, slaves and jobs:

* a *place* is one entry of the master's list of hosts; it has at most one
  slave at a time and remembers how often one was started there;
* a *slave* is a task, in one of the states

  ========  ==========================================================
  starting  spawned, not yet initialised
  idle      initialised, without a job
  busy      has jobs, the oldest of which it works on
  barred    initialised, but the master's hook refuses it for now
  silent    not heard of for too long; what it held was given back
  leaving   ordered to be killed; what it held was given back
  ========  ==========================================================

* a *job* is one chunk of items at one slave.

Items are never lost: whatever a slave holds is either reported by it, or
given back when the slave fails, exits, is silent or is killed.  Nothing is
counted twice: only the first result of an item counts.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from biskit_pvm.jobs import events as ev
from biskit_pvm.jobs.items import Item, Jobs
from biskit_pvm.report import history

STARTING, IDLE, BUSY, BARRED, SILENT, LEAVING = ("starting", "idle", "busy", "barred", "silent", "leaving")


@dataclass
class Rules:
    """What a calculation tolerates.  Times in seconds.

    Attributes
    ----------
    max_tries : int
        How often an item may raise before it is set aside.
    max_deaths : int
        How many slaves may die over an item before it is set aside.
    max_respawns : int
        How often in a row a slave that dies without having finished a job
        is started again at its place.
    respawn_pause : float
        Pause before the first new start; it doubles with every next one.
    heartbeat : float
        A slave that is not heard of for this long holds nothing any more.
    job_timeout : float, optional
        Longest time that a job may take.
    start_timeout : float, optional
        Longest time until a slave has reported for the first time.
    watch_hosts : bool
        Start slaves again at places whose host was lost and has come back.
    prefetch : float
        Seconds of work that a slave may have in hand beyond its first job;
        0: one job at a time.
    """

    max_tries: int = 3
    max_deaths: int = 5
    max_respawns: int = 3
    respawn_pause: float = 1.0
    heartbeat: float = 15.0
    job_timeout: float | None = None
    start_timeout: float | None = 600.0
    watch_hosts: bool = False
    prefetch: float = 0.02

    @property
    def tick(self) -> float:
        """Longest time between two `Tick` events."""
        tick = self.heartbeat / 5
        for limit in (self.job_timeout, self.start_timeout):
            if limit is not None:
                tick = min(tick, max(limit / 4, 0.02))
        return tick

    @property
    def patience(self) -> float:
        """How long a slave may take nothing of a message for it.

        Its thread that gives the signs of life looks for messages, too,
        whatever the slave computes: at each beat, every 2 s at least.
        """
        return 1.5 * min(self.beat, 2.0)

    @property
    def beat(self) -> float:
        """Time between two signs of life of a slave."""
        return self.heartbeat / 3


#: most jobs that a slave has in hand at a time
MAX_DEPTH = 64
#: bytes of jobs, at most, that are sent to a slave that may not read now
BYTES_AHEAD = 32768
#: seconds that a job must take, on the average, to be given singly
LONG_JOB = 0.25
LONGEST_PAUSE = 60.0


class Job(NamedTuple):
    """One chunk of items at one slave."""

    items: list[Item]
    given: float


@dataclass
class Slave:
    """A task that works for the master."""

    tid: int
    place: Place
    heard: float
    state: str = STARTING
    #: its jobs by number, the one that it works on first
    jobs: OrderedDict[int, Job] = field(default_factory=OrderedDict)
    #: numbers of the jobs whose items were given back while it was silent
    forsaken: dict[int, Job] = field(default_factory=dict)
    #: when it began with its first job
    since: float = 0.0
    #: running mean of the seconds that a job takes; None before the first
    mean: float | None = None
    #: whether it has been up (its message loop was heard)
    up: bool = False
    n_done: int = 0
    asked: bool = False

    def held(self) -> set[Item]:
        """Return the items of all its jobs."""
        return {item for job in self.jobs.values() for item in job.items}


@dataclass
class Place:
    """One entry of the list of hosts."""

    nickname: str
    host: str
    tid: int = 0
    #: starts in a row without a finished job
    starts: int = 0
    #: when to start a slave again; None: not planned
    restart: float | None = None
    ordered: bool = False
    lost: bool = False
    was_up: bool = False
    reason: str = ""


class MasterState:
    """Decide who works on what.

    Parameters
    ----------
    jobs : Jobs
        The items; shared with the master's `status`.
    places : dict
        {nickname: host}, in the order in which slaves are started.
    rules : Rules
    open : bool
        Items will be added while slaves work; the end is announced by
        `Closed`.
    """

    def __init__(self, jobs: Jobs, places: dict[str, str], rules: Rules | None = None, open: bool = False) -> None:
        self.jobs = jobs
        self.rules = rules or Rules()
        self.open = open
        self.places = {n: Place(n, h) for n, h in places.items()}
        #: slaves by tid
        self.slaves: dict[int, Slave] = {}
        #: items that were given up
        self.failed: dict[Item, ev.Failure] = {}
        self.spawning = True
        self.finished = False
        self.stranded = False
        self.n_surplus = 0
        self._numbers = 0
        self._job_bytes = 0.0
        self._tries: dict[Item, int] = {}
        self._deaths: dict[Item, int] = {}
        self._idle: dict[int, None] = {}
        self._handlers = {
            ev.SlaveSpawned: self._spawned,
            ev.SpawnFailed: self._not_spawned,
            ev.SpawningDone: self._spawning_done,
            ev.SlaveUp: self._up,
            ev.SlaveReady: self._ready,
            ev.SlaveFree: self._free,
            ev.SlaveBarred: self._barred,
            ev.JobDone: self._done,
            ev.JobFailed: self._failed,
            ev.SlaveFailed: self._slave_failed,
            ev.SlaveStuck: self._stuck,
            ev.Heard: self._heard,
            ev.SlaveExited: self._exited,
            ev.HostLost: self._host_lost,
            ev.HostAdded: self._host_added,
            ev.ItemsAdded: self._added,
            ev.Closed: self._closed,
            ev.Tick: self._tick,
        }

    def handle(self, event: Any) -> list[Any]:
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
        return self._handlers[type(event)](event)  # type: ignore[operator, no-any-return]

    def next_tick(self, now: float) -> float:
        """Return the seconds until the next `Tick` is due."""
        pause = self.rules.tick
        for place in self.places.values():
            if place.restart is not None and not place.ordered:
                pause = min(pause, max(place.restart - now, 0.0))
        return pause

    # -- slaves come ---------------------------------------------------

    def _spawned(self, event: ev.SlaveSpawned) -> list[Any]:
        place = self.places[event.nickname]
        place.tid, place.restart, place.ordered = event.tid, None, False
        place.lost = False
        place.starts += 1
        self.slaves[event.tid] = Slave(event.tid, place, event.now)
        return []

    def _not_spawned(self, event: ev.SpawnFailed) -> list[Any]:
        place = self.places[event.nickname]
        place.tid, place.ordered, place.restart = 0, False, None
        place.starts += 1
        place.reason = event.reason
        if place.was_up:
            self._plan_restart(place, event.now)
        return self._settle([])

    def _spawning_done(self, event: ev.SpawningDone) -> list[Any]:
        self.spawning = False
        return self._settle([])

    def _up(self, event: ev.SlaveUp) -> list[Any]:
        slave = self.slaves.get(event.tid)
        if slave is not None:
            slave.heard = event.now
            slave.up = slave.place.was_up = True
        return []

    def _ready(self, event: ev.SlaveReady) -> list[Any]:
        slave = self.slaves.get(event.tid)
        if slave is None or slave.state != STARTING:
            return []
        slave.heard = event.now
        slave.up = slave.place.was_up = True
        return self._settle(self._unoccupied(slave))

    def _unoccupied(self, slave: Slave) -> list[Any]:
        slave.state = IDLE
        self._idle[slave.tid] = None
        return self._ask(slave)

    def _ask(self, slave: Slave) -> list[Any]:
        if slave.asked:
            return []
        slave.asked = True
        return [ev.Consider(slave.tid)]

    def _barred(self, event: ev.SlaveBarred) -> list[Any]:
        slave = self.slaves.get(event.tid)
        if slave is None:
            return []
        slave.asked = False
        if slave.state == IDLE:
            slave.state = BARRED
            self._idle.pop(event.tid, None)
        return self._settle([])

    # -- giving out ----------------------------------------------------

    def _free(self, event: ev.SlaveFree) -> list[Any]:
        slave = self.slaves.get(event.tid)
        if slave is None:
            return []
        slave.asked = False
        if slave.state not in (IDLE, BUSY) or slave.forsaken:
            return []
        orders: list[Any] = []
        depth = self._depth(slave, event.chunk_size)
        # only an item that is tried again may be at this slave already
        again = self.jobs.retrying()
        barred = self._avoid(slave) if again else None
        while len(slave.jobs) < depth:
            items, n_left = self.jobs.choose(event.chunk_size, slave.held() if again else (), not slave.jobs, barred)
            if not items:
                break
            self._numbers += 1
            if not slave.jobs:
                slave.since = event.now
            slave.jobs[self._numbers] = Job(items, event.now)
            orders.append(ev.Give(slave.tid, self._numbers, items, n_left))
        if slave.jobs and slave.state == IDLE:
            slave.state = BUSY
            self._idle.pop(slave.tid, None)
        return orders

    def _depth(self, slave: Slave, chunk_size: int) -> int:
        """Return how many jobs the slave should have in hand.

        One while nothing is known of it or jobs are long; short jobs come in
        numbers that keep it at work for `prefetch` seconds, but never more
        than its fair part of what is left, nor more bytes than its link takes
        while it works.
        """
        mean = slave.mean
        if mean is None or mean > LONG_JOB or not self.rules.prefetch:
            return 1
        depth = 2 + (MAX_DEPTH if mean * MAX_DEPTH < self.rules.prefetch else int(self.rules.prefetch / mean))
        fair = 1 + self.jobs.n_waiting // (max(chunk_size, 1) * max(len(self.slaves), 1) * 2)
        if self._job_bytes:
            depth = min(depth, 1 + int(BYTES_AHEAD / self._job_bytes))
        return min(depth, fair, MAX_DEPTH)

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

    def _refill(self, slave: Slave) -> list[Any]:
        """Ask for more jobs when the slave has used up half of its stock."""
        if slave.state != BUSY:
            return []
        if not slave.jobs:
            return self._unoccupied(slave)
        if (
            self.rules.prefetch
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
        return slave.jobs.pop(number, None)

    def _done(self, event: ev.JobDone) -> list[Any]:
        slave = self.slaves.get(event.tid)
        job = self._take(event.tid, event.job, event.now)
        surplus: list[Item] = []
        orders: list[Any] = []
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
            slave.place.starts = 0
            slave.mean = event.seconds if slave.mean is None else 0.8 * slave.mean + 0.2 * event.seconds
            if slave.forsaken or slave.state != BUSY or not slave.jobs:
                orders += self._recover(slave, event.job)
                orders += self._refill(slave)
            elif not slave.asked:
                orders += self._refill(slave)
        return self._settle(orders)

    def _failed(self, event: ev.JobFailed) -> list[Any]:
        slave = self.slaves.get(event.tid)
        since = slave.since if slave is not None else event.now
        job = self._take(event.tid, event.job, event.now)
        orders: list[Any] = []
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
            slave.place.nickname,
            slave.place.host,
            len(job.items),
            since,
            outcome,
            failure.traceback or f"{failure.kind}: {failure.message}",
        )

    def _blame(self, job: Job, tid: int, failure: ev.Failure, missing: list[Item] | None = None) -> list[Any]:
        """Give the items of a failed job back, each to be tried alone, or
        set the only item of it aside when it has failed too often."""
        orders: list[Any] = []
        slave = self.slaves.get(tid)
        host = slave.place.host if slave else ""
        for item in job.items if missing is None else missing:
            if self.jobs.objects[item] == 0:
                continue
            self._tries[item] = tries = self._tries.get(item, 0) + 1
            if len(job.items) == 1 and tries >= self.rules.max_tries:
                orders += self._set_aside(item, failure, host)
            else:
                self.jobs.give_back(item, alone=True, mark=tid)
        return orders

    def _set_aside(self, item: Item, failure: ev.Failure, host: str) -> list[Any]:
        if not self.jobs.finish(item):
            return []
        self.failed[item] = failure
        return [ev.SetAside(item, failure, host)]

    def _recover(self, slave: Slave, number: int) -> list[Any]:
        """A silent slave has spoken: it may work again when it has reported
        the last job of the time before."""
        slave.forsaken.pop(number, None)
        if slave.state == SILENT:
            slave.state = BUSY
        if slave.state == BUSY and not slave.jobs and not slave.forsaken:
            return self._unoccupied(slave)
        return []

    # -- signs of life, and their lack -------------------------------------

    def _heard(self, event: ev.Heard) -> list[Any]:
        slave = self.slaves.get(event.tid)
        if slave is None:
            return []
        slave.heard = event.now
        if slave.state != SILENT:
            return []
        return [ev.Note(f"{slave.place.nickname} is heard again")] + self._settle(self._recover(slave, 0))

    def _tick(self, event: ev.Tick) -> list[Any]:
        now, rules = event.now, self.rules
        orders: list[Any] = []
        for slave in list(self.slaves.values()):
            slave.heard = min(slave.heard + event.late, now)
            quiet = now - slave.heard
            if slave.state in (IDLE, BUSY, BARRED) and quiet > 0.7 * rules.heartbeat:
                orders.append(
                    ev.Note(f"{slave.place.nickname} is not heard of for {quiet:.0f} s; others get its items")
                )
                slave.forsaken.update(slave.jobs)
                orders += self._lost(slave)
                self._give_back(slave)
                slave.state = SILENT
            elif slave.state == STARTING and not slave.up:
                if rules.start_timeout is not None and quiet > rules.start_timeout:
                    orders += self._kill(slave, f"it did not report within {rules.start_timeout:g} s of its start")
            elif slave.state in (STARTING, SILENT) and quiet > 4 * rules.heartbeat:
                orders += self._kill(slave, "silent for too long")
            elif (
                slave.state == BUSY
                and rules.job_timeout is not None
                and slave.jobs
                and now - slave.since > rules.job_timeout
            ):
                number = next(iter(slave.jobs))
                job = slave.jobs.pop(number)
                failure = ev.Failure("timeout", f"the job took longer than {rules.job_timeout:g} s")
                orders += self._blame(job, slave.tid, failure)
                orders.append(self._ended(slave, job, slave.since, history.TIMEOUT, failure))
                orders += self._kill(slave, "its job takes too long")
            elif slave.state == BARRED:
                slave.state = IDLE
                self._idle[slave.tid] = None
                orders += self._ask(slave)
        for place in self.places.values():
            if place.restart is not None and not place.ordered and place.restart <= now:
                place.ordered = True
                orders.append(ev.Spawn(place.nickname, place.host))
        return self._settle(orders)

    def _kill(self, slave: Slave, reason: str) -> list[Any]:
        self._give_back(slave)
        slave.state = LEAVING
        slave.place.reason = reason
        return [ev.Kill(slave.tid, reason)]

    def _stuck(self, event: ev.SlaveStuck) -> list[Any]:
        slave = self.slaves.get(event.tid)
        if slave is None or slave.state == LEAVING:
            return []
        slave.place.reason = "it takes no messages"
        orders: list[Any] = [ev.Note(f"{slave.place.nickname} takes no messages; others get its items")]
        orders += self._lost(slave)
        return self._settle(orders + self._kill(slave, slave.place.reason))

    # -- slaves go -----------------------------------------------------

    def _lost(self, slave: Slave) -> list[Any]:
        """Record that the job that a slave worked on is lost with it."""
        for job in slave.jobs.values():
            return [self._ended(slave, job, slave.since, history.LOST, ev.Failure("lost", slave.place.reason))]
        return []

    def _give_back(self, slave: Slave) -> None:
        """Take back, blamelessly, what a slave holds; oldest first again."""
        self._idle.pop(slave.tid, None)
        slave.asked = False
        for job in reversed(slave.jobs.values()):
            for item in reversed(job.items):
                self.jobs.give_back(item)
        slave.jobs.clear()

    def _slave_failed(self, event: ev.SlaveFailed) -> list[Any]:
        slave = self.slaves.get(event.tid)
        if slave is None:
            return []
        orders = self._kill(slave, f"{event.failure.kind}: {event.failure.message}")
        slave.up = False
        return self._settle(orders)

    def _exited(self, event: ev.SlaveExited) -> list[Any]:
        slave = self.slaves.get(event.tid)
        if slave is None:
            return []
        place = slave.place
        if slave.state != LEAVING:
            place.reason = event.reason
        orders: list[Any] = [ev.Note(f"{place.nickname} has ended: {place.reason}")]
        orders += self._lost(slave)
        job = slave.jobs.popitem(last=False)[1] if slave.jobs else None
        self._remove(slave)
        if job is not None:
            orders += self._suspect(job, slave)
        # where none has ever come up, none will: it gets one more chance
        if slave.up or (slave.state != LEAVING and (place.starts < 2 or any(p.was_up for p in self.places.values()))):
            self._plan_restart(place, event.now)
        return self._settle(orders)

    def _suspect(self, job: Job, slave: Slave) -> list[Any]:
        """A slave died over this job: whether because of it, nobody knows."""
        orders: list[Any] = []
        for item in reversed(job.items):
            if self.jobs.objects[item] == 0:
                continue
            self._deaths[item] = deaths = self._deaths.get(item, 0) + 1
            if len(job.items) == 1 and deaths >= self.rules.max_deaths:
                orders += self._set_aside(
                    item,
                    ev.Failure(
                        "died", f"{deaths} slaves ended while they worked on it; the last one: {slave.place.reason}"
                    ),
                    slave.place.host,
                )
            else:
                self.jobs.give_back(item, alone=deaths > 1 or len(job.items) > 1)
        return orders

    def _remove(self, slave: Slave) -> None:
        self._give_back(slave)
        del self.slaves[slave.tid]
        slave.place.tid = 0

    def _plan_restart(self, place: Place, now: float) -> None:
        if place.lost or place.starts > self.rules.max_respawns:
            place.restart = None
            return
        pause = self.rules.respawn_pause * 2 ** max(place.starts - 1, 0)
        place.restart = now + min(pause, LONGEST_PAUSE)

    def _host_lost(self, event: ev.HostLost) -> list[Any]:
        orders: list[Any] = [ev.Note(f"{event.host} has left the virtual machine")]
        for place in self.places.values():
            if place.host == event.host:
                place.lost, place.restart, place.ordered = True, None, False
                place.reason = "its host has left the virtual machine"
                slave = self.slaves.get(place.tid)
                if slave is not None:
                    orders += self._lost(slave)
                    self._remove(slave)
        return self._settle(orders)

    def _host_added(self, event: ev.HostAdded) -> list[Any]:
        orders: list[Any] = []
        if self.rules.watch_hosts:
            for place in self.places.values():
                if place.host == event.host and not place.tid and not place.ordered:
                    place.lost, place.starts = False, 0
                    place.restart, place.ordered = event.now, True
                    orders.append(ev.Spawn(place.nickname, place.host))
        return orders

    # -- more work, and the end ----------------------------------------------

    def _added(self, event: ev.ItemsAdded) -> list[Any]:
        orders = self._settle([])
        for tid in list(self.slaves):
            slave = self.slaves[tid]
            if slave.state == BUSY:
                orders += self._refill(slave)
        return orders

    def _closed(self, event: ev.Closed) -> list[Any]:
        self.open = False
        return self._settle([])

    def _settle(self, orders: list[Any]) -> list[Any]:
        """Add what follows: idle slaves are asked when there is something to
        give, and the end is declared when there is nothing to wait for."""
        if self.slaves and not self._idle and self.jobs.n_unfinished:
            return orders  # as after most jobs
        if self.jobs.all_finished():
            if not self.open:
                self.finished = True
                orders.append(ev.AllDone())
            return orders
        if self._idle and (self.jobs.n_waiting or self.jobs.redistribute):
            for tid in list(self._idle):
                orders += self._ask(self.slaves[tid])
        if (
            not self.spawning
            and not self.slaves
            and not self.stranded
            and not any(
                p.restart is not None or p.ordered or (p.lost and self.rules.watch_hosts) for p in self.places.values()
            )
        ):
            self.stranded = True
            reasons = {f"{p.nickname}: {p.reason or 'not started'}" for p in self.places.values()}
            orders.append(ev.Stranded("; ".join(sorted(reasons)) or "there are no places for slaves"))
        return orders

    def check(self) -> None:
        """Raise AssertionError when the state contradicts itself."""
        self.jobs.check()
        states = self.jobs.objects
        held: dict[Item, int] = {}
        for tid, slave in self.slaves.items():
            assert slave.tid == tid == slave.place.tid
            assert (slave.state == BUSY) >= bool(slave.jobs)
            assert (tid in self._idle) == (slave.state == IDLE)
            for job in slave.jobs.values():
                for item in job.items:
                    held[item] = held.get(item, 0) + 1
        for item, state in states.items():
            if state:
                assert held.get(item, 0) == self.jobs._copies[item], item
        for item in self.failed:
            assert states[item] == 0
