"""Function calls as items of a calculation: packed by a master, run by a slave.

A call and its outcome travel as bytes of their own inside the messages, so that one that cannot be pickled, or
cannot be read at the other end, spoils nothing but itself.
"""

from __future__ import annotations

import io
import os
import pickle
import runpy
import sys
import traceback
from types import ModuleType
from typing import Any, Callable, NamedTuple

from biskit_pvm import JobSlave

__all__ = ["CallSlave", "Outcome", "RemoteTraceback", "Surroundings", "call_chunk", "pack", "unpack"]

MAIN = "__pvm_main__"
"""Name under which slaves run the master's script, so that its ``__main__`` part rests."""

IN_PLACE = 65536
"""Size in bytes from which packed calls and large parts of results travel without being copied into a pickle."""

#: what pickle raises for things that cloudpickle may know how to carry
_UNPICKLABLE = (pickle.PicklingError, AttributeError, TypeError)


class RemoteTraceback(Exception):
    """The cause of an exception that was raised in a slave; its text is the slave's traceback."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    def __str__(self) -> str:
        return f'\n"""\n{self.text}"""'


class Outcome(NamedTuple):
    """What became of a call: a pickle with its large parts, and the traceback as text when it raised."""

    body: bytes
    buffers: list[Any]
    traceback: str | None


class Surroundings(NamedTuple):
    """What a slave takes over from the master's process before its first call."""

    path: list[str]
    folder: str
    #: name of the main module, where it was run with ``-m``
    main_name: str | None
    main_path: str | None
    #: packed call of the user's initializer
    initializer: bytes | None

    @classmethod
    def here(cls, initializer: bytes | None) -> Surroundings:
        """Describe this process."""
        main = sys.modules["__main__"]
        spec = getattr(main, "__spec__", None)
        path = getattr(main, "__file__", None)
        # `python -c`, an interactive session and a notebook have no file to be run again.
        if path is not None and not os.path.exists(path):
            path = None
        folder = os.getcwd()
        places = [folder if entry == "" else entry for entry in sys.path]
        return cls(places, folder, spec.name if spec else None, path and os.path.abspath(path), initializer)


def pack(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> bytes:
    """Turn a call into bytes.

    A function that can be imported travels as its name; lambdas, closures and what an interactive session defines
    travel whole where cloudpickle is installed.  Without it the slave runs the master's script for what that
    defines (not its ``__main__`` part).

    Raises
    ------
    pickle.PicklingError, AttributeError, TypeError
        From pickle, or from cloudpickle where it is installed; and whatever the objects themselves raise.
    """
    return _dumps((function, args, kwargs), by_value=_lives_only_here(function))


def unpack(outcome: Outcome) -> tuple[Any, BaseException | None]:
    """Return the value of a call and None, or None and the exception that it raised.

    The exception has a `RemoteTraceback` as its cause.  What cannot be unpickled here counts as raised, too.
    """
    try:
        value = pickle.loads(outcome.body, buffers=outcome.buffers)
    except BaseException as error:  # whatever it does when it is made belongs to the call
        return None, error
    if outcome.traceback is None:
        return value, None
    value.__cause__ = RemoteTraceback(outcome.traceback)
    return None, value


class CallSlave(JobSlave):
    """The slave of `biskit_pvm.futures.PVMExecutor`: its items are calls."""

    def initialize(self, params: Surroundings) -> None:
        """Take over the master's surroundings and call the user's initializer."""
        for place in params.path:
            if place not in sys.path:
                sys.path.append(place)
        if os.path.isdir(params.folder):
            os.chdir(params.folder)
        _Main.expect(params)
        if params.initializer is not None:
            function, args, kwargs = _loads(params.initializer)
            function(*args, **kwargs)

    def go(self, chunk: dict[int, Any]) -> dict[int, Outcome | None]:
        """Call each; None stands for a call that was cancelled."""
        return {key: None if call is None else run(call) for key, call in chunk.items()}


def call_chunk(function: Callable[..., Any], arguments: list[tuple[Any, ...]]) -> list[Any]:
    """Return the values of several calls of a function, made one after the other."""
    return [function(*args) for args in arguments]


def run(call: Any) -> Outcome:
    """Carry out a packed call and pack what becomes of it."""
    try:
        function, args, kwargs = _loads(call)
        value = function(*args, **kwargs)
        # not needed any more, and it may be large
        del function, args, kwargs
        return _outcome(value)
    except BaseException as error:  # SystemExit, too, belongs to whoever asked for the call
        text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
        return _failure(error, text)


def _outcome(value: Any) -> Outcome:
    buffers: list[Any] = []

    def apart(buffer: pickle.PickleBuffer) -> bool:
        if memoryview(buffer).nbytes < IN_PLACE:
            return True
        buffers.append(buffer)
        return False

    return Outcome(_dumps(value, buffer_callback=apart), buffers, None)


def _failure(error: BaseException, text: str) -> Outcome:
    error.__traceback__ = None
    try:
        body = _dumps(error)
        if not isinstance(pickle.loads(body), BaseException):
            raise TypeError("not an exception any more")
    except Exception:
        # One that cannot travel, such as one whose arguments __init__ does not take again.
        body = pickle.dumps(RuntimeError(f"{type(error).__name__}: {error}"))
    return Outcome(body, [], text)


def _dumps(thing: Any, by_value: bool = False, buffer_callback: Any = None) -> bytes:
    cloudpickle = _cloudpickle()
    if cloudpickle is None:
        return pickle.dumps(thing, 5, buffer_callback=buffer_callback)
    if not by_value:
        try:
            return pickle.dumps(thing, 5, buffer_callback=buffer_callback)
        except _UNPICKLABLE:
            pass
    packed: bytes = cloudpickle.dumps(thing, 5, buffer_callback=buffer_callback)
    return packed


def _cloudpickle() -> ModuleType | None:
    try:
        import cloudpickle
    except ImportError:
        return None
    return cloudpickle  # type: ignore[no-any-return]


def _lives_only_here(function: Any) -> bool:
    """Tell whether a slave could not import what a function is called by."""
    main = sys.modules["__main__"]
    return getattr(function, "__module__", None) == "__main__" or getattr(main, "__file__", None) is None


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


def _loads(packed: Any) -> Any:
    return _Unpickler(io.BytesIO(packed)).load()
