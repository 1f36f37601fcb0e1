"""Posts a master's status in PVM's mailbox, where `biskit-pvm top` finds it.

PVM keeps the mailbox on the host that was started first, so a call can wait for that one's pvmd:
the master's message loop leaves it to an agent.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from biskit_pvm.jobs.bulletin import INTERVAL, LONGEST, MAILBOX, Bulletin, decode, encode
from biskit_pvm.machine import mailbox

if TYPE_CHECKING:
    from concurrent.futures import Future


class Poster:
    """Has a master's status posted from time to time, without holding the master up."""

    def __init__(self) -> None:
        self._due: float | None = None
        self._pause = INTERVAL
        self._progress: Any = None
        self._posting: Future[Any] | None = None

    def tick(self, now: float, make: Callable[[], Bulletin]) -> float:
        """Post the status if that is due; the first time some seconds after the first call.

        So a calculation that ends at once costs nothing, and one in which nothing happens costs
        little: as long as no item is done and no slave comes or goes, the pauses grow.

        Parameters
        ----------
        now : float
            Time in s, of any clock.
        make : callable
            Gives the bulletin; called only when it is posted.

        Returns
        -------
        float
            Seconds until the next call is worth it.
        """
        if self._due is None:
            self._due = now + INTERVAL
        if now >= self._due:
            self._due = now + self._pause
            # One that waits for a silent pvmd is not followed by more.
            if self._posting is None or self._posting.done():
                from biskit_pvm.machine import agent

                bulletin = make()
                progress = bulletin.done, bulletin.failed, len(bulletin.slaves)
                self._pause = INTERVAL if progress != self._progress else min(2 * self._pause, LONGEST)
                self._progress = progress
                self._due = now + self._pause
                self._posting = agent.pool().submit("post_here", MAILBOX, encode(bulletin))
        return self._due - now


def bulletins() -> list[tuple[int, Bulletin]]:
    """Return all bulletins in the mailbox, each with the tid of the task that posted it.

    Entries that are no bulletins are passed over.
    """
    found = []
    for owner, data in mailbox.read(MAILBOX):
        try:
            found.append((owner, decode(data)))
        except ValueError:  # somebody else's
            continue
    return found
