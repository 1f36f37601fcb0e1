"""Who gets a shared object from whom: a tree that grows from its owner, and decides nothing else."""

from __future__ import annotations

from collections import deque

#: stands for the master or executor that shares the object
OWNER = 0

#: how many tasks get it from the owner, or from another task, at a time
PLACES = 2


class Spread:
    """The way of one object to all tasks that want it.

    The first get it from the owner.  Whoever has some of it passes it on.  So those behind a slow line, who get their
    first bytes late, find nobody left who needs them: they hold up none but themselves.

    Parameters
    ----------
    failing : set of int
        Tasks that have failed others, with any object of this owner: nobody is sent to them any more.
    """

    def __init__(self, failing: set[int]) -> None:
        self._failing = failing
        self._waiting: dict[int, None] = {}
        #: of those that get it at present
        self._source: dict[int, int] = {}
        self._passing: set[int] = set()
        self._whole: set[int] = set()
        #: how many the owner can still serve; each other task is in here once for each that it can
        self._own_places = PLACES
        self._places: deque[int] = deque()

    def ask(self, task: int) -> list[tuple[int, int]]:
        """Somebody wants it; return who gets it from whom now."""
        self._ends(task)
        self._waiting[task] = None
        return self._give()

    def passes(self, task: int) -> list[tuple[int, int]]:
        """A task has enough of it to pass it on; return who gets it from whom now."""
        if task not in self._passing:
            self._passing.add(task)
            self._places.extend([task] * PLACES)
        return self._give()

    def has(self, task: int) -> list[tuple[int, int]]:
        """A task has all of it; return who gets it from whom now."""
        self._whole.add(task)
        self._ends(task)
        return self._give()

    def again(self, task: int) -> int:
        """A task gets it slowly; return whom it gets the rest from: its source, or somebody who has it all."""
        source = self._source.get(task, OWNER)
        if source == OWNER:
            return source
        better = OWNER if self._own_places > 0 else self._whole_one(source)
        if better is None:
            return source
        self._ends(task)
        self._take(task, better)
        return better

    def failed(self, task: int, source: int) -> None:
        """A task had nothing from its source for too long; the owner serves it from now on."""
        if source != OWNER:
            self._failing.add(source)
        self._ends(task)
        self._take(task, OWNER)

    def lose(self, task: int) -> list[tuple[int, int]]:
        """A task has ended; return who gets it from whom now."""
        self._passing.discard(task)
        self._whole.discard(task)
        self._ends(task)
        return self._give()

    def _ends(self, task: int) -> None:
        self._waiting.pop(task, None)
        source = self._source.pop(task, None)
        if source == OWNER:
            self._own_places += 1
        elif source is not None:
            self._places.append(source)

    def _take(self, task: int, source: int) -> None:
        if source == OWNER:
            self._own_places -= 1
        else:
            self._places.remove(source)
        self._source[task] = source

    def _give(self) -> list[tuple[int, int]]:
        given = []
        while self._waiting:
            source = OWNER if self._own_places > 0 else self._first()
            if source is None:
                break
            task = next(iter(self._waiting))
            del self._waiting[task]
            self._take(task, source)
            given.append((task, source))
        return given

    def _first(self) -> int | None:
        """Return who can serve somebody and has been able to for longest."""
        while self._places:
            if self._is_fit(self._places[0]):
                return self._places[0]
            self._places.popleft()
        return None

    def _whole_one(self, but: int) -> int | None:
        return next((one for one in self._places if one != but and one in self._whole and self._is_fit(one)), None)

    def _is_fit(self, task: int) -> bool:
        return task in self._passing and task not in self._failing
