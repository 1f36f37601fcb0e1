"""Masters that give the items of a dictionary to slaves."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from biskit_pvm import hosts as hosts_file
from biskit_pvm.errors import Failure, JobError, NoHostError
from biskit_pvm.jobs import events as ev
from biskit_pvm.jobs.bulletin import Bulletin, slave_statuses
from biskit_pvm.jobs.calculation import Calculation, now
from biskit_pvm.jobs.master_state import MasterState
from biskit_pvm.jobs.poster import Poster
from biskit_pvm.jobs.rules import Options
from biskit_pvm.jobs.setup import Setup
from biskit_pvm.jobs.slots import Slots, current_folder, nicknames
from biskit_pvm.machine import names, old_tasks, spawning, task
from biskit_pvm.machine.tags import Tag
from biskit_pvm.messages.messenger import print_error
from biskit_pvm.PVMThread import PVMMasterSlave, PVMThread, at_end, messenger_of, run_here, slaves_of
from biskit_pvm.report import progress
from biskit_pvm.report.progress_bar import Guarded, make_progress
from biskit_pvm.slave import JobSlave
from biskit_pvm.Status import Status

if TYPE_CHECKING:
    from biskit_pvm.messages.shared import Shared

__all__ = ["MSG_JOB_DONE", "MSG_JOB_START", "JobMaster", "JobSlave"]

MSG_JOB_START = int(Tag.JOB_START)
MSG_JOB_DONE = int(Tag.JOB_DONE)

log = logging.getLogger(__name__)

#: set to 1, it has masters run their slaves in their own process
INLINE_VARIABLE = "BISKIT_PVM_INLINE"

#: longest time (s) until a signal is seen that came right before a look, and that after the first of them, before
#: slaves that were ended together with this process are replaced
SIGNAL_PAUSE = 4.0
FIRST_PAUSE = 0.1

#: seconds that the end of the daemon, or of all slaves, may come after a signal that PVM has sent
RESET_TIME = 1.0


class View:
    """Something of the engine that users read, under a name that a subclass may use for itself.

    Reading it gives the engine's own until something is assigned, which then is an ordinary field of the object.
    """

    def __init__(self, read: Any, doc: str) -> None:
        self.read = read
        self.__doc__ = doc

    def __get__(self, owner: Any, kind: Any = None) -> Any:
        return self if owner is None else self.read(owner)


class JobMaster(PVMMasterSlave):
    """Have the items of a dictionary processed by slaves.

    Parameters
    ----------
    data : dict
        {item: object} to be processed.
    chunk_size : int
        Largest number of items in a job.
    hosts : list of str
        One slave is started per entry; a host may occur several times.
    niceness : dict
        {host: nice value, 'default': nice value}.
    slave_script : str, bytes or path
        The script that slaves run.  A relative one is looked for in the
        master's current folder.
    show_output : bool or str
        True: one xterm per slave; 'keep': leave it open after the end;
        'log': bring what slaves print to the master.
    result : dict, optional
        {item: result}; the items in it are not processed again.
    redistribute : bool
        Give unfinished items to idle slaves, too, when nothing else is left.
    verbose : bool
    max_tries : int
        How often `go` may raise over an item before it counts as failed, in `errors`.
    max_deaths : int
        How many slaves may die over an item before it counts as failed.
    max_respawns : int
        How often a slave that dies is started again in a row.
    respawn_pause : float
        Seconds before the first new start; twice as long before each next.
    heartbeat : float
        A slave not heard of for so many seconds loses its items to others.
    job_timeout : float, optional
        Seconds after which a job is taken away and its slave killed.
    start_timeout : float, optional
        Seconds after which a slave that has not reported at all is killed.  So
        long a calculation without slaves waits for lost hosts, too.
    watch_hosts : bool
        Try hosts again that were lost or late, and use those of the list that come
        while the calculation runs.
    prefetch : float
        Seconds of work that slaves with short jobs have in hand.
    jobs_per_slave : int, optional
        After so many jobs a slave is replaced by a new one.
    on_error : {'raise', 'return'}
        What `TrackingJobMaster.calculateResult` does when items failed.
    progress : {'auto', 'bar', 'lines', 'none'}
        How progress is shown; 'auto' is a bar in a terminal or notebook and
        lines elsewhere.  Nothing is shown unless `verbose`.
    require : {'any', 'all'}
        'all': it is an error when one of the slaves cannot be started.
    threads : int, optional
        Threads that the numerical libraries of a slave may start; by default
        the processors of its host divided by the slaves there; 0: as many as
        they like.  Variables such as OMP_NUM_THREADS that are set hold.
    env : dict, optional
        Environment variables for the slaves.
    logging : bool
        Bring the log records of slaves into the master's `logging`, with the
        attributes `slave` and `host`.  What is logged before a slave starts
        working, as its script is loaded, stays there.
    inline : bool
        Run the slaves in this very process, one item after the other, without
        PVM: for debuggers, profilers and tests.  `start` then returns when
        the calculation has ended.  An item is tried once, unless `max_tries`
        is given.

    Attributes
    ----------
    errors : dict
        {item: JobError} of the items that failed.
    error : BaseException or None
        What ended the calculation before its end.
    status : Status
        Where every item is.
    slaves : dict
        {tid: {'host': name, 'nickname': name}}.
    history : biskit_pvm.report.history.History
        Which slave did which job, and when.
    """

    _PVMMasterSlave__is_master = True  # whoever has started it

    errors = View(lambda self: self.__calculation.errors, "{item: JobError} of the items that failed.")
    error = View(lambda self: self.__calculation.error, "What ended the calculation before its end, or None.")
    history = View(lambda self: self.__calculation.history, "Which slave did which job, and when.")
    pvm_options = View(lambda self: dict(vars(self.__options)), "The options beyond the arguments of old.")

    def __init__(
        self,
        data: dict[Any, Any],
        chunk_size: int,
        hosts: Iterable[str],
        niceness: dict[str, int],
        slave_script: Any,
        show_output: Any = 0,
        result: dict[Any, Any] | None = None,
        redistribute: Any = 1,
        verbose: Any = 1,
        **options: Any,
    ) -> None:
        if spawning.runs_old_code():
            # old scripts count on it that nothing is given out before `job_done` of what came before
            options.setdefault("prefetch", 0.0)
        self.__options = Options.of(options, type(self).__name__)
        self.__inline = wants_inline(options)
        kind: Any = Slots
        if self.__inline:
            from biskit_pvm.jobs.inline import InlineSlots, World

            kind = InlineSlots
            self.__options.inline = True
            self.__options.max_tries = options.get("max_tries", 1)
        with World().make_master() if self.__inline else nullcontext():
            PVMMasterSlave.__init__(self, verbose=verbose)
        self.hosts = nicknames(hosts)
        self.niceness = niceness
        self.data = data
        self.slave_script = script_path(slave_script)
        self.chunk_size = chunk_size
        self.current_pos = 0
        self.show_output = show_output
        self.verbose = verbose
        self.xterm_bin = spawning.xterm()
        self.result = {} if result is None else result
        self.slaves: dict[int, dict[str, str]] = {}
        items = [key for key in Status.arranged(list(data)) if key not in self.result]
        self.status = Status(items, redistribute=redistribute and not self.__inline)
        self.finished = 0
        self.__display = Guarded(make_progress(self.__options.progress, bool(verbose)))
        self.__hooks = _Hooks(self, self.__display)
        self.__calculation = Calculation(self.__hooks)
        messenger = messenger_of(self)
        slaves = slaves_of(self, _Owner(self, self.__calculation))
        self.__slots: Slots = kind(self.__calculation, messenger, slaves, self.__hooks, self.__display)
        self.__poster = Poster()
        self.__at_work = (0, 0)
        self.__awaited = False
        messenger.on_failed = self.__failed
        messenger.on_unreadable = self.__unreadable
        messenger.on_stuck = self.__slots.stuck
        at_end(self, self.__thread_ends)
        self.__display.line(progress.processing_line(len(items)))

    def __repr__(self) -> str:
        total = len(self.status.objects)
        slaves = list(self.__calculation.state.slaves.values())
        hosts = len({slave.slot.host for slave in slaves})
        return (
            f"{PVMThread.__repr__(self)[:-1]}: {total - self.status.n_unfinished} of "
            f"{progress.count(total, 'item')} done, {progress.count(len(slaves), 'slave')} "
            f"on {progress.count(hosts, 'host')}>"
        )

    # -- the start -----------------------------------------------------

    def start(self) -> None:
        """Start the calculation, in a thread of its own.

        Raises
        ------
        NoHostError
            There is no host to work on; it is a CalculationError and an
            AssertionError.
        RuntimeError
            The calculation was started before; it goes on.
        """
        if not self.hosts and not self.status.done():
            raise NoHostError("Master needs at least 1 pvm node to start calculations.")
        self.__calculation.claim()
        try:
            self.__begin()
        except BaseException as error:
            self.__awaited = True  # it is raised here
            self.__calculation.abort(error)
            raise
        if self.__inline:
            self.__run_inline()

    def __run_inline(self) -> None:
        from biskit_pvm.jobs.inline import passes

        run_here(self, self.__calculation.ended.is_set)
        error = self.__calculation.error
        if error is not None and passes(error):
            raise error

    def __begin(self) -> None:
        calculation, slots, messenger = self.__calculation, self.__slots, messenger_of(self)
        slots.slots, slots.slaves_at = self.hosts, self.slaves
        options = self.__options
        slots.setup = Setup(
            script=self.slave_script,
            niceness=self.niceness,
            show_output=self.show_output,
            xterm=self.xterm_bin,
            threads=options.threads,
            env=dict(options.env or {}),
            folder=None if spawning.runs_old_code() else current_folder(),
            require_all=options.require == "all",
            logging=bool(options.logging),
            foreman=options.foreman,
            processors=lambda: hosts_file.read().cpus_all,
        )
        rules = options.for_inline() if self.__inline else options
        state = MasterState(self.status, {d["nickname"]: d["host"] for d in self.hosts}, rules)
        calculation.begin(state, self.status.lock, slots, messenger.loop.call_soon)
        self.__started = time.time()
        self.__host = "" if self.__inline else names.own_host()
        total = len(self.status.objects)
        self.__display.started(total, total - self.status.n_unfinished)
        messenger.loop.tick = self.__tick
        PVMMasterSlave.start(self)
        self.startMessageLoop()
        if self.status.done():
            messenger.loop.call_soon(calculation.conclude)
            return
        slots.prepare()
        self.spawnAll(self.niceness, self.show_output)
        slots.all_started()

    def share(self, value: Any) -> Shared:
        """Let an object travel to each host once, instead of with each job.

        Parameters
        ----------
        value : object
            Best one with large arrays.

        Returns
        -------
        Shared
            Stands for the object in items and in what `getInitParameters` returns: slaves get the object itself.
            Its arrays are mapped and read-only, and lie in the memory of each host once, whatever the number of
            slaves, until its ``close()`` or the end of the calculation.

        Raises
        ------
        RuntimeError
            The calculation has ended.
        """
        return slaves_of(self).shelf.share(value)

    # -- slaves --------------------------------------------------------

    def spawnAll(self, niceness: dict[str, int], show_output: Any = 0) -> None:
        """Start a slave for every entry of `hosts`."""
        self.__slots.start_all(niceness, show_output)

    def spawn(  # type: ignore[override]
        self,
        host: str,
        nickname: str,
        niceness: int,
        show_output: Any = 0,
    ) -> int:
        """Start a slave on a host.

        Parameters
        ----------
        host : str
        nickname : str
            Name of the slave, unique among those of this master.
        niceness : int
        show_output : bool or str
            See `JobMaster`.

        Returns
        -------
        int
            The tid of the slave, or a negative PVM error code.
        """
        return self.__slots.spawn(host, nickname, niceness, show_output)

    def bindMessages(self, slave_tid: int) -> None:
        """Bind the messages of a slave."""
        self.bind(MSG_JOB_DONE, slave_tid, self.__job_done)

    def initializationDone(self, slave_tid: int) -> None:
        """Called when a slave can work: gives it its first job."""
        self.__calculation.feed(ev.SlaveReady(slave_tid, now()))

    def __job_done(self, slave_tid: int, result: Any) -> None:
        """A slave has sent its result in the form of old."""
        self.__calculation.report(slave_tid, result)
        self.__show()

    def __reports(self, slave_tid: int, reports: Any) -> None:
        self.__calculation.reports(slave_tid, reports)
        self.__show()

    def __show(self) -> None:
        status = self.status
        self.__display.update(len(status.objects) - status.n_unfinished, *self.__at_work)

    def add_host(self, host: str) -> None:
        """Start one more slave on a host; see `add_hosts`."""
        JobMaster.add_hosts(self, [host])

    def remove_host(self, host: str, finish: bool = True) -> None:
        """Have no slaves on a host any more; see `remove_hosts`."""
        JobMaster.remove_hosts(self, [host], finish)

    def add_hosts(self, hosts: Iterable[str]) -> None:
        """Start one more slave per entry of `hosts`, also while the calculation runs.

        Hosts that are not in the virtual machine are added to it.  Any thread,
        hooks included; this returns at once.

        Parameters
        ----------
        hosts : list of str
        """
        self.__slots.slots = self.hosts
        self.__slots.add(names.host_list(hosts), join=True)

    def remove_hosts(self, hosts: Iterable[str], finish: bool = True) -> None:
        """Have no slaves at some hosts any more, also while the calculation runs.

        The hosts stay in the virtual machine, but are not tried again when they
        are lost.  Any thread, hooks included; this returns at once.

        Parameters
        ----------
        hosts : list of str
        finish : bool
            The slaves there leave when they have finished the jobs that they
            have.  False: they are ended, and others get these items.

        Raises
        ------
        ValueError
            There is no slave, nor is one wanted, at one of the hosts.
        """
        self.__slots.slots = self.hosts
        self.__slots.remove_hosts(names.host_list(hosts), finish)

    # -- hooks ---------------------------------------------------------

    def start_job(self, slave_tid: int) -> None:
        """Called when a slave is about to get a job.  Override."""

    def get_slave_chunk(self, data_keys: list[Any]) -> dict[Any, Any]:
        """Return {item: object} for a job.  Override to make the objects
        when they are needed."""
        data = self.data
        return {key: data[key] for key in data_keys}

    def is_valid_slave(self, slave_tid: int) -> Any:
        """Tell, each time, whether a slave that has done a job may get
        another one.  Override."""
        return 1

    def job_done(self, slave_tid: int, result: dict[Any, Any]) -> None:
        """Called with the result of every job.  Override."""

    def chunk_size_for(self, slave_tid: int) -> int:
        """Return how many items a slave gets at a time."""
        return max(int(self.chunk_size), 1)

    # -- the passing of time ---------------------------------------------

    def __tick(self, moment: float) -> float:
        calculation = self.__calculation
        if not calculation.running:
            return SIGNAL_PAUSE
        pause = calculation.tick(moment)
        slaves = list(calculation.state.slaves.values())
        self.__at_work = (len(slaves), len({slave.slot.host for slave in slaves}))
        self.__show()
        self.__slots.look_after()
        if not self.__inline:
            pause = min(pause, self.__poster.tick(moment, self.__bulletin))
        for timer in self.__hooks.timers:
            pause = min(pause, timer(moment))
        calculation.ticks_in(pause)
        return pause

    def __bulletin(self) -> Bulletin:
        status, calculation = self.status, self.__calculation
        slaves = list(calculation.state.slaves.values())
        return Bulletin(
            self.getTID(),
            type(self).__name__,
            self.__host,
            os.getpid(),
            self.__started,
            time.time(),
            len(status.objects),
            n_done(self),
            len(calculation.errors),
            slave_statuses(slaves, time.time() - now()),
        )

    # -- the end -------------------------------------------------------

    def __failed(self, error: BaseException) -> None:
        """The last resort: whatever was raised in the loop's thread ends the calculation."""
        calculation = self.__calculation
        if self.__inline:
            self.__awaited = self.__awaited or not isinstance(error, Exception)
        if isinstance(error, task.Lost):
            messenger_of(self).loop.stop()
            error = calculation.error_of(
                f"the PVM daemon is gone ({error}); there are {progress.count(n_done(self), 'result')}"
            )
        if calculation.finished:
            # what comes behind the end is told, since nobody is left to raise it
            print_error(error)
        else:
            calculation.abort(error)

    def __unreadable(self, tid: int, tag: int, error: BaseException, frames: Any) -> None:
        if tid in self.slaves and tag in (Tag.JOB_DONE, Tag.REPORTS):
            self.__calculation.unreadable(tid, error, frames, tag == Tag.REPORTS)
        else:
            log.error("message with tag %d from t%x cannot be read: %s", tag, tid, error)

    def __thread_ends(self) -> None:
        """The loop has ended, in whatever way; whoever waits has to know."""
        calculation = self.__calculation
        slaves_of(self).loop_ends()
        if calculation.running:
            calculation.abort(calculation.error_of("stop() was called before the calculation was finished"))

    def exit(self) -> None:
        """Let the slaves go and end this thread.

        Whoever waits for the result of an unfinished calculation gets a
        CalculationError.
        """
        calculation = self.__calculation
        if calculation.running:
            self.__awaited = True  # whoever calls this knows
            calculation.abort(calculation.error_of("exit was called before the calculation was finished"))
        elif calculation.finished or calculation.never_begins():
            PVMMasterSlave.exit(self)
            self.__slots.slaves_left()

    def stop(self) -> None:
        """End the thread.

        A calculation that is not finished ends with a CalculationError.
        """
        self.__awaited = True  # whoever calls this knows
        self.__calculation.never_begins()
        PVMMasterSlave.stop(self)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the calculation has ended, whatever its end.

        Parameters
        ----------
        timeout : float, optional
            Longest time to wait, in seconds.

        Returns
        -------
        bool
            Whether it has ended.
        """
        ended = self.__calculation.ended
        if timeout is not None:
            return ended.wait(timeout)
        # a Ctrl-C right before the sleep would not end it: look now and then
        pause = FIRST_PAUSE
        while not ended.wait(pause):
            pause = min(2 * pause, SIGNAL_PAUSE)
        return True

    def done(self) -> None:
        """Called when the last result has come.  Override."""
        print("Done")

    def finish(self) -> None:
        """Called once, when the last result has come."""
        self.done()


class _Owner:
    """What a master makes of the reports of its slaves."""

    def __init__(self, master: JobMaster, calculation: Calculation) -> None:
        self.master, self.calculation = master, calculation

    def spawned(self, tid: int, nickname: Any) -> None:
        """Take in a new slave, before anything of it is handled."""
        master = self.master
        slots_of(master).adopted(tid, nickname)
        master.bind(Tag.REPORTS, tid, master._JobMaster__reports)  # type: ignore[attr-defined]
        master.bind(Tag.RETURNED, tid, self.calculation.returned)
        master.bind(Tag.RESULTS_COMING, tid, self.calculation.coming)

    def up(self, tid: int, knows_numbers: bool) -> None:
        """Send a slave its parameters."""
        master = self.master
        # what overrides `send` sees the messages of old
        if not knows_numbers or type(master).send is not PVMThread.send:
            hooks_of(master).single.add(tid)
        self.calculation.feed(ev.SlaveUp(tid, now(), tid in hooks_of(master).single))
        master.messageLoopIsUp(tid)

    def ready(self, tid: int) -> None:
        """A slave has initialised itself."""
        self.master.initializationDone(tid)

    def failed(self, tid: int, job: int | None, failure: Failure) -> None:
        """A slave could not do something."""
        name = self.master.nicknameFromTID(tid)
        if job is None:
            log.error(
                "slave %s could not initialise itself: %s: %s\n%s",
                name,
                failure.kind,
                failure.message,
                failure.traceback,
            )
            self.calculation.feed(ev.SlaveFailed(tid, failure, now()))
        else:
            log.info("job on %s failed: %s: %s", name, failure.kind, failure.message)
            self.calculation.job_failed(tid, job, failure)

    def exited(self, tid: int) -> None:
        """The process of a slave has ended."""
        slots_of(self.master).exited(tid)


class _Hooks:
    """The hooks of a master, by the names that old scripts override; nothing else of it is called."""

    def __init__(self, master: JobMaster, display: Any) -> None:
        self.master, self.display = master, display
        #: slaves that get one job at a time, in the form of old
        self.single: set[int] = set()
        #: called with the time (s) at each tick; return the seconds until they want to be called again
        self.timers: list[Any] = []
        #: called when the calculation has ended badly
        self.after_bad_end: Any = lambda: None

    @property
    def result(self) -> dict[Any, Any]:
        """The results that there are."""
        return self.master.result

    def start_job(self, slave_tid: int) -> None:
        self.master.start_job(slave_tid)

    def job_done(self, slave_tid: int, result: dict[Any, Any]) -> None:
        self.master.job_done(slave_tid, result)

    def returned(self, items: list[Any]) -> None:
        """They are given out again."""

    def is_valid_slave(self, slave_tid: int) -> Any:
        return self.master.is_valid_slave(slave_tid)

    def get_slave_chunk(self, items: list[Any]) -> dict[Any, Any]:
        return self.master.get_slave_chunk(items)

    def chunk_size_for(self, slave_tid: int) -> int:
        # the name is not one of the original's: an old script may have a field of that name
        method = self.master.chunk_size_for
        return method(slave_tid) if callable(method) else max(int(self.master.chunk_size), 1)

    def queued_for(self, slave_tid: int) -> int:
        return messenger_of(self.master).queued(slave_tid)

    def send_jobs(self, slave_tid: int, jobs: list[tuple[int, Any]], n_left: int) -> int:
        master = self.master
        if self.display.lines:
            self.display.line(progress.left_line(slave_tid, master.nicknameFromTID(slave_tid), n_left))
        messenger = messenger_of(master)
        before = messenger.n_bytes
        if slave_tid in self.single:
            for _, chunk in jobs:
                master.send(slave_tid, MSG_JOB_START, (chunk,))
        else:
            master.send(slave_tid, int(Tag.JOBS), (jobs,))
        return messenger.n_bytes - before

    def keep(self, result: dict[Any, Any]) -> None:
        self.master.result.update(result)

    def item_failed(self, error: JobError) -> None:
        messenger = messenger_of(self.master)
        original = messenger.raised_by(messenger.sender)
        if original is not None and type(original) is type(error.exception):
            error.exception = original  # with its traceback
        log.error("failed: %s", error)

    def item_recovered(self, item: Any) -> None:
        """Its error is gone already."""

    def note(self, text: str) -> None:
        if self.master.verbose:
            self.display.message(text)
        else:
            log.info("%s", text)

    def finish(self) -> None:
        self.display.finished()
        self.master.finish()

    def end_badly(self, error: BaseException) -> None:
        """Let the slaves go although the calculation is not finished."""
        self.display.finished()
        master = self.master
        if not master._JobMaster__awaited:  # type: ignore[attr-defined]
            print_error(error)
        try:
            PVMMasterSlave.exit(master)
            slots_of(master).slaves_left()
        except task.Lost:
            messenger_of(master).loop.stop()
        finally:
            self.after_bad_end()

    def spawn(self, host: str, nickname: str, niceness: int, show_output: Any) -> int:
        return self.master.spawn(host, nickname, niceness, show_output)

    def started(self, tid: int) -> None:
        """Have the messages of a new slave bound."""
        master = self.master
        master.bindMessages(tid)
        if master.getBindings().get((tid, MSG_JOB_DONE)) != master._JobMaster__job_done:  # type: ignore[attr-defined]
            self.single.add(tid)  # the master handles the results itself


def calculation_of(master: JobMaster) -> Calculation:
    """Return the calculation of a master.

    Functions like this one stand in the place of attributes, so that subclasses keep all names for themselves.
    """
    return master._JobMaster__calculation  # type: ignore[attr-defined, no-any-return]


def n_done(master: JobMaster) -> int:
    """Return how many items of a master have their result."""
    status = master.status
    return len(status.objects) - status.n_unfinished - len(calculation_of(master).errors)


def slots_of(master: JobMaster) -> Slots:
    """Return the slots of a master."""
    return master._JobMaster__slots  # type: ignore[attr-defined, no-any-return]


def hooks_of(master: JobMaster) -> _Hooks:
    """Return what the calculation of a master calls."""
    return master._JobMaster__hooks  # type: ignore[attr-defined, no-any-return]


def options_of(master: JobMaster) -> Options:
    """Return the options of a master."""
    return master._JobMaster__options  # type: ignore[attr-defined, no-any-return]


def wants_inline(options: Mapping[str, Any]) -> bool:
    """Tell whether the slaves of a master with these options run in its own process."""
    return bool(options.get("inline")) or os.environ.get(INLINE_VARIABLE, "") == "1"


def await_in(master: JobMaster) -> None:
    """Note that somebody waits for the end of a calculation, to whom its error is raised."""
    master._JobMaster__awaited = True  # type: ignore[attr-defined]


def script_path(script: Any) -> str:
    """Return the path of a slave script as text, absolute where the script is found in the current folder.

    Parameters
    ----------
    script : str, bytes or path
    """
    path = os.fsdecode(script) if not isinstance(script, str) else script
    if spawning.runs_old_code():
        path = old_tasks.decoded(path)
    try:
        found = os.path.abspath(path) if path else path
    except OSError:  # the current folder was deleted
        return path
    return found if os.path.exists(found) else path


if __name__ == "__main__":
    if len(sys.argv) == 2:
        os.nice(int(sys.argv[1]))
    slave = JobSlave()
    slave.start()
