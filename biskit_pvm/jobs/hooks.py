"""What a calculation asks of whoever runs it: a master, or an executor."""

from __future__ import annotations

from typing import Any, Protocol

from biskit_pvm.errors import JobError


class Hooks(Protocol):
    """Called in the thread of the message loop, one at a time, with the lock of the items held.

    Whatever one of them raises ends the calculation, and is its error.
    """

    def start_job(self, slave_tid: int) -> None:
        """A slave is about to get a job, or has been initialised and there is none for it."""

    def job_done(self, slave_tid: int, result: dict[Any, Any]) -> None:
        """A slave has returned a result; its items are still out."""

    def returned(self, items: list[Any]) -> None:
        """A slave has not begun with these items, and gives them back."""

    def is_valid_slave(self, slave_tid: int) -> Any:
        """Tell whether a slave that has done a job may get another one."""

    def get_slave_chunk(self, items: list[Any]) -> dict[Any, Any]:
        """Return what a slave is to work on: {item: object}."""

    def chunk_size_for(self, slave_tid: int) -> int:
        """Return how many items a slave gets at a time."""

    def queued_for(self, slave_tid: int) -> int:
        """Return how many bytes for a slave wait until its line takes them."""

    def send_jobs(self, slave_tid: int, jobs: list[tuple[int, Any]], n_left: int) -> int:
        """Send jobs, pairs of a number and a chunk, to a slave; return how many bytes that took."""

    def keep(self, result: dict[Any, Any]) -> None:
        """Keep results: {item: result}."""

    def item_failed(self, error: JobError) -> None:
        """An item has failed."""

    def item_recovered(self, item: Any) -> None:
        """A result came after all for an item that had failed."""

    def note(self, text: str) -> None:
        """Tell the user what happened."""

    def finish(self) -> None:
        """Every item is finished or has failed.  Called once."""

    def end_badly(self, error: BaseException) -> None:
        """The calculation ends before its end.  Called once, in whatever thread saw the error."""


class Starter(Protocol):
    """Starts and ends slaves for a calculation."""

    def start_again(self, nickname: str) -> None:
        """Start a slave again at its slot, without waiting for it."""

    def dismiss(self, slave_tid: int) -> None:
        """Let a slave go that has nothing to do."""

    def try_host(self, host: str, seconds: float, silent: bool) -> None:
        """See whether a host can be used that is lost for so many seconds, without waiting for it."""

    def arrivals(self) -> dict[int, float]:
        """Return how many seconds ago bytes of slaves have come last, as far as that is known."""

    def kill(self, slave_tid: int, reason: str) -> None:
        """End the process of a slave, whatever it does."""
