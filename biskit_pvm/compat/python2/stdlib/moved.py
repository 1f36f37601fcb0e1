"""Modules that only have another name or arrangement in Python 3."""

from __future__ import annotations
import __future__

import importlib
import types
import unittest
import warnings
from typing import Any, Callable

from biskit_pvm.compat.python2.builtins.strings import as_bytes, as_text
from biskit_pvm.compat.python2.registry import StandIn, new_module
from biskit_pvm.compat.python2.stdlib.eight_bit import bytes_function


def _renamed(new: str, **names: str) -> Callable[[], types.ModuleType]:
    def make() -> types.ModuleType:
        real = importlib.import_module(new)
        return StandIn(real, {old: getattr(real, now) for old, now in names.items()})

    return make


def _joined(old: str, *modules: str) -> Callable[[], types.ModuleType]:
    def make() -> types.ModuleType:
        names: dict[str, Any] = {}
        for module in map(importlib.import_module, modules):
            names.update({name: value for name, value in vars(module).items() if not name.startswith("__")})
        return new_module(old, names)

    return make


def _urllib() -> types.ModuleType:
    from urllib import error, parse, request

    def quote(text: str, safe: str = "/") -> str:
        return parse.quote(as_bytes(text), safe)

    def open_(url: str, data: Any = None, *args: Any, **named: Any) -> Any:
        from biskit_pvm.compat.python2.builtins.files import File

        response = request.urlopen(url, None if data is None else as_bytes(data), *args, **named)
        made = File.over(response, url, "r")
        made.info, made.geturl, made.getcode = response.info, response.geturl, response.getcode
        return made

    return new_module(
        "urllib",
        {
            "urlopen": open_,
            "quote": quote,
            "quote_plus": lambda text, safe="": quote(text, safe + " ").replace(" ", "+"),
            "unquote": lambda text: as_text(parse.unquote_to_bytes(text)),
            "unquote_plus": lambda text: as_text(parse.unquote_to_bytes(text.replace("+", " "))),
            "urlencode": parse.urlencode,
            "urlretrieve": request.urlretrieve,
            "pathname2url": request.pathname2url,
            "url2pathname": request.url2pathname,
            "getproxies": request.getproxies,
            "URLError": error.URLError,
            "ContentTooShortError": error.ContentTooShortError,
        },
    )


def _urllib2() -> types.ModuleType:
    module = _joined("urllib2", "urllib.error", "urllib.request")()
    module.urlopen = _urllib().urlopen
    return module


def _config_parser() -> types.ModuleType:
    import configparser

    from biskit_pvm.compat.python2.builtins.files import File
    from biskit_pvm.compat.python2.stdlib.eight_bit import eight_bit

    class Old:
        """What ConfigParser forgot: readfp, and that any value may be set."""

        def __init__(self, defaults: Any = None, **named: Any) -> None:
            named.setdefault("strict", False)
            named.setdefault("inline_comment_prefixes", (";",))
            named.setdefault("comment_prefixes", ("#", ";", "rem ", "REM "))
            named.setdefault("delimiters", ("=", ":"))
            if isinstance(self, _Raw):
                named.setdefault("interpolation", None)
            super().__init__(defaults, **named)

        def readfp(self, file: Any, filename: str | None = None) -> None:
            self.read_file(iter(file.readline, ""), filename)

        def read(self, filenames: Any) -> list[str]:
            done = []
            for name in [filenames] if isinstance(filenames, str) else filenames:
                try:
                    file = File(name)
                except OSError:
                    continue
                with file:
                    self.read_file(iter(file.readline, ""), name)
                done.append(name)
            return done

        def get(self, section: str, option: str, raw: bool = False, vars: Any = None, **named: Any) -> str:
            return super().get(section, option, raw=raw, vars=vars, **named)

        def items(self, section: str, raw: bool = False, vars: Any = None) -> list:
            return super().items(section, raw=raw, vars=vars)

        def write(self, file: Any) -> None:
            import io

            text = io.StringIO()
            super().write(text)
            file.write(text.getvalue())

    class _Raw:
        pass

    made = {
        "RawConfigParser": type("RawConfigParser", (Old, _Raw, configparser.RawConfigParser), {}),
        "ConfigParser": type("ConfigParser", (Old, configparser.ConfigParser), {}),
        "SafeConfigParser": type("SafeConfigParser", (Old, configparser.ConfigParser), {}),
    }
    return StandIn(configparser, made, eight_bit, name="ConfigParser")


