"""Clean up behind virtual machines and calculations that did not end by themselves.

Only what belongs to the calling user is touched, and nothing of a daemon that lives,
unless it is asked for.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from biskit_pvm.machine import doctor, names, planted, remote, shared_memory

# The kernel lists the sockets that are open; that of a daemon which was killed is only a
# file.  The number in its name tells little: daemons on other hosts have forked since.
_COMMON = """
alive() {
    awk -v path="$1" '$NF == path {found = 1} END {exit !found}' /proc/net/unix
}
"""

# How the script marks what is not this user's, or no ordinary file.
_PLANTED = "planted: "

_FILES = (
    _COMMON
    + """
mine() {
    ! test -h "$1" && test "$2" "$1" && test -O "$1"
}
for d in @SHARED@*; do
    if mine "$d" -d && flock -n -x "$d/alive" true 2> /dev/null; then @REMOVE_FOLDER@ "$d" && echo "$d"; fi
done
cd @FOLDER@ || exit
for a in pvmd.$(id -u) pvml.$(id -u) pvmd.$(id -u).* pvml.$(id -u).*; do
    if test -h "$a" || { test -e "$a" && ! mine "$a" -f; }; then echo "@PLANTED@$PWD/$a"; fi
done
for a in pvmd.$(id -u) pvmd.$(id -u).*; do
    mine "$a" -f || continue
    p=$(cat "$a")
    alive "$p" && continue
    @REMOVE@ "$a" && echo "$a"
    if mine "$p" -S; then @REMOVE@ "$p" && echo "$p"; fi
    l=pvml${a#pvmd}
    if mine "$l" -f; then @REMOVE@ "$l" && echo "$l"; fi
done
for s in pvmtmp*.*; do
    mine "$s" -S || continue
    alive "$PWD/$s" || { @REMOVE@ "$s" && echo "$s"; }
done
exit 0
"""
)

_TASKS = (
    _COMMON
    + """
for e in /proc/[0-9]*/environ; do
    test -O "$e" || continue
    p=${e#/proc/}; p=${p%/environ}
    test "$p" != $$ || continue
    s=$(tr '\\0' '\\n' < "$e" 2> /dev/null | sed -n 's/^PVMSOCK=//p')
    test -n "$s" || continue
    if ! @ALL@ && alive "$s"; then continue; fi
    c=$(tr '\\0' ' ' < "/proc/$p/cmdline" 2> /dev/null)
    @END@ "$p" 2> /dev/null && echo "$p $c"
done
exit 0
"""
)


class Cleaned(NamedTuple):
    """What was done on one host.

    Attributes
    ----------
    host : str
    removed : list of str
        The files that were removed, or the processes that were ended (``'pid command'``).
    error : str
        Why nothing could be done there; '' when all is well.
    """

    host: str
    removed: list[str]
    error: str = ""


def remove_files(hosts: Iterable[str], dry_run: bool = False) -> list[Cleaned]:
    """Remove files that daemons and programs have left behind which were killed, on all hosts at once.

    These are the address file, its socket and the log of each daemon, in ``PVM_TMP`` (/tmp), and the folders of
    shared objects that no process uses any more (`biskit_pvm.machine.shared_memory`).

    Parameters
    ----------
    hosts : iterable of str
        Names, each with options as in a host file if needed.
    dry_run : bool
        Only tell what would be removed.
    """
    return [_told(cleaned) for cleaned in _everywhere(files_script(dry_run), hosts)]


def files_script(dry_run: bool = False) -> str:
    """Return the script by which `remove_files` does its work on a host."""
    folder = shlex.quote(os.environ["PVM_TMP"]) if "PVM_TMP" in os.environ else '"${PVM_TMP:-/tmp}"'
    words = {
        "@FOLDER@": folder,
        "@SHARED@": f"{shared_memory.FOLDER}/{shared_memory.prefix('$(id -u)')}",
        "@REMOVE@": "test -e" if dry_run else "rm -f --",
        "@REMOVE_FOLDER@": "test -d" if dry_run else "rm -rf --",
        "@PLANTED@": _PLANTED,
    }
    script = _FILES
    for word, value in words.items():
        script = script.replace(word, value)
    return script


def _told(cleaned: Cleaned) -> Cleaned:
    names = [line[len(_PLANTED) :] for line in cleaned.removed if line.startswith(_PLANTED)]
    if not names:
        return cleaned
    removed = [line for line in cleaned.removed if not line.startswith(_PLANTED)]
    error = f"{', '.join(names)}: somebody else's, or no ordinary file; left alone. Remove it, or {planted.REMEDY}"
    return cleaned._replace(removed=removed, error=error)


def end_slaves(hosts: Iterable[str], living: bool = False, dry_run: bool = False) -> list[Cleaned]:
    """End processes that tasks of PVM have left behind, on all hosts at once.

    A process is known as such by its environment: slaves have it from their daemon, and
    programs have it from the slaves that started them.

    Parameters
    ----------
    hosts : iterable of str
        Names, each with options as in a host file if needed.
    living : bool
        End also those whose daemon still runs, so all slaves of all calculations of this
        user.
    dry_run : bool
        Only tell which would be ended.
    """
    script = _TASKS.replace("@ALL@", "true" if living else "false")
    return _everywhere(script.replace("@END@", "kill -0" if dry_run else "kill -s KILL"), hosts)


def _everywhere(script: str, hosts: Iterable[str]) -> list[Cleaned]:
    def clean(specification: str) -> Cleaned:
        name, *options = specification.split()
        try:
            lines = remote.run_script(script, None if names.is_local(name) else name, options).splitlines()
        except remote.RemoteError as error:
            return Cleaned(name, [], doctor.explain_ssh(name, error.program, str(error)).text)
        return Cleaned(name, [line.strip() for line in lines])

    wanted = list(dict.fromkeys(hosts))
    with ThreadPoolExecutor(max(1, min(32, len(wanted)))) as pool:
        return list(pool.map(clean, wanted))
