"""An executor of Python's own kind whose workers are PVM slaves.

>>> from biskit_pvm.futures import PVMExecutor
>>> with PVMExecutor(hosts=["node1", "node2"]) as executor:     # doctest: +SKIP
...     print(list(executor.map(pow, range(4), range(4))))
[1, 1, 4, 27]
"""

from __future__ import annotations

import itertools
import signal
import sys
import time
import weakref
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from typing import Any, Callable

from biskit_pvm import calls
from biskit_pvm import hosts as hosts_file
from biskit_pvm.errors import check_options
from biskit_pvm.executor import packing
from biskit_pvm.executor.broken import BrokenPVMExecutor
from biskit_pvm.executor.cells import Mapping as Mapped
from biskit_pvm.executor.inline import InlinePool
from biskit_pvm.executor.pool import Pool
from biskit_pvm.executor.settings import CallOptions, Setting
from biskit_pvm.jobs.scripts import slave_script
from biskit_pvm.jobs.setup import Setup
from biskit_pvm.machine import names

__all__ = ["BrokenPVMExecutor", "PVMExecutor"]

OPTIONS = ("max_deaths", "max_respawns", "heartbeat", "start_timeout", "watch_hosts", "prefetch")
"""Options of the master that a user of the executor may set."""


class PVMExecutor(Executor):
    """Run calls on the slaves of a Parallel Virtual Machine.

    Interface and meaning are those of `concurrent.futures.Executor`; calls, arguments and results are pickled, as
    by `concurrent.futures.ProcessPoolExecutor`.  Functions that cannot be imported by name (lambdas, closures, those
    of a script or an interactive session) travel whole, by cloudpickle.

    Parameters
    ----------
    max_workers : int, optional
        Number of slaves.  By default one per entry of `hosts`.
    hosts : sequence of str, optional
        Where the slaves are started, in turns; a host may occur several times.  By default `cpus_all` of the user's
        host file (see `biskit_pvm.hosts`), or all processors of all hosts of the virtual machine where there is no
        such file.
    initializer : callable, optional
        Called in each slave before its first call, with `initargs`.  A slave whose initializer raises is not used,
        and when none is left the executor is broken.
    initargs : tuple
        Arguments of `initializer`.  Large ones travel to each host once; a slave that changes an array has what it
        changes for itself.
    niceness : dict, optional
        {host: nice value, 'default': nice value}; 0 by default.
    add_hosts : bool
        Add those `hosts` to the virtual machine first that are not in it.
    require : {'any', 'all'}
        What to do when fewer slaves can be started than were asked for: 'any' tells it on standard error and goes on
        with those that there are; with 'all' the executor is broken, and calls raise `BrokenPVMExecutor`.
    show_output : bool or str, optional
        What becomes of what slaves print: 'log' brings it here, line by line; True opens one xterm per slave; False
        leaves it to PVM's log.  By default 'log' in a terminal or notebook.
    threads : int, optional
        Threads that the numerical libraries of a slave may start; by default the processors of its host divided by
        the slaves there; 0: as many as they like.  Variables such as OMP_NUM_THREADS that are set hold.
    env : dict, optional
        Environment variables for the slaves.
    logging : bool
        Bring what slaves log into the `logging` of this process, above the level that somebody here listens to.
    max_tasks_per_child : int, optional
        After so many calls a slave is replaced by a new one.
    foreman : bool
        Have slaves forked from a process that has all loaded, on hosts with four slaves or more; False: each is
        started by itself.
    inline : bool
        Make the calls in this very process, one after the other, without a virtual machine: for debuggers, profilers
        and coverage.
    prefetch : float
        Seconds of work that slaves with short calls have in hand.  What waits there behind a call that turns out to
        take longer than 10 ms goes back at once, to other slaves.  0: one call at a time.
    share_arguments : bool
        Have large arguments (arrays and bytes of 1 MB and more) that come again travel to each host once, as if they
        were shared by `share`: from the second time on they are read-only for the function, and must not be changed.
        They stay in memory until the executor ends.
    **options
        Those of `biskit_pvm.JobMaster` about faults: max_deaths, max_respawns, heartbeat, start_timeout, watch_hosts.

    Notes
    -----
    Unlike a process pool, which is broken by the first worker that dies, the calls of a dead slave are given to
    others, unless `max_deaths` slaves have died over one: its future then raises `BrokenPVMExecutor`.

    Large arguments (arrays, bytes) are not copied before they are sent, so they must not be changed until the call
    is done.

    The first call has the slaves started, and does not wait for that.  When none can be started, the calls raise
    `BrokenPVMExecutor`; so does `bootup`, which waits.
    """

    def __init__(
        self,
        max_workers: int | None = None,
        hosts: Sequence[str] | None = None,
        *,
        initializer: Callable[..., object] | None = None,
        initargs: tuple[Any, ...] = (),
        niceness: dict[str, int] | None = None,
        add_hosts: bool = True,
        require: str = "any",
        show_output: Any = None,
        threads: int | None = None,
        env: Mapping[str, str] | None = None,
        logging: bool = False,
        max_tasks_per_child: int | None = None,
        foreman: bool = True,
        inline: bool = False,
        share_arguments: bool = False,
        **options: Any,
    ) -> None:
        if max_workers is not None and max_workers <= 0:
            raise ValueError("max_workers must be greater than 0")
        if initializer is not None and not callable(initializer):
            raise TypeError("initializer must be a callable")
        if hosts is not None:
            hosts = names.host_list(hosts)
        if hosts is not None and not hosts:
            raise ValueError("hosts must not be empty")
        if require not in ("any", "all"):
            raise ValueError(f"require must be 'any' or 'all', not {require!r}")
        if max_tasks_per_child is not None:
            if not isinstance(max_tasks_per_child, int):
                raise TypeError("max_tasks_per_child must be an integer")
            if max_tasks_per_child <= 0:
                raise ValueError("max_tasks_per_child must be >= 1")
        check_options(options, OPTIONS, type(self).__name__)
        setup = Setup(
            script=slave_script("executor_slave.py"),
            niceness={"default": 0} if niceness is None else niceness,
            show_output=_somebody_looks() and "log" if show_output is None else show_output,
            threads=threads,
            env={str(name): str(value) for name, value in (env or {}).items()},
            require_all=require == "all",
            logging=bool(logging),
            foreman=foreman,
            processors=lambda: hosts_file.read().cpus_all,
        )
        setting = Setting(setup, None if initializer is None else packing.pack(initializer, tuple(initargs), {}))
        options["jobs_per_slave"] = max_tasks_per_child
        self._pool: Any = (
            InlinePool(initializer, tuple(initargs))
            if inline
            else Pool(max_workers, hosts, add_hosts, setting, options, share_arguments)
        )
        self._call_options: CallOptions | None = None
        # An executor that nobody holds any more finishes its calls and lets its slaves go.
        self._finalizer = weakref.finalize(self, self._pool.close)
        self._finalizer.atexit = False

    _whole: PVMExecutor | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self._pool.describe()}>"

    @property
    def n_workers(self) -> int:
        """The number of slaves, those included that have died and will be started again."""
        return int(self._pool.count())

    @property
    def _max_workers(self) -> int:
        """The same by the name by which libraries such as dask ask executors for it."""
        return int(self._pool.count())

    def is_over(self) -> bool:
        """Tell whether no call is taken any more, after `shutdown` or because all slaves have gone."""
        return bool(self._pool.closed or self._pool.broken is not None)

    def bootup(self, wait: bool = True) -> PVMExecutor:
        """Start the slaves now, and wait until they can work; return the executor."""
        if wait:
            self.wait_for_workers()
        else:
            self._pool.start()
        return self

    def wait_for_workers(self, n_workers: int | None = None, timeout: float | None = None) -> int:
        """Start the slaves and wait until `n_workers` of them, or all, can work.

        Returns
        -------
        int
            How many can: fewer than asked when `timeout` seconds have passed, or no more will come.

        Raises
        ------
        BrokenPVMExecutor
            No slave could be started.
        """
        return int(self._pool.wait_for_workers(n_workers, timeout))

    def scale(self, n_workers: int) -> None:
        """Have so many slaves from now on.

        New ones are started at the hosts that there are, in turns.  Those that are too many finish the calls that
        they have and leave.
        """
        if n_workers < 1:
            raise ValueError("n_workers must be greater than 0")
        self._pool.scale(n_workers)

    def add_host(self, host: str) -> None:
        """Start one more slave on a host; see `add_hosts`."""
        self.add_hosts([host])

    def remove_host(self, host: str, finish: bool = True) -> None:
        """Have no slaves on a host any more; see `remove_hosts`."""
        self.remove_hosts([host], finish)

    def add_hosts(self, hosts: Sequence[str]) -> None:
        """Start one more slave per entry of `hosts`.

        Hosts that are not in the virtual machine are added to it, unless the executor was made with
        ``add_hosts=False``.  Any thread, callbacks included; this returns at once.
        """
        self._pool.add(names.host_list(hosts))

    def remove_hosts(self, hosts: Sequence[str], finish: bool = True) -> None:
        """Have no slaves at some hosts any more.

        The hosts stay in the virtual machine, but are not tried again when they are lost.  Any thread, callbacks
        included; this returns at once.

        Parameters
        ----------
        hosts : sequence of str
        finish : bool
            The slaves there leave when they have finished the calls that they have.  False: they are ended, and others
            get these calls.

        Raises
        ------
        ValueError
            There is no slave, nor is one wanted, at one of the hosts.
        """
        self._pool.remove(names.host_list(hosts), finish)

    def share(self, value: Any) -> Any:
        """Let an argument travel to each host once, instead of with each call.

        Parameters
        ----------
        value : object
            Best one with large arrays.  It must not be changed.

        Returns
        -------
        Shared
            An argument for calls; the function gets the object itself.  Arrays are mapped and read-only, and lie in
            the memory of each host once, whatever the number of workers, until its ``close()`` or the end of the
            executor.

        Examples
        --------
        >>> table = executor.share(np.random.rand(10000, 1000))      # doctest: +SKIP
        >>> list(executor.map(column_mean, [table] * 1000, range(1000)))   # doctest: +SKIP
        """
        return self._pool.share(value)

    def with_options(self, *, timeout: float | None = None, retries: int = 0, priority: float = 0) -> PVMExecutor:
        """Return this executor with settings for the calls that are made through what is returned.

        Parameters
        ----------
        timeout : float, optional
            Seconds that a call may run.  One that takes longer raises TimeoutError; its slave is ended and replaced.
        retries : int
            How often a call that raises something, or takes too long, is tried again.
        priority : float
            Calls with a higher one are given out first; 0 by default.

        Examples
        --------
        >>> executor.with_options(timeout=60, retries=2).submit(pow, 2, 3)   # doctest: +SKIP
        """
        if timeout is not None and not timeout > 0:
            raise ValueError("timeout must be a positive number of seconds")
        if retries < 0:
            raise ValueError("retries must not be negative")
        view = object.__new__(type(self))
        view.__dict__.update(self.__dict__)
        view._whole = self  # it goes on while the view is in use
        view._call_options = CallOptions(timeout, retries, priority)
        return view

    def end_call(self, future: Future[Any]) -> bool:
        """End a call although it runs: its future raises CancelledError, and its slave is replaced.

        Returns
        -------
        bool
            False when the call is over.
        """
        return bool(future.cancel() or self._pool.end_call(future))

    def terminate_workers(self) -> None:
        """End all slaves by SIGTERM; calls without an outcome raise `BrokenPVMExecutor`.  It is shut down then."""
        self._pool.terminate(signal.SIGTERM)

    def kill_workers(self) -> None:
        """End all slaves by SIGKILL; calls without an outcome raise `BrokenPVMExecutor`.  It is shut down then."""
        self._pool.terminate(signal.SIGKILL)

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
        future: Future[Any] = self._pool.submit(fn, args, kwargs, self._call_options)
        return future

    def map(
        self,
        fn: Callable[..., Any],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
        buffersize: int | None = None,
        unordered: bool = False,
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
            How many calls a slave gets at a time.  Short calls travel in numbers anyway.
        buffersize : int, optional
            How many chunks are submitted before the first result is asked for, and stay ahead of what was taken;
            by default all of them at once.  With it iterables may be of any length.
        unordered : bool
            Give the results in the order in which they come.
        """
        return self.starmap(
            fn, zip(*iterables), timeout=timeout, chunksize=chunksize, buffersize=buffersize, unordered=unordered
        )

    def starmap(
        self,
        fn: Callable[..., Any],
        iterable: Iterable[Iterable[Any]],
        timeout: float | None = None,
        chunksize: int = 1,
        buffersize: int | None = None,
        unordered: bool = False,
    ) -> Iterator[Any]:
        """Return an iterator equivalent to ``itertools.starmap(fn, iterable)``; for the rest see `map`."""
        if chunksize < 1:
            raise ValueError("chunksize must be >= 1.")
        if buffersize is not None and not isinstance(buffersize, int):
            raise TypeError("buffersize must be an integer or None")
        if buffersize is not None and buffersize < 1:
            raise ValueError("buffersize must be None or > 0")
        end = None if timeout is None else time.monotonic() + timeout
        arguments = map(tuple, iterable)
        common = Mapped(unordered)
        if chunksize == 1:
            pending: Iterator[Any] = self._pool.submit_many(fn, arguments, common, self._call_options)
        else:
            chunks = iter(lambda: list(itertools.islice(arguments, chunksize)), [])
            pending = self._pool.submit_many(
                calls.call_chunk, ((fn, chunk) for chunk in chunks), common, self._call_options
            )
        waiting = deque(itertools.islice(pending, buffersize))
        results = _unordered(waiting, pending, common, end) if unordered else _results(waiting, pending, end)
        return results if chunksize == 1 else _flat(results)

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


def _somebody_looks() -> bool:
    """Tell whether standard output is a terminal or a notebook."""
    try:
        return type(sys.stdout).__module__.startswith("ipykernel.") or sys.stdout.isatty()
    except (AttributeError, ValueError):
        return False


def _left(end: float | None) -> float | None:
    return None if end is None else end - time.monotonic()


def _results(waiting: deque[Any], pending: Iterator[Any], end: float | None) -> Iterator[Any]:
    """Yield the results of `waiting` in turn, and put one of `pending` behind for each that is taken."""
    try:
        while waiting:
            waiting.extend(itertools.islice(pending, 1))
            # Neither the cell nor its result is held while the user works with the result.
            yield _result(waiting.popleft(), end)
    finally:
        for cell in waiting:
            cell.cancel()


def _unordered(waiting: deque[Any], pending: Iterator[Any], common: Mapped, end: float | None) -> Iterator[Any]:
    """Yield results as they come."""
    left = set(waiting)
    waiting.clear()
    try:
        while left:
            cell = common.next_that_came(_left(end))
            left.discard(cell)
            left.update(itertools.islice(pending, 1))
            yield _result(cell, end)
            del cell
    finally:
        for cell in left:
            cell.cancel()


def _result(cell: Any, end: float | None) -> Any:
    try:
        try:
            return cell.result(_left(end))
        finally:
            cell.cancel()
    finally:
        # an exception's traceback would hold it
        del cell


def _flat(chunks: Iterator[list[Any]]) -> Iterator[Any]:
    for chunk in chunks:
        chunk.reverse()
        while chunk:
            yield chunk.pop()
