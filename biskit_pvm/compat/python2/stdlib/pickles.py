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
from typing import Any

from biskit_pvm.compat.python2.builtins import files
from biskit_pvm.compat.python2.builtins.strings import Basestring, Str, Unicode, as_bytes, as_text
from biskit_pvm.compat.python2.registry import StandIn, ask, new_module
from biskit_pvm.restart.format import MOVED

HIGHEST_PROTOCOL = 2


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


class Unpickler(_Reading, pickle.Unpickler):
    """
    Python 2's ``cPickle.Unpickler``.

    Parameters
    ----------
    file : file
    """


class PythonUnpickler(_Reading, pickle._Unpickler):
    """
    Python 2's ``pickle.Unpickler``, whose ``dispatch`` subclasses may change.

    Parameters
    ----------
    file : file
    """

    dispatch = {chr(code): method for code, method in pickle._Unpickler.dispatch.items()}

    def load(self) -> Any:
        self.dispatch = {ord(code): method for code, method in self.dispatch.items()}
        return super().load()


_BUILT_IN = {
    **{(module, "unicode"): Unicode for module in ("__builtin__", "builtins")},
    **{(module, "str"): Str for module in ("__builtin__",)},
    ("__builtin__", "basestring"): Basestring,
    ("__builtin__", "object"): object,
    ("builtins", "str"): str,
}


def _string_type() -> type:
    return Str


class _Writing:
    """What both picklers do about Python 2."""

    def __init__(self, file: Any, protocol: int | None = None, bin: Any = None) -> None:
        protocol = (1 if bin else 0) if protocol is None else protocol
        if protocol < 0:
            protocol = HIGHEST_PROTOCOL
        if protocol > HIGHEST_PROTOCOL:
            raise ValueError("pickle protocol must be <= 2")
        raw = (
            file.binary
            if isinstance(file, files.File)
            else file
            if isinstance(file, (io.RawIOBase, io.BufferedIOBase))
            else _Writer(file)
        )
        self._file = file
        super().__init__(raw, protocol, fix_imports=True)

    def dump(self, obj: Any) -> None:
        super().dump(obj)
        if isinstance(self._file, files.File):
            self._file.softspace = 0

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, types.ModuleType):
            raise pickle.PicklingError(f"Can't pickle {obj!r}: it's a module")
        if obj is Str:
            return _string_type, ()
        return NotImplemented


class Pickler(_Writing, pickle.Pickler):
    """
    Python 2's ``cPickle.Pickler``.

    Parameters
    ----------
    file : file
    protocol : int
        0 by default, 1 or 2.
    """


class PythonPickler(_Writing, pickle._Pickler):
    """
    Python 2's ``pickle.Pickler``, whose ``dispatch`` subclasses may change.

    Parameters
    ----------
    file : file
    protocol : int
        0 by default, 1 or 2.
    """


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
    Pickler(file, protocol, bin).dump(obj)


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
    Pickler(buffer, protocol, bin).dump(obj)
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


MODULES = {
    "cPickle": _cpickle,
    "pickle": lambda: StandIn(
        pickle, {**_NAMES, "Unpickler": PythonUnpickler, "Pickler": PythonPickler}, name="pickle"
    ),
    "copy_reg": lambda: StandIn(copyreg, {}, name="copy_reg"),
    "shelve": lambda: StandIn(shelve, {}, name="shelve"),
}
