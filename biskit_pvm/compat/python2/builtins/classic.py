"""What everything that looks at types has to know: old-style classes, which `classes` makes, and what stands for others."""

from __future__ import annotations

from types import FunctionType
from typing import Any
from weakref import WeakKeyDictionary, ref


class ClassicType(type):
    """The type of old-style classes: bases are searched depth first, left to right, and `root` last."""

    root: type = object
    names: set[str] = set()

    def __init__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> None:
        super().__init__(name, bases, namespace)
        if type(cls) is ClassicType:
            ClassicType.names.add(name)

    def mro(cls) -> list[type]:
        order: list[type] = []

        def visit(kind: type) -> None:
            if kind not in order and kind is not object:
                order.append(kind)
                for base in kind.__bases__:
                    visit(base)

        visit(cls)
        return order + [cls.root, object]


ClassicType.__name__ = ClassicType.__qualname__ = "classobj"


class MixedType(ClassicType):
    """The type of new-style classes that have an old-style base: the new order of search, and the new rules."""

    mro = type.mro


def is_classic(kind: Any) -> bool:
    """
    Tell whether something is an old-style class.

    Parameters
    ----------
    kind : any

    Returns
    -------
    bool
    """
    return type(kind) is ClassicType


def is_classic_name(name: str) -> bool:
    """
    Tell whether an old-style class has this name: texts of errors have nothing else.

    Parameters
    ----------
    name : str

    Returns
    -------
    bool
    """
    return name in ClassicType.names


_owners: WeakKeyDictionary[FunctionType, ref[type]] = WeakKeyDictionary()


def own_methods(kind: type) -> None:
    """Note that the functions in the body of a class are its methods, each of which is a function in Python 3."""
    for value in vars(kind).values():
        # one from elsewhere is somebody else's, too
        if type(value) is FunctionType and value.__qualname__.rpartition(".")[0].endswith(kind.__qualname__):
            _owners.setdefault(value, ref(kind))


def owner_of(function: Any) -> type | None:
    """
    Give the class from which a function comes, whose unbound method it was in Python 2.

    Parameters
    ----------
    function : any

    Returns
    -------
    type or None
    """
    found = _owners.get(function) if type(function) is FunctionType else None
    return None if found is None else found()


#: what has a class of its own in Python 3 only
_NEWER: dict[type, type] = {RecursionError: RuntimeError, ModuleNotFoundError: ImportError}


def known_as(kind: Any) -> Any:
    """
    Give the class as which old code knows one of this package's or of Python 3's.

    Parameters
    ----------
    kind : type

    Returns
    -------
    type
        The same one, unless it stands for another.
    """
    return vars(kind).get("__py2_type__") or _NEWER.get(kind, kind)
