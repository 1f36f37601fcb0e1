"""Slaves in the process of their master: for debuggers, profilers, coverage and tests."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import Any

from biskit_pvm.jobs import events as ev
from biskit_pvm.jobs.calculation import now
from biskit_pvm.jobs.slots import Slots
from biskit_pvm.machine import spawning
from biskit_pvm.messages.inline import InlineMessenger, Role, World, passes

__all__ = ["InlineSlots", "World", "passes"]


class InlineSlots(Slots):
    """Start the slaves of a calculation in this very process."""

    @property
    def world(self) -> World:
        """The master and its slaves."""
        assert isinstance(self.messenger, InlineMessenger)
        return self.messenger.world

    def prepare(self) -> None:
        """Have time pass for slaves only while the master looks."""
        loop = self.messenger.loop
        tick = loop.tick
        assert tick is not None

        def after_beats(moment: float) -> float:
            # a slave that waits for its turn is not silent
            for tid in self.world.living():
                self._heard(tid)
            return tick(moment)

        loop.tick = after_beats

    def start_all(self, niceness: Mapping[str, int], show_output: Any) -> None:
        """Run the slave script for every slot; whatever it raises is raised."""
        for slot in list(self.slots):
            if self.messenger.loop.stopped or self.calculation.finished:
                return
            self._start_at(slot, niceness, show_output, ())

    def spawn(self, host: str, nickname: str, niceness: int, show_output: Any = 0) -> int:
        """Run the slave script for a slot; see `Slots.spawn`."""
        script = self.setup.script
        if not os.path.exists(script):
            raise FileNotFoundError(f"there is no slave script {script!r}")
        main, code = _load(script)
        # the process of the user keeps its niceness
        role = Role(main, [script, "0"], self.setup.env)

        def run() -> None:
            exec(code, main.__dict__)

        # the slave is known before its first message is handled: nothing is handled before the script has ended
        tid = self.world.spawn(role, run)
        self.messenger.know(tid, nickname)
        self.slaves.adopt(tid, nickname)
        return tid

    def start_again(self, nickname: str) -> None:
        """Start a slave again at its slot, when the loop has done what it does now."""
        for slot in self.slots:
            if slot["nickname"] == nickname:
                self.messenger.loop.call_soon(self._start_at, slot, self.setup.niceness, self.setup.show_output, ())

    def add(self, hosts: Iterable[str], join: bool = False) -> None:
        """Have more slaves, at hosts of whatever names."""
        super().add(hosts)

    def _look_up_hosts(self) -> None:
        """There is this process alone."""

    def exited(self, tid: int) -> None:
        """A slave has ended itself."""
        self.calculation.feed(ev.SlaveExited(tid, now(), "it has ended itself"))
        self.messenger.loop.tick_soon()


def _load(script: str) -> tuple[ModuleType, Any]:
    """Return an empty `__main__` for a slave script, and its code."""
    folder = os.path.dirname(os.path.abspath(script))
    if folder not in sys.path:
        sys.path.insert(1, folder)
    if spawning.runs_old_code():
        runner = importlib.import_module(os.environ["BISKIT_PVM_RUN"])
        return runner.load(script)  # type: ignore[no-any-return]
    main = ModuleType("__main__")
    main.__file__ = script
    with open(script, "rb") as file:
        return main, compile(file.read(), script, "exec", dont_inherit=True)
