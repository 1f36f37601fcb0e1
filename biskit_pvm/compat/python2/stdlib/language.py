"""Modules about the language itself, and the classes that stood in for built-in types."""

from __future__ import annotations

import collections
import collections.abc
import hashlib
import inspect
import itertools
import math
import operator
import os
import random
import sys
import traceback
import types
from collections.abc import Iterable, Iterator
from typing import Any, Callable

from biskit_pvm.compat.python2.builtins import NAMESPACE, builtin_module, containers, errors, files, numbers, ordering
from biskit_pvm.compat.python2.builtins.classes import (
    ClassicType,
    Instance,
    delete_slice,
    get_slice,
    make_class,
    set_slice,
)
from biskit_pvm.compat.python2.builtins.hash_tables import in_order, keys_of
from biskit_pvm.compat.python2.builtins.hashing import hash_
from biskit_pvm.compat.python2.builtins.kinds import type_of
from biskit_pvm.compat.python2.builtins.numbers import Long, divide, divide_in_place
from biskit_pvm.compat.python2.builtins.strings import Str, Unicode, to_repr
from biskit_pvm.compat.python2.registry import StandIn, ask, new_module
from biskit_pvm.compat.python2.stdlib.eight_bit import is_ours


def _types() -> types.ModuleType:
    return StandIn(
        types,
        {
            "BooleanType": bool,
            "BufferType": memoryview,
            "BuiltinFunctionType": types.BuiltinFunctionType,
            "BuiltinMethodType": types.BuiltinMethodType,
            "ClassType": ClassicType,
            "CodeType": types.CodeType,
            "ComplexType": complex,
            "DictProxyType": types.MappingProxyType,
            "DictType": dict,
            "DictionaryType": dict,
            "EllipsisType": type(...),
            "FileType": files.File,
            "FloatType": float,
            "FrameType": types.FrameType,
            "FunctionType": types.FunctionType,
            "GeneratorType": types.GeneratorType,
            "InstanceType": Instance,
            "IntType": int,
            "LambdaType": types.LambdaType,
            "ListType": list,
            "LongType": Long,
            "MethodType": types.MethodType,
            "ModuleType": types.ModuleType,
            "NoneType": type(None),
            "NotImplementedType": type(NotImplemented),
            "ObjectType": object,
            "SliceType": slice,
            "StringType": Str,
            "StringTypes": (Str, Unicode),
            "TracebackType": types.TracebackType,
            "TupleType": tuple,
            "TypeType": type,
            "UnboundMethodType": types.MethodType,
            "UnicodeType": Unicode,
            "XRangeType": range,
        },
        name="types",
    )


def _new() -> types.ModuleType:
    def classobj(name: str, bases: tuple, namespace: dict) -> Any:
        return make_class(name, bases, namespace)

    def instance(kind: Any, names: dict | None = None) -> Any:
        made = object.__new__(kind)
        made.__dict__.update(names or {})
        return made

    def instancemethod(function: Callable, obj: Any = None, kind: Any = None) -> Any:
        return function if obj is None else types.MethodType(function, obj)

    def module(name: str, doc: str | None = None) -> types.ModuleType:
        return types.ModuleType(name, doc)

    return new_module(
        "new",
        {
            "classobj": classobj,
            "instance": instance,
            "instancemethod": instancemethod,
            "function": types.FunctionType,
            "module": module,
            "code": types.CodeType,
        },
    )


def _exceptions() -> types.ModuleType:
    return new_module(
        "exceptions",
        {
            name: value
            for name, value in NAMESPACE.items()
            if isinstance(value, type) and issubclass(value, BaseException)
        },
    )


def _inspect() -> types.ModuleType:
    ArgSpec = collections.namedtuple("ArgSpec", "args varargs keywords defaults")

    def getargspec(function: Callable) -> Any:
        found = inspect.getfullargspec(function)
        args = list(found.args)
        return ArgSpec(args, found.varargs, found.varkw, found.defaults)

    return StandIn(
        inspect,
        {
            "getargspec": getargspec,
            "getmoduleinfo": lambda path: None,
            "isclass": lambda obj: isinstance(obj, type),
            "ismethod": lambda obj: type_of(obj) is types.MethodType,
            "isfunction": lambda obj: type_of(obj) is types.FunctionType,
        },
        name="inspect",
    )


