"""How pypvm tells of errors: catchable in the old ways and in the new."""

import os
import subprocess
import sys

import pypvm
import pytest

import pvm_ext

TEXTS = {
    -2: "Bad parameter", -3: "Parameter mismatch", -4: "Value too large", -5: "End of buffer",
    -6: "No such host", -7: "No such file", -8: "Permission denied", -10: "Malloc failed",
    -12: "Can't decode message", -14: "Can't contact local daemon", -15: "No current buffer",
    -16: "No such buffer", -17: "Null group name", -18: "Already in group",
    -19: "No such group", -20: "Not in group", -21: "No such instance", -22: "Host failed",
    -23: "No parent task", -24: "Not implemented", -25: "Pvmd system error",
    -26: "Version mismatch", -27: "Out of resources", -28: "Duplicate host",
    -29: "Can't start pvmd", -30: "Already in progress", -31: "No such task", -32: "Not Found",
    -33: "Already Exists", -34: "Hoster must run on master host",
    -35: "Spawning parent set PvmNoParent", -36: "Master Host IP Address is Loopback!",
}  # fmt: skip

WITHOUT_PVMD = """
import sys, pypvm
for call in (pypvm.mytid, pypvm.config, pypvm.hostinfo, pypvm.tasks, pypvm.parent):
    try:
        call()
    except:
        assert sys.exc_info()[1] == pypvm.results['SysErr'], call
        assert str(sys.exc_info()[0]) == 'SysErr' and sys.exc_info()[0] == 'SysErr'
    try:
        call()
    except Exception as e:
        assert int(e) == -14 and e.args == (-14,), call
    try:
        call()
    except pypvm.exception['SysErrStr'] as e:
        assert e.code == -14
    else:
        raise SystemExit('%s did not raise' % call)
for call in (pypvm.getsbuf, pypvm.getrbuf, pypvm.initsend):
    call()
assert pypvm.tidtohost(0x40003) == 0x40000
assert pypvm.tidtohost(0) == 0
assert pypvm.tidtohost(-5) == 0x3ffc0000
assert pypvm.pstat(0x40003) == -14
print(pypvm.version())
"""


@pytest.fixture
def no_parent(session_vm):
    with pytest.raises(pypvm.PvmError) as caught:
        pypvm.parent()
    return caught.value


def test_calls_without_a_pvmd_raise_quietly(vm):
    vm.halt()
    done = subprocess.run([sys.executable, "-c", WITHOUT_PVMD], env=vm.env, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "3.4.6\n", "")


def test_root_is_told_instead_of_ended(vm):
    code = "import pypvm\ntry: pypvm.getsbuf(), pypvm.mytid()\nexcept pypvm.PvmError as e: print(e)"
    env = {name: value for name, value in vm.env.items() if name != "PVM_ALLOW_ROOT"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and done.stderr == ""
    if os.getuid() == 0:
        assert done.stdout.startswith("-14 SysErr") and "PVM_ALLOW_ROOT" in done.stdout


def test_attributes_and_text(no_parent):
    assert no_parent.code == int(no_parent) == no_parent == -23
    assert no_parent.name == "NoParent"
    assert no_parent.text == "No parent task"
    assert no_parent.function == "parent"
    assert no_parent.args == (-23,)
    assert str(no_parent).startswith("-23 NoParent: No parent task (parent)")
    assert {no_parent: 1}[-23] == 1


def test_all_ways_to_name_the_class(no_parent):
    cls = type(no_parent)
    assert cls is pypvm.NoParentException is pypvm.exception["NoParentStr"]
    assert cls is pvm_ext.NoParentError
    assert cls == "NoParent" and str(cls) == "NoParent" and {cls: 1}["NoParent"] == 1
    assert cls != "NoTask" and cls != pypvm.NoTaskException
    assert pypvm.PypvmError is pypvm.error is pypvm.PvmError is pvm_ext.PvmError


def test_error_can_be_raised_again(session_vm):
    with pytest.raises(pypvm.NoParentException):
        try:
            pypvm.parent()
        except pypvm.exception["NoParentStr"]:
            raise


@pytest.mark.parametrize("code", TEXTS)
def test_class_of_each_code(code):
    names = [name for name, value in pypvm.results.items() if value == code]
    classes = {pypvm.exception[name + "Str"] for name in names}
    assert len(classes) == 1
    failure = classes.pop()(code)
    assert failure.text == TEXTS[code]
    assert pypvm.strerror(code).startswith(TEXTS[code])
    assert failure.name == names[-1]


def test_built_in_classes_where_they_fit():
    assert issubclass(pypvm.OverflowException, OverflowError)
    assert issubclass(pypvm.NoMemException, MemoryError)
    assert pypvm.DupEntryException is pypvm.DeniedException
    assert pypvm.NoEntryException is pypvm.NotFoundException


@pytest.mark.parametrize(
    "call, error",
    [
        (lambda: pypvm.send("1", 1), TypeError),
        (lambda: pypvm.send(1.5, 1), TypeError),
        (lambda: pypvm.send(2**31, 1), OverflowError),
        (lambda: pypvm.recv(0, -(2**31) - 1), OverflowError),
        (lambda: pypvm.freebuf(2**40), OverflowError),
        (lambda: pypvm.addhosts("x"), TypeError),
        (lambda: pypvm.delhosts(b"x"), TypeError),
        (lambda: pypvm.addhosts([1]), TypeError),
        (lambda: pypvm.addhosts(["a\0b"]), ValueError),
        (lambda: pypvm.spawn("/bin/true", "argument"), TypeError),
        (lambda: pypvm.spawn("/bin/true", ["a", 1]), TypeError),
        (lambda: pypvm.spawn("/bin/tr\0ue"), ValueError),
        (lambda: pypvm.notify(1, 5), TypeError),
        (lambda: pypvm.notify(1, 5, ["x"]), TypeError),
        (lambda: pypvm.setcontext(-1), ValueError),
        (lambda: pypvm.trecv("soon"), TypeError),
        (lambda: pypvm.catchout(3), TypeError),
        (lambda: pypvm.psend_str(0, 1, 1, 5), TypeError),
        (lambda: pypvm.joingroup(3), TypeError),
        (lambda: pypvm.mcast([1, "x"], 5), TypeError),
        (lambda: pypvm.mcast(3, 5), TypeError),
        (lambda: pypvm.send(), TypeError),
        (lambda: pypvm.pkint(bytes(8)), TypeError),
        (lambda: pypvm.pkdouble(bytearray(8)), TypeError),
        (lambda: pypvm.spawn("/bin/true", ntasks=2**31 - 1), pypvm.BadParamException),
    ],
)
def test_wrong_arguments_are_refused_before_anything_happens(session_vm, call, error):
    before = {row[0] for row in pypvm.tasks()}
    pypvm.initsend()
    with pytest.raises(error):
        call()
    assert {row[0] for row in pypvm.tasks()} <= before  # those of another test may have ended
