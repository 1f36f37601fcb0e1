"""Which item of a calculation is where.

An item is not started, given out (to one slave or to several), finished, or
failed.  Every move costs constant time, whatever the number of items:

* `_waiting` holds what nobody works on, in the order in which it will be
  given out;
* `_alone` holds the items that may only be given out alone, and to one slave
  at a time, because a job that held them failed and nobody knows yet which of
  its items was to blame; those of them that nobody works on are in `_retry`;
* `_out[n]` holds the unfinished items that were given out `n` times, oldest
  first, so that the least often given one is always at hand.

An entry of `_waiting` may be stale (the item was finished meanwhile by a
slave that had been taken for dead); it is dropped when its turn comes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, MutableMapping
from typing import Any, Optional

Item = Hashable

#: state of a finished item; an unfinished one is None or the positive number
#: of times that it was given out
FINISHED = 0


class ItemStates(MutableMapping[Any, Optional[int]]):
    """The states of all items as a mapping: read, assigned and compared
    like the plain dictionary that it stands for."""

    __slots__ = ("_jobs",)

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    def __getitem__(self, item: Item) -> int | None:
        return self._jobs._states[item]

    def __setitem__(self, item: Item, state: int | None) -> None:
        self._jobs.set_state(item, state)

    def __delitem__(self, item: Item) -> None:
        self._jobs.remove(item)

    def __iter__(self) -> Iterator[Item]:
        return iter(self._jobs._states)

    def __len__(self) -> int:
        return len(self._jobs._states)

    def __contains__(self, item: object) -> bool:
        return item in self._jobs._states

    def __eq__(self, other: object) -> bool:
        if isinstance(other, ItemStates):
            other = other._jobs._states
        return self._jobs._states == other

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(self._jobs._states)

    def copy(self) -> dict[Item, int | None]:
        """Return the states as a plain dictionary."""
        return self._jobs._states.copy()

    def __copy__(self) -> dict[Item, int | None]:
        return self.copy()

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[Item, int | None]:
        return self.copy()

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (self.copy(),)


class Jobs:
    """The items of a calculation and the state of each.

    Parameters
    ----------
    items : iterable of hashable
        The items to process, in the order in which they are given out.
    redistribute : bool
        Give unfinished items out again when nothing else is left to start.
    queue : callable
        Makes what is used like a deque for the items that wait.
    """

    def __init__(self, items: Iterable[Item] = (), redistribute: bool = True, queue: Callable[[], Any] = deque) -> None:
        self.redistribute = redistribute
        self._queue = queue
        self._states: dict[Item, int | None] = {}
        self._set_all((item, None) for item in items)

    # -- the mapping ---------------------------------------------------

    @property
    def objects(self) -> MutableMapping[Item, int | None]:
        """{item: None not started | n > 0 given out n times | 0 finished}."""
        return ItemStates(self)

    @objects.setter
    def objects(self, states: MutableMapping[Item, int | None]) -> None:
        self._set_all(list(states.items()))

    def _set_all(self, pairs: Iterable[tuple[Item, int | None]]) -> None:
        self._states = {}
        self._waiting: Any = self._queue()
        self._retry: dict[Item, Any] = {}
        self._alone: set[Item] = set()
        self._out: dict[int, dict[Item, None]] = {}
        self._copies: dict[Item, int] = {}
        self._n_unfinished = 0
        self._n_new = 0
        for item, state in pairs:
            if item not in self._states:
                self._enter(item, state)

    def _enter(self, item: Item, state: int | None) -> None:
        self._states[item] = state
        if state is None:
            self._waiting.append(item)
            self._n_new += 1
        elif state > 0:
            self._out.setdefault(state, {})[item] = None
            self._copies[item] = state
        elif state < 0:
            raise ValueError(
                f"{state} is no state of an item: it is None, the number of times given out, or 0 (finished)"
            )
        if state != FINISHED:
            self._n_unfinished += 1

    def _leave(self, item: Item) -> None:
        """Forget where an item is; its entry in `_waiting` becomes stale."""
        state = self._states[item]
        if state is None:
            if item not in self._retry:
                self._n_new -= 1
        elif state > 0:
            bucket = self._out[state]
            del bucket[item]
            if not bucket:
                del self._out[state]
            self._copies.pop(item, None)
        self._retry.pop(item, None)
        if state != FINISHED:
            self._n_unfinished -= 1

    def set_state(self, item: Item, state: int | None) -> None:
        """Put `item`, new or known, into a state (see `objects`)."""
        if item in self._states:
            if self._states[item] == state:
                return
            self._leave(item)
            self._alone.discard(item)
        self._enter(item, state)

    def remove(self, item: Item) -> None:
        """Forget `item` altogether; KeyError when it is unknown."""
        self.set_state(item, FINISHED)
        del self._states[item]

    def add(self, items: Iterable[Item]) -> None:
        """Add items that are not known yet, to be given out after all others."""
        new = dict.fromkeys(item for item in items if item not in self._states)
        self._states.update(new)
        self._waiting.extend(new)
        self._n_new += len(new)
        self._n_unfinished += len(new)

    def forget(self, items: Iterable[Item]) -> None:
        """Forget items altogether, those that are unknown, too."""
        states = self._states
        for item in items:
            if states.get(item, FINISHED) != FINISHED:
                self.set_state(item, FINISHED)
            states.pop(item, None)

    def wait_in(self, queue: Any) -> None:
        """Let items wait in another queue; see `queue` above."""
        queue.extend(self._waiting)
        self._waiting = queue

    # -- giving out ----------------------------------------------------

    def next_chunk(self, *args: Any, **kw: Any) -> tuple[list[Item], int]:
        """Choose the items of the next job; see `choose`."""
        return self.choose(*args, **kw)

    def choose(
        self, nmax: int, held: Collection[Item] = (), duplicates: bool = True, avoid: Any = None
    ) -> tuple[list[Item], int]:
        """Choose the items of the next job and note them as given out.

        Parameters
        ----------
        nmax : int
            Largest number of items in the job.
        held : collection of items
            What the receiver has in hand already and must not get twice.
        duplicates : bool
            Whether unfinished items that others work on may be given out
            again when nothing else is left (needs `redistribute`).
        avoid : object, optional
            Items to be retried that carry this mark (see `give_back`) are
            left for others.

        Returns
        -------
        items : list
            At most `nmax` items; empty when there is nothing to give.
        n_left : int
            How many items there were to choose from, these included: those
            that nobody works on, or else the unfinished ones.
        """
        chunk: list[Item] = []
        states, waiting = self._states, self._waiting
        n_left = self._n_new + len(self._retry)
        if self._retry:
            for item, mark in self._retry.items():
                if (avoid is None or mark != avoid) and item not in held:
                    self._give(item)
                    return [item], n_left
        popleft = waiting.popleft
        while waiting and len(chunk) < nmax:
            item = popleft()
            # a stale entry has another state, or is to be retried alone
            if states.get(item, FINISHED) is None and item not in self._retry:
                states[item] = 1
                chunk.append(item)
        if chunk:
            # what _give does to each, for the many that are given out once
            self._n_new -= len(chunk)
            self._out.setdefault(1, {}).update(dict.fromkeys(chunk))
            self._copies.update(dict.fromkeys(chunk, 1))
        if not chunk and duplicates and self.redistribute:
            chunk = self._unfinished(nmax, held)
            n_left = self._n_unfinished
            for item in chunk:
                self._give(item)
        return chunk, n_left

    def _unfinished(self, nmax: int, held: Collection[Item]) -> list[Item]:
        chunk: list[Item] = []
        for n in sorted(self._out):
            for item in self._out[n]:
                if len(chunk) == nmax:
                    return chunk
                if item not in held and item not in self._alone:
                    chunk.append(item)
        return chunk

    def _give(self, item: Item) -> None:
        n = self._states[item] or 0
        copies = self._copies.get(item, 0)
        self._leave(item)
        self._n_unfinished += 1
        self._states[item] = n + 1
        self._out.setdefault(n + 1, {})[item] = None
        self._copies[item] = copies + 1

    # -- getting back --------------------------------------------------

    def finish(self, item: Item) -> bool:
        """Note that `item` has its result.

        Returns
        -------
        bool
            False when it was finished before (or is unknown), so that
            nothing is counted twice.
        """
        if self._states.get(item, FINISHED) == FINISHED:
            return False
        self._leave(item)
        self._alone.discard(item)
        self._states[item] = FINISHED
        return True

    def finish_all(self, items: Iterable[Item]) -> list[Item]:
        """Note that items have their results; return those that had them before."""
        states, bucket, copies = self._states, self._out.get(1, {}), self._copies
        before: list[Item] = []
        for item in items:
            if states.get(item) == 1 and len(bucket) > 1 and not self._alone:
                del bucket[item], copies[item]
                states[item] = FINISHED
                self._n_unfinished -= 1
            elif not self.finish(item):
                before.append(item)
        return before

    def unfinished(self, items: Iterable[Item]) -> list[Item]:
        """Return those that have no result yet."""
        return [item for item in items if self._states.get(item, FINISHED) != FINISHED]

    def give_back(self, item: Item, alone: bool = False, mark: Any = None) -> bool:
        """Note that one slave no longer works on `item`.

        An item that no other slave works on is given out again before all
        others.

        Parameters
        ----------
        item : hashable
        alone : bool
            Give it out in jobs of its own from now on.
        mark : object
            Who should not get it; compared with `avoid` of `choose`.

        Returns
        -------
        bool
            Whether the item waits to be given out now.
        """
        state = self._states.get(item, FINISHED)
        if state == FINISHED:
            return False
        if alone:
            self._alone.add(item)
        if state is None:
            return True
        if self._copies[item] > 1:
            self._copies[item] -= 1
            return False
        self._leave(item)
        self._n_unfinished += 1
        self._states[item] = None
        if item in self._alone:
            self._retry[item] = mark
        else:
            self._waiting.appendleft(item)
            self._n_new += 1
        return True

    def is_alone(self, item: Item) -> bool:
        """Tell whether an unfinished item may only be given out alone."""
        return item in self._alone

    # -- questions -----------------------------------------------------

    @property
    def n_waiting(self) -> int:
        """Number of items that nobody works on."""
        return self._n_new + len(self._retry)

    def retrying(self) -> bool:
        """Tell whether items wait that have to be given out alone."""
        return bool(self._retry)

    @property
    def n_unfinished(self) -> int:
        """Number of items without a result."""
        return self._n_unfinished

    def all_finished(self) -> bool:
        """Tell whether every item is finished."""
        return not self._n_unfinished

    def check(self) -> None:
        """Raise AssertionError when the counters and queues disagree."""
        states = self._states
        assert self._n_unfinished == sum(s != FINISHED for s in states.values())
        new = {i for i, s in states.items() if s is None}
        assert set(self._retry) <= new & self._alone
        assert self._n_new == len(new) - len(self._retry)
        queued = [i for i in self._waiting if states.get(i, 0) is None and i not in self._retry]
        assert len(set(queued)) == self._n_new <= len(queued)
        out = {i: n for n, bucket in self._out.items() for i in bucket}
        assert out == {i: s for i, s in states.items() if s}
        assert set(self._copies) == set(out)
        assert all(0 < c <= (states[i] or 0) for i, c in self._copies.items())
