"""Who did which job, when and with what outcome: bounded memory of a run.

A :class:`History` keeps exact totals per slave for ever, and single jobs at a resolution that
halves whenever the number of records reaches the limit. The rule:

- Every job changes the totals of its slave; these are exact however long the run is.
- A job that ended well gets a record. When more than `limit` of these are held, neighbouring
  records of one slave are joined, first those that stand for one job into pairs, then pairs into
  fours, and so on, until half of the limit is free again. A joined record runs from its first job's
  start to its last job's end.
- A job that failed gets a record that is never joined, with the end of the error's text. This holds
  for the first `fault_limit` faults; later ones only count in the totals.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

DONE = "done"  #: the result was accepted
FAILED = "failed"  #: the slave reported an exception
LOST = "lost"  #: the slave or its host went away
TIMEOUT = "timeout"  #: the job took too long and its slave was ended
DUPLICATE = "duplicate"  #: another slave had delivered the same items before

OUTCOMES = (DONE, FAILED, LOST, TIMEOUT, DUPLICATE)
FAULTS = frozenset((FAILED, LOST, TIMEOUT))

#: Characters kept of an error's text: its end, where the message stands.
ERROR_CHARACTERS = 8000


class JobRecord(NamedTuple):
    """One job (a chunk given to a slave), or several neighbouring ones joined.

    Attributes
    ----------
    tid : int
        Task id of the slave.
    nickname : str
        The master's name for the slave.
    host : str
        Host on which the slave ran.
    start, end : float
        Time in seconds since the epoch.
    items : int
        Number of items in the job.
    outcome : str
        One of :data:`OUTCOMES`.
    error : str
        Remote traceback or reason; empty when the job ended well.
    jobs : int
        How many jobs this record stands for.
    """

    tid: int
    nickname: str
    host: str
    start: float
    end: float
    items: int
    outcome: str = DONE
    error: str = ""
    jobs: int = 1


class SlaveTotals(NamedTuple):
    """Exact sums over all jobs of one slave.

    Attributes
    ----------
    tid : int
        Task id of the slave.
    nickname, host : str
        The master's name for the slave, and the host on which it ran.
    jobs, items : int
        Jobs that ended in any way; items in the jobs that ended well.
    faults : int
        Jobs that failed, were lost or took too long.
    busy : float
        Seconds between start and end, summed over all jobs.
    first, last : float
        Start of the first and end of the last job, in seconds since the epoch.
    """

    tid: int
    nickname: str
    host: str
    jobs: int
    items: int
    faults: int
    busy: float
    first: float
    last: float

    @property
    def mean(self) -> float:
        """Average time of a job in seconds."""
        return self.busy / self.jobs if self.jobs else 0.0


class _Slave:
    """Totals of one slave, and the latest of its records, which may still grow."""

    __slots__ = (
        *SlaveTotals._fields,
        "record_end",
        "record_items",
        "record_jobs",
        "record_outcome",
        "record_start",
    )

    def __init__(self, tid: int, nickname: str, host: str, first: float) -> None:
        self.tid, self.nickname, self.host = tid, nickname, host
        self.jobs = self.items = self.faults = 0
        self.busy = 0.0
        self.first = self.last = first
        self.record_start = self.record_end = first
        self.record_items = self.record_jobs = 0
        self.record_outcome = DONE

    def totals(self) -> SlaveTotals:
        return SlaveTotals(
            self.tid,
            self.nickname,
            self.host,
            self.jobs,
            self.items,
            self.faults,
            self.busy,
            self.first,
            self.last,
        )

    def record(self) -> JobRecord:
        return JobRecord(
            self.tid,
            self.nickname,
            self.host,
            self.record_start,
            self.record_end,
            self.record_items,
            self.record_outcome,
            "",
            self.record_jobs,
        )


class History:
    """Jobs of one run, in the order in which they ended.

    One thread adds; any thread may read.

    Parameters
    ----------
    limit : int
        Number of records of jobs that ended well, beside the latest of each slave, before
        neighbours are joined.
    fault_limit : int
        Number of faults that get a record.
    """

    def __init__(self, limit: int = 10_000, fault_limit: int = 1_000) -> None:
        if limit < 2:
            raise ValueError(f"a history needs room for at least 2 records, not {limit}")
        self.limit = limit
        self.fault_limit = fault_limit
        self._slaves: dict[int, _Slave] = {}
        self._records: list[JobRecord] = []  # all but the latest of each slave
        self._faults = 0  # how many of these are faults
        self._size = 1  # jobs in a record
        self._full = limit

    def add(
        self,
        tid: int,
        nickname: str,
        host: str,
        start: float,
        end: float,
        items: int,
        outcome: str = DONE,
        error: str = "",
    ) -> None:
        """Record the end of a job.

        A slave does one job at a time. So a job that was sent ahead, while the slave still worked
        on another one, is taken to have begun when that other one ended.

        Parameters
        ----------
        tid : int
            Task id of the slave.
        nickname, host : str
            Name of the slave and of its host.
        start, end : float
            Time in seconds since the epoch: job sent, and result (or bad news) received.
        items : int
            Number of items in the job.
        outcome : str
            One of :data:`OUTCOMES`.
        error : str
            Remote traceback or reason.
        """
        slave = self._slaves.get(tid)
        if slave is None:
            slave = self._slaves[tid] = _Slave(tid, nickname, host, start)
        elif start < slave.last:
            start = slave.last if slave.last < end else end
        slave.jobs += 1
        slave.busy += end - start
        if end > slave.last:
            slave.last = end
        if outcome in FAULTS:
            slave.faults += 1
            if self._faults < self.fault_limit:
                self._faults += 1
                self._close(slave)
                error = error[-ERROR_CHARACTERS:]
                self._records.append(JobRecord(tid, nickname, host, start, end, items, outcome, error))
            return
        if outcome == DONE:
            slave.items += items
        if slave.record_jobs >= self._size or outcome != slave.record_outcome:
            self._close(slave)
        if not slave.record_jobs:
            slave.record_start = start
            slave.record_outcome = outcome
        slave.record_end = end
        slave.record_items += items
        slave.record_jobs += 1

    def _close(self, slave: _Slave) -> None:
        """Put the latest record of a slave to the others, and make room when these are too many."""
        if not slave.record_jobs:
            return
        self._records.append(slave.record())
        slave.record_items = slave.record_jobs = 0
        if len(self._records) > self._full:
            # Where little can be joined (very many slaves, say), the next attempt waits until it is
            # worth it.
            self._records = condense(self._records, self.limit // 2 + self._faults)
            self._size = max(record.jobs for record in self._records)
            self._full = max(self.limit + self._faults, 2 * len(self._records))

    @property
    def records(self) -> list[JobRecord]:
        """All records held, by the time of their end."""
        latest = [slave.record() for slave in list(self._slaves.values()) if slave.record_jobs]
        return sorted(self._records + latest, key=_by_end)

    @property
    def totals(self) -> list[SlaveTotals]:
        """Exact totals, one per slave, by the start of its first job."""
        return sorted(
            (slave.totals() for slave in list(self._slaves.values())),
            key=lambda t: (t.first, t.tid),
        )

    def __len__(self) -> int:
        """Return the number of jobs that have ended."""
        return sum(slave.jobs for slave in list(self._slaves.values()))


def condense(records: Iterable[JobRecord], limit: int) -> list[JobRecord]:
    """Join neighbouring records of one slave until few enough remain.

    Faults are never joined, nor what lies on both sides of one. So more than `limit` records remain
    when there are more slaves or faults than that. Where a duplicate joins a job that ended well,
    only the latter's items count.

    Parameters
    ----------
    records : iterable of JobRecord
        In the order of their end.
    limit : int
        Number of records wanted at most.

    Returns
    -------
    list of JobRecord
        By the time of their end.
    """
    result = list(records)
    jobs = sum(r.jobs for r in result)
    size = 1
    while size * limit < jobs:
        size *= 2
    while len(result) > limit and size < 2 * jobs:
        result = _join(result, size)
        size *= 2
    return result


def _join(records: Sequence[JobRecord], size: int) -> list[JobRecord]:
    """Join neighbours as long as the joined record stands for at most `size` jobs."""
    last: dict[int, JobRecord] = {}
    result: list[JobRecord] = []
    for record in records:
        before = last.get(record.tid)
        if before is None:
            last[record.tid] = record
        elif before.outcome not in FAULTS and record.outcome not in FAULTS and before.jobs + record.jobs <= size:
            last[record.tid] = _joined(before, record)
        else:
            result.append(before)
            last[record.tid] = record
    result.extend(last.values())
    result.sort(key=_by_end)
    return result


def _joined(first: JobRecord, second: JobRecord) -> JobRecord:
    """Join two neighbours that are no faults."""
    items, outcome = first.items + second.items, first.outcome
    if first.outcome != second.outcome:
        items, outcome = (first if first.outcome == DONE else second).items, DONE
    return first._replace(end=second.end, items=items, outcome=outcome, jobs=first.jobs + second.jobs)


def _by_end(record: JobRecord) -> float:
    return record.end
