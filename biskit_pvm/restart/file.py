"""Restart files: written so that none is ever half, read with suspicion."""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import os
import pickle
import socket
import sys
import tempfile
import threading
import time
from typing import Any

from biskit_pvm.errors import RestartError
from biskit_pvm.restart import format


def save(data: dict[str, Any], path: str) -> None:
    """Write restart data.

    The previous file is kept as `<path>~`.

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
    header = format.Header(
        f"{kind.__module__}.{kind.__qualname__}", os.path.abspath(script) if script else "", time.time()
    )
    try:
        content = format.pack(data, header)
    except Exception as error:
        bad = [name for name, value in data.items() if not _can_be_pickled(value)]
        raise RestartError(
            "these fields of the master cannot be saved: "
            f"{', '.join(bad) or 'unknown'} ({error}); override getRst to "
            "leave them out"
        ) from error
    write_atomically(path, content)


def _can_be_pickled(value: Any) -> bool:
    try:
        pickle.dumps(value, 4)
    except Exception:
        return False
    return True


#: autosaving is done in a thread of its own, and whoever likes may save
_writing = threading.Lock()


def write_atomically(path: str, content: bytes) -> None:
    """Replace a file by a new one, keeping the old one as `<path>~`.

    At no time is there neither; a crash leaves the old one.
    """
    with _writing:
        _write(os.path.abspath(path), content)


def _write(path: str, content: bytes) -> None:
    folder, name = os.path.split(path)
    mark = f".{name}.{socket.gethostname()}-"
    _remove_leftovers(folder, mark)
    handle, temporary = tempfile.mkstemp(prefix=f"{mark}{os.getpid()}-", suffix=".part", dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if os.path.exists(path):
            spare = path + "~"
            try:
                os.unlink(spare)
            except FileNotFoundError:
                pass
            os.link(path, spare)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove_leftovers(folder: str, mark: str) -> None:
    """Remove what processes of this host that were killed while they wrote
    have left."""
    for name in os.listdir(folder):
        if name.startswith(mark) and name.endswith(".part"):
            pid = name[len(mark) :].split("-")[0]
            if not os.path.exists(f"/proc/{pid}"):
                try:
                    os.unlink(os.path.join(folder, name))
                except OSError:
                    pass


def load(path: str, trust: bool = False) -> dict[str, Any]:
    """Read restart data.

    Parameters
    ----------
    path : str
    trust : bool
        Run whatever the file asks for, and the script that it names.
        Without, only classes of `biskit_pvm`, of the running script and of
        modules beside it, and a short list of harmless ones are used.

    Raises
    ------
    RestartError
        The file is not whole, not a restart file, or asks for something that
        is not allowed.
    """
    with open(path, "rb") as file:
        content = file.read()
    try:
        header, body = format.unpack(content)
    except format.Damaged as error:
        raise RestartError(f"{path} cannot be used: {error}; the file before it may be {path}~") from None
    if trust and header.script:
        _provide_main(header.script)
    refused: dict[str, None] = {}

    def allowed(module: str, name: str) -> bool:
        good = trust or _is_of_user(module, name)
        if not good:
            refused[f"{module}.{name}"] = None
        return good

    try:
        data = format.read(body, allowed)
    except pickle.UnpicklingError as error:
        raise RestartError(
            f"{path} needs {', '.join(refused) or error}, which neither "
            "biskit_pvm nor the running script defines; import the module "
            "that does, or say trust=1 if the file comes from you"
        ) from None
    except Exception as error:
        raise RestartError(
            f"{path} cannot be read: {type(error).__name__}: {error}"
            + (
                ""
                if trust or not header.script
                else f"; its classes are those of {header.script}: say trust=1 if the file comes from you"
            )
        ) from error
    if not isinstance(data, dict) or "master_class" not in data:
        raise RestartError(f"{path} holds no saved master")
    return data


def _is_of_user(module: str, name: str) -> bool:
    """Tell whether the running script defines a class, itself or in a
    module from its own folder, or this package does."""
    first = name.split(".")[0]
    if module == "biskit_pvm" or module.startswith("biskit_pvm."):
        return isinstance(_defined(module, first), type)
    if module == "__main__":
        return isinstance(_defined(module, first), type)
    folder, source = _main_folder(), _source_of(module)
    if folder is None or source is None or os.path.dirname(source) != folder:
        return False
    return True


def _defined(module: str, name: str) -> Any | None:
    """Return what a module itself defines under a name."""
    if module not in sys.modules and module.startswith("biskit_pvm."):
        try:
            importlib.import_module(module)
        except ImportError:
            return None
    value = getattr(sys.modules.get(module), name, None)
    return value if getattr(value, "__module__", None) == module else None


def _main_folder() -> str | None:
    script = getattr(sys.modules.get("__main__"), "__file__", None)
    return os.path.dirname(os.path.abspath(script)) if script else None


def _source_of(module: str) -> str | None:
    loaded = sys.modules.get(module)
    source = getattr(loaded, "__file__", None)
    if loaded is None and "." not in module:
        spec = importlib.util.find_spec(module)
        source = spec.origin if spec else None
    return os.path.abspath(source) if source else None


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
