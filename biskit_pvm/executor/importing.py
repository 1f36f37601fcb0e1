"""What the processes of an executor can import, and what has to travel whole."""

from __future__ import annotations

import functools
import os
import sys
from types import ModuleType
from typing import Any


def home_of(function: Any) -> ModuleType | None:
    """Return the module of a function or class when slaves could not import it by its name; else None."""
    while hasattr(function, "func") and not hasattr(function, "__code__"):  # functools.partial
        function = function.func
    name = getattr(function, "__module__", None)
    module = sys.modules.get(name) if isinstance(name, str) else None
    if module is None:
        return None
    if name == "__main__" or not _importable(name, getattr(module, "__file__", None), tuple(sys.path)):
        return module
    return None


@functools.lru_cache(maxsize=256)
def _importable(name: str, file: str | None, path: tuple[str, ...]) -> bool:
    """Tell whether an import of `name` by another process with this path finds the same file."""
    if file is None:  # built in, or made by a program: nothing better is known
        return True
    found: Any = None
    where: Any = None
    parts = name.split(".")
    for i in range(len(parts)):
        found = _find(".".join(parts[: i + 1]), where)
        if found is None:
            return False
        where = found.submodule_search_locations
    if not found.has_location:  # frozen into the interpreter
        return True
    return not os.path.exists(file) or os.path.samefile(found.origin, file)


def _find(name: str, where: Any) -> Any:
    for finder in sys.meta_path:
        try:
            found = finder.find_spec(name, where)
        except Exception:  # of a stranger's finder
            found = None
        if found is not None:
            return found
    return None


@functools.lru_cache(maxsize=8)
def has_guard(path: str) -> bool:
    """Tell whether a script asks for `__name__` before it does its work, so that it can be run for what it defines."""
    import ast  # not needed by slaves

    try:
        with open(path, "rb") as file:
            tree = ast.parse(file.read(), path)
    except (OSError, SyntaxError, ValueError):
        return False
    return any(
        isinstance(node, ast.Name) and node.id == "__name__"
        for statement in tree.body
        if isinstance(statement, ast.If)
        for node in ast.walk(statement.test)
    )


def script_can_be_run() -> bool:
    """Tell whether slaves can run this process's script, and so know by name what it defines."""
    script = script_of_main()
    return script is not None and has_guard(script)


def script_of_main() -> str | None:
    """Return the path of the script that this process runs; None where there is no file to be run again."""
    path = getattr(sys.modules["__main__"], "__file__", None)
    return os.path.abspath(path) if path is not None and os.path.isfile(path) else None
