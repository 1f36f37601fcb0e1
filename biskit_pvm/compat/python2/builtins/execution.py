"""Code that is text at run time: ``exec``, ``eval``, ``execfile``, ``input``, ``compile``; and names looked up by hand."""

from __future__ import annotations
import __future__

import builtins
import sys
from types import CodeType, FrameType, ModuleType
from typing import Any, Callable

from biskit_pvm.compat.python2.builtins import classes
from biskit_pvm.compat.python2.builtins.classic import ClassicType, is_classic
from biskit_pvm.compat.python2.builtins.errors import IOError
from biskit_pvm.compat.python2.builtins.files import File, raw_input
from biskit_pvm.compat.python2.builtins.strings import as_text, to_os, to_str
from biskit_pvm.compat.python2.translate import translate

# set by the importer, which has a cache; a function (source, filename, mode) -> code
_compile: Callable[..., CodeType] = translate


def use_compiler(compiler: Callable[..., CodeType]) -> None:
    """
    Have text at run time compiled by a function that remembers.

    Parameters
    ----------
    compiler : callable
        Takes and gives what `biskit_pvm.compat.python2.translate.translate` does.
    """
    global _compile
    _compile = compiler


def _futures(scope: dict) -> frozenset[str]:
    """What a module imported from ``__future__`` holds for text that it executes, too."""
    names = ("division", "print_function", "unicode_literals")
    return frozenset(name for name in names if isinstance(scope.get(name), __future__._Feature))


def _code(source: Any, mode: str, frame: FrameType) -> CodeType:
    if isinstance(source, CodeType):
        return source
    if isinstance(source, File):
        source = source.read()
    return _compile(
        source if isinstance(source, bytes) else str.__str__(source), "<string>", mode, _futures(frame.f_globals)
    )


def _outer(frame: FrameType) -> FrameType:
    """The function around a list comprehension, which in Python 2 had no names of its own."""
    while frame.f_code.co_name == "<listcomp>" and frame.f_back is not None:
        frame = frame.f_back
    return frame


def names_of(frame: FrameType) -> dict:
    """
    Give the local variables that a frame's code sees.

    Parameters
    ----------
    frame : frame

    Returns
    -------
    dict
        The namespace itself outside of functions, a snapshot inside.
    """
    outer = _outer(frame)
    if outer is frame and not frame.f_code.co_flags & 1:
        return frame.f_locals
    found: dict = {}
    frames = [frame]
    while frames[-1] is not outer:
        frames.append(frames[-1].f_back)
    for each in reversed(frames):
        found.update(
            (name.lstrip(".") if name[1:].isidentifier() else name, value)
            for name, value in each.f_locals.items()
            if not name.startswith((".", "__py2_")) or name[1:].isidentifier()
        )
    dynamic = outer.f_locals.get(".names")
    if dynamic:
        found = {**dynamic, **found}
    return found if outer.f_code.co_flags & 1 else _Merged(found, outer.f_locals)


class _Merged(dict):
    """Variables of a comprehension outside of a function, over the namespace in which it stands."""

    def __init__(self, found: dict, namespace: dict) -> None:
        super().__init__(namespace)
        self.update(found)


def _with_builtins(namespace: dict, frame: FrameType) -> dict:
    namespace.setdefault("__builtins__", frame.f_builtins)
    return namespace


def execute(code: Any, scope: Any = None, names: Any = None) -> None:
    """
    Do ``exec code in scope, names``.

    Parameters
    ----------
    code : str, file, code or tuple of these arguments
    scope : dict, optional
    names : mapping, optional
    """
    if isinstance(code, tuple) and len(code) in (2, 3) and scope is None:
        code, scope, names = (*code, None)[:3]
    frame = sys._getframe(1)
    if scope is None:
        scope = frame.f_globals
        names = names_of(frame) if names is None else names
    exec(_code(code, "exec", frame), _with_builtins(scope, frame), scope if names is None else names)


def execute_in_function(code: Any, dynamic: dict) -> None:
    """
    Do ``exec code`` in a function, whose variables it may set.

    Parameters
    ----------
    code : str, file or code
    dynamic : dict
        What such statements made so far in this call of the function; changed.
    """
    frame = sys._getframe(1)
    names = names_of(frame)
    exec(_code(code, "exec", frame), _with_builtins(frame.f_globals, frame), names)
    dynamic.update(names)


