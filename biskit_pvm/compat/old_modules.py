"""
The modules of PVM as translated code sees them.

Strings are 8-bit, an error of PVM has its short name and is its number, objects travel as text of a pickle, and each module
has the names that its star import brought in Biskit 2.4.3, those that got there by accident included: scripts used them.
What is newer can be had as an attribute and is not among them. Code of Python 3 sees the modules themselves.
"""

from __future__ import annotations

import functools
import importlib
import operator
import os
import types
from collections.abc import Iterable
from typing import Any, Callable

import pvm_ext
from biskit_pvm.compat import pypvm
from biskit_pvm.compat.python2 import registry
from biskit_pvm.compat.python2.builtins.hash_tables import table_order
from biskit_pvm.compat.python2.builtins.strings import as_bytes, as_text, to_repr
from biskit_pvm.compat.python2.registry import StandIn
from biskit_pvm.machine.packing import Pickling
from biskit_pvm.Status import Status
from pvm_ext.errors import BadParamError

_DEFAULT = int(pypvm.data["default"])


def seen(name: str, module: Any = None) -> types.ModuleType:
    """
    Give a module as old code sees it.

    Parameters
    ----------
    name : str
        Its old name, such as 'pypvm' or 'Biskit.PVM.hosts'.
    module : module, optional
        The one that has the name today; not needed for pypvm.

    Returns
    -------
    module
        The same one, where there is no difference.
    """
    part = name.rpartition(".")[2]
    _let_errors_be_numbers()
    Pickling.dumps, Pickling.loads = _dumped, _loaded  # type: ignore[method-assign, assignment]
    Status.arranged = staticmethod(_arranged)  # type: ignore[method-assign]
    if part in ("pypvm", "pypvm_core"):
        return _pypvm
    if name not in _seen and name.startswith("Biskit.PVM.") and part in _NAMES:
        before, names, late = _CHANGED.get(part, _unchanged)()
        elsewhere = {each: make for each, make in _LATE.items() if each not in getattr(module, "__all__", ())}
        _seen[name] = _Seen(module, name, names, {**elsewhere, **late}, _NAMES[part].split())
        before()
    found: types.ModuleType = _seen.get(name, module)
    return found


_seen: dict[str, types.ModuleType] = {}


