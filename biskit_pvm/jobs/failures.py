"""Exceptions on their way from a slave to its master."""

from __future__ import annotations

import pickle

from biskit_pvm.errors import Failure


def describe(error: BaseException) -> Failure:
    """Return what a master has to know of an exception.

    The exception itself travels along, pickled apart, so that one that
    cannot be pickled, or cannot be read by the master, harms nothing.
    """
    import traceback  # not needed by most slaves

    text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    try:
        pickled: bytes | None = pickle.dumps(error)
    except Exception:
        pickled = None
    return Failure(type(error).__name__, str(error), text, pickled)


def revive(failure: Failure) -> BaseException | None:
    """Return the exception of a failure; None where it cannot be made."""
    if failure.exception is None:
        return None
    try:
        error = pickle.loads(failure.exception)
    except Exception:
        return None
    return error if isinstance(error, BaseException) else None
