"""Masters that calculate in the background, report and can be restarted."""

from __future__ import annotations

import copy
import io
import logging
import os
import signal
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import Condition, RLock, Thread
from typing import Any, Callable

from biskit_pvm import pvm
from biskit_pvm.dispatcher import (
    RESET_TIME,
    JobMaster,
    View,
    await_in,
    calculation_of,
    hooks_of,
    n_done,
    options_of,
    slots_of,
    wants_inline,
)
from biskit_pvm.errors import CalculationError, RestartError
from biskit_pvm.jobs.calculation import AlreadyBegun
from biskit_pvm.jobs.slaves import GRACE
from biskit_pvm.machine import names
from biskit_pvm.messages.shared import by_value
from biskit_pvm.PVMThread import slaves_of
from biskit_pvm.report.progress import count, report_lines
from biskit_pvm.report.say import say
from biskit_pvm.restart import file as restartfile
from biskit_pvm.restart.format import FIELDS, LEFT_OUT
from biskit_pvm.Status import Status

__all__ = ["TrackingJobMaster", "load_restart", "restart"]

log = logging.getLogger(__name__)

_LOCKS = (type(threading.Lock()), type(RLock()), Condition, threading.Event, threading.Semaphore)


class TrackingJobMaster(JobMaster):
    """Have items processed in the background, and keep track.

    Beyond what a `JobMaster` does, this class

    * adds the hosts to PVM,
    * reports how long each slave takes for a job on the average,
    * tells in several ways that the calculation has ended: by the return of
      `calculateResult`, by `lockMsg`, and by a callback,
    * saves what is needed to go on after an interruption.

    Consider overriding `cleanup`, `done` and `getResult`.

    Parameters
    ----------
    data : dict
        {item: object} to be processed.
    chunk_size : int
        Largest number of items in a job.
    hosts : list of str
        One slave is started per entry.
    niceness : dict
        {host: nice value, 'default': nice value}.
    slave_script : str
        Absolute path of the slave script.
    verbose : bool
    show_output : bool or str
        See `JobMaster`.
    add_hosts : bool
        Add the hosts to PVM before starting.
    redistribute : bool
        At the end, give the same items to several slaves.
    autosave : (str, float), optional
        Path of a restart file and the seconds after which it is written
        anew.
    **options
        Those of `JobMaster`.

    Attributes
    ----------
    progress : dict
        {nickname: {'given': jobs, 'done': jobs, 'time': mean seconds per
        job, 'timeStart': seconds since the epoch}}.
    disabled_hosts : list of str
        Slaves on these hosts get no further job.
    slow_hosts : dict
        {host: factor}; see `mark_slow_slaves`.
    lock, lockMsg : RLock and Condition
        `lockMsg` is notified at the end.
    """

    autosave = View(
        lambda self: self.__saving_to, "Path of the restart file, and seconds after which it is written anew."
    )

    def __init__(
        self,
        data: dict[Any, Any] | None = None,
        chunk_size: int = 5,
        hosts: Iterable[str] = (),
        niceness: dict[str, int] | None = None,
        slave_script: str = "",
        verbose: Any = 1,
        show_output: Any = 0,
        add_hosts: Any = 1,
        redistribute: Any = 1,
        autosave: tuple[str, float] | None = None,
        **options: Any,
    ) -> None:
        self.__saving_to = _checked_autosave(autosave)
        hosts = names.host_list(hosts)
        if add_hosts and hosts and not wants_inline(options):
            number = len(set(hosts))
            if verbose:
                say(f"adding {count(number, 'host')} to pvm...", "stderr", end="")
            pvm.addHosts(hosts=hosts)
            if verbose:
                say("done", "stderr")
        JobMaster.__init__(
            self,
            {} if data is None else data,
            chunk_size,
            hosts,
            {"default": 20} if niceness is None else niceness,
            slave_script,
            show_output=show_output,
            redistribute=redistribute,
            verbose=verbose,
            **options,
        )
        slots_of(self).joins = bool(add_hosts)
        self.progress: dict[Any, dict[str, float]] = {}
        self.disabled_hosts: list[str] = []
        self.slow_hosts: dict[str, float] = {}
        self.lock = RLock()
        self.lockMsg = _EndToCome(self, self.lock) if options_of(self).inline else Condition(self.lock)
        self.call_done: Callable[[Any], Any] | None = None
        self.__saved = time.monotonic()
        self.__saving: Thread | None = None
        self.__given: dict[int, list[float]] = {}
        hooks_of(self).timers.append(self.__time_to_save)
        hooks_of(self).after_bad_end = self.__ended_badly

    # -- who gets what ---------------------------------------------------

    def hostnameFromTID(self, slave_tid: int) -> str:
        """Return the name of the host of a slave."""
        place = self.slaves.get(slave_tid)
        if place is not None:
            return place["host"]
        raise NameError("tid not known")

    def is_valid_slave(self, slave_tid: int) -> Any:
        """Tell whether the host of a slave is not disabled."""
        return self.hostnameFromTID(slave_tid) not in self.disabled_hosts

    def mark_slow_slaves(self, host_list: Iterable[str], slow_factor: float) -> None:
        """Have hosts get smaller chunks.

        Parameters
        ----------
        host_list : list of str
        slow_factor : float
            Their speed in relation to the others: 0.5 for half as fast;
            values above 1 say how many times slower they are.
        """
        if not slow_factor > 0:
            raise ValueError(f"slow_factor must be positive, not {slow_factor!r}")
        for host in host_list:
            self.slow_hosts[host] = slow_factor

    def chunk_size_for(self, slave_tid: int) -> int:
        """Return how many items a slave gets at a time."""
        size = JobMaster.chunk_size_for(self, slave_tid)
        if self.slow_hosts and isinstance(self.slow_hosts, dict):  # an old script may have a field of that name
            factor = self.slow_hosts.get(self.hostnameFromTID(slave_tid), 1.0)
            size = int(size * factor if factor <= 1 else size / factor)
        return max(size, 1)

    # -- keeping track -----------------------------------------------------

    def start_job(self, slave_tid: int) -> None:
        """Note that a slave gets a job."""
        nickname = self.nicknameFromTID(slave_tid)
        record = self.progress.get(nickname)
        if record is None:
            record = self.progress[nickname] = {"given": 0, "done": 0, "time": 0.0, "timeStart": time.time()}
        waiting = self.__given.setdefault(slave_tid, [])
        if not waiting:
            record["timeStart"] = time.time()
        waiting.append(record["timeStart"])
        record["given"] += 1

    def job_done(self, slave_tid: int, result: dict[Any, Any]) -> None:
        """Note that a slave has done a job."""
        record = self.progress.get(self.nicknameFromTID(slave_tid))
        if record is None:
            return
        now = time.time()
        n = record["done"] = record["done"] + 1
        record["time"] += (now - record["timeStart"] - record["time"]) / n
        record["timeStart"] = now
        waiting = self.__given.get(slave_tid)
        if waiting:
            waiting.pop()

    def reportProgress(self) -> None:
        """Print how many jobs each slave has done, and in what mean time."""
        if self.verbose:
            say("\n".join(report_lines(self.progress)))

    # -- the end -------------------------------------------------------

    def plotTimeline(self, fname: str, title: str = "") -> None:
        """Draw who worked when: one row per slave, one bar per job.

        Parameters
        ----------
        fname : str
            File to write; its ending decides the format, such as .png.
        title : str
            By default the name of the class.

        Raises
        ------
        ImportError
            matplotlib is not installed.
        """
        from biskit_pvm.report.plots import plot_timeline

        plot_timeline(calculation_of(self).history.records, fname, title or type(self).__name__)

    def saveReport(self, fname: str) -> None:
        """Write who did what, when, how long, and what went wrong, as one
        HTML page.

        Parameters
        ----------
        fname : str
            File to write.
        """
        from biskit_pvm.report.report_file import write_report

        calculation = calculation_of(self)
        total = len(self.status.objects)
        done = n_done(self)
        write_report(fname, type(self).__name__, calculation.history, total, done, calculation.errors)

    def setCallback(self, funct: Callable[[Any], Any]) -> None:
        """Have a function called after the end, with the master as its only
        argument."""
        self.call_done = funct

    def cleanup(self) -> None:
        """Called when the slaves have left.  Override.

        Not called when the calculation ends before all items are finished,
        since a restart may need what would be removed.
        """

    def done(self) -> None:
        """Called after `exit`, `cleanup` and `reportProgress`.  Override."""

    def notifyAll(self) -> None:
        """Notify whoever waits on `lockMsg` that the master has finished."""
        with self.lock:
            self.lockMsg.notify_all()

    def finish(self) -> None:
        """Called once, when the last result has come.  Override `done`
        rather than this."""
        self.exit()
        self.cleanup()
        self.reportProgress()
        self.done()
        self.notifyAll()
        if self.call_done:
            self.call_done(self)

    def __ended_badly(self) -> None:
        # no cleanup: a restart may need what it would remove
        self.notifyAll()

    def getResult(self, **arg: Any) -> Any:
        """Return the result: {item: result}.  Override to return something
        else, from `calculateResult`, too."""
        return self.result

    def calculateResult(self, **arg: Any) -> Any:
        """Start the calculation, wait for its end and return its result.

        Parameters
        ----------
        **arg
            Passed on to `getResult`.

        Raises
        ------
        CalculationError
            Items failed (unless `on_error='return'`), or the
            calculation could not go on.
        Exception
            Whatever an overridden method of the master has raised.
        """
        calculation = calculation_of(self)
        if calculation.running:
            raise RuntimeError("threads can only be started once")
        await_in(self)
        with self.__ended_by_signals():
            self.start()
            JobMaster.wait(self)
        self.join(GRACE)
        if self.__saving is not None:
            self.__saving.join(GRACE)
        if calculation.error is not None:
            raise calculation.error
        if calculation.errors and options_of(self).on_error == "raise":
            failed = CalculationError.of_items(calculation.errors, self.result, len(self.status.objects))
            cause = next(iter(calculation.errors.values())).exception
            # one of this very process leads a debugger to the line
            raise failed from (cause if cause is not None and cause.__traceback__ is not None else None)
        return self.getResult(**arg)

    @contextmanager
    def __ended_by_signals(self) -> Iterator[None]:
        """Let the slaves go when the user, or PVM, ends this process."""

        def end(signum: int, frame: Any) -> None:
            raise _Terminated(128 + signum)

        in_main = threading.current_thread() is threading.main_thread()
        ours = in_main and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        if ours:
            signal.signal(signal.SIGTERM, end)
        calculation = calculation_of(self)
        try:
            yield
        except _Terminated as error:
            if not self.__machine_ends():
                calculation.abort(error)
                if self.is_alive():
                    self.join(GRACE)
                raise SystemExit(error.code) from None
            if calculation.error is None:
                calculation.abort(self.__reset_error())
        except AlreadyBegun:  # by another thread, whose calculation it is
            raise
        except BaseException as error:
            calculation.abort(error)
            if self.is_alive():
                self.join(GRACE)
            raise
        finally:
            if ours:
                signal.signal(signal.SIGTERM, signal.SIG_DFL)

    def __machine_ends(self) -> bool:
        """After a SIGTERM: tell whether PVM has sent it because the virtual machine was halted or reset.

        The daemon is gone then, or all slaves are.
        """
        if options_of(self).inline:
            return False
        return slaves_of(self).wait_until_gone(RESET_TIME) and bool(self.slaves)

    def __reset_error(self) -> CalculationError:
        calculation = calculation_of(self)
        done = n_done(self)
        return calculation.error_of(
            f"the virtual machine was halted or reset; there are {count(done, 'result')}, which a restart file can keep"
        )

    # -- interruption and restart ------------------------------------------

    def getRst(self) -> dict[str, Any]:
        """Return what is needed to go on later.

        Override if need be, but call this method.

        Returns
        -------
        dict
            Copies of the master's own fields in
            `biskit_pvm.restart.format.FIELDS`, and of all that subclasses
            and users have set, but for locks, threads, open files and those
            whose names begin with an underscore; `status_objects`,
            `master_options` and `master_class`.
        """
        with self.status.lock:
            rst = {
                name: copy.copy(value)
                for name, value in list(self.__dict__.items())
                if name in FIELDS or (name not in LEFT_OUT and not name.startswith("_") and not _bound_here(value))
            }
            states = dict(self.status.objects)
            for item in calculation_of(self).errors:
                states[item] = None
            rst["status_objects"] = states
            rst["master_options"] = {**vars(options_of(self)), "autosave": self.__saving_to}
            rst["master_class"] = self.__class__
            return rst

    def saveRst(self, fname: str) -> None:
        """Save what is needed to go on later.

        The file is complete at any time: it is written beside the old one,
        which it then replaces and which is kept as `<fname>~`.

        Raises
        ------
        RestartError
            A field cannot be saved.
        """
        with by_value():  # nobody shares it with who reads the file
            restartfile.save(self.getRst(), fname)

    def setRst(self, rst_data: dict[str, Any]) -> dict[str, Any]:
        """Take over the class, the options and the states of a saved master.

        Override if need be, but call this method.

        Returns
        -------
        dict
            The fields that are left to be set.
        """
        self.__class__ = rst_data["master_class"]
        # what was out with a slave has to be given out again
        self.status.objects = {item: 0 if state == 0 else None for item, state in rst_data["status_objects"].items()}
        taken = {"master_class", "status_objects", "master_options"}
        options = rst_data.get("master_options")
        if options is None:  # the version before had these among the fields
            taken |= {"pvm_options", "autosave"}
            options = {**rst_data.get("pvm_options", {}), "autosave": rst_data.get("autosave")}
        known = vars(options_of(self))
        known.update({name: value for name, value in options.items() if name in known})
        if self.__saving_to is None:
            self.__saving_to = _checked_autosave(options.get("autosave"))
        return {name: value for name, value in rst_data.items() if name not in taken}

    def __time_to_save(self, now: float) -> float:
        """Begin with saving where that is due; return the seconds until it is."""
        if self.__saving_to is None:
            return 3600.0
        path, interval = self.__saving_to
        if now - self.__saved >= interval and (self.__saving is None or not self.__saving.is_alive()):
            self.__saved = now
            self.__saving = Thread(target=self.__autosave, args=(path,), daemon=True)
            self.__saving.start()
        return max(self.__saved + interval - now, 0.01)

    def __autosave(self, path: str) -> None:
        try:
            self.saveRst(path)
        except Exception as error:
            log.error("the restart file %s could not be written: %s", path, error)