def import_star(module: str, level: int, dynamic: dict) -> None:
    """
    Do ``from module import *`` in a function.

    Parameters
    ----------
    module : str
    level : int
        How many dots it has.
    dynamic : dict
        As for `execute_in_function`.
    """
    frame = sys._getframe(1)
    found = frame.f_builtins["__import__"](module, frame.f_globals, None, ["*"], level)
    names = getattr(found, "__all__", None)
    if names is None:
        names = [name for name in vars(found) if not name.startswith("_")]
    dynamic.update((name, getattr(found, name)) for name in names)


def evaluate(source: Any, scope: Any = None, names: Any = None) -> Any:
    """
    Do ``eval(source, scope, names)``.

    Parameters
    ----------
    source : str or code
    scope : dict, optional
    names : mapping, optional

    Returns
    -------
    any
    """
    frame = sys._getframe(1)
    if scope is None:
        scope, names = frame.f_globals, names_of(frame)
    return eval(_code(source, "eval", frame), _with_builtins(scope, frame), scope if names is None else names)


def execute_file(name: str, scope: Any = None, names: Any = None) -> None:
    """
    Do ``execfile(name, scope, names)``.

    Parameters
    ----------
    name : str
    scope : dict, optional
    names : mapping, optional

    Raises
    ------
    IOError
        The file cannot be read.
    """
    frame = sys._getframe(1)
    if scope is None:
        scope, names = frame.f_globals, names_of(frame)
    try:
        with open(to_os(name), "rb") as file:
            source = file.read()
    except OSError as error:
        raise IOError(error.errno, error.strerror, name) from None
    exec(_compile(source, to_os(name), "exec"), _with_builtins(scope, frame), scope if names is None else names)


def compile_(source: Any, filename: str, mode: str, flags: int = 0, dont_inherit: int = 0) -> CodeType:
    """
    Do Python 2's ``compile``.

    Parameters
    ----------
    source, filename, mode, flags, dont_inherit
        As there; flags are those of ``from __future__`` and must be 0.

    Returns
    -------
    code
    """
    if flags:
        raise NotImplementedError("compile() with flags has no counterpart in translated code")
    return _compile(
        as_text(source) if isinstance(source, bytes) else str.__str__(source),
        to_os(to_str(filename)),
        mode,
        _futures(sys._getframe(1).f_globals),
    )


def input_(prompt: Any = "") -> Any:
    """
    Do Python 2's ``input``: evaluate a line of standard input.

    Parameters
    ----------
    prompt : any

    Returns
    -------
    any
    """
    line = raw_input(prompt)
    frame = sys._getframe(1)
    return eval(_code(line, "eval", frame), _with_builtins(frame.f_globals, frame), names_of(frame))


def locals_() -> dict:
    """
    Do ``locals()``, in a list comprehension too.

    Returns
    -------
    dict
    """
    return names_of(sys._getframe(1))


def vars_(*obj: Any) -> dict:
    """
    Do ``vars()``.

    Parameters
    ----------
    obj : any, optional

    Returns
    -------
    dict
    """
    return builtins.vars(*obj) if obj else names_of(sys._getframe(1))


def dir_(*obj: Any) -> list[str]:
    """
    Do ``dir()``.

    Parameters
    ----------
    obj : any, optional

    Returns
    -------
    list of str
    """
    if not obj:
        return sorted(names_of(sys._getframe(1)))
    names = builtins.dir(*obj)
    kind = obj[0] if isinstance(obj[0], type) else type(obj[0])
    if isinstance(obj[0], ModuleType):
        return names
    return [name for name in names if not _is_new(kind, name)]


def _is_new(kind: type, name: str) -> bool:
    """Tell whether a class has an attribute only because it is one of Python 3."""
    if not name.startswith("__"):
        return False
    has = next((each for each in kind.__mro__ if name in vars(each)), object)
    if name in _NEW_IN_CLASSES or getattr(vars(has).get(name), "__module__", None) == classes.__name__:
        return True
    if is_classic(kind):
        return has in (object, ClassicType.root) or name in ("__dict__", "__weakref__")
    return has is object and name in _NEW_IN_OBJECT


_NEW_IN_CLASSES = ("__firstlineno__", "__qualname__", "__static_attributes__")
_NEW_IN_OBJECT = {f"__{name}__" for name in "dir eq ge getstate gt init_subclass le lt ne".split()}
