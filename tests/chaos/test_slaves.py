"""Faults at random moments, many at a time; the result is always the same."""

from __future__ import annotations

import os
import random
import signal
import threading
import time

import pvm_ext
from biskit_pvm import TrackingJobMaster
from biskit_pvm.machine import names
from biskit_pvm.machine import task as machine
from biskit_pvm.machine.tags import Tag

from ..pvm.test_masters import SLAVE
from ..support.waiting import wait_for

#: seconds that a run may take at the most, whatever is done to it
BOUND = 90.0
FAULTS_PER_RUN = 12
N_SLAVES = 4

#: what strangers put on their messages
FORGED = [1, 2, Tag.BEAT, Tag.FAILED, Tag.EXIT, Tag.INITIALIZED, Tag.LOOP_UP, Tag.ROOM, Tag.BEATS]


class Counting(dict):
    """A dictionary that counts how often each item was entered."""

    def __init__(self):
        super().__init__()
        self.entered = {}

    def update(self, other):
        """Enter results."""
        for item in other:
            self.entered[item] = self.entered.get(item, 0) + 1
        super().update(other)


class Victim(TrackingJobMaster):
    """A master that remembers the processes of its slaves."""

    def start(self):
        """Prepare for being hurt."""
        self.result = Counting()
        self.pids = {}
        TrackingJobMaster.start(self)

    def living(self):
        """Return {tid: pid} of the slaves that run now."""
        found = {task.tid: task.pid for task in pvm_ext.tasks() if task.tid in self.slaves}
        self.pids.update(found)
        return found


class Chaos:
    """Hurt a master, at moments and in ways drawn from a seed."""

    def __init__(self, master, rng, figures):
        self.master, self.rng, self.figures = master, rng, figures
        self.ways = [self.kill, self.kill, self.end, self.stop, self.console, self.forge, self.plain, self.slow]
        self.ways += [self.other, self.kill_foreman, self.stop_foreman]

    def run(self):
        """Inject faults until enough, or until the calculation has ended.

        Slaves that all die before the first of them has reported are taken
        for a script that cannot run; so one has to be up.
        """
        places = self.master._JobMaster__calculation.state.slots.values()
        wait_for(lambda: any(place.was_up for place in places), 30)
        for _ in range(FAULTS_PER_RUN):
            if self.master.wait(self.rng.uniform(0.0, 0.25)):
                return
            way = self.rng.choice(self.ways)
            if way():
                self.count(way.__name__)

    def count(self, name):
        """Note a fault."""
        self.figures["faults"] += 1
        self.figures["fault " + name] += 1

    def victim(self):
        """Return tid and pid of a slave; None when none runs."""
        living = self.master.living()
        return self.rng.choice(sorted(living.items())) if living else None

    def signal(self, signum):
        """Send a signal to the process of a slave."""
        chosen = self.victim()
        if chosen is None:
            return False
        try:
            os.kill(chosen[1], signum)
        except ProcessLookupError:
            return False
        return True

    def kill(self):
        """Kill a slave as a lack of memory does."""
        return self.signal(signal.SIGKILL)

    def end(self):
        """End a slave as a shutdown does."""
        return self.signal(signal.SIGTERM)

    def stop(self):
        """Stop a slave so that nothing is heard of it."""
        return self.signal(signal.SIGSTOP)

    def slow(self):
        """Stop a slave for a while."""
        chosen = self.victim()
        if chosen is None or not self.signal(signal.SIGSTOP):
            return False
        time.sleep(0.1)
        for pid in self.master.pids.values():
            try:
                os.kill(pid, signal.SIGCONT)
            except ProcessLookupError:
                pass
        return True

    def foremen(self):
        """Return the processes that are foremen of the master: the tasks of PVM, and those that fork."""
        pids = [task.pid for task in self.foreman_tasks()]
        return pids + [child for pid in pids for child in children_of(pid)]

    def foreman_tasks(self):
        """Return the tasks of PVM that are foremen of the master."""
        living = self.master.living()
        return [task for task in pvm_ext.tasks() if task.ptid == self.master.getTID() and task.tid not in living]

    def targets(self):
        """Return the tids that strangers may send something to."""
        return [self.master.getTID(), *self.master.living(), *(task.tid for task in self.foreman_tasks())]

    def kill_foreman(self):
        """Kill a part of a foreman as a lack of memory does."""
        return self.signal_foreman(signal.SIGKILL)

    def stop_foreman(self):
        """Stop a part of a foreman for good."""
        return self.signal_foreman(signal.SIGSTOP)

    def signal_foreman(self, signum):
        """Send a signal to one of the processes that are foremen."""
        foremen = self.foremen()
        if not foremen:
            return False
        try:
            os.kill(self.rng.choice(foremen), signum)
        except ProcessLookupError:
            return False
        return True

    def console(self):
        """Kill a slave as the console does."""
        chosen = self.victim()
        if chosen is None:
            return False
        pvm_ext.kill(chosen[0])
        return True

    def forge(self):
        """Send what a stranger might."""
        tag = self.rng.choice(FORGED)
        pvm_ext.send_frames(self.rng.choice(self.targets()), tag, [self.rng.randbytes(16), b"cos\nsystem\n"])
        return True

    def plain(self):
        """Send messages that are in no form of ours."""
        pvm_ext.initsend()
        if self.rng.random() < 0.5:
            pvm_ext.pkstr(self.rng.choice(["", "cos\nsystem\n(S'exit 1'\ntR."]))
        pvm_ext.send(self.rng.choice(self.targets()), self.rng.choice(FORGED))
        return True

    def other(self):
        """Run another calculation in this process, whose slave dies."""
        other = TrackingJobMaster(
            {0: ("return", 1), 1: ("kill",)}, 1, [self.master.hosts[0]["host"]], {"default": 0}, SLAVE,
            verbose=0, add_hosts=0, respawn_pause=0.05, max_deaths=1, on_error="return",
        )  # fmt: skip
        assert other.calculateResult() == {0: 1} and list(other.errors) == [1]
        return True


