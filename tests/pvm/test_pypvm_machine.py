"""Tasks, hosts and the virtual machine through pypvm."""

import os
import resource
import signal
import sys
from pathlib import Path

import pypvm
import pytest

PVMD = -2147483648


def spawn_one(*argv, **options):
    (tid,) = pypvm.spawn(argv[0], argv[1:], **options)
    assert tid > 0
    return tid


@pytest.fixture
def sleeper(session_vm):
    tid = spawn_one("/bin/sleep", "60")
    yield tid
    pypvm.kill(tid)


def test_mytid_parent_and_exit(vm):
    code = """
import pypvm as p
first = p.mytid()
assert first > 0 and p.mytid() == first
p.initsend(); p.pkint([7]); buffer = p.getsbuf()
p.exit(); p.exit()
assert p.getsbuf() == buffer
assert p.mytid() > 0 and p.mytid() != first
"""
    vm.python(code)


def test_child_learns_its_parent_unless_it_was_withheld(session_vm):
    code = (
        "import pypvm as p\n"
        "try: answer = p.parent()\n"
        "except p.PvmError as e: answer = int(e)\n"
        "import sys; p.initsend(); p.pkint([answer]); p.send(int(sys.argv[1]), 3)"
    )
    me = str(pypvm.mytid())
    spawn_one(sys.executable, "-c", code, me)
    assert pypvm.trecv(20, 3) and pypvm.upkint(1) == [pypvm.mytid()]
    spawn_one(sys.executable, "-c", code, me, flag=pypvm.spawnOpts["NoSpawnParent"])
    assert pypvm.trecv(20, 3) and pypvm.upkint(1) == [pypvm.results["ParentNotSet"]]


def test_halt_leaves_the_caller_alive(vm):
    assert vm.python("import pypvm as p; p.mytid(); p.halt(); print('alive')") == "alive\n"
    vm.pvmd.wait(20)


def test_config_hostinfo_and_narch_agree(session_vm):
    nhost, narch, hosts = pypvm.config()
    assert (nhost, narch, len(hosts)) == (1, 1, 1)
    (host,) = hosts
    assert type(host) is dict
    assert {"dtid", "hostname", "arch", "speed"} <= host.keys()
    assert host["dtid"] == 0x40000 and host["speed"] == 1000 and host["dsig"] > 0
    assert pypvm.hostinfo() == [(host["dtid"], host["hostname"], host["arch"], 1000)]
    assert pypvm.narch() == 1
    assert pypvm.config(1) == pypvm.configuration() == pypvm.config()
    assert pypvm.number_of_architectures is pypvm.narch


def test_a_thousand_configurations_do_not_grow_the_process(session_vm):
    def ask():
        for _ in range(350):
            pypvm.config()
            pypvm.narch()
            pypvm.hostinfo()
            pypvm.config(1)

    ask()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    ask()
    ask()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1024


def test_tasks_of_machine_host_and_task(sleeper, wait_for):
    me, (dtid, *_) = pypvm.mytid(), pypvm.hostinfo()[0]
    rows = {row[0]: row for row in pypvm.tasks()}
    tid, ptid, host, flag, name, pid = rows[sleeper]
    assert (tid, ptid, host, name) == (sleeper, me, dtid, "/bin/sleep")
    assert flag & 2
    wait_for(lambda: "sleep" in Path(f"/proc/{pid}/cmdline").read_text())
    assert rows[me][4] == "" and rows[me][5] == os.getpid() and rows[me][3] & 4
    assert sorted(pypvm.tasks(dtid)) == sorted(rows.values())
    assert pypvm.tasks(tid=sleeper) == [rows[sleeper]]
    for nowhere in (123456, -1):
        with pytest.raises(pypvm.NoHostException):
            pypvm.tasks(nowhere)


def test_tidtohost_is_pure_arithmetic():
    assert [pypvm.tidtohost(tid) for tid in (0x40003, 0, -5)] == [0x40000, 0, 0x3FFC0000]


def test_addhosts_gives_a_code_per_host(session_vm):
    own = pypvm.hostinfo()[0][1]
    codes = pypvm.addhosts([own, "no-such-host.invalid", "x xx=nonsense"])
    assert len(codes) == 3
    assert codes[0] in (pypvm.PvmDupHost, pypvm.PvmIPLoopback)
    assert codes[1] in (pypvm.PvmNoHost, pypvm.PvmIPLoopback)
    assert codes[2] in (pypvm.PvmBadParam, pypvm.PvmIPLoopback)
    assert pypvm.addhosts(hosts=(name for name in [own])) == codes[:1]
    with pytest.raises(pypvm.BadParamException):
        pypvm.addhosts([])


