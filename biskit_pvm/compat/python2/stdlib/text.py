"""``string``, ``StringIO``, ``re`` and other modules about text."""

from __future__ import annotations

import codecs
import io
import json
import re
import string
import types
from collections.abc import Iterable
from typing import Any, Callable

from biskit_pvm.compat.python2.builtins import files
from biskit_pvm.compat.python2.builtins.hash_tables import keys_of
from biskit_pvm.compat.python2.builtins.strings import (
    Unicode,
    as_bytes,
    as_text,
    eight_bit_method,
    plain,
    to_repr,
    to_str,
    u,
)
from biskit_pvm.compat.python2.registry import StandIn, new_module

_LOWER, _UPPER = string.ascii_lowercase, string.ascii_uppercase


def _method(name: str) -> Callable:
    special = eight_bit_method(name)

    def call(text: Any, *args: Any) -> Any:
        if type(text) is str and special is not None:
            return special(text, *args)
        return getattr(text, name)(*args)

    call.__name__ = name
    return call


def maketrans(source: str, target: str) -> str:
    """
    Make a table for 8-bit ``translate``.

    Parameters
    ----------
    source, target : str
        Of equal length.

    Returns
    -------
    str
        256 characters.
    """
    if len(source) != len(target):
        raise ValueError("maketrans arguments must have same length")
    return as_text(bytes.maketrans(as_bytes(source), as_bytes(target)))


def _zfill(text: Any, width: int) -> str:
    return (text if isinstance(text, str) else to_repr(text)).zfill(width)


def _string() -> types.ModuleType:
    split, join = _method("split"), _method("join")

    def split_words(text: Any, sep: Any = None, maxsplit: int = -1) -> list[str]:
        return split(text, sep, maxsplit)

    def join_words(words: Any, sep: str = " ") -> str:
        return join(sep, words)

    def capwords(text: str, sep: str | None = None) -> str:
        return join(sep or " ", [word.capitalize() for word in split(text, sep)])

    def replace(text: str, old: str, new: str, maxreplace: int = -1) -> str:
        return _method("replace")(text, old, new, maxreplace)

    names = {
        name: _method(name)
        for name in "lower upper swapcase strip lstrip rstrip rsplit index rindex count find rfind ljust rjust center "
        "expandtabs capitalize translate".split()
    }
    return new_module(
        "string",
        {
            **names,
            "split": split_words,
            "splitfields": split_words,
            "join": join_words,
            "joinfields": join_words,
            "capwords": capwords,
            "replace": replace,
            "maketrans": maketrans,
            "zfill": _zfill,
            "atoi": lambda text, base=10: int(text, base),
            "atol": lambda text, base=10: int(text, base),
            "atof": float,
            "index_error": ValueError,
            "atoi_error": ValueError,
            "atof_error": ValueError,
            "atol_error": ValueError,
            "lowercase": _LOWER,
            "uppercase": _UPPER,
            "letters": _LOWER + _UPPER,
            "ascii_lowercase": _LOWER,
            "ascii_uppercase": _UPPER,
            "ascii_letters": _LOWER + _UPPER,
            "digits": string.digits,
            "hexdigits": string.hexdigits,
            "octdigits": string.octdigits,
            "punctuation": string.punctuation,
            "printable": string.printable,
            "whitespace": "\t\n\x0b\x0c\r ",
            "Template": string.Template,
            "Formatter": string.Formatter,
        },
    )


