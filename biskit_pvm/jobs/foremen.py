"""The foremen of a calculation: which hosts have one, and how slaves are started there."""

from __future__ import annotations

import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from biskit_pvm.jobs.slaves import Slaves
from biskit_pvm.machine import names, spawning, standin, task
from biskit_pvm.machine.log import Log
from biskit_pvm.machine.tags import Tag
from biskit_pvm.messages.messenger import Messenger

log = Log(__name__)

MOST_LOST = 3
"""So many foremen of a host may end while slaves need them; then these do without one."""

LEAST = 4
"""So many slaves make it worth while: the foreman itself is a Python that has to start."""


class Foremen:
    """Have a foreman started on each host with several slaves; see `biskit_pvm.machine.foreman`.

    Parameters
    ----------
    messenger : Messenger
        The master's.
    slaves : Slaves
    heard : callable(tid)
        Called when a foreman tells that a slave lives.
    cut_off : callable(tid)
        Called for each slave whose messages a foreman has passed on that has ended.
    """

    def __init__(
        self, messenger: Messenger, slaves: Slaves, heard: Callable[[int], None], cut_off: Callable[[int], None]
    ) -> None:
        self._messenger, self._slaves = messenger, slaves
        self._heard, self._cut_off = heard, cut_off
        #: whether they pass on what slaves and master tell each other (see `biskit_pvm.messages.relay`), and whether
        #: slaves without one have direct links
        self._relay, self._links, self._beat = False, True, 0.0
        self._lost: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._places: dict[str, _Place] = {}
        self._ended = False

    def prepare(self, hosts: Iterable[str], wanted: bool, beat: float) -> None:
        """Decide how the slaves of a calculation and their master talk to each other.

        Parameters
        ----------
        hosts : iterable of str
            The host of each slave.
        wanted : bool
            Whether there are to be foremen.
        beat : float
            Seconds between signs of life.
        """
        self._beat = beat
        n_slaves = Counter(hosts)
        self._relay = wanted and sum(n_slaves.values()) > task.MOST_LINKS and not spawning.runs_old_code()
        n_links = sum(1 if self._relay and n >= LEAST else n for n in n_slaves.values())
        self._links = n_links <= task.MOST_LINKS

    def words(
        self, command: Sequence[str], host: str, where: str, n_slaves: int, variables: Mapping[str, str]
    ) -> list[str]:
        """Return the words by which a slave is spawned, once its host has a foreman if it is to have one.

        The first slave of a host is started by itself, so that it need not wait for the foreman, unless that is to pass
        on its messages.

        Parameters
        ----------
        command : sequence of str
            How the slave is run.
        host, where : str
            Its host, as the calculation and as PVM names it; `where` with the folder.
        n_slaves : int
            How many slaves this host has.
        variables : mapping of str
            More environment variables of the slaves there.

        Raises
        ------
        TimeoutError
            The host does not answer.
        """
        with self._lock:
            place = self._places.get(host)
            if place is None:
                few = n_slaves < LEAST or self._lost[host] >= MOST_LOST
                if few or self._ended or spawning.runs_old_code():
                    return list(command)
                place = self._places[host] = _Place()
                if not self._relay:
                    return list(command)
        with place.lock:  # other hosts need not wait for this one
            if not place.tried:
                place.tried = True
                try:
                    self._start(place, where, variables)
                except BaseException:
                    with self._lock:
                        self._places.pop(host, None)  # it may answer later
                    raise
        return standin.words(place.name, command) if place.tid > 0 else list(command)

    def _start(self, place: _Place, where: str, own: Mapping[str, str]) -> None:
        messenger = self._messenger
        program, *words = standin.foreman_words(
            place.name, "biskit_pvm.jobs.foreman_task", messenger.tid, self._beat if self._relay else None
        )
        # A fork has its interpreter from there, so the foreman is started with the same variables.
        variables = {**spawning.package_variables(), **messenger.variables, **own}
        timeout = messenger.spawn_timeout
        place.tid = spawning.spawn(program, words, spawning.ON_HOST, where, 1, variables, timeout=timeout)[0]
        if place.tid < 0:
            log.debug("no foreman on %s: %s", where, spawning.error_text(place.tid))
        elif self._relay:
            task.trust_relay(place.tid)
            place.heard = time.monotonic()
            messenger.loop.bindings[place.tid, Tag.BEATS] = lambda tids: self._beats(place, tids)
            self._slaves.watch_other(place.tid, self._has_ended)
        with self._lock:
            too_late = self._ended and place.tid > 0
        if too_late:
            messenger.end_task(place.tid, signal.SIGKILL)

    def relay_of(self, host: str) -> int | None:
        """Return the tid of the foreman that passes on what slaves of a host and the master tell each other."""
        with self._lock:
            place = self._places.get(host)
        return place.tid if self._relay and place is not None and place.tid > 0 else None

    def variables(self, relay: int | None) -> dict[str, str]:
        """Return the environment variables by which a slave knows how to talk to its master."""
        if relay is not None:
            return {task.RELAY_VARIABLE: str(relay)}
        return {task.LINK_VARIABLE: "1"} if self._links else {}

    def _beats(self, place: _Place, tids: list[int]) -> None:
        place.heard = time.monotonic()
        for tid in tids:
            self._heard(tid)

    def end_silent(self, longest: float) -> None:
        """End those that pass messages on, and of which nothing was heard for so many seconds."""
        if not self._relay:
            return
        earliest = time.monotonic() - longest
        with self._lock:
            silent = [place for place in self._places.values() if place.tid > 0 and place.heard < earliest]
        for place in silent:
            log.warning("the foreman t%x is silent for too long; it is ended", place.tid)
            place.heard = float("inf")  # once
            self._messenger.end_task(place.tid, signal.SIGKILL)

    def stuck(self, tid: int) -> bool:
        """Tell whether a task that takes no messages is a foreman, and end it."""
        with self._lock:
            known = any(place.tid == tid for place in self._places.values())
        if known:
            self._messenger.end_task(tid, signal.SIGKILL)
        return known

    def _has_ended(self, tid: int) -> None:
        """A foreman that passes messages on has ended: what it had of them is lost."""
        with self._lock:
            for host, place in list(self._places.items()):
                if place.tid == tid:
                    del self._places[host]
                    self._lost[host] += 1
        self._messenger.loop.bindings.pop((tid, Tag.BEATS), None)
        relays = self._messenger.relays
        for slave in [slave for slave, relay in list(relays.items()) if relay == tid]:
            del relays[slave]
            self._cut_off(slave)

    def lose(self, dtid: int) -> None:
        """Forget the foreman of a host that has left the machine."""
        with self._lock:
            for host, place in list(self._places.items()):
                if place.tid > 0 and names.host_of(place.tid) == dtid:
                    del self._places[host]

    def end(self) -> None:
        """End all of them, those that are stopped, too."""
        with self._lock:
            self._ended = True
            places, self._places = self._places, {}
        for place in places.values():
            if place.tid > 0:
                self._messenger.end_task(place.tid, signal.SIGKILL)


class _Place:
    """A host, and the foreman there."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.name = standin.new_name()
        self.tried = False
        #: 0 or less: there is none
        self.tid = 0
        self.heard = float("inf")
