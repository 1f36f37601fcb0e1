"""
Python 2's two kinds of text: 8-bit ``str`` and ``unicode``.

An 8-bit string is a Python 3 ``str`` whose characters are all below 256: each character is a byte. That costs nothing to
make, is what file names, dictionary keys, attribute names and most libraries want, and compares and hashes as before.
Every way in (literals, files, pipes, pickles, arguments, environment) reads bytes as Latin-1, every way out writes
Latin-1, so bytes go through a script as they came. What Python 3 answers otherwise for such characters (``'\\xe9'.upper()``,
``split()`` at ``'\\xa0'``) goes through the helpers below, which ask `bytes`, whose rules are those of Python 2's ``str``.

`Unicode` is a subclass that stays itself under every operation, encodes where Python 2 encoded, and refuses to meet
8-bit text above 127, with the same UnicodeDecodeError.
"""

from __future__ import annotations

import collections
import re
import sys
import warnings
from collections.abc import Iterable
from types import FunctionType
from typing import Any, Callable

from biskit_pvm.compat.python2.builtins.classic import is_classic, known_as, owner_of
from biskit_pvm.compat.python2.builtins.hash_tables import in_order, keys_of

_MAXINT = sys.maxsize

# 8-bit characters, or ASCII ones, about which `str` and `bytes` disagree
_UNUSUAL = re.compile("[\x0b\x0c\x1c-\x1f\x80-\U0010ffff]").search


def as_bytes(text: str | bytes) -> bytes:
    """
    Give the bytes of an 8-bit string.

    Parameters
    ----------
    text : str or bytes
        A `Unicode` must be ASCII, as everywhere in Python 2.

    Returns
    -------
    bytes

    Raises
    ------
    UnicodeEncodeError
        The text is not 8-bit.
    """
    if isinstance(text, str):
        return str.encode(text, "ascii" if isinstance(text, Unicode) else "latin-1")
    if isinstance(text, bytes):
        return text
    return bytes(memoryview(text))


def as_text(data: bytes | bytearray | memoryview) -> str:
    """
    Give bytes as an 8-bit string.

    Parameters
    ----------
    data : bytes-like

    Returns
    -------
    str
    """
    return str(data, "latin-1")


def to_os(text: Any) -> Any:
    """
    Turn an 8-bit string into the text that Python 3 uses for the same bytes as a file name or argument.

    Parameters
    ----------
    text : any
        Anything but a string comes back as it is.

    Returns
    -------
    any
    """
    if isinstance(text, str):
        if isinstance(text, Unicode):
            return plain(text)
        if not text.isascii():
            try:
                return str.encode(text, "latin-1").decode(sys.getfilesystemencoding(), "surrogateescape")
            except UnicodeEncodeError:
                return text
    return text


def from_os(text: Any) -> Any:
    """
    Turn a file name or argument of Python 3 into the 8-bit string of its bytes.

    Parameters
    ----------
    text : any
        Anything but a string comes back as it is; lists and tuples are gone through.

    Returns
    -------
    any
    """
    if type(text) is str:
        if text.isascii():
            return text
        return text.encode(sys.getfilesystemencoding(), "surrogateescape").decode("latin-1")
    if type(text) is bytes:
        return text.decode("latin-1")
    if type(text) in (list, tuple):
        return type(text)(from_os(item) for item in text)
    return text


def plain(text: str) -> str:
    """
    Give the characters of any string as an exact ``str``.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
    """
    return str.__str__(text)


def _decoded(other: Any) -> str:
    """Let an 8-bit string meet a unicode one: ASCII only."""
    if isinstance(other, Unicode):
        return other
    if isinstance(other, str):
        if not other.isascii():
            data = as_bytes(other)
            at = next(i for i, byte in enumerate(data) if byte > 127)
            raise UnicodeDecodeError("ascii", data, at, at + 1, "ordinal not in range(128)")
        return other
    if isinstance(other, bytes):
        return other.decode("ascii")
    return other


