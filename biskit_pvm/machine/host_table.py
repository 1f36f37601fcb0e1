"""Hosts of the virtual machine: add them, take them out."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import NamedTuple, Optional

import pvm_ext
from biskit_pvm.machine import agent, daemon, doctor, names, reach
from biskit_pvm.machine.tags import Tag
from pvm_ext.errors import error_for

OPTIONS = ("lo", "so", "dx", "ep", "wd", "sp", "bx", "ip", "id")
"""The options of a host file's lines and of the strings that `add` takes."""

ANSWER_TIME = 2.0
"""Seconds after which those hosts are added that have let us in."""

PATIENCE = 20.0
"""Seconds that the others have for letting us in, by default."""

LATE_TIME = 60.0
"""Seconds that a host has which nobody waits for."""

MOST_AT_ONCE = 64
"""So many hosts are looked at, each by an ssh, at a time."""

ADD_TIME = 240.0
"""Seconds that another task's adding of hosts is waited for."""


DELETE_TIME = 10.0
"""Seconds that PVM may take to take out a host that it has agreed to."""


class HostResult(NamedTuple):
    """What became of one host.

    Attributes
    ----------
    host : str
        Its name.
    code : int
        The tid of its daemon (0 when it was taken out), or a negative error code.
    error : str
        Name and meaning of the error, '' when all is well.
    remedy : str
        What is wrong in plain words, and what mends it.
    late : bool
        Whether the host has not said anything in time, and may still.
    """

    host: str
    code: int
    error: str = ""
    remedy: str = ""
    late: bool = False

    @property
    def ok(self) -> bool:
        """Whether the host is in the machine (or out of it) as wanted."""
        return self.code >= 0

    def __str__(self) -> str:
        if self.ok:
            return f"{self.host}: t{self.code:x}" if self.code else self.host
        text = f"{self.host}: {self.error} ({self.code})"
        return f"{text}\n    {self.remedy}" if self.remedy else text


_Seen = dict[str, Optional[HostResult]]


def add(hosts: Iterable[str], patience: float = PATIENCE, leave_late: bool = False) -> list[HostResult]:
    """Add hosts to the virtual machine: at once all that let us in at once, then the slow ones.

    Each is looked at before (see `reach.look`), so that one which is down or behind a firewall
    holds up nobody, and PVM is asked only for hosts that it can use.

    Parameters
    ----------
    hosts : iterable of str
        Names, each with options as in a host file if needed: ``'node1 lo=me dx=/opt/pvmd'``.
    patience : float
        Seconds that a host has for letting us in.
    leave_late : bool
        Wait for no host that needs much longer than others.

    Returns
    -------
    list of HostResult
        One per name, in their order.  A host that is there already is well, also under
        another of its names.

    Raises
    ------
    PvmError
        SysErrError when no daemon runs here.
    """
    specifications = [spec.strip() for spec in hosts if spec.strip()]
    known = pvm_ext.config().hosts
    results: dict[str, HostResult] = {}
    wanted = []
    for spec in dict.fromkeys(specifications):
        there = names.find(spec.split()[0], known)
        if there is not None:
            results[spec] = HostResult(spec.split()[0], there.dtid)
        else:
            wanted.append(spec)
    if wanted and known[0].dtid == pvm_ext.tidtohost(pvm_ext.mytid()) and not daemon.uses_loopback():
        # It is the first host's daemon that starts the others.
        looks = _Looks(wanted, patience)
        seen = looks.first()
        results.update(_add_seen(seen))
        if leave_late:
            results.update({spec: _late(spec.split()[0]) for spec in wanted if spec not in seen})
        else:
            results.update(_add_seen(looks.rest()))
    else:
        results.update(_add_and_explain(wanted))
    return [results[spec] for spec in specifications]


def _threads(number: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max(1, min(MOST_AT_ONCE, number)))


