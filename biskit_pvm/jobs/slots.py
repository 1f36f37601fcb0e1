"""The slots of a calculation: on which host each slave is started, how, and again.

A slot is one entry of the list of hosts.  Its nickname is the host's name
where that occurs once, else the name with a number.
"""

from __future__ import annotations

import itertools
import os
import signal
import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from biskit_pvm.jobs import events as ev
from biskit_pvm.jobs.calculation import Calculation, now
from biskit_pvm.jobs.foremen import Foremen
from biskit_pvm.jobs.host_watch import HostWatch
from biskit_pvm.jobs.setup import Setup
from biskit_pvm.jobs.slaves import Slaves
from biskit_pvm.jobs.threads import thread_variables, usable_processors
from biskit_pvm.machine import ending, names, output, spawning, task
from biskit_pvm.machine.log import Log
from biskit_pvm.machine.tags import OUTPUT_TAGS, Tag
from biskit_pvm.messages import records
from biskit_pvm.messages.messenger import Messenger
from biskit_pvm.report import progress
from biskit_pvm.report.progress_bar import Progress
from biskit_pvm.report.say import say

log = Log(__name__)

#: PVM's code for a host that is not in the virtual machine
NO_HOST = -6

#: heartbeats after which a foreman is ended of which nothing is heard, as slaves are
SILENCES = 4

#: least time (s) for starting a slave again
RESPAWN_TIME = 60.0

_output_numbers = itertools.count()


class Starting(Protocol):
    """What is asked of a master when slaves are started."""

    def spawn(self, host: str, nickname: str, niceness: int, show_output: Any) -> int:
        """Start a slave; return its tid or a negative error code.  May be called in a thread of its own."""

    def started(self, tid: int) -> None:
        """A slave was started by `spawn`: bind its messages."""