class Unicode(str):
    """Python 2's ``unicode``."""

    __slots__ = ()

    def __new__(cls, obj: Any = "", encoding: str | None = None, errors: str | None = None) -> Unicode:
        if encoding is not None or errors is not None:
            return str.__new__(cls, as_bytes(obj).decode(encoding or "ascii", errors or "strict"))
        if type(obj) is Unicode and cls is Unicode:
            return obj
        if not isinstance(obj, str):
            if type(obj).__str__ is BaseException.__str__ and len(obj.args) == 1:
                return Unicode(obj.args[0])
            method = getattr(type(obj), "__unicode__", None)
            obj = method(obj) if method is not None else to_str(obj)
        return str.__new__(cls, plain(_decoded(obj)))

    def __reduce__(self):
        return _unicode_from, (plain(self),)

    def __str__(self) -> str:
        return str.encode(self, "ascii").decode("ascii")

    def __repr__(self) -> str:
        return "u" + ascii(plain(self))

    def __add__(self, other):
        if not isinstance(other, (str, bytes)):
            return NotImplemented
        return u(str.__add__(self, _decoded(other)))

    def __radd__(self, other):
        if not isinstance(other, (str, bytes)):
            return NotImplemented
        return u(str.__add__(_decoded(other), self))

    def __mul__(self, times):
        return u(str.__mul__(self, times))

    __rmul__ = __mul__

    def __mod__(self, values):
        return u(percent(self, values))

    def __rmod__(self, other):
        return u(percent(other, self)) if isinstance(other, str) else NotImplemented

    def __getitem__(self, index):
        return u(str.__getitem__(self, index))

    def __iter__(self):
        return map(u, str.__iter__(self))

    def __contains__(self, part):
        return str.__contains__(self, _decoded(part))

    def __format__(self, spec):
        return u(format(plain(self), spec))

    def __eq__(self, other):
        if isinstance(other, str) and not isinstance(other, Unicode) and not other.isascii():
            warnings.warn(
                "Unicode equal comparison failed to convert both arguments to Unicode - "
                "interpreting them as being unequal",
                UnicodeWarning,
                2,
            )
            return False
        return str.__eq__(self, other)

    def __ne__(self, other):
        equal = self.__eq__(other)
        return equal if equal is NotImplemented else not equal

    __hash__ = str.__hash__

    def encode(self, encoding="ascii", errors="strict"):
        return _encode(self, encoding, errors)

    def decode(self, encoding="ascii", errors="strict"):
        return _decode(self.__str__(), encoding, errors)

    def join(self, items):
        return u(str.join(self, [_decoded(item) for item in items]))

    def format(self, *args, **named):
        return u(_Formatter().vformat(plain(self), args, named))

    def translate(self, table):
        return u(str.translate(self, table))


def _wrapped(name: str) -> Callable:
    method = getattr(str, name)

    def call(self, *args, **named):
        result = method(self, *map(_decoded, args), **named)
        if isinstance(result, str):
            return u(result)
        if isinstance(result, (list, tuple)):
            return type(result)(map(u, result))
        return result

    call.__name__ = name
    return call


for _name in (
    "capitalize center expandtabs ljust lower lstrip partition replace rjust rpartition rsplit rstrip split "
    "splitlines strip swapcase title upper zfill count endswith find index rfind rindex startswith "
    "__lt__ __le__ __gt__ __ge__"
).split():
    setattr(Unicode, _name, _wrapped(_name))
Unicode.__name__ = Unicode.__qualname__ = "unicode"
#: the name under which pickles know it
unicode = Unicode


def u(text: str) -> Unicode:
    """
    Make a unicode string of characters that are known to be such (a literal, the result of decoding).

    Parameters
    ----------
    text : str

    Returns
    -------
    Unicode
    """
    return text if type(text) is Unicode else str.__new__(Unicode, plain(text))


def _unicode_from(text: str) -> Unicode:
    return u(text)


