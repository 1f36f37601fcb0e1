"""The user's host file, ``~/.biskit/hosts.py``.

The file is Python and sets some of the names below, for example::

    nodes_own = ['here', 'there']            # one entry per computer
    cpus_own = nodes_own * 4                 # one entry per CPU, that is, per slave
    nodes_shared = ['server']
    nice_dic['server'] = 10

Names that it does not set are derived from those that it sets.  Without a host file,
the only host is this computer, with all its cores.

==================  ==============================================================
nodes_own           your own computers, highest priority
nodes_shared        computers that you share with others
nodes_other         computers mainly used by others, lowest priority
nodes_all           all of them, in this order
cpus_own ...        the same with one entry per CPU, to be used as `hosts` of a master
nice_dic            {computer: niceness of slaves there}, with 'default'
ram_dic             {computer: memory in GB}, with 'default'
==================  ==============================================================

The file is read when one of the names is first used; ``from biskit_pvm.hosts import *``
uses them all.  A file that is written in Python 2 is translated, which needs fissix.
"""

from __future__ import annotations

import importlib
import os
import socket
import stat
from typing import Any, Callable, NamedTuple

NICE_DEFAULT = 19
NICE_OTHER = 17
RAM_DEFAULT = 0.5

_GROUPS = ("own", "shared", "other")


class HostsError(Exception):
    """The host file cannot be used; the message names the file and the line."""


class Hosts(NamedTuple):
    """The names that a host file sets; see the module for their meaning."""

    nodes_own: list[str]
    nodes_shared: list[str]
    nodes_other: list[str]
    nodes_all: list[str]
    cpus_own: list[str]
    cpus_shared: list[str]
    cpus_other: list[str]
    cpus_all: list[str]
    nice_dic: dict[str, int]
    ram_dic: dict[str, float]


__all__ = list(Hosts._fields)  # made by __getattr__


def run_source(source: bytes, path: str, names: dict[str, Any]) -> None:
    """Run the text of a host file, in the Python that it was written for."""
    # By its name, since what old scripts need stands on this module, not below it.
    importlib.import_module("biskit_pvm.compat.python2.host_file").run(source, path, names)


def user_file() -> str:
    """Return the path of the user's host file, whether it exists or not."""
    return os.path.join(os.path.expanduser("~"), ".biskit", "hosts.py")


def read(path: str | None = None, run: Callable[[bytes, str, dict[str, Any]], None] = run_source) -> Hosts:
    """Read a host file.

    Parameters
    ----------
    path : str, optional
        By default the user's, or none where the user has none.
    run : callable
        Runs the text of the file, given its path for messages, in a dict of names.

    Returns
    -------
    Hosts

    Raises
    ------
    HostsError
        When the file cannot be read or run, belongs to another user, may be changed by
        everybody, or sets a name to a wrong kind of value.
    """
    if path is None:
        path = user_file()
        if not os.path.lexists(path):
            return _complete({}, "")
    # As in the original the names exist, so that a file may add to them.
    names: dict[str, Any] = {f"{kind}_{group}": [] for kind in ("nodes", "cpus") for group in (*_GROUPS, "all")}
    names.update(
        nice_dic={"default": NICE_DEFAULT},
        ram_dic={"default": RAM_DEFAULT},
        __file__=path,
        __name__="hosts",
    )
    before = {name: list(value) for name, value in names.items() if isinstance(value, list)}
    source = _source(path)
    try:
        run(source, path, names)
    except SyntaxError as error:
        raise HostsError(f"{path}, line {error.lineno}: {error.msg}") from error
    except (Exception, SystemExit) as error:
        if isinstance(error, ImportError) and error.name == "fissix":
            # The text was taken for Python 2 because it is no Python 3; that may be a slip.
            text = f"{_slip(source)}; if this file is written in Python 2, install fissix: pip install fissix"
            raise HostsError(f"{path}, {text}") from error
        raise HostsError(f"{path}, line {_line(error, path)}: {type(error).__name__}: {error}") from error
    given = {name: names.get(name) for name in Hosts._fields}
    # An empty list that was there before the file says nothing.
    given = {name: value for name, value in given.items() if name not in before or value != before[name]}
    return _complete(given, path)


def _slip(source: bytes) -> str:
    try:
        compile(source, "", "exec", dont_inherit=True)
    except SyntaxError as error:
        return f"line {error.lineno}: {error.msg}"
    return "line 0: it cannot be read"


def _source(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            status = os.fstat(file.fileno())
            source = file.read()
    except OSError as error:
        raise HostsError(f"{path}: cannot be read: {error.strerror}") from error
    # It is run as the user's own code, so nobody else may have written it.
    if status.st_uid not in (os.getuid(), 0):
        raise HostsError(f"{path}: belongs to another user (uid {status.st_uid}), so it is not run")
    if status.st_mode & stat.S_IWOTH:
        raise HostsError(f"{path}: everybody may change it, so it is not run; to fix that: chmod o-w {path}")
    return source


def _line(error: BaseException, path: str) -> int:
    line = 0
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == path:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _complete(given: dict[str, Any], path: str) -> Hosts:
    """Derive what a file leaves out from what it gives."""
    for name, value in given.items():
        if name.endswith("_dic"):
            if not isinstance(value, dict) or not all(isinstance(number, (int, float)) for number in value.values()):
                raise HostsError(f"{path}, line {_where(path, name)}: {name} must be a dict of numbers by host name")
        elif not isinstance(value, (list, tuple)) or not all(isinstance(host, str) and host for host in value):
            raise HostsError(f"{path}, line {_where(path, name)}: {name} must be a list of host names")
    has_nodes = any(name.startswith(("nodes", "cpus")) for name in given)
    values: dict[str, Any] = {}
    for group in _GROUPS:
        nodes, cpus = given.get(f"nodes_{group}"), given.get(f"cpus_{group}")
        if nodes is None:
            nodes = list(dict.fromkeys(cpus or ()))
        if group == "own" and not has_nodes:
            nodes = [socket.gethostname()]
            cpus = nodes * (os.cpu_count() or 1)
        values[f"nodes_{group}"] = list(nodes)
        values[f"cpus_{group}"] = list(nodes if cpus is None else cpus)
    for kind in ("nodes", "cpus"):
        every = [host for group in _GROUPS for host in values[f"{kind}_{group}"]]
        values[f"{kind}_all"] = list(given.get(f"{kind}_all", every))
    nice = {host: NICE_OTHER for host in values["nodes_other"]}
    nice.update({host: 0 for group in ("shared", "own") for host in values[f"nodes_{group}"]})
    values["nice_dic"] = {"default": NICE_DEFAULT, **nice, **given.get("nice_dic", {})}
    values["ram_dic"] = {"default": RAM_DEFAULT, **given.get("ram_dic", {})}
    return Hosts(**values)


def _where(path: str, name: str) -> int:
    """Return the last line of a file that begins with a name, for messages."""
    import contextlib

    line = 0
    with contextlib.suppress(OSError), open(path, encoding="utf-8", errors="replace") as file:
        for number, text in enumerate(file, 1):
            if text.lstrip().startswith(name):
                line = number
    return line


def __getattr__(name: str) -> Any:
    if name not in Hosts._fields:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = read()
    # From now on they are plain names, which a script may assign as well.
    for field, value in found._asdict().items():
        globals().setdefault(field, value)
    return globals()[name]


def __dir__() -> list[str]:
    return sorted({*globals(), *Hosts._fields})
