"""Root mean square deviation after optimal superposition, for many pairs at once.

For two sets of N points `a` and `b`, both with their centre in the origin, the rotation that brings
one closest to the other follows from the singular values s1 >= s2 >= s3 of the covariance
``H = a.T @ b`` (W. Kabsch, Acta Cryst. A32, 922 (1976) and A34, 827 (1978))::

    N rmsd^2 = sum |a|^2 + sum |b|^2 - 2 (s1 + s2 + d s3),    d = sign(det H)

where d keeps the mirror image out. For points that nearly agree this is the small difference of
large numbers; these few pairs are rotated and compared point by point.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]

#: Share of the points' spread below which the short formula loses too many digits.
_CLOSE = 1e-6

#: Bytes that the covariances of one batch may take.
_BATCH_BYTES = 1 << 26


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
    models = np.asarray(models, dtype=np.float64)
    if models.ndim != 3 or models.shape[2] != 3 or not models.shape[1]:
        raise ValueError(f"models are an array of shape (models, atoms, 3), not {models.shape}")
    moved: Array = models - models.mean(axis=1, keepdims=True)
    return moved


def rmsd_block(a: Array, b: Array) -> Array:
    """Compare every model of one set with every model of another.

    Parameters
    ----------
    a : ndarray of float64, shape (m, atoms, 3)
        Models as :func:`centred` returns them, in Angstrom.
    b : ndarray of float64, shape (n, atoms, 3)
        The same atoms of the other models.

    Returns
    -------
    ndarray of float64, shape (m, n)
        RMSD in Angstrom.
    """
    rows = max(1, _BATCH_BYTES // (9 * 8 * max(1, len(b))))
    return np.concatenate([_batch(a[i : i + rows], b) for i in range(0, len(a), rows)] or [np.empty((0, len(b)))])


def _batch(a: Array, b: Array) -> Array:
    m, n, atoms = len(a), len(b), a.shape[1]
    # All covariances are one product of two matrices: (3 m, atoms) by (atoms, 3 n).
    left = a.transpose(0, 2, 1).reshape(3 * m, atoms)
    right = b.transpose(1, 0, 2).reshape(atoms, 3 * n)
    covariance = (left @ right).reshape(m, 3, n, 3).swapaxes(1, 2)
    singular = np.linalg.svd(covariance, compute_uv=False)
    singular[..., 2] *= np.sign(np.linalg.det(covariance))
    spread = (a**2).sum(axis=(1, 2))[:, None] + (b**2).sum(axis=(1, 2))[None, :]
    square = spread - 2 * singular.sum(axis=2)
    result: Array = np.sqrt(np.maximum(square, 0.0) / atoms)
    for i, j in np.argwhere(square < _CLOSE * spread):
        result[i, j] = _rmsd_by_points(a[i], b[j])
    return result


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
    return symmetric(rmsd_block(models, models))


def symmetric(matrix: Array) -> Array:
    """Mirror the part of a square matrix above the diagonal, which becomes zero."""
    upper = np.triu(matrix, 1)
    result: Array = upper + upper.T
    return result
