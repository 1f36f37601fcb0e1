"""
``pickle`` and ``cPickle``: files of Python 2, and files that later runs under the same names can read.

Byte strings of an old file become 8-bit strings. Classes are looked for under their old names: through the import of
translated code, where the module is one of the script's.
"""

from __future__ import annotations

import copyreg
import io
import os
import pickle
import shelve
import sys
import types
from typing import Any, Callable

from biskit_pvm.compat.python2.builtins import files
from biskit_pvm.compat.python2.builtins.numbers import Long
from biskit_pvm.compat.python2.builtins.strings import Basestring, Str, Unicode, as_bytes, as_text, u
from biskit_pvm.compat.python2.registry import StandIn, ask, new_module
from biskit_pvm.compat.python2.stdlib.pickle_writer import HIGHEST_PROTOCOL, Writer
from biskit_pvm.restart.format import MOVED


class _Reader:
    """The bytes of a file object of translated code."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def read(self, size: int = -1) -> bytes:
        return as_bytes(self._file.read(size))

    def readline(self) -> bytes:
        return as_bytes(self._file.readline())


class _Writer:
    def __init__(self, file: Any) -> None:
        self._file = file

    def write(self, data: bytes) -> int:
        self._file.write(as_text(bytes(data)))
        return len(data)


def _readable(file: Any) -> Any:
    if isinstance(file, files.File):
        return file.binary
    return file if isinstance(file, (io.RawIOBase, io.BufferedIOBase)) else _Reader(file)


class _Reading:
    """What both unpicklers do about Python 2."""

    #: the script that saved the data, if they tell
    script = ""

    def __init__(self, file: Any) -> None:
        super().__init__(_readable(file), fix_imports=True, encoding="latin1", errors="strict")

    def find_class(self, module: str, name: str) -> Any:
        module = MOVED.get(module, module)
        found = _BUILT_IN.get((module, name))
        if found is not None:
            return found
        if module.startswith("numpy"):
            ask("arrays")  # gives NumPy back the names that old files ask for
        if module.startswith("numpy.core."):
            module = "numpy._core." + module[11:] if "numpy._core" in sys.modules else module
        if module in ("Numeric", "numpy.oldnumeric.compat", "numpy.oldnumeric") and name == "array_constructor":
            return ask("arrays").array_constructor
        from biskit_pvm.compat.python2.builtins.imports import import_

        # a class that a translated module holds, or a stand-in; `__main__` and Python 3's own as well
        if module == "__main__":
            return self._of_main(name)
        return getattr(import_(module, None, None, ["*"]), name)

    def _of_main(self, name: str) -> Any:
        """A class of the running script, or of the one that saved the data."""
        if not hasattr(sys.modules["__main__"], name) and self.script:
            if "__mp_main__" not in sys.modules:
                sys.path.insert(1, os.path.dirname(self.script))
                ask("load file")("__mp_main__", self.script)
            return getattr(sys.modules["__mp_main__"], name)
        return getattr(sys.modules["__main__"], name)


def _loading(name: str, kind: Callable[[Any], Any]) -> Callable[[Any], None]:
    """Make the unpickler's method for what had a type of its own in Python 2, in pickles that it could read."""
    method = getattr(pickle._Unpickler, name)

    def load(self: Any) -> None:
        method(self)
        if self.proto <= HIGHEST_PROTOCOL:
            self.stack[-1] = kind(self.stack[-1])

    return load


class PythonUnpickler(_Reading, pickle._Unpickler):
    """
    Python 2's ``pickle.Unpickler``, whose ``dispatch`` subclasses may change.

    Parameters
    ----------
    file : file
    """

    dispatch = {
        **{chr(code): method for code, method in pickle._Unpickler.dispatch.items()},
        chr(pickle.UNICODE[0]): _loading("load_unicode", u),
        chr(pickle.BINUNICODE[0]): _loading("load_binunicode", u),
        chr(pickle.LONG[0]): _loading("load_long", Long),
        chr(pickle.LONG1[0]): _loading("load_long1", Long),
        chr(pickle.LONG4[0]): _loading("load_long4", Long),
    }

    def load(self) -> Any:
        # as Python 3 looks up; Python 2's keys were characters
        self.dispatch = {code if isinstance(code, int) else ord(code): each for code, each in self.dispatch.items()}
        self.proto = 0
        return super().load()


class Unpickler(PythonUnpickler):
    """
    Python 2's ``cPickle.Unpickler``.

    Parameters
    ----------
    file : file
    """


_BUILT_IN = {
    **{(module, "unicode"): Unicode for module in ("__builtin__", "builtins")},
    ("__builtin__", "str"): Str,
    ("__builtin__", "long"): Long,
    ("__builtin__", "basestring"): Basestring,
    ("__builtin__", "object"): object,
    ("builtins", "str"): str,
}