class Slots:
    """Start slaves for a calculation, and see hosts come and go.

    Parameters
    ----------
    calculation : Calculation
    messenger : Messenger
    slaves : Slaves
    starting : Starting
    display : Progress
        Told what a person should see.

    Attributes
    ----------
    slots : list of dict
        {'host': name, 'nickname': name} of each slot.
    slaves_at : dict
        {tid: slot} of the slaves that were started.
    causes : dict
        {host: why no slave can be started there} where that is known already.
    joins : bool
        Whether hosts that are not in the virtual machine are to be in it, and are tried again.
    setup : Setup
        How slaves are started.
    """

    def __init__(
        self,
        calculation: Calculation,
        messenger: Messenger,
        slaves: Slaves,
        starting: Starting,
        display: Progress,
    ) -> None:
        self.calculation, self.messenger, self.slaves = calculation, messenger, slaves
        self.starting, self.display = starting, display
        self.slots: list[dict[str, str]] = []
        self.slaves_at: dict[int, dict[str, str]] = {}
        self.causes: dict[str, str] = {}
        self.joins = False
        self.setup = Setup()
        self._foremen = Foremen(messenger, slaves, self._heard, self._cut_off)
        self.watch = HostWatch(calculation, messenger.loop, self._hosts, self._host_left)
        self._lock = threading.Lock()
        #: nicknames of all slots that there have been since one was added
        self._names: set[str] = set()
        #: those that were added while the calculation runs, and those of them whose host may have to be added first
        self._added: set[str] = set()
        self._joining: set[str] = set()
        self._windows: Any = None
        self._own_processors = 0
        self._lines = output.Lines()
        self._output_tag = OUTPUT_TAGS[next(_output_numbers) % len(OUTPUT_TAGS)]
        #: why slaves could not be started at first, by nickname
        self._failures: dict[str, str] = {}

    # -- starting ------------------------------------------------------

    def prepare(self) -> None:
        """Look up the hosts, before the first slave is started."""
        rules = self.calculation.state.rules
        loop = self.messenger.loop
        self.watch.begin()
        self.messenger.patience = rules.patience
        self.messenger.spawn_timeout = rules.heartbeat
        variables = {task.BEAT_VARIABLE: repr(rules.beat), **spawning.slave_variables(), **self.setup.env}
        in_windows = self.setup.show_output and self.setup.show_output != "log"
        self._foremen.prepare(self._hosts(), self.setup.foreman and not in_windows, rules.beat)
        if self.setup.show_output == "log":
            # else Python writes to a pipe by blocks, not by lines
            variables["PYTHONUNBUFFERED"] = "1"
            loop.bindings[-1, self._output_tag] = self._printed
            self.messenger.output_to = self.messenger.tid, 0, self._output_tag
        if self.setup.logging:
            variables[task.LOG_VARIABLE] = str(records.lowest_level())
        self.messenger.variables = variables

    def start_all(self, niceness: Mapping[str, int], show_output: Any) -> None:
        """Start a slave at every slot, one after the other, from the calling thread."""
        if show_output and show_output != "log":
            self._open_windows(show_output).prepare(slot["host"] for slot in self.slots)
        for slot in list(self.slots):
            if self.messenger.loop.stopped or self.calculation.finished:
                return
            if slot["nickname"] not in self._added:
                self._start_at(slot, niceness, show_output, Exception)

    def all_started(self) -> None:
        """Note that every slot has had its first slave, or failed to get one.

        Raises
        ------
        CalculationError
            A slave could not be started, and all were required.
        """
        if self._failures and not self.calculation.finished:
            text = self._failure_text()
            if self.setup.require_all:
                raise self.calculation.error_of(text)
            say(f"biskit_pvm: {text}", "stderr")
        # nobody waits, and daemons are slow while another host is silent
        self.messenger.spawn_timeout = max(self.calculation.state.rules.heartbeat, RESPAWN_TIME)
        self.calculation.feed_soon(ev.SpawningDone(now()))
        self.messenger.loop.tick_soon()

    def _start_at(
        self,
        slot: dict[str, str],
        niceness: Mapping[str, int],
        show_output: Any,
        caught: type[BaseException] | tuple[()],
    ) -> None:
        host, nickname = slot["host"], slot["nickname"]
        absent = False
        try:
            if nickname in self._joining:
                self._join(host)
            nice = niceness.get(host, niceness.get("default", 0)) if niceness else 0
            tid = self.starting.spawn(host, nickname, nice, show_output)
            reason = "" if tid > 0 else f"{spawning.error_text(tid)}; {_hint(tid, host)}"
        except task.Lost:
            raise
        except caught as error:
            tid, absent = 0, isinstance(error, TimeoutError)
            known = isinstance(error, (TimeoutError, OSError)) or type(error) is RuntimeError
            reason = str(error) if known and str(error) else f"{type(error).__name__}: {error}"
        if tid <= 0:
            reason = self.causes.get(host, reason)
            self._failures[nickname] = reason
            if spawning.runs_old_code():
                say(f"error spawning {host}\n\t{spawning.error_line(tid) if tid < 0 else reason}")
            else:
                self.calculation.hooks.note(f"error spawning {host}\n\t{reason}")
            absent |= tid == NO_HOST and (self.joins or nickname in self._joining)
            self.calculation.feed_soon(ev.SpawnFailed(nickname, f"could not be started: {reason}", now(), absent))
            self.messenger.loop.tick_soon()  # another start may be due
        else:
            self.starting.started(tid)
            self.display.line(progress.spawned_line(tid, nickname))

    def _failure_text(self) -> str:
        """Say how many slaves there are, and why not all."""
        total, failed = len(self.slots), len(self._failures)
        causes: dict[str, list[str]] = {}
        for slot in self.slots:
            if slot["nickname"] in self._failures:
                causes.setdefault(self._failures[slot["nickname"]], []).append(slot["host"])
        lines = [
            f"{total - failed} of {progress.count(total, 'slave')} started; "
            f"none of {len(hosts)} on {', '.join(dict.fromkeys(hosts))}: {cause}"
            for cause, hosts in causes.items()
        ]
        return "\n".join(lines)

    def spawn(self, host: str, nickname: str, niceness: int, show_output: Any = 0) -> int:
        """Start a slave on a host.

        Returns
        -------
        int
            The tid of the slave, or a negative PVM error code.

        Raises
        ------
        FileNotFoundError
            There is no slave script, as far as this host can tell.
        """
        script = self.setup.script
        if names.is_own_host(host) and not os.path.exists(script):
            raise FileNotFoundError(f"there is no slave script {script!r}")
        words = spawning.python_command(script, niceness)
        where = names.name_in_machine(host)
        if self.setup.folder is not None and ":" not in self.setup.folder:
            where += f":{self.setup.folder}"  # the home folder where that host has no such folder
        here = sum(slot["host"] == host for slot in self.slots)
        variables = thread_variables(self._n_processors(host), here, self.setup.threads, self.setup.env)
        if show_output and show_output != "log":
            words = self._open_windows(show_output).command(words, host)
        elif self.setup.foreman:
            words = self._foremen.words(words, host, where, here, variables)
        relay = self._foremen.relay_of(host)
        variables.update(self._foremen.variables(relay))
        tid = self.messenger.spawn((words[0], words[1:], spawning.ON_HOST, where, 1), nickname, variables)
        if tid > 0 and relay is not None:
            self.messenger.relays[tid] = relay
        if tid > 0:
            self.slaves.adopt(tid, nickname)
        return tid

    def _n_processors(self, host: str) -> int:
        """Return how many processors a host has, as far as this process can know: of another one as many as
        the user's list of hosts has entries for it."""
        if not names.is_own_host(host):
            return max(self.setup.processors().count(host), 1)
        if not self._own_processors:
            self._own_processors = usable_processors()
        return self._own_processors

    def adopted(self, tid: int, nickname: Any) -> None:
        """Note where a new slave is; any thread."""
        slot = next((slot for slot in list(self.slots) if slot["nickname"] == nickname), None)
        if slot is None and nickname in self.calculation.state.slots:  # it was removed while its slave was started
            slot = {"host": self.calculation.state.slots[nickname].host, "nickname": nickname}
        if slot is not None:
            self.slaves_at[tid] = slot
        self.calculation.feed(ev.SlaveSpawned(nickname, tid, now()))
        self.messenger.loop.bindings[tid, Tag.BEAT] = self._heard
        if self.setup.logging:
            self.messenger.loop.bindings[tid, Tag.RECORD] = self._logged

    def add(self, hosts: Iterable[str], join: bool = False) -> None:
        """Have more slaves started, one per entry of `hosts`, each in a thread of its own; any thread.

        Parameters
        ----------
        hosts : iterable of str
        join : bool
            Add those to the virtual machine that are not in it.
        """
        running = self.calculation.running
        with self._lock:
            # the slave of a removed slot may still come: another one of its name would be taken for it
            known = self._names
            known.update(slot["nickname"] for slot in self.slots)
            for host in hosts:
                number = sum(slot["host"] == host for slot in self.slots)
                while (nickname := f"{host}_{number}" if number or f"{host}_0" in known else host) in known:
                    number += 1
                known.add(nickname)
                if join:
                    self._joining.add(nickname)
                if running:
                    self._added.add(nickname)
                self.slots.append({"host": host, "nickname": nickname})
                if running:
                    self.calculation.feed_soon(ev.SlotAdded(nickname, host, now()))
        if running:
            self._look_up_hosts()

    def _look_up_hosts(self) -> None:
        self.watch.look_up()

    def _join(self, host: str) -> None:
        """Add a host to the virtual machine unless it is in it."""
        cause = self.watch.join(host)
        if cause:
            self.causes[host] = cause
        else:
            self.causes.pop(host, None)
            self.watch.look_up()

    def start_again(self, nickname: str) -> None:
        """Start a slave again at its slot, from a thread of its own."""
        for slot in list(self.slots):
            if slot["nickname"] == nickname:
                threading.Thread(target=self._restart, daemon=True, name="respawn", args=(slot,)).start()
                return
        self.calculation.feed_soon(ev.SpawnFailed(nickname, "no longer wanted", now()))

    def _restart(self, slot: dict[str, str]) -> None:
        try:
            self._start_at(slot, self.setup.niceness, self.setup.show_output, BaseException)
        except BaseException as error:
            self.messenger.loop.call_soon(self.messenger.on_failed, error)

    def remove_hosts(self, hosts: Iterable[str], finish: bool = True) -> None:
        """Want no slave at some hosts any more, and do not try these again; any thread.

        Parameters
        ----------
        hosts : iterable of str
        finish : bool
            The slaves there finish the jobs that they have; else others get their items at once.

        Raises
        ------
        ValueError
            No slave is wanted at one of them; nothing was removed.
        """
        found = []
        for host in hosts:
            here = [slot["nickname"] for slot in list(self.slots) if names.is_same(slot["host"], host)]
            if not here:
                raise ValueError(f"no slave is wanted on {host!r}")
            found += here
        for nickname in dict.fromkeys(found):
            self.remove(nickname, finish)

    def remove(self, nickname: str, finish: bool = True) -> None:
        """Want no slave at a slot any more."""
        with self._lock:
            self.slots[:] = [slot for slot in self.slots if slot["nickname"] != nickname]
        if self.calculation.running:
            self.calculation.feed_soon(ev.SlotRemoved(nickname, now(), finish))

    def try_host(self, host: str, seconds: float, silent: bool) -> None:
        """See whether a host can be used that is lost, in a thread of its own."""
        self.watch.try_host(host, seconds, silent)

    def arrivals(self) -> dict[int, float]:
        """Return how many seconds ago bytes of slaves have come last."""
        return self.messenger.arrivals()

    def look_after(self) -> None:
        """See which slaves take no messages, and which foremen are silent; to be called now and then."""
        self.messenger.look_after_queues()
        self._foremen.end_silent(SILENCES * self.calculation.state.rules.heartbeat)

    def dismiss(self, slave_tid: int) -> None:
        """Let a slave go that has nothing to do."""
        self.messenger.send(slave_tid, Tag.EXIT, (time.time(), None))

    def kill(self, slave_tid: int, reason: str) -> None:
        """End the process of a slave, whatever it does."""
        log.warning("%s is ended: %s", self.messenger.nickname_of(slave_tid), reason)
        self.messenger.end_task(slave_tid, signal.SIGKILL)

    # -- what is heard of slaves -----------------------------------------

    def _heard(self, slave_tid: int) -> None:
        self.calculation.feed(ev.Heard(slave_tid, now()))

    def stuck(self, tid: int) -> None:
        """A task takes no messages."""
        if not self._foremen.stuck(tid) and tid in self.slaves_at:
            self.calculation.feed_soon(ev.SlaveStuck(tid, now()))

    def _cut_off(self, slave_tid: int) -> None:
        """Nothing that a slave tells comes any more."""
        self.calculation.feed(ev.SlaveStuck(slave_tid, now(), "its foreman has ended"))

    def exited(self, tid: int) -> None:
        """The process of a slave has ended: find out how, and tell."""
        self.messenger.relays.pop(tid, None)
        how = ending.how_it_ended(tid)
        reason = "its process ended"
        # `python -i` ends with 0 whatever the script has come to
        if how and how != "exit status 0":
            reason += f" with {how}" if how.startswith("exit") else f" by {how}"
        slave = self.calculation.state.slaves.get(tid)
        if slave is None or how == "exit status 0" and slave.up:
            self._tell_end(tid, reason, "")
            return
        if not slave.up:
            reason += " before it was up"
        found = output.last_words_soon(tid)
        if found.done():
            self._tell_end(tid, reason, found.result())
        elif slave.up:  # nobody waits for its words: others are to get its items
            self._tell_end(tid, reason, "")
        else:  # from the log on another host, which may take a while
            found.add_done_callback(
                lambda words: self.messenger.loop.call_soon(
                    self._tell_end, tid, reason, "" if words.exception() else words.result()
                )
            )

    def _tell_end(self, tid: int, reason: str, words: str) -> None:
        slave = self.calculation.state.slaves.get(tid)
        if words:
            reason += f"; it printed:\n{words}"
        elif slave is not None and not slave.up:
            reason += f'; the log of its pvmd or "biskit-pvm doctor {slave.slot.host}" tells why'
        self.calculation.feed(ev.SlaveExited(tid, now(), reason))
        self.messenger.loop.tick_soon()  # a new start may be due

    def _hosts(self) -> list[str]:
        return [slot["host"] for slot in list(self.slots)]

    def _host_left(self, dtid: int) -> None:
        self._foremen.lose(dtid)
        for tid in list(self.slaves_at):
            if names.host_of(tid) == dtid:
                self.slaves.forget(tid)
                self.messenger.relays.pop(tid, None)
                self._lines.lose(tid)

    # -- what slaves show ------------------------------------------------

    def _printed(self, piece: output.Piece) -> None:
        """Tell what slaves print, by lines."""
        lines = self._lines.feed(piece)
        if lines:
            name = self._printer(piece.tid)
            self.display.output("\n".join(f"{name}: {line}" for line in lines))

    def _printer(self, tid: int) -> str:
        if tid in self.slaves_at:
            return str(self.messenger.nickname_of(tid))
        # it prints before this process is told that it was started
        return self.watch.name_of(names.host_of(tid)) or f"t{tid:x}"

    def _logged(self, tid: int, fields: dict[str, Any]) -> None:
        """A slave has logged something."""
        slot = self.slaves_at.get(tid, {})
        records.log_here(fields, slot.get("nickname", f"t{tid:x}"), slot.get("host", ""))

    def _open_windows(self, show_output: Any) -> Any:
        if self._windows is None:
            from biskit_pvm.machine.windows import Windows

            self._windows = Windows(self.calculation.hooks.note, keep=show_output == "keep", xterm=self.setup.xterm)
        return self._windows

    def slaves_left(self) -> None:
        """Wait, a little, for the last lines of slaves that have left; close their windows, and end the foremen."""
        loop = self.messenger.loop
        if loop.inside() and self._lines.open:
            loop.run_until(lambda: not any(tid in self.slaves_at for tid in self._lines.open), output.END_TIME)
        if self._windows is not None:
            self._windows.close()
        self._foremen.end()


def _hint(code: int, host: str) -> str:
    """Say what helps when no slave could be started."""
    if code == NO_HOST:
        return f"not in the virtual machine: biskit-pvm add {host}"
    return f"see: biskit-pvm doctor {host}"


def current_folder() -> str | None:
    """Return the folder in which slaves work where their host has it; None where it was deleted."""
    try:
        return os.getcwd()
    except OSError:
        return None


def nicknames(hosts: Iterable[str]) -> list[dict[str, str]]:
    """Return the slots for a list of hosts: {'host': name, 'nickname': name} of each."""
    names = [str(host) for host in hosts]
    total: dict[str, int] = {}
    for host in names:
        total[host] = total.get(host, 0) + 1
    numbers: dict[str, int] = {}
    slots = []
    for host in names:
        nickname = host
        if total[host] > 1:
            number = numbers.get(host, 0)
            nickname = f"{host}_{number}"
            numbers[host] = number + 1
        slots.append({"host": host, "nickname": nickname})
    return slots
