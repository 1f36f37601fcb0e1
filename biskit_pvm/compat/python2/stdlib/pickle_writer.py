"""
Pickles as Python 2 wrote them, which Python 2 and any Python 3 can read: they name no module of this package.

The two modules of Python 2 differed in what they kept for later reference: ``pickle`` everything, ``cPickle`` nothing that
came once only, as far as it could know. A `Memo` decides that when all has been written.
"""

from __future__ import annotations

import _compat_pickle
import pickle
import struct
import sys
import types
from typing import Any, Callable

from biskit_pvm.compat.python2.builtins.classic import is_classic
from biskit_pvm.compat.python2.builtins.hash_tables import keys_of
from biskit_pvm.compat.python2.builtins.imports import import_
from biskit_pvm.compat.python2.builtins.numbers import MAXINT, Long
from biskit_pvm.compat.python2.builtins.strings import Basestring, Str, Unicode, as_text, plain, to_repr

HIGHEST_PROTOCOL = 2

#: built-in types that are others today, and the names that they had
_OF_OLD: tuple[tuple[Any, str], ...] = (
    (Unicode, "unicode"),
    (Str, "str"),
    (str, "str"),
    (int, "int"),
    (Long, "long"),
    (Basestring, "basestring"),
)


# types that are written by a method of their own and mostly stand alone: the fast way
_SIMPLE = frozenset((str, int, float, bool, type(None)))


class _Reference:
    """The place of a reference in what is written; its number is given out at the end."""

    __slots__ = ("before", "index")

    def __init__(self, index: int, before: bytes = b"") -> None:
        self.index, self.before = index, before

    def __radd__(self, before: bytes) -> _Reference:
        return _Reference(self.index, before)


class _Kept(_Reference):
    """The place where an object is kept for later reference."""

    __slots__ = ("always",)

    def __init__(self, index: int, always: bool) -> None:
        super().__init__(index)
        self.always = always


