"""Find out what would keep slaves from running on a host, and the command that mends it."""

from __future__ import annotations

import os
import shlex
import shutil
import socket
import stat
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from biskit_pvm.machine import addresses, daemon, names, planted, reach, remote
from pvm_ext import installation

OK, WARNING, ERROR = "ok", "warning", "error"

PROBE_TIME = 40.0
"""Seconds that all the looking around on a host may take."""

DAEMON_PROTOCOL = 2316
"""Version of what daemons of PVM 3.4 speak with each other."""

VERSION_REMEDY = (
    "its pvmd is of another version; install PVM 3.4.6 there, or name the right program: "
    "biskit-pvm add '{host} dx=/path/to/pvmd'"
)


class Finding(NamedTuple):
    """One thing that was looked at.

    Attributes
    ----------
    host : str
    subject : str
        What was looked at: 'name', 'ssh', 'PVM', 'files', 'Python', 'package', 'xterm', ...
    level : str
        'ok', 'warning' (works, or only in part), or 'error' (no slave will run there).
    text : str
        What was found.
    remedy : str
        The command, or the deed, that mends it; '' when nothing is to be mended.
    """

    host: str
    subject: str
    level: str
    text: str
    remedy: str = ""

    def __str__(self) -> str:
        line = f"{self.host}: {self.subject}: {self.text}"
        return f"{line}\n    {self.remedy}" if self.remedy else line


def examine(hosts: Iterable[str] = ()) -> list[Finding]:
    """Look at this host and at others before a run, at all others at once.

    Parameters
    ----------
    hosts : iterable of str
        Names, each with options as in a host file if needed.

    Returns
    -------
    list of Finding
        Those of this host first, then host by host.
    """
    others = [spec for spec in dict.fromkeys(hosts) if not names.is_local(spec.split()[0])]
    with ThreadPoolExecutor(max(1, min(32, len(others)))) as pool:
        lists = pool.map(lambda spec: examine_remote(spec.split()[0], spec.split()[1:]), others)
        return examine_local(bool(others)) + [finding for findings in lists for finding in findings]


def why_not_added(name: str, options: Sequence[str]) -> str:
    """Return in plain words why PVM could not add a host, and what mends it."""
    wrong = [finding for finding in examine_remote(name, options) if finding.level == ERROR]
    if not wrong:
        return f"nothing wrong was found there; {daemon.log_file()} may tell more."
    return in_words(wrong[0])


def in_words(finding: Finding) -> str:
    """Return what was found, and in a second line what mends it."""
    return f"{finding.text}\n    {finding.remedy}" if finding.remedy else finding.text


# ------------------------------------------------------------------------------- this host


def examine_local(network: bool = True) -> list[Finding]:
    """Look at this host.

    Parameters
    ----------
    network : bool
        Whether other hosts are wanted, too.
    """
    own = socket.gethostname()
    found = []

    def tell(subject: str, level: str, text: str, remedy: str = "") -> None:
        found.append(Finding(own, subject, level, text, remedy))

    try:
        pvm = installation.find()
        revisions = dict.fromkeys(row.split()[1] for row in pvm.packages())
        known = f"; Debian package {', '.join(revisions)}" if revisions else ""
        tell("PVM", OK, f"{pvm.daemon} ({pvm.origin}{known})")
    except installation.PvmNotFoundError as error:
        tell("PVM", ERROR, str(error).splitlines()[0], "\n    ".join(str(error).splitlines()[1:]))
    if os.getuid() == 0 and "PVM_ALLOW_ROOT" not in os.environ:
        remedy = "use another account; or, on every host: export PVM_ALLOW_ROOT=1"
        tell("user", ERROR, "PVM refuses to run as root", remedy)
    found += _examine_files(own)
    address = addresses.address_for_others()
    if address is not None:
        if daemon.uses_loopback():
            text = f"the daemon uses a loopback address, since {own} resolves to one"
            tell("name", ERROR if network else WARNING, text, loopback_remedy())
        else:
            tell("name", OK, f"{own} resolves to a loopback address; biskit-pvm start uses {address} instead")
    elif network and not addresses.own_addresses():
        tell("name", ERROR, "this host has no network", "ip address")
    else:
        tell("name", OK, f"{own} is {socket.gethostbyname(own)}" if network else own)
    if network and "PVM_RSH" not in daemon.settings():
        tell("ssh", ERROR, "there is no ssh, by which daemons on other hosts are started",
             "apt-get install openssh-client")  # fmt: skip
    return found


