"""``heapq``, ``bisect`` and ``array``, which compared anything with anything and held characters."""

from __future__ import annotations

import array
import bisect
import heapq
import types
from collections.abc import Iterable
from functools import cmp_to_key
from typing import Any, Callable

from biskit_pvm.compat.python2.builtins.ordering import compare, sort
from biskit_pvm.compat.python2.builtins.strings import as_bytes, as_text, to_repr
from biskit_pvm.compat.python2.registry import StandIn

_key = cmp_to_key(compare)


def _on_keys(function: Callable, with_item: bool) -> Callable:
    """Let a function of `heapq` that works in place compare as Python 2 did."""

    def call(heap: list, *item: Any) -> Any:
        try:
            before = list(heap)
            return function(heap, *item)
        except TypeError:
            # things that Python 3 does not compare
            keys = [_key(each) for each in before]
            result = function(keys, *map(_key, item)) if with_item else function(keys)
            heap[:] = [each.obj for each in keys]
            return getattr(result, "obj", result)

    call.__name__ = function.__name__
    return call


def _nlargest(n: int, iterable: Iterable, key: Callable | None = None) -> list:
    return sort(iterable, key=key, reverse=True)[: max(n, 0)]


def _nsmallest(n: int, iterable: Iterable, key: Callable | None = None) -> list:
    return sort(iterable, key=key)[: max(n, 0)]


def _heapq() -> types.ModuleType:
    names: dict[str, Any] = {"nlargest": _nlargest, "nsmallest": _nsmallest}
    for name in ("heappush", "heappushpop", "heapreplace"):
        names[name] = _on_keys(getattr(heapq, name), True)
    for name in ("heappop", "heapify"):
        names[name] = _on_keys(getattr(heapq, name), False)
    return StandIn(heapq, names, name="heapq")


def _place(name: str) -> Callable:
    native = getattr(bisect, name)
    right = not name.endswith("left")

    def call(a: Any, x: Any, lo: int = 0, hi: int | None = None) -> int:
        try:
            return int(native(a, x, lo, len(a) if hi is None else hi))
        except TypeError:
            high = len(a) if hi is None else hi
            while lo < high:
                middle = (lo + high) // 2
                order = compare(x, a[middle])
                if order < 0 or (order == 0 and not right):
                    high = middle
                else:
                    lo = middle + 1
            return lo

    call.__name__ = name
    return call


def _inserting(place: Callable) -> Callable:
    def call(a: Any, x: Any, lo: int = 0, hi: int | None = None) -> None:
        a.insert(place(a, x, lo, hi), x)

    return call


def _bisect() -> types.ModuleType:
    left, right = _place("bisect_left"), _place("bisect_right")
    insort_left, insort_right = _inserting(left), _inserting(right)
    names = {"bisect_left": left, "bisect_right": right, "bisect": right}
    names.update(insort_left=insort_left, insort_right=insort_right, insort=insort_right)
    return StandIn(bisect, names, name="bisect")


class Array(array.array):
    """Python 2's ``array.array``, whose type code ``c`` held characters."""

    __slots__ = ("_characters",)

    def __new__(cls, typecode: str, initializer: Any = ()) -> Any:
        characters = typecode == "c"
        if isinstance(initializer, str):
            initializer = as_bytes(initializer)
        elif characters:
            initializer = as_bytes("".join(initializer))
        made = super().__new__(cls, "B" if characters else typecode, initializer)
        made._characters = characters
        return made

    @property
    def typecode(self) -> str:
        return "c" if self._characters else super().typecode

    def _out(self, value: Any) -> Any:
        return chr(value) if self._characters else value

    def _in(self, value: Any) -> Any:
        return ord(value) if self._characters else value

    def __getitem__(self, index: Any) -> Any:
        found = super().__getitem__(index)
        return Array(self.typecode, as_text(found.tobytes())) if isinstance(index, slice) else self._out(found)

    def __setitem__(self, index: Any, value: Any) -> None:
        super().__setitem__(index, value if isinstance(index, slice) else self._in(value))

    def __iter__(self) -> Any:
        return map(self._out, super().__iter__())

    def __contains__(self, value: Any) -> bool:
        return super().__contains__(self._in(value))

    def append(self, value: Any) -> None:
        super().append(self._in(value))

    def insert(self, index: int, value: Any) -> None:
        super().insert(index, self._in(value))

    def pop(self, *index: int) -> Any:
        return self._out(super().pop(*index))

    def count(self, value: Any) -> int:
        return super().count(self._in(value))

    def index(self, value: Any, *bounds: int) -> int:
        return super().index(self._in(value), *bounds)

    def remove(self, value: Any) -> None:
        super().remove(self._in(value))

    def extend(self, values: Any) -> None:
        super().extend(values if isinstance(values, array.array) else map(self._in, values))

    def fromlist(self, values: list) -> None:
        super().fromlist(list(map(self._in, values)))

    def tolist(self) -> list:
        return list(self)

    def tostring(self) -> str:
        return as_text(self.tobytes())

    def fromstring(self, text: Any) -> None:
        self.frombytes(as_bytes(text))

    def __reduce_ex__(self, protocol: Any) -> Any:
        return Array, (self.typecode, self.tostring())

    def __repr__(self) -> str:
        if not len(self):
            return f"array({self.typecode!r})"
        return f"array({self.typecode!r}, {to_repr(self.tostring() if self._characters else self.tolist())})"


Array.__name__ = Array.__qualname__ = "array"
Array.__module__ = "array"


MODULES = {
    "heapq": _heapq,
    "bisect": _bisect,
    "array": lambda: StandIn(array, {"array": Array, "ArrayType": Array}, name="array"),
}
