"""Threads, signals, forks, daemons and receivers that fail: the binding under strain."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import pvm_ext as p

from ..support import task

PRELUDE = """
import os, signal, sys, threading, time
import pvm_ext as p
"""


def run_threads(targets, timeout):
    """Run functions in threads; raise the first exception of any."""
    errors = []

    def guarded(target):
        try:
            target()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(target,), daemon=True) for target in targets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout)
    assert not any(thread.is_alive() for thread in threads), "a thread hangs"
    if errors:
        raise errors[0]


@pytest.mark.timeout(400)
def test_many_threads_send_receive_spawn_and_ask_at_once(session_vm, thorough):
    """No message is lost, doubled or mixed up; each thread has its own active buffers."""
    end = time.monotonic() + (180 if thorough else 5)
    me = p.mytid()
    rounds = [0] * 8

    def correspond(number):
        rng = random.Random(number)
        while time.monotonic() < end:
            turn = rounds[number]
            count = rng.randrange(1, 5)
            for at in range(count):
                size = rng.choice([0, 10, 1000, 70_000, 1_500_000])
                p.send_frames(me, 1000 + number, [b"%d %d" % (turn, at), bytes([number]) * size])
            p.initsend(rng.randrange(2))
            p.pkint([number, turn])
            p.pkstr("x" * number)
            p.send(me, 2000 + number)
            for at in range(count):
                message = p.recv_frames(me, 1000 + number, 60)
                assert message is not None, f"thread {number} lost message {at} of round {turn}"
                assert message.frames[0] == b"%d %d" % (turn, at)
                assert set(message.frames[1]) <= {number}
            assert p.trecv(me, 2000 + number, 60)
            assert p.upkint(2) == [number, turn] and p.upkstr() == "x" * number
            rounds[number] += 1

    def inquire():
        while time.monotonic() < end:
            assert p.config().nhost == 1
            assert me in [row.tid for row in p.tasks()]
            assert p.pstat(me) == 0

    def hire():
        while time.monotonic() < end:
            tids = p.spawn("/bin/true", [], 0, "", 2)
            assert all(tid > 0 for tid in tids)
            p.notify(p.Notify.TASK_EXIT, 3000, tids)
            ended = [p.upkint(1)[0] for _ in tids if p.trecv(-1, 3000, 60)]
            assert sorted(ended) == sorted(tids)

    run_threads([lambda n=n: correspond(n) for n in range(8)] + [inquire, inquire, hire], 300)
    assert min(rounds) > 0
    # Nothing is left; not "no message", since slaves of earlier masters may still send theirs.
    tags = [base + number for base in (1000, 2000) for number in range(8)] + [3000]
    assert [tag for tag in tags if p.probe(-1, tag)] == []


def test_a_message_read_by_another_threads_call_wakes_the_one_that_waits(session_vm):
    """The waiting thread sleeps while others take its messages off the socket."""
    me = p.mytid()
    got = []
    ready = threading.Event()

    def wait():
        for number in range(300):
            ready.set()
            message = p.recv_frames(me, 61, 30)
            assert message is not None, f"slept over message {number}"
            got.append(message.frames[0])

    def disturb():
        ready.wait()
        for number in range(300):
            p.send_frames(me, 61, [b"%d" % number])
            # asks the daemon, and so reads what is before the answer
            p.pstat(me)

    run_threads([wait, disturb], 60)
    assert got == [b"%d" % number for number in range(300)]


def test_two_waiting_threads_do_not_wake_each_other(session_vm):
    stop = threading.Event()

    def wait(tag):
        assert p.recv_frames(-1, tag, 30) is not None

    threads = [threading.Thread(target=wait, args=(tag,)) for tag in (62, 63, 64)]
    for thread in threads:
        thread.start()
    p.pstat(p.mytid())
    time.sleep(0.2)
    before = time.process_time()
    time.sleep(0.5)
    busy = time.process_time() - before
    for tag in (62, 63, 64):
        p.send_frames(p.mytid(), tag, [])
    for thread in threads:
        thread.join(30)
    stop.set()
    assert busy < 0.05


def test_a_direct_link_that_another_thread_opens_is_watched_by_the_one_that_waits(session_vm):
    (child,) = task.spawn()
    child.ask("1")
    before = len(p.getfds())
    got = []
    thread = threading.Thread(target=lambda: got.append(p.recv_frames(child.tid, 65, 30)))
    thread.start()
    p.setopt(p.Option.ROUTE, p.Route.DIRECT)
    try:
        child.ask("2")
    finally:
        p.setopt(p.Option.ROUTE, p.Route.ALLOW)
    assert len(p.getfds()) == before + 1
    child.order("p.send_frames(parent, 65, [b'over the link'])")
    thread.join(30)
    assert got[0].frames == [b"over the link"]
    child.answer()
    p.kill(child.tid)


def test_a_wait_ends_when_another_thread_leaves_pvm(vm):
    out = vm.python(
        PRELUDE
        + "def wait():\n"
        + "    try: p.recv()\n"
        + "    except p.SysErrError: print('left')\n"
        + "p.mytid(); t = threading.Thread(target=wait); t.start(); time.sleep(0.1)\n"
        + "p.exit(); t.join(5); print(t.is_alive())"
    )
    assert out.split() == ["left", "False"]


def test_buffers_of_ended_threads_are_freed(session_vm):
    def leave_buffers():
        p.initsend()
        p.pkbyte(bytes(1_000_000))
        p.send_frames(p.mytid(), 66, [])

    before = memory()
    for _ in range(200):
        run_threads([leave_buffers], 30)
        assert p.recv_frames(-1, 66, 30)
    assert memory() - before < 20e6


def memory():
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def test_a_sender_killed_in_the_midst_of_a_long_message_leaves_no_harm(session_vm):
    for _ in range(3):
        (child,) = task.spawn()
        pid = child.ask("os.getpid()")
        child.order("p.send_frames(parent, 69, [bytes(100_000_000)] * 20)")
        # it has begun: a part was read, which no receive gives out
        assert p.recv_frames(child.tid, 70, 0.2) is None
        os.kill(pid, signal.SIGKILL)
        p.send_frames(p.mytid(), 69, [bytes(3_000_000)])
        message = p.recv_frames(-1, 69, 60)
        assert (message.tid, len(message.frames)) == (p.mytid(), 1)


# --- signals -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wait",
    [
        "p.recv()", "p.trecv(timeout=60)", "p.recv_frames()", "p.recv_object(timeout=60)",
        "p.precv(-1, 1, 1, 3)", "p.recv_buffer(bytearray(1))",
    ],
)  # fmt: skip
def test_control_c_interrupts_every_wait_within_a_fifth_of_a_second(session_vm, wait):
    child = session_vm.popen(
        [
            sys.executable,
            "-c",
            PRELUDE
            + "p.mytid(); threading.Thread(target=lambda: p.recv_frames(-1, 9), daemon=True).start()\n"
            + "print('up', flush=True)\n"
            + f"try: {wait}\n"
            + "except KeyboardInterrupt: print(time.monotonic(), p.config().nhost, flush=True)\n"
            + "os._exit(0)",
        ]
    )
    assert child.stdout.readline() == "up\n"
    wait_until_polling(child.pid)
    start = time.monotonic()
    child.send_signal(signal.SIGINT)
    moment, nhost = child.stdout.readline().split()
    assert float(moment) - start < 0.2 and nhost == "1"


def wait_until_polling(pid):
    end = time.monotonic() + 20
    while "poll" not in Path(f"/proc/{pid}/wchan").read_text():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_handlers_of_signals_run_during_a_wait_and_the_wait_goes_on(session_vm):
    child = session_vm.popen(
        [
            sys.executable,
            "-c",
            PRELUDE
            + "signal.signal(signal.SIGUSR1, lambda *a: (print('handler', p.config().nhost, flush=True),\n"
            + "                                          p.send_frames(p.mytid(), 1, [b'x'])))\n"
            + "p.mytid(); print('up', flush=True)\n"
            + "print(p.recv_frames(timeout=30).frames, flush=True); p.exit()",
        ]
    )
    assert child.stdout.readline() == "up\n"
    wait_until_polling(child.pid)
    child.send_signal(signal.SIGUSR1)
    assert child.stdout.readline() == "handler 1\n"
    assert child.stdout.readline() == "[b'x']\n"
    assert child.wait(20) == 0


# --- fork --------------------------------------------------------------------------------


def test_a_forked_child_cannot_use_and_does_not_keep_the_connection(vm, wait_for):
    parent = vm.popen(
        [
            sys.executable,
            "-c",
            PRELUDE
            + "import warnings; warnings.simplefilter('ignore')\n"
            + "match = p.Match(); me = p.mytid()\n"
            + "r, w = os.pipe()\n"
            + "child = os.fork()\n"
            + "if child == 0:\n"
            + "    calls = [p.mytid, p.recv, p.config, p.exit, lambda: p.send_frames(me, 1, []), p.getsbuf,\n"
            + "             p.recv_frames, lambda: p.spawn('/bin/true'), p.initsend, lambda: match.add(1, 1),\n"
            + "             lambda: p.joingroup('g'), lambda: p.Beat(me, 1, 1.0)]\n"
            + "    answers = b''\n"
            + "    for call in calls:\n"
            + "        try: call()\n"
            + "        except p.PvmError as error: answers += b'1' if 'forked' in str(error) else b'0'\n"
            + "        else: answers += b'-'\n"
            + "    os.write(w, answers); os.close(1); os.close(2); signal.pause()\n"
            + "print(os.read(r, 99).decode(), flush=True)\n"
            + "p.send_frames(me, 1, [b'parent']); print(p.recv_frames(timeout=9).frames, child, flush=True)\n"
            + "os.kill(os.getpid(), signal.SIGKILL)",
        ]
    )
    assert parent.stdout.readline() == "1" * 12 + "\n"
    frames, child = parent.stdout.readline().split()
    assert frames == "[b'parent']"
    parent.wait(10)
    # the child lives on, but the daemon has seen the parent's end
    assert Path(f"/proc/{child}").exists()
    assert vm.tasks() == []
    os.kill(int(child), signal.SIGKILL)


def test_a_program_started_by_a_task_can_be_a_task_itself(session_vm):
    code = "import pvm_ext as p; print(p.mytid()); p.exit()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert int(done.stdout) not in (0, p.mytid())


def test_sockets_are_closed_when_a_program_is_started(session_vm):
    p.mytid()
    fds = p.getfds()
    code = f"import os\nfor fd in {fds}:\n    print(os.path.exists(f'/proc/self/fd/{{fd}}'))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, close_fds=False)
    assert set(done.stdout.split()) == {"False"}


def test_multiprocessing_with_fork_does_not_disturb_the_task(session_vm):
    code = (
        PRELUDE
        + "import multiprocessing, warnings; warnings.simplefilter('ignore')\n"
        + "me = p.mytid()\n"
        + "threading.Thread(target=lambda: p.recv_frames(-1, 9), daemon=True).start()\n"
        + "with multiprocessing.get_context('fork').Pool(3) as pool:\n"
        + "    print(sum(pool.map(abs, range(-50, 0))))\n"
        + "print(p.config().nhost); p.send_frames(me, 9, []); p.exit()"
    )
    assert session_vm.python(code).split() == ["1275", "1"]


# --- receivers that do not read ----------------------------------------------------------


def linked_task() -> tuple[task.Task, int]:
    """Spawn a task that has a direct link to this one; return it and its pid."""
    (child,) = task.spawn()
    child.ask("p.setopt(p.Option.ROUTE, p.Route.DIRECT)")
    return child, child.ask("os.getpid()")


def test_a_send_to_a_stopped_receiver_can_be_ended_and_its_message_arrives_later(session_vm):
    child, pid = linked_task()
    data = os.urandom(1_000_000) * 20
    child.order("[len(f) for f in p.recv_frames(parent, 6).frames]")
    child.order("[f[-4:] for f in p.recv_frames(parent, 6).frames]")
    assert p.abort_stuck_send() == [] and p.sending() is None
    os.kill(pid, signal.SIGSTOP)
    broken = []

    def free():
        end = time.monotonic() + 20
        while not broken and time.monotonic() < end:
            now = p.sending()
            if now is not None and now[1] > 0.3:
                assert now[0] == child.tid
                assert p.abort_stuck_send(tid=1) == []
                broken.extend(p.abort_stuck_send())
            time.sleep(0.02)

    try:
        run_threads([free, lambda: p.send_frames(child.tid, 6, [data])], 30)
        assert broken == [child.tid]
        p.send_frames(child.tid, 6, [b"last"])
        assert p.config().nhost == 1
    finally:
        os.kill(pid, signal.SIGCONT)
    assert child.answer() == [20_000_000]
    assert child.answer() == [b"last"]
    p.kill(child.tid)


def test_a_send_gives_up_a_link_whose_receiver_does_not_read(session_vm):
    child, pid = linked_task()
    child.order("[len(f) for f in p.recv_frames(parent, 6).frames]")
    child.order("[len(f) for f in p.recv_frames(parent, 6).frames]")
    child.order("p.recv_frames(parent, 6).frames")
    try:
        assert p.send_frames(child.tid, 6, [bytes(8_000_000)], patience=0.5)
        assert child.answer() == [8_000_000]
        os.kill(pid, signal.SIGSTOP)
        start = time.monotonic()
        assert not p.send_frames(child.tid, 6, [bytes(8_000_000)], patience=0.5)
        assert 0.4 < time.monotonic() - start < 10
        assert p.send_frames(child.tid, 6, [b"last"], patience=0.5)  # the daemon takes all
    finally:
        os.kill(pid, signal.SIGCONT)
    assert child.answer() == [8_000_000]
    assert child.answer() == [b"last"]
    p.kill(child.tid)


def test_a_slow_reader_keeps_its_link(session_vm):
    child, pid = linked_task()
    child.order("[len(f) for f in p.recv_frames(parent, 6).frames]")
    over = threading.Event()

    def hinder():
        while not over.wait(0.05):
            os.kill(pid, signal.SIGSTOP)
            over.wait(0.2)
            os.kill(pid, signal.SIGCONT)

    slow = threading.Thread(target=hinder)
    slow.start()
    try:
        assert p.send_frames(child.tid, 6, [bytes(200_000_000)], patience=1.0)
    finally:
        over.set()
        slow.join()
    assert child.answer() == [200_000_000]
    p.kill(child.tid)


@pytest.mark.parametrize("limit", [0, -1, float("nan"), 1e7, "soon"])
def test_a_patience_is_a_time(session_vm, limit):
    with pytest.raises((ValueError, TypeError)):
        p.send_frames(p.mytid(), 6, [], patience=limit)


# --- the sign of life --------------------------------------------------------------------


def test_a_beat_goes_on_while_python_is_held(session_vm):
    (child,) = task.spawn()
    child.order("[p.Beat(parent, 67, 0.05), sum(i * i for i in range(10**7)), sum(range(5 * 10**7))][1]")
    beats = [p.recv_frames(child.tid, 67, 5) for _ in range(8)]
    assert all(beat is not None and beat.frames == [] for beat in beats)
    p.kill(child.tid)


def test_a_beat_ends_a_process_whose_master_has_ended(vm, wait_for):
    master = vm.popen(
        [
            sys.executable,
            "-c",
            PRELUDE
            + "code = '''" + PRELUDE + "m = p.parent(); b = p.Beat(m, 5, 0.1, watch=m, grace=0.3, status=7)\n"
            + "sum(i for i in range(10**12))'''\n"
            + "t, = p.spawn(sys.executable, ['-c', code]); p.recv_frames(t, 5)\n"
            + "print(p.tasks(t)[0].pid, flush=True); p.recv()",
        ]
    )  # fmt: skip
    pid = int(master.stdout.readline())
    master.kill()
    start = time.monotonic()
    wait_for(lambda: not os.path.exists(f"/proc/{pid}/fd/0"), 10)
    assert 0.25 < time.monotonic() - start < 3


def test_a_beat_ends_a_process_whose_daemon_has_ended(vm, wait_for):
    child = vm.popen(
        [
            sys.executable,
            "-c",
            PRELUDE + "me = p.mytid(); b = p.Beat(me, 5, 0.1, grace=0.2, status=7); print(1, flush=True)\n"
            "sum(i for i in range(10**12))",
        ]
    )
    child.stdout.readline()
    vm.pvmd.kill()
    assert child.wait(10) == 7


def test_a_closed_beat_is_silent_and_ends_nothing(vm):
    out = vm.python(
        PRELUDE
        + "me = p.mytid(); t, = p.spawn('/bin/sleep', ['0.2'])\n"
        + "with p.Beat(me, 5, 0.05, watch=t, grace=60) as beat:\n"
        + "    assert p.recv_frames(-1, 5, 5); print(beat.gone)\n"
        + "    p.notify(1, 6, [t]); p.recv(-1, 6); time.sleep(0.2); print(beat.gone)\n"
        + "while p.recv_frames(timeout=0.1): pass\n"
        + "print(p.recv_frames(timeout=0.3)); b = p.Beat(me, 5, 0.05); p.exit(); p.mytid()\n"
        + "print(p.recv_frames(timeout=0.3)); b.close(); b.close()\n"
        + "for wrong in ((0.0, 1.0), (1.0, -1.0)):\n"
        + "    try: p.Beat(me, 5, wrong[0], grace=wrong[1])\n"
        + "    except ValueError: print('refused')\n"
        + "p.exit()"
    )
    assert out.split() == ["False", "True", "None", "None", "refused", "refused"]
