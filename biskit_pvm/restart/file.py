"""Restart files: written so that none is ever half, sealed, and read with suspicion."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import io
import os
import pickle
import stat
import sys
import time
from collections.abc import Iterable
from typing import Any, NamedTuple

from biskit_pvm.errors import RestartError
from biskit_pvm.files import write_atomically
from biskit_pvm.restart import format, reader
from biskit_pvm.restart.key import own_key

__all__ = ["Description", "describe", "load", "save"]


class Description(NamedTuple):
    """What a restart file tells of itself.

    Attributes
    ----------
    header : format.Header
        Anybody can write anything there, unless the file is one's own.
    own : bool
        Whether this user's seal is on it.
    """

    header: format.Header
    own: bool


def save(data: dict[str, Any], path: str) -> None:
    """Write restart data, sealed with the user's key.

    The previous file is kept as `<path>~`.  Only the user may read the file.

    Raises
    ------
    RestartError
        Some fields cannot be pickled.
    OSError
    """
    kind = data["master_class"]
    # classes of a restarted master come from the script that had it first
    main = sys.modules.get("__mp_main__") or sys.modules.get("__main__")
    script = getattr(main, "__file__", None) or ""
    states = data.get("status_objects", {})
    header = format.Header(
        f"{kind.__module__}.{kind.__qualname__}",
        os.path.abspath(script) if script else "",
        time.time(),
        str(data.get("slave_script", "")),
        len(states),
        sum(state is None or state == 0 for state in states.values()),
    )
    try:
        content = format.pack(data, header, own_key(make=True))
    except Exception as error:
        bad = [name for name, value in data.items() if not _can_be_pickled(value)]
        raise RestartError(
            "these fields of the master cannot be saved: "
            f"{', '.join(bad) or 'unknown'} ({error}); override getRst to "
            "leave them out"
        ) from error
    write_atomically(path, content, keep_old=True, mode=0o600)


def _can_be_pickled(value: Any) -> bool:
    try:
        pickle.dumps(value, 4)
    except Exception:
        return False
    return True


def read_whole(path: str) -> bytes:
    """Read a file; what is no ordinary file, and could make one wait, is refused."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise RestartError(f"{path} is no ordinary file")
        return file.read()


def _parts(path: str) -> format.Parts:
    try:
        return format.unpack(read_whole(path), own_key())
    except format.Damaged as error:
        raise RestartError(f"{path} cannot be used: {error}; the file before it may be {path}~") from None


def describe(path: str) -> Description:
    """Tell what is in a restart file; nothing of the pickle is read.

    Raises
    ------
    RestartError
        The file is not whole, or not a restart file.
    OSError
    """
    parts = _parts(path)
    return Description(parts.header, parts.sealed)


def load(path: str, trust: Any = False, classes: Iterable[type] = (), masters: Iterable[type] = ()) -> dict[str, Any]:
    """Read restart data.

    Parameters
    ----------
    path : str
    trust : bool
        Run whatever the file asks for, and the script that it names.  Files that this user
        has written, as their seal tells, need no word.
    classes : iterable of type
        Classes of which objects may be made although the file is not trusted.
    masters : iterable of type
        Classes that the saved master may be of, then.

    Returns
    -------
    dict
        From a file that is not trusted without what would be run, where and how:
        `slave_script`, `hosts` and the options of the run.

    Raises
    ------
    RestartError
        The file is not whole, not a restart file, or asks for something that
        is not allowed.
    OSError
    """
    parts = _parts(path)
    if trust or parts.sealed:
        data = _load_trusted(path, parts)
    else:
        data = _load_untrusted(path, parts, list(classes), list(masters))
    if not isinstance(data, dict) or "master_class" not in data:
        raise RestartError(f"{path} holds no saved master")
    return data


class _Unpickler(pickle.Unpickler):
    """The ordinary one, which finds modules under their old names, too."""

    def find_class(self, module: str, name: str) -> Any:
        return super().find_class(format.MOVED.get(module, module), name)


def _load_trusted(path: str, parts: format.Parts) -> Any:
    if parts.header.script:
        _provide_main(parts.header.script)
    try:
        return _Unpickler(io.BytesIO(parts.body)).load()
    except Exception as error:
        raise RestartError(f"{path} cannot be read: {type(error).__name__}: {error}") from error


def _load_untrusted(path: str, parts: format.Parts, classes: list[type], masters: list[type]) -> dict[str, Any]:
    yours = "it is not sealed with your key; say trust=True (--trust) if you know where it comes from"
    try:
        data = reader.read(parts.body, classes, masters)
    except reader.Refused as error:
        raise RestartError(f"{path} is not read, since {error.name or error} is not harmless: {yours}") from None
    except Exception as error:
        raise RestartError(f"{path} cannot be read: {type(error).__name__}: {error}") from None
    if not isinstance(data, dict) or not all(type(name) is str for name in data):
        raise RestartError(f"{path} holds no saved master")
    kind = data.get("master_class")
    if not any(kind is master for master in masters):
        raise RestartError(f"{path} holds no saved master")
    for name in ("data", "result", "status_objects", "progress"):
        if type(data.get(name, {})) is not dict:
            raise RestartError(f"{path} cannot be used: {name} is no dictionary")
    taken = {"master_class": kind, "status_objects": data.get("status_objects", {})}
    for name, value in data.items():
        if name in format.TAKEN:
            taken[name] = value
        elif name not in (*format.FIELDS, *format.LEFT_OUT, *format.BESIDE):
            there = getattr(kind, name, None)
            if name.startswith("_") or callable(there) or hasattr(type(there), "__set__"):
                raise RestartError(f"{path} is not read, since it would replace the master's {name}: {yours}")
            taken[name] = value
    return taken


def _provide_main(script: str) -> None:
    """Make the classes of a script available as those of `__main__`."""
    main = sys.modules["__main__"]
    if os.path.abspath(getattr(main, "__file__", None) or "") == script:
        return
    if not os.path.exists(script):
        raise RestartError(f"the script {script}, whose classes the file needs, is gone")
    # scripts need not end in .py
    spec = importlib.util.spec_from_file_location(
        "__mp_main__", script, loader=importlib.machinery.SourceFileLoader("__mp_main__", script)
    )
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["__mp_main__"] = module
    sys.path.insert(0, os.path.dirname(script))
    spec.loader.exec_module(module)
    for name, value in list(module.__dict__.items()):
        if getattr(value, "__module__", None) == "__mp_main__":
            try:
                value.__module__ = "__main__"
            except (AttributeError, TypeError):
                continue
            setattr(main, name, value)
