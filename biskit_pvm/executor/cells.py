"""The outcomes of one `map`: futures that only its iterator sees, and so much lighter ones."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import CancelledError, TimeoutError
from typing import Any

PENDING, RUNNING, CANCELLED, FINISHED = "PENDING", "RUNNING", "CANCELLED", "FINISHED"


class Mapping:
    """What the calls of one `map` have in common.

    Parameters
    ----------
    unordered : bool
        Whether outcomes are taken in the order in which they come, from `came`.
    """

    def __init__(self, unordered: bool = False) -> None:
        self.lock = threading.Lock()
        self.wanted: Cell | None = None
        self.event = threading.Event()
        self.unordered = unordered
        self.came: deque[Cell] = deque()

    def next_that_came(self, timeout: float | None) -> Cell:
        """Wait for the next outcome, whichever it is."""
        while True:
            try:
                return self.came.popleft()
            except IndexError:
                self.event.clear()
            if not self.came and not self.event.wait(timeout):
                raise TimeoutError()


class Cell:
    """The outcome of one call; to the executor it is a future."""

    __slots__ = ("_error", "_state", "_value", "common")

    def __init__(self, common: Mapping) -> None:
        self.common = common
        self._state = PENDING
        self._value: Any = None
        self._error: BaseException | None = None

    def done(self) -> bool:
        """Whether the outcome is there, or will never be."""
        return self._state in (FINISHED, CANCELLED)

    def cancel(self) -> bool:
        """Cancel the call when no slave has it; return whether it is cancelled."""
        with self.common.lock:
            if self._state in (RUNNING, FINISHED):
                return False
            self._state = CANCELLED
        self._wake()
        return True

    def set_running_or_notify_cancel(self) -> bool:
        """Note that a slave gets the call; return False when it was cancelled."""
        with self.common.lock:
            if self._state == CANCELLED:
                return False
            self._state = RUNNING
            return True

    def set_waiting(self) -> None:
        """Note that the slave has given the call back."""
        with self.common.lock:
            if self._state == RUNNING:
                self._state = PENDING

    def set_result(self, value: Any) -> None:
        """Set the value and wake whoever waits for it."""
        self._value = value
        self._state = FINISHED
        self._wake()

    def _wake(self) -> None:
        common = self.common
        if common.unordered:
            common.came.append(self)
            common.event.set()
        elif common.wanted is self:
            common.event.set()

    def set_exception(self, error: BaseException) -> None:
        """Set what was raised."""
        self._error = error
        self.set_result(None)

    def result(self, timeout: float | None = None) -> Any:
        """Return the value, or raise what was raised."""
        if not self.done():
            common = self.common
            common.event.clear()
            common.wanted = self
            if not self.done() and not common.event.wait(timeout):
                raise TimeoutError()
            common.wanted = None
        if self._state == CANCELLED:
            raise CancelledError()
        if self._error is not None:
            error, self._error = self._error, None
            try:
                raise error
            finally:
                del error  # its traceback holds this frame
        # the iterator asks once, and the value must not live longer than its user wants
        value, self._value = self._value, None
        return value


class UsingCell(Cell):
    """The outcome of a call that uses something.

    Parameters
    ----------
    common : Mapping
    done : callable
        Called when it is not used any more.
    """

    __slots__ = ("_done",)

    def __init__(self, common: Mapping, done: Callable[[], None]) -> None:
        super().__init__(common)
        self._done: Callable[[], None] | None = done

    def _wake(self) -> None:
        done, self._done = self._done, None
        if done is not None:
            done()
        super()._wake()