def test_delhosts_gives_a_code_per_host(session_vm):
    own = pypvm.hostinfo()[0][1]
    codes = pypvm.delhosts([own, b"no-such-host"])
    assert codes == [pypvm.PvmBadParam, pypvm.PvmNoHost]


def test_mstat_raises_and_pstat_does_not(sleeper):
    assert pypvm.mstat(pypvm.hostinfo()[0][1]) == 0
    with pytest.raises(pypvm.NoHostException):
        pypvm.mstat("no-such-host")
    assert pypvm.pstat(sleeper) == 0
    assert pypvm.pstat(0x7FFFF) == pypvm.results["NoTask"]
    for no_task in (0, -5, pypvm.hostinfo()[0][0]):
        assert pypvm.pstat(no_task) == pypvm.results["BadParam"]


def test_spawn_fills_up_with_codes(session_vm):
    assert pypvm.spawn("/no/such", [], 0, "", 2) == [-7, -7]
    host = pypvm.spawnOpts["TaskHost"]
    assert pypvm.spawn("/bin/true", [], host, "nowhere", 1) == [pypvm.PvmNoHost]
    assert pypvm.spawn("/bin/true", [], host, "", 1) == [pypvm.PvmNoHost]
    assert pypvm.spawn("/bin/true", [], pypvm.PvmTaskArch, "CRAY", 1) == [pypvm.PvmNoHost]
    with pytest.raises(pypvm.BadParamException):
        pypvm.spawn("/bin/true", ntasks=0)


@pytest.mark.parametrize("where", ["", None, 0, b""])
def test_spawn_anywhere(session_vm, where):
    assert pypvm.spawn("/bin/true", ("a",), 0, where, 1)[0] > 0
    assert pypvm.spawn(task="/bin/true", argv=None, flags=0, where=where, ntask=2)[1] > 0


def test_spawn_on_a_host_in_a_folder(session_vm, tmp_path, wait_for):
    own = pypvm.hostinfo()[0][1]
    for number, where in enumerate([f"{own}:{tmp_path}", f":{tmp_path}"]):
        flag = pypvm.PvmTaskHost if where.startswith(own) else pypvm.PvmTaskDefault
        spawn_one("/bin/sh", "-c", f"touch here{number}", flag=flag, where=where)
        wait_for(lambda n=number: (tmp_path / f"here{n}").exists())
    spawn_one("/bin/true", flag=pypvm.PvmTaskHost, where=".")


def test_arguments_arrive_as_they_are(session_vm):
    code = "import sys, pypvm as p; p.initsend(); p.pk(sys.argv[2:]); p.send(int(sys.argv[1]), 4)"
    words = ["", "two words", "'", "\u20ac", "\udcff", "$HOME"]
    spawn_one(sys.executable, "-c", code, str(pypvm.mytid()), *words)
    assert pypvm.trecv(20, 4)
    assert pypvm.upk() == words


def test_kill_and_notification(session_vm):
    tids = pypvm.spawn("/bin/sleep", ["60"], 0, "", 2)
    assert all(tid > 0 for tid in tids)
    pypvm.notify(pypvm.notifyDict["TaskExit"], 21, tuple(tids), -1)
    for tid in tids:
        assert pypvm.kill(tid) is None
    gone = []
    for _ in tids:
        bufid = pypvm.trecv(20, 21)
        assert pypvm.bufinfo(bufid)[1:] == (21, PVMD)
        gone += pypvm.upkint(1)
    assert sorted(gone) == sorted(tids)
    pypvm.kill(tids[0])  # long gone: no error
    for no_task in (0, -3, pypvm.hostinfo()[0][0]):
        with pytest.raises(pypvm.BadParamException):
            pypvm.kill(no_task)
        with pytest.raises(pypvm.BadParamException):
            pypvm.sendsig(no_task, 10)


def test_kill_of_the_own_tid_ends_the_caller(vm):
    code = "import pypvm as p; p.kill(p.mytid()); p.trecv(20)"
    done = vm.run([sys.executable, "-c", code], check=False)
    assert done.returncode == -signal.SIGTERM


def test_sendsig_delivers_the_signal(session_vm):
    code = (
        "import signal, sys, pypvm as p\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])\n"
        "p.initsend(); p.send(p.parent(), 22)\n"
        "got = signal.sigwait([signal.SIGUSR1])\n"
        "p.initsend(); p.pkint([got]); p.send(p.parent(), 23)"
    )
    tid = spawn_one(sys.executable, "-c", code)
    assert pypvm.trecv(20, 22, tid)
    pypvm.sendsig(tid, signum=signal.SIGUSR1)
    assert pypvm.trecv(20, 23, tid) and pypvm.upkint(1) == [signal.SIGUSR1]