class Writer(pickle._Pickler):
    """
    Write objects as Python 2 did.

    Parameters
    ----------
    write : callable
        Takes bytes.
    protocol : int
        0, 1 or 2.
    thrifty : bool
        As cPickle: keep nothing that is not referred to again. For one object only.
    first : int
        Number of the first object that is kept: 1 for cPickle, 0 for pickle.
    """

    dispatch: dict[Any, Callable[..., None]] = dict(pickle._Pickler.dispatch)

    def __init__(self, write: Callable[[bytes], Any], protocol: int, thrifty: bool = False, first: int = 0) -> None:
        super().__init__(_Nowhere(), protocol, fix_imports=True)
        self._chunks: list[Any] = []
        self.write = self._chunks.append
        self._no_persistent_ids = type(self).persistent_id is pickle._Pickler.persistent_id
        self._out, self._thrifty, self._first = write, thrifty, first

    def dump(self, obj: Any) -> None:
        """
        Write an object.

        Parameters
        ----------
        obj : any
        """
        self._chunks.clear()
        if self.proto >= 2:
            self.write(pickle.PROTO + bytes((self.proto,)))
        self.save(obj)
        self.write(pickle.STOP)
        self._out(self._with_numbers())

    def _with_numbers(self) -> bytes:
        """Join what was written, and number what is kept."""
        used = {chunk.index for chunk in self._chunks if type(chunk) is _Reference}
        numbers: dict[int, int] = {}
        parts: list[bytes] = []
        for chunk in self._chunks:
            if type(chunk) is bytes:
                parts.append(chunk)
            elif isinstance(chunk, _Kept):
                if chunk.always or not self._thrifty or chunk.index in used:
                    number = numbers[chunk.index] = (len(numbers) if self._thrifty else chunk.index) + self._first
                    parts.append(self.put(number))
            else:
                number = numbers.get(chunk.index, chunk.index + self._first)
                parts.append(chunk.before + super().get(number))
        return b"".join(parts)

    def memoize(self, obj: Any, always: bool = True) -> None:
        if self.fast:
            return
        index = len(self.memo)
        self.write(_Kept(index, always))
        self.memo[id(obj)] = index, obj

    def get(self, i: int) -> Any:
        return _Reference(i)

    def save(self, obj: Any, save_persistent_id: bool = True) -> None:
        """
        Write an object, or a reference to it.

        Parameters
        ----------
        obj : any
        save_persistent_id : bool
            Ask `persistent_id`, which subclasses may have.
        """
        kind = type(obj)
        if kind in _SIMPLE and self._no_persistent_ids:
            known = self.memo.get(id(obj)) if kind is str else None
            if known is None:
                self.dispatch[kind](self, obj)
            else:
                self.write(_Reference(known[0]))
            return
        if is_classic(kind) and id(obj) not in self.memo:
            name = self.persistent_id(obj) if save_persistent_id else None
            if name is None:
                self._save_instance(obj)
                return
        super().save(obj, save_persistent_id)

    def _save_instance(self, obj: Any) -> None:
        """Write an instance of an old-style class."""
        kind = type(obj)
        if "_of_one_instance" in kind.__dict__:
            kind = kind.__bases__[0]
        arguments = obj.__getinitargs__() if hasattr(obj, "__getinitargs__") else ()
        self.write(pickle.MARK)
        if self.bin:
            self.save(kind)
        for argument in arguments:
            self.save(argument)
        if self.bin:
            self.write(pickle.OBJ)
        else:
            module, name = _name_of(kind)
            self.write(pickle.INST + _line(module) + _line(name))
        self.memoize(obj, always=False)
        own = getattr(kind, "__getstate__", None)
        default = getattr(object, "__getstate__", None)
        self.save(obj.__dict__ if own is None or own is default else obj.__getstate__())
        self.write(pickle.BUILD)

    def _save_text(self, obj: str) -> None:
        try:
            data = obj.encode("latin-1")
        except UnicodeEncodeError:
            self._save_unicode(obj)
        else:
            self._save_bytes(data, obj)

    def _save_bytes(self, data: bytes, obj: Any = None) -> None:
        if not self.bin:
            self.write(pickle.STRING + to_repr(as_text(data)).encode("ascii") + b"\n")
        elif len(data) < 256:
            self.write(pickle.SHORT_BINSTRING + bytes((len(data),)) + data)
        else:
            self.write(pickle.BINSTRING + struct.pack("<i", len(data)) + data)
        self._keep_text(data if obj is None else obj)

    def _save_bytearray(self, obj: bytearray) -> None:
        self.save_reduce(bytearray, (as_text(bytes(obj)), "latin-1"), obj=obj)

    def _save_unicode(self, obj: str) -> None:
        text = plain(obj)
        if self.bin:
            data = text.encode("utf-8", "surrogatepass")
            self.write(pickle.BINUNICODE + struct.pack("<I", len(data)) + data)
        else:
            text = text.replace("\\", "\\u005c").replace("\n", "\\u000a")
            self.write(pickle.UNICODE + text.encode("raw-unicode-escape") + b"\n")
        self._keep_text(obj)

    def _keep_text(self, obj: Any) -> None:
        if not self._first or len(obj) > 1:
            self.memoize(obj)

    def _save_float(self, obj: float) -> None:
        if self.bin:
            self.save_float(obj)
        else:
            text = "%.17g" % obj if self._first else repr(obj)
            self.write(pickle.FLOAT + text.encode("ascii") + b"\n")

    def _save_int(self, obj: int) -> None:
        if self.bin and -0x80000000 <= obj <= 0x7FFFFFFF:
            self.save_long(obj)
        elif -MAXINT - 1 <= obj <= MAXINT:
            self.write(pickle.INT + str(obj).encode("ascii") + b"\n")
        else:
            self._save_long(obj)

    def _save_long(self, obj: int) -> None:
        if self.proto >= 2:
            data = pickle.encode_long(int(obj))
            if len(data) < 256:
                self.write(pickle.LONG1 + bytes((len(data),)) + data)
            else:
                self.write(pickle.LONG4 + struct.pack("<i", len(data)) + data)
        else:
            self.write(pickle.LONG + str(int(obj)).encode("ascii") + b"L\n")

    def _save_dict(self, obj: dict) -> None:
        self.write(pickle.EMPTY_DICT if self.bin else pickle.MARK + pickle.DICT)
        self.memoize(obj)
        items = ((key, obj[key]) for key in keys_of(obj))
        self._batch_setitems(*((items, obj) if _TAKES_OBJECT else (items,)))

    def _save_set(self, obj: Any) -> None:
        self.save_reduce(type(obj), (keys_of(obj),), obj=obj)

    def save_global(self, obj: Any, name: str | None = None) -> None:
        """
        Write a class or function by its name.

        Parameters
        ----------
        obj : class or function
        name : str, optional

        Raises
        ------
        PicklingError
            It cannot be found under its name.
        """
        module, found = _name_of(obj, name)
        self.write(pickle.GLOBAL + _line(module) + _line(found))
        self.memoize(obj)

    def _save_module(self, obj: types.ModuleType) -> None:
        raise pickle.PicklingError(f"Can't pickle {obj!r}: it's a module")

    def _save_type(self, obj: type) -> None:
        if obj is type(None) or obj is type(NotImplemented) or obj is type(...):
            self.save_reduce(type, ({type(None): None, type(...): ...}.get(obj, NotImplemented),), obj=obj)
        else:
            self.save_global(obj)

    dispatch.update(
        {
            str: _save_text,
            Unicode: _save_unicode,
            bytes: _save_bytes,
            bytearray: _save_bytearray,
            float: _save_float,
            int: _save_int,
            Long: _save_long,
            dict: _save_dict,
            set: _save_set,
            frozenset: _save_set,
            type: _save_type,
            types.FunctionType: save_global,
            types.ModuleType: _save_module,
        }
    )


#: whether a part of `pickle` that has no leading underscore elsewhere wants to know what it is for, as it does since 3.14
_TAKES_OBJECT = pickle._Pickler._batch_setitems.__code__.co_argcount > 2


class _Nowhere:
    def write(self, data: bytes) -> None:
        """Take nothing: a `Writer` has a list of its own."""


def _line(text: str) -> bytes:
    return text.encode("ascii") + b"\n"


def _name_of(obj: Any, name: str | None = None) -> tuple[str, str]:
    """Return module and name under which Python 2 finds a class or function."""
    for ours, old in _OF_OLD:
        if obj is ours:
            return "__builtin__", old
    name = name or getattr(obj, "__name__", None) or "?"
    module = pickle.whichmodule(obj, name)
    if module.startswith("biskit_pvm.compat.python2.builtins"):
        module = "exceptions" if isinstance(obj, type) and issubclass(obj, BaseException) else "__builtin__"
    try:
        there = sys.modules[module] if module in sys.modules else import_(module, None, None, ["*"])
        if getattr(there, name) is not obj:
            raise AttributeError(name)
    except (ImportError, AttributeError):
        raise pickle.PicklingError(f"Can't pickle {to_repr(obj)}: it's not found as {module}.{name}") from None
    if (module, name) in _compat_pickle.REVERSE_NAME_MAPPING:
        module, name = _compat_pickle.REVERSE_NAME_MAPPING[module, name]
    module = _compat_pickle.REVERSE_IMPORT_MAPPING.get(module, module)
    if module.startswith("numpy._core"):
        module = "numpy.core" + module[len("numpy._core") :]
    return module, name