def _socket() -> types.ModuleType:
    import socket

    from biskit_pvm.compat.python2.builtins.files import File
    from biskit_pvm.compat.python2.stdlib.binary import Proxy

    class Socket(socket.socket):
        """A socket that sends and receives 8-bit strings."""

        def recv(self, size: int, *flags: int) -> str:
            return as_text(super().recv(size, *flags))

        def recvfrom(self, size: int, *flags: int) -> tuple:
            data, address = super().recvfrom(size, *flags)
            return as_text(data), address

        def send(self, data: Any, *flags: int) -> int:
            return super().send(as_bytes(data), *flags)

        def sendall(self, data: Any, *flags: int) -> None:
            super().sendall(as_bytes(data), *flags)

        def sendto(self, data: Any, *args: Any) -> int:
            return super().sendto(as_bytes(data), *args)

        def accept(self) -> tuple:
            descriptor, address = self._accept()
            return Socket(self.family, self.type, self.proto, fileno=descriptor), address

        def makefile(self, mode: str = "r", bufsize: int = -1) -> File:
            return File.over(super().makefile(mode.replace("b", "").replace("U", "r") + "b"), "<socket>", mode)

    def pair(*args: Any) -> tuple:
        return tuple(Socket(one.family, one.type, one.proto, fileno=one.detach()) for one in socket.socketpair(*args))

    names = {"socket": Socket, "SocketType": Socket, "_socketobject": Socket, "socketpair": pair}
    for name in ("inet_aton", "inet_ntoa", "inet_pton", "inet_ntop"):
        names[name] = (
            bytes_function(getattr(socket, name))
            if name in ("inet_ntoa", "inet_ntop")
            else (lambda *args, function=getattr(socket, name): as_text(function(*args)))
        )
    assert Proxy
    return StandIn(socket, names, name="socket")


# -- unittest: names that were dropped, and a suite that keeps its tests after it has run

_OLD_METHODS = {
    "assert_": "assertTrue",
    "failUnless": "assertTrue",
    "failIf": "assertFalse",
    "assertEquals": "assertEqual",
    "failUnlessEqual": "assertEqual",
    "assertNotEquals": "assertNotEqual",
    "failIfEqual": "assertNotEqual",
    "assertAlmostEquals": "assertAlmostEqual",
    "failUnlessAlmostEqual": "assertAlmostEqual",
    "assertNotAlmostEquals": "assertNotAlmostEqual",
    "failUnlessRaises": "assertRaises",
    "assertRaisesRegexp": "assertRaisesRegex",
    "assertRegexpMatches": "assertRegex",
    "assertItemsEqual": "assertCountEqual",
    "assertNotRegexpMatches": "assertNotRegex",
}


def _unittest() -> types.ModuleType:
    methods = {
        old: getattr(unittest.TestCase, new) for old, new in _OLD_METHODS.items() if hasattr(unittest.TestCase, new)
    }
    case = type("TestCase", (unittest.TestCase,), {**methods, "__module__": "unittest"})
    suite = type("TestSuite", (unittest.TestSuite,), {"_cleanup": False, "__module__": "unittest"})

    class TestLoader(unittest.TestLoader):
        """A loader that makes suites of this kind."""

        suiteClass = suite

    loader = TestLoader()
    return StandIn(
        unittest,
        {
            "TestCase": case,
            "TestSuite": suite,
            "TestLoader": TestLoader,
            "defaultTestLoader": loader,
            "_TextTestResult": unittest.TextTestResult,
            "makeSuite": lambda kind, prefix="test", *args: loader.loadTestsFromTestCase(kind),
        },
        name="unittest",
    )


