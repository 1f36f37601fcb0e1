"""What loky's tests find where they ask for loky's executor and its surroundings."""

from __future__ import annotations

import functools
import multiprocessing
from types import SimpleNamespace
from typing import Any

from biskit_pvm.futures import BrokenPVMExecutor, PVMExecutor

BrokenProcessPool = TerminatedWorkerError = BrokenPVMExecutor
ShutdownExecutorError = RuntimeError


class LokyRecursionError(RuntimeError):
    """Never raised: executors in slaves may have executors."""


class ProcessPoolExecutor(PVMExecutor):
    """Ours, with loky's way to say `kill_workers`, and the flags that its tests look at."""

    def __init__(self, max_workers: int | None = None, context: Any = None, **options: Any) -> None:
        super().__init__(max_workers, **options)
        self._killed = False

    def shutdown(self, wait: bool = True, *, kill_workers: bool = False, cancel_futures: bool = False) -> None:
        if kill_workers:
            self._killed = True
            self.kill_workers()
        super().shutdown(wait, cancel_futures=cancel_futures)

    @property
    def _flags(self) -> Any:
        return SimpleNamespace(broken=None if self._killed else self._pool.broken, shutdown=self._pool.closed)


@functools.cache
def _manager() -> Any:
    return multiprocessing.get_context("spawn").Manager()


class Context:
    """A start method of multiprocessing, whose events can be sent to slaves."""

    def get_start_method(self) -> str:
        return "loky"

    def Event(self) -> Any:
        return _manager().Event()


def get_context(method: str = "") -> Context:
    return Context()
