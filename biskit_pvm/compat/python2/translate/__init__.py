"""
Python 2 source to a Python 3 code object with Python 2's meaning; no files, no imports, no global state.

    bytes --syntax--> text that Python 3 parses --ast--> tree --meaning--> tree --compile--> code

`syntax` changes spelling, `meaning` changes what operations do, and every line keeps its number. The code object only
runs in a namespace whose ``__builtins__`` come from `biskit_pvm.compat.python2.builtins`.
"""

from __future__ import annotations

import ast
import hashlib
import re
import sys
import warnings
from functools import cache, lru_cache
from pathlib import Path
from types import CodeType

from biskit_pvm.compat.python2.translate.refusal import CannotTranslate
from biskit_pvm.compat.python2.translate.syntax import Syntax, decode, futures_of, respell

__all__ = ["CannotTranslate", "translate", "translator_version"]

# what Python 3 parses as well, but reads otherwise
_NEEDS_RESPELLING = re.compile(
    r"\b(?:print|exec|except|raise)\b|\\[NuU4-7]|\b(?:async|await|nonlocal)\b|\t|[uUbB][rR]?['\"]"
)


def translate(
    source: bytes | str, filename: str, mode: str = "exec", futures: frozenset[str] = frozenset()
) -> CodeType:
    """
    Compile Python 2 source.

    Parameters
    ----------
    source : bytes or str
        A file's bytes, or the 8-bit text that a script wants executed.
    filename : str
        What tracebacks show.
    mode : {'exec', 'eval', 'single'}
        As for the built-in ``compile``.
    futures : frozenset of str
        What the code that wants this executed has imported from ``__future__``.

    Returns
    -------
    code
        Runs only in a namespace with the built-ins of `biskit_pvm.compat.python2.builtins`.

    Raises
    ------
    CannotTranslate
        With file, line and reason.
    """
    from biskit_pvm.compat.python2.translate.meaning import convert

    if isinstance(source, str):
        # a file must declare its encoding; text at run time needs none
        text, encoding = source.replace("\r\n", "\n").replace("\r", "\n"), "latin-1"
        text = text.lstrip(" \t") if mode == "eval" else text
        text += "" if text.endswith("\n") else "\n"
    else:
        text, encoding = decode(source, filename)
    with warnings.catch_warnings():
        # of literals and escapes that Python 2 took in silence
        warnings.simplefilter("ignore")
        syntax = _syntax(text, encoding, filename, futures)
        try:
            tree = ast.parse(syntax.text, filename)
        except SyntaxError as error:
            raise CannotTranslate(
                f"no Python 2 that Python 3 could carry over: {error.msg}", filename, error.lineno or 1, error.text
            ) from None
        tree = convert(tree, syntax, filename)
        final: ast.Module | ast.Expression | ast.Interactive = tree
        if mode == "eval":
            if len(tree.body) != 1 or not isinstance(tree.body[0], ast.Expr):
                raise CannotTranslate("not an expression", filename, 1, syntax.text.split("\n")[0])
            final = ast.Expression(tree.body[0].value)
        elif mode == "single":
            final = ast.Interactive(tree.body)
        try:
            code: CodeType = compile(final, filename, mode, dont_inherit=True)
        except SyntaxError as error:
            raise CannotTranslate(error.msg, filename, error.lineno or 1, error.text) from None
    return code


def _syntax(text: str, encoding: str, filename: str, inherited: frozenset[str]) -> Syntax:
    if text.isascii() and not _NEEDS_RESPELLING.search(text):
        futures = futures_of(text) | inherited
        if "unicode_literals" not in futures:
            try:
                ast.parse(text)
            except (SyntaxError, ValueError):
                pass
            else:
                return Syntax(text, futures, {}, encoding)
    return respell(text, encoding, filename, inherited)


@cache
def translator_version() -> str:
    """
    Name this translator and this Python: code that another one made must not be taken from a cache.

    Returns
    -------
    str
        A hexadecimal digest.
    """
    digest = hashlib.sha256(f"{sys.implementation.cache_tag} {sys.version}".encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
