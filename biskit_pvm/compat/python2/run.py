"""
``biskit-pvm run script.py args...``: a script of old, as it stands, under this Python.

Whatever such a script spawns and is a Python runs the same way without being told: the environment variable
``BISKIT_PVM_RUN`` holds the name of this module, `biskit_pvm.machine.spawning` then spawns
``python -i -m biskit_pvm.compat.python2.run slave.py 20``, and ``BISKIT_PVM_RUN_PATH`` tells the task where the master looked
for modules. Both go to every host with PVM's exports.
"""

from __future__ import annotations

import builtins
import errno
import json
import os
import sys
import traceback
from collections.abc import Sequence
from types import ModuleType, TracebackType
from typing import Any

#: says, to whom it is exported, that slaves are started through this module
ACTIVE = "BISKIT_PVM_RUN"
#: folders in which modules were looked for, as JSON, and the language of doubtful sources
SETTINGS = "BISKIT_PVM_RUN_PATH"

_NAME = "biskit_pvm.compat.python2.run"
#: the room of all that is of old
_HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class CannotRun(Exception):
    """A script that cannot be run; the text says why and what to do."""


def run_script(argv: Sequence[str], python: int | None = None) -> None:
    """
    Run a script in this process, as ``python script.py args...`` does.

    Parameters
    ----------
    argv : sequence of str
        The script, and its arguments.
    python : {2, 3}, optional
        Its language; found out by default.

    Raises
    ------
    CannotRun
        There is no such file, or its language must be told.
    SystemExit
        As the script ends.
    """
    if not argv:
        raise CannotRun("no script given")
    script = argv[0]
    source = _read(script)
    folder = os.path.dirname(os.path.realpath(script))
    prepare(folder, _inherited())
    _run_main(source, script, script, argv, folder, python)


def load(script: str) -> tuple[ModuleType, Any]:
    """
    Return an empty main module, and the code, of a slave script that is to run in this very process.

    Parameters
    ----------
    script : str

    Raises
    ------
    CannotRun
        There is no such file, or its language must be told.
    """
    from biskit_pvm.compat.python2 import importer

    source = _read(script)
    found = importer.languages["__main__"] = _language(source, script, None)
    return _new_main(script, None, found), _compiled(source, script, found)


def _read(script: str) -> bytes:
    if os.path.isdir(script):
        raise CannotRun(f"{script} is a folder")
    try:
        with open(script, "rb") as file:
            return file.read()
    except OSError as error:
        raise CannotRun(f"cannot read {script}: {error.strerror}") from None


def run_text(text: str, arguments: Sequence[str], python: int | None = None) -> None:
    """
    Run a text in this process, as ``python -c text args...`` does.

    Parameters
    ----------
    text : str
    arguments : sequence of str
    python : {2, 3}, optional
        Its language; found out by default, and Python 2 in doubt.

    Raises
    ------
    SystemExit
        As the text ends.
    """
    folder = os.getcwd()
    prepare(folder, _inherited())
    _run_main(os.fsencode(text), "<string>", None, ["-c", *arguments], folder, python, in_doubt=2)


def run_module(name: str, arguments: Sequence[str], python: int | None = None) -> None:
    """
    Run a module in this process, as ``python -m name args...`` does.

    Parameters
    ----------
    name : str
    arguments : sequence of str
    python : {2, 3}, optional
        Its language; found out by default.

    Raises
    ------
    CannotRun
        There is no such module, or its language must be told.
    SystemExit
        As the module ends.
    """
    import importlib.util

    folder = os.getcwd()
    prepare(folder, _inherited())
    try:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.submodule_search_locations is not None:
            spec = importlib.util.find_spec(f"{name}.__main__")
    except ImportError as error:
        raise CannotRun(f"cannot import {name}: {error}") from None
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        raise CannotRun(f"no module named {name}")
    with open(spec.origin, "rb") as file:
        source = file.read()
    _run_main(source, spec.origin, spec.origin, [spec.origin, *arguments], folder, python, package=spec.parent)


def _run_main(
    source: bytes,
    filename: str,
    file: str | None,
    argv: Sequence[str],
    folder: str,
    python: int | None,
    in_doubt: int | None = None,
    package: str | None = None,
) -> None:
    """Run source as the main module of a process that is prepared."""
    from biskit_pvm.compat.python2 import importer

    found = _language(source, filename, python, in_doubt)
    importer.finder.default = found
    importer.languages["__main__"] = found
    announce(found, folder)

    main = sys.modules["__main__"] = _new_main(file, package, found)
    sys.argv[:] = list(argv)
    sys.excepthook = _excepthook
    try:
        if found == 2:
            from biskit_pvm.compat.python2.builtins import files
            from biskit_pvm.compat.python2.builtins.strings import from_os

            if not sys.warnoptions:
                import warnings

                # what Python 3 will drop is not the script's concern; Python 2.7 was silent, too
                for kind in (DeprecationWarning, PendingDeprecationWarning):
                    warnings.simplefilter("ignore", kind)
            sys.argv[:] = map(from_os, sys.argv)
        code = _compiled(source, filename, found)
        # what is translated later, while the script runs, is told of in the same line
        exec(code, main.__dict__)
    finally:
        importer.progress.finish()
        if found == 2:
            files.finish_line()


