"""The state of items: what every call answers, and that none is lost."""

import copy
import pickle

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from biskit_pvm.jobs.items import Jobs
from biskit_pvm.Status import Status


def test_items_are_given_out_once_and_in_order():
    status = Status("abcde")
    assert status.next_chunk(2) == (["a", "b"], 5)
    assert status.next_chunk(2) == (["c", "d"], 3)
    assert status.next_chunk(2) == (["e"], 1)
    assert status.activ() == list("abcde")
    assert status.not_started() == []


def test_unfinished_items_are_given_out_again_the_least_given_first():
    status = Status("abc")
    status.next_chunk(3)
    status.deactivate("b")
    assert status.next_chunk(1) == (["a"], 2)
    assert status.next_chunk(5) == (["c", "a"], 2)
    assert status.objects == {"a": 3, "b": 0, "c": 2}
    assert status.not_done() == ["c", "a"]


def test_without_redistribution_nothing_is_given_out_twice():
    status = Status("ab", redistribute=0)
    status.next_chunk(5)
    assert status.next_chunk(5) == ([], 0)
    assert not status.done()


def test_finishing_what_was_never_given_out_is_an_error():
    status = Status("ab")
    with pytest.raises(ValueError):
        status.deactivate("a")
    with pytest.raises(KeyError, match="unknown"):
        status.deactivate("unknown")


def test_chunks_as_scripts_took_them():
    status = Status(range(6))
    assert (status.next_chunk(2), status.next_chunk(nmax=2)) == (([0, 1], 6), ([2, 3], 4))
    status.deactivate(0)
    assert status.next_chunk(5) == ([4, 5], 2)
    assert status.next_chunk(3) == ([1, 2, 3], 5)
    assert status.next_chunk(5) == ([4, 5, 1, 2, 3], 5)
    for item in range(1, 6):
        status.deactivate(item)
    assert status.next_chunk(5) == ([], 0)


@pytest.mark.parametrize("method", ["next_chunk", "choose"])
def test_a_subclass_decides_on_the_order(method):
    class Backwards(Status):
        def not_started(self):
            return Status.not_started(self)[::-1]

    status = Backwards(range(5))
    take = getattr(status, method)
    assert (take(2), take(2), take(2)) == (([4, 3], 5), ([2, 1], 3), ([0], 1))
    assert take(9) == ([0, 1, 2, 3, 4], 5)  # out of not_done
    status.check()


def test_a_subclass_holds_items_back_and_gets_what_failed_alone():
    class Slowly(Status):
        ready = ("a",)

        def not_started(self):
            return [item for item in Status.not_started(self) if item in self.ready]

    status = Slowly("abc", redistribute=0)
    assert (status.choose(5), status.choose(5)) == ((["a"], 1), ([], 0))
    status.ready = ("b", "c")
    status.give_back("a", alone=True, mark=7)
    assert status.choose(5, avoid=7) == (["b", "c"], 2)
    assert status.choose(5, avoid=8)[0] == ["a"]
    status.check()


def test_items_that_are_not_done_are_sorted():
    assert Status([3, 1, 2]).not_done() == [1, 2, 3]
    status = Status(["b", 2, None, (1,), "a", 1.5, 1j, 2j])
    status.next_chunk(1)
    assert status.not_done() == [None, 1.5, 2, 1j, 2j, "a", (1,), "b"]


def test_states_are_a_dictionary_to_who_asks():
    states = Status("a").objects
    assert isinstance(states, dict) and states == {"a": None}


def test_states_can_be_read_assigned_copied_and_pickled_like_a_dictionary():
    status = Status("abc")
    status.objects = {"x": None, "y": 2, "z": 0}
    assert dict(status.objects) == {"x": None, "y": 2, "z": 0}
    assert status.next_chunk(9) == (["x"], 1)
    status.objects["z"] = None
    status.objects["new"] = None
    assert status.next_chunk(9) == (["z", "new"], 2)
    for other in (copy.copy(status.objects), copy.deepcopy(status.objects), pickle.loads(pickle.dumps(status.objects))):
        assert type(other) is dict and other == status.objects
    del status.objects["new"]
    assert "new" not in status.objects and len(status.objects) == 3
    status.check()


def test_an_unknown_state_is_refused():
    with pytest.raises(ValueError, match="-1"):
        Status("a").objects = {"a": -1}


