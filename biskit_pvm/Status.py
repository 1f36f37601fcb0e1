"""The state of all items of a calculation, as old scripts know it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, MutableMapping
from threading import RLock
from typing import Any

from biskit_pvm.jobs.items import FINISHED, Item, ItemStates, Jobs

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

    @staticmethod
    def arranged(items: list[Item], one_by_one: bool = False) -> list[Item]:
        """Give the order of items; for old code replaced by the order of dictionaries that were filled then."""
        return items

    def __init__(self, objects: Iterable[Item], redistribute: Any = 1) -> None:
        super().__init__(self.arranged(list(objects), one_by_one=True), bool(redistribute))
        self.lock = RLock()
        self._terms: tuple[Any, ...] = ()

    @property
    def objects(self) -> MutableMapping[Item, int | None]:
        """{item: None not started | n > 0 given out n times | 0 finished}."""
        return States(self)

    @objects.setter
    def objects(self, states: MutableMapping[Item, int | None]) -> None:
        self._set_all([(item, states[item]) for item in self.arranged(list(states))])

    def next_chunk(self, nmax: int, *args: Any, **kw: Any) -> tuple[list[Item], int]:
        """Choose the items of the next job, safe against other threads.

        A subclass whose `not_started` or `not_done` answers otherwise is
        asked these, and so decides on the order and on what is held back.

        Parameters
        ----------
        nmax : int
            Largest number of items in the job.
        *args, **kw
            As for `Jobs.choose`; where a subclass that was asked leaves them
            out, they are what it was asked for.

        Returns
        -------
        items : list
            At most `nmax` items, none when there is nothing to give.
        n_left : int
            How many items there were to choose from, these included.
        """
        with self.lock:
            return self._choose(nmax, *(args or (() if kw else self._terms)), **kw)

    def choose(
        self, nmax: int, held: Collection[Item] = (), duplicates: bool = True, avoid: Any = None
    ) -> tuple[list[Item], int]:
        """Choose the items of the next job, by what a subclass has for `next_chunk`."""
        if type(self).next_chunk is Status.next_chunk:
            return self._choose(nmax, held, duplicates, avoid)
        retried = self._next_alone(held, avoid)
        if retried is not None:
            return retried
        self._terms = held, duplicates, avoid
        try:
            items, n_left = self.next_chunk(nmax)
        finally:
            self._terms = ()
        for item in items:
            if self._states[item] is None:
                self._give(item)
        return list(items), n_left

    def _choose(
        self, nmax: int, held: Collection[Item] = (), duplicates: bool = True, avoid: Any = None
    ) -> tuple[list[Item], int]:
        kind = type(self)
        if kind.not_started is Status.not_started and kind.not_done is Status.not_done:
            return super().choose(nmax, held, duplicates, avoid)
        retried = self._next_alone(held, avoid)
        if retried is not None:
            return retried
        queue = [item for item in self.not_started() if item not in self._retry]
        if not queue and duplicates and self.redistribute:
            queue = [item for item in self.not_done() if item not in held and item not in self._alone]
        items = queue[:nmax]
        for item in items:
            self._give(item)
        return items, len(queue)

    def _next_alone(self, held: Collection[Item], avoid: Any) -> tuple[list[Item], int] | None:
        """Choose an item that may only be given out alone, if there is one."""
        n_left = self.n_waiting
        for item, mark in self._retry.items():
            if (avoid is None or mark != avoid) and item not in held:
                self._give(item)
                return [item], n_left
        return None

    def deactivate(self, item: Item) -> None:
        """Mark `item` as finished.

        Raises
        ------
        KeyError
            There is no such item.
        ValueError
            The item was never given out.
        """
        if self._states[item] is None:
            raise ValueError(f"{item!r} was never given out")
        self.finish(item)

    def not_done(self) -> list[Item]:
        """Return the unfinished items: those not started first, then the
        others by the number of times that they were given out, and those
        of one number in the order of the items."""
        unfinished = in_order(i for i, s in self._states.items() if s != FINISHED)
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
        names = {None: "not_started", FINISHED: "finished", 1: "active"}
        lines = [f"{item}: {names.get(state, f'active+{state}')}" for item, state in self._states.items()]
        return "\n".join([*lines, f"Status: {'' if self.done() else 'not '}done"])

    __repr__ = __str__


class States(ItemStates):
    """The states of all items, which to whoever asks are a dictionary."""

    __slots__ = ()
    __py2_type__ = dict

    @property  # type: ignore[misc]
    def __class__(self) -> type[dict[Any, Any]]:  # type: ignore[override]
        return dict


def in_order(items: Iterable[Item]) -> list[Item]:
    """Sort items; those of different types by Python 2's rules: None, numbers, then by the name of the type."""
    every = list(items)
    try:
        return sorted(every)  # type: ignore[type-var]
    except TypeError:
        groups: dict[str, list[Item]] = {}
        for item in every:
            kind = "" if item is None else " " if isinstance(item, (int, float)) else type(item).__name__
            groups.setdefault(kind, []).append(item)
    ordered: list[Item] = []
    for kind in sorted(groups):
        try:
            ordered += sorted(groups[kind])  # type: ignore[type-var]
        except TypeError:  # of a type without an order
            ordered += groups[kind]
    return ordered
