"""Who understands whom: siblings, plain tasks of old, and strangers."""

from __future__ import annotations

import sys
import threading
import time

import pytest

import pvm_ext
from biskit_pvm import PVMThread
from biskit_pvm.machine import names, spawning
from biskit_pvm.PVMThread import messenger_of

LIMIT = 30.0

#: a task that knows nothing but PVM: says something in the form of old, and answers what it hears
PLAIN = """
import pickle, sys, time
import pvm_ext
from biskit_pvm.machine import packing

parent = int(sys.argv[1]) if len(sys.argv) > 1 else pvm_ext.parent()
packing.pack_and_send(parent, 23, (time.time(), ("packed", [1, 2.5])))
pvm_ext.initsend()
pvm_ext.pkstr(pickle.dumps((time.time(), ("a pickle in a string",)), 0))
pvm_ext.send(parent, 24)
pvm_ext.initsend()
pvm_ext.pkint([5])
pvm_ext.send(parent, 25)
pvm_ext.exit()
"""

SIBLING = """
import sys
from biskit_pvm import PVMThread


class Sibling(PVMThread):
    def __init__(self):
        PVMThread.__init__(self)
        self.bind(11, self.getParent(), self.told)
        self.bind(12, -1, self.hello)

    def told(self, number, tids):
        for tid in tids:
            if tid != self.getTID():
                self.send(tid, 12, (number,))

    def hello(self, number):
        self.send(self.getParent(), 13, (self.getTID(), number))


sibling = Sibling()
sibling.start()
sibling.startMessageLoop()
"""


@pytest.fixture
def host(session_vm):
    return names.own_host()


@pytest.fixture
def thread(host):
    thread = PVMThread()
    thread.start()
    yield thread
    thread.stop()
    thread.join(LIMIT)
    for tid in thread.getTasks().values():
        spawning.end_task(tid, 9)


class Heard:
    """Collects what is said, and tells when there is enough."""

    def __init__(self, expected):
        self.said, self.expected, self.enough = [], expected, threading.Event()

    def __call__(self, *arguments):
        self.said.append(arguments)
        if len(self.said) == self.expected:
            self.enough.set()


def spawn(thread, host, path, text, *arguments):
    path.write_text(text)
    return thread.spawn((sys.executable, [str(path), *arguments], spawning.ON_HOST, host, 1), path.stem)


def test_tasks_of_one_program_talk_to_each_other(thread, host, tmp_path):
    heard = Heard(6)
    tids = [spawn(thread, host, tmp_path / f"sibling{i}.py", SIBLING) for i in range(3)]
    for tid in tids:
        thread.bind(13, tid, heard)
    thread.startMessageLoop()
    for number, tid in enumerate(tids):
        thread.send(tid, 11, (number, tids))
    assert heard.enough.wait(LIMIT)
    assert sorted(heard.said) == sorted((tid, n) for n in range(3) for tid in tids if tid != tids[n])


def test_a_plain_task_that_was_spawned_from_here_is_understood(thread, host, tmp_path):
    heard = Heard(2)
    tid = spawn(thread, host, tmp_path / "plain.py", PLAIN)
    thread.bind(23, tid, heard)
    thread.bind(24, tid, heard)
    thread.bind(25, tid, heard)  # no string: thrown away, and the loop goes on
    thread.startMessageLoop()
    assert heard.enough.wait(LIMIT)
    assert sorted(heard.said, key=str) == [("a pickle in a string",), ("packed", [1, 2.5])]


@pytest.mark.parametrize("open_to_all", [False, True])
def test_a_plain_task_of_somebody_else_is_refused_aloud_unless_that_is_allowed(
    thread, host, tmp_path, open_to_all, monkeypatch, caplog
):
    if open_to_all:
        monkeypatch.setenv("BISKIT_PVM_OPEN_MESSAGES", "1")
    heard, done = Heard(2), threading.Event()
    thread.bind(23, -1, heard)
    thread.bind(24, -1, heard)
    thread.bind(26, thread.getTID(), done.set)
    thread.startMessageLoop()
    path = tmp_path / "stranger.py"
    path.write_text(PLAIN)
    # not by the thread, so the thread does not know it
    (stranger,) = pvm_ext.spawn(sys.executable, [str(path), str(thread.getTID())])
    assert stranger > 0
    if open_to_all:
        assert heard.enough.wait(LIMIT) and len(heard.said) == 2
    else:
        assert not heard.enough.wait(0) and _until(lambda: "BISKIT_PVM_OPEN_MESSAGES=1" in caplog.text)
        thread.send(thread.getTID(), 26, ())
        assert done.wait(LIMIT) and heard.said == []


def _until(condition):
    ended = threading.Event()
    for _ in range(int(LIMIT * 20)):
        if condition():
            return True
        ended.wait(0.05)
    return False


#: a task of old that has a direct link to its parent, and reads nothing
DEAF = """
import time
import pvm_ext
from biskit_pvm.machine import packing

parent = pvm_ext.parent()
pvm_ext.setopt(pvm_ext.Option.ROUTE, pvm_ext.Route.DIRECT)
packing.pack_and_send(parent, 23, (time.time(), ("packed", [1, 2.5])))
time.sleep(60)
"""


def test_a_plain_task_that_reads_nothing_holds_up_its_parent_for_no_longer_than_its_patience(thread, host, tmp_path):
    heard, stuck = Heard(1), []
    messenger = messenger_of(thread)
    messenger.patience, messenger.on_stuck = 0.5, stuck.append
    tid = spawn(thread, host, tmp_path / "deaf.py", DEAF)
    thread.bind(23, tid, heard)
    thread.startMessageLoop()
    assert heard.enough.wait(LIMIT)
    start = time.monotonic()
    thread.send(tid, 30, (bytes(8_000_000),))
    assert time.monotonic() - start < 10
    assert stuck == [tid]