def test_the_text_names_every_item():
    status = Status("abc")
    status.next_chunk(2)
    status.deactivate("b")
    assert str(status) == repr(status) == "a: active\nb: finished\nc: not_started\nStatus: not done"
    status.objects["c"] = 2
    assert "c: active+2" in str(status)
    assert str(Status([])) == "Status: done"


def test_a_returned_item_comes_first_and_alone_if_asked():
    jobs = Jobs("abcd")
    jobs.next_chunk(2)
    assert jobs.give_back("b")
    assert jobs.next_chunk(2) == (["b", "c"], 3)
    jobs.give_back("a", alone=True, mark=7)
    assert jobs.next_chunk(2, avoid=7) == (["d"], 2)
    assert jobs.next_chunk(2, duplicates=False, avoid=7)[0] == []
    assert jobs.next_chunk(2, avoid=8) == (["a"], 1)


def test_an_item_that_others_work_on_is_not_given_out_when_one_returns_it():
    jobs = Jobs("a")
    jobs.next_chunk(1)
    jobs.next_chunk(1)
    assert not jobs.give_back("a")
    assert jobs.n_waiting == 0
    assert jobs.give_back("a")
    assert jobs.n_waiting == 1


class JobsMachine(RuleBasedStateMachine):
    """Whatever happens, every item is waiting, out or finished."""

    def __init__(self):
        super().__init__()
        self.jobs = Jobs(range(6))
        self.known = set(range(6))
        self.out = []  # [item, ...] as handed to anybody
        self.finished = set()

    @rule(n=st.integers(1, 4), duplicates=st.booleans())
    def take(self, n, duplicates):
        waiting = self.jobs.n_waiting
        items, left = self.jobs.next_chunk(n, (), duplicates)
        assert len(items) == len(set(items)) <= n
        assert not self.finished & set(items)
        assert bool(items) or not waiting
        assert left >= len(items)
        self.out += items

    @precondition(lambda self: self.out)
    @rule(data=st.data(), alone=st.booleans())
    def give_back(self, data, alone):
        item = data.draw(st.sampled_from(self.out))
        self.out.remove(item)
        waits = self.jobs.give_back(item, alone)
        if item not in self.finished:
            assert waits == (item not in self.out)

    @precondition(lambda self: self.out)
    @rule(data=st.data(), late=st.booleans())
    def finish(self, data, late):
        item = data.draw(st.sampled_from(self.out))
        self.out.remove(item)
        if late:  # the result of one that had been given up
            self.jobs.give_back(item)
        assert self.jobs.finish(item) == (item not in self.finished)
        self.finished.add(item)

    @rule()
    def add(self):
        if len(self.known) < 12:
            self.jobs.add([len(self.known)])
            self.known.add(len(self.known))

    @rule(data=st.data(), state=st.sampled_from([None, 0]))
    def assign(self, data, state):
        item = data.draw(st.sampled_from(sorted(self.known)))
        self.jobs.objects[item] = state
        self.out = [i for i in self.out if i != item]
        if state == 0:
            self.finished.add(item)
        else:
            self.finished.discard(item)

    @invariant()
    def nothing_is_lost(self):
        self.jobs.check()
        states = self.jobs.objects
        assert set(states) == self.known
        assert {i for i in states if states[i] == 0} == self.finished
        for item in self.known - self.finished:
            assert (states[item] is None) == (item not in self.out)
        assert self.jobs.all_finished() == (self.finished == self.known)


TestJobs = JobsMachine.TestCase
TestJobs.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)


def test_a_subclass_with_its_own_next_chunk_is_asked():
    class Single(Status):
        def next_chunk(self, nmax):
            items, n_left = Status.next_chunk(self, 1)
            return items, n_left + 100

    class Named(Status):
        def next_chunk(self, nmax):
            return ["c"], 1

    single, named = Single("abc"), Named("abc")
    assert single.choose(2) == (["a"], 103) and single.choose(2, duplicates=False) == (["b"], 102)
    single.choose(1)
    assert single.choose(1, held=("a", "b"), duplicates=False) == ([], 100)
    assert single.choose(1, held=("a", "b")) == (["c"], 103)
    assert named.choose(2) == (["c"], 1) and named.activ() == ["c"]
    named.give_back("c", alone=True)
    assert named.choose(2) == (["c"], 3)
