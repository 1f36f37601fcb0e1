"""``code`` and ``codeop``: what is typed is Python 2."""

from __future__ import annotations

import code
import codeop
import io
import sys
import types
from typing import Any

from fissix.pgen2 import token, tokenize

from biskit_pvm.compat.python2.builtins import NAMESPACE, files
from biskit_pvm.compat.python2.builtins.execution import compile_
from biskit_pvm.compat.python2.builtins.strings import to_repr
from biskit_pvm.compat.python2.builtins.wording import reword
from biskit_pvm.compat.python2.registry import StandIn, make

_BLOCKS = "if while for try with def class @".split()


def compile_command(source: str, filename: str = "<input>", symbol: str = "single") -> types.CodeType | None:
    """
    Compile what was typed so far.

    Parameters
    ----------
    source, filename, symbol : str

    Returns
    -------
    code or None
        None when the statement goes on in the next line.
    """
    if _goes_on(source):
        return None
    typed = any(line.strip() and not line.lstrip().startswith("#") for line in source.split("\n"))
    return compile_(source if typed or symbol == "eval" else "pass", filename, symbol)


def _goes_on(source: str) -> bool:
    words = []
    try:
        for kind, text, *_ in tokenize.generate_tokens(io.StringIO(source + "\n").readline):
            if kind not in (tokenize.COMMENT, tokenize.NL, token.NEWLINE, token.INDENT, token.DEDENT, token.ENDMARKER):
                words.append(text)
    except tokenize.TokenError:  # inside brackets or a long string
        return True
    except IndentationError:
        return False
    if not words:
        return False
    return words[-1] == ":" or source.endswith("\\") or (words[0] in _BLOCKS and not source.endswith("\n"))


class _Compile:
    """In place of ``codeop.CommandCompiler``."""

    def __call__(self, source: str, filename: str = "<input>", symbol: str = "single") -> types.CodeType | None:
        return compile_command(source, filename, symbol)


class InteractiveInterpreter(code.InteractiveInterpreter):
    """Runs statements of Python 2."""

    def __init__(self, locals: Any = None) -> None:
        super().__init__(locals)
        _speak_python2(self)

    def runcode(self, code: Any) -> None:
        before, sys.displayhook = sys.displayhook, _display
        try:
            super().runcode(code)
        finally:
            sys.displayhook = before
        _end_line()

    def showsyntaxerror(self, *where: Any, **named: Any) -> None:
        error = sys.exc_info()[1]
        if isinstance(error, SyntaxError):
            error = SyntaxError(*error.args)  # not the translator's own kind
        self.write("".join(make("traceback").format_exception_only(type(error), error)))

    def showtraceback(self) -> None:
        kind, error, trace = sys.exc_info()
        if error is not None:
            reword(error)
        for line in make("traceback").format_exception(kind, error, trace and trace.tb_next):
            self.write(line)


class InteractiveConsole(InteractiveInterpreter, code.InteractiveConsole):
    """Asks for statements of Python 2."""

    def __init__(self, locals: Any = None, filename: str = "<console>") -> None:
        code.InteractiveConsole.__init__(self, locals, filename)
        _speak_python2(self)

    def interact(self, banner: str | None = None, *exitmsg: Any) -> None:
        super().interact(banner, exitmsg[0] if exitmsg else "")


def _speak_python2(interpreter: Any) -> None:
    interpreter.compile = _Compile()
    interpreter.locals.setdefault("__builtins__", NAMESPACE)


def _end_line() -> None:
    if getattr(files.standard("stdout"), "softspace", 0):
        files.print_statement(None, 1)


def _display(value: Any) -> None:
    if value is not None:
        _end_line()
        files.print_statement(None, 1, to_repr(value))
        NAMESPACE["_"] = value


def interact(banner: str | None = None, readfunc: Any = None, local: Any = None) -> None:
    """
    Ask for statements until there are no more.

    Parameters
    ----------
    banner : str, optional
    readfunc : callable, optional
        Reads a line.
    local : dict, optional
        The names.
    """
    console = InteractiveConsole(local)
    if readfunc is not None:
        console.raw_input = readfunc  # type: ignore[method-assign]
    console.interact(banner)


_NAMES = {"compile_command": compile_command, "CommandCompiler": _Compile}

MODULES = {
    "code": lambda: StandIn(
        code,
        {
            **_NAMES,
            "InteractiveInterpreter": InteractiveInterpreter,
            "InteractiveConsole": InteractiveConsole,
            "interact": interact,
        },
        name="code",
    ),
    "codeop": lambda: StandIn(codeop, _NAMES, name="codeop"),
}
