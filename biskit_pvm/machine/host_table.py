"""Hosts of the virtual machine: add them, take them out."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pvm_ext
from biskit_pvm.machine import agent, daemon, doctor, names
from biskit_pvm.machine.tags import Tag
from pvm_ext.errors import error_for

OPTIONS = ("lo", "so", "dx", "ep", "wd", "sp", "bx", "ip", "id")
"""The options of a host file's lines and of the strings that `add` takes."""

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
    """

    host: str
    code: int
    error: str = ""
    remedy: str = ""

    @property
    def ok(self) -> bool:
        """Whether the host is in the machine (or out of it) as wanted."""
        return self.code >= 0

    def __str__(self) -> str:
        if self.ok:
            return f"{self.host}: t{self.code:x}" if self.code else self.host
        text = f"{self.host}: {self.error} ({self.code})"
        return f"{text}\n    {self.remedy}" if self.remedy else text


def add(hosts: Iterable[str]) -> list[HostResult]:
    """Add hosts to the virtual machine, all at once.

    Parameters
    ----------
    hosts : iterable of str
        Names, each with options as in a host file if needed: ``'node1 lo=me dx=/opt/pvmd'``.

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
    codes = {}
    wanted = []
    for spec in dict.fromkeys(specifications):
        there = names.find(spec.split()[0], known)
        if there is not None:
            codes[spec] = there.dtid
        else:
            wanted.append(spec)
    if wanted:
        for spec, code in zip(wanted, _add(wanted)):
            codes[spec] = code
        known = pvm_ext.config().hosts
        for spec in wanted:
            there = names.find(spec.split()[0], known)
            if codes[spec] < 0 and there is not None:
                codes[spec] = there.dtid
    failed = [spec for spec in wanted if codes[spec] < 0]
    with ThreadPoolExecutor(max(1, min(32, len(failed)))) as pool:
        failures = dict(zip(failed, pool.map(lambda spec: _explain(spec, codes[spec]), failed)))
    return [failures.get(spec) or HostResult(spec.split()[0], codes[spec]) for spec in specifications]


def add_by_agent(hosts: Iterable[str]) -> list[HostResult]:
    """Add hosts, by a process that may wait for that while this one receives messages; see `add`.

    A daemon is started here where none runs.
    """
    daemon.ensure_running()
    results: list[HostResult] = agent.pool().call("add_hosts_here", list(hosts))
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