def _examine_files(own: str) -> list[Finding]:
    folder = daemon.folder()
    reason = daemon.unfit_folder()
    if reason:
        return [Finding(own, "files", ERROR, reason, "export PVM_TMP=/tmp")]
    if shutil.disk_usage(folder).free < 1 << 20:
        return [Finding(own, "files", ERROR, f"{folder} is full", f"du -xs {folder}/* | sort -n")]
    found = _examine_folder(own, folder)
    for file, level in ((daemon.address_file(), ERROR), (daemon.log_file(), WARNING)):
        wrong = planted.what_is_wrong(file)
        if wrong:
            found.append(Finding(own, "files", level, wrong, f"remove it, or {planted.REMEDY}"))
    if any(finding.level == ERROR for finding in found):
        return found
    if daemon.is_stale():
        text = f"{daemon.address_file()} is left from a daemon that was killed"
        return [*found, Finding(own, "files", WARNING, text, "biskit-pvm clean")]
    state = "a daemon runs" if daemon.address_file().exists() else "no daemon runs"
    return [*found, Finding(own, "files", OK, f"{folder}: {state}")]


def _examine_folder(own: str, folder: Path) -> list[Finding]:
    """Look for what lets others see or change files of PVM's and of calculations."""
    found = []
    mode = folder.stat().st_mode
    if mode & 0o022 and not mode & stat.S_ISVTX:
        found.append(Finding(own, "files", WARNING, f"others can remove and replace files in {folder}",
                             f"chmod go-w {folder}"))  # fmt: skip
    elif mode & 0o055 and not mode & stat.S_ISVTX:
        found.append(Finding(own, "files", WARNING, f"others can look into {folder}", f"chmod 700 {folder}"))
    umask = _umask()
    if not umask & 0o002:
        text = f"with the umask {umask:03o} everybody may change the files that you make"
        found.append(Finding(own, "umask", WARNING, text, "umask 022"))
    return found


def _umask() -> int:
    # os.umask tells it only by changing it, for all threads
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("Umask:"):
            return int(line.split()[1], 8)
    return 0o022


def loopback_remedy() -> str:
    """Return what to do when PVM uses a loopback address on this host."""
    own = socket.gethostname()
    address = next(iter(addresses.own_addresses()), None)
    if address is None:
        return "this host has no network address besides loopback; connect it first"
    return (
        f"PVM was started with a loopback address, since {own} resolves to one, and no other host can reach that. "
        f"Start it anew with {address}: biskit-pvm halt; biskit-pvm start\n"
        f"    or put the line '{address} {own}' into /etc/hosts in place of '127.0.1.1 {own}', and restart PVM"
    )


# ----------------------------------------------------------------------------- other hosts

