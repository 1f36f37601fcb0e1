"""Debian's C programs built on libpvm3, with Python on the other side of each.

A C program finds its counterpart by name in the daemon's search path, so the order of
folders there decides whether it meets C or Python.
"""

import re
import sys

import pytest

# Runs a program as a task, prints its output, and waits until all collected tasks ended.
RUN = "import sys, pypvm as p; p.setopt(p.PvmShowTids, 0); p.catchout(sys.stdout);"


def run(vm, program, *argv, ntasks=1, timeout=120):
    """Spawn a program from Python and return what it and its children print."""
    code = f"{RUN} tids = p.spawn({program!r}, {list(argv)!r}, ntasks={ntasks}); p.exit(); assert min(tids) > 0, tids"
    return vm.python(code, timeout=timeout)


@pytest.fixture
def all_c(machine, c_programs):
    return machine(c_programs)


@pytest.fixture
def c_meets_python(machine, c_programs, python_programs):
    """C masters come from the C folder; what they spawn is found in Python first."""
    return machine(python_programs, c_programs)


@pytest.fixture
def example(c_programs):
    """Give the full path of an example program, past the search path."""
    return lambda name: str(c_programs / name)


# -- hello


def test_c_hello_spawns_python(c_meets_python, example):
    assert re.fullmatch(r"i'm t\w+\nfrom t\w+: hello, world from Python\n", run(c_meets_python, example("hello")))


def test_python_spawns_c_hello_other(all_c):
    code = """
import pypvm as p, socket
tid, = p.spawn('hello_other')
assert p.bufinfo(p.recv())[1:] == (1, tid)
assert p.upkstr() == 'hello, world from ' + socket.gethostname()
p.exit()
"""
    all_c.python(code)


# -- master1 and slave1


def test_c_master_with_python_slaves(c_meets_python, example):
    text = run(c_meets_python, example("master1"))
    found = re.findall(r"I got (\S+) from (\d); \(expecting (\S+)\)", text)
    assert sorted(place for _, place, _ in found) == ["0", "1", "2"]
    assert all(got == expected for got, _, expected in found)


def test_python_master_with_c_slaves(all_c):
    code = """
import pypvm as p
n, data = 4, [1.0] * 100
tids = p.spawn('slave1', ntasks=n)
p.initsend(p.data['default'])
p.pkint([n]); p.pkint(tids); p.pkint([len(data)]); p.pkfloat(data)
p.mcast(tids, 0)
results = {}
for _ in tids:
    p.recv(-1, 5)
    who, = p.upkint(1)
    results[who] = p.upkfloat(1)[0]
assert results == {0: 300, 1: 100, 2: 300, 3: 500}, results
p.exit()
"""
    all_c.python(code)


# -- timing


def test_c_timing_with_a_python_slave(c_meets_python, example):
    text = run(c_meets_python, example("timing"))
    assert "RTT Avg uSec" in text and text.count("Avg Byte/uSec") == 5 and text.endswith("done\n")


def test_python_timing_with_a_c_slave(all_c):
    code = """
import array, pypvm as p
p.setopt(p.PvmRoute, p.PvmRouteDirect)
tid, = p.spawn('timing_slave')
p.recv(tid, 0)
for size in (1, 1000, 1000000):
    for _ in range(5):
        p.initsend(p.PvmDataRaw)
        p.pkint(array.array('i', range(size)))
        p.send(tid, 1)
        p.recv(tid, 2)
        assert p.upkint(1) == [tid]
assert len(p.getfds()) > 1, 'no direct route'
p.notify(p.PvmTaskExit, 9, [tid]); p.kill(tid); p.recv(-1, 9)
p.exit()
"""
    all_c.python(code)


# -- groups


def test_c_gexample_with_itself(all_c):
    assert "The 1-Norm is 5050" in run(all_c, "gexample")


def test_c_gexample_with_python_members(c_meets_python, example):
    text = run(c_meets_python, example("gexample"))
    assert "--> Using 10 processors <--" in text
    assert "The 1-Norm is 5050" in text
    assert "product of column 1 is 9.33262e+157" in text


def test_python_root_with_c_gexample_members(all_c):
    code = """
import math, pypvm as p
nproc, dimension = 4, 20
assert p.joingroup('matrix') == 0
tids = p.spawn('gexample', ntasks=1) + p.spawn('gexample') + p.spawn('gexample')
p.initsend(); p.pkint([nproc]); p.pkint([dimension]); p.mcast(tids, 1000)
p.freezegroup('matrix', nproc)
block = [[1 + abs(i - j) for j in range(dimension)] for i in range(dimension // nproc)]
columns = list(zip(*block))
sums = p.reduce(p.PvmSum, [sum(c) for c in columns], p.PVM_INT, 1001, 'matrix', 0)
product = p.reduce(lambda x, y: [a * b for a, b in zip(x, y)],
                   [float(math.prod(c)) for c in columns], p.PVM_DOUBLE, 1002, 'matrix', 0)
assert max(sums) == dimension * (dimension + 1) // 2, sums
assert product[0] == float(math.factorial(dimension))
p.barrier('matrix', -1)
p.lvgroup('matrix')
p.exit()
"""
    all_c.python(code)


