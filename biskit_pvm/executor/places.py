"""Where the slaves of an executor are started."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from typing import NamedTuple

from biskit_pvm import hosts as hosts_file
from biskit_pvm.jobs.threads import usable_processors
from biskit_pvm.machine import host_table, names, task


class Places(NamedTuple):
    """Hosts for slaves.

    Attributes
    ----------
    hosts : list of str
        One entry per slave.
    unknown : frozenset of str
        Hosts whose number of processors only their first slave can tell; one for each is to follow.
    causes : dict
        {host: why it could not be added to the virtual machine}
    joins : bool
        Whether hosts were to be added.
    """

    hosts: list[str]
    unknown: frozenset[str] = frozenset()
    causes: dict[str, str] = {}
    joins: bool = False


def choose(max_workers: int | None, hosts: Sequence[str] | None, add_hosts: bool) -> Places:
    """Return where slaves are to run, after adding hosts that are missing.

    Parameters
    ----------
    max_workers : int or None
        How many slaves; None: one per entry.
    hosts : sequence of str, optional
        By default those of the user's host file, one entry per processor; without such a file all processors
        of the hosts in the virtual machine.
    add_hosts : bool
        Whether to add what is missing to the virtual machine.
    """
    if hosts is None and os.path.lexists(hosts_file.user_file()):
        hosts = hosts_file.read().cpus_all
    task.enrol()
    if hosts is None:
        return _in_machine(max_workers)
    causes = add_missing(hosts) if add_hosts else {}
    return Places(in_turns(hosts, max_workers or len(hosts)), causes=causes, joins=add_hosts)


def in_turns(hosts: Sequence[str], number: int) -> list[str]:
    """Return the hosts of so many slaves."""
    return list(itertools.islice(itertools.cycle(hosts), number))


def without(hosts: Sequence[str], removed: Sequence[str]) -> list[str]:
    """Return a list of hosts without some of them."""
    return [host for host in hosts if not any(names.is_same(host, other) for other in removed)]


def count(max_workers: int | None, hosts: Sequence[str] | None) -> int:
    """Return how many slaves there will be, as far as that is known without starting any."""
    if max_workers is not None:
        return max_workers
    if hosts is not None:
        return len(hosts)
    return len(choose(None, None, False).hosts)


def _in_machine(max_workers: int | None) -> Places:
    hosts = list(names.host_tids())
    if max_workers is not None:
        return Places(in_turns(hosts, max_workers))
    here = [name for name in hosts if names.is_own_host(name)]
    others = [name for name in hosts if name not in here]
    return Places(here * usable_processors() + others, unknown=frozenset(others))


def add_missing(hosts: Sequence[str]) -> dict[str, str]:
    """Add those hosts to the virtual machine that are not in it; return {host: why it could not be added}."""
    task.enrol()
    wanted = list(dict.fromkeys(hosts))
    known = names.host_tids(wanted)
    missing = [host for host in wanted if host not in known and not names.is_own_host(host)]
    if not missing:
        return {}
    return {
        result.host: "; ".join(part for part in (result.error, result.remedy) if part)
        for result in host_table.add_by_agent(missing)
        if not result.ok
    }
