"""A plugin of pytest for the tests of others: which of them are run, and why some are not."""

from __future__ import annotations

import fnmatch
import json
from pathlib import Path

import pytest


def pytest_configure(config: pytest.Config) -> None:
    # marks that their own configuration knows
    for mark in "broken_pool", "high_memory", "no_cover", "thread_unsafe":
        config.addinivalue_line("markers", mark)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    selection = json.loads(Path("selection.json").read_text())
    chosen, left_out, reasons = selection["chosen"], selection["left_out"], selection["does_not_apply"]
    names = {item: item.nodeid.partition("::")[2] for item in items}

    def fits(item: pytest.Item, pattern: str) -> bool:
        # brackets mean themselves
        return fnmatch.fnmatchcase(names[item], pattern.replace("[", "[[]"))

    unknown = [pattern for pattern in [*reasons, *chosen, *left_out] if not any(fits(item, pattern) for item in items)]
    if unknown:
        raise pytest.UsageError(f"no test has such a name: {', '.join(unknown)}")
    taken = [
        item
        for item in items
        if (not chosen or any(fits(item, pattern) for pattern in chosen))
        and not any(fits(item, pattern) for pattern in left_out)
    ]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(taken)])
    items[:] = taken
    for item in items:
        reason = next((why for pattern, why in reasons.items() if fits(item, pattern)), None)
        if reason is not None:
            item.add_marker(pytest.mark.skip(reason=reason))
