"""
Python 2's standard library, as far as it is gone or answers otherwise, for translated code alone.

`stand_in` gives the module that an import statement of translated code gets in place of Python 3's. Python 3 code keeps
its own modules: nothing here is put into ``sys.modules``. A module of the script's own with the same name goes first, as
it did.

A stand-in is either a new module (``cPickle``) or a `StandIn`: the real module, seen through functions of Python 2.
"""

from __future__ import annotations

import functools
import importlib
import os
import types
from typing import Any, Callable

from biskit_pvm.compat.python2.builtins.errors import OSError2
from biskit_pvm.compat.python2.builtins.strings import as_bytes, as_text, from_os, to_os

#: name of the module to the module here that makes it
_MAKERS = {
    **dict.fromkeys(
        "sys os os.path posixpath time user tempfile shutil glob fnmatch platform getpass pwd".split(), "system"
    ),
    **dict.fromkeys("subprocess commands popen2".split(), "processes"),
    **dict.fromkeys("pickle cPickle copy_reg shelve".split(), "pickles"),
    **dict.fromkeys("string StringIO cStringIO re json codecs".split(), "text"),
    **dict.fromkeys("struct zlib binascii base64 hashlib md5 sha gzip bz2 zipfile".split(), "binary"),
    **dict.fromkeys(
        "types new exceptions __builtin__ inspect operator itertools collections UserDict UserList "
        "UserString sets math random imp traceback".split(),
        "language",
    ),
    **dict.fromkeys("threading thread Queue dummy_thread dummy_threading".split(), "threads"),
    **dict.fromkeys(
        "socket urllib urllib2 urlparse httplib ConfigParser SocketServer BaseHTTPServer "
        "SimpleHTTPServer cookielib htmlentitydefs HTMLParser Tkinter anydbm xmlrpclib unittest "
        "email.MIMEText email.Utils __future__".split(),
        "moved",
    ),
    **dict.fromkeys(
        "numpy numpy.core numpy.core.multiarray numpy.core.umath numpy.core.numeric numpy.oldnumeric "
        "numpy.oldnumeric.linear_algebra numpy.oldnumeric.random_array Numeric LinearAlgebra "
        "RandomArray".split(),
        "arrays",
    ),
}

_made: dict[str, types.ModuleType] = {}


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
        if isinstance(found, types.ModuleType):
            return stand_in(f"{self.__name__}.{name}", True) or found
        wrap = self._wrap
        if wrap is not None and callable(found) and not isinstance(found, type):
            found = self.__dict__[name] = wrap(found)
        return found

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
    from biskit_pvm.compat.python2.importer import own_module

    top = name.partition(".")[0]
    own = own_module(top)
    if own is not None:
        return own if name == top else None
    if top in _MAKERS and name != top and not leaf:
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
    if name not in _MAKERS:
        return None
    module = _made.get(name)
    if module is None:
        maker = importlib.import_module(f"{__name__}.{_MAKERS[name]}").MODULES[name]
        module = _made[name] = maker()
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


_HERE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))) + os.sep


def is_ours(filename: str) -> bool:
    """
    Tell whether code in a traceback is this package's or the import machinery's, and no user's concern.

    Parameters
    ----------
    filename : str

    Returns
    -------
    bool
    """
    return filename.startswith((_HERE, "<frozen "))


def eight_bit(function: Callable) -> Callable:
    """
    Let a function that takes and gives file names or arguments take and give 8-bit strings.

    Parameters
    ----------
    function : callable

    Returns
    -------
    callable
        Its OSErrors are Python 2's.
    """

    @functools.wraps(function)
    def call(*args: Any, **named: Any) -> Any:
        try:
            result = function(*[_out(arg) for arg in args], **{key: _out(value) for key, value in named.items()})
        except OSError as error:
            raise python2_error(error) from None
        return map(from_os, result) if isinstance(result, types.GeneratorType) else from_os(result)

    return call


def _out(value: Any) -> Any:
    if isinstance(value, str):
        return to_os(value)
    if type(value) in (list, tuple):
        return type(value)(_out(item) for item in value)
    return value


def python2_error(error: OSError) -> OSError:
    """
    Give an OSError as the class that Python 2 raised, which no ``except IOError`` catches.

    Parameters
    ----------
    error : OSError

    Returns
    -------
    OSError
    """
    if type(error).__module__ != "builtins" or error.errno is None:
        return error
    if error.filename is not None:
        return OSError2(error.errno, error.strerror, from_os(error.filename))
    return OSError2(error.errno, error.strerror)


def bytes_function(function: Callable) -> Callable:
    """
    Let a function that takes and gives bytes take and give 8-bit strings.

    Parameters
    ----------
    function : callable

    Returns
    -------
    callable
    """

    @functools.wraps(function)
    def call(*args: Any, **named: Any) -> Any:
        return _in(function(*map(_to_bytes, args), **named))

    return call


def _to_bytes(value: Any) -> Any:
    return as_bytes(value) if isinstance(value, str) else value


def _in(value: Any) -> Any:
    if type(value) in (bytes, bytearray):
        return as_text(value)
    if type(value) in (tuple, list):
        return type(value)(_in(item) for item in value)
    return value