class _StrMeta(type):
    """Make `Str` stand for Python 3's ``str`` in tests of type."""

    def __instancecheck__(cls, obj):
        return isinstance(obj, str) and not isinstance(obj, Unicode)

    def __subclasscheck__(cls, other):
        return other is Str or (issubclass(other, str) and not issubclass(other, Unicode))

    def __eq__(cls, other):
        return other is Str or other is str

    def __hash__(cls):
        return hash(str)

    def __repr__(cls):
        return "<type 'str'>"

    @property
    def dtype(cls):
        """What NumPy takes this type for."""
        import numpy

        return numpy.dtype(str)


class Str(str, metaclass=_StrMeta):
    """
    What the name ``str`` is in translated code: makes 8-bit strings as Python 2 did, and is the type of each.

    The strings themselves are exact Python 3 ``str``.
    """

    def __new__(cls, obj: Any = "") -> str:
        return to_str(obj)


Str.__name__ = Str.__qualname__ = "str"


class _AnyString(type):
    def __instancecheck__(cls, obj):
        return isinstance(obj, str)

    def __subclasscheck__(cls, other):
        return issubclass(other, str)


class Basestring(metaclass=_AnyString):
    """Python 2's ``basestring``: the ancestor of both kinds of text, never made."""


Basestring.__name__ = Basestring.__qualname__ = "basestring"
basestring = Basestring


# -- str() and repr()


def float_text(value: float) -> str:
    """
    Write a float as Python 2's ``str``: 12 digits.

    Parameters
    ----------
    value : float

    Returns
    -------
    str
    """
    text = "%.12g" % value
    if any(letter in text for letter in ".en"):
        return text
    if len(text.lstrip("-")) < 12:
        return text + ".0"
    digits, exponent = ("%.11e" % value).split("e")
    return digits.rstrip("0").rstrip(".") + "e" + exponent


def _complex_text(value: complex) -> str:
    real, imaginary = "%.12g" % value.real, "%.12g" % value.imag
    if value.real == 0 and str(value.real)[0] != "-":
        return imaginary + "j"
    sign = "" if imaginary[0] in "+-" else "+"
    return f"({real}{sign}{imaginary}j)"


#: modules of Python 3 whose classes were in one with another name
_OLD_MODULES = {
    "_pickle": "cPickle",
    "_queue": "Queue",
    "configparser": "ConfigParser",
    "html.parser": "HTMLParser",
    "http.client": "httplib",
    "http.cookies": "Cookie",
    "queue": "Queue",
    "socketserver": "SocketServer",
    "urllib.error": "urllib2",
}
#: types of Python 3 that had another name
_OLD_TYPES = {
    "dict_itemiterator": "dictionary-itemiterator",
    "dict_keyiterator": "dictionary-keyiterator",
    "dict_valueiterator": "dictionary-valueiterator",
    "list_iterator": "listiterator",
    "list_reverseiterator": "listreverseiterator",
    "mappingproxy": "dictproxy",
    "method": "instancemethod",
    "numpy.bool": "numpy.bool_",
    "numpy.str_": "numpy.string_",
    "range": "xrange",
    "re.PatternError": "sre_constants.error",
    "re.error": "sre_constants.error",
    "range_iterator": "rangeiterator",
    "set_iterator": "setiterator",
    "str_ascii_iterator": "iterator",
    "str_iterator": "iterator",
    "tuple_iterator": "tupleiterator",
}
#: classes of Python 3's library that were old-style ones
_WERE_CLASSIC = {"Queue.Queue", "Queue.LifoQueue", "Queue.PriorityQueue"}


def module_of(kind: type) -> str:
    """
    Give the name of the module that a class was in.

    Parameters
    ----------
    kind : type

    Returns
    -------
    str
    """
    return _OLD_MODULES.get(kind.__module__, kind.__module__)


def _type_text(kind: type) -> str:
    name = f"{module_of(kind)}.{kind.__name__}"
    return name if is_classic(kind) or name in _WERE_CLASSIC else _type_repr(kind)


