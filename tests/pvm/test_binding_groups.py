"""Groups: membership, barriers, and what is computed together, with a real group server."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

import pvm_ext as p

from ..support import task


@pytest.fixture(scope="module")
def group(session_vm):
    """Give three members: this process is instance 0, the tasks are 1 and 2."""
    assert p.joingroup("binding") == 0
    children = task.spawn(2)
    # in turn, so that the instance numbers are known
    assert [child.ask("p.joingroup('binding')") for child in children] == [1, 2]
    yield children
    for child in children:
        p.kill(child.tid)
    p.lvgroup("binding")


def together(children, expression, own):
    """Have a collective call made by all, and return this process's result and the others'."""
    for child in children:
        child.order(expression)
    mine = own()
    return mine, [child.answer() for child in children]


def test_the_group_server_is_started_without_preparation(group):
    (server,) = [row for row in p.tasks() if row.name.endswith("pvmgs")]
    assert dict(p.getmboxinfo("pvmgs"))["pvmgs"][0].owner == server.tid


def test_members_have_tids_and_instances(group):
    tids = [p.mytid(), *(child.tid for child in group)]
    assert p.gsize("binding") == 3
    assert [p.gettid("binding", number) for number in range(3)] == tids
    assert [p.getinst("binding", tid) for tid in tids] == [0, 1, 2]


def test_errors_of_groups(group):
    for error, call in (
        (p.DupGroupError, lambda: p.joingroup("binding")),
        (p.NullGroupError, lambda: p.joingroup("")),
        (p.NoGroupError, lambda: p.lvgroup("no such group")),
        (p.NoGroupError, lambda: p.gsize("no such group")),
        (p.NoInstError, lambda: p.gettid("binding", 99)),
        (p.NotInGroupError, lambda: p.getinst("binding", 12345)),
        (p.NoGroupError, lambda: p.barrier("no such group", 1)),
        (TypeError, lambda: p.joingroup(5)),
        (ValueError, lambda: p.joingroup("a\0b")),
    ):
        with pytest.raises(error):
            call()
    p.joingroup("binding alone")
    p.initsend()
    with pytest.raises(p.NoInstError):
        p.bcast("binding alone", 1)
    p.lvgroup("binding alone")


def test_a_barrier_lets_other_threads_work(group):
    for child in group:
        child.order("p.barrier('binding', 3)")
    reached = threading.Event()

    def wait():
        p.barrier("binding", 3)
        reached.set()

    thread = threading.Thread(target=wait)
    thread.start()
    thread.join(30)
    assert reached.is_set()
    assert [child.answer() for child in group] == [None, None]

    thread = threading.Thread(target=wait)
    reached.clear()
    thread.start()
    for _ in range(20):
        assert p.config().nhost == 1
        p.send_frames(p.mytid(), 5, [b"x"])
        assert p.recv_frames(p.mytid(), 5, 20) is not None
    assert not reached.is_set() and p.getcontext() == 0
    for child in group:
        child.order("p.barrier('binding', 3)")
    thread.join(30)
    assert reached.is_set()
    assert [child.answer() for child in group] == [None, None]


def test_a_barrier_of_another_count_is_refused(group):
    group[0].order("p.barrier('binding', 2)")
    while True:  # until the other one waits there
        try:
            time.sleep(0.01)
            group[1].ask("p.barrier('binding', 3)", timeout=10)
        except p.MismatchError:
            break
    p.barrier("binding", 2)
    group[0].answer()


def test_bcast_reaches_all_but_the_sender(group):
    for child in group:
        child.order("p.recv(parent, 44) and p.upkint(1)")
    p.initsend()
    p.pkint([7])
    p.bcast("binding", 44)
    assert [child.answer() for child in group] == [[7], [7]]
    assert p.trecv(-1, 44, 0.2) == 0


INSTANCE = "p.getinst('binding', p.mytid())"


@pytest.mark.parametrize("root", [0, 2])
@pytest.mark.parametrize(
    ("kind", "func", "result"),
    [
        ("INT", "'max'", [2, 0]),
        ("DOUBLE", "'min'", [0.0, -2.0]),
        ("LONG", "'sum'", [3, -3]),
        ("SHORT", "'product'", [0, 0]),
        ("BYTE", "'max'", [2, 0]),
        ("FLOAT", "lambda x, y: [a + b for a, b in zip(x, y)]", [3.0, -3.0]),
        ("DCPLX", "lambda x, y: [a + b for a, b in zip(x, y)]", [3 + 0j, -3 + 0j]),
    ],
)
def test_reduce_combines_the_items_of_all(group, kind, func, result, root):
    call = f"p.reduce({func}, [{INSTANCE}, -{INSTANCE}], p.DataType.{kind}, 5, 'binding', {root})"
    mine, others = together(group, call, lambda: eval(call, {"p": p}))
    results = [mine, *others]
    assert results[root] == result
    assert [value for number, value in enumerate(results) if number != root] == [None, None]


def test_reduce_refuses_what_would_be_cut(group):
    with pytest.raises(p.PvmOverflowError):
        p.reduce("sum", [2**40], p.DataType.LONG, 5, "binding", 0)
    call = "p.reduce('sum', [2**31 - 1], p.DataType.LONG, 5, 'binding', 0)"
    with pytest.raises(p.PvmOverflowError):
        together(group, call, lambda: eval(call, {"p": p}))
    for child in group:
        child.answer()


def test_a_reduction_that_raises_passes_its_exception_on(group):
    call = "p.reduce(lambda x, y: 1 / 0, [1], p.DataType.INT, 6, 'binding', 0)"
    with pytest.raises(ZeroDivisionError):
        together(group, call, lambda: eval(call, {"p": p}))
    for child in group:
        child.answer()
    while p.nrecv(-1, 6):
        pass


def test_reduce_checks_its_arguments(group):
    for error, call in (
        (ValueError, lambda: p.reduce("median", [1], p.DataType.INT, 5, "binding", 0)),
        (p.BadParamError, lambda: p.reduce("max", [], p.DataType.INT, 5, "binding", 0)),
        (p.BadParamError, lambda: p.reduce("max", [1], p.DataType.UINT, 5, "binding", 0)),
        (p.NoGroupError, lambda: p.reduce("max", [1], p.DataType.INT, 5, "no such group", 0)),
        (p.NoInstError, lambda: p.reduce("max", [1], p.DataType.INT, 5, "binding", 9)),
        (p.NotImplError, lambda: p.reduce("max", ["x"], p.DataType.STR, 5, "binding", 0)),
    ):
        with pytest.raises(error):
            call()


@pytest.mark.parametrize("root", [0, 1])
@pytest.mark.parametrize("kind", ["BYTE", "SHORT", "INT", "LONG", "FLOAT", "DOUBLE", "CPLX", "DCPLX"])
def test_gather_and_scatter_keep_the_order_of_the_instances(group, kind, root):
    call = f"p.gather([{INSTANCE}, {INSTANCE} + 10], p.DataType.{kind}, 7, 'binding', {root})"
    mine, others = together(group, call, lambda: eval(call, {"p": p}))
    results = [mine, *others]
    assert results[root] == [0, 10, 1, 11, 2, 12]
    assert results.count(None) == 2

    call = f"p.scatter(list(range(6)) if {INSTANCE} == {root} else None, 2, p.DataType.{kind}, 8, 'binding', {root})"
    mine, others = together(group, call, lambda: eval(call, {"p": p}))
    assert [mine, *others] == [[0, 1], [2, 3], [4, 5]]


def test_negative_longs_survive_gather_and_scatter(group):
    call = "p.gather([-1, -2**31], p.DataType.LONG, 7, 'binding', 0)"
    mine, _ = together(group, call, lambda: eval(call, {"p": p}))
    assert mine == [-1, -(2**31)] * 3


def test_scatter_checks_the_length_on_the_root(group):
    with pytest.raises(ValueError):
        p.scatter([1, 2], 2, p.DataType.INT, 8, "binding", 0)


def test_shares_beyond_c_ints_are_refused(group):
    for count in (2**28, 2**29, 2**31 - 1):
        for root in (0, 5):
            with pytest.raises(p.PvmOverflowError):
                p.scatter(None, count, p.DataType.DOUBLE, 1, "binding", root)
    with pytest.raises(p.PvmOverflowError):
        # each share fits, the three of them together do not
        p.gather(bytes(2**30), p.DataType.BYTE, 1, "binding", 0)


def test_a_frozen_group_has_its_size(session_vm):
    assert p.joingroup("binding frozen") == 0
    assert p.freezegroup("binding frozen", 1) == 1
    assert p.gsize("binding frozen") == 1 and p.gettid("binding frozen", 0) == p.mytid()


def test_control_c_ends_a_barrier(session_vm, wait_for):
    code = (
        "import pvm_ext as p, time\n"
        "p.joingroup('g'); print('in', flush=True)\n"
        "try: p.barrier('g', 2)\n"
        "except KeyboardInterrupt: print(time.monotonic(), p.gsize('g'), flush=True)\n"
        "p.exit()"
    )
    child = session_vm.popen([sys.executable, "-c", code])
    assert child.stdout.readline() == "in\n"
    wait_for(lambda: "poll" in Path(f"/proc/{child.pid}/wchan").read_text())
    start = time.monotonic()
    os.kill(child.pid, signal.SIGINT)
    moment, size = child.stdout.readline().split()
    assert float(moment) - start < 0.5 and size == "1"
    child.wait(20)


def test_the_end_of_the_group_server_ends_waits_for_it(vm):
    code = (
        "import pvm_ext as p, threading\n"
        "p.joingroup('g')\n"
        "server, = [row.tid for row in p.tasks() if row.name.endswith('pvmgs')]\n"
        "threading.Timer(0.2, p.kill, [server]).start()\n"
        "try: p.barrier('g', 2)\n"
        "except p.SysErrError as error: print('group server' in str(error))\n"
        "print(p.joingroup('g')); p.exit()"
    )
    assert vm.python(code).split() == ["True", "0"]
