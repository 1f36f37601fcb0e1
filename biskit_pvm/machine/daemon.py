"""The daemons of the virtual machine: start them, stop them, clean up behind them.

All functions act on the virtual machine of PVM's own console, which the files in
``PVM_TMP`` name; whoever starts it first, others find it.
"""

from __future__ import annotations

import atexit
import os
import queue
import re
import shlex
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pvm_ext
from biskit_pvm.machine import helper, planted, shared_memory
from biskit_pvm.machine.addresses import address_for_others
from biskit_pvm.machine.log import Log
from biskit_pvm.machine.tags import Tag
from pvm_ext import installation

AUTOSTART_VARIABLE = "BISKIT_PVM_AUTOSTART"

ADDRESS_TIME = 10.0
"""Seconds that a daemon which another process starts may take to write its address."""

LONGEST_FOLDER = 80
"""Most characters in the name of the folder of PVM's files, in which sockets have names."""

LOG_BYTES = 16 << 20
"""How long a daemon's log may grow, in bytes; what slaves print at their end stands there."""

log = Log(__name__)

_lock = threading.Lock()


# ---------------------------------------------------------------- what a daemon needs


def environment() -> dict[str, str]:
    """Return what a daemon needs in its environment to start others, beyond what is there.

    Daemons on other hosts are started through ``ssh``, unless the user's ``PVM_RSH`` says
    otherwise, and without questions that nobody would see: where ssh would ask for a
    password, it fails.  The program there is this one's, where it is found under the
    same path, else the ``pvmd`` of the search path; the user's ``PVM_DPATH`` comes first.
    """
    added = installation.environment()
    added["PVMDLOGMAX"] = _log_bytes()
    if "PVM_RSH" not in os.environ:
        ssh = shutil.which("ssh")
        if ssh:
            refuse = shutil.which("false") or "/bin/false"
            added.update(PVM_RSH=ssh, SSH_ASKPASS=refuse, SSH_ASKPASS_REQUIRE="force")
    if "PVM_DPATH" not in os.environ:
        added["PVM_DPATH"] = remote_command()
    return added


def remote_command() -> str:
    """Return the shell command that starts the daemon on another host."""
    added = installation.environment()
    settings = " ".join(f"{name}={shlex.quote(value)}" for name, value in added.items())
    program = shlex.quote(os.fspath(installation.daemon()))
    log = f"export PVMDLOGMAX={_log_bytes()}"
    script = f'{log}; if test -x {program}; then {settings} exec {program} "$@"; fi; exec pvmd "$@"'
    # Behind sh -c, since the user's shell there may speak another language.
    return f"sh -c {shlex.quote(script)} pvmd"


def _log_bytes() -> str:
    # After a megabyte PVM by itself writes no more.
    return shlex.quote(os.environ.get("PVMDLOGMAX") or str(LOG_BYTES))


# -------------------------------------------------------------------- start and stop


def is_running() -> bool:
    """Return whether a daemon runs here; this process is its task afterwards."""
    check_files()
    try:
        pvm_ext.mytid()
    except pvm_ext.SysErrError:
        return False
    return True


def start(hostfile: str | None = None, options: Sequence[str] = ()) -> bool:
    """Start the daemon of this host, alone.

    Parameters
    ----------
    hostfile : str, optional
        Path of a host file.  Its options for this host are obeyed and those for others
        remembered for when these are added (see `biskit_pvm.pvm.addHosts`).
    options : sequence of str
        More options of the daemon, such as ``-d1`` or ``-nNAME``.

    Returns
    -------
    bool
        Whether it had to be started.

    Raises
    ------
    PvmError
        CantStartError when it cannot be started.
    """
    try:
        _start(Path(hostfile).read_text() if hostfile is not None else "", options)
    except pvm_ext.DupHostError:
        return False
    return True


def _start(text: str, options: Sequence[str], keeper: Sequence[str] = ()) -> subprocess.Popen[bytes] | None:
    check_files()
    if not any(option.startswith("-n") for option in options):
        text = own_line(text, socket.gethostname(), address_for_others())
    _remove_old_log()
    shared_memory.sweep()
    text = "".join(f"{line}\n" for line in set_aside(text, socket.gethostname()))
    with _added_environment(environment()), _file_for_others(text) as path:
        return pvm_ext.start_pvmd([*options, path], True, keeper)


