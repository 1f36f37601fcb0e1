"""What the binding must bear: many messages, many calls, wrong arguments."""

from __future__ import annotations

import sys

import pytest

from ..support.task import ROOT

GROWTH = 1 << 20  # bytes

LEAK = """
import gc, os, sys
import pvm_ext as p

def memory():
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

me = p.mytid()
match = p.Match(); match.add(me, 1)
buffer = bytearray(800)

def message():
    p.send_frames(me, 1, [b"x" * 50, b"y" * 50])
    assert p.recv_frames(match=match).frames[1] == b"y" * 50

def long_message():
    p.send_frames(me, 1, [bytes(2_500_000)])
    assert len(p.recv_frames(me, 1).frames[0]) == 2_500_000

def object_():
    p.send_object(me, 1, {"a": [1, 2.5, "text"]})
    assert p.recv_object(me, 1).value["a"][0] == 1

def typed():
    p.send_buffer(me, 1, buffer)
    p.recv_buffer(buffer, me, 1)

def as_in_c():
    p.initsend(1); p.pkint([1, 2, 3]); p.pkstr("text"); p.pkdouble([1.0]); p.send(me, 1)
    p.recv(me, 1); p.upkint(3); p.upkstr(); p.upkdouble(1)

def in_place():
    p.initsend(2); p.pkbyte(bytes(100)); p.send(me, 1); p.recv(me, 1)

def nothing():
    assert p.nrecv() == 0 and p.recv_frames(timeout=0) is None

def error():
    for call in (lambda: p.send(0, 1), lambda: p.spawn("/bin/true", [5]),
                 lambda: p.setsbuf(99999), lambda: p.upkint(-1),
                 lambda: p.addhosts([]), lambda: p.notify(1, -1, [me])):
        try: call()
        except Exception: pass
        else: raise SystemExit("no error")

def configuration():
    p.config(); p.tasks(); p.getfds(); p.pstat(me)

def buffers():
    b = p.mkbuf(); before = p.setsbuf(b); p.pkbyte(bytes(5000)); p.setsbuf(before); p.freebuf(b)

def mailbox():
    p.initsend(); p.pkint([1]); p.putinfo("leak"); p.recvinfo("leak"); p.getmboxinfo(); p.delinfo("leak")

call, count = globals()[sys.argv[1]], int(sys.argv[2])
for _ in range(min(count, 2000)):
    call()
before = memory()
for _ in range(count):
    call()
print(memory() - before)
p.exit()
"""


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("call", "quick", "full"),
    [
        ("message", 100_000, 1_000_000),
        ("long_message", 100, 2_000),
        ("object_", 5_000, 200_000),
        ("typed", 5_000, 200_000),
        ("as_in_c", 5_000, 200_000),
        ("in_place", 5_000, 200_000),
        ("nothing", 10_000, 500_000),
        ("error", 5_000, 100_000),
        ("configuration", 20_000, 100_000),
        ("buffers", 100_000, 100_000),
        ("mailbox", 1_000, 10_000),
    ],
)
def test_memory_does_not_grow(vm, thorough, call, quick, full):
    grown = int(vm.python(LEAK, call, str(full if thorough else quick), timeout=800))
    # malloc may keep one or two of a hundred long messages
    assert grown < (8 * GROWTH if call == "long_message" else GROWTH), f"{grown} bytes"


@pytest.mark.timeout(900)
def test_no_argument_crashes_the_interpreter(vm, thorough):
    examples = 20_000 if thorough else 600
    limit = 800 if thorough else 100
    done = vm.run([sys.executable, "-m", "tests.support.fuzz", str(examples)], timeout=limit, cwd=ROOT)
    assert int(done.stdout.split()[0]) > 80


LINKS = """
import os, resource, sys
import pvm_ext as p

child = '''
import pvm_ext as p
p.setopt(p.Option.ROUTE, p.Route.DIRECT)
p.send_frames(p.parent(), 1, [b"here"])
p.recv_frames(p.parent(), 2)
p.send_frames(p.parent(), 3, [b"there"])
p.exit()
'''

def spawn(count):
    tids = p.spawn(sys.executable, ["-c", child], 0, "", count)
    assert all(p.recv_frames(tid, 1, 30).frames == [b"here"] for tid in tids)
    return tids

def files():
    return {f for f in os.listdir(os.environ["PVM_TMP"]) if f.startswith("pvmtmp")}

p.mytid()
before = files()
tids = spawn(3)
assert len(p.getfds()) == 4
assert files() == before
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
null = os.open(os.devnull, os.O_RDONLY)
while os.dup(null) < 890:
    pass
tids += spawn(20)
links = p.getfds()[1:]
assert 3 < len(links) < 20 and max(links) < 1000, links
for tid in tids:
    p.send_frames(tid, 2, [])
assert all(p.recv_frames(tid, 3, 30).frames == [b"there"] for tid in tids)
"""


def test_links_leave_no_files_and_are_refused_before_descriptors_run_out(vm):
    vm.run([sys.executable, "-c", LINKS], timeout=60)
