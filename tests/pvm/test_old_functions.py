"""The functions of biskit_pvm.pvm on one host; tests/cluster has them on several."""

from __future__ import annotations

import pytest

from ..support.vm import VirtualMachine


@pytest.mark.parametrize("value", ["None", "'text'", "b'\\x00\\xff' * 1000", "{'a': [1, 2.5, (3,)]}", "range(5)"])
def test_objects_are_packed_and_unpacked(vm: VirtualMachine, value: str):
    code = (
        "import pvm_ext as p\nfrom biskit_pvm import pvm\n"
        f"value = {value}\n"
        "me = p.mytid()\n"
        "p.initsend(); p.pkint([7]); pvm.pack(value); pvm.pack('next'); p.send(me, 5)\n"
        "p.recv(me, 5)\n"
        "print(p.upkint(1)[0], pvm.unpack() == value, pvm.unpack())\n"
        "pvm.pack_and_send(me, 6, value)\n"
        "pvm.pack_and_send(me, 6, value, 1)\n"
        "for _ in range(2):\n    p.recv(me, 6)\n    print(pvm.unpack() == value)\n"
    )
    assert vm.python(code) == "7 True next\nTrue\nTrue\n"


def test_sending_leaves_the_buffer_alone_that_is_being_packed(vm: VirtualMachine):
    code = (
        "import pvm_ext as p\nfrom biskit_pvm import pvm\n"
        "me = p.mytid()\n"
        "p.initsend(); pvm.pack('first')\n"
        "pvm.pack_and_send(me, 6, 'between')\n"
        "pvm.pack('second'); p.send(me, 5)\n"
        "p.recv(me, 5); print(pvm.unpack(), pvm.unpack())\n"
        "p.recv(me, 6); print(pvm.unpack())\n"
    )
    assert vm.python(code) == "first second\nbetween\n"


def test_the_local_host_is_there_by_any_of_its_names(vm: VirtualMachine):
    code = (
        "import os\nfrom biskit_pvm import pvm\n"
        "own = os.uname().nodename\n"
        "results = pvm.addHosts(hosts=[own, own.split('.')[0], 'localhost'])\n"
        "print(all(r.ok for r in results.values()), pvm.countHosts(), pvm.expandLocal(own.split('.')[0]) == own)\n"
        "print(pvm.expandLocal('other'), pvm.addHosts(0, [own]))\n"
    )
    assert vm.python(code) == "True 1 True\nother {}\n"


def test_failures_are_told_by_host_with_error_and_cure(vm: VirtualMachine):
    code = (
        "from biskit_pvm import pvm\n"
        "result = pvm.addHosts(hosts=['no-such-host.invalid'])['no-such-host.invalid']\n"
        "print(result.ok, result.code)\n"
    )
    done = vm.run([__import__("sys").executable, "-c", code])
    # Without a network PVM cannot add any other host, which comes first.
    assert done.stdout in ("False -6\n", "False -36\n")
    assert done.stderr.startswith("cannot add host no-such-host.invalid: Pvm")
    assert len(done.stderr.splitlines()) > 1


def test_every_error_code_has_its_text():
    from biskit_pvm.pvm import pvmerrors
    from pvm_ext import Code

    assert set(pvmerrors) == {int(code) for code in Code}
    assert pvmerrors[-6] == "PvmNoHost       No such host"
    assert all(text.startswith("Pvm") for text in pvmerrors.values())
