"""How far a calculation is, as numbers and as text; prints nothing.

The texts of the lines are those that scripts read from the output of a verbose master, so they stay
as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ProgressState:
    """Items done and the speed at which they get done.

    Parameters
    ----------
    total : int
        Number of items of the calculation.
    done : int
        Items that were finished before it started (after a restart, say); they do not count for the
        rate.
    now : float
        Time in seconds, on any clock that only goes forward.
    """

    def __init__(self, total: int, done: int, now: float) -> None:
        self.total = total
        self.done = done
        self.slaves = 0  #: slaves at work
        self.hosts = 0  #: hosts on which these are
        self._done_before = done
        self._started = now

    def update(self, done: int, slaves: int, hosts: int) -> None:
        """Take over the present figures."""
        self.done = done
        self.slaves = slaves
        self.hosts = hosts

    def elapsed(self, now: float) -> float:
        """Return the seconds since the start."""
        return max(0.0, now - self._started)

    def rate(self, now: float) -> float | None:
        """Return items per second since the start, or None when none was finished yet."""
        elapsed = self.elapsed(now)
        fresh = self.done - self._done_before
        return fresh / elapsed if fresh > 0 and elapsed > 0 else None

    def time_left(self, now: float) -> float | None:
        """Return the seconds that the remaining items will take, None when that is unknown."""
        left = self.total - self.done
        if left <= 0:
            return 0.0
        rate = self.rate(now)
        return left / rate if rate else None

    def text(self, now: float) -> str:
        """Return the state as one line, without the bar."""
        rate, left = self.rate(now), self.time_left(now)
        parts = [
            f"{self.done}/{self.total} items",
            format_rate(rate),
            f"{format_seconds(left)} left" if self.done < self.total else f"{format_seconds(self.elapsed(now))} in all",
            f"{count(self.slaves, 'slave')} on {count(self.hosts, 'host')}",
        ]
        return ", ".join(part for part in parts if part)


def count(number: int, noun: str) -> str:
    """Return `number` and `noun` in the singular or plural, such as '1 slave' or '3 hosts'."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def format_rate(rate: float | None) -> str:
    """Return items per second as text with three digits; per minute or hour for slow ones."""
    if rate is None:
        return ""
    for unit, seconds in (("s", 1), ("min", 60), ("h", 3600)):
        if rate * seconds >= 1 or unit == "h":
            value = rate * seconds
            return f"{value:.0f}/{unit}" if value >= 100 else f"{value:.3g}/{unit}"
    raise AssertionError


def format_seconds(seconds: float | None) -> str:
    """Return a duration such as '0:07', '3:00:00' or '2 d 03:00:00'; '-:--' for None."""
    if seconds is None:
        return "-:--"
    minutes, s = divmod(int(seconds + 0.5), 60)
    hours, m = divmod(minutes, 60)
    if not hours:
        return f"{m}:{s:02d}"
    days, h = divmod(hours, 24)
    return f"{days} d {h:02d}:{m:02d}:{s:02d}" if days else f"{h}:{m:02d}:{s:02d}"


def processing_line(total: int) -> str:
    """Return the line with which a verbose master begins."""
    return f"Processing {total} items ..."


def spawned_line(tid: int, nickname: str) -> str:
    """Return the line that announces a new slave."""
    return f"{tid} {nickname} spawned."


def left_line(tid: int, nickname: str, left: int) -> str:
    """Return the line that says how many items are left to give out."""
    return f"{tid} ({nickname}) {left} items left"


def report_lines(progress: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the table of slaves: jobs given, jobs done, average time per job.

    Parameters
    ----------
    progress : mapping
        {nickname: {'given': int, 'done': int, 'time': float (s)}}

    Returns
    -------
    list of str
        A heading and one line per slave, the columns separated by tabs.
    """
    lines = ["host                     \tgiven\tdone\t  time"]
    for nickname, row in progress.items():
        lines.append(f"{nickname!s:<25}\t{row['given']}\t{row['done']}\t{row['time']:6.2f} s")
    return lines
