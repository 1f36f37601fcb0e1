"""The user's host file where it is written in Python 2."""

from __future__ import annotations

from types import CodeType
from typing import Any

from biskit_pvm.compat.python2 import detect, importer


def run(source: bytes, path: str, names: dict[str, Any]) -> None:
    """
    Run the text of a host file in its own language.

    Parameters
    ----------
    source : bytes
    path : str
        For messages.
    names : dict
        The file's names.

    Raises
    ------
    SyntaxError
        The text is neither language.
    ImportError
        The text is Python 2, and what translates it is not installed.
    """
    code: CodeType
    if (detect.detect(source) or importer.language_of_doubtful_sources()) == 2:
        from biskit_pvm.compat.python2.builtins import NAMESPACE

        try:
            code = importer.compile_python2(source, path)
        except SyntaxError:
            # What is neither is Python 3 with a slip, unless an old script is run.
            if importer.language_of_doubtful_sources() == 3:
                compile(source, path, "exec", dont_inherit=True)
            raise
        names["__builtins__"] = NAMESPACE
    else:
        code = compile(source, path, "exec", dont_inherit=True)
    exec(code, names)
