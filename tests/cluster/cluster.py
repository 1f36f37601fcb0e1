"""Several real computers on one machine, for trying PVM across a network.

A `Cluster` is a room with a switch and a few nodes.  Each node is a set of Linux
namespaces: its own network card and address, host name, process table, /tmp, /dev/shm, /run and
sshd, which lets its siblings in without a password.  The rest of the file system is
shared, as over NFS.  The nodes know each other by name through /etc/hosts and reach
nothing else.

Everything hangs on one pipe: when the process that made the cluster ends, however it
ends, the room's first process reads the end of that pipe and ends too, and the kernel
takes all processes, network devices and files of the cluster with it.  Nothing has a
name that another cluster could have as well, so many can be up side by side.
"""

from __future__ import annotations

import ipaddress
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Optional, Union

from ..support.waiting import wait_for

Command = Sequence[Union[str, "os.PathLike[str]"]]

NETWORK = ipaddress.ip_network("10.77.0.0/16")
LAB = "/run/lab"
HOME = f"{LAB}/home"
SHARED = f"{LAB}/shared"

_TOOLS = ("ip", "mount", "nsenter", "ps", "ssh", "ssh-keygen", "tc", "unshare")

# The room's switch and the folder that all nodes share.  `cat` ends with the pipe on
# its standard input.
_ROOM = f"""
set -e
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -m 700 {LAB} {HOME}
mkdir -m 1777 {SHARED}
mkdir -m 755 /run/sshd
ssh-keygen -q -t ed25519 -N '' -C '' -f {LAB}/hostkey
ssh-keygen -q -t ed25519 -N '' -C '' -f {LAB}/id
cp {LAB}/id.pub {LAB}/authorized_keys
ip link set lo up
ip link add name switch type bridge
ip link set switch up
echo ready
exec cat
"""

# What is run as a node's first process; $1 is its name, $2.. are folders below /tmp that
# must stay visible.  sshd as the first process also buries the node's orphans.
_NODE = f"""
set -e
name=$1; shift
hostname "$name"
mount -t tmpfs -o mode=1777 tmpfs /mnt
for folder; do mkdir -p "/mnt/${{folder#/tmp/}}"; mount --rbind "$folder" "/mnt/${{folder#/tmp/}}"; done
mount --move /mnt /tmp
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
mount --bind {LAB}/$name/hosts /etc/hosts
mount --bind {LAB}/ssh_config /etc/ssh/ssh_config
mount --bind {LAB}/resolv.conf /etc/resolv.conf
ip link set lo up
echo ready
exec /usr/sbin/sshd -D -e -f {LAB}/sshd_config
"""

_SSH_CONFIG = f"""
IdentityFile {LAB}/id
UserKnownHostsFile {LAB}/known_hosts
GlobalKnownHostsFile /dev/null
LogLevel ERROR
"""

_SSHD_CONFIG = f"""
HostKey {LAB}/hostkey
AuthorizedKeysFile {LAB}/authorized_keys
PidFile none
StrictModes no
UsePAM no
PermitRootLogin yes
MaxStartups 100
X11Forwarding yes
X11UseLocalhost yes
SetEnv HOME={HOME} PVM_ALLOW_ROOT=1
"""


def why_not() -> str | None:
    """Return why no cluster can be made on this computer, or None."""
    if not sys.platform.startswith("linux"):
        return "a test cluster needs Linux namespaces"
    if os.geteuid() != 0:
        return "only root may make the network namespaces of a test cluster"
    lacking = [tool for tool in _TOOLS if shutil.which(tool) is None]
    if not Path("/usr/sbin/sshd").exists():
        lacking.append("sshd")
    if lacking:
        return f"a test cluster needs the programs {', '.join(lacking)} (iproute2, openssh-server)"
    tried = subprocess.run(
        ["unshare", "--net", "--uts", "--ipc", "--mount", "--pid", "--fork", "true"],
        capture_output=True,
        text=True,
        timeout=30,
    )
    if tried.returncode:
        return f"the kernel allows no namespaces here: {tried.stderr.strip()}"
    return None


class NodeProcess(subprocess.Popen):  # type: ignore[type-arg]
    """A process on a node; signals reach it, not the helper that put it there."""

    def send_signal(self, sig: int) -> None:
        """Send a signal to the process on the node."""
        if self.poll() is not None:
            return
        children = _children(self.pid)
        os.kill(children[0] if children else self.pid, sig)