def _operator() -> types.ModuleType:
    return StandIn(
        operator,
        {
            "div": divide,
            "__div__": divide,
            "idiv": divide_in_place,
            "lt": ordering.less,
            "le": ordering.less_equal,
            "gt": ordering.greater,
            "ge": ordering.greater_equal,
            "eq": ordering.equal,
            "ne": ordering.unequal,
            "add": numbers.add,
            "sub": numbers.subtract,
            "mul": numbers.multiply,
            "pow": numbers.power,
            "truediv": numbers.true_divide,
            "isCallable": callable,
            "sequenceIncludes": operator.contains,
            "isSequenceType": lambda obj: hasattr(type(obj), "__getitem__") and not isinstance(obj, dict),
            "isMappingType": lambda obj: hasattr(type(obj), "__getitem__") and not isinstance(obj, (list, tuple, str)),
            "isNumberType": lambda obj: hasattr(type(obj), "__int__") or hasattr(type(obj), "__float__"),
            "repeat": operator.mul,
            "irepeat": operator.imul,
            "getslice": get_slice,
            "setslice": set_slice,
            "delslice": delete_slice,
        },
        name="operator",
    )


def _itertools() -> types.ModuleType:
    def imap(function: Callable | None, *sequences: Iterable) -> Iterator:
        return zip(*sequences) if function is None else map(function, *sequences)

    return StandIn(
        itertools,
        {
            "imap": imap,
            "ifilter": filter,
            "izip": zip,
            "ifilterfalse": itertools.filterfalse,
            "izip_longest": itertools.zip_longest,
        },
        name="itertools",
    )


def _collections() -> types.ModuleType:
    return StandIn(
        collections,
        {name: getattr(collections.abc, name) for name in collections.abc.__all__ if name not in ("Buffer",)},
        name="collections",
    )


def _math() -> types.ModuleType:
    def as_float(function: Callable) -> Callable:
        def call(value: Any) -> float:
            return float(function(value))

        call.__name__ = function.__name__
        return call

    return StandIn(math, {"floor": as_float(math.floor), "ceil": as_float(math.ceil)}, name="math")


# -- random: seeded scripts draw the same numbers


class Random(random.Random):
    """Python 2's way from the same generator to choices and ranges."""

    def seed(self, a: Any = None, *version: Any) -> None:
        if isinstance(a, str):
            a = hash_(a) & 0xFFFFFFFFFFFFFFFF
        elif a is not None and not isinstance(a, int):
            a = hash_(a) & 0xFFFFFFFFFFFFFFFF
        super().seed(a)

    def randrange(self, start: int, stop: int | None = None, step: int = 1) -> int:
        if stop is None:
            start, stop = 0, start
        width = stop - start
        count = (width + step - (1 if step > 0 else -1)) // step
        if count <= 0 or step == 0:
            raise ValueError(f"empty range for randrange() ({start},{stop}, {width})")
        if count >= 1 << 53:
            return start + step * self._randbelow_old(count)
        return start + step * int(self.random() * count)

    def _randbelow_old(self, count: int) -> int:
        bits = int(1.00001 + math.log(count - 1, 2.0))
        found = self.getrandbits(bits)
        while found >= count:
            found = self.getrandbits(bits)
        return found

    def randint(self, a: int, b: int) -> int:
        return self.randrange(a, b + 1)

    def choice(self, seq: Any) -> Any:
        return seq[int(self.random() * len(seq))]

    def shuffle(self, x: Any, random: Callable | None = None) -> None:
        draw = random or self.random
        for i in reversed(range(1, len(x))):
            j = int(draw() * (i + 1))
            x[i], x[j] = x[j], x[i]

    def sample(self, population: Any, k: int) -> list:
        n = len(population)
        if not 0 <= k <= n:
            raise ValueError("sample larger than population")
        result = [None] * k
        setsize = 21
        if k > 5:
            setsize += 4 ** math.ceil(math.log(k * 3, 4))
        if n <= setsize or hasattr(population, "keys"):
            pool = list(population)
            for i in range(k):
                j = int(self.random() * (n - i))
                result[i] = pool[j]
                pool[j] = pool[n - i - 1]
        else:
            selected: dict = {}
            for i in range(k):
                j = int(self.random() * n)
                while j in selected:
                    j = int(self.random() * n)
                result[i] = selected[j] = population[j]
        return result

    def gammavariate(self, alpha: float, beta: float) -> float:
        if alpha != 1.0:
            return super().gammavariate(alpha, beta)
        drawn = self.random()
        while drawn <= 1e-7:
            drawn = self.random()
        return -math.log(drawn) * beta

    def jumpahead(self, n: int) -> None:
        """Go on from another state, which hangs on the present one and on `n`."""
        version, words, gauss = self.getstate()
        text = "(" + ", ".join(f"{word}L" for word in words) + ")"
        number = int(hashlib.sha512(f"{to_repr(n)}(3, {text}, {to_repr(gauss)})".encode("latin-1")).hexdigest(), 16)
        state = list(words[:-1])
        for i in range(len(state) - 1, 1, -1):
            j = number % i
            state[i], state[j] = state[j], state[i]
        state = [(word + i + 1) & 0xFFFFFFFF for i, word in enumerate(state)]
        self.setstate((version, (*state, len(state)), gauss))