@contextmanager
def _file_for_others(text: str) -> Iterator[str]:
    """Give the path of a file that other processes can read meanwhile; no kill of this one leaves it behind."""
    if not hasattr(os, "memfd_create"):
        with tempfile.NamedTemporaryFile("w", prefix="pvmhosts") as named:
            named.write(text)
            named.flush()
            yield named.name
    else:
        with open(os.memfd_create("pvmhosts"), "w") as file:
            file.write(text)
            file.flush()
            yield f"/proc/{os.getpid()}/fd/{file.fileno()}"


def own_line(hostfile: str, name: str, address: str | None) -> str:
    """Return a host file that makes PVM use this address on this host.

    Parameters
    ----------
    hostfile : str
        Contents of the user's host file.
    name : str
        Name of this host.
    address : str or None
        None changes nothing.
    """
    if address is None:
        return hostfile
    lines = hostfile.splitlines()
    for number, line in enumerate(lines):
        words = line.split("#")[0].split()
        if words and words[0] == name:
            if not any(word.startswith("ip=") for word in words):
                lines[number] = " ".join([*words, f"ip={address}"])
            return "\n".join(lines)
    return "\n".join([f"{name} ip={address}", *lines])


def set_aside(hostfile: str, own_name: str) -> list[str]:
    """Return the lines of a host file, all other hosts marked not to be added yet."""
    lines = []
    for line in hostfile.splitlines():
        words = line.split("#")[0].split()
        if words and words[0][0] not in "*&$" and words[0] != own_name:
            words[0] = f"&{words[0]}"
        if words:
            lines.append(" ".join(words))
    return lines


def notice_loss() -> None:
    """See whether the daemon of which this process is a task is still there; if not, be none of its tasks.

    libpvm itself goes on with the old connection until a call fails.
    """
    try:
        pvm_ext.pstat(pvm_ext.mytid())
    except pvm_ext.PvmError:
        pass


def ensure_running() -> bool:
    """Start a daemon where none runs; it is halted behind this process when unused.

    A process that watches over the daemon halts it when this process has ended, however
    it ended, as soon as no other task uses the virtual machine.

    Returns
    -------
    bool
        Whether it had to be started.

    Raises
    ------
    PvmError
        SysErrError when none runs and ``BISKIT_PVM_AUTOSTART=0`` forbids to start one;
        CantStartError when it cannot be started.
    """
    with _lock:
        check_files()
        notice_loss()
        try:
            pvm_ext.mytid()
            _clear_up_at_exit()
            return False
        except pvm_ext.SysErrError as error:
            # A spawned task belongs to the daemon that started it, and to no other.
            if os.environ.get(AUTOSTART_VARIABLE) == "0" or "PVMSOCK" in os.environ:
                raise
            if os.getuid() == 0 and "PVM_ALLOW_ROOT" not in os.environ:
                raise
            del error
        try:
            keeper = _start("", (), [*helper.command(__name__, "keep"), str(os.getpid())])
        except pvm_ext.DupHostError:  # another process was first
            _await_address()
            pvm_ext.mytid()
            return False
        assert keeper is not None
        atexit.register(_let_keeper_go, keeper, os.getpid())
        return True


_used: str | None = None
"""Where the daemon listens of which this process is a task, and that another one has started."""


def _clear_up_at_exit() -> None:
    """Have the files of the daemon removed behind this process, should that be killed: it may have no keeper."""
    global _used
    if "PVMSOCK" in os.environ:  # the guard of a slave does so
        return
    if _used is None:
        atexit.register(lambda: clear_up_behind(_used or ""))
    try:
        _used = planted.read_own(address_file()).strip()
    except OSError:
        _used = ""


def _await_address() -> None:
    """Wait, a little, until a daemon that starts has written where it can be reached.

    It makes the file first, and PVM has no way to tell when that is whole.
    """
    end = time.monotonic() + ADDRESS_TIME
    while time.monotonic() < end:
        try:
            if address_file().read_text(errors="replace").strip():
                return
        except OSError:
            pass
        time.sleep(0.02)