def _language(source: bytes, filename: str, python: int | None, in_doubt: int | None = None) -> int:
    """Return 2 or 3."""
    from biskit_pvm.compat.python2 import detect

    found = python or detect.detect(source) or _inherited().get("python") or in_doubt
    if found is None:
        try:
            detect.check_unambiguous(source)
        except detect.Ambiguous as doubt:
            raise CannotRun(
                f"{filename} may be Python 2 or 3, and they differ about line {doubt.lineno}: {doubt.what}. "
                "Say which with --python 2 or --python 3, or in the first line: #!/usr/bin/env python2"
            ) from None
        found = 2
    return int(found)


def _new_main(file: str | None, package: str | None, language: int) -> ModuleType:
    """Return an empty main module."""
    main = ModuleType("__main__")
    if file is not None:
        main.__file__ = file
    if package is not None:
        main.__package__ = package
    main.__dict__["__builtins__"] = builtins
    main.__spec__ = None
    if language == 2:
        from biskit_pvm.compat.python2.builtins import builtin_module

        main.__dict__["__builtins__"] = builtin_module
    return main


def _compiled(source: bytes, filename: str, language: int) -> Any:
    """Return the code of a main module."""
    if language == 2:
        from biskit_pvm.compat.python2 import importer

        return importer.compile_python2(source, filename)
    return compile(source, filename, "exec", dont_inherit=True)


def prepare(folder: str, inherited: dict[str, Any] | None = None) -> None:
    """
    Have this process import old source and know the old names.

    Parameters
    ----------
    folder : str
        The script's, which is searched first.
    inherited : dict, optional
        What a master told: 'path' is searched too, 'python' is the language of doubtful sources.
    """
    from biskit_pvm.compat.biskit import aliases
    from biskit_pvm.compat.python2 import importer, registry

    def seen(name: str, module: Any = None) -> ModuleType:
        from biskit_pvm.compat import old_modules  # loads PVM

        return old_modules.seen(name, module)

    told = inherited or {}
    named = {os.path.realpath(entry) for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry}
    importer.finder.installed = frozenset(map(os.path.realpath, sys.path[1:])) - named
    _set_path(folder, told.get("path", ()))
    importer.install(told.get("python", 2))
    importer.finder.instead_of = aliases.instead_of
    registry.register(("pypvm", "pypvm_core"), seen)
    aliases.install(seen)


