"""
Importing old source: found like any module, translated in memory, and kept in the user's cache folder.

Only folders of the user's are looked at: that of the script, ``PYTHONPATH``, a Biskit tree. What belongs to this
Python's installation is imported as ever. Nothing is written beside the source.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import time
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import (
    EXTENSION_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    ModuleSpec,
    PathFinder,
    SourceFileLoader,
)
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, Callable

from biskit_pvm.compat.python2 import (
    cache,
    registry,
    stdlib,
)
from biskit_pvm.compat.python2.detect import detect

try:
    from _imp import _fix_co_filename  # type: ignore[attr-defined]  # what Python itself uses for code that was compiled elsewhere
except ImportError:  # pragma: no cover  # another implementation of Python

    def _fix_co_filename(code: CodeType, path: str) -> None:
        """Leave the name of the file that was translated first."""


# from which time on a user wonders what goes on, in seconds
_PATIENCE = 0.5
# about what a slow computer translates
_BYTES_PER_SECOND = 100_000


class Progress:
    """One line on standard error while a first start translates, and nothing when it is fast."""

    def __init__(self) -> None:
        self._spent = 0.0
        self._files = 0
        self._width = 0

    def begin(self, filename: str, size: int) -> None:
        """Say which file is being translated, once it has taken a while, or will."""
        if self._spent + size / _BYTES_PER_SECOND < _PATIENCE:
            return
        stream = sys.__stderr__  # a script may have put anything in place of sys.stderr
        if stream is None:
            return
        if stream.isatty():
            text = f"translating Python 2: {os.path.basename(filename)} ({self._files + 1})"
            stream.write("\r" + text.ljust(self._width))
            self._width = len(text)
        elif not self._width:
            stream.write("translating Python 2 for the first time; the result is kept ...\n")
            self._width = 1
        stream.flush()

    def done(self, seconds: float) -> None:
        """Count a file."""
        self._spent += seconds
        self._files += 1

    def finish(self) -> None:
        """End the line, if there is one."""
        stream = sys.__stderr__
        if self._width and stream is not None and stream.isatty():
            stream.write("\r" + " " * self._width + "\r")
            stream.flush()
        self._width = 0


progress = Progress()


def compile_python2(
    source: bytes | str, filename: str, mode: str = "exec", futures: frozenset[str] = frozenset()
) -> CodeType:
    """
    Translate and compile, or take the result of an earlier time.

    Parameters
    ----------
    source : bytes or str
        A file's bytes, or 8-bit text made at run time.
    filename : str
    mode : {'exec', 'eval', 'single'}
    futures : frozenset of str
        As for `translate`.

    Returns
    -------
    code

    Raises
    ------
    CannotTranslate
    """
    text = isinstance(source, str)
    data = source.encode("utf-8", "surrogatepass") if isinstance(source, str) else source
    remembered = _recent.get((data, mode, filename, futures))
    if remembered is not None:
        return remembered
    name = cache.key(data, f"python2 {mode}{' text' if text else ''} {' '.join(sorted(futures))}")
    code = cache.read(name)
    if code is None:
        from biskit_pvm.compat.python2.translate import translate

        progress.begin(filename, len(data))
        start = time.perf_counter()
        cache.read_grammar()
        code = translate(source, filename, mode, futures)
        progress.done(time.perf_counter() - start)
        # text made at run time may be different each time: only what was dear is worth a file
        if not text or len(data) > 200:
            cache.write(name, code)
    else:
        _fix_co_filename(code, filename)
    if text:
        if len(_recent) > 500:
            _recent.clear()
        _recent[data, mode, filename, futures] = code
    return code


_recent: dict[tuple[Any, ...], CodeType] = {}


class OldSourceLoader(SourceFileLoader):
    """Load a module of the user's, whichever Python it is written for."""

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        source = self.get_data(path)
        if self.language(fullname, source) == 2:
            return compile_python2(source, path)
        return compile(source, path, "exec", dont_inherit=True)

    def language(self, fullname: str, source: bytes) -> int:
        """
        Tell the module's language; one that passes for both is of its package's, or of the run's.

        Parameters
        ----------
        fullname : str
        source : bytes

        Returns
        -------
        int
        """
        found = languages.get(fullname)
        if found is None:
            found = detect(source)
            if found is None:
                found = languages.get(fullname.rpartition(".")[0], finder.default)
            languages[fullname] = found
        return found

    def exec_module(self, module: ModuleType) -> None:
        code = self.get_code(module.__name__)
        if languages.get(module.__name__) == 2:
            from biskit_pvm.compat.python2.builtins import NAMESPACE

            module.__dict__["__builtins__"] = NAMESPACE
        exec(code, module.__dict__)


#: module name to 2 or 3
languages: dict[str, int] = {}


