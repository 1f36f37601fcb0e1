"""What a slave has to do, and when it reports.

Short jobs come and go in numbers: the results of several are reported in
one message, but none waits longer than `patience` seconds, and none waits
when there is nothing left to do.
"""

from __future__ import annotations

from collections import deque

TYPE_CHECKING = False  # slaves start quickly
if TYPE_CHECKING:
    from typing import Any

    Job = tuple[int, Any]  # number of the job, chunk
    Report = tuple[int, Any, float]  # number, result, seconds of work

#: results that go in one message; the master then sends more jobs while the
#: slave still has some
FULL = 64


class SlaveState:
    """Keep the jobs that wait and the results that were not sent yet.

    Parameters
    ----------
    patience : float
        Seconds that a result may wait for company.
    """

    def __init__(self, patience: float = 0.005) -> None:
        self.patience = patience
        self._waiting: deque[Job] = deque()
        self._reports: list[Report] = []
        self._oldest = 0.0

    def received(self, jobs: list[Job]) -> None:
        """Note the jobs of a message."""
        self._waiting.extend(jobs)

    def next_job(self) -> Job | None:
        """Return the job to do now; None when there is none."""
        try:
            return self._waiting.popleft()
        except IndexError:
            return None

    def take_waiting(self) -> list[int]:
        """Give up the jobs that wait; return their numbers.  Any thread."""
        numbers = []
        while (job := self.next_job()) is not None:
            numbers.append(job[0])
        return numbers

    def finished(self, job: int, result: Any, seconds: float, now: float) -> list[Report]:
        """Note a result; return what is to be sent now, often nothing."""
        if not self._reports:
            self._oldest = now
        self._reports.append((job, result, seconds))
        if self._waiting and len(self._reports) < FULL and now - self._oldest < self.patience:
            return []
        return self.flush()

    def due(self) -> float | None:
        """Return when the oldest result has to be sent; None without one.

        A job that follows may take long: whoever has a clock looks after
        this time.
        """
        return self._oldest + self.patience if self._reports else None

    @property
    def busy(self) -> bool:
        """Whether jobs wait."""
        return bool(self._waiting)

    def flush(self) -> list[Report]:
        """Return all results that were not sent yet."""
        reports, self._reports = self._reports, []
        return reports
