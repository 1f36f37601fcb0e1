"""Groups, mailbox and contexts through pypvm."""

import sys
import threading

import pypvm
import pytest

MEMBER = """
import sys, pypvm as p
group, size = sys.argv[1], int(sys.argv[2])
me = p.joingroup(group)
p.barrier(group, size)
p.freezegroup(group, size)
"""


@pytest.fixture(autouse=True)
def enrolled(session_vm):
    yield
    while pypvm.nrecv():
        pass


def member(group, size, code):
    (tid,) = pypvm.spawn(sys.executable, ["-c", MEMBER + code, group, str(size)])
    assert tid > 0


def test_joining_needs_no_preparation(vm):
    """The group server is found although the search path does not name its folder."""
    code = """
import pypvm as p
assert p.joingroup('g') == 0 and p.gsize('g') == 1
assert p.gettid('g', 0) == p.gettid(group='g', inum=0) == p.mytid()
assert p.getinst('g', p.mytid()) == 0
assert p.lvgroup('g') is None
print('joined')
p.exit()
"""
    done = vm.run([sys.executable, "-c", code])
    assert (done.stdout, done.stderr) == ("joined\n", "")


def test_errors_of_groups():
    def refused(error, call, *arguments):
        with pytest.raises(error):
            call(*arguments)

    assert pypvm.joingroup("errors") == 0
    try:
        refused(pypvm.DupGroupException, pypvm.joingroup, "errors")
        refused(pypvm.NullGroupException, pypvm.joingroup, "")
        refused(pypvm.NoInstException, pypvm.gettid, "errors", 5)
        refused(pypvm.NotInGroupException, pypvm.getinst, "errors", 0x7FFFF)
        refused(pypvm.MismatchException, pypvm.barrier, "errors", 0)
        pypvm.initsend()
        refused(pypvm.NoInstException, pypvm.bcast, "errors", 1)
    finally:
        pypvm.lvgroup("errors")
    refused(pypvm.NoGroupException, pypvm.gsize, "none")
    refused(pypvm.NullGroupException, pypvm.gsize, "")
    refused(pypvm.NoGroupException, pypvm.lvgroup, "none")
    refused(pypvm.NoGroupException, pypvm.gettid, "none", 0)
    refused(pypvm.NoGroupException, pypvm.getinst, "none", pypvm.mytid())
    refused(pypvm.NoGroupException, pypvm.barrier, "none", 1)


def test_a_waiting_barrier_lets_other_threads_run():
    pypvm.joingroup("barrier")
    done = threading.Event()
    waiting = threading.Thread(target=lambda: (pypvm.barrier("barrier", 2), done.set()), daemon=True)
    waiting.start()
    assert not done.wait(0.2)
    context = pypvm.newcontext()
    pypvm.setcontext(context)
    try:
        member("barrier", 2, "p.lvgroup(group)")
        waiting.join(20)
        assert done.is_set()
        assert pypvm.getcontext() == context, "the group call has a context of its own, and must not leave it"
    finally:
        pypvm.setcontext(0)
    pypvm.lvgroup("barrier")


def test_broadcast_and_collective_calls():
    group, size = "work", 3
    me = pypvm.joingroup(group)
    assert me == 0
    code = """
p.recv(-1, 1)
factor = p.upkint(1)[0]
p.scatter(None, 2, p.PVM_INT, 2, group, 0)
part = [factor * me, factor * me + 1]
assert p.gather(part, p.PVM_INT, 3, group, 0) is None
for function in (p.PvmMax, p.PvmMin, p.PvmSum, p.PvmProduct, lambda x, y: [a + 2 * b for a, b in zip(x, y)]):
    assert p.reduce(function, [me + 1.0, 2.0], p.PVM_DOUBLE, 4, group, 0) is None
    p.barrier(group, size)
p.lvgroup(group)
"""
    for _ in range(size - 1):
        member(group, size, code)
    pypvm.barrier(group, size)
    assert pypvm.freezegroup(group, size) == size
    pypvm.initsend()
    pypvm.pkint([10])
    pypvm.bcast(group, 1)
    assert pypvm.scatter([0, 1, 2, 3, 4, 5], 2, pypvm.PVM_INT, 2, group, 0) == [0, 1]
    assert pypvm.gather([0, 1], pypvm.PVM_INT, 3, group, 0) == [0, 1, 10, 11, 20, 21]
    results = []
    for function in (pypvm.PvmMax, pypvm.PvmMin, pypvm.PvmSum, pypvm.PvmProduct):
        results.append(pypvm.reduce(function, [1.0, 2.0], pypvm.PVM_DOUBLE, 4, group, 0))
        pypvm.barrier(group, size)
    assert results == [[3, 2], [1, 2], [6, 6], [6, 8]]
    own = pypvm.reduce(lambda x, y: [a + 2 * b for a, b in zip(x, y)], [1.0, 2.0], pypvm.PVM_DOUBLE, 4, group, 0)
    assert own == [1 + 2 * 2 + 2 * 3, 2 + 2 * 2 + 2 * 2]
    pypvm.barrier(group, size)
    pypvm.lvgroup(group)


