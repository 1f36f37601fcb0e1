"""Hosts that the virtual machine has lost: see what became of them, and have them in it again.

PVM itself takes three minutes to give a silent host up, and until then adds no other daemon there, though the host may
have been started anew meanwhile.  So the host itself is asked, by ssh.  Where its daemon has gone without taking leave,
leave is taken in its stead: by the packet that a daemon sends at its end, from the port that it had.
"""

from __future__ import annotations

import os
import shlex
import sys
from typing import NamedTuple

import pvm_ext
from biskit_pvm.machine import agent, cleaning, daemon, doctor, host_table, names, remote
from biskit_pvm.machine.tags import Tag

BACK, THERE, DOWN, REFUSED, DELETED = "back", "there", "down", "refused", "deleted"

LOOK_TIME = 20.0
"""Seconds that a host has for an answer."""

LEAVE_TIME = 3.0
"""Seconds that PVM has for taking out a host which has taken leave."""

#: what ssh says of hosts that have answered
_REFUSALS = ("denied", "verification failed", "not permitted", "booting up")


class Outcome(NamedTuple):
    """What came of trying a host.

    Attributes
    ----------
    kind : str
        BACK: it is in the virtual machine again; THERE: it is in it, and its daemon runs; DOWN: it does not answer;
        REFUSED: it does, but cannot be used; DELETED: somebody has deleted it from the virtual machine.
    reason : str
        Why it cannot be used.
    """

    kind: str
    reason: str = ""


class Sign(NamedTuple):
    """What runs on a host.

    Attributes
    ----------
    pid : int
        Number of the process of this virtual machine's daemon, 0 for none.
    age : float
        Seconds since that was started.
    deleted : bool
        Whether the last daemon there has ended because somebody has deleted the host.
    """

    pid: int = 0
    age: float = 0.0
    deleted: bool = False


_LOOK = """
d="${PVM_TMP:-/tmp}" u="$(id -u)"@VMID@
for p in $(grep -l -s -a -F @ADDRESSES@ /proc/[0-9]*/cmdline); do
    p=${p%/cmdline}
    test -O "$p" && grep -q '^pvmd' "$p/comm" || continue
    awk -v pid="${p#/proc/}" -v up="$(cut -d ' ' -f 1 /proc/uptime)" -v ticks="$(getconf CLK_TCK)" \
        '{print "daemon", pid, up - $22 / ticks}' "$p/stat"
done
if grep -q -s 'FIN|ACK from master' "$d/pvml.$u"; then echo deleted; fi
echo seen
"""

# From the port that the daemon had, and twice, for a packet may be lost.
_FAREWELL = """
import socket, sys, time
address, port, to, to_port = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
with socket.socket(type=socket.SOCK_DGRAM) as own:
    own.bind((address, port))
    for _ in range(2):
        own.sendto(bytes.fromhex(sys.argv[5]), (to, to_port))
        time.sleep(0.2)
"""

_END_DAEMON = """
kill @PID@
for n in 1 2 3 4 5 6 7 8 9 10; do kill -0 @PID@ 2> /dev/null || break; sleep 0.3; done
kill -s KILL @PID@ 2> /dev/null
"""


def try_host(host: str, seconds: float, silent: bool) -> Outcome:
    """See whether a host can be used that was lost, and have it in the virtual machine again; takes a while.

    Parameters
    ----------
    host : str
    seconds : float
        For how long it is lost.
    silent : bool
        It was lost because nothing was heard of it, so that nobody has deleted it.
    """
    if names.is_own_host(host):
        return Outcome(THERE)
    try:
        sign = look(host)
    except remote.RemoteError as error:
        words = str(error)
        finding = doctor.explain_ssh(host, error.program, words)
        return Outcome(REFUSED if any(word in words for word in _REFUSALS) else DOWN, doctor.in_words(finding))
    outcome: Outcome = agent.pool().call("bring_back_here", host, tuple(sign), seconds, silent)
    return outcome


def look(host: str) -> Sign:
    """See what runs on a host; this asks PVM nothing.

    Raises
    ------
    remote.RemoteError
        It does not let us in.
    """
    machine = os.environ.get("PVM_VMID")
    addresses = daemon.first_addresses() or ["no address"]
    script = _LOOK.replace("@VMID@", shlex.quote(f".{machine}") if machine else "")
    script = script.replace("@ADDRESSES@", " ".join(f"-e {shlex.quote(address)}" for address in addresses))
    sign = Sign()
    for line in remote.run_script(script, host, timeout=LOOK_TIME).splitlines():
        word, *rest = line.split()
        if word == "daemon":
            sign = sign._replace(pid=int(rest[0]), age=float(rest[1]))
        elif word == "deleted":
            sign = sign._replace(deleted=True)
    return sign


def bring_back(host: str, seen: tuple[int, float, bool], seconds: float, silent: bool) -> Outcome:
    """Have a host that answers in the virtual machine again; see `try_host`."""
    sign = Sign(*seen)
    known = pvm_ext.config().hosts
    entry = names.find(host, known)
    if entry is not None and sign.pid:
        return Outcome(THERE)
    if entry is None and not sign.pid and sign.deleted and not silent:
        return Outcome(DELETED)
    try:
        if entry is not None:
            if not _take_leave(host, entry, known[0]):
                return Outcome(REFUSED, f"{host}: PVM has not given up its daemon yet, which has gone")
        elif sign.pid:
            if sign.age <= seconds:  # somebody is adding it
                return Outcome(DOWN)
            # it is of the time before
            remote.run_script(_END_DAEMON.replace("@PID@", str(sign.pid)) + cleaning.files_script(), host)
    except remote.RemoteError as error:
        return Outcome(DOWN, str(error))
    (result,) = host_table.add([host])
    if result.ok:
        return Outcome(BACK)
    return Outcome(DOWN if result.late else REFUSED, "; ".join(filter(None, (result.error, result.remedy))))


def _take_leave(host: str, entry: pvm_ext.HostInfo, first: pvm_ext.HostInfo) -> bool:
    """Have PVM take out a host whose daemon has gone; return whether it has."""
    addresses = daemon.addresses()
    if entry.name not in addresses or first.name not in addresses:
        return False
    daemon_bit, fin, ack = 0x80000000, 8, 16
    packet = (first.dtid | daemon_bit).to_bytes(4, "big") + (entry.dtid | daemon_bit).to_bytes(4, "big")
    packet += bytes([0, 0, 0, 0, fin | ack, 0, 0, 0])
    pvm_ext.notify(pvm_ext.Notify.HOST_DELETE, Tag.DELETION_DONE, [entry.dtid])
    words = [*map(str, addresses[entry.name] + addresses[first.name]), packet.hex()]
    script = f"{shlex.quote(sys.executable)} -I -c {shlex.quote(_FAREWELL)} {shlex.join(words)}"
    remote.run_script(script + cleaning.files_script(), host)
    pvm_ext.recv_frames(-1, Tag.DELETION_DONE, LEAVE_TIME)
    return names.find(host, pvm_ext.config().hosts) is None
