"""What is made of the matrix: a few numbers, an order, a table, a small picture of it.

All of this goes over the matrix row by row, since it may be most of what fits into memory.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from biskit_pvm.rmsd.kabsch import Array

#: Models along the edge of a picture at most; of more, several share a point.
PICTURE_EDGE = 1024


class Summary(NamedTuple):
    """The RMSD of all pairs in a few numbers.

    Attributes
    ----------
    pairs : int
        Number of pairs.
    mean, spread : float
        Average and standard deviation in Angstrom.
    smallest, largest : float
        In Angstrom.
    smallest_pair, largest_pair : tuple of int
        The numbers of the two models.
    """

    pairs: int
    mean: float
    spread: float
    smallest: float
    smallest_pair: tuple[int, int]
    largest: float
    largest_pair: tuple[int, int]

    def text(self, word: str = "model") -> str:
        """Return the numbers as a sentence about models, or what else they are called."""
        return (
            f"RMSD of {self.pairs} pairs: mean {self.mean:.3f} A, spread {self.spread:.3f} A, "
            f"smallest {self.smallest:.3f} A ({word}s {self.smallest_pair[0]} and "
            f"{self.smallest_pair[1]}), largest {self.largest:.3f} A ({word}s "
            f"{self.largest_pair[0]} and {self.largest_pair[1]})"
        )


def summarise(matrix: Array, numbers: Sequence[int] | None = None) -> Summary:
    """Return the summary of a matrix of all pairs.

    Parameters
    ----------
    matrix : ndarray, shape (models, models)
        RMSD in Angstrom.
    numbers : sequence of int, optional
        Of the models; by default they are counted from 1.
    """
    n = len(matrix)
    names = range(1, n + 1) if numbers is None else numbers
    rows = [matrix[i, i + 1 :] for i in range(n - 1)]
    pairs = n * (n - 1) // 2
    mean = sum(float(row.sum()) for row in rows) / pairs
    spread = (sum(float(((row - mean) ** 2).sum()) for row in rows) / pairs) ** 0.5
    low = min(range(n - 1), key=lambda i: float(rows[i].min()))
    high = max(range(n - 1), key=lambda i: float(rows[i].max()))
    low_column, high_column = int(rows[low].argmin()), int(rows[high].argmax())
    return Summary(
        pairs,
        mean,
        spread,
        float(rows[low][low_column]),
        (names[low], names[low + 1 + low_column]),
        float(rows[high][high_column]),
        (names[high], names[high + 1 + high_column]),
    )


def cluster_order(matrix: Array) -> list[int]:
    """Return the models in an order in which similar ones stand together.

    That of the leaves of a tree by average linkage, computed by scipy.

    Parameters
    ----------
    matrix : ndarray, shape (models, models)
        RMSD in Angstrom.

    Returns
    -------
    list of int
        Rows of the matrix.

    Raises
    ------
    ImportError
        When scipy is not installed.
    """
    from scipy.cluster.hierarchy import leaves_list, linkage

    n = len(matrix)
    distances: Array = np.empty(n * (n - 1) // 2)
    at = 0
    for i in range(n - 1):
        distances[at : at + n - 1 - i] = matrix[i, i + 1 :]
        at += n - 1 - i
    return [int(i) for i in leaves_list(linkage(distances, "average"))]


def write_csv(
    matrix: Array, path: str | os.PathLike[str], numbers: Sequence[int], order: Sequence[int], word: str = "model"
) -> None:
    """Write the matrix as a table with the models' numbers at its edges.

    Parameters
    ----------
    matrix : ndarray, shape (models, models)
        RMSD in Angstrom.
    path : path
        The file.
    numbers : sequence of int
        Of the models.
    order : sequence of int
        Rows of the matrix, as they shall follow each other.
    word : str
        What the models are called.
    """
    with open(path, "w", encoding="ascii") as file:
        file.write(",".join([word, *(str(numbers[i]) for i in order)]) + "\n")
        columns = np.asarray(order)
        for i in order:
            file.write(f"{numbers[i]}," + ",".join([f"{value:.4f}" for value in matrix[i, columns]]) + "\n")


def small(matrix: Array, order: Sequence[int], edge: int = PICTURE_EDGE) -> Array:
    """Return a matrix for a picture: in order, and with several models to a point where they are many.

    Parameters
    ----------
    matrix : ndarray, shape (models, models)
    order : sequence of int
        Rows of the matrix, as they shall follow each other.
    edge : int
        Rows and columns of the result at most.

    Returns
    -------
    ndarray
        Each point is the mean of its pairs.
    """
    columns = np.asarray(order)
    every = -(-len(columns) // edge)
    starts = np.arange(0, len(columns), every)
    widths = np.diff([*starts, len(columns)])
    points: Array = np.empty((len(starts), len(starts)))
    for point, start in zip(points, starts):
        rows = columns[start : start + every]
        total = sum(matrix[i, columns] for i in rows) / len(rows)
        point[:] = np.add.reduceat(total, starts) / widths
    return points