# What is run there; each line that it prints is "subject value".  The address for the
# daemon's socket is loopback, so it can be bound wherever the daemon starts at all; nobody
# is contacted, and it is ended as soon as it has said who it is.
_PROBE = """
exec 2>&1
echo "probe begin"
for t in "${PVM_TMP:-/tmp}"; do
    if ! test -w "$t"; then echo "tmp unwritable $t"; fi
    if test "$(df -Pk "$t" | awk 'NR == 2 {print $4}')" -lt 1024; then echo "tmp full $t"; fi
    a=$t/pvmd.$(id -u)
    if test -h "$a" || { test -e "$a" && ! { test -f "$a" && test -O "$a"; }; }; then echo "tmp planted $a"
    elif test -s "$a"; then
        if awk -v path="$(cat "$a")" '$NF == path {found = 1} END {exit !found}' /proc/net/unix
        then echo "tmp running $a"; else echo "tmp stale $a"; fi
    fi
done
d=$(mktemp -d) || exit
trap 'rm -rf "$d"' EXIT
mkfifo "$d/f"
PVM_TMP=$d @DAEMON@ -s -d0x0 -nprobe 1 7f000001:0001 4080 2 7f000001:0000 > "$d/f" 2>&1 < /dev/null &
while read -r line; do
    echo "pvmd $line"
    case $line in ddpro*) break ;; esac
done < "$d/f"
# Having said that, it goes on as a child of itself in a session of its own, which is found
# by its folder.
wait
for e in /proc/[0-9]*/environ; do
    if tr '\\0' '\\n' < "$e" 2> /dev/null | grep -qx "PVM_TMP=$d"; then
        e=${e#/proc/}
        kill -s KILL "${e%/environ}"
    fi
done
if test -x @PYTHON@; then
    echo "python found"
    @PYTHON@ -c 'import biskit_pvm as b, pvm_ext; pvm_ext.mytid; print("package", b.__version__)' 2>&1 | tail -n 1
    @PYTHON@ -c 'import sys; print("version", sys.version.split()[0])'
else
    echo "python missing"
fi
command -v xterm > /dev/null && echo "xterm found" || echo "xterm missing"
echo "clock $(date +%s)"
echo "ownname $(getent ahostsv4 "$(hostname)" | awk '{print $1; exit}') $(hostname)"
w=@WITNESS@
if test -n "$w"; then test -e "$HOME/$w" && echo "home shared $HOME" || echo "home other $HOME"; fi
echo "probe end"
"""


def examine_remote(name: str, options: Sequence[str] = ()) -> list[Finding]:
    """Look at another host by the way that PVM takes to it.

    Parameters
    ----------
    name : str
        Its name.
    options : sequence of str
        Options as in a host file; ``lo=``, ``dx=`` and ``ip=`` are obeyed.
    """
    given = dict(word.split("=", 1) for word in options if "=" in word)
    address = given.get("ip", name)
    try:
        found = [Finding(name, "name", OK, f"{name} is {socket.gethostbyname(address)}")]
    except OSError as error:
        return [explain_name(name, address, error)]
    daemon_command = shlex.quote(given["dx"]) if "dx" in given else daemon.settings()["PVM_DPATH"]
    script = _PROBE.replace("@DAEMON@", daemon_command).replace("@PYTHON@", shlex.quote(sys.executable))
    before = time.time()
    try:
        with _witness() as witness:
            done = remote.run_script(script.replace("@WITNESS@", shlex.quote(witness)), name, options, PROBE_TIME)
    except remote.RemoteError as error:
        return [*found, explain_ssh(name, error.program, str(error), given.get("lo"))]
    if "probe begin" not in done:
        return [*found, explain_ssh(name, "the remote shell", done, given.get("lo"))]
    found.append(Finding(name, "ssh", OK, "lets us in without a question"))
    seen = reach.look(name, options, PROBE_TIME)
    return found + judge_network(name, seen) + read_probe(name, done) + compare(name, done, before, time.time())


@contextmanager
def _witness() -> Iterator[str]:
    """Give the name of a file in the home of this user that is there meanwhile; '' where none can be."""
    try:
        file = tempfile.NamedTemporaryFile(prefix=".biskit_pvm-", dir=os.path.expanduser("~"))
    except OSError:
        yield ""
        return
    with file:
        yield os.path.basename(file.name)


def explain_name(host: str, address: str, error: OSError) -> Finding:
    """Turn what the system says of a name that it does not know into a finding."""
    remedy = f"correct the name, or put its address into /etc/hosts; try: getent hosts {address}"
    return Finding(host, "name", ERROR, f"no such name: {address} ({error.args[-1]})", remedy)


def other_machine(host: str) -> Finding:
    """Say that a host cannot be taken in since it is in another virtual machine."""
    return Finding(
        host, "PVM", ERROR, "a daemon of yours runs there already, which belongs to another virtual machine",
        f"on {host}: biskit-pvm halt    (ends what runs there); or start this one there and add this host from it",
    )  # fmt: skip