def _type_repr(kind: type) -> str:
    name = _OLD_TYPES.get(kind.__name__, kind.__name__) if kind.__module__ == "builtins" else kind.__name__
    if is_classic(kind):
        return f"<class {kind.__module__}.{name} at {id(kind):#x}>"
    if (
        kind.__module__ == "builtins"
        or kind is Unicode
        or kind.__module__.startswith("biskit_pvm.compat.python2.builtins")
    ):
        if issubclass(kind, BaseException):
            return f"<type 'exceptions.{name}'>"
        return f"<type '{name}'>"
    full = f"{module_of(kind)}.{name}"
    made_in_python = kind.__flags__ & (1 << 9)
    return f"<{'class' if made_in_python else 'type'} '{_OLD_TYPES.get(full, full)}'>"


def to_str(obj: Any) -> str:
    """
    Do Python 2's ``str(obj)``.

    Parameters
    ----------
    obj : any

    Returns
    -------
    str
        8-bit.

    Raises
    ------
    UnicodeEncodeError
        For a unicode string that is not ASCII.
    """
    kind = type(obj)
    if kind is str or kind is int or kind is bool or obj is None:
        return str(obj)
    if kind is float:
        return float_text(obj)
    if isinstance(obj, str):
        if kind.__str__ is str.__str__:
            return plain(obj)
    elif kind is bytes:
        return as_text(obj)
    elif kind is complex:
        return _complex_text(obj)
    elif isinstance(obj, type) and kind.__str__ is object.__str__:
        return _type_text(obj)
    elif kind.__str__ is object.__str__:
        return to_repr(obj)
    elif kind.__str__ is BaseException.__str__:
        args = obj.args
        return "" if not args else to_str(args[0]) if len(args) == 1 else to_repr(args)
    elif kind.__str__ is UnicodeEncodeError.__str__:
        return str(obj).replace("encode character '", "encode character u'")
    elif kind.__str__ is KeyError.__str__ and len(obj.args) == 1:
        return to_repr(obj.args[0])
    elif kind.__str__ in _STR_WRITERS:
        return _STR_WRITERS[kind.__str__](obj)
    # a class may have another text for translated code
    result = getattr(kind, "__py2_str__", kind.__str__)(obj)
    return to_str(result) if isinstance(result, Unicode) else result


def to_repr(obj: Any) -> str:
    """
    Do Python 2's ``repr(obj)``, which is also the text of what lists and dicts hold.

    Parameters
    ----------
    obj : any

    Returns
    -------
    str
        8-bit.
    """
    kind = type(obj)
    writer = _WRITERS.get(kind.__repr__)
    if writer is None and kind.__dict__.get("__py2_type__") is dict:
        return _mapping_repr(obj)
    result = repr(obj) if writer is None else writer(obj)
    return to_str(result) if isinstance(result, Unicode) else result


_WRITING: set[int] = set()


def _nested(opening: str, closing: str, items: Callable[[Any], Iterable[str]]) -> Callable[[Any], str]:
    def write(obj: Any) -> str:
        if id(obj) in _WRITING:
            return opening + "..." + closing
        _WRITING.add(id(obj))
        try:
            return opening + ", ".join(items(obj)) + closing
        finally:
            _WRITING.discard(id(obj))

    return write


def _str_repr(text: str) -> str:
    if text.isascii():
        return str.__repr__(text)
    return ascii(plain(text)) if all(ord(c) < 256 for c in text) else repr(u(text))


def _int_repr(value: int) -> str:
    return int.__repr__(value) + ("L" if not -_MAXINT - 1 <= value <= _MAXINT else "")


def _exception_repr(error: BaseException) -> str:
    form = getattr(type(error), "__py2_repr__", None)
    if form is not None:
        return str(form(error))
    args = to_repr(error.args) if error.args else "()"
    return known_as(type(error)).__name__ + args


def _tuple_repr(values: tuple) -> str:
    return "(%s,)" % to_repr(values[0]) if len(values) == 1 else _tuple_items(values)


def _object_repr(obj: Any) -> str:
    kind = type(obj)
    if kind.__module__ == "builtins":
        return f"<{_OLD_TYPES.get(kind.__name__, kind.__name__)} object at {id(obj):#x}>"
    form = "<%s.%s instance at %#x>" if is_classic(kind) else "<%s.%s object at %#x>"
    return form % (module_of(kind), kind.__name__, id(obj))


