"""An executor of Python's own kind whose workers are PVM slaves.

>>> from biskit_pvm.futures import PVMExecutor
>>> with PVMExecutor(hosts=["node1", "node2"]) as executor:     # doctest: +SKIP
...     print(list(executor.map(pow, range(4), range(4))))
[1, 1, 4, 27]
"""

from __future__ import annotations

import itertools
import os
import pickle
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future
from concurrent.futures._base import BrokenExecutor
from typing import Any, Callable

from biskit_pvm import calls
from biskit_pvm import hosts as hosts_file
from biskit_pvm.errors import CalculationError, Failure, JobError, check_options
from biskit_pvm.jobs import events as ev
from biskit_pvm.jobs.calculation import Calculation, now
from biskit_pvm.jobs.failures import words_of
from biskit_pvm.jobs.items import FINISHED, Jobs
from biskit_pvm.jobs.master_state import MasterState
from biskit_pvm.jobs.rules import Rules
from biskit_pvm.jobs.scripts import slave_script
from biskit_pvm.jobs.slaves import Slaves
from biskit_pvm.jobs.slots import Slots, nicknames
from biskit_pvm.machine import names, task
from biskit_pvm.machine.log import Log
from biskit_pvm.machine.tags import DAEMON, Tag
from biskit_pvm.messages.messenger import Messenger, print_error
from biskit_pvm.report.progress_bar import Progress

__all__ = ["BrokenPVMExecutor", "PVMExecutor"]

log = Log(__name__)

OPTIONS = ("max_deaths", "max_respawns", "heartbeat", "start_timeout", "watch_hosts")
"""Options of the master that a user of the executor may set."""


class BrokenPVMExecutor(BrokenExecutor):
    """No slave is left to work, or a call cannot be done because the slaves that tried it have died."""


class PVMExecutor(Executor):
    """Run calls on the slaves of a Parallel Virtual Machine.

    Interface and meaning are those of `concurrent.futures.Executor`; calls, arguments and results are pickled, as
    by `concurrent.futures.ProcessPoolExecutor`.  Functions that cannot be imported by name (lambdas, closures, those
    of an interactive session) need cloudpickle.

    Parameters
    ----------
    max_workers : int, optional
        Number of slaves.  By default one per entry of `hosts`; without these, the number of hosts of the virtual
        machine, or the number of processors where this computer is the only one.
    hosts : sequence of str, optional
        Where the slaves are started, in turns; a host may occur several times.  By default the hosts that are in
        the virtual machine.
    initializer : callable, optional
        Called in each slave before its first call, with `initargs`.  A slave whose initializer raises is not used,
        and when none is left the executor is broken.
    initargs : tuple
        Arguments of `initializer`.
    niceness : dict, optional
        {host: nice value, 'default': nice value}; 0 by default.
    prefetch : float
        Seconds of short calls that a slave may have in hand while it works on another.  More than 0 is faster for
        large numbers of calls of some microseconds, but a short call may then wait behind a long one.
    add_hosts : bool
        Add `hosts` to the virtual machine first.
    **options
        Those of `biskit_pvm.JobMaster` about faults: max_deaths, max_respawns, heartbeat, start_timeout, watch_hosts.

    Notes
    -----
    Unlike a process pool, which is broken by the first worker that dies, the calls of a dead slave are given to
    others, unless `max_deaths` slaves have died over one: its future then raises `BrokenPVMExecutor`.

    The slaves are started by the first call.
    """

    def __init__(
        self,
        max_workers: int | None = None,
        hosts: Sequence[str] | None = None,
        *,
        initializer: Callable[..., object] | None = None,
        initargs: tuple[Any, ...] = (),
        niceness: dict[str, int] | None = None,
        prefetch: float = 0.0,
        add_hosts: bool = False,
        **options: Any,
    ) -> None:
        if max_workers is not None and max_workers <= 0:
            raise ValueError("max_workers must be greater than 0")
        if initializer is not None and not callable(initializer):
            raise TypeError("initializer must be a callable")
        if isinstance(hosts, str):
            raise TypeError("hosts must be a sequence of host names, not one string")
        if hosts is not None and not hosts:
            raise ValueError("hosts must not be empty")
        check_options(options, OPTIONS, type(self).__name__)
        self._pool = _Pool(
            max_workers, hosts, initializer, initargs, niceness, add_hosts, dict(options, prefetch=prefetch)
        )
        # An executor that nobody holds any more finishes its calls and lets its slaves go.
        self._finalizer = weakref.finalize(self, self._pool.close)
        self._finalizer.atexit = False

    @property
    def _max_workers(self) -> int:
        """The number of slaves; libraries such as dask ask executors for it by this name."""
        return self._pool.count()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Have ``fn(*args, **kwargs)`` called by a slave.

        Returns
        -------
        Future
            What cannot be pickled is raised by its ``result()``.

        Raises
        ------
        RuntimeError
            After `shutdown`; `BrokenPVMExecutor`, its subclass, when no slave is left.
        """
        return self._pool.submit(fn, args, kwargs)

    def map(
        self,
        fn: Callable[..., Any],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
        buffersize: int | None = None,
    ) -> Iterator[Any]:
        """Return an iterator equivalent to ``map(fn, *iterables)``, whose calls run on the slaves.

        Parameters
        ----------
        fn : callable
        *iterables
            Its arguments.
        timeout : float, optional
            Seconds from this call after which a result that is not there yet raises TimeoutError.
        chunksize : int
            How many calls a slave gets at a time.
        buffersize : int, optional
            How many chunks are submitted before the first result is asked for, and stay ahead of what was taken;
            by default all of them at once.
        """
        if chunksize < 1:
            raise ValueError("chunksize must be >= 1.")
        if buffersize is not None and not isinstance(buffersize, int):
            raise TypeError("buffersize must be an integer or None")
        if buffersize is not None and buffersize < 1:
            raise ValueError("buffersize must be None or > 0")
        end = None if timeout is None else time.monotonic() + timeout
        arguments = zip(*iterables)
        waiting: deque[Future[Any]]
        if chunksize == 1:
            pending: Iterator[Future[Any]] = (self.submit(fn, *args) for args in arguments)
            waiting = deque(itertools.islice(pending, buffersize))
            return _results(waiting, pending, end)
        chunks = iter(lambda: list(itertools.islice(arguments, chunksize)), [])
        pending = (self.submit(calls.call_chunk, fn, chunk) for chunk in chunks)
        waiting = deque(itertools.islice(pending, buffersize))
        return _flat(_results(waiting, pending, end))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Let the slaves go when what was submitted is done.

        Parameters
        ----------
        wait : bool
            Return only when the slaves have gone.
        cancel_futures : bool
            Cancel what no slave has yet.
        """
        self._pool.close(cancel_futures)
        if wait:
            self._pool.join()


