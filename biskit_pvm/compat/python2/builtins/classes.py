"""
Classes as in Python 2: old-style ones, and the methods that Python 3 no longer calls.

A class statement of translated code comes to `build_class`, which Python calls in place of its own. It fills in what
Python 3 looks for (``__bool__`` from ``__nonzero__``, comparisons from ``__cmp__``, ``__next__`` from ``next``) and gives
old-style classes their order of search and their rules.
"""

from __future__ import annotations

import builtins
import sys
from typing import Any, Callable

from biskit_pvm.compat.python2.builtins.classic import ClassicType, MixedType, is_classic, own_methods
from biskit_pvm.compat.python2.builtins.numbers import divide, modulo
from biskit_pvm.compat.python2.builtins.strings import Str, Unicode, to_str

_COMPARISONS = {
    "__lt__": lambda order: order < 0,
    "__le__": lambda order: order <= 0,
    "__gt__": lambda order: order > 0,
    "__ge__": lambda order: order >= 0,
    "__eq__": lambda order: order == 0,
    "__ne__": lambda order: order != 0,
}
_NUMERIC = "add sub mul div truediv floordiv mod pow lshift rshift and or xor".split()


class Instance:
    """The invisible base of every old-style class; ``types.InstanceType`` of translated code."""

    def __repr__(self) -> str:
        kind = type(self)
        return f"<{kind.__module__}.{kind.__name__} instance at {id(self):#x}>"

    def __str__(self) -> str:
        return to_str(repr(self))


Instance.__name__ = Instance.__qualname__ = "instance"
ClassicType.root = Instance


class ClassicProperty:
    """A property of an old-style class: its setter was never called, and a value of the instance goes first."""

    def __init__(self, prop: property) -> None:
        self.fget, self.fset, self.fdel, self.__doc__ = prop.fget, prop.fset, prop.fdel, prop.__doc__

    def __get__(self, obj: Any, kind: type | None = None) -> Any:
        return self if obj is None else self.fget(obj)


def build_class(body: Callable, name: str, *bases: Any, **named: Any) -> Any:
    """
    Make the class of a class statement (Python looks this up as ``__build_class__``).

    Parameters
    ----------
    body : callable
    name : str
    bases : classes
    named : dict
        Python 3 keywords; translated code has none.

    Returns
    -------
    type
    """
    if named:
        return builtins.__build_class__(body, name, *bases, **named)
    module_metaclass = body.__globals__.get("__metaclass__")

    def make(name: str, bases: tuple, namespace: dict) -> Any:
        metaclass = namespace.get("__metaclass__", None if bases else module_metaclass)
        return make_class(name, bases, namespace, metaclass)

    bases = tuple(str if base is Str else base for base in bases)
    return builtins.__build_class__(body, name, *bases, metaclass=make)


def make_class(name: str, bases: tuple, namespace: dict, metaclass: Any = None) -> Any:
    """
    Make a class with Python 2's rules from its parts.

    Parameters
    ----------
    name : str
    bases : tuple of classes
    namespace : dict
    metaclass : callable, optional
        Asked instead of the bases' own.

    Returns
    -------
    type
    """
    namespace = dict(namespace)
    namespace["__qualname__"] = name
    bases = tuple(str if base is Str else base for base in bases)
    classic = metaclass is None and all(is_classic(base) for base in bases)
    if metaclass is None:
        metaclass = ClassicType if classic else type(bases[0])
        for base in bases:
            if issubclass(type(base), metaclass):
                metaclass = type(base)
    _fill_in(namespace, bases, classic)
    if not classic and any(is_classic(base) for base in bases) and isinstance(metaclass, type):
        metaclass = _mixed(metaclass)
    made = metaclass(name, bases or (() if classic else (object,)), namespace)
    if isinstance(made, type):
        if "__hash__" not in namespace and made.__dict__.get("__hash__", 0) is None:
            _inherit_hash(made, classic)
        own_methods(made)
    return made


def _mixed(metaclass: type) -> type:
    """Give the metaclass for a new-style class with an old-style base."""
    if issubclass(metaclass, MixedType):
        return metaclass
    return MixedType if issubclass(ClassicType, metaclass) else type("MixedType", (metaclass, MixedType), {})


def _inherit_hash(made: type, classic: bool) -> None:
    """A new-style class that only says what is equal kept the hash of its base; an old-style one had none."""
    if classic:
        return
    for base in made.__mro__[1:]:
        if base.__dict__.get("__hash__") is not None:
            made.__hash__ = base.__dict__["__hash__"]
            return