class StringIO(io.StringIO):
    """
    A file in memory.

    Parameters
    ----------
    text : str
        What it holds at first.
    """

    def __init__(self, text: Any = "") -> None:
        super().__init__(plain(text) if isinstance(text, str) else to_str(text), newline="\n")
        self.softspace = 0
        self._unicode = isinstance(text, Unicode)

    def write(self, text: Any) -> None:
        if isinstance(text, Unicode):
            self._unicode = True
        super().write(
            plain(text) if isinstance(text, str) else as_text(text) if isinstance(text, bytes) else to_str(text)
        )

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def _given(self, text: str) -> str:
        return u(text) if self._unicode else text

    def getvalue(self, *use_pos: Any) -> str:
        text = super().getvalue()
        return self._given(text[: self.tell()] if use_pos and use_pos[0] else text)

    def read(self, size: int = -1) -> str:
        return self._given(super().read(size))

    def readline(self, size: int = -1) -> str:
        return self._given(super().readline(-1 if size is None else size))

    def next(self) -> str:
        line = self.readline()
        if not line:
            raise StopIteration
        return line

    __next__ = next

    def readlines(self, size: int = -1) -> list[str]:
        return list(iter(self.readline, ""))

    def reset(self) -> None:
        self.seek(0)

    def seek(self, offset: int, whence: int = 0) -> None:
        if whence:
            offset += self.tell() if whence == 1 else len(super().getvalue())
        super().seek(max(offset, 0))

    def truncate(self, size: int | None = None) -> None:
        super().truncate(size)
        self.seek(min(self.tell(), len(super().getvalue())) if size is None else size)

    @property
    def len(self) -> int:
        return len(super().getvalue())

    @property
    def pos(self) -> int:
        return self.tell()

    @property
    def buf(self) -> str:
        return self.getvalue()


# -- re: 8-bit patterns know ASCII letters only, and an empty match never touched the one before it

_UNKNOWN_ESCAPE = re.compile(r"\\(.)", re.S)
_KNOWN = set("AbBdDsSwWZabfnrtvxuU\\") | set(string.digits)
_INLINE_FLAGS = re.compile(r"\(\?([aiLmsux]+)\)")


def _pattern_text(pattern: str) -> tuple[str, int]:
    """A pattern as Python 3 takes it: unknown escapes stand for the letter, flags come first."""

    def escape(match: re.Match) -> str:
        letter = match.group(1)
        return letter if letter.isalpha() and letter not in _KNOWN else match.group()

    flags = 0
    text = _UNKNOWN_ESCAPE.sub(escape, plain(pattern))
    for match in _INLINE_FLAGS.finditer(text):
        for letter in match.group(1):
            flags |= {"i": re.I, "L": 0, "m": re.M, "s": re.S, "u": re.U, "x": re.X, "a": re.A}[letter]
    return (_INLINE_FLAGS.sub("", text) if flags or "(?L)" in text else text), flags


class Pattern:
    """A compiled pattern; what it finds in unicode text is unicode."""

    def __init__(self, pattern: Any, flags: int = 0) -> None:
        text, inline = _pattern_text(pattern)
        flags = int(flags) | int(inline)
        flags &= ~int(re.L)
        if not flags & int(re.U):
            flags |= int(re.A)
        self._compiled = re.compile(text, flags)
        self.pattern = pattern
        self.flags = flags & ~int(re.A)
        self.groups = self._compiled.groups
        self.groupindex = dict(self._compiled.groupindex)
        self._can_be_empty = self._compiled.search("") is not None or not text.isalnum()

    def __reduce__(self):
        # by the name under which every Python has it
        return re._compile, (self.pattern, self.flags)

    def __deepcopy__(self, memo: dict) -> Pattern:
        return self

    def match(self, text: str, *span: int) -> Any:
        return _found(self._compiled.match(text, *span), self, text)

    def search(self, text: str, *span: int) -> Any:
        return _found(self._compiled.search(text, *span), self, text)

    def _matches(self, text: str, start: int = 0, *end: int) -> Any:
        """Yield one match after the other: behind an empty one, the next character was passed over."""
        search = self._compiled.search
        while start <= len(text):
            match = search(text, start, *end)
            if match is None:
                return
            yield match
            start = match.end() + (match.end() == match.start())

    def finditer(self, text: str, *span: int) -> Any:
        return (_found(match, self, text) for match in self._matches(text, *span))

    def findall(self, text: str, *span: int) -> list:
        wrap = u if isinstance(text, Unicode) else (lambda found: found)
        results: list = []
        for match in self._matches(text, *span):
            groups = tuple(wrap(group or "") for group in match.groups())
            results.append(wrap(match.group()) if not groups else groups[0] if len(groups) == 1 else groups)
        return results

    def split(self, text: str, maxsplit: int = 0) -> list:
        wrap = u if isinstance(text, Unicode) else (lambda found: found)
        parts: list = []
        end = 0
        for match in self._matches(text):
            if match.end() == match.start():
                continue
            parts.append(wrap(text[end : match.start()]))
            parts.extend(group if group is None else wrap(group) for group in match.groups())
            end = match.end()
            if maxsplit and len(parts) // (1 + self.groups) >= maxsplit:
                break
        parts.append(wrap(text[end:]))
        return parts

    def sub(self, repl: Any, text: str, count: int = 0) -> str:
        return self.subn(repl, text, count)[0]

    def subn(self, repl: Any, text: str, count: int = 0) -> tuple[str, int]:
        if isinstance(repl, str):
            template = _UNKNOWN_ESCAPE.sub(_repl_escape, plain(repl))
            groups = _groups_in(template)
            replace = lambda match: _expand(match, template, groups)
        else:
            replace = lambda match: repl(_found(match, self, text))
        parts: list[str] = []
        end = number = 0
        for match in self._matches(text):
            if number and match.start() == match.end() == end:
                continue
            parts += [plain(text[end : match.start()]), replace(match)]
            end = match.end()
            number += 1
            if count and number >= count:
                break
        parts.append(plain(text[end:]))
        made = "".join(parts)
        if isinstance(text, Unicode) or isinstance(repl, Unicode) or any(isinstance(part, Unicode) for part in parts):
            return u(made), number
        return made, number

    def scanner(self, text: str) -> Any:
        return self._compiled.scanner(text)