# -- mailbox


def test_numbers_under_names():
    assert pypvm.insert("x", -1, 42) == 0
    assert pypvm.insert(name="x", index=-1, data=-43) == 1
    assert pypvm.lookup("x", -1) == 42
    assert pypvm.lookup(name="x", index=1) == -43
    assert pypvm.lookup_entry("x", -1) == (0, 42)
    with pytest.raises(pypvm.DupEntryException):
        pypvm.insert("x", 1, 5)
    for index in (0, 1):
        assert pypvm.delete("x", index) is None
    for call in (lambda: pypvm.lookup("x", -1), lambda: pypvm.lookup("x", 0), lambda: pypvm.delete("x", 0)):
        with pytest.raises(pypvm.NoEntryException):
            call()
    for call in (lambda: pypvm.insert("x", -2, 1), lambda: pypvm.insert("", 0, 1), lambda: pypvm.delete("x", -1)):
        with pytest.raises(pypvm.BadParamException):
            call()


def test_numbers_outlive_their_owner(session_vm):
    session_vm.python("import pypvm as p; p.insert('heritage', 4, 7); p.exit()")
    assert pypvm.lookup("heritage", 4) == 7


def test_entries_belong_to_their_owner(session_vm):
    child = session_vm.popen(
        [sys.executable, "-c", "import pypvm as p; p.initsend(); p.putinfo('mine'); print('up', flush=True); p.recv()"]
    )
    assert child.stdout.readline() == "up\n"
    pypvm.initsend()
    for call in (pypvm.putinfo, pypvm.delinfo):
        with pytest.raises(pypvm.DeniedException):
            call("mine")
    child.kill()


def test_messages_under_names():
    pypvm.initsend()
    pypvm.pkstr("hello")
    many = pypvm.PvmMboxMultiInstance
    assert pypvm.putinfo("greeting", flags=many) == 0
    assert pypvm.putinfo("greeting", pypvm.getsbuf(), many) == 1
    assert pypvm.putinfo("greeting", flags=many | pypvm.PvmMboxDirectIndex(7)) == 7
    pypvm.delinfo("greeting", 7)
    found = dict(pypvm.getmboxinfo("greet"))
    assert [(index, owner) for index, owner, flags in found["greeting"]] == [(n, pypvm.mytid()) for n in (0, 1)]
    bufid = pypvm.recvinfo("greeting", 1)
    assert pypvm.getrbuf() == bufid and pypvm.upkstr() == "hello"
    assert pypvm.delinfo("greeting", 1) is None
    pypvm.recvinfo("greeting", flags=pypvm.PvmMboxReadAndDelete)
    for call in (pypvm.recvinfo, pypvm.delinfo):
        with pytest.raises(pypvm.NotFoundException):
            call("greeting")
    assert "greeting" not in dict(pypvm.getmboxinfo())


# -- contexts


def test_contexts_keep_messages_apart():
    assert pypvm.getcontext() == pypvm.PvmBaseContext
    context = pypvm.newcontext()
    assert context > 0 and pypvm.getcontext() == 0
    assert pypvm.setcontext(context) == 0
    try:
        assert pypvm.getcontext() == context
        pypvm.initsend()
        pypvm.pkint([1])
        pypvm.send(pypvm.mytid(), 1)
    finally:
        assert pypvm.setcontext(new_ctx=0) == context
    assert pypvm.trecv(0.1) == 0
    pypvm.setcontext(newctx=context)
    assert pypvm.trecv(20) and pypvm.upkint(1) == [1]
    pypvm.setcontext(0)
    assert pypvm.freecontext(context) is None
    with pytest.raises(pypvm.NoEntryException):
        pypvm.freecontext(0x7C0001)
    with pytest.raises(ValueError):
        pypvm.setcontext(-1)


def test_children_inherit_the_context():
    context = pypvm.newcontext()
    pypvm.setcontext(context)
    try:
        code = "import pypvm as p; p.initsend(); p.pkint([p.getcontext()]); p.send(p.parent(), 1)"
        pypvm.spawn(sys.executable, ["-c", code])
        assert pypvm.trecv(20) and pypvm.upkint(1) == [context]
    finally:
        pypvm.setcontext(0)
        pypvm.freecontext(context)
