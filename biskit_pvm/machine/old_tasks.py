"""Which commands are a Python: a program of old, which runs through a translator, starts them through it, too."""

from __future__ import annotations

import re

TYPE_CHECKING = False  # slaves start quickly
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Callable

_PYTHON = re.compile(r"python(\d+(\.\d+)*)?$")
# terminals that run what stands behind -e
_TERMINALS = {"xterm", "uxterm", "lxterm", "rxvt", "urxvt", "aterm", "Eterm"}
# options with a word of their own behind them
_TAKE_A_WORD = "WXQ"
# options that Python 3 refuses; the translator does what they asked for, or it was a warning
_OF_PYTHON_2 = "t3UQ"


def through_translator(
    words: Sequence[str],
    runner: str,
    python: str,
    first_line: Callable[[str], str] = lambda path: "",
) -> list[str]:
    """
    Return the words by which a program of old starts a command.

    Parameters
    ----------
    words : sequence of str
        The command and its arguments.
    runner : str
        The module that translates, as ``python -m`` takes it.
    python : str
        The interpreter that has it.
    first_line : callable
        Gives the first line of an executable file, ``''`` for what is none or cannot be read.

    Returns
    -------
    list of str
        Where the command is a Python, or a script whose first line names one, `python` with `runner` before the first
        argument that is no option; behind a terminal's ``-e`` likewise.  All else comes back as it is.

    Examples
    --------
    >>> through_translator(["python2", "-i", "slave.py", "20"], "runner", "/usr/bin/python3")
    ['/usr/bin/python3', '-i', '-m', 'runner', 'slave.py', '20']
    """
    words = list(words)
    name = words[0].rpartition("/")[2]
    if words[0] == python or _PYTHON.match(name):
        return [python, *_run(words[1:], runner)]
    if name in _TERMINALS and "-e" in words[1:-1]:
        there = words.index("-e", 1) + 1
        return words[:there] + through_translator(words[there:], runner, python, first_line)
    interpreter = _interpreter(first_line(words[0]))
    if interpreter and _PYTHON.match(interpreter[0].rpartition("/")[2]):
        return [python, *_run([*interpreter[1:], *words], runner)]
    return words


def decoded(word: str) -> str:
    """
    Return a word of a program of old, whose characters are bytes, as text.

    Parameters
    ----------
    word : str

    Returns
    -------
    str
        What is no UTF-8 when its characters are taken for bytes, such as a word of Python 3's, comes back as it is.
    """
    try:
        return word if word.isascii() else word.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return word


def _run(arguments: list[str], runner: str) -> list[str]:
    """Put the runner before the first of Python's arguments that is no option."""
    options: list[str] = []
    position = 0
    while position < len(arguments):
        word = arguments[position]
        if not word.startswith("-") or word == "-" or word.startswith("--"):
            break
        letters = word[1:]
        ending = re.search("[cm]", letters)
        takes = re.search(f"[{_TAKE_A_WORD}]", letters)
        if ending and not (takes and takes.start() < ending.start()):
            before, letter, value = letters[: ending.start()], ending.group(), letters[ending.end() :]
            rest = ([value] if value else []) + arguments[position + 1 :]
            options += _kept("-" + before)
            if letter == "m" and rest and rest[0].partition(".")[0] == runner.partition(".")[0]:
                return [*options, "-m", *rest]  # the runner itself, or another tool of ours
            return [*options, "-m", runner, f"-{letter}", *rest]
        kept = _kept(word)
        if takes and takes.end() == len(letters):
            if kept or takes.start():
                kept += arguments[position + 1 : position + 2] if takes.group() not in _OF_PYTHON_2 else []
            position += 1
        options += kept
        position += 1
    rest = arguments[position:]
    if not rest or rest[0].startswith("-"):
        return options + rest  # an interactive Python, its version, or a program from standard input
    return [*options, "-m", runner, *rest]


def _kept(option: str) -> list[str]:
    """Return an option without the letters that Python 3 refuses."""
    letters = option[1:]
    if letters[:1] == "Q":
        return []
    if letters[:1] not in _TAKE_A_WORD:
        letters = re.sub(f"[{_OF_PYTHON_2}]", "", letters)
    return ["-" + letters] if letters else []


def _interpreter(first_line: str) -> list[str]:
    """Return what the first line of a script says runs it: the program, and its options."""
    if not first_line.startswith("#!"):
        return []
    words = first_line[2:].split()
    if words and words[0].rpartition("/")[2] == "env":
        words = [word for word in words[1:] if word != "-S" and "=" not in word]
    return words