def children_of(pid):
    """Return the children of a process."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            return [int(word) for word in file.read().split()]
    except FileNotFoundError:
        return []


def orders(rng, folder):
    """Return the items of a run and what must come of them."""
    data, expected = {}, {}
    for i in range(120):
        draw = rng.random()
        again = os.path.join(folder, str(i))
        if draw < 0.04:
            data[i] = (
                "once",
                (
                    again,
                    rng.choice(
                        [
                            ("raise", "at first"),
                            ("kill",),
                            ("exit", 7),
                            ("sleep", 600),
                            ("sys_exit", 5),
                            ("segfault",),
                            ("unreadable",),
                            ("raise_mute",),
                        ]
                    ),
                ),
            )
            expected[i] = "again"
        elif draw < 0.05:
            data[i] = ("raise", "always")
        else:
            seconds = rng.choice([0.0, 0.0, 0.005, 0.02])
            data[i], expected[i] = ("sleep", seconds), seconds
    return data, expected


def count_injected(figures, data, folder):
    """Note the faults that the items themselves were."""
    for verb, argument in data.values():
        if verb == "raise" or (verb == "once" and os.path.exists(argument[0])):
            name = "item " + (argument[1][0] if verb == "once" else verb)
            figures["faults"] += 1
            figures["fault " + name] += 1


def pytest_generate_tests(metafunc):
    """Make as many runs as are asked for."""
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", range(metafunc.config.getoption("--chaos")))


def story(master):
    """Return what a master that does not end waits for."""
    state = master._JobMaster__calculation.state
    lines = [f"{slave}" for slave in state.slaves.values()]
    lines += [f"{place}" for place in state.slots.values()]
    lines += [
        f"open: {master.status.not_done()}",
        f"now: {time.monotonic()}, tasks: {pvm_ext.tasks()}",
        f"alive: {master.is_alive()}, {master.error!r}",
    ]
    return "\n".join(lines)


def test_the_result_is_that_of_an_undisturbed_run(session_vm, seed, figures, tmp_path, monkeypatch):
    rng = random.Random(seed)
    if rng.random() < 0.5:  # as in large calculations, foremen pass messages on
        monkeypatch.setattr(machine, "MOST_LINKS", 0)
    data, expected = orders(rng, str(tmp_path))
    master = Victim(
        data,
        chunk_size=rng.choice([1, 2, 5]),
        hosts=[names.own_host()] * N_SLAVES,
        niceness={"default": 0},
        slave_script=SLAVE,
        verbose=0,
        add_hosts=0,
        redistribute=rng.choice([0, 1]),
        heartbeat=1.0,
        job_timeout=1.5,
        respawn_pause=0.05,
        max_respawns=1000,
        max_deaths=1000,
        on_error="return",
    )
    figures["runs"] += 1
    figures["items"] += len(data)
    master.start()
    chaos = threading.Thread(target=Chaos(master, rng, figures).run)
    chaos.start()
    try:
        ended = master.wait(BOUND)
        chaos.join(BOUND)
        figures["hung"] += not ended
        assert ended, story(master)
        master.join(10)
        assert master.error is None
        count_injected(figures, data, tmp_path)
        lost = set(data) - set(master.result) - set(master.errors)
        doubled = [i for i, n in master.result.entered.items() if n > 1]
        figures["lost"] += len(lost)
        figures["doubled"] += len(doubled)
        assert not lost and not doubled
        assert {i: v for i, v in master.result.items() if v != "again"} == {
            i: v for i, v in expected.items() if v != "again"
        }
        assert set(master.result) == set(expected)
        assert set(master.errors) == set(data) - set(expected)
    finally:
        if not master.wait(0):
            master.exit()
        gone = [pid for pid in master.pids.values()]
        wait_for(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in gone), 10)
        wait_for(lambda: not {t.tid for t in pvm_ext.tasks()} & set(master.slaves), 10)
