"""What an executor and its calls are set to."""

from __future__ import annotations

from typing import Any, NamedTuple

from biskit_pvm.jobs.setup import Setup


class Setting(NamedTuple):
    """How slaves are started, and the call that they begin with.  See `biskit_pvm.futures.PVMExecutor`."""

    setup: Setup
    initializer: Any


class CallOptions(NamedTuple):
    """What holds for single calls.  See `biskit_pvm.futures.PVMExecutor.with_options`."""

    timeout: float | None = None
    retries: int = 0
    priority: float = 0
