"""
Python 2 text to text that Python 3 can parse: spelling only, no meaning.

fissix reads the Python 2 grammar; what it read is put out again with the few tokens replaced that Python 3 spells
differently. Statements that Python 3 no longer has become calls of helpers named ``__py2_...__``, which
`biskit_pvm.compat.python2.builtins` provides. Two rules keep this stage simple:

* A line stays the line it was, so that tracebacks and the debugger show the original file.
* The text is the file's bytes, one character each (Latin-1): a Python 2 ``str`` literal *is* bytes. Only ``u''``
  literals are decoded with the file's declared encoding.

What has no spelling in Python 3 (a target of ``except`` that is not a name, a tuple as parameter) gets a stand-in name,
which `meaning` resolves with the help of `Syntax.targets`.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from biskit_pvm.compat.python2.translate.refusal import CannotTranslate

_CODING = re.compile(r"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_FUTURE = re.compile(r"^[ \t]*from[ \t]+__future__[ \t]+import[ \t]+(\([^)]*\)|(?:[^\n\\]|\\\n)*)", re.M)
_PREFIX = re.compile(r"[A-Za-z]*")
_ESCAPE = re.compile(r"\\([0-3]?[0-7]{1,2}|[4-7][0-7]{2}|.)", re.S)
_UNICODE_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.)", re.S)

# words that were plain names in Python 2 and cannot be names any more
_NEW_KEYWORDS = frozenset({"async", "await", "nonlocal"})


@dataclass
class Syntax:
    """
    Text that Python 3 parses, with what it could not express.

    Attributes
    ----------
    text : str
        The new text, line by line as the original.
    futures : frozenset of str
        The names imported from ``__future__``.
    targets : dict of str to str
        Stand-in name to the source of the assignment target (or tuple parameter) in its place.
    encoding : str
        The declared encoding of the source; 'ascii' where none is declared.
    """

    text: str
    futures: frozenset[str] = frozenset()
    targets: dict[str, str] = field(default_factory=dict)
    encoding: str = "ascii"


def decode(source: bytes, filename: str) -> tuple[str, str]:
    """
    Turn a source file's bytes into one character per byte, and find its declared encoding.

    Parameters
    ----------
    source : bytes
    filename : str
        Only for the error.

    Returns
    -------
    (str, str)
        The text with Unix line ends, and the name of the encoding.

    Raises
    ------
    CannotTranslate
        Where Python 2 refuses the file, too: an unknown encoding, or bytes above 127 without a declared one.
    """
    encoding = "ascii"
    if source.startswith(codecs.BOM_UTF8):
        source, encoding = source[3:], "utf-8"
    text = source.decode("latin-1").replace("\r\n", "\n").replace("\r", "\n")
    for number, line in enumerate(text.split("\n")[:2], 1):
        match = _CODING.match(line)
        if match:
            encoding = match.group(1)
            try:
                ascii_superset = bytes(range(128)).decode(encoding) == bytes(range(128)).decode("ascii")
            except (LookupError, UnicodeDecodeError):
                raise CannotTranslate(f"unknown encoding: {encoding}", filename, number, line) from None
            if not ascii_superset:
                raise CannotTranslate(f"the source encoding {encoding} is no superset of ASCII", filename, number, line)
            break
    if encoding == "ascii" and not text.isascii():
        for number, line in enumerate(text.split("\n"), 1):
            if not line.isascii():
                raise CannotTranslate(
                    "a character that is not ASCII, but no encoding is declared (Python 2 refuses it as well)",
                    filename,
                    number,
                    line,
                )
    if not text.endswith("\n"):
        text += "\n"
    return text, encoding


def futures_of(text: str) -> frozenset[str]:
    """
    Find what a module imports from ``__future__``.

    Parameters
    ----------
    text : str

    Returns
    -------
    frozenset of str
    """
    names: set[str] = set()
    for match in _FUTURE.finditer(text):
        for part in re.sub(r"[()\\]", " ", re.sub(r"#[^\n]*", "", match.group(1))).split(","):
            if part.split():
                names.add(part.split()[0])
    return frozenset(names)


def respell(text: str, encoding: str, filename: str, inherited: frozenset[str] = frozenset()) -> Syntax:
    """
    Replace Python 2's spelling by Python 3's.

    Parameters
    ----------
    text : str
        From `decode`.
    encoding : str
        From `decode`.
    filename : str
        Only for errors.
    inherited : frozenset of str
        Names from ``__future__`` that hold besides the text's own.

    Returns
    -------
    Syntax

    Raises
    ------
    CannotTranslate
        The text is no Python 2, or a construct has no faithful equivalent.
    """
    futures = futures_of(text) | inherited
    return _Respelling(text, encoding, futures, filename).result()


class _Respelling:
    """One text on its way; collects edits of leaves, then puts the leaves out in order."""

    def __init__(self, text: str, encoding: str, futures: frozenset[str], filename: str) -> None:
        # a warm start never needs fissix: everything comes out of the cache
        try:
            from fissix import pygram, pytree
            from fissix.pgen2 import driver, parse, token, tokenize
        except ImportError as error:
            raise ImportError(
                "Python 2 source can only be read with fissix, which is not installed: pip install fissix",
                name="fissix",
            ) from error

        self._filename = filename
        self._encoding = encoding
        self._futures = futures
        self._text = text
        self._token = token
        self._symbols = pygram.python_symbols
        self._leaf = pytree.Leaf
        self._targets: dict[str, str] = {}
        self._replaced: dict[int, str] = {}
        self._before: dict[int, str] = {}
        self._after: dict[int, str] = {}
        self._prefixes: dict[int, str] = {}
        grammar = pygram.python_grammar_no_print_statement if "print_function" in futures else pygram.python_grammar
        reader = driver.Driver(grammar, convert=pytree.convert)
        try:
            self._tree = reader.parse_string(text)
        except parse.ParseError as error:
            line = error.context[1][0] if error.context else 1
            raise CannotTranslate(
                f"no Python 2 syntax: {error.msg} at {error.value!r}", filename, line, self._line(line)
            ) from None
        except (tokenize.TokenError, IndentationError) as error:
            where = error.args[1]
            line = where[0] if isinstance(where[0], int) else where[1]
            raise CannotTranslate(f"no Python 2 syntax: {error.args[0]}", filename, line, self._line(line)) from None

    def _line(self, number: int) -> str | None:
        lines = self._text.split("\n")
        return lines[number - 1] if 0 < number <= len(lines) else None

    def _refuse(self, reason: str, node: Any) -> CannotTranslate:
        line = node.get_lineno()
        return CannotTranslate(reason, self._filename, line, self._line(line))

    # -- edits

    def _replace(self, leaf: Any, text: str) -> None:
        self._replaced[id(leaf)] = text

    def _insert_before(self, node: Any, text: str) -> None:
        leaf = next(self._leaves(node))
        self._before[id(leaf)] = text + self._before.get(id(leaf), "")

    def _insert_after(self, node: Any, text: str) -> None:
        leaf = node
        while not isinstance(leaf, self._leaf):
            leaf = leaf.children[-1]
        self._after[id(leaf)] = self._after.get(id(leaf), "") + text

    def _leaves(self, node: Any) -> Iterator[Any]:
        if isinstance(node, self._leaf):
            yield node
        else:
            for child in node.children:
                yield from self._leaves(child)

    def _stand_in(self, node: Any, kind: str) -> str:
        """Take `node` out of the text, leaving its line breaks, and remember its source under a new name."""
        name = f"__py2_{kind}_{len(self._targets)}__"
        self._targets[name] = "".join(self._put(leaf) for leaf in self._leaves(node)).strip()
        for number, leaf in enumerate(self._leaves(node)):
            self._before.pop(id(leaf), None)
            self._after.pop(id(leaf), None)
            self._replace(leaf, "" if number else name)
            if number and "\n" in leaf.prefix:
                # the brackets that allowed a line break are gone
                self._prefixes[id(leaf)] = "\\\n" * leaf.prefix.count("\n")
        return name

    def _put(self, leaf: Any) -> str:
        key = id(leaf)
        return str(
            self._prefixes.get(key, leaf.prefix)
            + self._before.get(key, "")
            + self._replaced.get(key, leaf.value)
            + self._after.get(key, "")
        )

    # -- the walk

    def result(self) -> Syntax:
        symbols, handlers = self._symbols, {}
        for name in (
            "print_stmt",
            "exec_stmt",
            "raise_stmt",
            "except_clause",
            "atom",
            "comparison",
            "comp_for",
            "old_comp_for",
            "tfpdef",
            "vfpdef",
            "comp_op",
        ):
            number = getattr(symbols, name, None)
            method = getattr(self, "_on_" + name, None)
            if number is not None and method is not None:
                handlers[number] = method
        inside_string: set[int] = set()
        pending = [self._tree]
        ordered = []
        while pending:
            node = pending.pop()
            ordered.append(node)
            if not isinstance(node, self._leaf):
                pending.extend(reversed(node.children))
        # inner nodes first: an outer stand-in takes the edited source of what is inside it
        for node in reversed(ordered):
            if isinstance(node, self._leaf):
                if node.type == self._token.STRING and "\n" in node.value:
                    inside_string.update(range(node.lineno + 1, node.lineno + node.value.count("\n") + 1))
                self._on_leaf(node)
            elif node.type in handlers:
                handlers[node.type](node)
        text = "".join(self._put(leaf) for leaf in self._leaves(self._tree))
        lines = text.split("\n")
        for number, line in enumerate(lines, 1):
            blank = len(line) - len(line.lstrip(" \t\f"))
            if "\t" in line[:blank] and number not in inside_string:
                lines[number - 1] = line[:blank].expandtabs(8) + line[blank:]
        text = "\n".join(lines)
        assert text.count("\n") == self._text.count("\n"), "a line was lost"
        return Syntax(text, self._futures, self._targets, self._encoding)

    def _on_leaf(self, leaf: Any) -> None:
        token = self._token
        if leaf.type == token.NUMBER:
            self._replace(leaf, _number(leaf.value))
        elif leaf.type == token.STRING:
            if leaf.parent is None or leaf.parent.type != self._symbols.atom:
                self._string(leaf, False)
        elif leaf.type == token.NOTEQUAL and leaf.value == "<>":
            self._replace(leaf, "!=")
        elif leaf.value in _NEW_KEYWORDS and leaf.type in (token.NAME, token.ASYNC, token.AWAIT):
            self._replace(leaf, leaf.value + "_")
        elif leaf.type == token.NAME and leaf.value == "print" and "print_function" not in self._futures:
            if leaf.parent.type == self._symbols.print_stmt:
                return
            if leaf.parent.type not in (self._symbols.simple_stmt, self._symbols.suite, self._symbols.file_input):
                raise self._refuse("'print' is a statement in Python 2", leaf)
            self._replace(leaf, "__py2_print__(None, 1)")

    def _string(self, leaf: Any, as_unicode: bool) -> None:
        try:
            self._replace(leaf, _literal(leaf.value, self._encoding, as_unicode or self._literals_are_unicode))
        except UnicodeDecodeError as error:
            raise self._refuse(f"a unicode literal that is not {self._encoding}: {error}", leaf) from None

    @property
    def _literals_are_unicode(self) -> bool:
        return "unicode_literals" in self._futures

    def _on_atom(self, node: Any) -> None:
        children = node.children
        if children[0].value == "`":
            self._replace(children[0], "__py2_repr__((")
            self._replace(children[-1], "))")
        elif children[0].type == self._token.STRING:
            mixed = any("u" in _prefix(leaf.value).lower() for leaf in children)
            for leaf in children:
                self._string(leaf, mixed)

    def _on_print_stmt(self, node: Any) -> None:
        word, rest = node.children[0], node.children[1:]
        newline = 1
        if rest and rest[-1].type == self._token.COMMA:
            newline = 0
            self._replace(rest[-1], "")
            rest = rest[:-1]
        if rest and rest[0].type == self._token.RIGHTSHIFT:
            self._replace(word, "__py2_print__(")
            self._replace(rest[0], "")
            if len(rest) == 2:
                self._insert_after(rest[1], f", {newline})")
                return
            self._replace(rest[2], f", {newline},")
        else:
            self._replace(word, f"__py2_print__(None, {newline},")
        self._insert_after(rest[-1], ")")

    def _on_exec_stmt(self, node: Any) -> None:
        self._replace(node.children[0], "__py2_exec__(")
        for child in node.children[2:]:
            if isinstance(child, self._leaf) and child.value == "in":
                self._replace(child, ",")
        self._insert_after(node, ")")

    def _on_raise_stmt(self, node: Any) -> None:
        if len(node.children) > 1:
            if len(node.children) > 2 and node.children[2].type != self._token.COMMA:
                raise self._refuse("'raise ... from' is Python 3", node)
            self._insert_before(node.children[1], "__py2_raise__(")
            self._insert_after(node, ")")

    def _on_except_clause(self, node: Any) -> None:
        if len(node.children) == 4:
            self._replace(node.children[2], " as ")
            self._stand_in(node.children[3], "except")

    def _on_tfpdef(self, node: Any) -> None:
        if node.parent.type not in (self._symbols.tfpdef, self._symbols.tfplist):
            self._stand_in(node, "tuple")

    def _on_vfpdef(self, node: Any) -> None:
        if node.parent.type not in (self._symbols.vfpdef, self._symbols.vfplist):
            self._stand_in(node, "tuple")

    def _on_comp_for(self, node: Any) -> None:
        for child in node.children:
            if child.type in (self._symbols.testlist_safe, getattr(self._symbols, "testlist", -1)):
                self._insert_before(child, "(")
                self._insert_after(child, ")")

    _on_old_comp_for = _on_comp_for


def _prefix(literal: str) -> str:
    match = _PREFIX.match(literal)
    return match.group() if match else ""


def _number(value: str) -> str:
    """Spell a number: old octals, and longs, which are a type of their own."""
    lowered = value.lower()
    is_long = lowered.endswith("l")
    if is_long:
        lowered = lowered[:-1]
    if re.fullmatch(r"0[0-7]+", lowered):
        lowered = "0o" + (lowered.lstrip("0") or "0")
    return f"__py2_long__({lowered})" if is_long else lowered


def _literal(token: str, encoding: str, as_unicode: bool) -> str:
    """Spell a string literal so that Python 3 reads Python 2's value; 8-bit characters stay one each."""
    prefix = _prefix(token)
    flags = prefix.lower()
    quote = token[len(prefix)] * (3 if token[len(prefix) : len(prefix) + 3] in ('"""', "'''") else 1)
    body = token[len(prefix) + len(quote) : -len(quote)]
    raw = "r" in flags
    if "b" not in flags and (as_unicode or "u" in flags):
        body = body.encode("latin-1").decode(encoding)
        if raw:
            body = _UNICODE_ESCAPE.sub(lambda match: _unraw(match, "u" in flags), body)
        return "u" + quote + body + quote
    if not raw:
        body = _ESCAPE.sub(_eight_bit_escape, body)
    return ("r" if raw else "") + quote + body + quote


def _eight_bit_escape(match: re.Match[str]) -> str:
    escape = match.group(1)
    if escape in ("N", "u", "U"):
        return "\\\\" + escape
    if escape.isdigit() and int(escape, 8) > 0xFF:
        return f"\\x{int(escape, 8) & 0xFF:02x}"
    return match.group()


def _unraw(match: re.Match[str], escapes_count: bool) -> str:
    """A backslash of a raw literal in one that is not raw; ur'' still reads \\uXXXX."""
    rest = match.group(1)
    if len(rest) > 1:
        return match.group() if escapes_count else "\\\\" + rest
    return "\\\\" + ("\\" + rest if rest in "'\"\\" else rest)
