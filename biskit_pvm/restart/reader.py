"""Read a pickle that nobody vouches for: plain values, and nothing is run.

Python's own unpickler calls what a pickle names.  Restricting the names is not enough:
the right call of a harmless function with the wrong arguments can fill the memory or
break NumPy.  So this reader knows the few instructions that restart files are made of and
refuses all others; each class is on a list, together with a function that checks the
arguments and makes the object.
"""

from __future__ import annotations

import collections
import datetime
import decimal
import fractions
import importlib
import io
import pathlib
import pickle
import re
from collections.abc import Iterable
from typing import Any, Callable

__all__ = ["Refused", "read"]

_LONGEST_NUMBER = 4300


class Refused(pickle.UnpicklingError):
    """The pickle holds something that is not on the list.

    Attributes
    ----------
    name : str
        The class or function, with its module; '' where the pickle is wrong in itself.
    """

    def __init__(self, text: str, name: str = "") -> None:
        super().__init__(text)
        self.name = name


# ------------------------------------------------------- what may be made, and out of what


def _check(holds: bool, what: str) -> None:
    if not holds:
        raise Refused(f"wrong arguments for {what}")


def _numbers(kind: Any, *types: type) -> Callable[..., Any]:
    """Make a function that calls `kind` with as many arguments of just these types."""

    def make(*args: Any) -> Any:
        _check(len(args) == len(types) and all(type(a) is t for a, t in zip(args, types)), kind.__name__)
        return kind(*args)

    return make


def _bytearray(*args: Any) -> bytearray:
    _check(not args or (len(args) == 1 and type(args[0]) is bytes), "bytearray")
    return bytearray(*args)


def _slice(*args: Any) -> slice:
    _check(len(args) == 3 and all(a is None or type(a) is int for a in args), "slice")
    return slice(*args)


def _empty(kind: Any) -> Callable[..., Any]:
    def make(*args: Any) -> Any:
        _check(not args, kind.__name__)
        return kind()

    return make


def _counter(*args: Any) -> Any:
    _check(not args or (len(args) == 1 and type(args[0]) is dict), "Counter")
    counter: Any = collections.Counter()
    dict.update(counter, *args)
    return counter


def _deque(*args: Any) -> Any:
    _check(len(args) <= 2 and all(type(a) in (tuple, list) and not a for a in args[:1]), "deque")
    _check(all(a is None or type(a) is int for a in args[1:]), "deque")
    return collections.deque(*args)


#: What a defaultdict may make; each is harmless to call without arguments.
_FACTORIES = (None, list, dict, set, int, float, str, tuple)


def _defaultdict(*args: Any) -> Any:
    _check(len(args) == 1 and any(args[0] is factory for factory in _FACTORIES), "defaultdict")
    return collections.defaultdict(*args)


def _time(kind: Any) -> Callable[..., Any]:
    def make(*args: Any) -> Any:
        _check(all(type(a) in (bytes, int, str) or isinstance(a, datetime.tzinfo) for a in args), kind.__name__)
        # what was made of bytes is not checked before
        return kind(*args).replace()

    return make


def _timezone(*args: Any) -> Any:
    _check(len(args) in (1, 2) and type(args[0]) is datetime.timedelta, "timezone")
    return datetime.timezone(*args)


def _decimal(*args: Any) -> Any:
    _check(len(args) == 1 and type(args[0]) is str and len(args[0]) <= _LONGEST_NUMBER, "Decimal")
    return decimal.Decimal(*args)


def _fraction(*args: Any) -> Any:
    if len(args) == 1 and type(args[0]) is str:
        # with an exponent it would be computed
        _check(len(args[0]) <= _LONGEST_NUMBER and bool(re.fullmatch(r"-?\d+(/\d+)?", args[0])), "Fraction")
    else:
        _check(len(args) == 2 and all(type(a) is int for a in args), "Fraction")
    return fractions.Fraction(*args)


