"""
``import`` in translated code: siblings first, then Python 2's standard library as it was, then everything else.

Python calls `import_` for every import statement of translated code, and code at run time calls it as ``__import__``;
so the rules hold for ``exec 'from x import y'`` and for scripts inside a package as well.
"""

from __future__ import annotations
import __future__

import builtins
import importlib
import importlib.util
import sys
import warnings
from types import ModuleType
from typing import Any

from biskit_pvm.compat.python2.builtins.strings import plain
from biskit_pvm.compat.python2.registry import StandIn, real, stand_in

# (package, name) of siblings that are not there
_absent: set[tuple[str, str]] = set()


def import_(name: str, globals: dict | None = None, locals: Any = None, fromlist: Any = (), level: int = -1) -> Any:
    """
    Do Python 2's ``__import__``.

    Parameters
    ----------
    name : str
    globals : dict
        The importing module's.
    locals : any
    fromlist : sequence of str
    level : int
        -1 or 0: a sibling in the package first, then absolute; more: so many dots.

    Returns
    -------
    module

    Raises
    ------
    ImportError
    """
    name = plain(name)
    fromlist = tuple(plain(part) for part in fromlist or ())
    globals = globals or {}
    if level > 0:
        return builtins.__import__(name, globals, locals, fromlist, level)
    # `from __future__ import absolute_import` leaves its mark under its own name
    if not isinstance(globals.get("absolute_import"), __future__._Feature):
        package = _package(globals)
        if package and _is_sibling(package, name.partition(".")[0]):
            return builtins.__import__(
                name, {"__package__": package, "__name__": package, "__path__": []}, None, fromlist, 1
            )
    module = stand_in(name, bool(fromlist))
    if module is not None:
        for part in fromlist:
            if part != "*" and not hasattr(module, part):
                stand_in(f"{name}.{part}", True)
        return module
    _warn_of_text(name.partition(".")[0])
    try:
        return builtins.__import__(name, globals, locals, fromlist, 0)
    except ModuleNotFoundError as error:
        raise ImportError(f"No module named {error.name.rpartition('.')[2]}", name=error.name).with_traceback(
            error.__traceback__.tb_next
        ) from None


# modules of Python 3 that decode what they read; nothing here makes unicode strings of it
_DECODING = {"xml", "sqlite3", "html", "tkinter", "io", "email", "mailbox", "telnetlib", "ftplib", "imaplib"}


def _warn_of_text(name: str) -> None:
    """Say once which texts are not what they were."""
    if name in _DECODING:
        _DECODING.discard(name)
        warnings.warn(
            f"texts that the module {name} gives are those of Python 3: what is not ASCII in them is neither "
            "an 8-bit string nor unicode of Python 2",
            UnicodeWarning,
            4,
        )


def _package(globals: dict) -> str:
    package = globals.get("__package__")
    if package is None:
        package = globals.get("__name__") or ""
        if "__path__" not in globals:
            package = package.rpartition(".")[0]
    return package if package in sys.modules else ""


def _is_sibling(package: str, name: str) -> bool:
    full = f"{package}.{name}"
    if full in sys.modules:
        return sys.modules[full] is not None
    if (package, name) in _absent:
        return False
    path = getattr(sys.modules[package], "__path__", None)
    try:
        found = path is not None and importlib.util.find_spec(full) is not None
    except (ImportError, ValueError):
        found = False
    if not found:
        _absent.add((package, name))
    return found


def reload(module: ModuleType) -> ModuleType:
    """
    Do the built-in ``reload``.

    Parameters
    ----------
    module : module

    Returns
    -------
    module
    """
    _absent.clear()
    if isinstance(module, StandIn) and module.__name__ == "sys":
        module.after_reload()
        return module
    return importlib.reload(real(module))
