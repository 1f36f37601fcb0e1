"""A queue in which calls with a higher priority come first."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping


class Levels:
    """Used like a deque: within a priority, first in is first out.

    Parameters
    ----------
    priorities : mapping
        {call: priority}; 0 where a call is not in it.
    """

    def __init__(self, priorities: Mapping[int, float]) -> None:
        self._priorities = priorities
        self._levels: dict[float, deque[int]] = {0: deque()}
        self._order: list[float] = [0]

    def _level(self, call: int) -> deque[int]:
        priority = self._priorities.get(call, 0) if self._priorities else 0
        level = self._levels.get(priority)
        if level is None:
            level = self._levels[priority] = deque()
            self._order = sorted(self._levels, reverse=True)
        return level

    def append(self, call: int) -> None:
        """Put a call behind those of its priority."""
        self._level(call).append(call)

    def extend(self, calls: Iterable[int]) -> None:
        """Put calls behind those of their priorities."""
        for call in calls:
            self.append(call)

    def appendleft(self, call: int) -> None:
        """Put a call before those of its priority."""
        self._level(call).appendleft(call)

    def popleft(self) -> int:
        """Take the first call of the highest priority."""
        for priority in self._order:
            level = self._levels[priority]
            if level:
                call = level.popleft()
                if not level and priority:
                    del self._levels[priority]
                    self._order.remove(priority)
                return call
        raise IndexError("pop from an empty queue")

    def __bool__(self) -> bool:
        return any(self._levels.values())

    def __iter__(self) -> Iterator[int]:
        for priority in self._order:
            yield from self._levels[priority]

    def __len__(self) -> int:
        return sum(map(len, self._levels.values()))