def _path(*args: Any) -> Any:
    _check(all(type(a) is str for a in args), "Path")
    return pathlib.PurePosixPath(*args)


def _posix_path(*args: Any) -> Any:
    _check(all(type(a) is str for a in args), "Path")
    return pathlib.Path(*args)


#: Classes, by module and name, and how their objects are made.  A class itself may stand
#: in a pickle, too.
_CLASSES: dict[tuple[str, str], tuple[Any, Callable[..., Any] | None]] = {
    **{
        ("builtins", kind.__name__): (kind, None)
        for kind in (bool, bytes, dict, float, frozenset, int, list, set, str, tuple)
    },
    ("builtins", "bytearray"): (bytearray, _bytearray),
    ("builtins", "complex"): (complex, _numbers(complex, float, float)),
    ("builtins", "object"): (object, _empty(object)),
    ("builtins", "range"): (range, _numbers(range, int, int, int)),
    ("builtins", "slice"): (slice, _slice),
    ("collections", "Counter"): (collections.Counter, _counter),
    ("collections", "OrderedDict"): (collections.OrderedDict, _empty(collections.OrderedDict)),
    ("collections", "defaultdict"): (collections.defaultdict, _defaultdict),
    ("collections", "deque"): (collections.deque, _deque),
    ("datetime", "date"): (datetime.date, _time(datetime.date)),
    ("datetime", "datetime"): (datetime.datetime, _time(datetime.datetime)),
    ("datetime", "time"): (datetime.time, _time(datetime.time)),
    ("datetime", "timedelta"): (datetime.timedelta, _numbers(datetime.timedelta, int, int, int)),
    ("datetime", "timezone"): (datetime.timezone, _timezone),
    ("decimal", "Decimal"): (decimal.Decimal, _decimal),
    ("fractions", "Fraction"): (fractions.Fraction, _fraction),
    **{(module, "PurePosixPath"): (pathlib.PurePosixPath, _path) for module in ("pathlib", "pathlib._local")},
    **{
        (module, name): (pathlib.Path, _posix_path)
        for module in ("pathlib", "pathlib._local")
        for name in ("Path", "PosixPath")
    },
}

# ---------------------------------------------------------------------------------- NumPy

_NUMPY = {
    ("numpy", "ndarray"): "ndarray",
    ("numpy", "dtype"): "dtype",
    **{
        (module, name): name for module in ("numpy.core.multiarray", "numpy._core.multiarray")
        for name in ("_reconstruct", "scalar")
    },
}  # fmt: skip
_SIMPLE_TYPE = re.compile(r"(b1|[iu][1248]|f(2|4|8|16)|c(8|16|32)|O[48]?|[SUV]\d{1,9}|[Mm]8)")
_UNIT = re.compile(r"Y|M|W|D|h|m|s|ms|us|ns|ps|fs|as|generic")