class _EndToCome(Condition):
    """The `lockMsg` of a calculation that may have ended before anybody can wait for it."""

    def __init__(self, master: TrackingJobMaster, lock: Any) -> None:
        super().__init__(lock)
        self._ended = calculation_of(master).ended

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end, unless it has come."""
        return self._ended.is_set() or super().wait(timeout)


class _Terminated(BaseException):
    """This process was told to end by a signal."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def _checked_autosave(autosave: Any) -> tuple[str, float] | None:
    """Return path and seconds; what is neither None nor such a pair is a slip."""
    if autosave is None:
        return None
    if isinstance(autosave, (tuple, list)) and len(autosave) == 2:
        path, seconds = autosave
        if isinstance(path, (str, bytes, os.PathLike)) and isinstance(seconds, (int, float)) and seconds > 0:
            return os.path.abspath(os.fsdecode(path)), float(seconds)
    raise TypeError(f"autosave must be a pair (path, seconds), such as ('run.rst', 600), not {autosave!r}")


def _bound_here(value: Any) -> bool:
    """Tell whether a value belongs to this process."""
    return isinstance(value, (Thread, Status, io.IOBase) + _LOCKS)


def load_restart(path: str, trust: Any = False, classes: Iterable[type] = ()) -> dict[str, Any]:
    """Read a restart file.

    A file that this user has written is known by its seal, and read like any
    other pickle.  Of any other file only plain values are taken, and nothing
    is run, unless it is trusted.

    Parameters
    ----------
    path : str
    trust : bool
        Run whatever the file asks for, and the script that it names.
    classes : iterable of type
        Classes of which objects may be made although the file is not
        trusted, with whatever contents: give only those of plain records.

    Returns
    -------
    dict
        For `restart`.  From a file that is not trusted without what would be
        run, where and how, such as `slave_script`, `hosts` and the options:
        `restart` wants these as arguments.

    Raises
    ------
    RestartError
        The file is not whole, not a restart file, or asks for something that
        is not allowed.
    OSError
    """
    masters = [TrackingJobMaster]
    for kind in masters:  # grows meanwhile
        masters += [sub for sub in kind.__subclasses__() if sub not in masters]
    return restartfile.load(path, trust, classes, masters)