def _fill_in(namespace: dict, bases: tuple, classic: bool) -> None:
    """Add what Python 3 looks for under another name, or not at all."""

    def inherited(name: str) -> Any:
        for base in bases:
            method = getattr(base, name, None)
            # what asks __getattr__ stands for what the class does not have
            if method is not getattr(object, name, None) and not getattr(method, "asks_getattr", False):
                return method
        return None

    if classic:
        namespace.pop("__slots__", None)
        for name, value in list(namespace.items()):
            if type(value) is property:
                namespace[name] = ClassicProperty(value)
    error = next((base for base in bases if isinstance(base, type) and issubclass(base, BaseException)), None)
    if error is not None:
        if "__init__" in namespace and "__new__" not in namespace and not issubclass(error, OSError):
            # `args` is the affair of Exception.__init__, which the class need not call
            namespace["__new__"] = lambda cls, *args, **named: error.__new__(cls)
        if "__getitem__" not in namespace and inherited("__getitem__") is None:
            namespace["__getitem__"] = lambda self, index: self.args[index]
    if "next" in namespace and "__next__" not in namespace:
        namespace["__next__"] = lambda self: self.next()
    if "__nonzero__" in namespace and "__bool__" not in namespace:
        namespace["__bool__"] = lambda self: bool(self.__nonzero__())
    for name in ("div", "rdiv", "idiv"):
        old, new = f"__{name}__", f"__{name.replace('div', 'truediv')}__"
        if old in namespace and new not in namespace:
            namespace[new] = namespace[old]
    if "__cmp__" in namespace:
        for name, answer in _COMPARISONS.items():
            if name not in namespace and (inherited(name) is None or _from_cmp(inherited(name))):
                namespace[name] = _comparison(name, answer)
        if "__hash__" not in namespace and not classic:
            namespace["__hash__"] = next((base.__hash__ for base in bases if base.__hash__), object.__hash__)
    elif "__eq__" in namespace and "__ne__" not in namespace and inherited("__ne__") is None:
        # Python 2 does not turn __eq__ round: without __ne__ it compared by identity
        namespace["__ne__"] = lambda self, other: NotImplemented
    if "__getslice__" in namespace and "__getitem__" not in namespace and inherited("__getitem__") is None:
        namespace["__getitem__"] = _item_from_slice
    if "__coerce__" in namespace:
        for name in _NUMERIC:
            for form in (f"__{name}__", f"__r{name}__"):
                if form not in namespace and inherited(form) is None:
                    namespace[form] = _coerced(form)
    if classic and "__getattr__" in namespace:
        for name in _DELEGATED:
            if name not in namespace and inherited(name) in (None, getattr(Instance, name, None)):
                namespace[name] = _delegated(name)


def _from_cmp(method: Any) -> bool:
    return getattr(method, "from_cmp", False)


def _comparison(name: str, answer: Callable[[int], bool]) -> Callable:
    def call(self: Any, other: Any) -> Any:
        order = self.__cmp__(other)
        return order if order is NotImplemented else answer(order)

    call.__name__ = name
    call.from_cmp = True
    return call


def _item_from_slice(self: Any, index: Any) -> Any:
    if isinstance(index, slice):
        return get_slice(self, index.start, index.stop)
    raise AttributeError("__getitem__")


def _coerced(name: str) -> Callable:
    def call(self: Any, other: Any) -> Any:
        import operator

        pair = self.__coerce__(other)
        if pair is None or pair is NotImplemented or type(pair[0]) is type(self):
            return NotImplemented
        a, b = pair if not name.startswith("__r") or name == "__rshift__" else pair[::-1]
        plain = name.strip("_")
        plain = plain[1:] if name.startswith("__r") and name != "__rshift__" else plain
        special = {"div": divide, "mod": modulo, "and": operator.and_, "or": operator.or_}
        return (special.get(plain) or getattr(operator, plain))(a, b)

    call.__name__ = name
    return call


# special methods that an old-style instance looked up through its own __getattr__
_DELEGATED = (
    "__len__ __getitem__ __setitem__ __delitem__ __iter__ __contains__ __call__ __bool__ __str__ __repr__ "
    "__int__ __float__ __index__ __neg__ __abs__ __eq__ __ne__ __lt__ __le__ __gt__ __ge__ __hash__ "
    "__enter__ __exit__ __next__"
).split() + [f"__{form}{name}__" for name in _NUMERIC if name != "div" for form in ("", "r")]


