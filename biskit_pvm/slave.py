"""Slaves that work on the items of a master (see `biskit_pvm.dispatcher`)."""

from __future__ import annotations

import sys
import threading
import time
from time import monotonic as now

from biskit_pvm.jobs.guard import guard_children
from biskit_pvm.jobs.slave_state import SlaveState
from biskit_pvm.machine import task as machine
from biskit_pvm.machine.tags import Tag
from biskit_pvm.PVMThread import PVMMasterSlave

TYPE_CHECKING = False  # slaves start quickly
if TYPE_CHECKING:
    from typing import Any

__all__ = ["JobSlave"]


class JobSlave(PVMMasterSlave):
    """Work for a `JobMaster`.  Override `go`, and `initialize` if need be."""

    #: seconds that short jobs may follow each other without a look for messages
    deaf = 0.001

    def __init__(self) -> None:
        PVMMasterSlave.__init__(self)
        self.setMessageLoopDelay(0.5)
        self.__state = SlaveState()
        self.__lock = threading.RLock()
        self.__due = threading.Event()

    def start(self) -> None:
        """Start working for the master."""
        if self.getParent() is not None:
            guard_children()
        PVMMasterSlave.start(self)
        try:
            self.bindMessages()
            threading.Thread(target=self.__look_after_results, daemon=True, name="results").start()
            self.startMessageLoop()
            self.__keep_main_thread()
        except BaseException:
            # the thread alone would keep the process, of which nobody hears
            import traceback

            traceback.print_exc()
            self._leave_process(1)

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
            self.bind(Tag.JOB_START, parent, self.__received)

    def initialize(self, params: Any) -> None:
        """Called once with what the master's `getInitParameters` returned.
        Override."""

    def go(self, *args: Any, **kw: Any) -> Any:
        """Process {item: object} and return {item: result}.  Override."""

    def __received(self, jobs: list[tuple[int, Any]]) -> None:
        self.__state.received(jobs)

    def _work(self) -> bool:
        # a look for messages takes longer than many a job
        until = now() + self.deaf
        while True:
            task = self.__state.next_task()
            if task is None:
                return False
            job, chunk = task
            start = time.perf_counter()
            try:
                result = self.go(chunk)
            except Exception as error:
                self.__send_results(self.__flush())
                self._report_failure(job, error)
                return self.__state.busy
            seconds = time.perf_counter() - start
            end = now()
            with self.__lock:
                reports = self.__state.finished(job, result, seconds, end)
            if reports:
                self.__send_results(reports)
            elif not self.__due.is_set():
                self.__due.set()
            if end >= until:
                return self.__state.busy

    def __flush(self) -> list[Any]:
        with self.__lock:
            return self.__state.flush()

    def __look_after_results(self) -> None:
        """Send results in time although the next job takes long."""
        while True:
            self.__due.wait()
            with self.__lock:
                due = self.__state.due()
                if due is None:
                    self.__due.clear()
            if due is None:
                continue
            pause = due - now()
            if pause > 0:
                time.sleep(pause)
            else:
                self.__send_results(self.__flush())

    def __send_results(self, reports: list[Any]) -> None:
        if not reports:
            return
        parent, tid = self.getParent(), self.getTID()
        try:
            self.send(parent, Tag.JOB_DONE, (tid, reports))
        except machine.PvmError:
            raise
        except Exception as error:
            if len(reports) > 1:
                for report in reports:
                    self.__send_results([report])
            else:
                self._report_failure(reports[0][0], error)

    def _unreadable(self, tid: int, tag: int, error: Exception) -> None:
        if tag == Tag.JOB_START and tid == self.getParent():
            self._report_failure(-1, error)
        else:
            PVMMasterSlave._unreadable(self, tid, tag, error)