def _results(waiting: deque[Future[Any]], pending: Iterator[Future[Any]], end: float | None) -> Iterator[Any]:
    """Yield the results of `waiting` in turn, and put one of `pending` behind for each that is taken."""
    try:
        while waiting:
            waiting.extend(itertools.islice(pending, 1))
            # Neither the future nor its result is held while the user works with the result.
            yield _result(waiting.popleft(), end)
    finally:
        for future in waiting:
            future.cancel()


def _result(future: Future[Any], end: float | None) -> Any:
    try:
        try:
            return future.result(None if end is None else end - time.monotonic())
        finally:
            future.cancel()
    finally:
        # an exception's traceback would hold it
        del future


def _flat(chunks: Iterator[list[Any]]) -> Iterator[Any]:
    for chunk in chunks:
        chunk.reverse()
        while chunk:
            yield chunk.pop()


class _Pool:
    """The futures of an executor, and the master that works on them; does not keep the executor alive."""

    def __init__(
        self,
        max_workers: int | None,
        hosts: Sequence[str] | None,
        initializer: Callable[..., object] | None,
        initargs: tuple[Any, ...],
        niceness: dict[str, int] | None,
        add_hosts: bool,
        options: dict[str, Any],
    ) -> None:
        self.max_workers = max_workers
        self.hosts = None if hosts is None else list(hosts)
        self.initializer = None if initializer is None else calls.pack(initializer, tuple(initargs), {})
        self.niceness = {"default": 0} if niceness is None else niceness
        self.add_hosts = add_hosts
        self.options = options
        #: of the calls that have no outcome yet, by number
        self.futures: dict[int, Future[Any]] = {}
        self.broken: str | None = None
        self.closed = False
        # Reentrant: the collector may finalize an executor in whatever thread holds this.
        self.lock = threading.RLock()
        self.numbers = itertools.count()
        self.master: _Work | None = None

    def submit(self, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            call = calls.pack(fn, args, kwargs)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            self.check()
            future.set_exception(error)
            return future
        with self.lock:
            self.check()
            if self.master is None:
                self.master = self.start()
            number = next(self.numbers)
            self.futures[number] = future
            self.master.submit(number, call)
        return future

    def count(self) -> int:
        """Return the number of slaves, those that have died included."""
        if self.max_workers is not None:
            return self.max_workers
        if self.hosts is not None:
            return len(self.hosts)
        return len(_places(self) if self.master is None else self.master.slots.slots)

    def check(self) -> None:
        """Raise when no call is taken any more."""
        if self.broken is not None:
            raise BrokenPVMExecutor(self.broken)
        if _exiting:
            raise RuntimeError("cannot schedule new futures after interpreter shutdown")
        if self.closed:
            raise RuntimeError("cannot schedule new futures after shutdown")

    def start(self) -> _Work:
        # Results may be of classes that the user's script defines, which slaves know by this name.
        sys.modules.setdefault(calls.MAIN, sys.modules["__main__"])
        _remember(self)
        master = _Work(self)
        master.start()
        return master

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
        if self.master is not None and not self.master.loop.inside():
            self.master.thread.join()

    def fail(self, error: BaseException) -> None:
        """No call will be done any more."""
        reason = str(error) if isinstance(error, CalculationError) else f"{type(error).__name__}: {words_of(error)}"
        with self.lock:
            self.broken = reason
            futures, self.futures = self.futures, {}
        for future in futures.values():
            if not future.done():
                _begin(future)
                broken = BrokenPVMExecutor(reason)
                broken.__cause__ = error
                future.set_exception(broken)


def _begin(future: Future[Any]) -> bool:
    """Note that a slave gets the call; return False when it was cancelled before."""
    return future.running() or future.set_running_or_notify_cancel()


class _Work:
    """The calculation of an executor, whose items are calls that come while it runs.

    Hooks are called in the thread of the message loop.
    """

    def __init__(self, pool: _Pool) -> None:
        self._pool = pool
        options = Rules(**pool.options)
        self._new: deque[tuple[int, bytes]] = deque()
        self._settled: list[int] = []
        self.data: dict[int, bytes] = {}
        self.jobs = Jobs(redistribute=False)
        self.lock = threading.RLock()
        self.messenger = Messenger()
        self.loop = self.messenger.loop
        self.calculation = Calculation(self)
        self.slaves = Slaves(self.messenger, self)
        self.slots = Slots(self.calculation, self.messenger, self.slaves, self, Progress())
        self.slots.slots = nicknames(_places(pool))
        self.slots.niceness = pool.niceness
        self.slots.slave_script = slave_script("executor_slave.py")
        self.slots.known_processors = lambda: hosts_file.read().cpus_all
        self.messenger.on_failed = self._failed
        self.messenger.on_unreadable = self._unreadable
        self.messenger.on_stuck = self.slots.stuck
        state = MasterState(self.jobs, {s["nickname"]: s["host"] for s in self.slots.slots}, options, open=True)
        self.calculation.claim()
        self.calculation.begin(state, self.lock, self.slots, self.loop.call_soon)
        self.thread = threading.Thread(target=self._run, name="PVMExecutor")

    def start(self) -> None:
        """Start the slaves, from the calling thread."""
        self.loop.bindings[DAEMON, Tag.TASK_EXITED] = self.slaves.exited
        self.loop.tick = self.calculation.tick
        self.thread.start()
        self.loop.resume()
        try:
            self.slots.prepare()
            self.slots.start_all(self.slots.niceness, 0)
            self.slots.all_started()
        except BaseException as error:
            self.calculation.abort(error)
            raise

    def _run(self) -> None:
        with self.loop.entered():
            try:
                self.loop.run()
            except BaseException as error:
                self._failed(error)
            finally:
                self.loop.stop()
                self.slaves.loop_ends()
                if self.calculation.running:
                    self.calculation.abort(RuntimeError("the loop of the executor has ended"))

    def _failed(self, error: BaseException) -> None:
        if isinstance(error, task.Lost):
            self.loop.stop()
            error = CalculationError(f"the PVM daemon is gone ({error})")
        if self.calculation.finished:
            print_error(error)
        else:
            self.calculation.abort(error)

    def _unreadable(self, tid: int, tag: int, error: BaseException, frames: Any) -> None:
        if tag == Tag.REPORTS:
            self.calculation.unreadable(tid, error, frames, many=True)

    # -- calls -----------------------------------------------------------

    def submit(self, number: int, call: bytes) -> None:
        """Take in a call; any thread, but one at a time."""
        self._new.append((number, call))
        if len(self._new) == 1:
            self.loop.call_soon(self._take_in)

    def _take_in(self) -> None:
        data = {}
        while self._new:
            number, call = self._new.popleft()
            data[number] = call
        self.data.update(data)
        self.jobs.add(data)
        self.calculation.feed(ev.ItemsAdded(now()))

    def close_when_done(self) -> None:
        """Take in no more calls; any thread."""
        self.calculation.feed_soon(ev.Closed(now()))

    # -- the slaves --------------------------------------------------------

    def spawn(self, host: str, nickname: str, niceness: int, show_output: Any) -> int:
        """Start a slave on a host."""
        return self.slots.spawn(host, nickname, niceness, show_output)

    def started(self, tid: int) -> None:
        """Its messages are bound already."""

    def spawned(self, tid: int, nickname: Any) -> None:
        """Take in a new slave, before anything of it is handled."""
        self.slots.adopted(tid, nickname)
        self.loop.bindings[tid, Tag.REPORTS] = self.calculation.reports

    def up(self, tid: int, knows_numbers: bool) -> None:
        """Tell a slave where its master lives, and what to call first."""
        self.calculation.feed(ev.SlaveUp(tid, now()))
        self._send(tid, Tag.INITIALIZE, (calls.Surroundings.here(self._pool.initializer),))

    def ready(self, tid: int) -> None:
        """A slave has initialised itself."""
        self.calculation.feed(ev.SlaveReady(tid, now()))

    def failed(self, tid: int, job: int | None, failure: Failure) -> None:
        """A slave could not do something."""
        if job is None:
            self.calculation.feed(ev.SlaveFailed(tid, failure, now()))
        else:
            self.calculation.job_failed(tid, job, failure)

    def exited(self, tid: int) -> None:
        """The process of a slave has ended."""
        self.slots.exited(tid)

    def _send(self, tid: int, tag: int, value: Any) -> int:
        return self.messenger.send(tid, tag, (time.time(), value))

    # -- hooks of the calculation --------------------------------------------

    def start_job(self, slave_tid: int) -> None:
        """Nothing is to be noted."""

    def is_valid_slave(self, slave_tid: int) -> bool:
        """Every slave may get calls."""
        return True

    def chunk_size_for(self, slave_tid: int) -> int:
        """Slaves get single calls."""
        return 1

    def get_slave_chunk(self, items: list[int]) -> dict[int, Any]:
        """Return the calls; None in place of one that was cancelled."""
        futures, data = self._pool.futures, self.data
        return {key: _light(data[key]) if key in futures and _begin(futures[key]) else None for key in items}

    def send_jobs(self, slave_tid: int, jobs: list[tuple[int, Any]], n_left: int) -> int:
        """Send calls to a slave; return the bytes."""
        return self._send(slave_tid, Tag.JOBS, (jobs,))

    def job_done(self, slave_tid: int, result: dict[int, Any]) -> None:
        """Pass outcomes on to their futures."""
        self._forget_settled()
        for key in result:
            outcome, result[key] = result[key], None
            future = self._settle(key)
            # None: a slave that had been taken for dead has answered after another one.
            if future is not None and outcome is not None:
                _pass_on(outcome, future)

    def keep(self, result: dict[int, Any]) -> None:
        """The futures have the results already."""

    def item_failed(self, error: JobError) -> None:
        """Let a future fail whose call the slaves could not do."""
        future = self._settle(error.item)
        if future is not None and _begin(future):
            future.set_exception(BrokenPVMExecutor(f"{error.kind}: {error.message}"))

    def item_recovered(self, item: Any) -> None:
        """Its future has failed, and stays so."""

    def note(self, text: str) -> None:
        """Leave it to the log."""
        log.info("%s", text)

    def finish(self) -> None:
        """Let the slaves go."""
        self._dismiss()

    def end_badly(self, error: BaseException) -> None:
        """Let the futures fail and the slaves go."""
        self._pool.fail(error)
        self._dismiss()

    def _dismiss(self) -> None:
        try:
            self.slaves.dismiss(self._send, lambda nickname: None)
        except task.Lost:
            pass
        self.loop.stop()

    def _settle(self, key: int) -> Future[Any] | None:
        self.data.pop(key, None)
        self._settled.append(key)
        return self._pool.futures.pop(key, None)

    def _forget_settled(self) -> None:
        """Take the calls of earlier messages out of the books: an executor may live long."""
        self.calculation.forget([key for key in self._settled if self.jobs.objects.get(key) == FINISHED])
        self._settled.clear()


def _light(call: bytes) -> Any:
    """Return a packed call such that a large one is not copied into the message's pickle."""
    return pickle.PickleBuffer(call) if len(call) >= calls.IN_PLACE else call


def _pass_on(outcome: calls.Outcome, future: Future[Any]) -> None:
    value, error = calls.unpack(outcome)
    if error is None:
        future.set_result(value)
    else:
        future.set_exception(error)


def _places(pool: _Pool) -> list[str]:
    """Return the host of each slave."""
    # Not needed for importing this module.
    from biskit_pvm import pvm
    from biskit_pvm.machine import task

    if pool.hosts is not None:
        hosts = pool.hosts
        if pool.add_hosts:
            pvm.addHosts(hosts=hosts)
        count = len(hosts)
    else:
        task.enrol()
        hosts = list(names.host_tids())
        count = len(hosts) if len(hosts) > 1 else len(os.sched_getaffinity(0))
    return list(itertools.islice(itertools.cycle(hosts), pool.max_workers or count))


_pools: weakref.WeakSet[_Pool] = weakref.WeakSet()
_registered = False
_exiting = False


def _remember(pool: _Pool) -> None:
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