class _Seen(StandIn):
    """A module with names that are made when they are asked for, and with what its star import brings."""

    def __init__(
        self,
        real: types.ModuleType,
        name: str,
        names: dict[str, Any],
        late: dict[str, Callable[[], Any]],
        public: Iterable[str],
    ) -> None:
        super().__init__(real, names, name=name)
        self.__dict__.update(_late=late, __all__=list(public))

    def __getattr__(self, name: str) -> Any:
        if name in self._late and name in self.__all__:
            value = self.__dict__[name] = self._late[name]()
            return value
        return super().__getattr__(name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._late.pop(name, None)
        super().__setattr__(name, value)


# -- pypvm


def _dumped(obj: Any, protocol: int = 0) -> bytes:
    """Return the text of an object's pickle, as Python 2 would have written it: always in protocol 0."""
    return as_bytes(registry.make("cPickle").dumps(obj))  # type: ignore[union-attr]


def _loaded(data: bytes) -> Any:
    """Return the object of a pickle, whoever has written it."""
    return registry.make("cPickle").loads(as_text(data))  # type: ignore[union-attr]


def _arranged(items: list[Any], one_by_one: bool = False) -> list[Any]:
    """Give the order in which a dictionary of Python 2 listed its keys."""
    return table_order(items, updated=one_by_one)


def _pack_object(obj: Any) -> None:
    """Pack any object, as a string that holds the text of its pickle."""
    pypvm.pkstr(_dumped(obj))


def _unpack_object() -> Any:
    """Unpack an object of `pk` or ``pvm.pack``, also of a Python 3 program's."""
    if not pypvm.getrbuf():
        raise BadParamError(-2, "upkstr")
    return _loaded(as_bytes(pypvm.upkbytestr()))


def _with_bytes(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let a function of pypvm take 8-bit strings, alone and in lists."""

    @functools.wraps(function)
    def call(*args: Any, **named: Any) -> Any:
        return function(*map(_bytes, args), **{key: _bytes(value) for key, value in named.items()})

    return call


def _bytes(value: Any) -> Any:
    if isinstance(value, str):
        return as_bytes(value)
    if type(value) in (list, tuple):
        return [as_bytes(item) if isinstance(item, str) else item for item in value]
    return value


_pypvm = StandIn(
    pypvm,
    {
        "pk": _pack_object,
        "upk": _unpack_object,
        "upkstr": lambda *ignored: as_text(pvm_ext.upkstr(raw=True)),
        "catchout": pypvm.catchout,
        "addmhf": pypvm.addmhf,
        "recvf": pypvm.recvf,
    },
    _with_bytes,
    name="pypvm",
)

#: codes to the names that pypvm had for them, where PVM has others today
_OLD_NAMES = {-8: "DupEntry", -32: "NoEntry"}


def _let_errors_be_numbers() -> None:
    """Give the errors of PVM the short names and the values that they had as string exceptions."""
    base: Any = pypvm.PvmError
    if hasattr(base, "__py2_str__"):
        return
    base.__py2_str__ = base.__py2_repr__ = lambda self: str(self.code)
    for name in "lt le gt ge add sub mul".split():
        _number_method(base, f"__{name}__", getattr(operator, name))
    for name in "add sub mul".split():
        _number_method(base, f"__r{name}__", _turned(getattr(operator, name)))
    base.__neg__ = lambda self: -self.code
    base.__abs__ = lambda self: abs(self.code)
    for name, code in pypvm.results.items():
        if code < 0:
            kind: Any = pypvm.exception[name + "Str"]
            kind.name = kind.__name__ = _OLD_NAMES.get(code, kind.name)
    pypvm.unknownPVMerrorCodeException.__name__ = pypvm.unknownPVMerrorCodeException.name


def _turned(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda a, b: function(b, a)


def _number_method(kind: type, name: str, function: Callable[[Any, Any], Any]) -> None:
    def method(self: Any, other: Any) -> Any:
        value = other.code if isinstance(other, pypvm.PvmError) else other
        return function(self.code, value) if isinstance(value, (int, float)) else NotImplemented

    method.__name__ = name
    setattr(kind, name, method)


# -- Biskit.PVM

#: what the star import of each module brought
_NAMES = {
    "PVMThread": "P pvm Thread MSG_PING MSG_MESSAGELOOP_UP MSG_INITIALIZE MSG_INITIALIZATION_DONE MSG_EXIT Logfile PVMThread "
    "PVMMasterSlave BT Test",
    "dispatcher": "PVMMasterSlave ExeConfigCache Status settings socket pvm pypvm MSG_JOB_START MSG_JOB_DONE JobMaster "
    "JobSlave BT Test",
    "TrackingJobMaster": "JobMaster pvm Status T Thread RLock Condition time copy TrackingJobMaster restart",
    "Status": "RLock Status BT Test",
    "hosts": "T B os user HostsError nodes_own cpus_own nodes_shared cpus_shared nodes_other cpus_other nodes_all cpus_all "
    "nice_dic ram_dic h BT Test",
    "pvm": "P dumps loads os H pack unpack pack_and_send delHosts expandLocal addHosts countHosts pvmerrors BT Test",
    "ExampleMaster": "TrackingJobMaster nodes_all cpus_all projectRoot Master BT Test",
    "ExampleSlave": "JobSlave T time Slave BT Thread RLock Condition Test",
}


def _imported(name: str) -> Any:
    """Import as translated code does."""
    return registry.stand_in(name, True) or importlib.import_module(name)


def _from(module: str, name: str) -> Callable[[], Any]:
    return lambda: getattr(_imported(module), name)


def _the(module: str) -> Callable[[], Any]:
    return lambda: _imported(module)


def _empty_test() -> type:
    kind: type = type("Test", (_imported("Biskit.test").BiskitTest,), {"__doc__": "There is nothing to test alone."})
    return kind


_LATE: dict[str, Callable[[], Any]] = {
    **{name: _the(name) for name in "os socket time copy user".split()},
    **{name: _from("threading", name) for name in "Thread RLock Condition".split()},
    "P": lambda: _pypvm,
    "pypvm": lambda: _pypvm,
    "pvm": _the("Biskit.PVM.pvm"),
    "H": _the("Biskit.PVM.hosts"),
    "B": _the("Biskit"),
    "T": _the("Biskit.tools"),
    "BT": _the("Biskit.test"),
    "settings": _the("Biskit.settings"),
    "ExeConfigCache": _from("Biskit", "ExeConfigCache"),
    "Status": _from("biskit_pvm.Status", "Status"),
    "JobMaster": _from("biskit_pvm.dispatcher", "JobMaster"),
    "PVMMasterSlave": _from("biskit_pvm.PVMThread", "PVMMasterSlave"),
    "nodes_all": _from("Biskit.PVM.hosts", "nodes_all"),
    "cpus_all": _from("Biskit.PVM.hosts", "cpus_all"),
    "projectRoot": _from("Biskit.tools", "projectRoot"),
    "dumps": _from("cPickle", "dumps"),
    "loads": _from("cPickle", "loads"),
    "Test": _empty_test,
}

_Changes = tuple[Callable[[], None], dict[str, Any], dict[str, Callable[[], Any]]]


def _unchanged() -> _Changes:
    return (lambda: None), {}, {}


def _pvm() -> _Changes:
    from biskit_pvm import hosts as host_file
    from biskit_pvm import pvm

    def pack_and_send(tid: int, msg_tag: int, object: Any, encoding: int | None = None) -> None:
        pypvm.initsend(_DEFAULT if encoding is None else encoding)
        _pack_object(object)
        pypvm.send(tid, msg_tag)

    def pack(object: Any) -> None:
        _pack_object(object)

    def addHosts(number: Any = None, hosts: Any = None, expand: Any = 1) -> None:
        names = list(host_file.nodes_all if hosts is None else hosts)
        pvm.addHosts(number or None, names, expand)

    def delHosts(hosts: Any) -> list[int]:
        return pypvm.delhosts([as_bytes(host) if isinstance(host, str) else host for host in hosts])

    functions = (pack_and_send, pack, addHosts, delHosts)
    return (lambda: None), {"unpack": _unpack_object, **{each.__name__: each for each in functions}}, {}


def _hosts() -> _Changes:
    from biskit_pvm import hosts

    made: list[type] = []

    def error_class() -> type:
        if not made:
            base = _imported("Biskit").BiskitError
            made.append(type("HostsError", (hosts.HostsError, base), {"__module__": "Biskit.PVM.hosts"}))
        return made[0]

    def read() -> None:
        path = hosts.user_file()
        try:
            found = hosts.read()
        except hosts.HostsError as error:
            cause = error.__cause__ or error
            if isinstance(cause, SyntaxError):
                cause = SyntaxError(*cause.args)  # not the translator's own kind
            raise error_class()(f"Cannot read host configuration from {path} ({to_repr(cause)}): {error}") from error
        values = found._asdict()
        if not os.path.lexists(path):
            values.update({name: ["localhost"] for name in "nodes_own cpus_own nodes_all cpus_all".split()})
            values["nice_dic"] = {"default": 19, "localhost": 0}
        for name, value in values.items():
            if name in _NAMES["hosts"].split() and name not in hosts.__dict__:
                setattr(hosts, name, list(value) if isinstance(value, list) else value)

    def last_host() -> str:
        every = [*hosts.nodes_own, *hosts.nodes_shared, *hosts.nodes_other]
        return every[-1] if every else ""

    return read, {}, {"HostsError": error_class, "h": last_host}


def _example_master() -> _Changes:
    from biskit_pvm.ExampleMaster import Master

    def test() -> type:
        tests = _imported("Biskit.test")

        def test_ExampleMaster(self: Any) -> None:
            """PVM.ExampleMaster test"""
            hosts = list(_imported("Biskit.PVM.hosts").cpus_all)[:3]
            assert hosts, "master needs at least 1 PVM node."
            data = {i: i + 1 for i in range(100)}
            master = Master(
                data=data, chunk_size=10, hosts=hosts, niceness={"default": 20}, show_output=0, verbose=self.local
            )
            master.seconds_per_item = 0.1  # a hundred of them on what may be one slave
            self.assertEqual(master.calculateResult(), {i: i + 2 for i in range(100)})

        names = {"TAGS": [tests.PVM], "test_ExampleMaster": test_ExampleMaster}
        kind: type = type("Test", (tests.BiskitTest,), names)
        return kind

    return (lambda: None), {}, {"Test": test}


_CHANGED: dict[str, Callable[[], _Changes]] = {"pvm": _pvm, "hosts": _hosts, "ExampleMaster": _example_master}
