"""A future that costs little as long as nobody waits for it."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from concurrent.futures._base import FINISHED, PENDING, RUNNING
from typing import Any

#: held to make a condition, and to change the state of a future that has none; reentrant, since signal handlers and
#: the collector may do either in whatever thread holds it
_lock = threading.RLock()


class CallFuture(Future[Any]):
    """A future of Python's own, whose condition is made when somebody asks for it.

    To make one takes longer than all else that a future does, and most get their outcome before anybody waits.
    """

    def __init__(self) -> None:
        # all that Future.__init__ sets, except the condition
        self._state = PENDING
        self._result: Any = None
        self._exception: BaseException | None = None
        self._waiters: list[Any] = []
        self._done_callbacks: list[Any] = []
        self._made: threading.Condition | None = None

    @property
    def _condition(self) -> threading.Condition:  # type: ignore[override]
        if self._made is None:
            with _lock:
                if self._made is None:
                    self._made = threading.Condition()
        return self._made

    # Without a condition there are neither waiters nor callbacks: to add one takes the condition first.

    def set_running_or_notify_cancel(self) -> bool:
        """Note that a slave gets the call; return False when it was cancelled."""
        with _lock:
            if self._made is None and self._state is PENDING:
                self._state = RUNNING
                return True
        return super().set_running_or_notify_cancel()

    def set_waiting(self) -> None:
        """Note that the slave has given the call back."""
        with self._condition:
            if self._state == RUNNING:
                self._state = PENDING

    def set_result(self, result: Any) -> None:
        """Set the value and wake whoever waits for it."""
        with _lock:
            if self._made is None and self._state is RUNNING:
                self._result = result
                self._state = FINISHED
                return
        super().set_result(result)

    def result(self, timeout: float | None = None) -> Any:
        """Return the value, or raise what was raised; wait for it at most `timeout` seconds."""
        if self._state is FINISHED and self._exception is None:  # which does not change any more
            return self._result
        return super().result(timeout)

    def done(self) -> bool:
        """Whether the outcome is there, or will never be."""
        return self._state is FINISHED or super().done()
