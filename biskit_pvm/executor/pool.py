"""The futures of an executor, and the calculation that works on them."""

from __future__ import annotations

import itertools
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any

from biskit_pvm import calls
from biskit_pvm.errors import CalculationError
from biskit_pvm.executor import packing, places
from biskit_pvm.executor.broken import BrokenPVMExecutor
from biskit_pvm.executor.cells import Cell, UsingCell
from biskit_pvm.executor.cells import Mapping as Mapped
from biskit_pvm.executor.future import CallFuture
from biskit_pvm.executor.recurring import Argument, Recurring
from biskit_pvm.executor.settings import CallOptions, Setting
from biskit_pvm.executor.work import Work, fail
from biskit_pvm.jobs.failures import words_of
from biskit_pvm.messages.shared import Shared, Shelf
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
    share_arguments : bool
        Share large arguments that come again.
    """

    def __init__(
        self,
        max_workers: int | None,
        hosts: Sequence[str] | None,
        add_hosts: bool,
        setting: Setting,
        options: Mapping[str, Any],
        share_arguments: bool = False,
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
        self.recurring = Recurring(self.share) if share_arguments else None
        self.master: Work | None = None
        self._starter: threading.Thread | None = None
        #: set when there is a master, or will be none
        self._chosen = threading.Event()
        #: whether the master gets calls; number, call and options of those that came before
        self._open = False
        self._early: deque[tuple[int, Any, CallOptions | None]] = deque()

    def submit(
        self,
        fn: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        options: CallOptions | None = None,
    ) -> Future[Any]:
        """Take a call in."""
        future = CallFuture()
        try:
            packed = self.functions.pack(fn)
            if self.recurring is not None:
                used: list[Argument] = []
                args = tuple([self.recurring.lighter(value, used) for value in args])
                kwargs = {name: self.recurring.lighter(value, used) for name, value in kwargs.items()}
                if used:
                    future.add_done_callback(partial(self.recurring.done, used))
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
                if self.recurring is not None:
                    used: list[Argument] = []
                    args = tuple([self.recurring.lighter(value, used) for value in args])
                    if used:
                        cell = UsingCell(common, partial(self.recurring.done, used))
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
            number = next(self.numbers)
            self.futures[number] = future
            if self._open and self.master is not None:
                self.master.submit(number, call, options)
            else:
                self._early.append((number, call, options))
                self._begin()

    def count(self) -> int:
        """Return the number of slaves, those that have died included."""
        if self.master is not None:
            return len(self.master.slots.slots)
        return places.count(self.max_workers, self.hosts)

    def share(self, value: Any) -> Shared:
        """Share an object."""
        with self.lock:
            self.check()
        return self.shelf.share(value, packing.parts_of)

    def scale(self, number: int) -> None:
        """Have so many slaves."""
        self._wait_for_master()
        with self.lock:
            if self.master is None:
                self.max_workers = number
            else:
                self.master.scale(number)

    def add(self, hosts: list[str]) -> None:
        """Have slaves at more hosts."""
        self._wait_for_master()
        if self.master is not None:  # without the lock, which calls need
            self.master.add(hosts, self.add_hosts)
            return
        with self.lock:
            self.hosts = [*self._known_hosts(), *hosts]
            if self.max_workers is not None:
                self.max_workers += len(hosts)

    def remove(self, hosts: list[str], finish: bool) -> None:
        """Have no slaves at some hosts any more."""
        self._wait_for_master()
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
        end = None if timeout is None else time.monotonic() + timeout
        self.start()
        self._join_starter(timeout)
        master = self.master
        if self.broken is not None:
            self.check()
        if master is None:
            return 0

        def enough() -> bool:
            expected = master.n_expected()
            wanted = expected if number is None else min(number, expected)
            return master.n_ready() >= wanted or self.broken is not None

        with master.change:
            master.change.wait_for(enough, None if end is None else max(end - time.monotonic(), 0))
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
        self._join_starter()
        if self.master is not None:
            self.master.terminate(signum)
            self.join()

    def describe(self) -> str:
        """Return what there is to say of the executor: calls done, slaves, hosts."""
        if self.broken is not None:
            return f"broken: {self.broken.splitlines()[0] if self.broken else ''}"
        if self.master is None:
            return "not started" if self._starter is None else "starting"
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

    def start(self) -> None:
        """Have the slaves started, unless they are."""
        with self.lock:
            self.check()
            self._begin()

    def _begin(self) -> None:
        """Start the thread that starts the slaves, unless it was: nobody who makes a call waits for that."""
        if self._starter is not None:
            return
        # Results may be of classes that the user's script defines, which slaves know by this name.
        sys.modules.setdefault(calls.MAIN, sys.modules["__main__"])
        _remember(self)
        self._starter = threading.Thread(target=self._start, name="PVMExecutor-start")
        try:
            self._starter.start()
        except BaseException as error:
            self._chosen.set()
            self.fail(error)
            raise

    def _start(self) -> None:
        try:
            where = places.choose(self.max_workers, self.hosts, self.add_hosts)
            master = self.master = Work(self, where, self.setting, self.options)
            self._chosen.set()
            master.start()
            # not before: with require='all' nothing is done unless all slaves are there
            self._hand_over(master)
        except BaseException as error:
            if self.broken is None:
                self.fail(error)
        finally:
            self._chosen.set()

    def _hand_over(self, master: Work) -> None:
        with self.lock:
            while self._early:
                master.submit(*self._early.popleft())
            self._open = True
            if self.closed:
                master.close_when_done()

    def _wait_for_master(self) -> None:
        if self._starter is not None:
            self._chosen.wait()

    def _join_starter(self, timeout: float | None = None) -> None:
        starter = self._starter
        # without an ident it could not be started
        if starter is not None and starter.ident is not None and starter is not threading.current_thread():
            starter.join(timeout)

    def close(self, cancel_futures: bool = False) -> None:
        """Take no more calls; the master ends when it has done those it has."""
        with self.lock:
            master = self.master if self._open else None
            if cancel_futures and master is not None:
                # In the master's thread, behind what idle slaves can still be given.
                master.loop.call_soon(self.cancel)
            elif cancel_futures:
                self.cancel()
            if self._starter is None:
                self.shelf.close()
            if master is not None and not self.closed:
                master.close_when_done()
            self.closed = True

    def cancel(self) -> None:
        """Cancel the calls that no slave has, and those that slaves give back."""
        if self.master is not None:
            self.master.cancelling = True
        for future in list(self.futures.values()):
            future.cancel()

    def join(self) -> None:
        """Wait until the slaves have gone."""
        if self.master is not None and self.master.loop.inside():
            return
        self._join_starter()
        if self.master is not None and self.master.thread.ident is not None:
            self.master.thread.join()

    def fail(self, error: BaseException) -> None:
        """No call will be done any more."""
        known = isinstance(error, (CalculationError, BrokenPVMExecutor))
        reason = words_of(error) if known else f"{type(error).__name__}: {words_of(error)}"
        with self.lock:
            self.broken, self.error = reason, error
            futures, self.futures = self.futures, {}
            self._early.clear()
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