class _NotADictionary(RestartError, TypeError):
    """What should be restart data is something else; a TypeError to old programs."""

    __py2_type__ = TypeError


class _Incomplete(RestartError, KeyError):
    """An entry of the restart data is missing; a KeyError to old programs."""

    __py2_type__ = KeyError

    def __str__(self) -> str:
        return f"this is no restart data: {self.args[0]} is missing"

    def __py2_str__(self) -> str:
        # the original's text comes first
        return f"{self.args[0]!r} is missing: this is no restart data"


def restart(rst_data: dict[str, Any], **params: Any) -> TrackingJobMaster:
    """Make a master that goes on where a saved one was.

    Parameters
    ----------
    rst_data : dict
        From `getRst`, or `biskit_pvm.load_restart`.
    **params
        Arguments of `TrackingJobMaster`; `hosts`, `slave_script` and
        `autosave` replace what was saved.

    Returns
    -------
    TrackingJobMaster
        An object of the saved master's class; `start()` or
        `calculateResult()` finishes the calculation.

    Raises
    ------
    RestartError
        These are no restart data, or they come from a file that is not
        trusted, and `slave_script` or `hosts` is not given.
    """
    if not isinstance(rst_data, dict):
        raise _NotADictionary(f"this is no restart data, but a {type(rst_data).__name__}")
    for name in ("master_class", "status_objects"):
        if name not in rst_data:
            raise _Incomplete(name)
    missing = [name for name in ("slave_script", "hosts") if name not in rst_data and not params.get(name)]
    if missing:
        raise RestartError(
            "what is run, and where, is not taken from a restart file that is not trusted: "
            f"give {' and '.join(missing)}"
        )
    params.setdefault("verbose", rst_data.get("verbose", 1))
    if params.pop("add_hosts", 0) and not wants_inline(params):
        pvm.addHosts(hosts=params.get("hosts") or sorted({place["host"] for place in rst_data.get("hosts", ())}))
    master = TrackingJobMaster(add_hosts=0, **params)
    options = {name: value for name, value in params.items() if name in vars(options_of(master))}
    fields = master.setRst(dict(rst_data))
    for name in ("hosts", "slave_script"):
        if params.get(name):
            fields.pop(name, None)
    master.__dict__.update(fields)
    vars(options_of(master)).update(options)
    return master
