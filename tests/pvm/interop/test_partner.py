"""Python and a C program of our own: every type, groups, multicast, mailbox and more."""

import pytest

NAMES = "str byte short int float cplx double dcplx long ushort uint ulong".split()
HEAD = "import pypvm as p\n"

ITEMS = {
    "str": "plain text",
    "byte": [-128, -1, 0, 1, 127], "short": [-(2**15), -1, 0, 2**15 - 1],
    "ushort": [0, 1, 2**16 - 1], "int": [-(2**31), -1, 0, 2**31 - 1], "uint": [0, 1, 2**32 - 1],
    "long": [-(2**31), -1, 0, 2**31 - 1], "ulong": [0, 7, 2**32 - 1],
    "float": [-1.5, 0.0, 2.0**100, float("inf")], "double": [-1.1, 0.0, 1e300, 5e-324],
    "cplx": [1 + 2j, -0.5j, 3 + 0j], "dcplx": [1.1 + 2j, -0.5j, 1e300 + 0j],
}  # fmt: skip


@pytest.fixture
def vm(machine, partner, python_programs):
    return machine(partner, python_programs)


def run_partner(vm, *argv):
    """Run a part of the C program as a task and demand that it ends well."""
    code = f"""
{HEAD}
import sys
p.setopt(p.PvmShowTids, 0); p.catchout(sys.stdout)
p.spawn('partner', {list(argv)!r})
p.exit()
"""
    text = vm.python(code)
    assert text.endswith(f"ok {argv[0]}\n"), text
    return text


def test_every_type_goes_to_c_and_comes_back(vm):
    code = f"""
{HEAD}
inf = float('inf')
names, items = {NAMES!r}, {ITEMS!r}
c, = p.spawn('partner', ['echo'])
for encoding in (p.PvmDataDefault, p.PvmDataRaw):
    for kind, name in enumerate(names):
        values = items[name]
        if name in ('long', 'ulong') and encoding == p.PvmDataRaw: values = values + [2**40 + 1]
        p.initsend(encoding)
        p.pkint([encoding, len(values)])
        if name == 'str': p.pkstr(values)
        else: getattr(p, 'pk' + name)(values)
        p.send(c, kind)
        assert p.trecv(20, kind + 1000, c), name
        assert p.upkint(1) == [len(values)]
        back = p.upkstr() if name == 'str' else getattr(p, 'upk' + name)(len(values))
        assert back == values[::-1], (name, encoding, back)
        print(name)
p.initsend(); p.send(c, 999)
p.exit()
"""
    assert vm.python(code).split() == 2 * NAMES


def test_arrays_sent_in_place_reach_c(vm):
    code = f"""
{HEAD}
import numpy as np, pvm_ext
c, = p.spawn('partner', ['echo'])
values = np.arange(100000.0)
pvm_ext.initsend(2)
pvm_ext.pkint(np.array([1, len(values)], dtype=np.int32))
pvm_ext.pkdouble(values)
pvm_ext.send(c, p.PVM_DOUBLE)
p.recv(c, p.PVM_DOUBLE + 1000)
assert p.upkint(1) == [len(values)]
assert p.upkdouble(len(values)) == values[::-1].tolist()
p.initsend(); p.send(c, 999)
p.exit()
"""
    vm.python(code)


def test_every_type_comes_from_c_and_goes_back(vm):
    text = run_partner(vm, "spawn", "echo")
    assert text.count("type") == 2 * len(NAMES)


def test_c_multicasts_to_python(vm):
    run_partner(vm, "multicast", "multicast")


def test_python_multicasts_to_c(vm):
    code = f"""
{HEAD}
tids = p.spawn('partner', ['echo'], ntasks=3)
p.initsend()
p.pkint([0, 3]); p.pkint([1, 2, 3])
p.mcast(tids, p.PVM_INT)
for tid in tids:
    assert p.trecv(20, p.PVM_INT + 1000, tid) and p.upkint(4) == [3, 3, 2, 1]
p.initsend(); p.mcast(tids, 999)
p.exit()
"""
    vm.python(code)


@pytest.mark.parametrize("c, python", [(1, 2), (2, 2), (3, 1)])
def test_groups_of_c_and_python_members(vm, c, python):
    size = c + python
    code = f"""
{HEAD}
import sys
p.setopt(p.PvmShowTids, 0); p.catchout(sys.stdout)
p.spawn('partner', ['group', 'mixed', '{size}'], ntasks={c})
p.spawn('member', ['mixed', '{size}'], ntasks={python})
p.exit()
"""
    assert sorted(vm.python(code).splitlines()) == c * ["ok group"] + python * ["ok member"]


@pytest.mark.parametrize("kind", [name.upper() for name in NAMES[1:]])
def test_psend_and_precv_over_a_direct_route(vm, kind):
    code = f"""
{HEAD}
kind = p.PVM_{kind}
p.setopt(p.PvmRoute, p.PvmRouteDirect)
c, = p.spawn('partner', ['direct'])
for n in (1, 5, 50000):
    values = [i % 100 + 1 for i in range(n)]
    p.initsend(); p.pkint([kind, n]); p.send(c, 0)
    p.psend(c, 9, values, kind)
    back, tid, tag, nbytes = p.precv(c, 10, n, kind)
    assert list(back) == values[::-1] and (tid, tag) == (c, 10)
assert len(p.getfds()) > 1, 'no direct route'
p.initsend(); p.pkint([-1, 0]); p.send(c, 0)
p.exit()
"""
    vm.python(code)


def test_mailbox_and_context(vm):
    code = f"""
{HEAD}
p.insert('number', 3, -42)
c, = p.spawn('partner', ['mailbox'])
p.recvinfo('from C', 0, p.PvmMboxWaitForInfo)
assert p.upkstr() == 'put by C'
p.initsend(); p.pkstr('put by Python'); p.putinfo('from Python')
assert p.trecv(20, 11, c)
context, = p.upkint(1)
p.setcontext(context)
p.initsend(); p.pkstr('in your context'); p.send(c, 12)
assert p.trecv(20, 13, c) and p.upkstr() == 'heard'
p.exit()
"""
    vm.python(code)


def test_formats_are_those_of_c(vm):
    code = f"""
{HEAD}
c, = p.spawn('partner', ['format'])
assert p.trecv(20, 14, c)
assert p.unpackf('%d %2hd %f %lf %s') == (7, [-1, 2], 1.5, 2.25, 'formatted')
p.packf('%+ %d %2hd %lf %s', p.PvmDataRaw, 7, [-1, 2], 2.25, 'formatted')
p.send(c, 15)
p.notify(p.PvmTaskExit, 16, [c])
assert p.trecv(20, 16)
p.exit()
"""
    vm.python(code)


def test_python_learns_that_a_c_task_was_killed(vm):
    code = f"""
{HEAD}
import os, signal
c, = p.spawn('partner', ['echo'])
p.notify(p.PvmTaskExit, 5, [c])
pid = [row[5] for row in p.tasks(c)][0]
os.kill(pid, signal.SIGKILL)
assert p.trecv(20, 5) and p.upkint(1) == [c]
p.exit()
"""
    vm.python(code)
