"""Windows that show what slaves print: one xterm per slave, on the user's screen.

A slave in a window is a child of the xterm that PVM started.  PVM knows it all the same as
the task that it spawned, since libpvm enrols by the process id that the daemon expects
(``PVMEPID`` in the environment, which xterm passes on).

Slaves on this host use the display as it is.  For another host a connection of ssh is held
that forwards the display, as ``ssh -Y`` does; so nobody is let in who was not before, no
key of the display leaves this host, and nothing secret stands on a command line.  All
connections end with this process.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import shutil
import socket
import struct
import subprocess
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Callable, NamedTuple

from biskit_pvm.machine import daemon, doctor, names, remote

GEOMETRY = "30x10"

ANSWER_TIME = 20.0
"""Seconds that a host has for setting up the forwarding of the display."""

_COOKIE = b"MIT-MAGIC-COOKIE-1"


def window_command(
    words: Sequence[str], title: str, display: str, xterm: str = "xterm", keep: bool = False
) -> list[str]:
    """Return the command that runs another one in a window.

    Parameters
    ----------
    words : sequence of str
        The command to run.
    title : str
        Title of the window.
    display : str
        Where it appears, as in ``DISPLAY``.
    xterm : str
        The program xterm.
    keep : bool
        Leave the window for reading when the command has ended.
    """
    return [
        *(xterm, "-title", title, "-geometry", GEOMETRY, "-display", display),
        *(["-hold"] if keep else []),
        *("-e", *words),
    ]


# --------------------------------------------------------------------- can it be used


class Display(NamedTuple):
    """The parts of a display's name, such as ``host:10.0``; the host may be ''."""

    host: str
    number: int
    screen: str


def parse_display(name: str) -> Display | None:
    """Take the name of a display apart; None when it is none."""
    found = re.fullmatch(r"(?:unix|(?P<host>[^/]*)):(?P<number>\d+)(?P<screen>\.\d+)?", name)
    if found is None:
        return None
    return Display(found["host"] or "", int(found["number"]), found["screen"] or "")


