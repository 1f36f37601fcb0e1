"""The hosts of a calculation: see them come and go, and try those that were lost."""

from __future__ import annotations

import threading
from collections.abc import Callable

from biskit_pvm.jobs import events as ev
from biskit_pvm.jobs.calculation import Calculation, now
from biskit_pvm.machine import host_table, names, recovery, task
from biskit_pvm.machine.log import Log
from biskit_pvm.machine.tags import DAEMON, Tag
from biskit_pvm.messages.loop import MessageLoop

log = Log(__name__)

_OUTCOMES = {
    recovery.THERE: ev.THERE,
    recovery.DOWN: ev.DOWN,
    recovery.REFUSED: ev.REFUSED,
    recovery.DELETED: ev.DELETED,
}

#: each try of a host is an ssh
_tries = threading.BoundedSemaphore(host_table.MOST_AT_ONCE)


class HostWatch:
    """Watch the hosts of a calculation.

    Parameters
    ----------
    calculation : Calculation
        Told what happens to hosts.
    loop : MessageLoop
        Gets the notices of PVM.
    hosts : callable
        Returns the names of the hosts, as the user has them.
    left : callable(dtid)
        Called when a host has left, before the calculation is told.
    """

    def __init__(
        self,
        calculation: Calculation,
        loop: MessageLoop,
        hosts: Callable[[], list[str]],
        left: Callable[[int], None],
    ) -> None:
        self.calculation, self.loop, self.hosts, self.left = calculation, loop, hosts, left
        self._dtids: dict[str, int] = {}
        self._watched: set[int] = set()
        self._lock = threading.Lock()
        #: held while a host is added to the virtual machine
        self._joining: dict[str, threading.Lock] = {}

    def begin(self) -> None:
        """Look up the hosts, before the first slave is started."""
        self.loop.bindings[DAEMON, Tag.HOST_DELETED] = self._deleted
        if self.calculation.state.rules.watch_hosts:
            self.loop.bindings[DAEMON, Tag.HOST_ADDED] = self._added
            self.loop.watch_new_hosts()
        self.look_up()

    def look_up(self) -> None:
        """Watch those hosts, too, that are new in the list."""
        with self._lock:
            hosts = self.hosts()
            self._dtids = names.host_tids(hosts)
            own = {self._dtids[host] for host in hosts if host in self._dtids}
            self.loop.watch_hosts(sorted(own - self._watched))
            self._watched |= own

    def name_of(self, dtid: int) -> str | None:
        """Return the user's name for a host, None when it is not known."""
        return next((name for name, other in self._dtids.items() if other == dtid), None)

    def join(self, host: str) -> str:
        """Add a host to the virtual machine unless it is in it; return why that cannot be done, '' when all is well."""
        with self._lock:
            joining = self._joining.setdefault(host, threading.Lock())
        with joining:
            if names.is_own_host(host) or host in names.host_tids([host]):
                return ""
            (result,) = host_table.add_by_agent([host])
        return "" if result.ok else "; ".join(part for part in (result.error, result.remedy) if part)

    def _deleted(self, dtids: list[int]) -> None:
        for dtid in dtids:
            self.left(dtid)
            name = self.name_of(dtid)
            if name is not None:
                with self._lock:
                    self._dtids = {other: tid for other, tid in self._dtids.items() if tid != dtid}
                    self._watched.discard(dtid)
                self.calculation.feed(ev.HostLost(name, now()))
        self.loop.tick_soon()

    def _added(self, dtids: list[int]) -> None:
        self.look_up()
        for name, dtid in self._dtids.items():
            if dtid in dtids:
                self.calculation.feed(ev.HostAdded(name, now()))

    # -- those that were lost ----------------------------------------------

    def try_host(self, host: str, seconds: float, silent: bool) -> None:
        """See, in a thread of its own, whether a host can be used, and have it in the virtual machine again."""
        threading.Thread(target=self._try, args=(host, seconds, silent), daemon=True, name="lost host").start()

    def _try(self, host: str, seconds: float, silent: bool) -> None:
        try:
            with _tries:
                if self.calculation.finished:
                    return
                outcome = recovery.try_host(host, seconds, silent)
        except task.Lost:
            return
        except Exception as error:
            outcome = recovery.Outcome(recovery.DOWN, f"{type(error).__name__}: {error}")
        log.info("%s was tried: %s %s", host, outcome.kind, outcome.reason)
        self.loop.call_soon(self._tried, host, outcome)

    def _tried(self, host: str, outcome: recovery.Outcome) -> None:
        if outcome.kind == recovery.BACK:  # the notice has told so, unless the host had been there all the time
            self.look_up()
            self.calculation.feed(ev.HostAdded(host, now()))
        else:
            self.calculation.feed(ev.HostTried(host, _OUTCOMES[outcome.kind], now(), outcome.reason))
        self.loop.tick_soon()
