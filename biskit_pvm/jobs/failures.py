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

    try:
        text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    except BaseException:  # one whose own words raise
        text = "".join(traceback.format_tb(error.__traceback__)) + type(error).__name__
    try:
        pickled: bytes | None = pickle.dumps(error)
    except BaseException:
        pickled = None
    return Failure(type(error).__name__, words_of(error), text, pickled)


def words_of(error: BaseException) -> str:
    """Return the text of an exception, also of one whose ``__str__`` raises."""
    try:
        return str(error)
    except BaseException as other:
        return f"(its text cannot be had: __str__ raised {type(other).__name__})"


def revive(failure: Failure) -> BaseException | None:
    """Return the exception of a failure; None where it cannot be made."""
    if failure.exception is None:
        return None
    try:
        error = pickle.loads(failure.exception)
    except BaseException:  # whatever it does when it is made belongs to the slave
        return None
    return error if isinstance(error, BaseException) else None
