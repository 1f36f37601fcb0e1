"""The foremen of a calculation: which hosts have one, and how slaves are started there."""

from __future__ import annotations

import signal
import threading
from collections.abc import Mapping, Sequence

from biskit_pvm.machine import names, spawning, standin
from biskit_pvm.machine.log import Log
from biskit_pvm.messages.messenger import Messenger

log = Log(__name__)

LEAST = 4
"""So many slaves make it worth while: the foreman itself is a Python that has to start."""


class Foremen:
    """Have a foreman started on each host with several slaves; see `biskit_pvm.machine.foreman`.

    Parameters
    ----------
    messenger : Messenger
        The master's.
    """

    def __init__(self, messenger: Messenger) -> None:
        self._messenger = messenger
        self._lock = threading.Lock()
        self._places: dict[str, _Place] = {}
        self._ended = False

    def words(
        self, command: Sequence[str], host: str, where: str, n_slaves: int, variables: Mapping[str, str]
    ) -> list[str]:
        """Return the words by which a slave is spawned, once its host has a foreman if it is to have one.

        The first slave of a host is started by itself, so that it need not wait for the foreman.

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
                if n_slaves < LEAST or self._ended or spawning.runs_old_code():
                    return list(command)
                self._places[host] = _Place()
                return list(command)
        with place.lock:  # other hosts need not wait for this one
            if not place.tried:
                place.tried = True
                self._start(place, where, variables)
        return standin.words(place.name, command) if place.tid > 0 else list(command)

    def _start(self, place: _Place, where: str, own: Mapping[str, str]) -> None:
        messenger = self._messenger
        program, *words = standin.foreman_words(place.name, "biskit_pvm.jobs.foreman_task", messenger.tid)
        # A fork has its interpreter from there, so the foreman is started with the same variables.
        variables = {**spawning.package_variables(), **messenger.variables, **own}
        timeout = messenger.spawn_timeout
        place.tid = spawning.spawn(program, words, spawning.ON_HOST, where, 1, variables, timeout=timeout)[0]
        if place.tid < 0:
            log.debug("no foreman on %s: %s", where, spawning.error_text(place.tid))
        with self._lock:
            too_late = self._ended and place.tid > 0
        if too_late:
            messenger.end_task(place.tid, signal.SIGKILL)

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