class _Looks:
    """Looks at hosts, all at once."""

    def __init__(self, specifications: Sequence[str], patience: float) -> None:
        self._started = time.monotonic()
        pool = _threads(len(specifications))
        self._pending = {pool.submit(_look_at, spec, patience): spec for spec in specifications}
        pool.shutdown(wait=False)

    def first(self) -> _Seen:
        """Return what there is after `ANSWER_TIME`, or four times what the quickest good host has needed.

        So on a computer that is busy itself good hosts are not taken for slow ones.
        """
        seen: _Seen = {}
        limit: float | None = None
        while self._pending:
            left = None if limit is None else max(self._started + limit - time.monotonic(), 0.0)
            done, _ = wait(self._pending, left, FIRST_COMPLETED)
            if not done:
                break
            fresh = self._take(done)
            seen.update(fresh)
            if limit is None and None in fresh.values():
                limit = max(ANSWER_TIME, 4 * (time.monotonic() - self._started))
        return seen

    def rest(self) -> _Seen:
        """Return what has been missing then."""
        return self._take(wait(self._pending).done)

    def _take(self, done: Iterable[Future[HostResult | None]]) -> _Seen:
        return {self._pending.pop(future): future.result() for future in list(done)}


def _add_seen(seen: _Seen) -> dict[str, HostResult]:
    """Have PVM add the hosts that it can use; return what became of all that were looked at."""
    added = _add_and_explain([spec for spec, refusal in seen.items() if refusal is None])
    return {**{spec: refusal for spec, refusal in seen.items() if refusal is not None}, **added}


def _late(name: str) -> HostResult:
    finding = doctor.explain_ssh(name, "ssh", "timed out")
    return _refused(name, pvm_ext.Code.CANT_START, finding)._replace(late=True)


def _look_at(specification: str, patience: float) -> HostResult | None:
    """Look at a host before it is added; return what there is to say of one that PVM cannot use."""
    name, *options = specification.split()
    given = dict(word.split("=", 1) for word in options if "=" in word)
    address = given.get("ip", name)
    try:
        socket.gethostbyname(address)
    except OSError as error:
        return _refused(name, pvm_ext.Code.NO_HOST, doctor.explain_name(name, address, error))
    found = reach.look(name, options, patience)
    if found.failure:
        finding = doctor.explain_ssh(name, "ssh", found.failure, given.get("lo"))
        return _refused(name, pvm_ext.Code.CANT_START, finding)._replace(late=found.late)
    if found.other_machine:
        return _refused(name, pvm_ext.Code.DUP_HOST, doctor.other_machine(name))
    barriers = [finding for finding in doctor.judge_network(name, found) if finding.level == doctor.ERROR]
    return _refused(name, pvm_ext.Code.HOST_FAIL, barriers[0]) if barriers else None


def _refused(name: str, code: int, finding: doctor.Finding) -> HostResult:
    return HostResult(name, int(code), meaning(int(code)), doctor.in_words(finding))


def _add_and_explain(specifications: Sequence[str]) -> dict[str, HostResult]:
    """Have PVM add hosts; those that it does not list afterwards were not added, whatever it says."""
    if not specifications:
        return {}
    codes = dict(zip(specifications, _add(specifications)))
    known = pvm_ext.config().hosts
    results, failed = {}, {}
    for spec in specifications:
        there = names.find(spec.split()[0], known)
        if there is not None:
            results[spec] = HostResult(spec.split()[0], there.dtid)
        else:
            failed[spec] = codes[spec] if codes[spec] < 0 else int(pvm_ext.Code.HOST_FAIL)
    with _threads(len(failed)) as pool:
        results.update(zip(failed, pool.map(_explain, failed, failed.values())))
    return results


def add_by_agent(hosts: Iterable[str]) -> list[HostResult]:
    """Add hosts, by a process that may wait for that while this one receives messages; see `add`.

    A daemon is started here where none runs.  Nobody waits for hosts that are late: they are added
    when they let us in, and the virtual machine tells whoever asks for news of hosts.
    """
    daemon.ensure_running()
    specifications = [spec.strip() for spec in hosts if spec.strip()]
    results: list[HostResult] = agent.pool().call("add_hosts_here", specifications, PATIENCE, True)
    late = [spec for spec, result in zip(specifications, results) if result.late]
    if late:
        agent.pool().submit("add_hosts_here", late, LATE_TIME)
    return results


