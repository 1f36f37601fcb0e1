"""The record of a run laid out as rows of bars, for whatever draws it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from biskit_pvm.report.history import DONE, DUPLICATE, FAILED, LOST, TIMEOUT, JobRecord, condense
from biskit_pvm.report.progress import count

#: What an outcome is called, and its colour.
OUTCOME_TEXT = {
    DONE: "done",
    DUPLICATE: "done by another slave before",
    FAILED: "failed",
    LOST: "slave lost",
    TIMEOUT: "took too long",
}
OUTCOME_COLOUR = {
    DONE: "#3b76af",
    DUPLICATE: "#a9b8c6",
    FAILED: "#c9382c",
    LOST: "#6f3b8a",
    TIMEOUT: "#d98a1f",
}


class Bar(NamedTuple):
    """One record in its row.

    Attributes
    ----------
    row : int
        Index into the timeline's labels.
    start, length : float
        In seconds; the start counts from the timeline's origin.
    record : JobRecord
    """

    row: int
    start: float
    length: float
    record: JobRecord

    def text(self) -> str:
        """Return what the bar stands for, as one line."""
        record = self.record
        what = count(record.items, "item")
        if record.jobs > 1:
            what = f"{count(record.jobs, 'job')} with {what}"
        outcome = OUTCOME_TEXT[record.outcome]
        return f"{record.nickname}: {what}, {outcome}, {self.start:.3f} s + {self.length:.3f} s"


class Timeline(NamedTuple):
    """Rows of bars.

    Attributes
    ----------
    origin : float
        Start of the earliest job, in seconds since the epoch; 0 where there is none.
    length : float
        Seconds from there to the end of the last job.
    labels : tuple of str
        One per row: the slave's nickname, with its host where that does not say it.
    bars : tuple of Bar
    """

    origin: float
    length: float
    labels: tuple[str, ...]
    bars: tuple[Bar, ...]


def layout(records: Iterable[JobRecord], limit: int = 5000) -> Timeline:
    """Give each slave a row, in the order of their names, and each record a bar.

    A slave that was started again in the place of a lost one, under the same nickname, continues
    its row.

    Parameters
    ----------
    records : iterable of JobRecord
        As :attr:`.History.records` gives them.
    limit : int
        Number of bars to aim at; neighbours are joined beyond it.
    """
    records = condense(sorted(records, key=lambda r: r.end), limit)
    if not records:
        return Timeline(0.0, 0.0, (), ())
    origin = min(r.start for r in records)
    names = sorted({(r.nickname, r.host) for r in records}, key=lambda name: _natural(name[0]))
    rows = {name: i for i, name in enumerate(names)}
    bars = tuple(Bar(rows[r.nickname, r.host], r.start - origin, r.end - r.start, r) for r in records)
    labels = tuple(name if name.startswith(host) else f"{name} ({host})" for name, host in names)
    return Timeline(origin, max(r.end for r in records) - origin, labels, bars)


def _natural(name: str) -> list[tuple[int, str]]:
    """Return a key that puts node10 behind node9."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]


def ticks(length: float, about: int = 8) -> list[float]:
    """Return round numbers of seconds from 0 to `length`, roughly `about` of them."""
    if length <= 0:
        return [0.0]
    steps = [m * 10.0**e for e in range(-6, 0) for m in (1, 2, 5)]
    steps += [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200]
    steps += [86400.0 * days for days in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)]
    step = next((s for s in steps if length / s <= about), length)
    return [min(i * step, length) for i in range(int(length / step + 1e-9) + 1)]


def tick_text(seconds: float, length: float) -> str:
    """Return a tick's label: seconds, or hours and minutes where the run is long."""
    if length < 180:
        return f"{seconds:g} s"
    minutes, s = divmod(round(seconds), 60)
    hours, m = divmod(minutes, 60)
    return f"{hours}:{m:02d}:{s:02d}" if length < 3600 * 3 else f"{hours}:{m:02d} h"