class WichmannHill(Random):
    """The generator that Python had before 2.3: algorithm AS 183 of Wichmann and Hill."""

    VERSION = 1
    _MODULI = 30269, 30307, 30323
    _FACTORS = 171, 172, 170

    def seed(self, a: Any = None, *version: Any) -> None:
        number = a if isinstance(a, int) else hash_(a) if a is not None else int.from_bytes(os.urandom(16), "big")
        self._seeds = []
        for modulus in self._MODULI:
            number, left = divmod(number, modulus - 1)
            self._seeds.append(left + 1)
        self.gauss_next = None

    def random(self) -> float:
        self.jumpahead(1)
        return sum(seed / modulus for seed, modulus in zip(self._seeds, self._MODULI)) % 1.0

    def jumpahead(self, n: int) -> None:
        """Act as `n` calls of `random` do."""
        if n < 0:
            raise ValueError("n must be >= 0")
        self._seeds = [
            seed * pow(factor, n, modulus) % modulus
            for seed, factor, modulus in zip(self._seeds, self._FACTORS, self._MODULI)
        ]

    def whseed(self, a: Any = None) -> None:
        """Seed as Python 2.0 did, which leads to far fewer states."""
        number = int.from_bytes(os.urandom(3), "big") if a is None else hash_(a)
        low = []
        for _ in range(3):
            number, left = divmod(number, 256)
            low.append(left)
        self._seeds = [(each + number) % 256 or 1 for each in low]
        self.gauss_next = None

    def getstate(self) -> tuple:
        return self.VERSION, tuple(self._seeds), self.gauss_next

    def setstate(self, state: tuple) -> None:
        version, seeds, self.gauss_next = state
        if version != self.VERSION:
            raise ValueError(f"state with version {version} passed to Random.setstate() of version {self.VERSION}")
        self._seeds = list(seeds)


def _random() -> types.ModuleType:
    shared = Random()
    names = {
        name: getattr(shared, name)
        for name in """seed random uniform triangular randint choice randrange sample shuffle normalvariate lognormvariate
             expovariate vonmisesvariate gammavariate gauss betavariate paretovariate weibullvariate getstate setstate
             jumpahead getrandbits""".split()
    }
    return StandIn(random, {**names, "Random": Random, "WichmannHill": WichmannHill, "_inst": shared}, name="random")


# -- UserDict, UserList, UserString, sets


class DictMixin:
    """Everything of a dictionary from ``__getitem__``, ``__setitem__``, ``__delitem__`` and ``keys``."""

    def __iter__(self) -> Iterator:
        return iter(self.keys())

    def has_key(self, key: Any) -> bool:
        try:
            self[key]
        except KeyError:
            return False
        return True

    def __contains__(self, key: Any) -> bool:
        return self.has_key(key)

    def iteritems(self) -> Iterator:
        return ((key, self[key]) for key in self)

    def iterkeys(self) -> Iterator:
        return self.__iter__()

    def itervalues(self) -> Iterator:
        return (self[key] for key in self)

    def values(self) -> list:
        return [value for _, value in self.iteritems()]

    def items(self) -> list:
        return list(self.iteritems())

    def clear(self) -> None:
        for key in list(self.keys()):
            del self[key]

    def setdefault(self, key: Any, default: Any = None) -> Any:
        try:
            return self[key]
        except KeyError:
            self[key] = default
        return default

    def pop(self, key: Any, *args: Any) -> Any:
        try:
            value = self[key]
        except KeyError:
            if args:
                return args[0]
            raise
        del self[key]
        return value

    def popitem(self) -> tuple:
        for key, value in self.iteritems():
            del self[key]
            return key, value
        raise KeyError("container is empty")

    def update(self, other: Any = None, **named: Any) -> None:
        if hasattr(other, "keys"):
            for key in other.keys():
                self[key] = other[key]
        elif other is not None:
            for key, value in other:
                self[key] = value
        for key, value in named.items():
            self[key] = value

    def get(self, key: Any, default: Any = None) -> Any:
        try:
            return self[key]
        except KeyError:
            return default

    def __repr__(self) -> str:
        return to_repr(dict(self.iteritems()))

    def __cmp__(self, other: Any) -> int:
        return ordering.compare(
            dict(self.iteritems()), dict(other.iteritems()) if isinstance(other, DictMixin) else other
        )

    def __eq__(self, other: Any) -> bool:
        return self.__cmp__(other) == 0 if other is not None else False

    def __ne__(self, other: Any) -> bool:
        return not self == other

    __hash__ = None

    def __len__(self) -> int:
        return len(self.keys())


