"""
What the parts of this package ask for without knowing who has it.

The built-in names need the standard library, this one needs the built-in names, and both need the importer, which runs on
them. So whoever has something says so here, and whoever needs something asks here; this module imports none of them.
"""

from __future__ import annotations

import enum
import importlib
import types
from collections.abc import Iterable
from typing import Any, Callable

#: module name of Python 2 to what makes the module that translated code gets
_makers: dict[str, Callable[[], types.ModuleType]] = {}
_made: dict[str, types.ModuleType] = {}
_offers: dict[str, Callable[[], Any]] = {}


def register(names: Iterable[str], maker: Callable[[str], types.ModuleType]) -> None:
    """
    Say who makes the modules of these names.

    Parameters
    ----------
    names : iterable of str
    maker : callable
        Makes the module of a name; called once, when it is imported first.
    """
    for name in names:
        _makers[name] = lambda name=name: maker(name)  # type: ignore[misc]


def is_registered(name: str) -> bool:
    """
    Tell whether a module of this name is made here.

    Parameters
    ----------
    name : str

    Returns
    -------
    bool
    """
    return name in _makers


def offer(what: str, give: Callable[[], Any]) -> None:
    """
    Say who has something.

    Parameters
    ----------
    what : str
        Its name; 'own module' and 'load file' are the importer's functions of these names, 'arrays' is the module with
        NumPy's methods of old.
    give : callable
        Gives it; called at each `ask`.
    """
    _offers[what] = give


def ask(what: str) -> Any:
    """
    Give what somebody has offered.

    Parameters
    ----------
    what : str

    Returns
    -------
    any

    Raises
    ------
    LookupError
        Nobody has.
    """
    try:
        give = _offers[what]
    except KeyError:
        raise LookupError(f"nobody offers {what!r}; translated code runs through the importer, which does") from None
    return give()


class StandIn(types.ModuleType):
    """
    A real module with some of its names replaced.

    Parameters
    ----------
    real : module
    names : dict
        What it has instead of, or besides, the real one's.
    wrap : callable, optional
        Applied to every function of the real module that is asked for.
    """

    def __init__(
        self,
        real: types.ModuleType,
        names: dict[str, Any],
        wrap: Callable[[Any], Any] | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name or real.__name__, real.__doc__)
        own = self.__dict__
        own["_real"], own["_wrap"], own["_names"] = real, wrap, frozenset(names)
        for key in ("__file__", "__path__"):
            if hasattr(real, key):
                own[key] = getattr(real, key)
        own.update(names)

    def __getattr__(self, name: str) -> Any:
        if name == "__all__":
            public = getattr(self._real, "__all__", None)
            if public is None:
                public = [key for key in dir(self._real) if not key.startswith("_")]
            return list(public) + [key for key in self._names if key not in public and not key.startswith("_")]
        found = getattr(self._real, name)
        if isinstance(found, enum.Enum) and isinstance(found, int):
            return int(found)  # constants were plain numbers
        if isinstance(found, types.ModuleType):
            return stand_in(f"{self.__name__}.{name}", True) or found
        wrap = self._wrap
        if wrap is not None and callable(found) and not isinstance(found, type):
            found = self.__dict__[name] = wrap(found)
        return found

    def after_reload(self) -> None:
        """Do what ``reload`` does besides."""

    def __setattr__(self, name: str, value: Any) -> None:
        # what a script sets is meant for everybody
        self.__dict__.pop(name, None)
        setattr(self._real, name, value)

    def __delattr__(self, name: str) -> None:
        self.__dict__.pop(name, None)
        if hasattr(self._real, name):
            delattr(self._real, name)

    def __dir__(self) -> list[str]:
        return sorted({*dir(self._real), *self._names})


def new_module(name: str, names: dict[str, Any], doc: str = "") -> types.ModuleType:
    """
    Make a module that Python 3 does not have.

    Parameters
    ----------
    name : str
    names : dict
    doc : str

    Returns
    -------
    module
    """
    module = types.ModuleType(name, doc or f"Python 2's {name}, for translated code.")
    module.__dict__.update(names)
    return module


def stand_in(name: str, leaf: bool) -> types.ModuleType | None:
    """
    Give what ``import name`` of translated code gets, where that is not simply Python 3's module.

    Parameters
    ----------
    name : str
        Absolute, with dots.
    leaf : bool
        False: the first part of a dotted name, as ``import a.b`` binds it.

    Returns
    -------
    module or None
    """
    top = name.partition(".")[0]
    own = ask("own module")(top) if "own module" in _offers else None
    if own is not None:
        return own if name == top else None
    if top in _makers and name != top and not leaf:
        if make(name) is None:
            importlib.import_module(name)
        return make(top)
    return make(name)


def make(name: str) -> types.ModuleType | None:
    """
    Give the stand-in of this very name.

    Parameters
    ----------
    name : str

    Returns
    -------
    module or None
    """
    if name not in _makers:
        return None
    module = _made.get(name)
    if module is None:
        module = _made[name] = _makers[name]()
    return module


def real(module: types.ModuleType) -> types.ModuleType:
    """
    Give the module behind a stand-in.

    Parameters
    ----------
    module : module

    Returns
    -------
    module
    """
    return module._real if isinstance(module, StandIn) else module
