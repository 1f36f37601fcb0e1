"""Root mean square deviation after optimal superposition, for many pairs at once.

For two sets of N points `a` and `b`, both with their centre in the origin, the best rotation leaves
(W. Kabsch, Acta Cryst. A32, 922 (1976) and A34, 827 (1978))::

    N rmsd^2 = sum |a|^2 + sum |b|^2 - 2 L,    L = s1 + s2 + d s3,    d = sign(det H)

with the singular values s1 >= s2 >= s3 of the covariance ``H = a.T @ b``, where d keeps the mirror
image out. L is the largest root of a polynomial of fourth degree, whose coefficients need neither
singular values nor a rotation (D. L. Theobald, Acta Cryst. A61, 478 (2005))::

    L^4 - 2 e L^2 - 8 det(H) L + e^2 - 4 f = 0

e is the sum of squares of the elements of H, f that of its minors. Newton's method finds L for
thousands of pairs by the same few operations on arrays. Two kinds of pairs are left to singular
values, one by one: those whose largest root is nearly a double one, and those that nearly agree,
where the first formula is the small difference of large numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]

#: Share of the points' spread below which the first formula loses too many digits.
_CLOSE = 1e-6

#: Slope of the polynomial at its root, in units of the root's cube, below which the root is uncertain.
_FLAT = 1e-2

#: Steps of Newton's method at most; less than ten do as a rule.
_STEPS = 40

#: Pairs in one batch: its arrays should stay in the processor's cache.
_BATCH = 1 << 13


def centred(models: Array) -> Array:
    """Return the models with the mean of their points moved to the origin.

    Parameters
    ----------
    models : array_like, shape (models, atoms, 3)
        Coordinates in Angstrom.

    Returns
    -------
    ndarray of float64, shape (models, atoms, 3)
    """
    models = np.array(models, dtype=np.float64)
    if models.ndim != 3 or models.shape[2] != 3 or not models.shape[1]:
        raise ValueError(f"models are an array of shape (models, atoms, 3), not {models.shape}")
    for model in models:  # one by one: the result is the only large array
        model -= model.mean(axis=0)
    return models


def rmsd_block(a: Array, b: Array) -> Array:
    """Compare every model of one set with every model of another.

    Parameters
    ----------
    a : ndarray of float64, shape (m, atoms, 3)
        Models as :func:`centred` returns them, in Angstrom.
    b : ndarray of float64, shape (n, atoms, 3)
        The same atoms of the other models. Where `b` is `a` itself, only what lies on and above
        the diagonal is computed; the rest is zero.

    Returns
    -------
    ndarray of float64, shape (m, n)
        RMSD in Angstrom.
    """
    m, n = len(a), len(b)
    result: Array = np.zeros((m, n))
    right = np.ascontiguousarray(b.transpose(2, 0, 1))
    spread_a, spread_b = (np.einsum("ijk,ijk->i", x, x) for x in (a, b))
    rows = max(1, _BATCH // max(1, n))
    for top in range(0, m, rows):
        part = slice(top, top + rows)
        rest = slice(top if a is b else 0, None)
        spread = spread_a[part, None] + spread_b[rest]
        result[part, rest] = _batch(a[part], b[rest], right[:, rest], spread)
    return result


def _batch(a: Array, b: Array, right: Array, spread: Array) -> Array:
    m, atoms = a.shape[:2]
    # All covariances are one product of two matrices: (3 m, atoms) by (atoms, 3 n).
    left = np.ascontiguousarray(a.transpose(2, 0, 1)).reshape(3 * m, atoms)
    covariance = (left @ right.reshape(-1, atoms).T).reshape(3, m, 3, -1)
    root, sure = _largest_root(covariance, spread / 2)
    for i, j in np.argwhere(~sure):
        h = covariance[:, i, :, j]
        singular = np.linalg.svd(h, compute_uv=False)
        root[i, j] = singular[0] + singular[1] + np.sign(np.linalg.det(h)) * singular[2]
    square = spread - 2 * root
    result: Array = np.sqrt(np.maximum(square, 0.0) / atoms)
    for i, j in np.argwhere(square < _CLOSE * spread):
        result[i, j] = _rmsd_by_points(a[i], b[j])
    return result


def _largest_root(covariance: Array, bound: Array) -> tuple[Array, Any]:
    """Return L for each covariance matrix, and whether it is sure.

    Parameters
    ----------
    covariance : ndarray, shape (3, m, 3, n)
    bound : ndarray, shape (m, n)
        Not below L.
    """
    h = [[covariance[i, :, j] for j in range(3)] for i in range(3)]
    square = sum(x * x for row in h for x in row)
    minors = [
        [h[i - 2][j - 2] * h[i - 1][j - 1] - h[i - 2][j - 1] * h[i - 1][j - 2] for j in range(3)] for i in range(3)
    ]
    det = sum(x * y for x, y in zip(h[0], minors[0]))
    c2, c1 = -2 * square, -8 * det
    c0 = square * square - 4 * sum(x * x for row in minors for x in row)
    # From above Newton's method comes down to the largest root without ever passing it.
    root: Array = np.minimum(bound, np.sqrt(3 * square))
    with np.errstate(divide="ignore", invalid="ignore"):
        for _ in range(_STEPS):
            shared = root * root + c2
            slope = root * (2 * root * root + 2 * shared) + c1
            step = ((shared * root + c1) * root + c0) / slope
            step[~np.isfinite(step)] = 0.0
            root -= step
            if (np.abs(step) <= 1e-13 * root).all():
                break
        sure = (slope > _FLAT * root**3) & (np.abs(step) <= 1e-12 * root)
    return root, sure


def _rmsd_by_points(a: Array, b: Array) -> float:
    """Rotate one model onto another and compare the points."""
    u, _, vt = np.linalg.svd(a.T @ b)
    if np.linalg.det(u @ vt) < 0:
        u[:, 2] *= -1
    return float(np.sqrt(((a @ (u @ vt) - b) ** 2).sum() / len(a)))


def pairwise_rmsd(models: Array) -> Array:
    """Compare all models with each other, in this process.

    Parameters
    ----------
    models : array_like, shape (models, atoms, 3)
        Coordinates in Angstrom.

    Returns
    -------
    ndarray of float64, shape (models, models)
        RMSD in Angstrom; symmetric, zero on the diagonal.
    """
    models = centred(models)
    matrix = rmsd_block(models, models)
    mirror(matrix)
    return matrix


def mirror(matrix: Array) -> None:
    """Copy the part of a square matrix above the diagonal below it; the diagonal becomes zero."""
    for i in range(len(matrix)):  # row by row: no second matrix is made
        matrix[i:, i] = matrix[i, i:]
        matrix[i, i] = 0.0
