"""What an executor and its calls are set to."""

from __future__ import annotations

from typing import Any, NamedTuple


class Setting(NamedTuple):
    """How slaves are started.  See `biskit_pvm.futures.PVMExecutor`."""

    niceness: dict[str, int]
    initializer: Any
    show_output: Any
    threads: int | None
    env: dict[str, str]
    require: str
    foreman: bool
    logging: bool = False


class CallOptions(NamedTuple):
    """What holds for single calls.  See `biskit_pvm.futures.PVMExecutor.with_options`."""

    timeout: float | None = None
    retries: int = 0
    priority: float = 0
