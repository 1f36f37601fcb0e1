"""
Python 2's standard library, as far as it is gone or answers otherwise, for translated code alone.

`registry.stand_in` gives the module that an import statement of translated code gets in place of Python 3's. Python 3 code
keeps its own modules: nothing here is put into ``sys.modules``. A module of the script's own with the same name goes first,
as it did.

A stand-in is either a new module (``cPickle``) or a `registry.StandIn`: the real module, seen through functions of Python 2.
"""

from __future__ import annotations

import importlib
import types

from biskit_pvm.compat.python2 import registry

#: name of the module to the module here that makes it, which is loaded when it is needed
_ROOMS = {
    **dict.fromkeys(
        "sys os os.path posixpath time user tempfile shutil glob fnmatch platform getpass pwd signal".split(), "system"
    ),
    **dict.fromkeys("subprocess commands popen2".split(), "processes"),
    **dict.fromkeys("pickle cPickle copy_reg shelve".split(), "pickles"),
    **dict.fromkeys("string StringIO cStringIO re json codecs".split(), "text"),
    **dict.fromkeys("struct zlib binascii base64 hashlib md5 sha gzip bz2 zipfile".split(), "binary"),
    **dict.fromkeys(
        "types new exceptions __builtin__ inspect operator itertools collections UserDict UserList "
        "UserString sets math random imp".split(),
        "language",
    ),
    "traceback": "tracebacks",
    **dict.fromkeys("code codeop".split(), "interactive"),
    **dict.fromkeys("heapq bisect array".split(), "sequences"),
    **dict.fromkeys("threading thread Queue dummy_thread dummy_threading".split(), "threads"),
    **dict.fromkeys(
        "socket urllib urllib2 urlparse httplib ConfigParser SocketServer BaseHTTPServer "
        "SimpleHTTPServer cookielib htmlentitydefs HTMLParser Tkinter anydbm xmlrpclib unittest "
        "email.MIMEText email.Utils __future__ Cookie cgi repr statvfs rfc822".split(),
        "moved",
    ),
    **dict.fromkeys(
        "numpy numpy.core numpy.core.multiarray numpy.core.umath numpy.core.numeric numpy.oldnumeric "
        "numpy.oldnumeric.linear_algebra numpy.oldnumeric.random_array Numeric LinearAlgebra "
        "RandomArray".split(),
        "arrays",
    ),
}


def _make(name: str) -> types.ModuleType:
    module: types.ModuleType = importlib.import_module(f"{__name__}.{_ROOMS[name]}").MODULES[name]()
    return module


registry.register(_ROOMS, _make)
registry.offer("arrays", lambda: importlib.import_module(f"{__name__}.arrays"))