class _Numpy:
    """NumPy's part of the list; NumPy is imported when the first of it is asked for."""

    def __init__(self) -> None:
        self.np: Any = importlib.import_module("numpy")
        self._functions = {"_reconstruct": self._reconstruct, "scalar": self.scalar}

    def find(self, name: str) -> tuple[Any, Callable[..., Any] | None]:
        """Return what stands for a name, and the function that makes objects of it."""
        np = self.np
        if name in ("ndarray", "dtype"):
            return getattr(np, name), (self.dtype if name == "dtype" else None)
        return self._functions[name], self._functions[name]

    def dtype(self, *args: Any) -> Any:
        """Make a simple type; `dtype_with` does the rest."""
        _check(1 <= len(args) <= 3 and type(args[0]) is str and bool(_SIMPLE_TYPE.fullmatch(args[0])), "dtype")
        return self.np.dtype(args[0])

    def dtype_with(self, kind: Any, state: Any) -> Any:
        """Return a type as its `__setstate__` would change it, put together by NumPy anew."""
        np = self.np
        _check(type(state) is tuple and len(state) in (8, 9), "dtype")
        _, order, sub, names, fields, size = state[:6]
        _check(type(order) is str and order in ("<", ">", "=", "|"), "dtype")
        if sub is not None:
            _check(type(sub) is tuple and len(sub) == 2 and isinstance(sub[0], np.dtype), "dtype")
            return np.dtype((sub[0], self._shape(sub[1] if type(sub[1]) is tuple else (sub[1],))))
        if names is not None or fields is not None:
            _check(type(names) is tuple and type(fields) is dict and len(names) == len(fields), "dtype")
            _check(type(size) is int and 0 <= size < 1 << 31, "dtype")
            rows = [fields.get(name) for name in names if type(name) is str]
            _check(len(rows) == len(names), "dtype")
            _check(
                all(
                    type(row) is tuple and len(row) == 2 and isinstance(row[0], np.dtype) and type(row[1]) is int
                    for row in rows
                ),
                "dtype",
            )
            # NumPy proves that no field sticks out, and that none lies over an object
            return np.dtype(
                {
                    "names": list(names),
                    "formats": [row[0] for row in rows],
                    "offsets": [row[1] for row in rows],
                    "itemsize": size,
                }
            )
        if kind.kind in "mM" and len(state) == 9:
            details = state[8]
            _check(type(details) is tuple and len(details) == 2 and type(details[1]) is tuple, "dtype")
            unit, count = details[1][:2]
            unit = unit.decode("ascii", "replace") if type(unit) is bytes else unit
            _check(type(unit) is str and bool(_UNIT.fullmatch(unit)), "dtype")
            _check(type(count) is int and 0 < count < 1 << 31, "dtype")
            if unit != "generic":
                kind = np.dtype(f"{kind.kind}8[{count}{unit}]")
        return kind.newbyteorder(order) if order in "<>" else kind

    def _shape(self, shape: Any) -> tuple[int, ...]:
        _check(type(shape) is tuple and len(shape) <= 32, "ndarray")
        _check(all(type(n) is int and 0 <= n < 1 << 62 for n in shape), "ndarray")
        result: tuple[int, ...] = shape
        return result

    def scalar(self, *args: Any) -> Any:
        """Make a number of NumPy's."""
        np = self.np
        _check(len(args) == 2 and isinstance(args[0], np.dtype) and type(args[1]) is bytes, "a number of NumPy")
        kind, content = args
        _check(not kind.hasobject and kind.subdtype is None and 0 < kind.itemsize == len(content), "a number of NumPy")
        return np.frombuffer(content, kind)[0]

    def _reconstruct(self, *args: Any) -> Any:
        """Make an empty array; `fill` does the rest."""
        _check(len(args) == 3 and args[0] is self.np.ndarray, "ndarray")
        return self.np.ndarray((0,), "b1")

    def fill(self, array: Any, state: Any) -> None:
        """Give an array its contents."""
        np = self.np
        _check(type(state) is tuple and len(state) == 5 and array.size == 0, "ndarray")
        _, shape, kind, fortran, content = state
        _check(isinstance(kind, np.dtype) and kind.subdtype is None and type(fortran) is bool, "ndarray")
        size = 1
        for n in self._shape(shape):
            size *= n
        if kind.hasobject:
            _check(type(content) is list and len(content) == size, "ndarray")
        else:
            _check(type(content) is bytes and len(content) == size * kind.itemsize, "ndarray")
            _check(kind.itemsize > 0 or size == 0, "ndarray")
        array.__setstate__((1, shape, kind, fortran, content))


# ----------------------------------------------------------------------------- the reader

