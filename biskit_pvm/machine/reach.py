"""Whether another host can be reached in all the ways that PVM needs: ssh, UDP and TCP in both directions.

PVM itself waits up to a minute for a host that is down, and takes one in whose UDP is dropped, which it
declares dead after three minutes.  So each host is looked at before, for a few seconds.
"""

from __future__ import annotations

import os
import secrets
import select
import shlex
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from typing import IO, NamedTuple

from biskit_pvm.machine import addresses, remote

ANSWER_TIME = 3.0
"""Seconds that a host has for letting us in by ssh, by default."""

NETWORK_TIME = 2.0
"""Seconds that what is sent may take to arrive."""


class Reach(NamedTuple):
    """How a host can be reached; None stands for what could not be tried.

    Attributes
    ----------
    failure : str
        What ssh, or whatever PVM starts daemons with, said when it failed; '' when it let us in.
    late : bool
        Whether the host did not say anything in time.
    other_machine : bool
        Whether a daemon of this user runs there.
    udp_there, udp_here, tcp_there, tcp_here : bool or None
        Whether what is sent arrives, there or here.
    """

    failure: str = ""
    late: bool = False
    other_machine: bool = False
    udp_there: bool | None = None
    udp_here: bool | None = None
    tcp_there: bool | None = None
    tcp_here: bool | None = None


# What is run there: tells its ports, then what arrives.
_THERE = """
import select, socket, sys, time
word, address = sys.argv[1].encode(), sys.argv[2]
udp, tcp, seconds = int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5])
datagrams, server, client = socket.socket(type=socket.SOCK_DGRAM), socket.socket(), socket.socket()
datagrams.bind(("", 0))
server.bind(("", 0))
server.listen(5)
client.setblocking(False)
client.connect_ex((address, tcp))
print("ports", datagrams.getsockname()[1], server.getsockname()[1], flush=True)
missing, end = {"udp", "tcp"}, time.time() + seconds
while missing and time.time() < end:
    try:
        datagrams.sendto(word, (address, udp))
    except OSError:
        pass
    readable = select.select([datagrams, server], [], [], 0.1)[0]
    arrived = set()
    if datagrams in readable and datagrams.recv(100) == word:
        arrived.add("udp")
    if server in readable:
        server.accept()[0].close()
        arrived.add("tcp")
    for name in arrived & missing:
        print("arrived", name, flush=True)
    missing -= arrived
time.sleep(0.2)
"""

_SCRIPT = """
exec 2>&1
echo begin
a="${PVM_TMP:-/tmp}/pvmd.$(id -u)"@VMID@
if test -s "$a" && awk -v path="$(cat "$a")" '$NF == path {found = 1} END {exit !found}' /proc/net/unix
then echo running; fi
if test -x @PYTHON@; then exec @PYTHON@ -I -c @CODE@ @ARGUMENTS@; fi
"""


def look(name: str, options: Sequence[str] = (), answer_time: float = ANSWER_TIME) -> Reach:
    """Look at a host by the way that PVM takes to it.

    Parameters
    ----------
    name : str
        Its name.
    options : sequence of str
        Options as in a host file; ``lo=`` and ``ip=`` are obeyed.
    answer_time : float
        Seconds that it has for letting us in.
    """
    given = dict(word.split("=", 1) for word in options if "=" in word)
    word = secrets.token_hex(8)
    with socket.socket(type=socket.SOCK_DGRAM) as datagrams, socket.socket() as server:
        datagrams.bind(("", 0))
        server.bind(("", 0))
        server.listen(5)
        ports = str(datagrams.getsockname()[1]), str(server.getsockname()[1])
        arguments = [word, addresses.own_address(), *ports, str(NETWORK_TIME)]
        vmid = os.environ.get("PVM_VMID")
        script = _SCRIPT.replace("@VMID@", shlex.quote(f".{vmid}") if vmid else "")
        script = script.replace("@PYTHON@", shlex.quote(sys.executable)).replace("@CODE@", shlex.quote(_THERE))
        script = script.replace("@ARGUMENTS@", shlex.join(arguments))
        try:
            connect_time = min(answer_time, remote.CONNECT_TIME)
            process = remote.start_script(script, name, options, connect_time)
        except OSError as error:
            return Reach(failure=str(error))
        limit = threading.Timer(answer_time + 0.5, process.kill)
        limit.start()
        try:
            address = given.get("ip", name)
            return _converse(process, address, word.encode(), datagrams, server, limit)
        finally:
            limit.cancel()
            process.kill()
            process.communicate()


