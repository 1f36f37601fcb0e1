"""The queue of an executor's calls."""

import pytest

from biskit_pvm.executor.levels import Levels
from biskit_pvm.jobs.items import Jobs


def test_higher_priorities_come_first_and_equal_ones_in_their_order():
    priorities = {2: 5, 3: -1, 4: 5}
    jobs = Jobs(range(6), queue=lambda: Levels(priorities))
    assert [jobs.choose(1)[0][0] for _ in range(6)] == [2, 4, 0, 1, 5, 3]
    jobs.give_back(5)
    jobs.give_back(4)
    assert jobs.choose(9)[0] == [4, 5]


def test_calls_that_wait_already_are_sorted_when_the_first_priority_comes():
    priorities = {}
    jobs = Jobs(range(4), redistribute=False)
    assert jobs.choose(1)[0] == [0]
    priorities.update({2: 1, 5: 2})
    jobs.wait_in(Levels(priorities))
    jobs.add([4, 5])
    assert [jobs.choose(1)[0][0] for _ in range(5)] == [5, 2, 1, 3, 4]
    assert jobs.choose(1) == ([], 0)


def test_it_is_used_like_a_deque():
    levels = Levels({1: 1})
    assert not levels and len(levels) == 0
    levels.append(0)
    levels.append(1)
    levels.appendleft(7)
    assert list(levels) == [1, 7, 0] and len(levels) == 3
    assert [levels.popleft() for _ in range(3)] == [1, 7, 0]
    with pytest.raises(IndexError):
        levels.popleft()
