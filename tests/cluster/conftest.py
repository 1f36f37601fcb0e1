"""The cluster of the tests here: four hosts, made anew for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .cluster import Cluster, why_not


@pytest.fixture
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """Give a cluster of four nodes, or of what ``@pytest.mark.parametrize`` asks for."""
    reason = why_not()
    if reason:
        pytest.skip(reason)
    with Cluster(getattr(request, "param", 4)) as made:
        yield made
