"""Masters that give the items of a dictionary to slaves."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterable
from typing import Any

from biskit_pvm.errors import CalculationError, JobError, check_options
from biskit_pvm.jobs import events as ev
from biskit_pvm.jobs import failures
from biskit_pvm.jobs.bulletin import Bulletin, slave_statuses
from biskit_pvm.jobs.calculation import Calculation, now
from biskit_pvm.jobs.master_state import MasterState, Rules
from biskit_pvm.jobs.poster import Poster
from biskit_pvm.machine import command, output, task, windows
from biskit_pvm.machine.tags import Tag
from biskit_pvm.PVMThread import PVMMasterSlave
from biskit_pvm.report import progress
from biskit_pvm.report.history import History
from biskit_pvm.report.progress_bar import make_progress
from biskit_pvm.slave import JobSlave
from biskit_pvm.Status import Status

__all__ = ["MSG_JOB_DONE", "MSG_JOB_START", "JobMaster", "JobSlave"]

MSG_JOB_START = int(Tag.JOB_START)
MSG_JOB_DONE = int(Tag.JOB_DONE)

log = logging.getLogger(__name__)

#: longest time (s) until a signal is seen that came before the wait
SIGNAL_PAUSE = 4.0

#: least time (s) for starting a slave again
RESPAWN_TIME = 60.0

#: options of a master beyond the arguments that it always had
OPTIONS: dict[str, Any] = {
    "max_tries": 3,
    "max_deaths": 5,
    "max_respawns": 3,
    "respawn_pause": 1.0,
    "heartbeat": 15.0,
    "job_timeout": None,
    "start_timeout": 600.0,
    "watch_hosts": False,
    "prefetch": 0.02,
    "on_error": "raise",
    "progress": "auto",
}


class _Unready:
    """Stands for the calculation of a master that was not started."""

    def feed(self, event: Any) -> None:
        """Ignore an event."""


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
    slave_script : str
        Path of the script that slaves run.
    show_output : bool or str
        True: one xterm per slave; 'keep': leave it open after the end;
        'log': bring what slaves print to the master.
    result : dict, optional
        {item: result}; the items in it are not processed again.
    redistribute : bool
        Give unfinished items to idle slaves, too, when nothing else is left.
    verbose : bool
    max_tries : int
        How often an item may fail before it is set aside in `errors`.
    max_deaths : int
        How many slaves may die over an item before it is set aside.
    max_respawns : int
        How often a slave that dies is started again in a row.
    respawn_pause : float
        Seconds before the first new start; twice as long before each next.
    heartbeat : float
        A slave not heard of for so many seconds loses its items to others.
    job_timeout : float, optional
        Seconds after which a job is taken away and its slave killed.
    start_timeout : float, optional
        Seconds after which a slave that has not reported at all is killed.
    watch_hosts : bool
        Use hosts again that come back while the calculation runs.
    prefetch : float
        Seconds of work that slaves with short jobs have in hand.
    on_error : {'raise', 'return'}
        What `TrackingJobMaster.calculateResult` does when items failed.
    progress : {'auto', 'bar', 'lines', 'none'}
        How progress is shown; 'auto' is a bar in a terminal or notebook and
        lines elsewhere.  Nothing is shown unless `verbose`.

    Attributes
    ----------
    errors : dict
        {item: JobError} of the items that were set aside.
    error : BaseException or None
        What ended the calculation before its end.
    status : Status
        Where every item is.
    slaves : dict
        {tid: {'host': name, 'nickname': name}}.
    history : biskit_pvm.report.history.History
        Which slave did which job, and when.
    """

    def __init__(
        self,
        data: dict[Any, Any],
        chunk_size: int,
        hosts: Iterable[str],
        niceness: dict[str, int],
        slave_script: str,
        show_output: Any = 0,
        result: dict[Any, Any] | None = None,
        redistribute: Any = 1,
        verbose: Any = 1,
        **options: Any,
    ) -> None:
        check_options(options, OPTIONS, type(self).__name__)
        PVMMasterSlave.__init__(self, verbose=verbose)
        self.pvm_options = dict(OPTIONS, **options)
        if self.pvm_options["on_error"] not in ("raise", "return"):
            raise ValueError(f"on_error must be 'raise' or 'return', not {self.pvm_options['on_error']!r}")
        self.hosts = self.__places(hosts)
        self.niceness = niceness
        self.data = data
        self.slave_script = slave_script
        self.chunk_size = chunk_size
        self.current_pos = 0
        self.show_output = show_output
        self.verbose = verbose
        self.xterm_bin = command.xterm()
        self.result = {} if result is None else result
        self.slaves: dict[int, dict[str, str]] = {}
        self.errors: dict[Any, JobError] = {}
        self.error: BaseException | None = None
        items = [key for key in data if key not in self.result]
        self.status = Status(items, redistribute=redistribute)
        self.__calculation: Any = _Unready()
        self.__finished = False
        self.__all_spawned = False
        self.__ending = threading.Lock()
        self.__ended = threading.Event()
        self.__windows: windows.Windows | None = None
        self.__lines = output.Lines()
        self.history = History()
        self.__display = make_progress(self.pvm_options["progress"], bool(verbose))
        self.__display.line(progress.processing_line(len(items)))

    @staticmethod
    def __places(hosts: Iterable[str]) -> list[dict[str, str]]:
        names = [str(host) for host in hosts]
        numbers: dict[str, int] = {}
        places = []
        for host in names:
            nickname = host
            if names.count(host) > 1:
                nickname = f"{host}_{numbers.get(host, 0)}"
                numbers[host] = numbers.get(host, 0) + 1
            places.append({"host": host, "nickname": nickname})
        return places

    # -- the start -----------------------------------------------------

    def start(self) -> None:
        """Start the calculation, in a thread of its own.

        Raises
        ------
        CalculationError
            There is no host to work on.
        """
        rules = Rules(
            **{name: self.pvm_options[name] for name in Rules.__dataclass_fields__ if name in self.pvm_options}
        )
        state = MasterState(self.status, {d["nickname"]: d["host"] for d in self.hosts}, rules, open=self._open())
        self.__calculation = Calculation(state, self, self.status.lock)
        self.bind(Tag.HOST_DELETED, task.DAEMON, self.__hosts_deleted)
        self.bind(Tag.OUTPUT, -1, self.__printed)
        self._patience = rules.patience
        self.__at_work = (0, 0)
        self.__tick_due = now()
        self.__poster = Poster()
        self.__started = time.time()
        self.__host = task.own_host()
        total = len(self.status.objects)
        self.__display.started(total, total - self.status.n_unfinished)
        PVMMasterSlave.start(self)
        self.startMessageLoop()
        if self.status.done() and not self._open():
            self._loop.call_soon(self.__conclude)
            return
        if not self.hosts:
            self._abort_soon(CalculationError("a master needs at least one host to start slaves on"))
            return
        self.__dtids = task.host_tids(place["host"] for place in self.hosts)
        task.notify_hosts(sorted({self.__dtids[d["host"]] for d in self.hosts if d["host"] in self.__dtids}))
        if rules.watch_hosts:
            self.bind(Tag.HOST_ADDED, task.DAEMON, self.__hosts_added)
            task.notify_new_hosts()
        self.spawnAll(self.niceness, self.show_output)
        self.__all_spawned = True
        self._loop.call_soon(self.__feed, ev.SpawningDone(now()))
        self._loop.tick_soon()

    def _open(self) -> bool:
        """Tell whether items may be added while the master runs."""
        return False

    def _add(self, data: dict[Any, Any]) -> None:
        """Take in more items, in the loop's thread of an open master."""
        self.data.update(data)
        self.status.add(data)
        self.__feed(ev.ItemsAdded(now()))

    def _close(self) -> None:
        """End an open master when it is done with the items it has; any
        thread."""
        self._loop.call_soon(self.__feed, ev.Closed(now()))

    def __feed(self, event: Any) -> None:
        self.__guard(self.__calculation.feed, event)

    def __guard(self, function: Any, *args: Any) -> None:
        """Call what may call hooks; an exception ends the calculation."""
        try:
            function(*args)
        except task.Lost:
            raise
        except Exception as error:
            self._abort(error)

    # -- slaves --------------------------------------------------------

    def spawnAll(self, niceness: dict[str, int], show_output: Any = 0) -> None:
        """Start a slave for every entry of `hosts`."""
        self.slaves = {}
        if show_output and show_output != "log":
            self.__open_windows(show_output).prepare(place["host"] for place in self.hosts)
        for place in list(self.hosts):
            if self._loop.stopped:
                return
            self.__spawn_at(place, niceness, show_output)

    def __spawn_at(self, place: dict[str, str], niceness: dict[str, int], show_output: Any) -> None:
        host, nickname = place["host"], place["nickname"]
        nice = niceness.get(host, niceness.get("default", 0)) if niceness else 0
        try:
            if not os.path.exists(self.slave_script) and task.is_own_host(host):
                raise FileNotFoundError(f"there is no slave script {self.slave_script!r}")
            tid = self.spawn(host, nickname, nice, show_output)
            reason = "" if tid > 0 else f"{task.error_text(tid)}; see: biskit-pvm doctor {host}"
        except (TimeoutError, OSError, RuntimeError) as error:
            tid, reason = 0, str(error)
        if tid <= 0:
            self.note(f"error spawning {host}\n\t{reason}")
            self._loop.call_soon(self.__feed, ev.SpawnFailed(nickname, f"could not be started: {reason}", now()))
        else:
            self.__display.line(progress.spawned_line(tid, nickname))

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
        words = command.python_command(self.slave_script, niceness)
        if show_output and show_output != "log":
            words = self.__open_windows(show_output).command(words, host)
        return PVMMasterSlave.spawn(self, (words[0], words[1:], task.ON_HOST, task.name_in_machine(host), 1), nickname)

    def __open_windows(self, show_output: Any) -> windows.Windows:
        if self.__windows is None:
            self.__windows = windows.Windows(self.note, keep=show_output == "keep", xterm=self.xterm_bin)
        return self.__windows

    def _adopt(self, tid: int, nickname: Any) -> None:
        for place in self.hosts:
            if place["nickname"] == nickname:
                self.slaves[tid] = place
        self.__calculation.feed(ev.SlaveSpawned(nickname, tid, now()))
        self.bindMessages(tid)
        self.bind(Tag.BEAT, tid, self.__heard)
        PVMMasterSlave._adopt(self, tid, nickname)

    def bindMessages(self, slave_tid: int) -> None:
        """Bind the messages of a slave."""
        self.bind(MSG_JOB_DONE, slave_tid, self.__job_done)

    def _heritage(self) -> dict[str, str]:
        variables = PVMMasterSlave._heritage(self)
        beat = Rules(heartbeat=self.pvm_options["heartbeat"]).beat
        variables[task.BEAT_VARIABLE] = repr(beat)
        if len(self.hosts) <= task.MOST_LINKS:
            variables[task.LINK_VARIABLE] = "1"
        variables.update(command.slave_variables())
        if self.show_output == "log":
            # else Python writes to a pipe by blocks, not by lines
            variables["PYTHONUNBUFFERED"] = "1"
        return variables

    def _spawn_timeout(self) -> float | None:
        limit: float = self.pvm_options["heartbeat"]
        if self.__all_spawned:
            # nobody waits, and daemons are slow while another host is silent
            limit = max(limit, RESPAWN_TIME)
        return limit

    def _output_target(self) -> tuple[int, int, int] | None:
        if self.show_output != "log":
            return None
        return self.getTID(), 0, Tag.OUTPUT

    def __printed(self, piece: output.Piece) -> None:
        """Tell what slaves print, by lines."""
        lines = self.__lines.feed(piece)
        if lines:
            name = self.__printer(piece.tid)
            self.__display.message("\n".join(f"{name}: {line}" for line in lines))

    def __printer(self, tid: int) -> str:
        if tid in self.slaves:
            return str(self.nicknameFromTID(tid))
        # it prints before this process is told that it was started
        dtid = task.host_of(tid)
        return next((name for name, other in self.__dtids.items() if other == dtid), f"t{tid:x}")

    def _slaves_left(self) -> None:
        if self._loop.inside():
            self._loop.run_until(lambda: not any(tid in self.slaves for tid in self.__lines.open), output.END_TIME)
        if self.__windows is not None:
            self.__windows.close()

    def respawn(self, nickname: str) -> None:
        """Start a slave again in its place, from a thread of its own."""
        for place in self.hosts:
            if place["nickname"] == nickname:
                threading.Thread(
                    target=self.__spawn_at, daemon=True, name="respawn", args=(place, self.niceness, self.show_output)
                ).start()

    def kill(self, slave_tid: int, reason: str) -> None:
        """End the process of a slave, whatever it does."""
        log.warning("%s is ended: %s", self.nicknameFromTID(slave_tid), reason)
        task.end_task(slave_tid, signal.SIGKILL)

    # -- what slaves report ------------------------------------------------

    def _slave_up(self, slave_tid: int) -> None:
        self.__feed(ev.SlaveUp(slave_tid, now()))

    def initializationDone(self, slave_tid: int) -> None:
        """Called when a slave can work: gives it its first job."""
        self.__feed(ev.SlaveReady(slave_tid, now()))

    def __heard(self, slave_tid: int) -> None:
        self.__feed(ev.Heard(slave_tid, now()))

    def __job_done(self, slave_tid: int, reports: Any) -> None:
        self.__guard(self.__calculation.reports, slave_tid, reports)
        self.__show()

    def __show(self) -> None:
        status = self.status
        self.__display.update(len(status.objects) - status.n_unfinished, *self.__at_work)

    def _slave_failed(self, slave_tid: int, job: int | None, failure: ev.Failure | tuple[str, ...]) -> None:
        failure = ev.Failure(*failure)
        if job is None:
            PVMMasterSlave._slave_failed(self, slave_tid, job, failure)
            self.__feed(ev.SlaveFailed(slave_tid, failure, now()))
        elif job < 0:
            self.__garbled(slave_tid, failure)
        else:
            log.info("job on %s failed: %s: %s", self.nicknameFromTID(slave_tid), failure.kind, failure.message)
            self.__feed(ev.JobFailed(slave_tid, job, failure, now()))

    def _unreadable(self, tid: int, tag: int, error: Exception) -> None:
        if tag == MSG_JOB_DONE and tid in self.slaves:
            self.__garbled(tid, ev.Failure(type(error).__name__, f"the result cannot be read by the master: {error}"))
        else:
            PVMMasterSlave._unreadable(self, tid, tag, error)

    def __garbled(self, tid: int, failure: ev.Failure) -> None:
        """Nobody knows which jobs a message was about: the oldest is blamed,
        and the others come back when the slave is gone."""
        slave = self.__calculation.state.slaves.get(tid)
        if slave is not None:
            for job in list(slave.jobs)[:1]:
                self.__feed(ev.JobFailed(tid, job, failure, now()))
            self.kill(tid, failure.message)

    def _slave_exited(self, tid: int) -> None:
        reason = "its process ended"
        slave = self.__calculation.state.slaves.get(tid)
        if slave is not None and not slave.up:
            reason += " before it was up"
            words = output.last_words(tid)
            reason += f'; the log of its pvmd or "biskit-pvm doctor {slave.place.host}" tells why'
            if words:
                reason += f"; it printed:\n{words}"
        self.__feed(ev.SlaveExited(tid, now(), reason))

    def __hosts_deleted(self, dtids: list[int]) -> None:
        names = {dtid: name for name, dtid in self.__dtids.items()}
        for dtid in dtids:
            for tid in list(self.slaves):
                if task.host_of(tid) == dtid:
                    self._forget_slave(tid)
                    self.__lines.lose(tid)
            if dtid in names:
                self.__feed(ev.HostLost(names[dtid], now()))

    def __hosts_added(self, dtids: list[int]) -> None:
        self.__dtids = task.host_tids(place["host"] for place in self.hosts)
        task.notify_hosts(dtids)
        for name, dtid in self.__dtids.items():
            if dtid in dtids:
                self.__feed(ev.HostAdded(name, now()))

    # -- hooks, and what the calculation asks --------------------------------

    def start_job(self, slave_tid: int) -> None:
        """Called when a slave is about to get a job.  Override."""

    def get_slave_chunk(self, data_keys: list[Any]) -> dict[Any, Any]:
        """Return {item: object} for a job.  Override to make the objects
        when they are needed."""
        data = self.data
        return {key: data[key] for key in data_keys}

    def is_valid_slave(self, slave_tid: int) -> Any:
        """Tell, each time, whether a slave may get a job.  Override."""
        return 1

    def job_done(self, slave_tid: int, result: dict[Any, Any]) -> None:
        """Called with the result of every job.  Override."""

    def chunk_size_for(self, slave_tid: int) -> int:
        """Return how many items a slave gets at a time."""
        return max(int(self.chunk_size), 1)

    def send_jobs(self, slave_tid: int, jobs: list[tuple[int, Any]], n_left: int) -> int:
        """Send jobs to a slave; return the bytes."""
        if self.__display.lines:
            self.__display.line(progress.left_line(slave_tid, self.nicknameFromTID(slave_tid), n_left))
        # old subclasses have a `send` of their own, which returns nothing
        return self.send(slave_tid, MSG_JOB_START, (jobs,)) or 0

    def _does_not_read(self, tid: int) -> None:
        if tid in self.slaves:
            self._loop.call_soon(self.__feed, ev.SlaveStuck(tid, now()))

    def set_aside(self, order: ev.SetAside) -> None:
        """An item was given up."""
        error = JobError.from_failure(order.item, order.host, order.failure, failures.revive(order.failure))
        self.errors[order.item] = error
        log.error("given up: %s", error)

    def reinstate(self, item: Any) -> None:
        """A result came for an item that had been given up."""
        self.errors.pop(item, None)

    def note(self, text: str) -> None:
        """Tell the user what happened."""
        if self.verbose:
            self.__display.message(text)
        else:
            log.info("%s", text)

    def _tick(self, now: float) -> float:
        calculation = self.__calculation
        if isinstance(calculation, _Unready):
            return PVMMasterSlave._tick(self, now)
        self.__feed(ev.Tick(now, max(now - self.__tick_due, 0.0)))
        slaves = list(calculation.state.slaves.values())
        self.__at_work = (len(slaves), len({slave.place.host for slave in slaves}))
        self.__show()
        pause: float = min(calculation.state.next_tick(now), self.__poster.tick(now, self.__bulletin))
        self.__tick_due = now + pause
        return pause

    def __bulletin(self) -> Bulletin:
        status = self.status
        slaves = list(self.__calculation.state.slaves.values())
        return Bulletin(
            self.getTID(),
            type(self).__name__,
            self.__host,
            os.getpid(),
            self.__started,
            time.time(),
            len(status.objects),
            len(status.objects) - status.n_unfinished - len(self.errors),
            len(self.errors),
            slave_statuses(slaves, time.time() - now()),
        )

    # -- the end -------------------------------------------------------

    def all_done(self) -> None:
        """Every item is finished or given up."""
        self._loop.call_soon(self.__conclude)

    def stranded(self, reason: str) -> None:
        """Items are left, and no slave is."""
        n = len(self.status.not_done())
        self._abort(CalculationError(f"no slave is left for {n} unfinished items ({reason})", self.errors, self.result))

    def __conclude(self) -> None:
        if not self.__end_once():
            return
        self.__display.finished()
        try:
            self.finish()
        except Exception as error:
            self.error = error
            log.error("the end of the calculation failed", exc_info=error)
            self._end_badly()
        finally:
            self.__ended.set()

    def _handler_failed(self, error: Exception, tid: int, tag: int) -> None:
        self._abort(error)

    def _machine_lost(self, error: Exception) -> None:
        self.stop()
        self._abort(CalculationError(f"the PVM daemon is gone ({error})", self.errors, self.result))

    def _abort_soon(self, error: BaseException) -> None:
        self._loop.call_soon(self._abort, error)

    def _abort(self, error: BaseException) -> None:
        """End the calculation because of `error`."""
        if not self.__end_once():
            return
        self.error = error
        self.__display.finished()
        log.debug("the calculation ends early", exc_info=error)
        try:
            self._end_badly()
        finally:
            self.__ended.set()

    def __end_once(self) -> bool:
        """Tell whoever comes first that it is the first."""
        with self.__ending:
            first, self.__finished = not self.__finished, True
            return first

    def exit(self) -> None:
        """Let the slaves go and end this thread.

        Whoever waits for the result of an unfinished calculation gets a
        CalculationError.
        """
        if isinstance(self.__calculation, _Unready):
            self.__finished = True
        if self.__finished:
            PVMMasterSlave.exit(self)
        else:
            self._abort(
                CalculationError("exit was called before the calculation was finished", self.errors, self.result)
            )

    def _end_badly(self) -> None:
        """Let the slaves go although the calculation is not finished."""
        try:
            if not self._loop.stopped:
                self.exit()
        except task.Lost:
            self.stop()

    def _wait_for_end(self, timeout: float | None = None) -> bool:
        if timeout is not None:
            return self.__ended.wait(timeout)
        # a Ctrl-C right before the sleep would not end it: look now and then
        while not self.__ended.wait(SIGNAL_PAUSE):
            pass
        return True

    def done(self) -> None:
        """Called when the last result has come.  Override."""
        print("Done")

    def finish(self) -> None:
        """Called once, when the last result has come."""
        self.done()


if __name__ == "__main__":
    if len(sys.argv) == 2:
        os.nice(int(sys.argv[1]))
    slave = JobSlave()
    slave.start()