def _inherited() -> dict[str, Any]:
    """What a master that was run this way told its slaves."""
    if os.environ.get(ACTIVE) != _NAME:
        return {}
    try:
        told = json.loads(os.environ.get(SETTINGS, "{}"))
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def announce(language: int, folder: str) -> None:
    """
    Tell slaves, which get the variables from their master, how they are run.

    Parameters
    ----------
    language : {2, 3}
        Of sources that pass for both.
    folder : str
        The master's script is there.
    """
    path = [os.path.abspath(entry) for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    root = _biskit_root(folder)
    path += [root] if root and root not in path else []
    told = _inherited().get("path", ())
    os.environ[ACTIVE] = _NAME
    os.environ[SETTINGS] = json.dumps({"python": language, "path": path + [e for e in told if e not in path]})


def _biskit_root(folder: str) -> str | None:
    """The folder above the Biskit tree in which a script lies, if it does."""
    while os.path.isfile(os.path.join(folder, "__init__.py")):
        parent, name = os.path.split(folder)
        if name == "Biskit":
            return parent
        folder = parent
    # scripts/Biskit/x.py of an unpacked Biskit
    parent = folder
    for _ in range(3):
        parent = os.path.dirname(parent)
        if os.path.isfile(os.path.join(parent, "Biskit", "__init__.py")):
            return parent
    return None


def _set_path(folder: str, told: Sequence[str]) -> None:
    """Put the script's folder where Python would have put it, and after it what the master looked at."""
    package_root = os.path.dirname(os.path.dirname(_HERE))
    if sys.path and not getattr(sys.flags, "safe_path", False):
        replaced = os.path.abspath(sys.path[0])
        sys.path[0] = folder
        if replaced == package_root:
            sys.path.append(package_root)
    else:
        sys.path.insert(0, folder)
    given = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    position = 1 + sum(1 for entry in given if entry)
    root = _biskit_root(folder)
    for entry in [*told, *([root] if root else [])]:
        if entry not in sys.path:
            sys.path.insert(position, entry)
            position += 1


# modules whose errors had no module's name before theirs
_NAMELESS = ("builtins", "exceptions", "pvm_ext.errors")


def _excepthook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Show the script's own lines, and the exception as Python 2 named it."""
    from biskit_pvm.compat.python2.importer import languages

    if languages.get("__main__") != 2:
        trace = _without_ours(trace)
        traceback.print_exception(kind, error, trace)
        return
    from biskit_pvm.compat.python2.builtins.classic import known_as
    from biskit_pvm.compat.python2.builtins.errors import ClassicException
    from biskit_pvm.compat.python2.builtins.strings import module_of
    from biskit_pvm.compat.python2.builtins.wording import reword
    from biskit_pvm.compat.python2.stdlib.tracebacks import format_exception_only, text_of

    # plain tuples: Python 3 marks columns, of which the translation has others
    steps = [tuple(step) for step in traceback.extract_tb(_without_ours(trace))]
    lines = traceback.format_list(steps)
    if isinstance(error, SyntaxError):
        lines += format_exception_only(SyntaxError, error)
    else:
        reword(error)
        shown: Any = error.instance if isinstance(error, ClassicException) else error
        kind, text = known_as(type(shown)), text_of(shown)
        name = kind.__name__
        if kind.__module__ not in _NAMELESS and not kind.__module__.startswith("biskit_pvm.compat."):
            name = f"{module_of(kind)}.{name}"
        lines.append(f"{name}: {text}\n" if text else f"{name}\n")
    hint = _missing_folder(error)
    if hint:
        lines.append(hint + "\n")
    sys.stderr.write("Traceback (most recent call last):\n" + "".join(lines))


def _missing_folder(error: BaseException) -> str:
    """Say what mends the error of a Biskit that finds no folder for its temporary files."""
    path = getattr(error, "filename", None)
    if isinstance(error, OSError) and error.errno == errno.ENOENT and isinstance(path, str):
        for folder in ("~/tmp", os.path.expanduser("~/tmp")):
            if path.startswith(folder) and not os.path.isdir(os.path.expanduser(folder)):
                return (
                    "Biskit keeps its temporary files in ~/tmp: make this folder, or name another one as tempDirShared "
                    "in ~/.biskit/settings.cfg"
                )
    return ""


def _without_ours(trace: TracebackType | None) -> TracebackType | None:
    """Take the frames of this package, and those that led to the script, out of a traceback."""
    from biskit_pvm.compat.python2.stdlib.eight_bit import is_ours

    steps = _steps(trace)
    ours = [number for number, step in enumerate(steps) if step.tb_frame.f_code.co_filename == __file__]
    first = ours[-1] + 1 if ours else 0
    codes = [step.tb_frame.f_code for step in steps[first:]]
    kept = [step for step, code in zip(steps[first:], codes) if not is_ours(code.co_filename, code.co_name)]
    following = None
    for step in reversed(kept):
        following = TracebackType(following, step.tb_frame, step.tb_lasti, step.tb_lineno)
    return following


def _steps(trace: TracebackType | None) -> list[TracebackType]:
    steps = []
    while trace is not None:
        steps.append(trace)
        trace = trace.tb_next
    return steps


def _fill_closed_streams() -> None:
    """Open what the caller has closed of standard input, output and error, lest a socket or a file come in its place."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # which is the lowest number that is free


def main(argv: Sequence[str] | None = None) -> None:
    """
    Run what the command line names; ``python -m biskit_pvm.compat.python2.run`` for slaves.

    Parameters
    ----------
    argv : sequence of str, optional
        The process's own by default.
    """
    _fill_closed_streams()
    arguments = list(sys.argv[1:] if argv is None else argv)
    python = None
    if arguments[:1] == ["--python"] and arguments[1:2] in (["2"], ["3"]):
        python, arguments = int(arguments[1]), arguments[2:]
    try:
        if arguments[:1] == ["-c"] and arguments[1:]:
            run_text(arguments[1], arguments[2:], python)
        elif arguments[:1] == ["-m"] and arguments[1:]:
            run_module(arguments[1], arguments[2:], python)
        else:
            run_script(arguments, python)
    except CannotRun as error:
        sys.exit(f"biskit-pvm run: {error}")
    except ImportError as error:
        if error.name == "fissix":
            sys.exit(f"biskit-pvm run: {error}")
        raise


if __name__ == "__main__":
    # as an ordinary module, so that the script can be __main__
    from biskit_pvm.compat.python2.run import main as _main

    _main()