def _repl_escape(match: re.Match) -> str:
    letter = match.group(1)
    if letter.isalpha() and letter not in "abfnrtvg":
        return "\\\\" + letter
    return match.group()


_GROUPS = re.compile(r"\\(?:g<(\w+)>|0[0-7]{0,2}|[0-3][0-7]{2}|([1-9][0-9]?)|.)", re.S)


def _groups_in(template: str) -> list[str | int]:
    """Name the groups that a template puts in."""
    return [
        int(number) if number.isdigit() else number
        for number in (named or numbered for named, numbered in _GROUPS.findall(template))
        if number
    ]


def _expand(match: re.Match, template: str, groups: Iterable[str | int]) -> str:
    made = match.expand(template)
    if any(match[group] is None for group in groups):
        raise re.error("unmatched group")
    return made


Pattern.__module__, Pattern.__name__ = "_sre", "SRE_Pattern"


class Match:
    """A match; its pattern is ours, and the parts of unicode text are unicode."""

    def __init__(self, match: re.Match, pattern: Pattern, text: str) -> None:
        self._match = match
        self.re = pattern
        self.string = text
        self._wrap = u if isinstance(text, Unicode) else None

    def _part(self, value: Any) -> Any:
        if self._wrap is None or value is None:
            return value
        return (
            tuple(map(self._part, value))
            if isinstance(value, tuple)
            else {key: self._part(item) for key, item in value.items()}
            if isinstance(value, dict)
            else u(value)
            if isinstance(value, str)
            else value
        )

    def group(self, *names: Any) -> Any:
        return self._part(self._match.group(*names))

    def groups(self, default: Any = None) -> tuple:
        return self._part(self._match.groups(default))

    def groupdict(self, default: Any = None) -> dict:
        return self._part(self._match.groupdict(default))

    def expand(self, template: str) -> str:
        template = plain(template)
        return self._part(_expand(self._match, template, _groups_in(template)))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._match, name)


def _found(match: re.Match | None, pattern: Pattern, text: str) -> Match | None:
    return None if match is None else Match(match, pattern, text)


_compiled: dict[tuple, Pattern] = {}


def _compile(pattern: Any, flags: int = 0) -> Pattern:
    if isinstance(pattern, Pattern):
        return pattern
    key = (type(pattern), plain(pattern), flags)
    if key not in _compiled:
        if len(_compiled) > 500:
            _compiled.clear()
        _compiled[key] = Pattern(pattern, flags)
    return _compiled[key]