def judge_network(host: str, found: reach.Reach) -> list[Finding]:
    """Turn what arrived here and there into findings."""
    if found.udp_there is None:
        return []
    remedy = "let the firewalls on both hosts, and between them, pass {} on all ports; try: nft list ruleset"
    udp, tcp = reach.barrier(found, host)
    findings = []
    if udp:
        text = f"{udp}: PVM would take the host in and declare it dead after three minutes"
        findings.append(Finding(host, "network", ERROR, text, remedy.format("UDP")))
    if tcp:
        findings.append(Finding(host, "network", WARNING, tcp, remedy.format("TCP")))
    return findings or [Finding(host, "network", OK, "UDP and TCP arrive in both directions")]


def explain_ssh(host: str, program: str, words: str, login: str | None = None) -> Finding:
    """Turn what ssh says when it fails into a finding.

    Parameters
    ----------
    host : str
    program : str
        The program that was run.
    words : str
        What it wrote to standard error.
    login : str, optional
        Name of the user there.
    """
    target = f"{login}@{host}" if login else host
    known = (
        ("REMOTE HOST IDENTIFICATION HAS CHANGED", "its host key is not the one that is known",
         f"find out why; if it is right: ssh-keygen -R {host} && ssh {target} true"),
        ("Host key verification failed", "its host key is not known here",
         f"ssh {target} true    (compare the fingerprint, then answer yes)"),
        ("Permission denied", "ssh asks for a password, which PVM cannot give", f"ssh-copy-id {target}"),
        ("Too many authentication failures", "ssh asks for a password, which PVM cannot give", f"ssh-copy-id {target}"),
        ("Connection refused", "no ssh server runs there", f"on {host}: apt-get install openssh-server"),
        ("No route to host", "there is no route to it: it is down, or its cable is out", f"ping {host}"),
        ("Network is unreachable", "this host has no network that leads there", "ip route"),
        ("timed out", "it does not answer: it is down, or a firewall drops what is sent", f"ping {host}"),
        ("Connection closed", "it closed the connection", f"ssh -v {target} true"),
    )  # fmt: skip
    for sign, text, remedy in known:
        if sign in words:
            return Finding(host, "ssh", ERROR, text, remedy)
    said = " ".join(words.split()) or "nothing"
    return Finding(host, "ssh", ERROR, f"{program} failed; it said: {said[:300]}", f"ssh -v {target} true")


CLOCKS_APART = 5.0
"""Seconds of difference between two clocks that are worth a word."""


def compare(host: str, output: str, before: float, after: float) -> list[Finding]:
    """Say where a host differs from this one in what slaves may rely on.

    Parameters
    ----------
    host : str
    output : str
        What the probe printed there.
    before, after : float
        Time here in s since the epoch when the probe was started, and when it had ended.
    """
    found = []
    values = dict(line.partition(" ")[::2] for line in output.splitlines())

    def warn(subject: str, text: str, remedy: str) -> None:
        found.append(Finding(host, subject, WARNING, text, remedy))

    version = values.get("version", "")
    ours = sys.version.split()[0]
    if version and version.split(".")[:2] != ours.split(".")[:2]:
        warn("Python", f"it is Python {version} there and {ours} here: functions do not travel between the two",
             f"on {host}: put Python {ours} at {sys.executable}")  # fmt: skip
    package = values.get("package", "")
    here = sys.modules[__name__.partition(".")[0]].__version__  # the package is loaded, and is no room of this one
    if package and package != here:
        warn("package", f"biskit_pvm is {package} there and {here} here",
             f"on {host}: install biskit_pvm {here}, from the same wheel or clone, for {sys.executable}")  # fmt: skip
    if values.get("clock", "").isdigit():
        clock = int(values["clock"])
        apart = max(before - (clock + 1), clock - after)
        if apart > CLOCKS_APART:
            way = "behind" if clock < before else "ahead"
            warn("clock", f"its clock is {apart:.0f} s {way}: dates of files and logs mislead",
                 f"on {host}: timedatectl set-ntp true")  # fmt: skip
    address, _, own = values.get("ownname", "").partition(" ")
    if address.startswith("127."):
        warn("name", f"its own name, {own}, is {address} there: a virtual machine that is started there by other "
             "means than biskit-pvm can take in no other host",
             f"on {host}: put its address into /etc/hosts in place of {address}")  # fmt: skip
    kind, _, home = values.get("home", "").partition(" ")
    if kind == "other":
        warn("home", f"{home} there is not your home here: scripts, modules and data are needed at the same paths "
             "on both", "share the folder of the calculation, as by NFS, or copy it to each host")  # fmt: skip
    return found