def _function_repr(function: FunctionType) -> str:
    owner = owner_of(function)
    if owner is None:
        return f"<function {function.__name__} at {id(function):#x}>"
    return f"<unbound method {owner.__name__}.{function.__name__}>"


_mapping_repr = _nested("{", "}", lambda obj: (f"{to_repr(k)}: {to_repr(v)}" for k, v in obj.items()))
_tuple_items = _nested("(", ")", lambda obj: map(to_repr, tuple.__iter__(obj)))
_WRITERS: dict[Any, Callable[[Any], str]] = {
    str.__repr__: _str_repr,
    int.__repr__: _int_repr,
    list.__repr__: _nested("[", "]", lambda obj: map(to_repr, list.__iter__(obj))),
    tuple.__repr__: _tuple_repr,
    dict.__repr__: _nested(
        "{", "}", lambda obj: (f"{to_repr(k)}: {to_repr(dict.__getitem__(obj, k))}" for k in keys_of(obj))
    ),
    set.__repr__: lambda obj: f"{type(obj).__name__}([{', '.join(map(to_repr, keys_of(obj)))}])",
    frozenset.__repr__: lambda obj: f"{type(obj).__name__}([{', '.join(map(to_repr, keys_of(obj)))}])",
    collections.defaultdict.__repr__: lambda obj: (
        f"{type(obj).__name__}({to_repr(obj.default_factory)}, {_WRITERS[dict.__repr__](obj)})"
    ),
    collections.deque.__repr__: lambda obj: (
        f"{type(obj).__name__}({to_repr(list(obj))}{'' if obj.maxlen is None else f', maxlen={obj.maxlen}'})"
    ),
    collections.OrderedDict.__repr__: lambda obj: f"{type(obj).__name__}({to_repr(list(obj.items())) if obj else ''})",
    range.__repr__: lambda obj: repr(obj).replace(
        "range(0, " if obj.start == 0 and obj.step == 1 else "range(", "xrange("
    ),
    bytes.__repr__: lambda obj: _str_repr(as_text(obj)),
    complex.__repr__: complex.__repr__,
    BaseException.__repr__: _exception_repr,
    type.__repr__: _type_repr,
    _StrMeta.__repr__: _StrMeta.__repr__,
    FunctionType.__repr__: _function_repr,
    object.__repr__: _object_repr,
}

_STR_WRITERS: dict[Any, Callable[[Any], str]] = {}


def write_with(kind: type, as_str: Callable[[Any], str] | None, as_repr: Callable[[Any], str] | None) -> None:
    """
    Have objects of a type of a library written as they were.

    Parameters
    ----------
    kind : type
    as_str, as_repr : callable, optional
        Give the text of an object.
    """
    if as_str is not None:
        _STR_WRITERS[kind.__str__] = as_str
    if as_repr is not None:
        _WRITERS[kind.__repr__] = as_repr


# -- formatting

_CONVERSION = re.compile(r"%(?:\(((?:[^()]|\([^()]*\))*)\))?([#0\- +]*)(\*|\d+)?(?:\.(\*|\d*))?[hlL]?(.)", re.S)


class _Conversions:
    """A %-format taken apart once."""

    def __init__(self, text: str) -> None:
        self.named = False
        self.parts: list[tuple[str | None, int, str, str]] = []  # key, stars before it, kind, flags
        pieces: list[str] = []
        end = 0
        for match in _CONVERSION.finditer(text):
            pieces.append(text[end : match.start()])
            end = match.end()
            key, flags, width, precision, kind = match.groups()
            if kind == "%":
                pieces.append("%%")
                continue
            self.named = self.named or key is not None
            stars = (width == "*") + (precision == "*")
            octal = kind == "o" and "#" in flags
            self.parts.append((key, stars, "#o" if octal else kind, flags))
            dot = "" if precision is None else "." + precision
            pieces.append(
                f"%{flags.replace('#', '') if octal else flags}{width or ''}{dot}"
                f"{'s' if kind in 'r' or octal else kind}"
            )
        pieces.append(text[end:])
        self.template = "".join(pieces)