def _cgi() -> types.ModuleType:
    """What scripts took from ``cgi``, which Python 3 has given up, in parts or as a whole."""
    import html
    from urllib import parse

    def escape(text: str, quote: Any = None) -> str:
        text = html.escape(text, quote=False)
        return text.replace('"', "&quot;") if quote else text

    names = {"escape": escape, "parse_qs": parse.parse_qs, "parse_qsl": parse.parse_qsl}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return StandIn(importlib.import_module("cgi"), names, name="cgi")
    except ImportError:
        return new_module("cgi", names)


def _repr() -> types.ModuleType:
    """Python 2's ``repr``: short forms of long things, as strings of Python 2."""
    import reprlib

    return StandIn(reprlib, {}, name="repr")


def _statvfs() -> types.ModuleType:
    names = "F_BSIZE F_FRSIZE F_BLOCKS F_BFREE F_BAVAIL F_FILES F_FFREE F_FAVAIL F_FLAG F_NAMEMAX".split()
    return new_module("statvfs", {name: number for number, name in enumerate(names)})


def _rfc822() -> types.ModuleType:
    """The part of ``rfc822`` that read headers."""
    import email.utils
    from email.parser import HeaderParser

    class Message:
        """The headers at the beginning of a file; `fp` then is at the text behind them."""

        def __init__(self, fp: Any, seekable: int = 1) -> None:
            self.fp, lines = fp, []
            for line in iter(fp.readline, ""):
                if not line.strip():
                    break
                lines.append(line)
            self.headers = lines
            self.dict = {name.lower(): value for name, value in HeaderParser().parsestr("".join(lines)).items()}

        def getheader(self, name: str, default: Any = None) -> Any:
            return self.dict.get(name.lower(), default)

        get = getheader

        def getaddr(self, name: str) -> tuple[Any, Any]:
            found = self.getaddrlist(name)
            return found[0] if found else (None, None)

        def getaddrlist(self, name: str) -> list[tuple[str, str]]:
            return email.utils.getaddresses([self.dict.get(name.lower(), "")])

        def getdate(self, name: str) -> Any:
            return email.utils.parsedate(self.dict.get(name.lower(), ""))

        def __getitem__(self, name: str) -> str:
            return self.dict[name.lower()]

        def has_key(self, name: str) -> bool:
            return name.lower() in self.dict

        __contains__ = has_key

        def __len__(self) -> int:
            return len(self.dict)

        def keys(self) -> list[str]:
            return list(self.dict)

        def values(self) -> list[str]:
            return list(self.dict.values())

        def items(self) -> list[tuple[str, str]]:
            return list(self.dict.items())

    functions = "parsedate parsedate_tz mktime_tz formatdate quote unquote".split()
    names = {name: getattr(email.utils, name) for name in functions}
    return new_module("rfc822", {**names, "parseaddr": email.utils.parseaddr, "Message": Message})


MODULES = {
    "Cookie": lambda: StandIn(importlib.import_module("http.cookies"), {}, name="Cookie"),
    "cgi": _cgi,
    "repr": _repr,
    "statvfs": _statvfs,
    "rfc822": _rfc822,
    "socket": _socket,
    "urllib": _urllib,
    "urllib2": _urllib2,
    "urlparse": _renamed("urllib.parse"),
    "httplib": _renamed("http.client"),
    "ConfigParser": _config_parser,
    "SocketServer": _renamed("socketserver"),
    "BaseHTTPServer": _renamed("http.server"),
    "SimpleHTTPServer": _renamed("http.server"),
    "cookielib": _renamed("http.cookiejar"),
    "htmlentitydefs": _renamed("html.entities"),
    "HTMLParser": _renamed("html.parser"),
    "Tkinter": _renamed("tkinter"),
    "anydbm": _renamed("dbm"),
    "xmlrpclib": _renamed("xmlrpc.client"),
    "unittest": _unittest,
    "email.MIMEText": _renamed("email.mime.text"),
    "email.Utils": _renamed("email.utils"),
    "__future__": lambda: __future__,
}
