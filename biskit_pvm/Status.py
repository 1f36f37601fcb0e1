"""The state of all items of a calculation, as old scripts know it."""

from __future__ import annotations

from collections.abc import Iterable
from threading import RLock
from typing import Any

from biskit_pvm.jobs.items import FINISHED, Item, Jobs

__all__ = ["Status"]


class Status(Jobs):
    """Keep track of the items of a calculation.

    Parameters
    ----------
    objects : iterable of hashable
        The items to process.
    redistribute : bool
        Give unfinished items out again when nothing is left to start.

    Attributes
    ----------
    objects : mapping
        {item: None not started | n > 0 given out n times | 0 finished};
        single items and the whole mapping can be assigned.
    lock : threading.RLock
        Held by whoever looks at several items at once.

    Notes
    -----
    Each call costs the same however many items there are; only the methods
    that return lists of items look at all of them.
    """

    def __init__(self, objects: Iterable[Item] = (), redistribute: Any = 1) -> None:
        super().__init__(objects, bool(redistribute))
        self.lock = RLock()

    def next_chunk(self, *args: Any, **kw: Any) -> tuple[list[Item], int]:
        """Choose the items of the next job (see `Jobs.choose`), safe
        against other threads."""
        with self.lock:
            return self.choose(*args, **kw)

    def deactivate(self, item: Item) -> None:
        """Mark `item` as finished.

        Raises
        ------
        ValueError
            The item was never given out.
        """
        if self._states.get(item) is None:
            raise ValueError(f"{item!r} was never given out")
        self.finish(item)

    def not_done(self) -> list[Item]:
        """Return the unfinished items: those not started first, then the
        others by the number of times that they were given out."""
        unfinished = [i for i, s in self._states.items() if s != FINISHED]
        return sorted(unfinished, key=lambda i: self._states[i] or 0)

    def not_started(self) -> list[Item]:
        """Return the items that nobody works on."""
        return [i for i, s in self._states.items() if s is None]

    def activ(self) -> list[Item]:
        """Return the items that are given out and not finished."""
        return [i for i, s in self._states.items() if s]

    def done(self) -> bool:
        """Tell whether every item is finished."""
        return self.all_finished()

    def __str__(self) -> str:
        lines = [f"{len(self._states) - self._n_unfinished} finished, {len(self._states)} in all"]
        lines += [
            f"  {item}: "
            + ("not started" if state is None else "finished" if state == FINISHED else f"given out {state} times")
            for item, state in self._states.items()
        ]
        return "\n".join(lines)