def _add(specifications: Sequence[str]) -> list[int]:
    """Call addhosts once nobody else does."""
    if daemon.uses_loopback():
        # PVM knows only 127.0.0.1 as such; from 127.0.1.1 its daemon dies in the attempt.
        return [int(pvm_ext.Code.IP_LOOPBACK)] * len(specifications)
    end, pause = time.monotonic() + ADD_TIME, 0.05
    while True:
        try:
            codes: list[int] = pvm_ext.addhosts(specifications)
            return codes
        except pvm_ext.AlreadyError:
            # PVM adds for one task at a time, and does not tell when it is done.
            if time.monotonic() > end:
                raise
        time.sleep(pause)
        pause = min(2 * pause, 2.0)


def hosts_in_file(path: str | os.PathLike[str]) -> list[str]:
    """Return what is to be added of a host file that the daemon was started with or not.

    Lines that begin with ``&`` are for later; the options of ``*`` lines hold for the hosts
    that follow.  Options that the daemon read from the same file are not given twice.
    """
    defaults: list[str] = []
    found = []
    for line in Path(path).read_text().splitlines():
        words = line.split("#")[0].split()
        if not words or words[0][0] in "&$":
            continue
        if words[0] == "*":
            defaults = words[1:]
        elif not names.is_local(words[0]):
            own = {word.split("=")[0] for word in words[1:]}
            found.append(" ".join([*words, *(word for word in defaults if word.split("=")[0] not in own)]))
    return found


def delete(hosts: Iterable[str]) -> list[HostResult]:
    """Take hosts out of the virtual machine; the tasks there are ended.

    Returns
    -------
    list of HostResult
        One per name, in their order; with code 0 when it is out, also when it never was
        in.
    """
    known = pvm_ext.config().hosts
    results = []
    for name in hosts:
        there = names.find(name, known)
        if there is None:
            results.append(HostResult(name, 0))
            continue
        pvm_ext.notify(pvm_ext.Notify.HOST_DELETE, Tag.DELETION_DONE, [there.dtid])
        code = pvm_ext.delhosts([there.name])[0]
        if code >= 0:
            # PVM answers before it has taken the host out.
            pvm_ext.recv_frames(-1, Tag.DELETION_DONE, DELETE_TIME)
        if code >= 0 or code == pvm_ext.Code.NO_HOST:
            results.append(HostResult(name, 0))
        elif code == pvm_ext.Code.BAD_PARAM:
            remedy = "PVM was started there, and that host cannot be taken out; end it all with: biskit-pvm halt"
            results.append(HostResult(name, code, meaning(code), remedy))
        else:
            results.append(HostResult(name, code, meaning(code)))
    return results


def delete_by_agent(hosts: Iterable[str]) -> list[HostResult]:
    """Take hosts out, by a process that may wait for that while this one receives messages; see `delete`."""
    daemon.ensure_running()
    results: list[HostResult] = agent.pool().call("delete_hosts_here", list(hosts))
    return results


def meaning(code: int) -> str:
    """Return name and meaning of an error code, as in ``PvmNoHost (No such host)``."""
    error = error_for(code, None, None)
    return f"Pvm{error.name} ({error.text})"


# ------------------------------------------------------------------------- what is wrong


def _explain(specification: str, code: int) -> HostResult:
    """Find out why a host could not be added."""
    name, *options = specification.split()
    if code == pvm_ext.Code.BAD_PARAM:
        wrong = [word for word in options if word.split("=")[0] not in OPTIONS or "=" not in word]
        allowed = " ".join(f"{option}=" for option in OPTIONS)
        remedy = f"PVM does not know the option {' '.join(wrong)}; it knows {allowed}" if wrong else ""
    elif code == pvm_ext.Code.IP_LOOPBACK:
        remedy = doctor.loopback_remedy()
    elif code == pvm_ext.Code.BAD_VERSION:
        remedy = doctor.VERSION_REMEDY.format(host=name)
    elif code == pvm_ext.Code.OUT_OF_RES:
        remedy = "the virtual machine is full; PVM takes 4095 hosts"
    else:
        remedy = doctor.why_not_added(name, options)
    return HostResult(name, code, meaning(code), remedy)
