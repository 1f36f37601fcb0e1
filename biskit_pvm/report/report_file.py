"""The report of a run as a file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from biskit_pvm.files import write_atomically
from biskit_pvm.report.history import History
from biskit_pvm.report.page import Run, page


def write_report(
    path: str | os.PathLike[str],
    title: str,
    history: History,
    total: int,
    done: int,
    errors: Mapping[Any, Exception],
) -> None:
    """Write an HTML page that needs no other file.

    An older page is replaced when the new one is whole, and not before.

    Parameters
    ----------
    path : path
    title : str
        What ran, such as the name of the master's class.
    history : History
        Who did what and when.
    total, done : int
        Items of the calculation, and those finished.
    errors : mapping
        {item: error} of the items that failed.
    """
    totals = history.totals
    run = Run(
        title,
        min((t.first for t in totals), default=0.0),
        max((t.last for t in totals), default=0.0),
        total,
        done,
        history.records,
        totals,
        {repr(item): str(error) for item, error in errors.items()},
    )
    write_atomically(path, page(run).encode())