def test_c_joinleave_beside_a_python_member(all_c):
    code = f"""
{RUN}
import time
assert p.joingroup('JoinLeave') == 0
both = runs = 0
while not both:  # it is a member half of the time; chance decides when we look
    runs += 1
    tid, = p.spawn('joinleave', ['1000'])
    p.notify(p.PvmTaskExit, 9, [tid])
    while not p.nrecv(-1, 9):
        size = p.gsize('JoinLeave')
        assert size in (1, 2)
        both += size == 2
    assert p.gsize('JoinLeave') == 1
p.lvgroup('JoinLeave')
p.exit()
print('runs', runs)
"""
    text = all_c.python(code)
    runs = int(re.search(r"^runs (\d+)$", text, re.M)[1])
    assert [int(n) for n in re.findall(r"Joined (\d+) times", text)] == list(range(100, 1001, 100)) * runs


@pytest.mark.parametrize("program, argv, wanted", [
    ("gexamp", ["4"], r"gexamp 0: sync"),
    ("trsg", [], r"Test OK: Sum of Squares of first 20 integers is 2870"),
    ("thb", ["3"], r"done\."),
    ("tst", [], r"joined prognosis 0, negative 0"),
])  # fmt: skip
def test_c_group_programs_run_when_spawned_from_python(all_c, example, program, argv, wanted):
    text = run(all_c, example(program), *argv)
    assert re.search(wanted, text)
    assert not re.search("match up|ERROR|rror |trouble|myself", text), text


# -- spmd


def test_c_siblings_pass_their_token(all_c):
    text = run(all_c, "spmd", ntasks=4)
    assert "through the   4 tid ring" in text and "token ring done" in text


def test_c_and_python_siblings_pass_their_token(machine, c_programs, python_programs, tmp_path):
    """One of the four programs that one spawn starts is Python, the others are C."""
    chooser = tmp_path / "spmd"
    chooser.write_text(
        f"#!/bin/sh\nif mkdir {tmp_path}/taken 2>/dev/null\n"
        f"then exec {python_programs}/ring\nelse exec {c_programs}/spmd\nfi\n"
    )
    chooser.chmod(0o755)
    text = run(machine(tmp_path), "spmd", ntasks=4)
    assert "token ring done" in text and (tmp_path / "taken").exists()


# -- bandwidth


@pytest.mark.parametrize(
    "program, mode", [("dbwtest", "default"), ("rbwtest", "raw"), ("ibwtest", "inplace"), ("pbwtest", "psend")]
)
def test_c_bandwidth_program_with_a_python_echo(machine, c_programs, python_programs, wait_for, program, mode):
    vm = machine(c_programs, python_programs)
    code = f"""
{RUN}
tids = p.spawn({program!r})
while True:
    try:
        if p.gsize('bwtest'): break
    except p.NoGroupException:
        p.trecv(0.05)
tids += p.spawn('bandwidth', [{mode!r}])
p.exit()
assert min(tids) > 0
"""
    text = vm.python(code, timeout=120)
    assert "I am the master" in text and "100000 doubles received correctly" in text
    assert len(re.findall(r"Roundtrip T = \d+ \(us\)", text)) == 7
    assert "error" not in text


# -- PVM's own tools


def test_console_sees_our_tasks_and_groups_and_ends_tasks(all_c, pvm, wait_for):
    member = "import pypvm as p; p.joingroup('seen'); p.barrier('seen', 2); p.recv()"
    code = f"""
import sys, pypvm as p
tids = p.spawn(sys.executable, ['-c', {member!r}], ntasks=2)
print(*['%x' % tid for tid in tids], flush=True)
p.notify(p.PvmTaskExit, 5, tids)
for _ in tids:
    p.recv(-1, 5)
    print('%x' % p.upkint(1)[0], flush=True)
p.exit()
"""
    parent = all_c.popen([sys.executable, "-c", code])
    tids = parent.stdout.readline().split()
    shown = all_c.console("ps -a")
    for tid in tids:
        (line,) = [line for line in shown.splitlines() if tid in line.split()]
        assert sys.executable in line

    programs = pvm.root.parents[1] / "bin"
    text = wait_for(lambda: re.search(r"group: seen, size: 2.*", all_c.run([programs / "pvm_gstat"]).stdout, re.S))[0]
    assert all(f"0x{tid}" in text for tid in tids)
    # pvmgroups lets the group server print its list, which goes to the daemon's log
    all_c.run([programs / "pvmgroups"])
    wait_for(lambda: re.search(r"group: seen +size: 2", all_c.log()))

    for tid, command in zip(tids, ("sig 9", "kill")):
        all_c.console(f"{command} {tid}")
        assert parent.stdout.readline().strip() == tid
    assert parent.wait(20) == 0