class Cluster:
    """Some computers of our own on a network of their own; a context manager.

    Parameters
    ----------
    nodes : int or sequence of str
        How many nodes (``node0``, ``node1``, ...) or their names.
    environment : mapping of str, optional
        Additions to the environment of every command that `exec` and `popen` start.
        What ssh starts gets none of it, as on real computers.

    Attributes
    ----------
    names : list of str
        The host names; methods take a name or its index.
    shared : Path
        A folder that all nodes see as `SHARED`, as the test's own process sees it.
    """

    def __init__(
        self,
        nodes: int | Sequence[str] = 4,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.names = [f"node{i}" for i in range(nodes)] if isinstance(nodes, int) else list(nodes)
        self.addresses = {name: str(NETWORK[256 + i + 1]) for i, name in enumerate(self.names)}
        self.environment = dict(environment or {})
        self._room: subprocess.Popen[bytes] | None = None
        self._room_init = 0
        self._starters: dict[str, subprocess.Popen[bytes]] = {}
        self._inits: dict[str, int] = {}
        self._relays: dict[str, subprocess.Popen[bytes]] = {}
        self._children: list[subprocess.Popen[Any]] = []

    # ---------------------------------------------------------------- up and down

    def __enter__(self) -> Cluster:
        try:
            self._open_room()
            for name in self.names:
                self.boot(name)
        except BaseException:
            self.down()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self.down()

    def down(self) -> None:
        """Stop everything; nothing of the cluster is left when this returns."""
        if self._room is None:
            return
        assert self._room.stdin is not None
        self._room.stdin.close()
        _bury(self._room)
        for relay in self._relays.values():
            relay.kill()
        for process in [*self._relays.values(), *self._starters.values(), *self._children]:
            _bury(process)
        self._room = None
        self._starters.clear()
        self._inits.clear()
        self._relays.clear()
        self._children.clear()

    def boot(self, node: int | str) -> None:
        """Start a node, at the beginning or after `kill`, and wait until it lets us in."""
        name = self._name(node)
        etc = self.path(f"{LAB}/{name}")
        etc.mkdir(exist_ok=True)
        if not (etc / "hosts").exists():
            (etc / "hosts").write_text(self.hosts_file())
        with (etc / "log").open("wb") as log:
            starter = subprocess.Popen(
                ["nsenter", "-t", str(self._room_init), "-n", "-m", "-p", "-i"]
                + ["unshare", "--net", "--uts", "--ipc", "--mount", "--pid", "--fork"]
                + ["--kill-child", "--mount-proc", "sh", "-c", _NODE, "sh", name, *_below_tmp()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        self._starters[name] = starter
        assert starter.stdout is not None
        if starter.stdout.readline() != b"ready\n":
            raise RuntimeError(f"{name} did not start:\n{(etc / 'log').read_text()}")
        # nsenter -> unshare -> the node's first process
        self._inits[name] = _children(_children(starter.pid)[0])[0]
        port = self._port(name)
        # a computer has the same network card after a reboot, by which others know it
        card = f"02:00:00:00:00:{self.names.index(name):02x}"
        self._ip(
            *("link", "add", "name", port, "type", "veth"),
            *("peer", "name", "eth0", "address", card, "netns", str(self._inits[name])),
        )
        self._ip("link", "set", port, "master", "switch", "up")
        address = f"{self.addresses[name]}/{NETWORK.prefixlen}"
        self._ip("addr", "add", address, "dev", "eth0", node=name)
        self._ip("link", "set", "eth0", "up", node=name)
        wait_for(lambda: self._answers(name), 20, f"sshd of {name}")

    # ----------------------------------------------------------- what can happen

    def cut(self, node: int | str) -> None:
        """Pull a node's network cable."""
        self._ip("link", "set", self._port(node), "down")

    def heal(self, node: int | str) -> None:
        """Put a node's network cable back."""
        self._ip("link", "set", self._port(node), "up")

    def slow(self, node: int | str, milliseconds: float) -> None:
        """Delay all that a node sends and gets by so much; 0 ends that.

        Other than a queueing discipline of the kernel this works with every kernel.
        """
        name = self._name(node)
        relay = self._relays.pop(name, None)
        if relay is not None:
            relay.kill()
            _bury(relay)
            self._ip("link", "del", f"in{self._port(name)}")
            self._ip("link", "set", self._port(name), "master", "switch")
        if milliseconds:
            self._ip("link", "set", self._port(name), "nomaster")
            inner, outer = f"in{self._port(name)}", f"out{self._port(name)}"
            self._ip("link", "add", "name", inner, "type", "veth", "peer", "name", outer)
            self._ip("link", "set", inner, "up")
            self._ip("link", "set", outer, "master", "switch", "up")
            relay = self._relays[name] = subprocess.Popen(
                ["nsenter", "-t", str(self._room_init), "-n", sys.executable, "-I"]
                + [Path(__file__).with_name("relay.py"), self._port(name), inner, str(milliseconds / 1000)],
                stdin=subprocess.PIPE,  # ends with this process
                stdout=subprocess.PIPE,
                start_new_session=True,
            )
            assert relay.stdout is not None
            if relay.stdout.readline() != b"ready\n":
                raise RuntimeError(f"the link of {name} could not be slowed down")

    def narrow(self, node: int | str, megabytes: float, sending: bool = False) -> None:
        """Let a node get, or send, so many MB per second and no more; 0 ends that."""
        device, where = ("eth0", self._name(node)) if sending else (self._port(node), None)
        if megabytes:
            rate = ["rate", f"{megabytes * 8:g}mbit", "burst", "64k", "latency", "100ms"]
            self._in_room("tc", "qdisc", "replace", "dev", device, "root", "tbf", *rate, node=where)
        else:
            self._in_room("tc", "qdisc", "del", "dev", device, "root", node=where)

    def kill(self, node: int | str) -> None:
        """End everything on a node at once, as a power failure does."""
        name = self._name(node)
        self.slow(name, 0)
        os.kill(self._inits.pop(name), signal.SIGKILL)
        _bury(self._starters.pop(name))
        # The card went with the node; the kernel takes the port away a moment later.
        wait_for(lambda: not self._has_port(name), 20, f"port of {name} gone")

    def hide(self, node: int | str, path: str | os.PathLike[str]) -> None:
        """Make a folder look empty on one node, as if nothing were installed there."""
        self.exec(node, ["mount", "-t", "tmpfs", "tmpfs", path])

    # ------------------------------------------------------------------ commands

    def exec(
        self,
        node: int | str,
        argv: Command,
        timeout: float = 60.0,
        check: bool = True,
        env: Mapping[str, str] | None = None,
        **options: Any,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command on a node to its end.

        Parameters
        ----------
        node : int or str
            Which node.
        argv : sequence
            Program and arguments.
        timeout : float
            Seconds; a command that takes longer is killed and raises TimeoutExpired.
        check : bool
            Whether an exit code other than 0 fails.
        env : mapping of str, optional
            Additions to its environment.
        **options
            For `popen`; standard input can be given as ``input``.
        """
        text = options.pop("input", None)
        if text is None:
            options.setdefault("stdin", subprocess.DEVNULL)
        else:
            options["stdin"] = subprocess.PIPE
        child = self.popen(node, argv, env, **options)
        try:
            out, err = child.communicate(text, timeout)
        except BaseException:
            child.kill()
            child.communicate()
            raise
        finally:
            self._children.remove(child)
        if check and child.returncode:
            raise AssertionError(f"{self._name(node)}: {argv} ended with {child.returncode}\n{out}\n{err}")
        return subprocess.CompletedProcess(argv, child.returncode, out, err)

    def python(self, node: int | str, code: str, *argv: str, timeout: float = 60.0, **options: Any) -> str:
        """Run Python code on a node, with this run's interpreter, and return what it prints."""
        return self.exec(node, [sys.executable, "-W", "error", "-c", code, *argv], timeout, **options).stdout

    def popen(
        self,
        node: int | str,
        argv: Command,
        env: Mapping[str, str] | None = None,
        **options: Any,
    ) -> NodeProcess:
        """Start a command on a node; it is ended with the cluster at the latest.

        Text, and pipes for standard output and error, are the defaults of `options`.
        """
        name = self._name(node)
        options = {
            "text": True,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            **options,
        }
        child = NodeProcess(
            # `nsenter --wd` would look for the folder in the wrong place.
            ["nsenter", "-t", str(self._inits[name]), "-n", "-m", "-u", "-i", "-p"] + ["env", "-C", HOME, *argv],
            env={**self.base_environment(), **self.environment, **(env or {})},
            **options,
        )
        self._children.append(child)
        return child

    def base_environment(self) -> dict[str, str]:
        """Return the environment of a user who has just logged in on a node."""
        return {
            "HOME": HOME,
            "LANG": "C.UTF-8",
            "LOGNAME": "root",
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "PVM_ALLOW_ROOT": "1",
            "SHELL": "/bin/sh",
            "USER": "root",
        }

    def processes(self, node: int | str) -> dict[int, str]:
        """Return the command lines of a node's processes by pid on the node.

        The node's own sshd is not among them, nor the command that asks.
        """
        listing = self.exec(node, ["ps", "-eo", "pid=,args="]).stdout
        rows = (line.split(None, 1) for line in listing.splitlines())
        return {
            int(pid): command for pid, command in rows if "sshd" not in command and not command.startswith("ps -eo")
        }

    # --------------------------------------------------------------------- files

    @property
    def shared(self) -> Path:
        """The folder that all nodes share."""
        return self.path(SHARED)

    def path(self, path: str, node: int | str | None = None) -> Path:
        """Return where this process finds a file below the nodes' /run.

        With `node`, where it finds any file of that node, its /tmp included.
        """
        pid = self._room_init if node is None else self._inits[self._name(node)]
        return Path(f"/proc/{pid}/root{path}")

    def hosts_file(self) -> str:
        """Return what the nodes have in /etc/hosts at first."""
        lines = [f"{address}\t{name}" for name, address in self.addresses.items()]
        return "\n".join(["127.0.0.1\tlocalhost", *lines, ""])

    # ------------------------------------------------------------------- helpers

    def _open_room(self) -> None:
        self._room = subprocess.Popen(
            ["unshare", "--net", "--mount", "--ipc", "--pid", "--fork", "--kill-child"]
            + ["--mount-proc", "sh", "-c", _ROOM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the test alone
        )
        assert self._room.stdout is not None
        if self._room.stdout.readline() != b"ready\n":
            raise RuntimeError("the room of the cluster could not be made; its words are above")
        (self._room_init,) = _children(self._room.pid)
        self.path(f"{LAB}/ssh_config").write_text(_SSH_CONFIG)
        self.path(f"{LAB}/sshd_config").write_text(_SSHD_CONFIG)
        self.path(f"{LAB}/resolv.conf").write_text("")
        key = " ".join(self.path(f"{LAB}/hostkey.pub").read_text().split()[:2])
        hosts = [f"{name},{address} {key}\n" for name, address in self.addresses.items()]
        self.path(f"{LAB}/known_hosts").write_text("".join(hosts))

    def _name(self, node: int | str) -> str:
        return self.names[node] if isinstance(node, int) else node

    def _port(self, node: int | str) -> str:
        return f"port{self.names.index(self._name(node))}"

    def _has_port(self, node: int | str) -> bool:
        return self._port(node) in self._ip("-brief", "link")

    def _answers(self, name: str) -> bool:
        """Return whether a node's sshd listens, asked on the node itself."""
        pid = self._inits[name]
        if not Path(f"/proc/{pid}").exists():
            log = self.path(f"{LAB}/{name}/log").read_text()
            raise RuntimeError(f"{name} did not start:\n{log}")
        sockets = Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]
        return any(s.split()[1].endswith(":0016") and s.split()[3] == "0A" for s in sockets)

    def _ip(self, *argv: str, node: str | None = None) -> str:
        return self._in_room("ip", *argv, node=node)

    def _in_room(self, *argv: str, node: str | None = None) -> str:
        """Run a command in the network of the room, or of a node."""
        pid = self._room_init if node is None else self._inits[node]
        # Not into the process table: a pid given to `ip` is one of ours.
        command = ["nsenter", "-t", str(pid), "-n", *argv]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
        if done.returncode:
            raise RuntimeError(f"{shlex.join(command)}: {done.stderr}")
        return done.stdout


def _children(pid: int) -> list[int]:
    return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _bury(process: subprocess.Popen[Any]) -> None:
    """Wait for the end of a process and close our ends of its pipes."""
    process.wait(30)
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


def _below_tmp() -> Iterable[str]:
    """Return the folders below /tmp without which Python and the tests cannot run."""
    needed = {Path(__file__).resolve().parents[2], Path(sys.prefix), Path(sys.base_prefix)}
    return sorted(str(path) for path in needed if Path("/tmp") in path.parents)