def refusal(name: str, environment: Mapping[str, str] = os.environ, timeout: float = 10.0) -> str | None:
    """Return why a display cannot be used, or None when it lets us in.

    Parameters
    ----------
    name : str
        As in ``DISPLAY``.
    environment : mapping of str
        Where ``XAUTHORITY`` and ``HOME`` are looked up.
    timeout : float
        Seconds that the display may take to answer.
    """
    display = parse_display(name)
    if display is None:
        return f"{name!r} is not the name of a display"
    try:
        with _connect(display, timeout) as connection:
            cookie = next(_cookies(display, environment), b"")
            protocol = _COOKIE if cookie else b""
            connection.sendall(
                struct.pack("<BxHHHHxx", ord("l"), 11, 0, len(protocol), len(cookie))
                + protocol.ljust(-(-len(protocol) // 4) * 4, b"\0")
                + cookie.ljust(-(-len(cookie) // 4) * 4, b"\0")
            )
            answer = connection.recv(8, socket.MSG_WAITALL)
            if len(answer) < 8:
                return f"the display {name} closed the connection"
            if answer[0] == 1:
                return None
            reason = connection.recv(answer[1], socket.MSG_WAITALL).decode("latin-1").strip()
    except OSError as error:
        return f"the display {name} cannot be reached ({error.strerror or error})"
    return f"the display {name} refuses us ({reason})"


def _connect(display: Display, timeout: float) -> socket.socket:
    if display.host:
        return socket.create_connection((display.host, 6000 + display.number), timeout)
    path = f"/tmp/.X11-unix/X{display.number}"
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(timeout)
    try:
        try:
            connection.connect("\0" + path)  # as Linux alone has it
        except OSError:
            connection.connect(path)
    except BaseException:
        connection.close()
        raise
    return connection


def _cookies(display: Display, environment: Mapping[str, str]) -> Iterator[bytes]:
    """Give the keys of a display that the user has, most of all in ~/.Xauthority."""
    home = environment.get("HOME") or os.path.expanduser("~")
    path = environment.get("XAUTHORITY") or os.path.join(home, ".Xauthority")
    try:
        data = Path(path).read_bytes()
    except OSError:
        return
    addresses = {socket.gethostname().encode()}
    if display.host and display.host != "localhost":
        try:
            addresses = {socket.inet_aton(socket.gethostbyname(display.host)), display.host.encode()}
        except OSError:
            return
    position = 0
    while position + 2 <= len(data):
        (family,) = struct.unpack_from(">H", data, position)
        position += 2
        fields = []
        for _ in range(4):
            if position + 2 > len(data):
                return
            (length,) = struct.unpack_from(">H", data, position)
            fields.append(data[position + 2 : position + 2 + length])
            position += 2 + length
        address, number, protocol, cookie = fields
        any_host = family == 0xFFFF
        if protocol == _COOKIE and number in (b"", b"%d" % display.number) and (any_host or address in addresses):
            yield cookie


# ----------------------------------------------------------------------- for all slaves


class Windows:
    """The windows of one calculation.

    Parameters
    ----------
    tell : callable
        Gets one text per reason why some slaves have no window.
    keep : bool
        Leave windows for reading when their slaves have ended.
    xterm : str
        The program xterm.
    environment : mapping of str
        Where ``DISPLAY`` and ``XAUTHORITY`` are looked up.
    """

    def __init__(
        self,
        tell: Callable[[str], None],
        keep: bool = False,
        xterm: str = "xterm",
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self._tell = tell
        self._keep = keep
        self._xterm = xterm
        self._environment = dict(environment)
        # The user's screen, or what a user at this computer would sit before.
        self._display = self._environment.get("DISPLAY") or ":0.0"
        self._refusal: str | None = None
        self._asked = False
        self._forwards: dict[str, _Forward] = {}
        self._told: set[str] = set()
        self._lock = threading.Lock()

    def prepare(self, hosts: Iterable[str]) -> None:
        """Make the display reachable from hosts, all at once; else `command` does, one by one."""
        others = [host for host in dict.fromkeys(hosts) if not names.is_local(host)]
        if others and self._usable():
            with ThreadPoolExecutor(min(32, len(others))) as pool:
                list(pool.map(self._forward, others))

    def command(self, words: Sequence[str], host: str) -> list[str]:
        """Return the command that runs `words` on a host in a window, or without one.

        When there can be no window, the reason is told once, and the words are returned as
        they are.
        """
        place = self._place(host)
        if place is None:
            return list(words)
        command = window_command(words, host, place.display, place.xterm, self._keep)
        if place.authority:
            # The slave has its daemon's environment, not that of this process.
            command = ["/usr/bin/env", f"XAUTHORITY={place.authority}", *command]
        return command

    def close(self) -> None:
        """End the connections to other hosts; those with windows to read end with these."""
        with self._lock:
            forwards, self._forwards = self._forwards, {}
        for forward in forwards.values():
            forward.close(wait=not self._keep)

    def _usable(self) -> bool:
        with self._lock:
            if not self._asked:
                self._asked = True
                self._refusal = refusal(self._display, self._environment)
        if self._refusal is None:
            return True
        if self._environment.get("DISPLAY"):
            self._say(f"no windows: {self._refusal}. Check that DISPLAY={self._display} is right and that "
                      "'xterm' opens a window from this shell")  # fmt: skip
        else:
            self._say("no windows: DISPLAY is not set. Run this on a desktop, or log in with: ssh -Y "
                      f"{socket.gethostname()}")  # fmt: skip
        return False

    def _place(self, host: str) -> _Place | None:
        if not self._usable():
            return None
        if names.is_local(host):
            xterm = shutil.which(self._xterm)
            if xterm is None:
                self._say(f"no window on {host}: xterm is not there; install it: apt-get install xterm")
                return None
            return _Place(self._display, xterm, self._environment.get("XAUTHORITY", ""))
        forward = self._forward(host)
        if forward.place is None:
            self._say(f"no window on {host}: {forward.problem}")
        return forward.place

    def _forward(self, host: str) -> _Forward:
        with self._lock:
            forward = self._forwards.get(host)
            if forward is None:
                forward = self._forwards[host] = _Forward(host, self._display, self._environment)
        forward.open()
        return forward

    def _say(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            self._tell(text)


class _Place(NamedTuple):
    """What a window on one host needs."""

    display: str
    xterm: str
    authority: str


class _Forward:
    """A connection of ssh that makes the display reachable from one host."""

    def __init__(self, host: str, display: str, environment: Mapping[str, str]) -> None:
        self.host = host
        self.problem = ""
        self.place: _Place | None = None
        self._source = display
        self._environment = dict(environment)
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._opened = False

    # Run there; it ends with its standard input, which is a pipe from this process.
    _SCRIPT = (
        b'echo "xterm $(command -v xterm)"\necho "authority $XAUTHORITY"\necho "display $DISPLAY"\n'
        b"exec 1>&-\ncat > /dev/null\n"
    )

    def open(self) -> None:
        """Connect, once; `place` or `problem` is set when this returns."""
        with self._lock:
            if self._opened:
                return
            self._opened = True
            try:
                said, complaint = self._start()
            except (OSError, remote.RemoteError) as error:
                self.problem = str(error)
                return
            if said.get("display") and said["xterm"]:
                self.place = _Place(said["display"], said["xterm"], said["authority"])
                return
            if said.get("display"):
                self.problem = f"xterm is not there; on {self.host}: apt-get install xterm"
            elif "display" in said:
                self.problem = (
                    f"its ssh server forwards no displays; on {self.host}: apt-get install xauth, and set "
                    "'X11Forwarding yes' in /etc/ssh/sshd_config"
                )
            else:
                self.problem = str(doctor.explain_ssh(self.host, "ssh", complaint)).partition(": ssh: ")[2]
        self.close()

    def _start(self) -> tuple[dict[str, str], str]:
        program = daemon.settings().get("PVM_RSH", "ssh")
        if Path(program).name != "ssh":
            raise remote.RemoteError(program, f"only ssh forwards displays, and PVM_RSH is {program}")
        command = [program, "-Y", "-T", "-o", "BatchMode=yes", "-o", f"ConnectTimeout={remote.CONNECT_TIME}"]
        command += ["-o", "ControlPath=none", self.host, "sh", "-s"]
        process = self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,  # what `select` is asked about is not in a buffer here
            env={**self._environment, "DISPLAY": self._source},
            start_new_session=True,  # Ctrl-C ends the slaves first
        )
        assert process.stdin is not None and process.stdout is not None and process.stderr is not None
        with contextlib.suppress(BrokenPipeError):  # it has ended, and says below why
            process.stdin.write(self._SCRIPT)
            process.stdin.flush()
        said: dict[str, str] = {}
        while "display" not in said:
            if not select.select([process.stdout], [], [], ANSWER_TIME)[0]:
                return said, "timed out"
            line = process.stdout.readline().decode(errors="replace").strip()
            if not line:
                return said, process.stderr.read().decode(errors="replace")
            name, _, value = line.partition(" ")
            said[name] = value
        return said, ""

    def close(self, wait: bool = True) -> None:
        """End the connection; ssh itself waits until no window uses it any more."""
        process = self._process
        if process is None:
            return
        self._process = None
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
        if wait:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        else:
            threading.Thread(target=process.wait, daemon=True).start()
