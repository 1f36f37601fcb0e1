"""The exceptions of calculations."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

__all__ = ["CalculationError", "JobError", "RestartError"]


class Failure(NamedTuple):
    """Why a job or a slave came to nothing.

    `kind` is the name of the exception, or one of 'died', 'timeout',
    'no result'; `exception` is the pickled exception where there is one.
    """

    kind: str
    message: str
    traceback: str = ""
    exception: bytes | None = None


class JobError(Exception):
    """An item that failed.

    Attributes
    ----------
    item : hashable
    host : str
        Where it was tried last.
    kind : str
        Name of the exception, or 'died', 'timeout', 'no result'.
    message : str
    traceback : str
        The slave's traceback as text; empty when nothing was raised.
    exception : BaseException or None
        The slave's exception, where it can be carried over.
    """

    def __init__(
        self,
        item: Any,
        host: str = "",
        kind: str = "",
        message: str = "",
        traceback: str = "",
        exception: BaseException | None = None,
    ) -> None:
        super().__init__(item, host, kind, message, traceback)
        self.item = item
        self.host = host
        self.kind = kind
        self.message = message
        self.traceback = traceback
        self.exception = exception

    @classmethod
    def from_failure(cls, item: Any, host: str, failure: Failure, exception: BaseException | None) -> JobError:
        """Make the error of an item from what the slave reported."""
        return cls(item, host, failure.kind, failure.message, failure.traceback, exception)

    def __str__(self) -> str:
        text = f"item {self.item!r} on {self.host or 'no host'}: {self.kind}: {self.message}"
        if self.traceback:
            text += "\n\n" + self.traceback.rstrip()
        return text


class CalculationError(Exception):
    """A calculation ended without all its results.

    Attributes
    ----------
    errors : dict
        {item: JobError} of the items that failed.
    result : dict
        {item: result} of the finished items.
    """

    def __init__(
        self, message: str, errors: dict[Any, JobError] | None = None, result: dict[Any, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.errors = {} if errors is None else errors
        self.result = {} if result is None else result

    @classmethod
    def of_items(cls, errors: dict[Any, JobError], result: dict[Any, Any], total: int) -> CalculationError:
        """Make the error of a calculation that gave items up."""
        names = ", ".join(repr(item) for item in list(errors)[:5])
        if len(errors) > 5:
            names += ", ..."
        first = next(iter(errors.values()))
        return cls(f"{len(errors)} of {total} items failed ({names}); the first: {first}", errors, result)


class NoHostError(CalculationError, AssertionError):
    """A calculation has no host to work on."""

    __py2_type__ = AssertionError


class RestartError(Exception):
    """A restart file cannot be used."""


def check_options(given: Iterable[str], known: Iterable[str], what: str) -> None:
    """Raise TypeError when an option is not known, naming the nearest."""
    import difflib  # not needed when all is well

    known = list(known)
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise TypeError(f"{what} takes no argument {name!r}{hint}")
