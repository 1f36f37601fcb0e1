"""Slaves that work on the items of a master (see `biskit_pvm.dispatcher`)."""

from __future__ import annotations

import itertools
import sys
import threading
import time
from time import monotonic as now

from biskit_pvm.jobs.slave_state import SlaveState
from biskit_pvm.machine import task
from biskit_pvm.machine.guard import guard_children
from biskit_pvm.machine.tags import Tag
from biskit_pvm.PVMThread import PVMMasterSlave, messenger_of, report_failure

TYPE_CHECKING = False  # slaves start quickly
if TYPE_CHECKING:
    from typing import Any

__all__ = ["JobSlave"]


#: seconds that short jobs may follow each other without a look for messages
SHORT = 0.001

#: seconds between two looks at a slave that works
STEP = 0.005

#: seconds after which a job is long, and what waits behind it is given back; more where jobs take that long anyway
HOLD = 0.01
LONGEST_HOLD = 0.05


class JobSlave(PVMMasterSlave):
    """Work for a `JobMaster`.  Override `go`, and `initialize` if need be."""

    def __init__(self) -> None:
        PVMMasterSlave.__init__(self)
        self.setMessageLoopDelay(0.5)
        self.__messenger = messenger_of(self)
        self.__state = SlaveState()
        self.__plain: set[int] = set()
        self.__numbers = itertools.count(-1, -1)
        self.__lock = threading.RLock()
        self.__at_work = threading.Event()
        self.__resting = False
        self.__rest_over = threading.Event()
        #: number of the present job, or of the last one, among all; when it began; whether it runs
        self.__n_jobs = 0
        self.__since = 0.0
        self.__runs = False
        #: running mean of the seconds that jobs take
        self.__mean = 0.0
        self.__reading = threading.Lock()

    def start(self) -> None:
        """Start working for the master."""
        alone = self.__messenger.own_process
        if self.getParent() is not None and alone:
            guard_children()
        self.__messenger.loop.work = self.__work
        if alone:
            self.__messenger.on_large = self.__announce
        own = self.__messenger.on_unreadable
        self.__messenger.on_unreadable = lambda *message: self.__unreadable(own, *message)
        PVMMasterSlave.start(self)
        try:
            self.bindMessages()
            if alone:
                threading.Thread(target=self.__look_after, daemon=True, name="results").start()
            self.startMessageLoop()
            if alone:
                self.__keep_main_thread()
        except BaseException:
            if not alone:
                raise
            # the thread alone would keep the process, of which nobody hears
            import traceback

            traceback.print_exc()
            self.__messenger.leave(1)

    def __keep_main_thread(self) -> None:
        """Have the main thread wait where an interactive interpreter without
        a terminal would begin, and end, its dialogue.

        Python refuses many things to the threads of a process whose main
        thread has ended.
        """
        if self.getParent() is not None and sys.flags.inspect and not (sys.stdin and sys.stdin.isatty()):
            sys.__interactivehook__ = self.join

    def bindMessages(self) -> None:
        """Bind the messages of the master."""
        parent = self.getParent()
        if parent is not None:
            self.bind(Tag.JOB_START, parent, self.__chunk)
            self.bind(Tag.JOBS, parent, self.__jobs)
            self.bind(Tag.UNSHARED, parent, self.__unshared)

    def startMessageLoop(self) -> None:
        """Let messages be handled, and tell the master so."""
        parent = self.getParent()
        # what handles the messages itself, or overrides `send`, sees those of old
        if (
            parent is not None
            and self.getBindings().get((parent, Tag.JOB_START)) == self.__chunk
            and type(self).send is PVMMasterSlave.send
        ):
            with self.__messenger.first_words(parent):
                self.__messenger.send(parent, Tag.SPEAKS, (time.time(), (self.getTID(),)))
        level, task.heritage().log_level = task.heritage().log_level, None
        if level is not None and parent is not None:
            from biskit_pvm.messages.records import send_records  # not needed by most slaves

            send_records(self.__messenger, parent, level)
        PVMMasterSlave.startMessageLoop(self)

    def initialize(self, params: Any) -> None:
        """Called once with what the master's `getInitParameters` returned.
        Override."""

    def go(self, *args: Any, **kw: Any) -> Any:
        """Process {item: object} and return {item: result}.  Override."""

    def __jobs(self, jobs: list[tuple[int, Any]]) -> None:
        self.__state.received(jobs)

    def __unshared(self, shelf: str, key: str) -> None:
        from biskit_pvm.messages import shared  # not needed by most slaves

        shared.drop(shelf, key)

    def __chunk(self, chunk: Any) -> None:
        """Take a job in the form of old, without a number."""
        number = next(self.__numbers)
        self.__plain.add(number)
        self.__state.received([(number, chunk)])

    def __work(self) -> bool:
        # a look for messages takes longer than many a job
        until = now() + SHORT
        while True:
            job = self.__state.next_job()
            if job is None:
                return False
            number, chunk = job
            self.__n_jobs += 1
            self.__since = now()
            self.__runs = True
            if not self.__at_work.is_set():
                self.__at_work.set()
            if self.__resting:
                self.__rest_over.set()
            start = time.perf_counter()
            try:
                result = self.go(chunk)
            except BaseException as error:
                # sys.exit, too: the item is at fault, and the slave goes on with the others
                self.__job_ends(HOLD)
                self.__send_results(self.__flush())
                self.__report_failure(number, error)
                return self.__state.busy
            seconds = time.perf_counter() - start
            self.__job_ends(seconds)
            if number in self.__plain:
                self.__send_results([(number, result, seconds)])
                return self.__state.busy
            end = now()
            with self.__lock:
                reports = self.__state.finished(number, result, seconds, end)
            if reports:
                self.__send_results(reports)
            if end >= until:
                return self.__state.busy

    def __job_ends(self, seconds: float) -> None:
        self.__mean += 0.2 * (seconds - self.__mean)
        if seconds < 0.5 * HOLD:
            self.__runs = False
            return
        with self.__reading:  # the loop must be the only one that takes messages
            self.__runs = False

    def __flush(self) -> list[Any]:
        with self.__lock:
            return self.__state.flush()

    def __look_after(self) -> None:
        """While jobs are done, send results in time, and give back what waits behind a long job."""
        seen, pause = 0, STEP
        while True:
            self.__at_work.wait()
            if pause > HOLD:
                self.__resting = True
                self.__rest_over.wait(pause)
                self.__resting = False
                self.__rest_over.clear()
            else:
                time.sleep(pause)
            try:
                with self.__lock:
                    due = self.__state.due()
                if due is not None and due <= now():
                    self.__send_results(self.__flush())
                if self.__n_jobs != seen:
                    seen, pause = self.__n_jobs, STEP
                elif not self.__runs:
                    if due is None:
                        self.__at_work.clear()
                        if self.__n_jobs != seen:  # one has begun meanwhile
                            self.__at_work.set()
                elif now() - self.__since >= min(max(HOLD, 2.5 * self.__mean), LONGEST_HOLD):
                    with self.__reading:
                        if self.__runs and self.__n_jobs == seen:
                            self.__hand_back()
                    # what was under way comes soon, if at all
                    pause = max(2 * pause, HOLD)
            except task.PvmError:  # the loop sees the same
                return

    def __hand_back(self) -> None:
        """Give jobs back that wait behind the present one, those in unread messages, too."""
        if self.__plain:
            return
        numbers = self.__state.take_waiting()
        for (jobs,) in self.__messenger.unread(self.getParent() or 0, Tag.JOBS):
            numbers += [number for number, _ in jobs]
        if numbers:
            self.__send_results(self.__flush())
            self.__messenger.send(
                self.getParent() or 0, Tag.RETURNED, (time.time(), (self.getTID(), numbers, now() - self.__since))
            )

    def __announce(self, receiver: int, tag: int, value: Any) -> None:
        """Tell the master of results that may take long, and let others have what waits behind them."""
        if tag != Tag.REPORTS:
            return
        tid, reports = value[1]
        self.__messenger.send(receiver, Tag.RESULTS_COMING, (time.time(), (tid, [number for number, *_ in reports])))
        numbers = self.__state.take_waiting()
        if self.__messenger.loop.inside():
            for (jobs,) in self.__messenger.unread(receiver, Tag.JOBS):
                numbers += [number for number, _ in jobs]
        if numbers:
            self.__messenger.send(receiver, Tag.RETURNED, (time.time(), (tid, numbers, 0.0)))

    def __send_results(self, reports: list[Any]) -> None:
        if not reports:
            return
        parent, tid = self.getParent(), self.getTID()
        number, result, _ = reports[0]
        try:
            if number in self.__plain:
                self.send(parent, int(Tag.JOB_DONE), (tid, result))
                self.__plain.discard(number)
            else:
                self.send(parent, int(Tag.REPORTS), (tid, reports))
        except task.PvmError:
            raise
        except BaseException as error:
            if len(reports) > 1:
                for report in reports:
                    self.__send_results([report])
            else:
                self.__report_failure(number, error)

    def __report_failure(self, number: int, error: BaseException) -> None:
        """Tell the master that a job has failed; one without a number is its oldest."""
        plain = number in self.__plain
        self.__plain.discard(number)
        report_failure(self, 0 if plain else number, error)

    def __unreadable(self, otherwise: Any, tid: int, tag: int, error: BaseException, frames: Any) -> None:
        """Work on the jobs of a message that can be read, and tell of the others."""
        if tid != self.getParent() or tag not in (Tag.JOB_START, Tag.JOBS):
            otherwise(tid, tag, error, frames)
            return
        from biskit_pvm.messages.salvage import fault_in, reason, salvage

        (jobs,) = salvage(frames[1], frames[2:])[1]
        if tag == Tag.JOB_START:
            jobs = [(0, jobs)]
        for number, chunk in jobs:
            fault = fault_in(chunk)
            if fault is None:
                self.__jobs([(number, chunk)])
            else:
                report_failure(self, number, TypeError(f"the slave cannot read the item: {reason(fault)}"))