def _delegated(name: str) -> Callable:
    old = {
        "__bool__": ("__nonzero__", "__len__"),
        "__next__": ("next",),
        "__truediv__": ("__div__", "__truediv__"),
        "__rtruediv__": ("__rdiv__", "__rtruediv__"),
    }.get(name, (name,))
    in_doubt: Callable[[Any], Any] | None = {
        "__bool__": lambda self: True,
        "__hash__": lambda self: object.__hash__(self),
        "__str__": lambda self: repr(self),
        "__repr__": Instance.__repr__,
    }.get(name)
    binary = name[2:-2].lstrip("r") in _NUMERIC or name[2:-2] in _NUMERIC or name in _COMPARISONS

    def call(self: Any, *args: Any) -> Any:
        for candidate in old:
            method = self.__dict__.get(candidate)
            if method is None:
                try:
                    method = type(self).__getattr__(self, candidate)
                except AttributeError:
                    continue
            return bool(method(*args)) if name == "__bool__" else method(*args)
        if name == "__iter__":
            return _iterate_items(self)
        if name == "__contains__":
            return any(args[0] == item for item in self)
        if in_doubt is not None:
            return in_doubt(self)
        if binary:
            return NotImplemented
        raise AttributeError(f"{type(self).__name__} instance has no attribute {name!r}")

    call.__name__ = name
    call.asks_getattr = True  # type: ignore[attr-defined]
    return call


#: what old-style instances can have for themselves
SPECIAL = frozenset((*_DELEGATED, *(f"__{form}div__" for form in ("", "r")), "__nonzero__", "__cmp__", "next"))


def let_instance_have(obj: Any, name: str) -> None:
    """
    Have a special method looked for in an old-style instance itself, where Python 3 looks in its class alone.

    Parameters
    ----------
    obj : instance of an old-style class
        It gets a class of its own, which is otherwise like the one it had.
    name : str
    """
    kind = type(obj)
    if "_of_one_instance" not in kind.__dict__:
        namespace = {"_of_one_instance": True, "__module__": kind.__module__, "__doc__": kind.__doc__}
        obj.__class__ = kind = type(kind)(kind.__name__, (kind,), namespace)
    names = {"__nonzero__": ["__bool__"], "__cmp__": list(_COMPARISONS), "next": ["__next__"]}
    for special in names.get(name, [name.replace("div", "truediv") if name in ("__div__", "__rdiv__") else name]):
        if name == "__cmp__":
            setattr(kind, special, _comparison_of_one(_COMPARISONS[special]))
        else:
            setattr(kind, special, _delegated(special))


def _comparison_of_one(answer: Callable[[int], bool]) -> Callable:
    return lambda self, other: answer(self.__dict__["__cmp__"](other))


def _iterate_items(self: Any) -> Any:
    number = 0
    while True:
        try:
            yield self[number]
        except IndexError:
            return
        number += 1


# -- slices: x[i:j] called __getslice__ where there was one, and a sequence's own method otherwise

_BUILT_IN = (list, tuple, str)


def _bounds(obj: Any, low: Any, high: Any) -> tuple[int, int]:
    low = 0 if low is None else low
    high = sys.maxsize if high is None else high
    if low < 0 or high < 0:
        length = len(obj)
        low = low + length if low < 0 else low
        high = high + length if high < 0 else high
    return low, high


def _native(obj: Any, method: str) -> Callable | None:
    """The method of the built-in sequence that a class with an ``__getitem__`` of its own derives from."""
    for base in _BUILT_IN:
        if isinstance(obj, base):
            return getattr(Unicode if isinstance(obj, Unicode) else base, method, None)
    return None


def get_slice(obj: Any, low: Any, high: Any) -> Any:
    """
    Do ``obj[low:high]``.

    Parameters
    ----------
    obj : any
    low, high : int or None

    Returns
    -------
    any
    """
    kind = type(obj)
    if kind in _BUILT_IN:
        return obj[low:high]
    method = getattr(kind, "__getslice__", None)
    if method is not None:
        return method(obj, *_bounds(obj, low, high))
    native = _native(obj, "__getitem__")
    if native is None and isinstance(obj, BaseException) and not hasattr(kind, "__getitem__"):
        return obj.args[low:high]
    return obj[low:high] if native is None else native(obj, slice(low, high))


def set_slice(obj: Any, low: Any, high: Any, value: Any) -> None:
    """
    Do ``obj[low:high] = value``.

    Parameters
    ----------
    obj : any
    low, high : int or None
    value : any
    """
    method = getattr(type(obj), "__setslice__", None)
    native = None if type(obj) in _BUILT_IN else _native(obj, "__setitem__")
    if method is not None:
        method(obj, *_bounds(obj, low, high), value)
    elif native is not None:
        native(obj, slice(low, high), value)
    else:
        obj[low:high] = value


def delete_slice(obj: Any, low: Any, high: Any) -> None:
    """
    Do ``del obj[low:high]``.

    Parameters
    ----------
    obj : any
    low, high : int or None
    """
    method = getattr(type(obj), "__delslice__", None)
    native = None if type(obj) in _BUILT_IN else _native(obj, "__delitem__")
    if method is not None:
        method(obj, *_bounds(obj, low, high))
    elif native is not None:
        native(obj, slice(low, high))
    else:
        del obj[low:high]
