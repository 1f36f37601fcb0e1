"""Who gets a shared object from whom."""

from __future__ import annotations

from math import log2

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from biskit_pvm.messages.spread import OWNER, PLACES, Spread


def test_the_first_get_it_from_the_owner_and_the_others_from_them() -> None:
    spread = Spread(set())
    assert spread.ask(1) == [(1, OWNER)] and spread.ask(2) == [(2, OWNER)]
    assert spread.ask(3) == [] and spread.ask(4) == []
    assert spread.passes(2) == [(3, 2), (4, 2)]
    assert spread.ask(5) == [] and spread.passes(1) == [(5, 1)]
    assert spread.has(1) == [] and spread.ask(6) == [(6, OWNER)]  # which has a place again


@pytest.mark.parametrize("n_tasks", [3, 16, 100, 1000])
def test_the_tree_is_flat_and_the_owner_gives_it_twice(n_tasks: int) -> None:
    spread = Spread(set())
    depth = {OWNER: 0}
    given = [one for task in range(1, n_tasks + 1) for one in spread.ask(task)]
    while given:
        for task, source in given:
            depth[task] = depth[source] + 1
        given = [one for task, _ in given for one in spread.passes(task)]
    assert len(depth) == n_tasks + 1
    assert sum(level == 1 for level in depth.values()) == PLACES
    assert max(depth.values()) <= log2(n_tasks + 2)


def test_who_gets_it_late_serves_nobody_who_need_not_wait() -> None:
    spread = Spread(set())
    for task in range(1, 12):
        spread.ask(task)
    given = spread.passes(1)  # 2 is behind a slow line
    while given:
        assert all(source != 2 for _, source in given)
        given = [one for task, _ in given for one in spread.passes(task)]
    assert spread.passes(2) == []


def test_who_has_failed_somebody_serves_nobody_else_with_anything() -> None:
    failing: set[int] = set()
    one, other = Spread(failing), Spread(failing)
    for task in (1, 2, 3):
        one.ask(task)
        other.ask(task)
    assert one.passes(1) == [(3, 1)]
    one.failed(3, 1)
    assert one.ask(4) == [] and other.passes(1) == []
    assert one.passes(2) == [(4, 2)]
    assert one.has(3) == [] and one.has(1) == []  # 2 is served yet, and 1 and 3 were
    assert one.ask(5) == [(5, OWNER)]


def test_who_gets_it_slowly_gets_the_rest_from_one_who_has_it_all() -> None:
    spread = Spread(set())
    for task in (1, 2, 3, 4):
        spread.ask(task)
    assert spread.passes(1) == [(3, 1), (4, 1)] and spread.passes(2) == []
    assert spread.again(3) == 1  # nobody has more
    spread.has(2)
    assert spread.ask(5) == [(5, OWNER)]
    assert spread.again(3) == 2
    spread.has(1)
    assert spread.again(4) == OWNER


class Spreading(RuleBasedStateMachine):
    """Tasks come, get the object, fail each other and end in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.spread = Spread(set())
        self.waiting: set[int] = set()
        self.source: dict[int, int] = {}
        self.passing: set[int] = set()
        self.whole: set[int] = set()
        self.n_tasks = 0

    def note(self, given: list[tuple[int, int]]) -> None:
        for task, source in given:
            self.waiting.remove(task)
            self.take(task, source)

    def take(self, task: int, source: int) -> None:
        assert source == OWNER or source in self.passing
        self.source[task] = source
        for _ in range(self.n_tasks + 1):  # it comes from the owner in the end
            if source == OWNER or source in self.whole:
                return
            source = self.source[source]
        raise AssertionError("tasks wait for each other")

    @rule()
    def ask(self) -> None:
        self.n_tasks += 1
        self.waiting.add(self.n_tasks)
        self.note(self.spread.ask(self.n_tasks))

    @precondition(lambda self: self.source)
    @rule(data=st.data())
    def passes(self, data: st.DataObject) -> None:
        task = data.draw(st.sampled_from(sorted(self.source)))
        self.passing.add(task)
        self.note(self.spread.passes(task))

    @precondition(lambda self: self.source)
    @rule(data=st.data(), fails=st.booleans())
    def ends_well_or_comes_back(self, data: st.DataObject, fails: bool) -> None:
        task = data.draw(st.sampled_from(sorted(self.source)))
        if fails:
            self.spread.failed(task, self.source[task])
            self.source[task] = OWNER
        else:
            del self.source[task]
            self.whole.add(task)
            self.note(self.spread.has(task))

    @precondition(lambda self: self.source)
    @rule(data=st.data())
    def is_slow(self, data: st.DataObject) -> None:
        task = data.draw(st.sampled_from(sorted(self.source)))
        self.take(task, self.spread.again(task))

    @precondition(lambda self: self.n_tasks)
    @rule(data=st.data())
    def dies(self, data: st.DataObject) -> None:
        task = data.draw(st.integers(1, self.n_tasks))
        served = [one for one, source in self.source.items() if source == task]
        for kept in (self.waiting, self.passing, self.whole):
            kept.discard(task)
        self.source.pop(task, None)
        self.note(self.spread.lose(task))
        for one in served:
            self.spread.failed(one, task)
            self.source[one] = OWNER

    @invariant()
    def nobody_serves_too_many(self) -> None:
        for source in self.passing:
            assert list(self.source.values()).count(source) <= PLACES

    @invariant()
    def nobody_waits_while_the_owner_has_time(self) -> None:
        assert not self.waiting or list(self.source.values()).count(OWNER) >= PLACES


TestSpreading = Spreading.TestCase
TestSpreading.settings = settings(max_examples=100, stateful_step_count=60, deadline=None)
