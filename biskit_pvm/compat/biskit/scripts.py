"""Biskit's console scripts for PVM, under their old names: ``restartPVM.py``, ``rm_pvm.py`` and ``killpp.py``."""

from __future__ import annotations

import getpass
import io
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from biskit_pvm.files import write_atomically

_RESTART_HELP = """\
Restart a distributed calculation.
Syntax:  restartPVM.py -i |rst_file| [-a] [-o |result_file|] [-t]
Options:
         i  .. restart file, written by TrackingJobMaster.saveRst()
         a  .. add hosts to PVM
         o  .. pickle the result into this file; needed unless the master
               saves it in a method done() of its own
         t  .. trust the file although you have not written it, or not with
               this version: it can run anything
"""
_KILL_HELP = """\
kill all processes containing a given phrase on all hosts
Syntax: killpp.py -n |part_of_name| [-a -f
                  -h |host1 host2 host3 ..| -e |host4 host5 ..|]
        -n ... search phrase
        -a ... kill all without asking
        -f ... don't ask anything at all
        -h ... only look on these hosts  (default: all)
        -e ... exclude one or more hosts from killing
"""


def _options(argv: Sequence[str] | None, defaults: dict[str, Any], text: str) -> dict[str, Any]:
    from biskit_pvm.compat.biskit.tools import get_cmdDict

    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or arguments[0] in ("-help", "--help"):
        print(text, end="")
        sys.exit(0)
    return get_cmdDict(arguments, defaults)


def restart_pvm(argv: Sequence[str] | None = None) -> None:
    """
    Finish the calculation in a restart file: ``restartPVM.py -i file [-a] [-o result] [-t]``.

    The classes of the saved master may be old source; they are looked for where the script lay that saved them, and on
    ``PYTHONPATH``.

    Parameters
    ----------
    argv : sequence of str, optional
        Those of the process by default.
    """
    options = _options(argv, {}, _RESTART_HELP)
    path = options.get("i")
    if not isinstance(path, str) or not path:
        sys.exit(_RESTART_HELP)
    content = _trusted_content(path, trusted="t" in options)

    from biskit_pvm.compat.python2 import run
    from biskit_pvm.compat.python2.stdlib import pickles

    folder = os.path.dirname(os.path.realpath(path))
    run.prepare(folder)
    run.announce(2, folder)
    print("Loading restart data...", flush=True)
    data = pickles.load(io.BytesIO(content))

    from biskit_pvm import CalculationError, RestartError, TrackingJobMaster, restart

    output = options.get("o")
    try:
        master = restart(data, add_hosts=int("a" in options))
        if not isinstance(output, str) and type(master).done is TrackingJobMaster.done:
            master.exit()
            sys.exit("the result would be lost: say where to save it, by -o")
        print("Master initialized for restart.", flush=True)
        result = master.calculateResult()
    except (CalculationError, RestartError) as error:
        sys.exit(str(error))
    if isinstance(output, str):
        write_atomically(output, pickles.dumps(result, 2).encode("latin1"))


def _trusted_content(path: str, trusted: bool) -> bytes:
    """Read a restart file; one that is not sealed by this user is a program of somebody else's."""
    from biskit_pvm.errors import RestartError
    from biskit_pvm.restart import format
    from biskit_pvm.restart.file import read_whole
    from biskit_pvm.restart.key import own_key

    try:
        content = read_whole(path)
        if not trusted and not format.unpack(content, own_key()).sealed:
            sys.exit(
                f"{path} was written by somebody else, or by an older version; loading it could run anything. "
                "Say -t if you trust it."
            )
    except (OSError, RestartError) as error:
        sys.exit(f"cannot read {path}: {error}")
    except format.Damaged as error:
        sys.exit(f"{path} cannot be used: {error}. Say -t if it is a file of Biskit's own that you trust.")
    return content


def rm_pvm(argv: Sequence[str] | None = None) -> None:
    """
    Remove what dead pvmds have left in the temporary folder of all hosts: ``rm_pvm.py``.

    Unlike the script of old it keeps the files of a pvmd that lives.

    Parameters
    ----------
    argv : sequence of str, optional
        Not used.
    """
    from biskit_pvm import hosts
    from biskit_pvm.machine import cleaning

    answer = input("removing local /tmp/pvm* on ALL hosts! Continue? (Y/N)+ENTER: ")
    if answer.strip().upper() != "Y":
        print("Cancelled")
        return
    failed = False
    for result in cleaning.remove_files(hosts.nodes_all):
        print(result.host)
        for name in result.removed:
            print(f"  {name}")
        if result.error:
            failed = True
            print(f"  {result.error}", file=sys.stderr)
    sys.exit(failed)


def killpp(argv: Sequence[str] | None = None) -> None:
    """
    Kill this user's processes that have a phrase in their command line: ``killpp.py -n phrase``.

    Parameters
    ----------
    argv : sequence of str, optional
        Those of the process by default.
    """
    from biskit_pvm import hosts as host_file
    from biskit_pvm.compat.biskit.tools import toList

    options = _options(argv, {}, _KILL_HELP)
    phrase = options.get("n")
    if not isinstance(phrase, str) or not phrase:
        sys.exit(_KILL_HELP)
    hosts = toList(options["h"]) if "h" in options else list(host_file.nodes_all)
    hosts = [host for host in hosts if host not in toList(options.get("e", []))]
    ask, force = "a" not in options, "f" in options
    if not ask and not force and not _agreed(f"KILL All jobs matching '{phrase}' on all hosts?? Y/N "):
        sys.exit("Aborted.")
    failed = False
    for host in hosts:
        try:
            found = _processes(host, phrase)
            if not found:
                continue
            print(f"\n{host}:")
            for _, line in found:
                print(line)
            if force or not ask or _agreed("KILL Y/N "):
                _on_host(host, ["kill", "-9", *(str(pid) for pid, _ in found)])
        except KeyboardInterrupt:
            sys.exit("\nAborted.")
        except (OSError, subprocess.SubprocessError) as error:
            failed = True
            said = (getattr(error, "stderr", None) or str(error)).strip()
            print(f"Error killing on {host}: {said}", file=sys.stderr)
    sys.exit(failed)


def _agreed(question: str) -> bool:
    return input(question).strip().upper() == "Y"


def _on_host(host: str, words: list[str]) -> str:
    """Run a command; its words come from this module and are numbers otherwise."""
    if host not in ("localhost", socket.gethostname(), socket.gethostname().partition(".")[0]):
        words = ["ssh", "-o", "BatchMode=yes", host, " ".join(words)]
    done = subprocess.run(
        words, check=True, capture_output=True, encoding="utf-8", errors="replace", stdin=subprocess.DEVNULL, timeout=60
    )
    return done.stdout


def _processes(host: str, phrase: str) -> list[tuple[int, str]]:
    """This user's processes with the phrase in their command line, except this one and those that started it."""
    user = getpass.getuser()
    found = []
    for line in _on_host(host, ["ps", "-ww", "-e", "-o", "pid=,user:32=,args="]).splitlines():
        pid, owner, command = line.split(None, 2) if len(line.split(None, 2)) == 3 else ("0", "", "")
        if owner == user and phrase in command and "killpp" not in command:
            found.append((int(pid), line.strip()))
    return found
