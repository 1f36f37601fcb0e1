"""What pypvm says of several hosts, and does across them."""

from __future__ import annotations

import pytest

from .cluster import Cluster

# The first host is there already; `hosts` are the tids of the daemons of the others.
ADD = """
import io, os, sys, threading, pypvm as p
from biskit_pvm.machine import daemon
daemon.start()
names = sys.argv[1:]
hosts = p.addhosts(names)
assert all(dtid > 0 for dtid in hosts), hosts
HOST = p.spawnOpts['TaskHost']
def spawn(code, host, *argv):
    tid, = p.spawn(sys.executable, ['-c', code, *argv], HOST, host)
    assert tid > 0, tid
    return tid
"""

pytestmark = pytest.mark.parametrize("cluster", [3], indirect=True)


def run(cluster: Cluster, code: str) -> str:
    return cluster.python(0, ADD + code + "\np.exit()\np.halt()\n", *cluster.names[1:])


def test_hosts_are_listed_in_the_order_of_the_table(cluster: Cluster) -> None:
    run(
        cluster,
        """
nhost, narch, rows = p.config()
assert (nhost, narch) == (3, 1) and p.narch() == 1
assert [row['dtid'] for row in rows] == [0x40000, *hosts]
assert [row['hostname'] for row in rows[1:]] == names
assert [row[0] for row in p.hostinfo()] == [0x40000, *hosts]
assert [p.mstat(name) for name in names] == [0, 0]
""",
    )


def test_codes_of_hosts_that_cannot_be_added(cluster: Cluster) -> None:
    run(
        cluster,
        """
codes = p.addhosts([names[0], 'no-such-host.invalid', 'x xx=1'])
assert codes == [p.PvmDupHost, p.PvmNoHost, p.PvmBadParam], codes
""",
    )


def test_notifications_about_hosts(cluster: Cluster) -> None:
    run(
        cluster,
        """
p.notify(p.notifyDict['HostAdd'], 5, [], -1)
p.notify(p.notifyDict['HostDelete'], 6, hosts)
assert p.delhosts(names) == [0, 0]
for _ in hosts:
    bufid = p.trecv(60, 6)
    assert p.bufinfo(bufid)[2] == -2147483648
    hosts.remove(p.upkint(1)[0])
while p.config()[0] > 1: p.trecv(0.05, 99)  # the table follows the notice
for name in names:
    try: p.mstat(name)
    except p.NoHostException: pass
    else: raise SystemExit('still there')
again, = p.addhosts(names[:1])
assert p.trecv(60, 5)
n, = p.upkint(1)
assert p.upkint(n) == [again]
""",
    )


def test_tasks_go_to_the_host_that_is_asked_for(cluster: Cluster) -> None:
    run(
        cluster,
        """
code = "import pypvm as p; p.initsend(); p.pkint([p.tidtohost(p.mytid())]); p.send(p.parent(), 1)"
for name, dtid in zip(names, hosts):
    tid = spawn(code, name)
    assert p.tidtohost(tid) == dtid
    assert p.trecv(60, 1, tid) and p.upkint(1) == [dtid]
sleepers = p.spawn('/bin/sleep', ['60'], HOST | p.PvmHostCompl, names[0], 4)
assert {p.tidtohost(tid) for tid in sleepers} == {0x40000, hosts[1]}
there = {row[0] for row in p.tasks(hosts[1])}
assert there.issuperset(tid for tid in sleepers if p.tidtohost(tid) == hosts[1])
assert {p.tidtohost(tid) for tid in there} == {hosts[1]}
for tid in sleepers: p.kill(tid)
arch = p.hostinfo()[0][2]
assert p.spawn('/bin/true', [], p.PvmTaskArch, arch)[0] > 0
""",
    )


def test_messages_multicasts_and_groups_across_hosts(cluster: Cluster) -> None:
    run(
        cluster,
        """
code = '''
import pypvm as p
p.recv(p.parent(), 1)
data = p.upk(); p.upkint(1)
me = p.joingroup('far')
p.barrier('far', 3)
p.reduce(p.PvmSum, [len(data)], p.PVM_INT, 3, 'far', 0)
p.barrier('far', 3)
p.lvgroup('far')
p.exit()
'''
assert p.joingroup('far') == 0
tids = [spawn(code, name) for name in names]
for encoding in (p.data['raw'],):
    p.initsend(encoding)
    p.pk(os.urandom(1000000)); p.pkint([5])
    p.mcast(tids, 1)
p.barrier('far', 3)
assert p.reduce(p.PvmSum, [1], p.PVM_INT, 3, 'far', 0) == [2000001]
p.barrier('far', 3)
p.lvgroup('far')
""",
    )


def test_output_comes_from_other_hosts(cluster: Cluster) -> None:
    run(
        cluster,
        """
f = io.StringIO()
p.catchout(f)
p.setopt(p.PvmShowTids, 0)
p.spawn('/bin/sh', ['-c', 'echo from $(uname)'], HOST, names[0], 3)
p.spawn('/bin/sh', ['-c', 'echo from $(uname)'], HOST, names[1], 2)
p.exit()
assert f.getvalue() == 5 * ('from ' + os.uname().sysname + '\\\\n'), f.getvalue()
""".replace("\\\\", "\\"),
    )


def test_a_deleted_host_ends_the_wait_for_its_output(cluster: Cluster) -> None:
    run(
        cluster,
        """
f = io.StringIO()
p.catchout(f)
p.spawn('/bin/sh', ['-c', 'echo begun; exec sleep 300'], HOST, names[0])
while 'begun' not in f.getvalue(): p.trecv(0.05)
delete = 'import sys, pypvm as p; p.trecv(1); p.delhosts(sys.argv[1:]); p.exit()'
import subprocess
other = subprocess.Popen([sys.executable, '-c', delete, names[0]])
p.exit()
assert other.wait(60) == 0
""",
    )
