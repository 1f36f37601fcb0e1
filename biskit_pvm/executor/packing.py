"""Calls and what becomes of them, as bytes.

A call and its outcome travel as bytes of their own inside the messages, so that one that cannot be pickled, or
cannot be read at the other end, spoils nothing but itself.  Their large parts are not copied into a pickle: they
stay where they are until the message is sent.
"""

from __future__ import annotations

import pickle
import sys
import threading
from collections.abc import Callable
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any, NamedTuple

from biskit_pvm.executor.importing import has_guard, home_of, script_can_be_run, script_of_main
from biskit_pvm.messages.shared import IN_PLACE, digest_of

#: what pickle raises for things that cloudpickle may know how to carry
_UNPICKLABLE = (pickle.PicklingError, AttributeError, TypeError)

#: (packed function or None, packed arguments, large parts); plain arguments are a tuple in place of bytes
Call = tuple[Any, ...]


#: types whose values always can be pickled, and read at the other end: they need no bytes of their own
_PLAIN = frozenset((int, float, str, bool, type(None)))
#: arguments that a plain call has at most, and the characters of one, so that its size need not be known
MOST_PLAIN, LONG_TEXT = 16, 1024

_NONE = pickle.dumps(None, 5)


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


class LargeBytes:
    """Bytes that are not copied into the pickle of what they are part of."""

    __slots__ = ("data",)

    def __init__(self, data: bytes) -> None:
        self.data = data

    def __reduce__(self) -> tuple[Any, ...]:
        return bytes, (pickle.PickleBuffer(self.data),)


class Buffers(list[Any]):
    """The large parts of a pickle; small ones stay in it."""

    def apart(self, buffer: pickle.PickleBuffer) -> bool:
        """Take a part, unless it is small: a `buffer_callback` of pickle."""
        if memoryview(buffer).nbytes < IN_PLACE:
            return True
        self.append(buffer)
        return False