_FORMATS: dict[str, _Conversions] = {}


def percent(text: str, values: Any) -> str:
    """
    Do Python 2's ``text % values``.

    Parameters
    ----------
    text : str
        8-bit or unicode.
    values : any

    Returns
    -------
    str
        Unicode where the format or a ``%s`` value is.
    """
    # an exact str as key: a Unicode would look the same to the dictionary
    key = plain(text)
    conversions = _FORMATS.get(key)
    if conversions is None:
        if len(_FORMATS) > 5000:
            _FORMATS.clear()
        conversions = _FORMATS[key] = _Conversions(key)
    given: list[Any] = []
    if conversions.named:
        if not hasattr(type(values), "__getitem__") or isinstance(values, (tuple, str)):
            raise TypeError("format requires a mapping")
        given = [values[_key_like(text, part[0])] for part in conversions.parts]
    elif isinstance(values, tuple):
        given = list(values)
    else:
        given = [values]
    unicode_result = isinstance(text, Unicode)
    changed: list[Any] = []
    position = 0
    for _, stars, kind, _flags in conversions.parts:
        changed.extend(given[position : position + stars])
        position += stars
        if position >= len(given):
            break
        value = given[position]
        position += 1
        if kind == "s":
            if isinstance(value, Unicode) or (type(value).__str__ is not str.__str__ and _gives_unicode(value)):
                unicode_result = True
                value = plain(Unicode(value))
            elif unicode_result and isinstance(text, Unicode) and hasattr(type(value), "__unicode__"):
                value = plain(Unicode(value))
            elif type(value) is not str:
                value = to_str(value)
        elif kind == "r":
            value = to_repr(value)
        elif kind == "#o":
            value = ("-0%o" % -value if value < 0 else "0%o" % value) if value else "0"
        elif kind in "xXo" and isinstance(value, float):
            value = int(value)
        elif kind == "c" and isinstance(value, str):
            value = plain(value)
        changed.append(value)
    if not conversions.named:
        changed.extend(given[position:])
    if not conversions.parts and isinstance(values, dict):
        changed = []
    result = conversions.template % tuple(changed)
    if unicode_result:
        _decoded(text)
        for part, value in zip(conversions.parts, given):
            if part[2] == "s" and isinstance(value, str):
                _decoded(value)
        return u(result)
    return result


def _key_like(text: str, key: str | None) -> str:
    if key is None:
        raise TypeError("format requires a mapping")
    return u(key) if isinstance(text, Unicode) else key


def _gives_unicode(value: Any) -> bool:
    """Tell whether an object's own ``__str__`` answers in unicode, which makes the whole result unicode."""
    method = type(value).__str__
    return (
        getattr(method, "__module__", None) is not None
        and hasattr(method, "__code__")
        and isinstance(method(value), Unicode)
    )


import string as _string  # its Formatter is only needed from here on


class _Formatter(_string.Formatter):
    """``str.format`` with Python 2's ``str`` and ``repr``."""

    def __init__(self) -> None:
        self._next = 0

    def format_field(self, value, spec):
        if not spec:
            return to_str(value) if not isinstance(value, Unicode) else plain(value)
        if isinstance(value, str):
            value = plain(value)
        return format(value, plain(spec))

    def convert_field(self, value, conversion):
        if conversion is None:
            return value
        return to_repr(value) if conversion == "r" else to_str(value)


# -- methods of 8-bit strings, called by translated code


def eight_bit_method(name: str) -> Callable | None:
    """
    Give the function that does an 8-bit string's method as Python 2 did.

    Parameters
    ----------
    name : str

    Returns
    -------
    callable or None
        ``f(text, *args)`` for an exact ``str``; None where Python 3's method is right as it is.
    """
    return _METHODS.get(name)


