"""The futures of an executor, and the calculation that works on them."""

from __future__ import annotations

import itertools
import sys
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from biskit_pvm import calls
from biskit_pvm.errors import CalculationError
from biskit_pvm.executor import packing, places
from biskit_pvm.executor.broken import BrokenPVMExecutor
from biskit_pvm.executor.cells import Cell
from biskit_pvm.executor.cells import Mapping as Mapped
from biskit_pvm.executor.settings import CallOptions, Setting
from biskit_pvm.executor.shared import Shared, Shelf
from biskit_pvm.executor.work import Work, fail
from biskit_pvm.jobs.failures import words_of
from biskit_pvm.report.progress import count


class Pool:
    """Take calls in and see them through; does not keep the executor alive.

    Parameters
    ----------
    max_workers, hosts, add_hosts
        As those of `biskit_pvm.futures.PVMExecutor`.
    setting : Setting
    options : mapping
        Those of `biskit_pvm.jobs.rules.Rules`.
    """

    def __init__(
        self,
        max_workers: int | None,
        hosts: Sequence[str] | None,
        add_hosts: bool,
        setting: Setting,
        options: Mapping[str, Any],
    ) -> None:
        self.max_workers = max_workers
        self.hosts = None if hosts is None else list(hosts)
        self.add_hosts = add_hosts
        self.setting = setting
        self.options = options
        #: of the calls that have no outcome yet, by number
        self.futures: dict[int, Any] = {}
        self.broken: str | None = None
        self.error: BaseException | None = None
        self.closed = False
        # Reentrant: the collector may finalize an executor in whatever thread holds this.
        self.lock = threading.RLock()
        self.numbers: Iterator[int] = itertools.count()
        self.functions = packing.Functions()
        self.shelf = Shelf()
        self.master: Work | None = None

    def submit(
        self,
        fn: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        options: CallOptions | None = None,
    ) -> Future[Any]:
        """Take a call in."""
        future: Future[Any] = Future()
        try:
            packed = self.functions.pack(fn)
            call = (
                packing.pack_whole(fn, args, kwargs) if packed is None else packing.pack_arguments(packed, args, kwargs)
            )
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            self.check()
            future.set_exception(error)
            return future
        self._take(future, call, options)
        return future

    def submit_many(
        self, fn: Any, arguments: Iterator[tuple[Any, ...]], common: Mapped, options: CallOptions | None = None
    ) -> Iterator[Cell]:
        """Yield a cell for each call as it is taken in; the function is packed once."""
        packed: bytes | None = None
        unpacked = True
        for args in arguments:
            cell = Cell(common)
            try:
                if unpacked:
                    packed, unpacked = self.functions.pack(fn), False
                call = packing.pack_whole(fn, args, {}) if packed is None else packing.pack_arguments(packed, args, {})
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                self.check()
                cell.set_exception(error)
                yield cell
                continue
            self._take(cell, call, options)
            yield cell

    def _take(self, future: Any, call: Any, options: CallOptions | None) -> None:
        with self.lock:
            if self.broken is not None or self.closed or _exiting:
                self.check()
            master = self.master or self.start()
            number = next(self.numbers)
            self.futures[number] = future
            master.submit(number, call, options)

    def count(self) -> int:
        """Return the number of slaves, those that have died included."""
        if self.master is not None:
            return len(self.master.slots.slots)
        return places.count(self.max_workers, self.hosts)

    def share(self, value: Any) -> Shared:
        """Share an object."""
        with self.lock:
            self.check()
            return self.shelf.share(value)

    def scale(self, number: int) -> None:
        """Have so many slaves."""
        with self.lock:
            if self.master is None:
                self.max_workers = number
            else:
                self.master.scale(number)

    def add(self, hosts: list[str]) -> None:
        """Have slaves at more hosts."""
        if self.master is not None:  # without the lock, which is held while the first slaves are started
            self.master.add(hosts, self.add_hosts)
            return
        with self.lock:
            self.hosts = [*self._known_hosts(), *hosts]
            if self.max_workers is not None:
                self.max_workers += len(hosts)

    def remove(self, hosts: list[str], finish: bool) -> None:
        """Have no slaves at some hosts any more."""
        if self.master is not None:
            self.master.remove(hosts, finish)
            return
        with self.lock:
            known = self._known_hosts()
            for host in hosts:
                if places.without(known, [host]) == known:
                    raise ValueError(f"no slave is wanted on {host!r}")
            left = places.without(known, hosts)
            if not left:
                raise ValueError("no host would be left")
            if self.max_workers is not None:
                self.max_workers = len(places.without(places.in_turns(known, self.max_workers), hosts))
            self.hosts = left

    def _known_hosts(self) -> list[str]:
        return places.choose(None, None, False).hosts if self.hosts is None else self.hosts

    def wait_for_workers(self, number: int | None, timeout: float | None) -> int:
        """Start the slaves and wait until so many can work; return how many can."""
        master = self.start()

        def enough() -> bool:
            expected = master.n_expected()
            wanted = expected if number is None else min(number, expected)
            return master.n_ready() >= wanted or self.broken is not None

        with master.change:
            master.change.wait_for(enough, timeout)
        if self.broken is not None:
            self.check()
        if not master.n_expected():
            raise BrokenPVMExecutor(master.why_none())
        return master.n_ready()

    def end_call(self, future: Any) -> bool:
        """End a call that runs; return whether it did."""
        for number, other in list(self.futures.items()):
            if other is future and self.master is not None:
                self.master.loop.call_soon(self.master.end_call, number)
                return True
        return False

    def terminate(self, signum: int) -> None:
        """End all slaves, whatever they do."""
        with self.lock:
            self.closed = True
        if self.master is not None:
            self.master.terminate(signum)
            self.join()

    def describe(self) -> str:
        """Return what there is to say of the executor: calls done, slaves, hosts."""
        if self.broken is not None:
            return f"broken: {self.broken.splitlines()[0] if self.broken else ''}"
        if self.master is None:
            return "not started"
        slaves = list(self.master.state.slaves.values())
        hosts = len({slave.slot.host for slave in slaves})
        return (
            f"{count(self.master.n_done, 'call')} done, {len(self.futures)} to do, "
            f"{count(len(slaves), 'slave')} on {count(hosts, 'host')}" + (", shut down" if self.closed else "")
        )

    def check(self) -> None:
        """Raise when no call is taken any more."""
        if self.broken is not None:
            raise BrokenPVMExecutor(self.broken) from self.error
        if _exiting:
            raise RuntimeError("cannot schedule new futures after interpreter shutdown")
        if self.closed:
            raise RuntimeError("cannot schedule new futures after shutdown")

    def start(self) -> Work:
        """Start the slaves, unless they are."""
        with self.lock:
            self.check()
            if self.master is None:
                # Results may be of classes that the user's script defines, which slaves know by this name.
                sys.modules.setdefault(calls.MAIN, sys.modules["__main__"])
                _remember(self)
                where = places.choose(self.max_workers, self.hosts, self.add_hosts)
                self.master = Work(self, where, self.setting, self.options)
                try:
                    self.master.start()
                except CalculationError as error:
                    raise BrokenPVMExecutor(str(error)) from error
            return self.master

    def close(self, cancel_futures: bool = False) -> None:
        """Take no more calls; the master ends when it has done those it has."""
        with self.lock:
            if self.master is not None and cancel_futures:
                # In the master's thread, behind what idle slaves can still be given.
                self.master.loop.call_soon(self.cancel)
            if self.master is not None and not self.closed:
                self.master.close_when_done()
            self.closed = True

    def cancel(self) -> None:
        """Cancel the calls that no slave has."""
        for future in list(self.futures.values()):
            future.cancel()

    def join(self) -> None:
        """Wait until the slaves have gone."""
        # without an ident it could not be started
        if self.master is not None and self.master.thread.ident is not None and not self.master.loop.inside():
            self.master.thread.join()

    def fail(self, error: BaseException) -> None:
        """No call will be done any more."""
        known = isinstance(error, (CalculationError, BrokenPVMExecutor))
        reason = words_of(error) if known else f"{type(error).__name__}: {words_of(error)}"
        with self.lock:
            self.broken, self.error = reason, error
            futures, self.futures = self.futures, {}
        for future in futures.values():
            broken = BrokenPVMExecutor(reason)
            broken.__cause__ = error
            fail(future, broken)


_pools: weakref.WeakSet[Pool] = weakref.WeakSet()
_registered = False
_exiting = False


def _remember(pool: Pool) -> None:
    """Have the calls of an executor finished before the interpreter ends, as those of Python's own are."""
    global _registered
    if not _registered:
        # Called before threads are waited for, which a function of the module atexit is not.
        try:
            threading._register_atexit(_finish_all)  # type: ignore[attr-defined]
        except RuntimeError:
            raise RuntimeError("cannot schedule new futures after interpreter shutdown") from None
        _registered = True
    _pools.add(pool)


def _finish_all() -> None:
    global _exiting
    _exiting = True
    pools = list(_pools)
    for pool in pools:
        pool.close()
    for pool in pools:
        pool.join()
