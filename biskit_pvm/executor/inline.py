"""Calls in this very process, one after the other: for debuggers, profilers and coverage."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

from biskit_pvm.executor.broken import BrokenPVMExecutor
from biskit_pvm.executor.cells import Cell
from biskit_pvm.executor.cells import Mapping as Mapped
from biskit_pvm.executor.settings import CallOptions


class InlinePool:
    """Does what `biskit_pvm.executor.pool.Pool` does, without a virtual machine.

    Parameters
    ----------
    initializer : callable or None
        Called before the first call, with `initargs`.
    """

    def __init__(self, initializer: Callable[..., object] | None, initargs: tuple[Any, ...]) -> None:
        self._initializer, self._initargs = initializer, initargs
        self.closed = False
        self.broken: str | None = None
        self.n_done = 0
        self.master = None

    def start(self) -> None:
        """Call the initializer, unless it was called."""
        if self.broken is not None:
            raise BrokenPVMExecutor(self.broken)
        if self.closed:
            raise RuntimeError("cannot schedule new futures after shutdown")
        initializer, self._initializer = self._initializer, None
        if initializer is not None:
            try:
                initializer(*self._initargs)
            except Exception as error:
                self.broken = f"the initializer failed: {type(error).__name__}: {error}"
                raise BrokenPVMExecutor(self.broken) from error

    def submit(self, fn: Any, args: Any, kwargs: Any, options: CallOptions | None = None) -> Future[Any]:
        """Make the call."""
        future: Future[Any] = Future()
        future.set_running_or_notify_cancel()
        self._call(future, fn, args, kwargs, options)
        return future

    def submit_many(
        self, fn: Any, arguments: Iterator[tuple[Any, ...]], common: Mapped, options: CallOptions | None = None
    ) -> Iterator[Cell]:
        """Make a call each time that one is asked for."""
        for args in arguments:
            cell = Cell(common)
            self._call(cell, fn, args, {}, options)
            yield cell

    def _call(self, future: Any, fn: Any, args: Any, kwargs: Any, options: CallOptions | None) -> None:
        self.start()
        for left in reversed(range(1 + (options.retries if options is not None else 0))):
            try:
                value = fn(*args, **kwargs)
            except Exception as error:
                if not left:
                    future.set_exception(error)
            else:
                future.set_result(value)
                break
        self.n_done += 1

    def count(self) -> int:
        """Return the number of workers."""
        return 1

    def describe(self) -> str:
        """Return what there is to say of the executor."""
        return f"{self.n_done} calls done in this process"

    def close(self, cancel_futures: bool = False) -> None:
        """Take no more calls."""
        self.closed = True

    def join(self) -> None:
        """Nothing runs."""

    def share(self, value: Any) -> Any:
        """Return the object: there is one process."""
        return value

    def scale(self, number: int) -> None:
        """There is one worker, whatever is asked for."""

    def add(self, hosts: Any) -> None:
        """Hosts are of no use here."""

    def remove(self, hosts: Any, finish: bool) -> None:
        """Hosts are of no use here."""

    def wait_for_workers(self, number: int | None, timeout: float | None) -> int:
        """Return the number of workers."""
        self.start()
        return 1

    def end_call(self, future: Any) -> bool:
        """Calls are over when their future is known."""
        return False

    def terminate(self, signum: int) -> None:
        """Take no more calls."""
        self.closed = True