@contextmanager
def _added_environment(added: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in added}
    os.environ.update(added)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def folder() -> Path:
    """Return the folder of PVM's files on this host."""
    return Path(os.environ.get("PVM_TMP") or "/tmp")


def _own_name(kind: str) -> Path:
    name = f"{kind}.{os.getuid()}"
    machine = os.environ.get("PVM_VMID")
    return folder() / (f"{name}.{machine}" if machine else name)


def unfit_folder() -> str:
    """Return why no daemon can have its files in the folder that is set for them; '' when it can."""
    if os.environ.get("PVM_TMP") == "":
        return "PVM_TMP is '', which PVM takes for the folder /; unset it, or give it the full path of a folder"
    where = folder()
    name = f"PVM_TMP is {os.fspath(where)!r}" if os.environ.get("PVM_TMP") else os.fspath(where)
    if not where.is_absolute():
        return f"{name}, but must be a full path: slaves run in other folders, and would look there"
    if not where.exists():
        return f"{name}, and there is no such folder"
    if not where.is_dir():
        return f"{name}, which is no folder"
    if not os.access(where, os.W_OK | os.X_OK):
        return f"{name}, which cannot be written to"
    if len(os.fspath(where)) > LONGEST_FOLDER:
        return f"{name}, which is too long for the name of a socket; at most {LONGEST_FOLDER} characters are possible"
    return ""


def address_file() -> Path:
    """Return the file in which the daemon of this host leaves its address."""
    return _own_name("pvmd")


def log_file() -> Path:
    """Return the log of the daemon of this host."""
    return _own_name("pvml")


def check_files() -> None:
    """Refuse to look for a daemon in a folder that PVM cannot use, or by an address file of somebody else's.

    libpvm would wait for ever at a pipe, and talk to whoever listens.

    Raises
    ------
    CantStartError
    """
    if "PVMSOCK" in os.environ:  # a spawned task is told the address by its daemon
        return
    reason = unfit_folder()
    if reason:
        raise pvm_ext.error_for(pvm_ext.Code.CANT_START, "start_pvmd", reason)
    wrong = planted.what_is_wrong(address_file())
    if wrong:
        detail = f"{wrong}. Remove it, or {planted.REMEDY}"
        raise pvm_ext.CantStartError(pvm_ext.Code.CANT_START, None, detail)


def lives() -> bool:
    """Return whether a daemon listens where the address file says."""
    try:
        return _listens(planted.read_own(address_file()).strip())
    except OSError:
        return False


def is_stale() -> bool:
    """Return whether a daemon has left its address file behind that was killed."""
    return address_file().is_file() and not planted.what_is_wrong(address_file()) and not lives()


def remove_leftovers() -> None:
    """Remove what a daemon has left behind that was killed, its log apart."""
    try:
        socket_path = address_file().read_text().strip()
    except OSError:
        return
    address_file().unlink(missing_ok=True)
    if Path(socket_path).parent == folder():
        Path(socket_path).unlink(missing_ok=True)


def clear_up_behind(socket_path: str) -> None:
    """Remove the files of a daemon that was killed, its log apart; nothing where it lives.

    Parameters
    ----------
    socket_path : str
        Where it listened.
    """
    if not os.path.lexists(socket_path) or _listens(socket_path):
        return
    try:
        if planted.read_own(address_file()).strip() == socket_path:
            address_file().unlink(missing_ok=True)
    except OSError:
        pass
    if Path(socket_path).parent == folder():
        Path(socket_path).unlink(missing_ok=True)


