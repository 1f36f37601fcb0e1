"""A master's decisions against simulated slaves, as the page on scale has them."""

from __future__ import annotations

import pytest

from benchmarks.simulate import Simulation


def test_many_slaves_are_kept_busy():
    took = Simulation(slaves=200, items=20_000, chunk=5, seconds=0.2).run()
    assert took.chunks >= 4000
    assert took.simulated < 1.25 * took.ideal


@pytest.mark.parametrize("seed", range(5))
def test_slaves_that_die_cost_time_and_no_items(seed):
    # The simulation itself fails when the master says that it cannot finish.
    took = Simulation(slaves=50, items=5000, chunk=10, seconds=0.2, mortality=0.01, seed=seed).run()
    assert took.deaths > 0
    assert took.simulated < 2 * took.ideal
