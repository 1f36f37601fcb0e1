"""The figures of all chaotic runs, printed at the end."""

from __future__ import annotations

from collections import Counter

import pytest


@pytest.fixture(scope="session")
def figures(request):
    """Count what was done to calculations and what became of them."""
    counts = Counter(lost=0, doubled=0, hung=0, faults=0, items=0, runs=0)
    yield counts
    kinds = ", ".join(f"{name[6:]} {n}" for name, n in sorted(counts.items()) if name.startswith("fault "))
    text = (
        f"chaos: {counts['runs']} runs, {counts['items']} items, "
        f"{counts['faults']} faults injected ({kinds}); "
        f"lost {counts['lost']}, doubled {counts['doubled']}, "
        f"hung {counts['hung']}"
    )
    reporter = request.config.pluginmanager.get_plugin("terminalreporter")
    with request.config.pluginmanager.get_plugin("capturemanager").global_and_fixture_disabled():
        reporter.write_line("")
        reporter.write_line(text)