#: The instructions of which restart files are made (protocol 4).
_INSTRUCTIONS = (
    "PROTO FRAME STOP MARK POP POP_MARK MEMOIZE BINGET LONG_BINGET "
    "NONE NEWTRUE NEWFALSE BININT BININT1 BININT2 LONG1 LONG4 BINFLOAT "
    "SHORT_BINUNICODE BINUNICODE BINUNICODE8 SHORT_BINBYTES BINBYTES BINBYTES8 "
    "EMPTY_TUPLE TUPLE1 TUPLE2 TUPLE3 TUPLE EMPTY_LIST APPEND APPENDS "
    "EMPTY_DICT SETITEM SETITEMS EMPTY_SET ADDITEMS FROZENSET "
    "STACK_GLOBAL REDUCE NEWOBJ NEWOBJ_EX BUILD"
).split()
_Python: Any = pickle._Unpickler
_GROW = (list, dict, set, collections.deque)
_MOST_PARTS_OF_A_KEY = 10_000


class _Reader(_Python):  # type: ignore[misc]
    """Python's unpickler in Python, with another table of instructions."""

    dispatch: dict[int, Any] = {
        getattr(pickle, name)[0]: _Python.dispatch[getattr(pickle, name)[0]] for name in _INSTRUCTIONS
    }

    def __init__(self, body: bytes, classes: dict[tuple[str, str], type], known: dict[tuple[str, str], type]) -> None:
        super().__init__(io.BytesIO(body))
        self._classes = classes
        self._known = known
        self._numpy: _Numpy | None = None
        #: makers of what is on the list, by the id of what stands for it
        self._makers: dict[int, Callable[..., Any]] = {}
        self._names: dict[int, str] = {}
        self._places: dict[int, int] = {}

    def load_stack_global(self) -> None:
        name, module = self.stack.pop(), self.stack.pop()
        if type(name) is not str or type(module) is not str:
            raise Refused("a name that is no text")
        self.append(self._find(module, name))

    dispatch[pickle.STACK_GLOBAL[0]] = load_stack_global

    def _find(self, module: str, name: str) -> Any:
        known = self._classes.get((module, name)) or self._known.get((module, name))
        if known is not None:
            return known
        if (module, name) in _NUMPY:
            if self._numpy is None:
                try:
                    self._numpy = _Numpy()
                except ImportError as error:
                    raise Refused(f"there is no numpy here: {error}", f"{module}.{name}") from None
            found, maker = self._numpy.find(_NUMPY[module, name])
        elif (module, name) in _CLASSES:
            found, maker = _CLASSES[module, name]
        else:
            raise Refused(f"{module}.{name} is not allowed", f"{module}.{name}")
        if maker is not None:
            self._makers[id(found)] = maker
        return found

    def _make(self, callable_: Any, args: Any, named: dict[str, Any]) -> Any:
        if type(args) is not tuple:
            raise Refused("arguments that are no tuple")
        maker = self._makers.get(id(callable_))
        if maker is not None and not named:
            try:
                return maker(*args)
            except Refused:
                raise
            except Exception as error:
                raise Refused(f"wrong arguments: {type(error).__name__}: {error}") from None
        # the thing itself may be of a kind whose text never ends
        raise Refused("a call of what is not to be called", _name_of(callable_))

    def _is_listed(self, kind: Any) -> bool:
        return any(kind is each for each in self._classes.values())

    def load_reduce(self) -> None:
        args = self.stack.pop()
        callable_ = self.stack[-1]
        if self._is_listed(callable_):
            self.stack[-1] = callable_(*args)
        else:
            self.stack[-1] = self._make(callable_, args, {})

    dispatch[pickle.REDUCE[0]] = load_reduce

    def load_newobj(self) -> None:
        args = self.stack.pop()
        self._new(self.stack.pop(), args, {})

    dispatch[pickle.NEWOBJ[0]] = load_newobj

    def load_newobj_ex(self) -> None:
        named, args = self.stack.pop(), self.stack.pop()
        self._new(self.stack.pop(), args, named)

    dispatch[pickle.NEWOBJ_EX[0]] = load_newobj_ex

    def _new(self, kind: Any, args: Any, named: Any) -> None:
        if self._is_listed(kind):
            self.append(kind.__new__(kind, *args, **named))
        else:
            self.append(self._make(kind, args, named))

    def load_memoize(self) -> None:
        self._places[id(self.stack[-1])] = len(self.memo)
        self.memo[len(self.memo)] = self.stack[-1]

    dispatch[pickle.MEMOIZE[0]] = load_memoize

    def load_build(self) -> None:
        thing = self.stack[-2]
        if self._is_listed(type(thing)):
            _Python.load_build(self)
            return
        state = self.stack.pop()
        if self._numpy is not None and type(thing) is self._numpy.np.ndarray:
            self._guarded(self._numpy.fill, thing, state)
        elif self._numpy is not None and isinstance(thing, self._numpy.np.dtype):
            # types are put together anew rather than changed, so the new one takes the place
            self.stack[-1] = new = self._guarded(self._numpy.dtype_with, thing, state)
            place = self._places.get(id(thing))
            if place is not None and self.memo[place] is thing:
                self.memo[place] = new
        else:
            raise Refused(f"a state for {type(thing).__name__}", _name_of(type(thing)))

    dispatch[pickle.BUILD[0]] = load_build

    @staticmethod
    def _guarded(function: Callable[..., Any], *args: Any) -> Any:
        try:
            return function(*args)
        except Refused:
            raise
        except Exception as error:
            raise Refused(f"wrong arguments for NumPy: {error}") from None

    def _growing(self, name: str) -> None:
        # the thing below the last mark, or below one or two values
        thing = self.metastack[-1][-1] if name.endswith("S") else self.stack[-3 if name == "SETITEM" else -2]
        if not isinstance(thing, _GROW) and not self._is_listed(type(thing)):
            raise Refused(f"items for {type(thing).__name__}")
        if name == "SETITEM":
            _check_keys(self.stack[-2:-1])
        elif name == "SETITEMS":
            _check_keys(self.stack[::2])
        elif name == "ADDITEMS":
            _check_keys(self.stack)
        _Python.dispatch[getattr(pickle, name)[0]](self)

    def load_frozenset(self) -> None:
        _check_keys(self.stack)
        _Python.load_frozenset(self)

    dispatch[pickle.FROZENSET[0]] = load_frozenset