def _through_bytes(name: str) -> Callable:
    native = getattr(str, name)
    through = getattr(bytes, name)

    def call(text, *args):
        if args:
            for argument in args:
                if isinstance(argument, Unicode):
                    return getattr(u(_decoded(text)), name)(*args)
            if _UNUSUAL(text) is None and (args[0] is None or type(args[0]) is not str or args[0].isascii()):
                return native(text, *args)
            result = through(as_bytes(text), *(as_bytes(a) if isinstance(a, str) else a for a in args))
        elif _UNUSUAL(text) is None:
            return native(text)
        else:
            result = through(as_bytes(text))
        if type(result) is bytes:
            return as_text(result)
        if type(result) is list:
            return [as_text(item) for item in result]
        return result

    return call


def _unless_unicode(name: str) -> Callable:
    native = getattr(str, name)

    def call(text, *args):
        for argument in args:
            if isinstance(argument, Unicode):
                return getattr(u(_decoded(text)), name)(*args)
            if type(argument) is tuple and any(isinstance(item, Unicode) for item in argument):
                return getattr(u(_decoded(text)), name)(*args)
        return native(text, *args)

    return call


def _join(text: str, items: Iterable[str]) -> str:
    items = items if type(items) in (list, tuple) else list(in_order(items))
    if type(text) is Unicode or any(isinstance(item, (Unicode, bytes)) for item in items):
        if any(isinstance(item, Unicode) for item in items):
            return u(_decoded(text)).join(items)
        items = [as_text(item) if isinstance(item, bytes) else item for item in items]
    return str.join(text, items)


def _translate(text: str, table: Any, delete: str | None = None) -> str:
    if isinstance(table, Unicode) or isinstance(delete, Unicode):
        raise TypeError("character mapping of an 8-bit string must be 8-bit")
    if delete is not None or table is None or isinstance(table, str):
        data = as_bytes(text)
        table = None if table is None else as_bytes(table)
        return as_text(data.translate(table, as_bytes(delete or "")))
    raise TypeError("expected a string or other character buffer object")


_BYTE_CODECS = {
    "hex",
    "hex_codec",
    "base64",
    "base64_codec",
    "zip",
    "zlib",
    "zlib_codec",
    "bz2",
    "bz2_codec",
    "uu",
    "uu_codec",
    "quopri",
    "quopri_codec",
    "quoted-printable",
}


def _encode(text: str, encoding: str = "ascii", errors: str = "strict") -> str:
    import codecs

    name = encoding.lower().replace(" ", "_")
    if name in _BYTE_CODECS:
        return as_text(codecs.encode(as_bytes(text), name))
    if name in ("rot13", "rot_13"):
        return codecs.encode(plain(text), "rot13")
    if name in ("string_escape", "string-escape"):
        return _str_repr(text)[1:-1]
    if not isinstance(text, Unicode):
        text = u(_decoded(text))
    return as_text(str.encode(text, encoding, errors))


def _decode(text: str, encoding: str = "ascii", errors: str = "strict") -> str:
    import codecs

    name = encoding.lower().replace(" ", "_")
    data = as_bytes(text)
    if name in _BYTE_CODECS:
        return as_text(codecs.decode(data, name))
    if name in ("rot13", "rot_13"):
        return u(codecs.decode(as_text(data), "rot13"))
    if name in ("string_escape", "string-escape"):
        return as_text(codecs.escape_decode(data)[0])
    return u(data.decode(encoding, errors))


_METHODS: dict[str, Callable] = {
    **{
        name: _through_bytes(name)
        for name in "strip lstrip rstrip split rsplit splitlines upper lower title capitalize swapcase isalpha isdigit isalnum "
        "isspace islower isupper istitle".split()
    },
    **{
        name: _unless_unicode(name)
        for name in "replace count find rfind index rindex startswith endswith partition rpartition center ljust rjust".split()
    },
    "join": _join,
    "translate": _translate,
    "encode": _encode,
    "decode": _decode,
    "format": lambda text, *args, **named: _Formatter().vformat(text, args, named),
}