def _listens(socket_path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(socket_path)
        except OSError:
            return False
    return True


def _remove_temporary_files(*pids: int) -> None:
    """Remove what these processes of PVM have left behind that were killed, and what others have for proving
    to a daemon who they are."""
    for path in folder().glob("pvmtmp[0-9]*.*"):
        found = re.fullmatch(r"pvmtmp(\d+)\.\d+", path.name)
        try:
            status = path.lstat()
            if found is None or status.st_uid != os.getuid():
                continue
            owner = int(found[1])
            # The socket of another daemon may have the number of a process that has gone.
            if not _is_alive(owner) and (owner in pids or stat.S_ISREG(status.st_mode)):
                path.unlink()
        except FileNotFoundError:
            continue


def _is_alive(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def pid() -> int | None:
    """Return the process id of the daemon of this host, or None when it is not known."""
    try:
        path = planted.read_own(address_file()).strip()
        inodes = {f"socket:[{row[6]}]" for row in _unix_sockets() if row[-1] == path}
    except OSError:
        return None
    # The number in the socket's name is another one: daemons on other hosts have forked since.
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "comm").read_text().startswith("pvmd") and inodes & _open_files(process):
                return int(process.name)
        except OSError:  # it ended, or is another user's
            continue
    return None


def _open_files(process: Path) -> set[str]:
    return {os.readlink(link) for link in (process / "fd").iterdir()}


def _unix_sockets() -> list[list[str]]:
    """Return the columns of the kernel's table of sockets: flags, state, inode and path are 3, 5, 6 and last."""
    return [line.split() for line in Path("/proc/net/unix").read_text().splitlines()]


def settings() -> dict[str, str]:
    """Return the environment by which the daemon here adds hosts.

    That of the running daemon, whoever started it; where none runs, that of one which
    this process would start.
    """
    number = pid()
    if number is not None:
        try:
            data = Path(f"/proc/{number}/environ").read_bytes()
        except OSError:  # no such files on this system
            pass
        else:
            pairs = (os.fsdecode(item).partition("=") for item in data.split(b"\0"))
            # what PVM does without these two
            return {"PVM_RSH": "rsh", "PVM_DPATH": "pvmd", **{name: value for name, _, value in pairs if name}}
    return {**os.environ, **environment()}


def first_addresses() -> list[str]:
    """Return how command lines of daemons name the one that has started them, which is that of the first host.

    Empty where that cannot be found out, two where it may be either.
    """
    number = pid()
    if number is None:
        return []
    try:
        words = Path(f"/proc/{number}/cmdline").read_text(errors="replace").split("\0")
        if "-s" in words:
            return [word for word in words if re.fullmatch("[0-9a-f]{8}:[0-9a-f]{4}", word)][:1]
        return [
            bytes.fromhex(address[:8])[::-1].hex() + address[8:].lower()  # the kernel has the bytes in reverse
            for address in _udp_addresses(number)
        ]
    except OSError:
        return []


def addresses() -> dict[str, tuple[str, int]]:
    """Return address and port of the daemons of all hosts, by the names of these; this process is a task.

    The daemon here tells them to its log, so this is for rare occasions.
    """
    path = log_file()
    try:
        with open(path, errors="replace") as file:
            file.seek(0, os.SEEK_END)
            host_table = 1
            pvm_ext.tickle([host_table])
            told = file.read()
    except OSError:
        return {}
    entries = re.findall(r'hd_dump\(\) .* n "([^"]*)".*\n.*\n.* sa ([0-9.]+):([0-9]+) ', told)
    return {name: (address, int(port)) for name, address, port in entries}


def uses_loopback() -> bool:
    """Return whether a daemon runs here with an address that no other host can reach."""
    number = pid()
    if number is None:
        return False
    try:
        own = _udp_addresses(number)
    except OSError:
        return False
    return bool(own) and all(address[6:8] == "7F" for address in own)  # bytes in reverse


def _udp_addresses(number: int) -> list[str]:
    """Return the addresses of a process's UDP sockets as the kernel writes them."""
    own = _open_files(Path(f"/proc/{number}"))
    rows = [line.split() for line in Path("/proc/net/udp").read_text().splitlines()[1:]]
    return [row[1] for row in rows if f"socket:[{row[9]}]" in own]


def _remove_old_log() -> None:
    # A daemon writes no log where it finds an old one.
    wrong = planted.what_is_wrong(log_file())
    if wrong:
        log.warning("%s, so the daemon has no log. Remove it, or %s", wrong, planted.REMEDY)
    elif not address_file().exists():
        log_file().unlink(missing_ok=True)


# ------------------------------------------------------------------------ the keeper

LEAVE_TIME = 3.0
"""Seconds that a process waits at its end for the daemon that it has started to halt."""

LONGEST_PAUSE = 10.0
"""Seconds after which the keeper asks the daemon again, at the latest, when it could not."""


def _let_keeper_go(keeper: subprocess.Popen[bytes], owner: int) -> None:
    if os.getpid() != owner:  # a fork of that process
        return
    try:
        pvm_ext.exit()
    except pvm_ext.PvmError:
        pass
    assert keeper.stdin is not None
    keeper.stdin.close()
    try:
        keeper.wait(LEAVE_TIME)
    except subprocess.TimeoutExpired:  # others use the machine, and it goes on by itself
        pass


def keep() -> None:
    """Halt a daemon once standard input has ended and nobody uses it any more.

    Standard input is a pipe that only the process holds for which the daemon was started.  This
    process is the parent of the daemon, so it is there before the daemon is and however early
    that process is killed.
    """
    owner, number = map(int, sys.argv[1:])
    news: queue.SimpleQueue[str] = queue.SimpleQueue()

    def wait_for_owner() -> None:
        while os.read(0, 1024):  # sys.stdin has a lock without which Python aborts at its end
            pass
        news.put("owner")

    def wait_for_daemon() -> None:
        try:
            os.waitpid(number, 0)
        except ChildProcessError:  # it ended so soon that the shell, which this process was, has waited for it
            pass
        news.put("daemon")

    for wait in (wait_for_owner, wait_for_daemon):
        threading.Thread(target=wait, daemon=True).start()
    if news.get() == "owner":
        threading.Thread(target=_halt_when_unused, args=(number,), daemon=True).start()
        news.get()
    if is_stale():  # it was killed
        remove_leftovers()
    _remove_temporary_files(owner, number)
    shared_memory.sweep()


@dataclass(frozen=True)
class _Door:
    """The socket of one daemon, as the kernel knows it: its files may be gone, or another daemon's."""

    path: str
    n_tasks: int

    def found_by_others(self) -> bool:
        """Return whether the address file names this daemon, or none."""
        try:
            return address_file().read_text(errors="replace").strip() in ("", self.path)
        except OSError:
            return True


def _door(number: int) -> _Door | None:
    """Return where the daemon with this process id listens, None before it does."""
    own = _open_files(Path(f"/proc/{number}"))
    rows = [row for row in _unix_sockets() if f"socket:[{row[6]}]" in own and row[-1].startswith("/")]
    listening = 0x10000  # __SO_ACCEPTCON of Linux
    paths = [row[-1] for row in rows if int(row[3], 16) & listening]
    return _Door(paths[0], len(rows) - 1) if paths else None


def _kill(number: int, door: _Door) -> None:
    """End a daemon that nobody can reach, or that would take the address file of another one along."""
    os.kill(number, signal.SIGKILL)
    Path(door.path).unlink(missing_ok=True)


def _halt_when_unused(number: int) -> None:
    me, watched, pause = 0, set[int](), 0.1
    door = None
    while True:
        try:
            door = _door(number)
            if door is not None:
                # Its address file may have been cleared away, or name a daemon that was faster.
                os.environ["PVMSOCK"] = door.path
                tid = pvm_ext.mytid()
                if tid != me:
                    me, watched = tid, set()
                others = {task.tid for task in pvm_ext.tasks()} - {me}
                if not others:
                    if door.found_by_others():
                        pvm_ext.halt()
                    else:
                        _kill(number, door)
                    return
                fresh = others - watched
                if fresh:
                    pvm_ext.notify(pvm_ext.Notify.TASK_EXIT, Tag.PARTNER_EXITED, sorted(fresh))
                    watched |= fresh
                pvm_ext.recv_frames(-1, Tag.PARTNER_EXITED)
                watched -= set(pvm_ext.upkint(1))
                pause = 0.1
                continue
        except pvm_ext.PvmError:
            # It has no descriptor left for one more task, or its socket was cleared away.
            if door is not None and not door.n_tasks and not os.path.lexists(door.path):
                _kill(number, door)
                return
        except OSError:  # one of its files was just closed
            pass
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)