def _check_keys(keys: list[Any]) -> None:
    """Python computes the hash of a tuple anew each time, in a recursion without a limit."""
    for key in keys:
        if type(key) is not tuple:
            continue
        parts, waiting = 0, [key]
        while waiting:
            here = waiting.pop()
            parts += len(here)
            if parts > _MOST_PARTS_OF_A_KEY:
                raise Refused("a key of too many parts")
            waiting += [part for part in here if type(part) is tuple]


def _grow(name: str) -> Callable[[Any], None]:
    return lambda reader: reader._growing(name)


for _name in ("APPEND", "APPENDS", "SETITEM", "SETITEMS", "ADDITEMS"):
    _Reader.dispatch[getattr(pickle, _name)[0]] = _grow(_name)


def _name_of(thing: Any) -> str:
    kind = thing if type(thing) is type else type(thing)
    return f"{kind.__module__}.{kind.__qualname__}"


def read(body: bytes, classes: Iterable[type] = (), known: Iterable[type] = ()) -> Any:
    """Read a pickle; only plain values are made, and nothing is run.

    Plain values are those of Python's built-in types, of `collections`, `datetime`,
    `decimal`, `fractions` and `pathlib`, and NumPy's arrays, numbers and types.

    Parameters
    ----------
    body : bytes
    classes : iterable of type
        Classes of which objects may be made, too, with whatever contents; what these do
        about it is the caller's concern.
    known : iterable of type
        Classes that may be named, but of which no objects are made.

    Raises
    ------
    Refused
        Something is not allowed.
    Exception
        The pickle is wrong.
    """
    return _Reader(body, _by_name(classes), _by_name(known)).load()


def _by_name(kinds: Iterable[type]) -> dict[tuple[str, str], type]:
    # a name with a dot would be looked up inside of something
    return {(kind.__module__, kind.__qualname__): kind for kind in kinds if "." not in kind.__qualname__}