def _of_data(method: Callable) -> Callable:
    return lambda self: method(self.data)


def _sequence_body(base: type) -> dict[str, Any]:
    """What the User... classes of collections lack: views as lists, and slices as methods."""
    return (
        {
            "__getslice__": lambda self, i, j: self[max(i, 0) : max(j, 0)],
            "__cmp__": lambda self, other: ordering.compare(self.data, getattr(other, "data", other)),
        }
        if base is not collections.UserDict
        else {
            **{name: _of_data(containers.METHODS[name]) for name in containers.METHODS},
            "__iter__": lambda self: iter(in_order(self.data)),
            "has_key": lambda self, key: key in self.data,
            "__repr__": lambda self: to_repr(self.data),
            "__init__": _user_dict_init,
            "__cmp__": lambda self, other: ordering.compare(self.data, getattr(other, "data", other)),
        }
    )


def _user_dict_init(self: Any, dict: Any = None, **named: Any) -> None:
    self.data = {}
    for given in (dict, named):
        if given is not None:
            self.update(containers.items(given) if hasattr(given, "items") else given)


def _user(name: str, base: type) -> types.ModuleType:
    made = type(name, (base,), {**_sequence_body(base), "__module__": name})
    names: dict[str, Any] = {name: made}
    if name == "UserDict":
        names.update(IterableUserDict=made, DictMixin=DictMixin)
    return new_module(name, names)


def _sets() -> types.ModuleType:
    def keeping(method: str) -> Callable:
        native = getattr(set, method)

        def call(self: Any, *args: Any) -> Any:
            result = native(self, *args)
            return type(self)(result) if type(result) in (set, frozenset) else result

        call.__name__ = method
        return call

    methods = ("__and__ __or__ __sub__ __xor__ union intersection difference symmetric_difference copy").split()

    class Set(set):
        """A set that can change."""

        def __repr__(self) -> str:
            return f"{type(self).__name__}([{', '.join(map(to_repr, keys_of(self)))}])"

        def update(self, *others: Iterable) -> None:
            set.update(self, *others)

        union_update = update
        __str__ = __repr__

    class ImmutableSet(frozenset):
        """A set that can be a key."""

        __repr__ = Set.__repr__
        __str__ = Set.__repr__

    for name in methods:
        setattr(Set, name, keeping(name))
        native = getattr(frozenset, name)
        setattr(ImmutableSet, name, lambda self, *args, native=native: type(self)(native(self, *args)))
    for kind in (Set, ImmutableSet):
        kind.__module__, kind.__qualname__ = "sets", kind.__name__
    return new_module("sets", {"Set": Set, "ImmutableSet": ImmutableSet, "BaseSet": (Set, ImmutableSet)})


def _imp() -> types.ModuleType:
    def find_module(name: str, path: Any = None) -> Any:
        for folder in sys.path if path is None else path:
            found = os.path.join(folder, name)
            if os.path.isfile(os.path.join(found, "__init__.py")):
                return None, found, ("", "", 5)
            if os.path.isfile(found + ".py"):
                return NAMESPACE["open"](found + ".py", "U"), found + ".py", (".py", "U", 1)
        raise ImportError(f"No module named {name}")

    def load_module(name: str, file: Any, path: str, description: tuple) -> Any:
        module: types.ModuleType = ask("load file")(
            name, os.path.join(path, "__init__.py") if description[2] == 5 else path
        )
        return module

    def load_source(name: str, path: str, file: Any = None) -> Any:
        module: types.ModuleType = ask("load file")(name, path)
        return module

    return new_module(
        "imp",
        {
            "new_module": types.ModuleType,
            "find_module": find_module,
            "load_module": load_module,
            "PY_SOURCE": 1,
            "PKG_DIRECTORY": 5,
            "load_source": load_source,
            "reload": NAMESPACE["reload"],
            "acquire_lock": lambda: None,
            "release_lock": lambda: None,
            "lock_held": lambda: False,
        },
    )


MODULES = {
    "types": _types,
    "new": _new,
    "exceptions": _exceptions,
    "__builtin__": lambda: builtin_module,
    "inspect": _inspect,
    "operator": _operator,
    "itertools": _itertools,
    "collections": _collections,
    "UserDict": lambda: _user("UserDict", collections.UserDict),
    "UserList": lambda: _user("UserList", collections.UserList),
    "UserString": lambda: _user("UserString", collections.UserString),
    "sets": _sets,
    "math": _math,
    "random": _random,
    "imp": _imp,
}
