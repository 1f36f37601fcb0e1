"""Rows as text in columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def columns(head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Return lines in which every column is as wide as its widest entry.

    Parameters
    ----------
    head : sequence of str
        Names of the columns.
    rows : iterable of sequences
        Their entries. A column whose entries are all numbers stands to the right.

    Returns
    -------
    list of str
        A heading and one line per row.
    """
    entries = [list(row) for row in rows]
    numeric = [bool(entries) and all(isinstance(row[i], (int, float)) for row in entries) for i in range(len(head))]
    texts = [list(head), *([str(entry) for entry in row] for row in entries)]
    widths = [max(len(row[i]) for row in texts) for i in range(len(head))]
    return [
        "  ".join(
            text.rjust(width) if right else text.ljust(width) for text, width, right in zip(row, widths, numeric)
        ).rstrip()
        for row in texts
    ]
