"""The error for source that cannot be carried over to Python 3 faithfully."""

from __future__ import annotations


class CannotTranslate(SyntaxError):
    """
    Say which line of a Python 2 source cannot be carried over, and why.

    It is a SyntaxError because that is what an importer's caller expects of a module that cannot be compiled.

    Parameters
    ----------
    reason : str
        What cannot be carried over and what can be done about it.
    filename : str
        The source's file.
    lineno : int
        The line, counted from 1.
    text : str, optional
        The line itself.
    """

    __py2_type__ = SyntaxError

    def __init__(self, reason: str, filename: str, lineno: int, text: str | None = None) -> None:
        super().__init__(reason, (filename, lineno, None, text))
