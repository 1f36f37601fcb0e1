"""``sys``, ``os`` and their neighbours."""

from __future__ import annotations

import errno
import fnmatch
import getpass
import glob
import os
import os.path
import platform
import pwd
import shutil
import signal
import sys
import tempfile
import time
import types
from collections.abc import Iterator, MutableMapping
from typing import Any, Callable

from biskit_pvm.compat.python2.builtins import errors, files
from biskit_pvm.compat.python2.builtins.numbers import MAXINT
from biskit_pvm.compat.python2.builtins.strings import as_bytes, as_text, from_os, to_os, u
from biskit_pvm.compat.python2.registry import StandIn, make, new_module
from biskit_pvm.compat.python2.stdlib.eight_bit import eight_bit, python2_error
from biskit_pvm.compat.python2.stdlib.pipes import Pipe
from biskit_pvm.compat.python2.stdlib.programs import line_of_old, words_of_old

_VERSION = "2.7.18 (carried over to Python %s)" % sys.version.split()[0]


class _VersionInfo(tuple):
    major, minor, micro, releaselevel, serial = (property(lambda self, i=i: self[i]) for i in range(5))


class _Sys(StandIn):
    """``sys`` of translated code: 2.7, with the streams as 8-bit files; what a script sets is set for all."""

    def __getattr__(self, name: str) -> Any:
        if name in ("stdin", "stdout", "stderr", "__stdin__", "__stdout__", "__stderr__"):
            return files.standard(name)
        if name in ("exc_type", "exc_value", "exc_traceback"):
            return errors.exc_info()[("exc_type", "exc_value", "exc_traceback").index(name)]
        return super().__getattr__(name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in ("stdin", "stdout", "stderr") and isinstance(value, files.Standard):
            value = value._stream
        if name == "exitfunc":
            import atexit

            atexit.register(value)
        super().__setattr__(name, value)

    def after_reload(self) -> None:
        """Have the function that was only there after ``reload(sys)``."""
        self.__dict__["setdefaultencoding"] = _refuse_default_encoding


def _refuse_default_encoding(encoding: str) -> None:
    if encoding.lower() not in ("ascii", "us-ascii"):
        raise NotImplementedError(
            f"sys.setdefaultencoding({encoding!r}): translated code meets unicode with 8-bit text above 127 only "
            "through an explicit decode(); write text.decode(encoding) where it does"
        )


def _sys() -> types.ModuleType:
    platform_name = "linux2" if sys.platform.startswith("linux") else sys.platform
    return _Sys(
        sys,
        {
            "maxint": MAXINT,
            "maxsize": MAXINT,
            "version": _VERSION,
            "platform": platform_name,
            "version_info": _VersionInfo((2, 7, 18, "final", 0)),
            "hexversion": 0x020712F0,
            "py3kwarning": False,
            "exc_info": errors.exc_info,
            "exc_clear": errors.forget,
            "getdefaultencoding": lambda: "ascii",
            "subversion": ("CPython", "", ""),
            "setcheckinterval": lambda interval: None,
            "getcheckinterval": lambda: 100,
            "getfilesystemencoding": sys.getfilesystemencoding,
        },
        name="sys",
    )


# -- os


class Environ(MutableMapping):
    """``os.environ`` with 8-bit strings; it pickles, as a plain dictionary."""

    def __getitem__(self, key: str) -> str:
        return from_os(os.environ[to_os(key)])

    def __setitem__(self, key: str, value: str) -> None:
        os.environ[to_os(key)] = to_os(value)

    def __delitem__(self, key: str) -> None:
        del os.environ[to_os(key)]

    def __iter__(self) -> Iterator[str]:
        return map(from_os, iter(os.environ))

    def __len__(self) -> int:
        return len(os.environ)

    def keys(self) -> list[str]:
        return list(self)

    def values(self) -> list[str]:
        return [self[key] for key in self]

    def items(self) -> list[tuple[str, str]]:
        return [(key, self[key]) for key in self]

    def has_key(self, key: str) -> bool:
        return key in self

    def copy(self) -> dict[str, str]:
        return dict(self.items())

    __copy__ = copy

    def __deepcopy__(self, memo: dict) -> dict[str, str]:
        return self.copy()

    def __reduce__(self):
        return dict, (self.copy(),)

    def __repr__(self) -> str:
        return repr(self.copy())


Environ.__module__, Environ.__name__ = "os", "_Environ"


def walk(top: str, function: Callable, argument: Any) -> None:
    """Python 2's ``os.path.walk``."""
    module = make("os")
    try:
        names = module.listdir(top)
    except errors.OSError2:
        return
    function(argument, top, names)
    for name in names:
        name = os.path.join(top, name)
        if os.path.isdir(to_os(name)) and not os.path.islink(to_os(name)):
            walk(name, function, argument)


def _os_path() -> types.ModuleType:
    names = {"walk": walk, "expanduser": eight_bit(os.path.expanduser), "supports_unicode_filenames": False}
    # pure string functions see no file names of the system
    for name in ("join", "split", "splitext", "basename", "dirname", "normpath", "isabs", "commonprefix"):
        names[name] = getattr(os.path, name)
    return StandIn(os.path, names, eight_bit, name="posixpath")


def _read(descriptor: int, size: int) -> str:
    try:
        return as_text(os.read(descriptor, size))
    except OSError as error:
        raise python2_error(error) from None


def _write(descriptor: int, text: Any) -> int:
    try:
        return os.write(descriptor, as_bytes(text))
    except OSError as error:
        raise python2_error(error) from None


def _fdopen(descriptor: int, mode: str = "r", bufsize: int = -1) -> files.File:
    basic = mode[:1].replace("U", "r") + ("+" if "+" in mode else "") + "b"
    return files.File.over(
        os.fdopen(descriptor, basic, -1 if bufsize == 1 else bufsize), "<fdopen>", mode, bufsize == 1
    )


def _popen(command: Any, mode: str = "r", bufsize: int = -1) -> Pipe:
    return Pipe.start(command, mode, bufsize)


def _popen_many(number: int) -> Callable:
    def popen(command: Any, mode: str = "t", bufsize: int = -1) -> tuple:
        from biskit_pvm.compat.python2.stdlib import processes  # takes long to load

        return processes.popen_files(command, number)

    popen.__name__ = f"popen{number}"
    return popen


def _system(command: Any) -> int:
    return os.system(line_of_old(to_os(command)))


def _starting(family: str, kind: str) -> Callable:
    """A function of ``exec`` or ``spawn``: kind 'l' takes arguments one by one, 'v' as a list, 'e' an environment."""
    start = eight_bit(getattr(os, family + kind.replace("l", "v")))
    n_before = 1 if family == "spawn" else 0

    def call(*args: Any) -> Any:
        before, program, rest = args[:n_before], args[n_before], args[n_before + 1 :]
        environment = rest[-1:] if "e" in kind else ()
        arguments = rest[: len(rest) - len(environment)] if "l" in kind else rest[0]
        words = [to_os(program), *map(to_os, arguments[1:])]
        found = words_of_old(words)
        if found == words:
            return start(*before, program, list(arguments), *environment)
        return start(*before, found[0], found, *environment)

    call.__name__ = family + kind
    return call


def _temporary_name(directory: str | None = None, prefix: str = "file") -> str:
    return from_os(tempfile.mktemp(prefix=to_os(prefix), dir=None if directory is None else to_os(directory)))


def _os() -> types.ModuleType:
    return StandIn(
        os,
        {
            "path": make("os.path"),
            "environ": Environ(),
            "getenv": lambda key, default=None: Environ().get(key, default),
            "error": errors.OSError2,
            "getcwdu": lambda: u(os.getcwd()),
            "system": _system,
            **{
                family + kind: _starting(family, kind)
                for family in ("exec", "spawn")
                for kind in "l le lp lpe v ve vp vpe".split()
            },
            "popen": _popen,
            "popen2": _popen_many(2),
            "popen3": _popen_many(3),
            "popen4": _popen_many(4),
            "read": _read,
            "write": _write,
            "fdopen": _fdopen,
            "tempnam": _temporary_name,
            "tmpnam": _temporary_name,
            "tmpfile": lambda: files.File.over(tempfile.TemporaryFile(), "<tmpfile>", "w+b"),
            "urandom": lambda size: as_text(os.urandom(size)),
            "fork": os.fork,
            "_exit": os._exit,
        },
        eight_bit,
        name="os",
    )


# -- the small ones


def _time() -> types.ModuleType:
    return StandIn(time, {"clock": time.process_time}, name="time")


def _user() -> types.ModuleType:
    """Python 2's ``user``: the home folder, and what the user's own start-up file defines."""
    from biskit_pvm.compat.python2.builtins import NAMESPACE, execution

    home = from_os(os.environ.get("HOME", os.curdir))
    module = new_module(
        "user", {"home": home, "pythonrc": os.path.join(home, ".pythonrc.py"), "__builtins__": NAMESPACE}
    )
    module.os = make("os")
    if os.path.isfile(to_os(module.pythonrc)):
        execution.execute_file(module.pythonrc, module.__dict__)
    return module


def _tempfile() -> types.ModuleType:
    def wrapped(function: Callable) -> Callable:
        def call(
            mode: str = "w+b",
            bufsize: int = -1,
            suffix: str = "",
            prefix: str = "tmp",
            dir: str | None = None,
            **named: Any,
        ) -> files.File:
            basic = mode[:1].replace("U", "r") + ("+" if "+" in mode else "") + "b"
            raw = function(
                basic,
                bufsize,
                suffix=to_os(suffix),
                prefix=to_os(prefix),
                dir=None if dir is None else to_os(dir),
                **named,
            )
            return _Temporary.over(raw, from_os(raw.name) if isinstance(raw.name, str) else "<fdopen>", mode)

        return call

    return StandIn(
        tempfile,
        {"NamedTemporaryFile": wrapped(tempfile.NamedTemporaryFile), "TemporaryFile": wrapped(tempfile.TemporaryFile)},
        eight_bit,
        name="tempfile",
    )


class _Temporary(files.File):
    """A temporary file, with its own way to be removed."""

    @property
    def file(self) -> _Temporary:
        return self


def _platform() -> types.ModuleType:
    return StandIn(
        platform,
        {"python_version": lambda: "2.7.18", "python_version_tuple": lambda: ("2", "7", "18")},
        name="platform",
    )


def _signal() -> types.ModuleType:
    def plain(function: Callable) -> Callable:
        """Let what was set before be a plain number, if it is no function."""

        def call(*args: Any) -> Any:
            before = function(*args)
            return int(before) if isinstance(before, int) else before

        call.__name__ = function.__name__
        return call

    return StandIn(signal, {"signal": plain(signal.signal), "getsignal": plain(signal.getsignal)}, name="signal")


MODULES = {
    "sys": _sys,
    "os": _os,
    "os.path": _os_path,
    "posixpath": _os_path,
    "time": _time,
    "user": _user,
    "tempfile": _tempfile,
    "shutil": lambda: StandIn(shutil, {}, eight_bit),
    "glob": lambda: StandIn(glob, {"iglob": lambda pattern: iter(eight_bit(glob.glob)(pattern))}, eight_bit),
    "fnmatch": lambda: StandIn(fnmatch, {}, eight_bit),
    "platform": _platform,
    "getpass": lambda: StandIn(getpass, {}, eight_bit),
    "signal": _signal,
    "pwd": lambda: StandIn(pwd, {}, None),
}
