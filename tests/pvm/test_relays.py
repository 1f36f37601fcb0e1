"""In large calculations foremen pass on what slaves and their master tell each other."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

import pvm_ext
from biskit_pvm.machine import standin, task

from ..support.waiting import wait_for
from .test_foreman import Busy, busy, foreman_of, stand_ins  # a fixture
from .test_masters import host, make, returns, squares

N = 5


@pytest.fixture(autouse=True)
def large(monkeypatch):
    """Have calculations of a few slaves be large ones."""
    monkeypatch.setattr(task, "MOST_LINKS", 2)


def links():
    """Return how many direct links this process has: descriptors of libpvm but for the daemon's."""
    return len(pvm_ext.getfds()) - 1


def test_all_results_come_over_one_link(make, busy):
    before = links()
    calculation = busy(N)
    assert len(calculation.begin()) == N
    assert links() <= before + 2, "one for the foreman, and one that libpvm listens at"
    calculation.finish()
    assert make(returns(200), n_slaves=N).calculateResult() == squares(200)