def _converse(
    process: subprocess.Popen[str],
    address: str,
    word: bytes,
    datagrams: socket.socket,
    server: socket.socket,
    limit: threading.Timer,
) -> Reach:
    assert process.stdout is not None and process.stderr is not None
    said, running = "", False
    for line in process.stdout:
        limit.cancel()
        if line == "running\n":
            running = True
        elif line.startswith("ports "):
            udp, tcp = map(int, line.split()[1:])
            return _exchange(process.stdout, (address, udp), (address, tcp), word, datagrams, server, running)
        elif line != "begin\n":
            said += line
        else:
            said = ""
    if limit.is_alive():
        limit.cancel()
    code = process.wait()
    if code == 0:
        return Reach(other_machine=running)
    words = (process.stderr.read() + said).strip()
    late = code < 0 or "timed out" in words
    return Reach(failure=words or ("timed out" if late else f"it ended with {code}"), late=late)


def _exchange(
    told: IO[str],
    udp: tuple[str, int],
    tcp: tuple[str, int],
    word: bytes,
    datagrams: socket.socket,
    server: socket.socket,
    running: bool,
) -> Reach:
    """Send what should arrive there, and see what arrives here and what is told."""
    arrived = dict.fromkeys(("udp there", "tcp there", "udp here", "tcp here"), False)
    lines: list[str] = []

    def listen() -> None:
        for line in told:
            lines.append(line)

    reader = threading.Thread(target=listen, daemon=True)
    reader.start()
    with socket.socket() as client:
        client.setblocking(False)
        client.connect_ex(tcp)
        end = time.monotonic() + NETWORK_TIME + 0.5
        while not all(arrived.values()) and time.monotonic() < end:
            try:
                datagrams.sendto(word, udp)
            except OSError:
                pass
            readable = select.select([datagrams, server], [], [], 0.05)[0]
            if datagrams in readable and datagrams.recv(100) == word:
                arrived["udp here"] = True
            if server in readable:
                server.accept()[0].close()
                arrived["tcp here"] = True
            arrived["udp there"] |= "arrived udp\n" in lines
            arrived["tcp there"] |= "arrived tcp\n" in lines
    return Reach(
        other_machine=running,
        udp_there=arrived["udp there"],
        udp_here=arrived["udp here"],
        tcp_there=arrived["tcp there"],
        tcp_here=arrived["tcp here"],
    )


def barrier(found: Reach, name: str) -> tuple[str, str]:
    """Say what is dropped between here and a host, and what follows; ('', '') when nothing is.

    Returns
    -------
    tuple of str
        What keeps PVM from working at all, and what only makes it slow.
    """
    ways = (
        (found.udp_there, "UDP", f"to {name}"),
        (found.udp_here, "UDP", f"from {name}"),
        (found.tcp_there, "TCP", f"to {name}"),
        (found.tcp_here, "TCP", f"from {name}"),
    )
    dropped = {"UDP": [way for good, kind, way in ways if good is False and kind == "UDP"],
               "TCP": [way for good, kind, way in ways if good is False and kind == "TCP"]}  # fmt: skip
    udp = tcp = ""
    if dropped["UDP"]:
        udp = f"UDP does not arrive {' and '.join(dropped['UDP'])}, by which PVM's daemons talk"
    if dropped["TCP"]:
        tcp = (
            f"TCP does not arrive {' and '.join(dropped['TCP'])} on ports that the system chooses, so a slave there "
            "starts late and talks through the daemons, which is slow"
        )
    return udp, tcp