def read_probe(host: str, output: str) -> list[Finding]:
    """Turn what the probe printed on a host into findings."""
    found = []

    def tell(subject: str, level: str, text: str, remedy: str = "") -> None:
        found.append(Finding(host, subject, level, text, remedy))

    rows = [line.partition(" ")[::2] for line in output.splitlines()]
    for subject, value in rows:
        state, _, path = value.partition(" ")
        if subject == "tmp" and state == "unwritable":
            tell("files", ERROR, f"{path} cannot be written to", f"on {host}: ls -ld {path}")
        elif subject == "tmp" and state == "full":
            tell("files", ERROR, f"{path} is full", f"on {host}: du -xs {path}/* | sort -n")
        elif subject == "tmp" and state == "stale":
            tell("files", WARNING, f"{path} is left from a daemon that was killed", f"biskit-pvm clean {host}")
        elif subject == "tmp" and state == "planted":
            tell("files", ERROR, f"{path} is somebody else's, or no ordinary file", f"remove it, or {planted.REMEDY}")
        elif subject == "tmp" and state == "running":
            tell("files", OK, "a daemon of yours runs there already")
    words = [value for subject, value in rows if subject == "pvmd"]
    tell("PVM", *_judge_daemon(host, words))
    values = dict(rows)
    if values.get("python") != "found":
        tell("Python", ERROR, f"there is no {sys.executable}",
             f"on {host}: put Python there, by a folder that the hosts share or by the same installation")  # fmt: skip
    else:
        tell("Python", OK, sys.executable)
        if "package" in values:
            tell("package", OK, f"biskit_pvm {values['package']}")
        else:
            said = next((line for line in output.splitlines()[::-1] if "Error" in line), "it said nothing")
            tell("package", ERROR, f"{sys.executable} cannot import biskit_pvm: {said}",
                 f"on {host}: install it, from the same wheel or clone, for {sys.executable}")  # fmt: skip
    if values.get("xterm") != "found":
        tell("xterm", WARNING, "there is no xterm, so show_output=1 has no windows from there",
             f"on {host}: apt-get install xterm")  # fmt: skip
    return found


def _judge_daemon(host: str, words: Sequence[str]) -> tuple[str, str, str]:
    said = " ".join(word for word in words if word)
    for word in words:
        if word.startswith("ddpro<"):
            protocol = int(word[len("ddpro<") :].split(">")[0])
            if protocol == DAEMON_PROTOCOL:
                return OK, "its pvmd starts", ""
            return (
                ERROR,
                f"its pvmd speaks version {protocol} of the protocol, ours {DAEMON_PROTOCOL}",
                (VERSION_REMEDY.format(host=host)),
            )
    if 'as user "root"' in said:
        return (
            ERROR,
            "PVM refuses to run as root there",
            (
                f"use another account (lo=NAME); or on {host}, for shells without login: PVM_ALLOW_ROOT=1, as by "
                "SetEnv in its sshd_config"
            ),
        )
    if "not found" in said and "shared librar" not in said:
        return (
            ERROR,
            "PVM is not installed there (no pvmd)",
            (f"on {host}: apt-get install pvm; or name the program: biskit-pvm add '{host} dx=/path/to/pvmd'"),
        )
    return ERROR, f"its pvmd does not start; it said: {said[:300] or 'nothing'}", f"ssh {host} pvmd"
