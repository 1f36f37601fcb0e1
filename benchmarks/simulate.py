"""Let a master's decisions run against simulated slaves: no daemon, no processes, no waiting.

    python -m benchmarks.simulate [--slaves 1000] [--items 1000000] [--chunk 10] [--seconds 0.2]

Prints what the decisions alone cost, which is what is left of a master's work when sending
and receiving cost nothing, and for how many slaves they would suffice.  The time of the
slaves is simulated, the time of the decisions is measured.
"""

from __future__ import annotations

import argparse
import heapq
import itertools
import random
import sys
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from biskit_pvm.jobs import events as ev
from biskit_pvm.jobs.items import Jobs
from biskit_pvm.jobs.master_state import MasterState
from biskit_pvm.jobs.rules import Rules


class Outcome(NamedTuple):
    """What a simulated calculation took."""

    chunks: int
    """Jobs given out."""
    events: int
    """Events that the master decided about, signs of life among them."""
    deaths: int
    """Slaves that died in the midst of a job and were started again."""
    simulated: float
    """Time of the slaves, in seconds."""
    decisions: float
    """Time of the processor for the master's decisions, in seconds."""
    ideal: float
    """Mean time of all items divided by the number of slaves, in seconds."""


class Simulation:
    """One calculation: a queue of what happens when, and the master's state.

    Parameters
    ----------
    slaves, items, chunk : int
        Numbers of slaves and items, and of the items in a job.
    seconds : float
        Mean time that an item takes; times vary evenly from 0 to twice that.
    mortality : float
        Part of the jobs over which the slave dies.
    seed : int
        Of the random numbers.
    """

    def __init__(
        self, slaves: int, items: int, chunk: int, seconds: float, mortality: float = 0.0, seed: int = 1
    ) -> None:
        self._random = random.Random(seed)
        self._chunk, self._seconds, self._mortality = chunk, seconds, mortality
        places = {f"slave{i}": f"host{i // 4}" for i in range(slaves)}
        self._rules = Rules()
        self._state = MasterState(Jobs(range(items)), places, self._rules)
        self._tids = itertools.count(1)
        self._order = itertools.count()
        self._queue: list[tuple[float, int, Any]] = []
        self._busy: dict[int, float] = {}
        self._chunks = self._deaths = self._events = 0
        self._ideal = items * seconds
        self._decisions = 0.0
        self._now = 0.0
        self._over = False
        for name in places:
            self._start(name)
        self._later(0.0, ev.SpawningDone(0.0))
        self._later(self._rules.tick, ev.Tick(0.0))

    def run(self) -> Outcome:
        """Play the calculation to its end."""
        slaves = len(self._state.slots)
        while not self._over:
            self._now, _, event = heapq.heappop(self._queue)
            self._happen(event)
        return Outcome(self._chunks, self._events, self._deaths, self._now, self._decisions, self._ideal / slaves)

    def _later(self, pause: float, event: Any) -> None:
        heapq.heappush(self._queue, (self._now + pause, next(self._order), event))

    def _start(self, name: str) -> None:
        tid = next(self._tids)
        self._busy[tid] = 0.0
        self._later(0.0, ev.SlaveSpawned(name, tid, self._now))
        self._later(0.0, ev.SlaveUp(tid, self._now))
        self._later(0.0, ev.SlaveReady(tid, self._now))
        self._later(self._rules.beat, ev.Heard(tid, self._now))

    def _happen(self, event: Any) -> None:
        if isinstance(event, ev.Heard):
            if event.tid not in self._busy:
                return
            self._later(self._rules.beat, event)
        elif isinstance(event, ev.JobDone) and event.tid not in self._busy:
            return
        elif isinstance(event, ev.SlaveExited):
            self._busy.pop(event.tid, None)
        if "now" in event._fields:
            event = event._replace(now=self._now)
        pending = [event]
        while pending:
            self._events += 1
            began = time.perf_counter()
            orders = self._state.handle(pending.pop())
            self._decisions += time.perf_counter() - began
            for order in orders:
                if isinstance(order, ev.Consider):
                    pending.append(ev.SlaveFree(order.tid, self._chunk, self._now))
                else:
                    self._obey(order)
        if isinstance(event, ev.Tick):
            self._later(self._state.next_tick(self._now), ev.Tick(self._now))

    def _obey(self, order: Any) -> None:
        if isinstance(order, ev.Give):
            self._chunks += 1
            took = sum(self._random.uniform(0, 2 * self._seconds) for _ in order.items)
            begin = max(self._busy.get(order.tid, 0.0), self._now)
            if self._random.random() < self._mortality:
                self._deaths += 1
                self._later(begin - self._now, ev.SlaveExited(order.tid, self._now))
                return
            self._busy[order.tid] = begin + took
            self._later(begin + took - self._now, ev.JobDone(order.tid, order.job, order.items, took, self._now))
        elif isinstance(order, ev.Spawn):
            self._start(order.nickname)
        elif isinstance(order, ev.Kill):
            self._later(0.0, ev.SlaveExited(order.tid, self._now))
        elif isinstance(order, (ev.AllDone, ev.Stranded)):
            assert isinstance(order, ev.AllDone), order
            self._over = True


def main(argv: Sequence[str] | None = None) -> int:
    """Simulate a calculation and print what it took."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.simulate", description=__doc__)
    parser.add_argument("--slaves", type=int, default=1000)
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--chunk", type=int, default=10, help="items per job")
    parser.add_argument("--seconds", type=float, default=0.2, help="mean time of an item")
    parser.add_argument("--mortality", type=float, default=0.0, help="part of the jobs over which a slave dies")
    options = parser.parse_args(argv)
    took = Simulation(options.slaves, options.items, options.chunk, options.seconds, options.mortality).run()
    each = took.decisions / took.chunks
    print(
        f"{options.slaves} slaves, {options.items} items of {options.seconds:g} s in jobs of {options.chunk}, "
        f"{took.deaths} deaths\n"
        f"simulated time       {took.simulated:10.1f} s   (items divided by slaves: {took.ideal:.1f} s)\n"
        f"jobs                 {took.chunks:10d}     ({took.events} events)\n"
        f"decisions            {took.decisions:10.1f} s   ({1e6 * each:.1f} us per job, "
        f"{100 * took.decisions / took.simulated:.1f} % of the simulated time)"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