class OldSourceFinder(MetaPathFinder):
    """
    Find modules in the user's folders.

    Attributes
    ----------
    default : int
        The language of sources that pass for both.
    """

    def __init__(self) -> None:
        self.default = 2
        #: gives for a name and a folder what is imported instead of the module there, or None
        self.instead_of: Callable[[str, str], ModuleSpec | None] = lambda name, folder: None
        self._installed = False
        #: folders on the path since Python started that the user has not named for this run
        self.installed: frozenset[str] = frozenset()
        self._finders: dict[str, FileFinder] = {}
        self._foreign: dict[str, bool] = {}
        installation = {sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix}
        self._installation = tuple(os.path.join(os.path.realpath(prefix), "") for prefix in installation)
        # this package's own place, which may be a source tree
        self._self = os.path.realpath(Path(__file__).parents[3])

    def install(self) -> None:
        """Look before Python's own finders from now on."""
        if not self._installed:
            self._installed = True
            sys.meta_path.insert(0, self)

    def is_users(self, entry: str) -> bool:
        """
        Tell whether an entry of a search path is the user's own.

        Parameters
        ----------
        entry : str

        Returns
        -------
        bool
        """
        known = self._foreign.get(entry)
        if known is None:
            real = os.path.realpath(entry or os.getcwd())
            inside = os.path.join(real, "")
            known = self._foreign[entry] = (
                os.path.isdir(real)
                and real not in (self._self, *self.installed)
                and not ({"site-packages", "dist-packages"} & set(real.split(os.sep)))
                and not (
                    inside.startswith(self._installation) and ("site-packages" in inside or f"{os.sep}lib" in inside)
                )
                and not inside.startswith(os.path.join(self._self, "biskit_pvm", ""))
            )
        return known

    def _in_entry(self, fullname: str, entry: str) -> ModuleSpec | None:
        entry = entry or os.getcwd()
        found = self._finders.get(entry)
        if found is None:
            found = self._finders[entry] = FileFinder(
                entry, (ExtensionFileLoader, EXTENSION_SUFFIXES), (OldSourceLoader, [".py"])
            )
        spec = found.find_spec(fullname)
        if spec is None or spec.loader is None:
            return None
        return (self.instead_of(fullname, entry) if "." not in fullname else None) or spec

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        top = fullname.partition(".")[0]
        if path is None and (top in _OWN or top in sys.builtin_module_names or top in _STANDARD):
            # Python 3 libraries must get Python 3's own; `own_module` serves the script's
            return None
        for entry in sys.path if path is None else path:
            if not isinstance(entry, str):
                continue
            if self.is_users(entry):
                spec = self._in_entry(fullname, entry)
            elif path is None:
                spec = PathFinder.find_spec(fullname, [entry])
                spec = spec if spec is not None and spec.loader is not None else None
            else:
                spec = None
            if spec is not None:
                return spec
        return None

    def find_user_file(self, name: str) -> ModuleSpec | None:
        """
        Find a top-level module in the user's folders only.

        Parameters
        ----------
        name : str

        Returns
        -------
        ModuleSpec or None
        """
        for entry in sys.path:
            if isinstance(entry, str) and self.is_users(entry):
                spec = self._in_entry(name, entry)
                if spec is not None:
                    return spec
        return None

    def invalidate_caches(self) -> None:
        self._finders.clear()
        self._foreign.clear()
        _own.clear()


_OWN = frozenset(("biskit_pvm", "pvm_ext", "pypvm", "pypvm_core"))
_STANDARD = getattr(sys, "stdlib_module_names", frozenset()) or frozenset(
    path.stem for path in Path(os.__file__).parent.iterdir() if path.suffix == ".py" or path.is_dir()
)

finder = OldSourceFinder()

_own: dict[str, ModuleType | None] = {}


def own_module(name: str) -> ModuleType | None:
    """
    Give a module of the script's that has the name of one of Python's own.

    Parameters
    ----------
    name : str
        Without dots.

    Returns
    -------
    module or None
        None where the script has no such module, or the name is nobody else's.
    """
    if name not in _STANDARD and not registry.is_registered(name):
        return None
    if name not in _own:
        # Python's own names are built in, whatever lies about
        spec = (
            None
            if name in ("sys", "__builtin__", "exceptions", "thread", "__future__") or name in _OWN
            else finder.find_user_file(name)
        )
        if spec is None:
            _own[name] = None
        else:
            module = _own[name] = importlib.util.module_from_spec(spec)
            assert spec.loader is not None
            try:
                spec.loader.exec_module(module)
            except BaseException:
                del _own[name]
                raise
    return _own[name]


def load_file(name: str, path: str) -> ModuleType:
    """
    Load a file as a module under any name.

    Parameters
    ----------
    name : str
    path : str

    Returns
    -------
    module
    """
    spec = importlib.util.spec_from_file_location(name, path, loader=OldSourceLoader(name, path))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def language_of_doubtful_sources() -> int:
    """
    Tell how sources are read that pass for both languages.

    Returns
    -------
    int
        3, unless an old script is run.
    """
    return finder.default if finder in sys.meta_path else 3


def install(default: int = 2, **options: Any) -> None:
    """
    Have old source translated when it is imported, from now on in this process.

    Parameters
    ----------
    default : int
        The language of sources that pass for both.
    """
    from biskit_pvm.compat.python2.builtins import execution

    finder.default = default
    finder.install()
    execution.use_compiler(compile_python2)


registry.offer("own module", lambda: own_module)
registry.offer("load file", lambda: load_file)
