"""The slave of `biskit_pvm.futures.PVMExecutor`: its items are function calls."""

from __future__ import annotations

import io
import os
import pickle
import runpy
import sys
from collections import OrderedDict
from types import ModuleType
from typing import Any, Callable, NamedTuple

from biskit_pvm.executor.importing import script_of_main
from biskit_pvm.executor.packing import Outcome, RemoteTraceback, failure_of, outcome_of, pack, unpack
from biskit_pvm.machine.tags import Tag
from biskit_pvm.messages import shared
from biskit_pvm.slave import JobSlave

__all__ = ["CallSlave", "Outcome", "RemoteTraceback", "Surroundings", "call_chunk", "pack", "unpack"]

RemoteTraceback.__module__ = Outcome.__module__ = __name__

MAIN = "__pvm_main__"
"""Name under which slaves run the master's script, so that its ``__main__`` part rests."""

MOST_FUNCTIONS = 100
"""How many functions a slave keeps ready to be called."""


class Surroundings(NamedTuple):
    """What a slave takes over from the master's process before its first call."""

    path: list[str]
    folder: str
    #: name of the main module, where it was run with ``-m``
    main_name: str | None
    main_path: str | None
    #: packed call of the user's initializer
    initializer: Any
    #: whether the master wants to know how many processors the slave's host has
    wants_count: bool = False
    #: by which the proxies of a multiprocessing.Manager are known; for slaves on the master's host only
    authkey: bytes | None = None

    @classmethod
    def here(cls, initializer: Any, wants_count: bool = False, same_host: bool = False) -> Surroundings:
        """Describe this process, to a slave on the same host or on another one."""
        main = sys.modules["__main__"]
        spec = getattr(main, "__spec__", None)
        # `python folder` runs a module without a name of its own
        name = spec.name if spec is not None and spec.name != "__main__" else None
        try:
            folder = os.getcwd()
        except OSError:  # it was deleted
            folder = os.path.sep
        places = [os.path.abspath(e) if e and os.path.exists(e) else e or folder for e in sys.path]
        process = sys.modules.get("multiprocessing.process")
        # who is on another host cannot reach its sockets
        authkey = bytes(process.current_process().authkey) if process is not None and same_host else None
        return cls(places, folder, name, script_of_main(), initializer, wants_count, authkey)


class CallSlave(JobSlave):
    """The slave of `biskit_pvm.futures.PVMExecutor`: its items are calls."""

    def initialize(self, params: Surroundings) -> None:
        """Take over the master's surroundings and call the user's initializer."""
        # In the master's order, so that the same name means the same module; this script's folder is nobody's.
        script = os.path.dirname(os.path.abspath(sys.argv[0]))
        own = [place for place in sys.path if place not in params.path and place != script]
        sys.path[:] = params.path + own
        if os.path.isdir(params.folder):
            os.chdir(params.folder)
        _Main.expect(params)
        shared.loads = _loads
        if params.authkey is not None:
            import multiprocessing

            multiprocessing.current_process().authkey = params.authkey
        if params.wants_count:
            from biskit_pvm.jobs.threads import usable_processors

            self.send(self.getParent(), Tag.PROCESSORS, (self.getTID(), usable_processors()))
        if params.initializer is not None:
            function, args, kwargs = _read(params.initializer)
            function(*args, **kwargs)

    def go(self, chunk: dict[int, Any]) -> dict[int, Any]:
        """Call each; None stands for a call that was cancelled."""
        return {key: None if call is None else run(call) for key, call in chunk.items()}


def call_chunk(function: Callable[..., Any], arguments: list[tuple[Any, ...]]) -> list[Any]:
    """Return the values of several calls of a function, made one after the other."""
    return [function(*args) for args in arguments]


def run(call: Any) -> Any:
    """Carry out a packed call and pack what becomes of it."""
    try:
        function, args, kwargs = _read(call)
        value = function(*args, **kwargs)
        # not needed any more, and it may be large
        del function, args, kwargs
        return outcome_of(value)
    except BaseException as error:  # SystemExit, too, belongs to whoever asked for the call
        return failure_of(error)


_functions: OrderedDict[bytes, Any] = OrderedDict()


def _read(call: Any) -> tuple[Any, Any, Any]:
    packed, body, *buffers = call
    if type(body) is tuple:  # plain arguments
        return _function(packed), body, {}
    if type(body) is list:
        body = shared.proved(*body)
    if packed is None:
        function, args, kwargs = _loads(body, buffers)
        return function, args, kwargs
    function = _function(packed)
    args, kwargs = _loads(body, buffers)
    return function, args, kwargs


def _function(packed: bytes) -> Any:
    try:
        function = _functions[packed]
        _functions.move_to_end(packed)
    except KeyError:
        function = _functions[packed] = _loads(packed, ())
        if len(_functions) > MOST_FUNCTIONS:
            _functions.popitem(last=False)
    return function


def _loads(packed: Any, buffers: Any) -> Any:
    # what belongs to the script has to be looked for
    if b"main__" in (packed if isinstance(packed, (bytes, bytearray)) else bytes(packed)):
        return _Unpickler(io.BytesIO(packed), buffers=buffers).load()
    return pickle.loads(packed, buffers=buffers)


class _Main:
    """The master's script, run by a slave when something in it is first asked for."""

    _surroundings: Surroundings | None = None

    @classmethod
    def expect(cls, surroundings: Surroundings) -> None:
        cls._surroundings = surroundings

    @classmethod
    def module(cls) -> ModuleType:
        known = sys.modules.get(MAIN)
        if known is not None:
            return known
        script = cls._surroundings
        if script is None or not (script.main_name or script.main_path):
            raise AttributeError(
                "the function, or a class in its arguments, was defined in a session without a file; "
                "install cloudpickle, or put it into a module"
            )
        module = ModuleType(MAIN)
        # Known before it runs: what it defines may be pickled meanwhile.
        sys.modules[MAIN] = module
        try:
            if script.main_name:
                names = runpy.run_module(script.main_name, run_name=MAIN, alter_sys=True)
            else:
                assert script.main_path is not None
                names = runpy.run_path(script.main_path, run_name=MAIN)
        except BaseException:
            del sys.modules[MAIN]
            raise
        module.__dict__.update(names)
        sys.modules[MAIN] = module
        return module


class _Unpickler(pickle.Unpickler):
    """Find in the master's script what a pickle calls ``__main__``."""

    def find_class(self, module: str, name: str) -> Any:
        if module in ("__main__", MAIN):
            found: Any = _Main.module()
            for part in name.split("."):
                found = getattr(found, part)
            return found
        return super().find_class(module, name)