def test_notify_in_all_forms(sleeper):
    exit_, delete, add = (pypvm.notifyDict[k] for k in ("TaskExit", "HostDelete", "HostAdd"))
    cancel = pypvm.PvmNotifyCancel
    pypvm.notify(exit_, 31, [0x7FFFF])  # unknown: reported at once
    assert pypvm.trecv(20, 31) and pypvm.upkint(1) == [0x7FFFF]
    pypvm.notify(what=exit_, msgtag=32, tids=iter([sleeper]))
    pypvm.notify(exit_ + cancel, 32, [sleeper])
    assert pypvm.trecv(20, 32) and pypvm.upkint(1) == [sleeper]
    pypvm.notify(delete, 33, [0x7C0000])
    assert pypvm.trecv(20, 33) and pypvm.upkint(1) == [0x7C0000]
    pypvm.notify(add, 34, [], -1)
    pypvm.notify(add, 34, cnt=0)
    pypvm.notify(add + cancel, 34, None, 0)
    pypvm.notify(pypvm.PvmRouteAdd, 35, count=0)
    for bad in (lambda: pypvm.notify(77, 36, [sleeper]), lambda: pypvm.notify(exit_, -3, [sleeper]),
                lambda: pypvm.notify(exit_, 36, [0]), lambda: pypvm.notify(77, 36)):  # fmt: skip
        with pytest.raises(pypvm.BadParamException):
            bad()
    for kind in (exit_, delete, exit_ + cancel, pypvm.PvmRouteDelete):
        with pytest.raises(TypeError):
            pypvm.notify(kind, 36)


def test_archcode_returns_what_it_does_not_know(session_vm):
    arch = pypvm.hostinfo()[0][2]
    assert pypvm.archcode(arch) == pypvm.config()[2][0]["dsig"]
    assert pypvm.archcode("CRAY") == pypvm.results["NoEntry"]


def test_version():
    assert pypvm.version() == "3.4.6"


def test_perror_prints_the_last_error(vm):
    code = "import pypvm as p\ntry: p.tasks(123456)\nexcept p.PvmError: p.perror('asked')"
    done = vm.run([sys.executable, "-c", code])
    assert "asked: No such host" in done.stderr


def test_exported_variables_reach_children(vm):
    code = """
import os, sys, pypvm as p
os.environ['FIRST'], os.environ['SECOND'] = 'one', 'two'
p.export('FIRST'); p.export(name='SECOND'); p.export('FIRST')
assert os.environ['PVM_EXPORT'].split(':').count('FIRST') == 1
assert 'SECOND' in os.environ['PVM_EXPORT'].split(':')
child = ('import os, pypvm as p; p.initsend(); '
         'p.pk([os.environ.get("FIRST"), os.environ.get("SECOND")]); p.send(p.parent(), 1)')
p.spawn(sys.executable, ['-c', child])
assert p.trecv(20) and p.upk() == ['one', 'two']
p.unexport('SECOND'); p.unexport('never exported')
assert 'SECOND' not in os.environ['PVM_EXPORT'].split(':')
p.spawn(sys.executable, ['-c', child])
assert p.trecv(20) and p.upk() == ['one', None]
"""
    vm.python(code)


def test_start_pvmd_starts_one_and_refuses_a_second(vm):
    vm.halt()
    code = """
import pypvm as p
p.start_pvmd()
assert p.mytid() > 0
try: p.start_pvmd(block=0)
except p.DupHostException: print('one is enough')
p.halt()
"""
    assert vm.python(code) == "one is enough\n"


def test_siblings_of_one_spawn(session_vm):
    assert pypvm.siblings() == [pypvm.mytid()]
    code = "import pypvm as p; p.initsend(); p.pkint(p.siblings()); p.send(p.parent(), 5)"
    tids = pypvm.spawn(sys.executable, ["-c", code], ntasks=3)
    for tid in tids:
        assert pypvm.trecv(20, 5, tid) and pypvm.upkint(3) == tids


def test_hostsync_and_small_queries(session_vm):
    import time

    clock, delta = pypvm.hostsync(pypvm.hostinfo()[0][0])
    assert abs(clock - time.time()) < 60 and abs(delta) < 60
    with pytest.raises(pypvm.NoHostException):
        pypvm.hostsync(0x7C0000)
    assert pypvm.getfds()[0] >= 0
    assert pypvm.getnoresets() == []
    assert pypvm.strerror(-31) == "No such task"