class PythonPickler(Writer):
    """
    Python 2's ``pickle.Pickler``, whose ``dispatch`` subclasses may change.

    Parameters
    ----------
    file : file
    protocol : int
        0 by default, 1 or 2.
    """

    _first_kept = 0
    _only_one = False

    def __init__(self, file: Any, protocol: int | None = None, bin: Any = None) -> None:
        protocol = (1 if bin else 0) if protocol is None else protocol
        if protocol < 0:
            protocol = HIGHEST_PROTOCOL
        if protocol > HIGHEST_PROTOCOL:
            raise ValueError("pickle protocol must be <= 2")
        if isinstance(file, files.File):
            raw = file.binary
        else:
            raw = file if isinstance(file, (io.RawIOBase, io.BufferedIOBase)) else _Writer(file)
        self._file = file
        super().__init__(raw.write, protocol, self._only_one, self._first_kept)

    def dump(self, obj: Any) -> None:
        super().dump(obj)
        if isinstance(self._file, files.File):
            self._file.softspace = 0


class Pickler(PythonPickler):
    """
    Python 2's ``cPickle.Pickler``.

    Parameters
    ----------
    file : file
    protocol : int
        0 by default, 1 or 2.
    """

    _first_kept = 1


class _OnePickle(Pickler):
    _only_one = True


def dump(obj: Any, file: Any, protocol: int | None = None, bin: Any = None) -> None:
    """
    Write an object.

    Parameters
    ----------
    obj : any
    file : file
    protocol : int
        0 by default, as in Python 2.
    """
    _OnePickle(file, protocol, bin).dump(obj)


def dumps(obj: Any, protocol: int | None = None, bin: Any = None) -> str:
    """
    Give an object's pickle.

    Parameters
    ----------
    obj : any
    protocol : int

    Returns
    -------
    str
        8-bit.
    """
    buffer = io.BytesIO()
    _OnePickle(buffer, protocol, bin).dump(obj)
    return as_text(buffer.getvalue())


def load(file: Any) -> Any:
    """
    Read the next object of a file.

    Parameters
    ----------
    file : file

    Returns
    -------
    any
    """
    raw = _readable(file)
    content = _restart_data(raw)
    return Unpickler(file).load() if content is None else load_restart_data(content)


_TAIL = 400


def _restart_data(raw: Any) -> bytes | None:
    """Give what a master has saved, where a file holds that: scripts of old load such files like any other pickle."""
    from biskit_pvm.restart import format

    try:
        if not raw.seekable() or raw.tell() != 0:
            return None
        head = raw.read(_TAIL)
        raw.seek(max(0, raw.seek(0, os.SEEK_END) - _TAIL))
        tail = raw.read()
        raw.seek(0)
        return raw.read() if format.is_restart_data(head, tail) else None
    except (AttributeError, OSError):
        return None


def load_restart_data(content: bytes) -> Any:
    """
    Read what a master has saved; its classes may be those of a script of old.

    Parameters
    ----------
    content : bytes
        A restart file.

    Returns
    -------
    any
    """
    from biskit_pvm.restart import format

    try:
        parts = format.unpack(content)
    except format.Damaged as error:
        raise pickle.UnpicklingError(f"a damaged restart file: {error}") from None
    unpickler = Unpickler(io.BytesIO(parts.body))
    unpickler.script = parts.header.script
    return unpickler.load()


def loads(text: str) -> Any:
    """
    Read an object from its pickle.

    Parameters
    ----------
    text : str
        8-bit.

    Returns
    -------
    any
    """
    return Unpickler(io.BytesIO(as_bytes(text))).load()


_NAMES = {
    "Unpickler": Unpickler,
    "Pickler": Pickler,
    "dump": dump,
    "dumps": dumps,
    "load": load,
    "loads": loads,
    "HIGHEST_PROTOCOL": HIGHEST_PROTOCOL,
}


def _cpickle() -> types.ModuleType:
    return new_module(
        "cPickle",
        {
            **_NAMES,
            "PickleError": pickle.PickleError,
            "PicklingError": pickle.PicklingError,
            "UnpicklingError": pickle.UnpicklingError,
            "BadPickleGet": pickle.UnpicklingError,
            "UnpickleableError": pickle.PicklingError,
            "format_version": "2.0",
            "compatible_formats": ["1.0", "1.1", "1.2", "1.3", "2.0"],
            "__version__": "1.71",
        },
    )


def _python_dump(obj: Any, file: Any, protocol: int | None = None, bin: Any = None) -> None:
    PythonPickler(file, protocol, bin).dump(obj)


def _python_dumps(obj: Any, protocol: int | None = None, bin: Any = None) -> str:
    buffer = io.BytesIO()
    PythonPickler(buffer, protocol, bin).dump(obj)
    return as_text(buffer.getvalue())


_PYTHON_NAMES = {
    **_NAMES,
    "Unpickler": PythonUnpickler,
    "Pickler": PythonPickler,
    "dump": _python_dump,
    "dumps": _python_dumps,
}

MODULES = {
    "cPickle": _cpickle,
    "pickle": lambda: StandIn(pickle, _PYTHON_NAMES, name="pickle"),
    "copy_reg": lambda: StandIn(copyreg, {}, name="copy_reg"),
    "shelve": lambda: StandIn(shelve, {}, name="shelve"),
}
