"""Signals end waits at whatever moment they come."""

SHOOT = """
import random, signal, sys, threading, time
import pvm_ext as pvm

class Hit(Exception):
    pass

def hit(signum, frame):
    raise Hit

def shoot():
    global lost
    for _ in range(SHOTS):
        ready.acquire()
        end = time.perf_counter() + random.random() * 60e-6
        while time.perf_counter() < end:
            pass
        signal.pthread_kill(main, signal.SIGUSR1)
        if not done.acquire(timeout=5):
            lost += 1
            signal.pthread_kill(main, signal.SIGUSR1)
            done.acquire()

SHOTS, lost = 2000, 0
sys.setswitchinterval(1e-5)
signal.signal(signal.SIGUSR1, hit)
main = threading.main_thread().ident
ready, done = threading.Semaphore(0), threading.Semaphore(0)
pvm.mytid()
shooter = threading.Thread(target=shoot)
shooter.start()
for shot in range(SHOTS):
    try:
        ready.release()
        if shot % 2:
            pvm.recv(-1, 5)
        else:
            pvm.recv_frames(-1, 5, timeout=30)
    except Hit:
        pass
    done.release()
shooter.join()
print("lost", lost)
pvm.exit()
"""


def test_no_signal_is_lost_on_the_way_into_a_wait(vm):
    assert vm.python(SHOOT) == "lost 0\n"


def test_a_signal_handler_may_receive_in_the_midst_of_a_receive(vm):
    code = """
import signal, threading, pvm_ext as pvm
me, got = pvm.mytid(), []

def handler(signum, frame):
    pvm.send_frames(me, 7, [b"inner"])
    got.append(pvm.recv_frames(-1, 7, timeout=20).frames[0])
    got.append(pvm.recv_frames(-1, 8, timeout=0))
    handled.set()

def shoot():
    for _ in range(3):
        handled.clear()
        signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR1)
        handled.wait(20)
    pvm.send_frames(me, 5, [b"outer"])

handled = threading.Event()
signal.signal(signal.SIGUSR1, handler)
shooter = threading.Timer(0.2, shoot)
shooter.start()
got.append(pvm.recv_frames(-1, 5, timeout=20).frames[0])
assert got == 3 * [b"inner", None] + [b"outer"], got
shooter.join()
pvm.exit()
"""
    vm.python(code)


def test_signals_during_a_barrier(vm):
    code = """
import signal, threading, pvm_ext as pvm
me, got = pvm.mytid(), []

class Enough(Exception):
    pass

def handler(signum, frame):
    pvm.send_frames(me, 7, [b"inner"])
    got.append(pvm.recv_frames(-1, 7, timeout=20).frames[0])
    try:
        pvm.gsize("g")
    except pvm.AlreadyError:
        got.append("refused")
    handled.set()
    if len(got) == 6:
        raise Enough

def shoot():
    for _ in range(3):
        handled.clear()
        signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR1)
        handled.wait(20)

handled = threading.Event()
signal.signal(signal.SIGUSR1, handler)
pvm.joingroup("g")
shooter = threading.Timer(0.2, shoot)
shooter.start()
try:
    pvm.barrier("g", 2)
except Enough:
    print(got == 3 * [b"inner", "refused"], pvm.gsize("g"))
shooter.join()
pvm.exit()
"""
    assert vm.python(code) == "True 1\n"


def test_endless_timeouts(vm):
    code = """
import threading, pvm_ext as pvm
me = pvm.mytid()
for timeout in (float("inf"), 1e300, 1e10):
    threading.Timer(0.1, lambda: pvm.send_frames(me, 5, [b""])).start()
    assert pvm.recv_frames(-1, 5, timeout=timeout).frames == [b""]
pvm.exit()
"""
    vm.python(code)


def test_floats_are_no_tids(vm):
    code = """
import pvm_ext as pvm
for call in (lambda: pvm.send_frames(pvm.mytid(), 1.5, [b""]), lambda: pvm.recv(-1.0), lambda: pvm.bufinfo(1.0)):
    try: call()
    except TypeError: print("refused")
pvm.exit()
"""
    assert vm.python(code) == 3 * "refused\n"