def pack(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call:
    """Turn a call into bytes.

    A function that can be imported travels as its name.  What slaves cannot import travels whole: lambdas,
    closures, and what a script or an interactive session defines.

    Raises
    ------
    pickle.PicklingError, AttributeError, TypeError
        From pickle or cloudpickle; and whatever the objects themselves raise.
    RuntimeError
        Slaves would have to run the script again, which does not ask for its `__name__`.
    """
    packed = functions.pack(function)
    if packed is None:
        return pack_whole(function, args, kwargs)
    return pack_arguments(packed, args, kwargs)


def pack_whole(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call:
    """Pack a call whose function stays with its arguments."""
    buffers = Buffers()
    body = dumps((function, _lighter(args), kwargs), buffers, home_of(function))
    return (None, body, *buffers)


def pack_arguments(packed: bytes, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call:
    """Pack a call whose function is packed already."""
    if not kwargs and len(args) <= MOST_PLAIN:
        for arg in args:
            if type(arg) not in _PLAIN or (type(arg) is str and len(arg) >= LONG_TEXT):
                break
        else:
            return (packed, args)
    for arg in args:
        if type(arg) is bytes and len(arg) >= IN_PLACE:
            args = _lighter(args)
            break
    buffers = Buffers()
    try:
        body = pickle.dumps((args, kwargs), 5, buffer_callback=buffers.apart)
    except _UNPICKLABLE:
        body = b"__main__"
    if b"__main__" in body:
        buffers.clear()
        body = dumps((args, kwargs), buffers)
    return (packed, body, *buffers) if buffers else (packed, body)


def _lighter(args: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(LargeBytes(a) if type(a) is bytes and len(a) >= IN_PLACE else a for a in args)


def n_bytes(call: Call) -> int:
    """Return how many bytes the arguments of a call have."""
    return sum(memoryview(part).nbytes for part in call[1:] if type(part) is not tuple)


def light(call: Call) -> Call:
    """Return a call such that the large parts are not copied into a message's pickle."""
    if len(call) == 2 and len(call[1]) < IN_PLACE:
        return call
    packed, body, *buffers = call
    if len(body) >= IN_PLACE:
        body = [pickle.PickleBuffer(body), digest_of(body)]
    return (packed, body, *map(pickle.PickleBuffer, buffers))


class Functions:
    """Functions as bytes of their own, packed once as long as they mean the same."""

    def __init__(self) -> None:
        self._last: tuple[Any, Any, bytes | None] = (None, None, None)

    def pack(self, function: Any) -> bytes | None:
        """Return a function as bytes; None where it has to stay with its arguments."""
        if type(function) is not FunctionType and type(function) is not BuiltinFunctionType:
            return None
        last, meaning, packed = self._last
        if last is function and packed is not None and (not meaning or _same(meaning, meaning_of(function))):
            return packed
        home = home_of(function)
        try:
            packed = dumps(function, None, home)
        except _UNPICKLABLE:
            return None
        if len(packed) >= IN_PLACE:
            return None
        meaning = meaning_of(function)
        self._last = (function, meaning, packed) if meaning is not None else (None, None, None)
        return packed


#: what a name in a function may stand for without the packed function growing stale
_CONSTANTS = (int, float, complex, str, bytes, bool, type(None), ModuleType, BuiltinFunctionType)


def meaning_of(function: Any, seen: set[int] | None = None) -> list[Any] | None:
    """Return what a function depends on, to be compared by identity; None where that may change unseen."""
    home = None if type(function) is BuiltinFunctionType else home_of(function)
    if home is None or (home.__name__ == "__main__" and "<" not in function.__qualname__ and script_can_be_run()):
        return []
    if type(function) is not FunctionType:
        return None
    seen = set() if seen is None else seen
    if id(function) in seen:
        return []
    seen.add(id(function))
    if function.__closure__ or function.__kwdefaults__ or function.__dict__:
        return None
    parts: list[Any] = [function.__code__, *(function.__defaults__ or ())]
    for name in _names(function.__code__):
        if name in function.__globals__:
            parts.append(function.__globals__[name])
    for part in parts[1:]:
        if isinstance(part, FunctionType):
            more = meaning_of(part, seen)
            if more is None:
                return None
            parts += more
        elif not isinstance(part, _CONSTANTS) and not (isinstance(part, type) and home_of(part) is None):
            return None
    return parts


def _names(code: CodeType) -> list[str]:
    names = list(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names += _names(constant)
    return names


def _same(one: list[Any] | None, other: list[Any] | None) -> bool:
    return one is not None and other is not None and len(one) == len(other) and all(map(_is, one, other))


def _is(one: Any, other: Any) -> bool:
    return one is other


functions = Functions()


def unpack(outcome: Any) -> tuple[Any, BaseException | None]:
    """Return the value of a call and None, or None and the exception that it raised.

    The exception has a `RemoteTraceback` as its cause.  What cannot be unpickled here counts as raised, too.
    """
    try:
        if type(outcome) is bytes:
            return pickle.loads(outcome), None
        if type(outcome) is not Outcome:
            return outcome, None
        value = pickle.loads(outcome.body, buffers=outcome.buffers)
        if outcome.traceback is None:
            return value.data if type(value) is LargeBytes else value, None
        value.__cause__ = RemoteTraceback(outcome.traceback)
    except BaseException as error:  # whatever it does when it is made belongs to the call
        return None, error
    return None, value


def outcome_of(value: Any) -> Any:
    """Pack what a call has returned; what is plain is its own outcome, except None, which stands for none."""
    if value is None:
        return _NONE
    if type(value) in _PLAIN:
        return value
    buffers = Buffers()
    if type(value) is bytes and len(value) >= IN_PLACE:
        value = LargeBytes(value)
    return Outcome(dumps(value, buffers), buffers, None)


def failure_of(error: BaseException) -> Outcome:
    """Pack what a call has raised."""
    import traceback

    try:
        text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    except BaseException:  # one whose own words raise
        text = "".join(traceback.format_tb(error.__traceback__)) + type(error).__name__
    error.__traceback__ = None
    try:
        body = dumps(error)
        if not isinstance(pickle.loads(body), BaseException):
            raise TypeError("not an exception any more")
    except Exception:
        # One that cannot travel, such as one whose arguments __init__ does not take again.
        body = pickle.dumps(RuntimeError(text.rstrip().rsplit("\n", 1)[-1]))
    return Outcome(body, [], text)


# -- pickle and cloudpickle ------------------------------------------------------

_by_value = threading.Lock()


def parts_of(thing: Any) -> list[Any]:
    """Pickle something; return the pickle and the large parts beside it."""
    buffers = Buffers()
    body = dumps(thing, buffers)
    return [body, *(buffer.raw() for buffer in buffers)]


def dumps(thing: Any, buffers: Buffers | None = None, home: ModuleType | None = None) -> bytes:
    """Pickle by names what others can import, and the rest whole.

    What a script defines goes by names where slaves can run the script, as with Python's own process pools: what an
    initializer has put into its globals is there for all its functions.

    Parameters
    ----------
    thing : object
    buffers : Buffers, optional
        Gets the large parts.
    home : module, optional
        One that others cannot import: what it defines travels whole.
    """
    apart = None if buffers is None else buffers.apart
    if home is None or home.__name__ == "__main__":
        try:
            packed = pickle.dumps(thing, 5, buffer_callback=apart)
            if b"__main__" not in packed or script_can_be_run():
                return packed
        except _UNPICKLABLE:
            pass
        if buffers:
            buffers.clear()
    cloudpickle = _cloudpickle()
    if cloudpickle is None:
        return _by_name(thing, buffers, None)
    try:
        if home is None or home.__name__ == "__main__":
            whole: bytes = cloudpickle.dumps(thing, 5, buffer_callback=apart)
            return whole
        with _by_value:
            cloudpickle.register_pickle_by_value(home)
            try:
                whole = cloudpickle.dumps(thing, 5, buffer_callback=apart)
                return whole
            finally:
                cloudpickle.unregister_pickle_by_value(home)
    except Exception as error:
        if buffers:
            buffers.clear()
        return _by_name(thing, buffers, error)


def _by_name(thing: Any, buffers: Buffers | None, why: Exception | None) -> bytes:
    """Pickle what belongs to the script by names, for which slaves have to run the script."""
    try:
        packed = pickle.dumps(thing, 5, buffer_callback=None if buffers is None else buffers.apart)
    except _UNPICKLABLE as error:
        if why is None:
            raise type(error)(f"{error} (cloudpickle, which could carry more, is not installed)") from error
        raise why from None
    if b"__main__" not in packed or "__main__" not in sys.modules:
        return packed
    script = script_of_main()
    if script is not None and not has_guard(script):
        cause = f" ({type(why).__name__}: {why})" if why is not None else " without cloudpickle"
        raise RuntimeError(
            f"what {script} defines cannot be sent to slaves{cause}, and they cannot run the script for it, since it "
            "has no line `if __name__ == '__main__':` above what it does; put that line in, or the function into a "
            "module"
        ) from why
    if script is None and why is not None:
        raise why
    return packed


def _cloudpickle() -> ModuleType | None:
    try:
        import cloudpickle
    except ImportError:
        return None
    return cloudpickle  # type: ignore[no-any-return]
