"""The binding's calls about tasks, hosts, options and the daemon, on a real virtual machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

import pvm_ext as p

from ..support import task

pytestmark = pytest.mark.usefixtures("session_vm")
DAEMON = -0x80000000


def pid_of(tid):
    (row,) = p.tasks(tid)
    return row.pid


def test_the_own_tid_is_among_the_tasks():
    me = p.mytid()
    assert me > 0 and p.mytid() == me
    (row,) = [row for row in p.tasks() if row.tid == me]
    assert (row.ptid, row.pid, row.name) == (0, os.getpid(), "")
    assert p.tidtohost(me) == row.dtid == p.config().hosts[0].dtid


def test_a_process_started_by_hand_has_no_parent_and_no_siblings():
    with pytest.raises(p.NoParentError) as caught:
        p.parent()
    assert caught.value == -23 and int(caught.value) == -23 and caught.value.args == (-23,)
    assert str(caught.value) == "-23 NoParent: No parent task (parent)"
    assert p.siblings() == [p.mytid()]


def test_the_configuration_is_the_one_host():
    machine = p.config()
    assert (machine.nhost, machine.narch, len(machine.hosts)) == (1, 1, 1)
    host = machine.hosts[0]
    assert host.arch and host.speed == 1000
    assert p.archcode(host.arch) == host.dsig
    with pytest.raises(p.NotFoundError):
        p.archcode("NO_SUCH_ARCH")


def test_children_know_parent_and_siblings_and_what_they_were_called_with():
    tids = p.spawn(sys.executable, ["-m", "tests.support.task"], 0, f":{task.ROOT}", 3)
    children = [task.Task(tid) for tid in tids]
    assert all(child.ask("parent") == p.mytid() for child in children)
    assert all(sorted(child.ask("p.siblings()")) == sorted(tids) for child in children)
    assert children[0].ask("sys.argv[1:]") == []
    rows = {row.tid: row for row in p.tasks()}
    assert all(rows[tid].ptid == p.mytid() and rows[tid].name == sys.executable for tid in tids)
    for tid in tids:
        p.kill(tid)


def test_spawn_gives_an_error_code_for_each_task_that_did_not_start():
    assert p.spawn("/no/such/program", [], 0, "", 2) == [p.Code.NO_FILE] * 2
    assert p.spawn("/bin/true", [], p.Spawn.HOST, "no-such-host") == [p.Code.NO_HOST]
    with pytest.raises(p.BadParamError):
        p.spawn("/bin/true", ntasks=0)


@pytest.mark.parametrize("argv", ["text", [1], [None], [b"a\0b"]])
def test_spawn_refuses_wrong_arguments_before_anything_starts(argv):
    before = {task.tid for task in p.tasks()}
    with pytest.raises((TypeError, ValueError)):
        p.spawn("/bin/sleep", argv)
    assert not {task.tid for task in p.tasks()} - before


def test_a_task_without_parent_says_so():
    (tid,) = p.spawn("/bin/sleep", ["30"], p.Spawn.NO_SPAWN_PARENT)
    assert p.pstat(tid) == 0
    p.kill(tid)


def test_notify_tells_the_end_of_a_killed_task_and_of_one_that_never_was():
    (tid,) = p.spawn("/bin/sleep", ["30"])
    p.notify(p.Notify.TASK_EXIT, 71, [tid])
    assert p.trecv(-1, 71, 0.05) == 0
    p.kill(tid)
    bufid = p.trecv(-1, 71, 20)
    assert p.bufinfo(bufid).tid == DAEMON and p.upkint(1) == [tid]
    p.notify(p.Notify.TASK_EXIT, 71, (tid,))
    assert p.trecv(-1, 71, 20) and p.upkint(1) == [tid]
    assert p.pstat(tid) == p.Code.NO_TASK


def test_a_cancelled_notify_is_delivered_at_once():
    (tid,) = p.spawn("/bin/sleep", ["30"])
    p.notify(p.Notify.TASK_EXIT, 72, [tid])
    p.notify(p.Notify.TASK_EXIT | p.Notify.CANCEL, 72, [tid])
    assert p.trecv(-1, 72, 20) and p.upkint(1) == [tid]
    assert p.pstat(tid) == 0
    p.kill(tid)
    assert p.trecv(-1, 72, 0.2) == 0


def test_notify_checks_its_arguments():
    for what, tag, tids in ((1, 1, []), (1, -1, [p.mytid()]), (99, 1, [1]), (1, 1, [0])):
        with pytest.raises(p.BadParamError):
            p.notify(what, tag, tids)
    with pytest.raises(TypeError):
        p.notify(1, 1, "x")


def test_notify_tells_of_direct_links():
    (child,) = task.spawn()
    before = len(p.getfds())
    p.notify(p.Notify.ROUTE_ADD, 73)
    p.notify(p.Notify.ROUTE_DELETE, 74, [child.tid])
    assert p.trecv(-1, 74, 20) and p.upkint(2) == [child.tid, -1], "there is no link yet"
    child.ask("p.setopt(p.Option.ROUTE, p.Route.DIRECT)")
    child.ask("1")
    seen = []
    while p.trecv(p.mytid(), 73, 1):
        seen.append(p.upkint(2))
    assert any(tid == child.tid and fd in p.getfds() for tid, fd in seen)
    assert len(p.getfds()) == before + 1
    p.notify(p.Notify.ROUTE_DELETE, 74, [child.tid])
    p.kill(child.tid)
    assert p.trecv(-1, 74, 20) and p.upkint(2)[0] == child.tid
    p.notify(p.Notify.ROUTE_ADD, 73, count=0)


def test_sendsig_reaches_the_task():
    (child,) = task.spawn()
    pid = child.ask("os.getpid()")
    p.notify(p.Notify.TASK_EXIT, 75, [child.tid])
    p.sendsig(child.tid, signal.SIGKILL)
    assert p.trecv(-1, 75, 20)
    assert not os.path.exists(f"/proc/{pid}/fd/0")


@pytest.mark.parametrize("call", [p.kill, lambda tid: p.sendsig(tid, 0)])
def test_signals_go_to_tasks_only(call):
    for tid in (0, -5, p.config().hosts[0].dtid):
        with pytest.raises(p.BadParamError):
            call(tid)


def test_pstat_and_mstat_return_codes():
    assert p.pstat(p.mytid()) == 0
    assert p.pstat(0) == p.Code.BAD_PARAM
    assert p.mstat(p.config().hosts[0].name) == 0
    assert p.mstat("no-such-host") == p.Code.NO_HOST


def test_tasks_of_no_host_are_an_error():
    with pytest.raises(p.NoHostError):
        p.tasks(123456)
    assert [row.tid for row in p.tasks(p.mytid())] == [p.mytid()]


def test_hosts_that_cannot_be_added_or_deleted_get_codes():
    own = p.config().hosts[0].name
    (code,) = p.delhosts([own])
    assert code == p.Code.BAD_PARAM
    assert p.delhosts(["no-such-host"]) == [p.Code.NO_HOST]
    (code,) = p.addhosts([f"{own} xx=1"])
    assert code == p.Code.BAD_PARAM
    for call in (p.addhosts, p.delhosts):
        with pytest.raises(p.BadParamError):
            call([])
        with pytest.raises(TypeError):
            call("name")


def test_the_clock_of_the_own_host_is_right():
    clock, delta = p.hostsync(p.config().hosts[0].dtid)
    assert abs(clock - time.time()) < 5 and abs(delta) < 5
    with pytest.raises(p.NoHostError):
        p.hostsync(0x3FC0000)


def test_options_are_read_and_set():
    assert p.getopt(p.Option.ROUTE) == p.Route.ALLOW
    assert p.setopt(p.Option.ROUTE, p.Route.DONT) == p.Route.ALLOW
    assert p.setopt(p.Option.ROUTE, p.Route.ALLOW) == p.Route.DONT
    assert p.getopt(p.Option.AUTO_ERR) == 0
    for what, value in ((p.Option.FRAG_SIZE, 10), (p.Option.ROUTE, 7), (999, 1), (p.Option.POLL_TIME, 1)):
        with pytest.raises(p.PvmError):
            p.setopt(what, value)
    with pytest.raises(p.BadParamError):
        p.getopt(999)
    # legitimate negative values are no errors
    assert p.setopt(p.Option.TRACE_BUFFER, -7) == 0
    assert p.getopt(p.Option.TRACE_BUFFER) == -7
    assert p.setopt(p.Option.TRACE_BUFFER, 0) == -7


def test_no_reset_tasks_are_listed():
    assert p.getnoresets() == []
    (child,) = task.spawn()
    child.ask("p.setopt(p.Option.NO_RESET, 1)")
    assert p.getnoresets() == [child.tid]
    p.kill(child.tid)


def test_trace_masks_are_35_characters():
    mask = p.gettmask(p.TraceWho.CHILD)
    assert mask == "@" * 35
    p.settmask(p.TraceWho.CHILD, "A" + "@" * 34)
    assert p.gettmask(p.TraceWho.CHILD)[0] == "A"
    p.settmask(p.TraceWho.CHILD, mask)
    with pytest.raises(ValueError):
        p.settmask(p.TraceWho.SELF, "@")
    with pytest.raises(p.BadParamError):
        p.gettmask(5)


def test_exported_variables_reach_children(monkeypatch):
    monkeypatch.setenv("BINDING_TEST_VALUE", "through PVM")
    monkeypatch.delenv("PVM_EXPORT", raising=False)
    p.export("BINDING_TEST_VALUE")
    p.export("BINDING_TEST_VALUE")
    assert os.environ["PVM_EXPORT"] == "BINDING_TEST_VALUE"
    (child,) = task.spawn()
    assert child.ask("os.environ.get('BINDING_TEST_VALUE')") == "through PVM"
    p.kill(child.tid)
    p.unexport("BINDING_TEST_VALUE")
    p.unexport("BINDING_TEST_VALUE")
    assert "PVM_EXPORT" not in os.environ
    for name in ("", "a=b", "a:b", "x" * 200):
        with pytest.raises(ValueError):
            p.export(name)


def test_tickle_asks_the_daemon():
    # 1: the daemon's own count of allocated memory is written to its log
    assert isinstance(p.tickle([1]), list)
    for wrong in ([], [1] * 11):
        with pytest.raises(p.BadParamError):
            p.tickle(wrong)


def test_errors_have_texts():
    assert p.strerror(-6) == "No such host"
    assert p.strerror(0) and p.strerror(-999) == "Unknown error code"
    with pytest.raises(p.NoHostError):
        p.tasks(123456)
    assert p.strerror() == "No such host"


def test_perror_prints_on_stderr(session_vm):
    code = "import pvm_ext as p\np.mytid()\ntry: p.kill(0)\nexcept p.BadParamError: p.perror('here')\np.exit()"
    done = session_vm.run([sys.executable, "-c", code])
    assert "here: Bad parameter" in done.stderr


def test_version_and_paths():
    assert p.version() == "3.4.6"
    assert p.gettmp() == os.environ["PVM_TMP"]
    assert os.path.basename(p.getrsh())


# --- the daemon's life -------------------------------------------------------------------

LIFE = """
import os, sys, time
import pvm_ext as p
"""


def test_a_process_can_leave_and_come_back(vm):
    out = vm.python(
        LIFE + "a = p.mytid(); p.exit(); p.exit()\n" + "b = p.mytid(); print(a != b, len(p.tasks())); p.exit()"
    )
    assert out.split() == ["True", "1"]


def test_without_daemon_every_call_says_so_quietly_and_at_once(tmp_path):
    code = LIFE + (
        "start = time.monotonic()\n"
        "for call in (p.mytid, p.config, p.tasks, p.recv, lambda: p.spawn('/bin/true'),\n"
        "             lambda: p.send_frames(1, 1, []), p.recv_frames, lambda: p.joingroup('g')):\n"
        "    try: call()\n"
        "    except p.SysErrError as error: assert 'daemon' in str(error)\n"
        "    else: raise SystemExit('no error')\n"
        "p.initsend(1); p.pkint([1, 2]); p.pkstr('buffers work without'); assert p.getsbuf() > 0\n"
        "assert p.getopt(1) == 2 and p.getrbuf() == 0\n"
        "print(time.monotonic() - start < 2)"
    )
    env = {**os.environ, "PVM_TMP": str(tmp_path), "PVM_VMID": "none", "PVM_ALLOW_ROOT": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=60)
    assert (done.stdout.strip(), done.stderr) == ("True", "")


@pytest.mark.skipif(os.getuid() != 0, reason="PVM refuses root only")
def test_root_is_refused_by_an_exception_and_not_by_an_exit(tmp_path):
    code = LIFE + (
        "for call in (p.mytid, p.start_pvmd):\n"
        "    try: call()\n"
        "    except p.SysErrError as error: print('PVM_ALLOW_ROOT' in str(error))\n"
        "p.getsbuf()\n"
    )
    env = {name: value for name, value in os.environ.items() if name != "PVM_ALLOW_ROOT"}
    env["PVM_TMP"] = str(tmp_path)
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout.split()) == (0, ["True", "True"]), done


def test_halt_leaves_the_caller_alive_and_a_new_daemon_can_be_started(vm):
    out = vm.python(
        LIFE
        + "p.mytid(); p.halt()\n"
        + "try: p.mytid()\n"
        + "except p.SysErrError: print('gone')\n"
        + "p.start_pvmd(); print(p.mytid() > 0, p.config().nhost)\n"
        + "try: p.start_pvmd()\n"
        + "except p.DupHostError: print('twice')\n"
        + "p.halt()"
    )
    assert out.split() == ["gone", "True", "1", "twice"]


def test_a_killed_daemon_is_noticed_by_a_waiting_receive_and_can_be_replaced(vm):
    child = vm.popen(
        [
            sys.executable,
            "-c",
            LIFE
            + "print(p.mytid(), flush=True)\n"
            + "try: p.recv()\n"
            + "except p.SysErrError: print('lost', flush=True)\n"
            + "try: p.mytid()\n"
            + "except p.SysErrError as error: print('remove' in str(error), flush=True)\n"
            + "p.start_pvmd(); print(p.mytid() > 0); p.halt()",
        ]
    )
    child.stdout.readline()
    vm.pvmd.kill()
    start = time.monotonic()
    assert child.stdout.readline() == "lost\n"
    assert time.monotonic() - start < 2
    # not by communicate(): a line may have been read ahead
    assert child.stdout.read().split() == ["True", "True"]
    assert child.wait(30) == 0


def test_a_daemon_that_cannot_start_is_an_error(tmp_path):
    code = LIFE + (
        "try: p.start_pvmd(['-no-such-option', 'x', 'y', 'z'])\n"
        "except p.CantStartError as error: print('pvml' in str(error))\n"
    )
    env = {**os.environ, "PVM_TMP": str(tmp_path), "PVM_VMID": "none", "PVM_ALLOW_ROOT": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "True", done


def test_registration_as_tasker_hoster_resource_manager_and_tracer(vm):
    out = vm.python(
        LIFE
        + "p.mytid()\n"
        + "p.reg_hoster(); p.reg_hoster(); p.reg_tasker(); p.reg_tasker()\n"
        + "host = p.reg_rm(); print(host.name == p.config.__name__ or host.dtid > 0)\n"
        + "names = dict(p.getmboxinfo('###'))\n"
        + "print(sorted(name.strip('#_') for name in names if names[name]))\n"
    )
    assert out.splitlines() == ["True", "['PVM_RM']"]
    code = LIFE + "p.mytid(); p.reg_tracer(0, 5, 0, 6, '@' * 35); print(len(p.getmboxinfo('###_PVM_TRACER')))"
    assert vm.python(code).strip() == "1"


@pytest.mark.parametrize(("flag", "known"), [("os.RTLD_DEEPBIND", "stand-in"), ("0", "own")])
def test_a_process_enrols_as_the_one_that_stands_in_for_it(vm, flag, known):
    code = f"""
import os, subprocess, sys
sys.setdlopenflags(sys.getdlopenflags() | {flag})
import pvm_ext as p
with subprocess.Popen(["sleep", "60"]) as stand_in:
    p.enrol_as(stand_in.pid)
    (pid,) = [info.pid for info in p.tasks() if info.tid == p.mytid()]
    print({{stand_in.pid: "stand-in", os.getpid(): "own"}}[pid])
    p.exit()
    stand_in.kill()
"""
    assert vm.python(code) == f"{known}\n"
