"""How the matrix of all pairs is cut into items."""

from __future__ import annotations

import math

#: Items per slave to aim at: few enough to cost little, many enough that all slaves end at about
#: the same time.
_ITEMS_PER_SLAVE = 16

#: Models on the edge of a block at most, which bounds what one item sends: 2 MB of results.
_MAX_EDGE = 512


def block_edge(models: int, slaves: int) -> int:
    """Return how many models make the edge of a block.

    Parameters
    ----------
    models, slaves : int
        How many there are.

    Returns
    -------
    int
        At least 1, such that each slave has about 16 blocks where there are models enough.
    """
    # b blocks along an edge of the matrix make b (b + 1) / 2 items.
    wanted = _ITEMS_PER_SLAVE * max(1, slaves)
    along = math.ceil((math.sqrt(8 * wanted + 1) - 1) / 2)
    return min(_MAX_EDGE, max(1, models // along))


def blocks(models: int, edge: int) -> dict[str, tuple[tuple[int, int], tuple[int, int]]]:
    """Cut the part of the matrix on and above the diagonal into blocks.

    Parameters
    ----------
    models : int
        Number of rows and columns.
    edge : int
        Rows and columns of a block.

    Returns
    -------
    dict
        {name: ((first row, row behind the last), (first column, column behind the last))}
    """
    ranges = [(start, min(start + edge, models)) for start in range(0, models, edge)]
    return {
        f"{rows[0] + 1}-{rows[1]} x {columns[0] + 1}-{columns[1]}": (rows, columns)
        for i, rows in enumerate(ranges)
        for columns in ranges[i:]
    }