def _re() -> types.ModuleType:
    def by(name: str) -> Callable:
        def call(pattern: Any, *args: Any, **named: Any) -> Any:
            flags = named.pop("flags", 0)
            limit = {"sub": 3, "subn": 3, "split": 2}.get(name, 1)
            if len(args) > limit:
                args, flags = args[:limit], args[limit]
            return getattr(_compile(pattern, flags), name)(*args, **named)

        call.__name__ = name
        return call

    return StandIn(
        re,
        {
            **{name: by(name) for name in "match search split findall finditer sub subn".split()},
            "compile": _compile,
            "escape": _escape,
            "_compile": _compile,
            "_pattern_type": Pattern,
        },
        name="re",
    )


def _escape(text: str) -> str:
    return "".join(
        letter if letter.isascii() and letter.isalnum() else "\\000" if letter == "\0" else "\\" + letter
        for letter in text
    )


Match.__module__, Match.__name__ = "_sre", "SRE_Match"
StringIO.__module__ = "StringIO"


# -- json and codecs: what they read is unicode


def _as_unicode(value: Any) -> Any:
    if isinstance(value, str):
        return u(value)
    if isinstance(value, list):
        return [_as_unicode(item) for item in value]
    if isinstance(value, dict):
        return {_as_unicode(key): _as_unicode(item) for key, item in value.items()}
    return value


def _as_json(value: Any) -> Any:
    """8-bit text is UTF-8, as json took it."""
    if isinstance(value, str):
        return plain(value) if isinstance(value, Unicode) or value.isascii() else as_bytes(value).decode("utf-8")
    if isinstance(value, (list, tuple)):
        return [_as_json(item) for item in value]
    if isinstance(value, dict):
        return {_as_json(key): _as_json(value[key]) for key in keys_of(value)}
    return value


def _json() -> types.ModuleType:
    def loads(text: str, *args: Any, **named: Any) -> Any:
        return _as_unicode(json.loads(plain(text) if isinstance(text, Unicode) else as_bytes(text), *args, **named))

    def dumps(obj: Any, *args: Any, **named: Any) -> str:
        named.pop("encoding", None)
        if named.get("indent") is not None and "separators" not in named:
            named["separators"] = (", ", ": ")
        return json.dumps(_as_json(obj), *args, **named)

    return StandIn(
        json,
        {
            "loads": loads,
            "dumps": dumps,
            "load": lambda file, *args, **named: loads(file.read(), *args, **named),
            "dump": lambda obj, file, *args, **named: file.write(dumps(obj, *args, **named)),
        },
        name="json",
    )


class _DecodedFile(files.File):
    """What ``codecs.open`` gives: unicode in, unicode out."""

    def read(self, size: int | None = -1) -> str:
        if size is not None and size >= 0:
            raise NotImplementedError("read(size) of a file opened by codecs.open")
        return self._text(super().read())

    def readline(self, size: int = -1) -> str:
        return self._text(super().readline(size))

    def _text(self, data: str) -> Unicode:
        return u(as_bytes(data).decode(self.encoding, self._errors))

    def _encoded(self, text: Any) -> bytes:
        return str.encode(Unicode(text), self.encoding, self._errors)


def _codecs() -> types.ModuleType:
    def open_(
        name: str, mode: str = "rb", encoding: str | None = None, errors: str = "strict", buffering: int = 1
    ) -> files.File:
        if encoding is None:
            return files.File(name, mode)
        made = _DecodedFile(name, mode)
        made.encoding, made._errors = encoding, errors
        return made

    return StandIn(
        codecs,
        {
            "open": open_,
            **{name: as_text(getattr(codecs, name)) for name in dir(codecs) if name.startswith("BOM")},
            "encode": lambda text, *args: _METHOD["encode"](text, *args),
            "decode": lambda text, *args: _METHOD["decode"](text, *args),
        },
        name="codecs",
    )


_METHOD = {name: _method(name) for name in ("encode", "decode")}

MODULES = {
    "string": _string,
    "StringIO": lambda: new_module("StringIO", {"StringIO": StringIO}),
    "cStringIO": lambda: new_module("cStringIO", {"StringIO": StringIO, "InputType": StringIO, "OutputType": StringIO}),
    "re": _re,
    "json": _json,
    "codecs": _codecs,
}
