"""Looks at the virtual machine again and again, apart from whoever shows it.

A call to the pvmd can take a minute when a host has fallen silent. So one thread makes all such
calls, and the person at the screen goes on meanwhile.
"""

from __future__ import annotations

import os
import threading
import time
from typing import Callable

import pvm_ext
from biskit_pvm.jobs import poster
from biskit_pvm.machine import control, helper, host_table
from biskit_pvm.machine.inventory import Load
from biskit_pvm.machine.tags import Tag
from biskit_pvm.top import load_probe
from biskit_pvm.top.view import DeleteHost, KillTask, Order, Snapshot, survey
from pvm_ext.errors import PvmError


class Sampler:
    """A thread that looks at the virtual machine and carries out orders.

    Parameters
    ----------
    interval : float
        Seconds between two looks.
    news : callable
        Called from the thread when there is something new; must not wait.

    Attributes
    ----------
    snapshot : Snapshot or None
        The latest look.
    note : str
        What the last order led to.
    error : PvmError or None
        Why the thread has ended, such as a pvmd that is gone.
    """

    def __init__(self, interval: float, news: Callable[[], None]) -> None:
        self.interval = interval
        self.snapshot: Snapshot | None = None
        self.note = ""
        self.error: PvmError | None = None
        self._news = news
        self._since = time.monotonic()
        self._busy = True
        self._orders: list[Order] = []
        self._wake = pvm_ext.Waker()
        self._stop = False
        self._probes: dict[str, int] = {}
        self._loads: dict[str, Load] = {}
        self._thread = threading.Thread(target=self._run, name="biskit-pvm-sampler", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread, and the probes with it; does not wait for a silent pvmd."""
        self._stop = True
        self._wake.wake()
        self._thread.join(1.0)

    def order(self, order: Order) -> None:
        """Have an order carried out as soon as the pvmd has answered what is under way."""
        self._orders.append(order)
        self._wake.wake()

    def waiting(self) -> float:
        """Return for how many seconds an answer of the pvmd has been due; 0 when none is."""
        return time.monotonic() - self._since if self._busy else 0.0

    def _run(self) -> None:
        try:
            while not self._stop:
                self._busy, self._since = True, time.monotonic()
                self._look()
                self._busy = False
                self._news()
                self._pause()
            for tid in self._probes.values():
                pvm_ext.kill(tid)
            control.leave()
        except PvmError as error:
            self.error = error
            self._news()

    def _look(self) -> None:
        while self._orders:
            self.note = _carry_out(self._orders.pop(0))
        hosts = control.hosts()
        self._keep_probes([host.name for host in hosts])
        mine = set(self._probes.values())
        tasks = [task for task in control.tasks() if task.tid not in mine]
        loads, bulletins = dict(self._loads), poster.bulletins()
        self.snapshot = survey(time.time(), hosts, tasks, loads, bulletins)

    def _keep_probes(self, hosts: list[str]) -> None:
        """Have one probe on every host; one that could not start is not tried again."""
        for name in set(self._probes) - set(hosts):
            del self._probes[name]
            self._loads.pop(name, None)
        for name in hosts:
            if name not in self._probes:
                python, *argv = helper.command(load_probe.__name__)
                try:
                    (tid,) = pvm_ext.spawn(python, [*argv, str(self.interval)], pvm_ext.Spawn.HOST, name, 1)
                except PvmError as error:
                    tid = int(error)
                self._probes[name] = tid

    def _pause(self) -> None:
        """Take in the loads that arrive until the next look is due."""
        hosts = {tid: name for name, tid in self._probes.items()}
        end = time.monotonic() + self.interval
        while not (self._stop or self._orders) and time.monotonic() < end:
            message = pvm_ext.recv_frames(tag=Tag.LOAD, timeout=max(0.0, end - time.monotonic()), waker=self._wake)
            if message is not None and message.frames and message.tid in hosts:
                try:
                    self._loads[hosts[message.tid]] = load_probe.decode(bytes(message.frames[0]))
                except ValueError:
                    continue


def _carry_out(order: Order) -> str:
    """Carry out an order; return what to tell the person."""
    if isinstance(order, DeleteHost):
        (result,) = host_table.delete([order.name])
        if not result.ok:
            return f"{order.name} could not be deleted: {result.remedy or result.error}"
        return f"{order.name} deleted"
    if isinstance(order, KillTask):
        refused = control.kill([order.tid])
        if refused:
            return f"task {order.tid:x} could not be ended: {refused[order.tid]}"
        return f"task {order.tid:x} was told to end"
    return ""


def wake_by_pipe() -> tuple[int, Callable[[], None]]:
    """Return the reading end of a pipe, and a function that makes it readable."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)

    def wake() -> None:
        try:
            os.write(writing, b".")
        except BlockingIOError:  # it is readable already
            pass

    return reading, wake
