"""What a foreman has ready for a slave script: its code, and the packages that it imports.

A package is loaded before the forks only if a fork cannot be told from a process that has loaded it
itself.  Its own variables have to be those of the foreman, too (`LOOKED_AT`).
"""

from __future__ import annotations

import importlib
import os
import sys
import warnings
from importlib.machinery import PathFinder
from types import CodeType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGES = ("numpy",)
"""Those that may be loaded before a fork."""

LOOKED_AT = ("NPY_", "NUMPY_", "OMP_", "GOMP_", "KMP_", "OPENBLAS_", "GOTO_", "MKL_", "BLIS_", "VECLIB_", "ATLAS_")
"""How the names of variables begin at which these packages and their libraries look when they are loaded."""


class Script:
    """A slave script.

    Attributes
    ----------
    code : CodeType or None
        None where whoever runs it has to compile it, and is told what is wrong with it.
    folder : str
        Where it lies.
    packages : list of str
        What can be loaded for it.
    """

    def __init__(self, path: str) -> None:
        with open(path, "rb") as file:
            self.code = _compiled(file.read(), path)
        self.folder = os.path.dirname(os.path.realpath(path))
        self.packages = [] if self.code is None else _loadable(self.code, self.folder)
        importlib.invalidate_caches()  # who runs it looks around anew


class Scripts:
    """Scripts, read again only when the file has changed."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[tuple[int, ...], Script]] = {}

    def read(self, path: str) -> Script | None:
        """Return the script at a path; None where it cannot be read."""
        try:
            status = os.stat(path)
            version = status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
            known = self._known.get(path)
            if known is None or known[0] != version:
                known = self._known[path] = version, Script(path)
        except OSError:
            return None
        return known[1]


def _compiled(text: bytes, path: str) -> CodeType | None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # they belong where the script runs
        try:
            return compile(text, path, "exec", dont_inherit=True)
        except (SyntaxError, ValueError, Warning, RecursionError, MemoryError):
            return None


def _loadable(code: CodeType, folder: str) -> list[str]:
    """Return the packages that a script in this folder names, unless the script has one of its own by that name."""
    named = {name.partition(".")[0] for name in _names(code)}
    return [
        package
        for package in PACKAGES
        if package in named and PathFinder.find_spec(package, [folder]) is None and PathFinder.find_spec(package)
    ]


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def load(packages: list[str]) -> bool:
    """Load packages; return whether this process may still be forked: not beside threads that a fork would lack."""
    for package in packages:
        importlib.import_module(package)
    if not alone():  # OpenBLAS ends its threads before a fork, and starts them again where they are needed
        child = os.fork()
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
    return alone()


def alone() -> bool:
    """Tell whether this process has one thread only."""
    return len(os.listdir("/proc/self/task")) == 1


def loaded() -> bool:
    """Tell whether any of these packages is loaded."""
    return any(package in sys.modules for package in PACKAGES)


def settle() -> None:
    """Have random numbers of its own in this process, which is a fork."""
    numbers = sys.modules.get("numpy.random")
    if numbers is not None:
        numbers.seed()
