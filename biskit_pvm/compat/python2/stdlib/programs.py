"""Programs that a script starts by itself: what is a Python of old runs as the script does."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from collections.abc import Sequence

from biskit_pvm.machine.old_tasks import through_translator

_SEPARATORS = re.compile(r"""('[^']*'|"(?:\\.|[^"\\])*"|\\.|[^;&|()\n'"\\]+)|.""", re.S)
_COMMAND = re.compile(
    r"""
    (?P<before> \s* (?: (?: [{!] | exec | nohup | time | then | do | else | env | nice (?:\s+-n\s*-?\d+|\s+--?\d+)?
                          | \w+=[^\s'"]* ) \s+ )* )
    (?P<program> '[^']*' | "[^"$`\\]*" | [^\s'"]+ )
    (?P<options> (?: \s+-[A-Za-z3]+ (?![^\s]) )* )
    (?P<rest> .* )
    """,
    re.X | re.S,
)
_REST = "\0"


def words_of_old(words: Sequence[str]) -> list[str]:
    """
    Return the words of a command as an old script starts it.

    Parameters
    ----------
    words : sequence of str
        The program and its arguments.

    Returns
    -------
    list of str
        Through the translator where the program is a Python, or a script whose first line names one, unless that is
        Python 3 by name, or a Python 2 that is there.
    """
    words = list(words)
    runner = os.environ.get("BISKIT_PVM_RUN")
    if not runner or not words or (words[0] != sys.executable and _can_run(words[0])):
        return words
    return through_translator(words, runner, sys.executable, _first_line)


def line_of_old(line: str) -> str:
    """
    Return a command for the shell as an old script gives it.

    Parameters
    ----------
    line : str

    Returns
    -------
    str
        With each Python that is called in it by its plain name or path replaced as `words_of_old` does.
    """
    if "BISKIT_PVM_RUN" not in os.environ:
        return line
    parts = [""]
    for match in _SEPARATORS.finditer(line):
        if match.group(1):
            parts[-1] += match.group()
        else:
            parts += [match.group(), ""]
    return "".join(map(_part_of_old, parts))


def _part_of_old(part: str) -> str:
    match = _COMMAND.match(part)
    if match is None:
        return part
    rest = match["rest"]
    program = match["program"]
    words = [program.strip(program[0]) if program[0] in "'\"" else program, *match["options"].split()]
    if rest.strip() and rest.lstrip()[0] not in "<>-":
        words.append(_REST)
    found = words_of_old(words)
    if found == words or "-m" not in found:
        return part
    return match["before"] + shlex.join(word for word in found if word != _REST) + rest


def _can_run(program: str) -> bool:
    """Tell whether a program is a Python that needs no help."""
    name = program.rpartition("/")[2]
    return "python3" in name or ("python2" in name and shutil.which(program) is not None)


def _first_line(program: str) -> str:
    path = shutil.which(program)
    if path is None:
        return ""
    try:
        with open(path, "rb") as file:
            line = os.fsdecode(file.readline(200))
    except OSError:
        return ""
    return "" if any(map(_can_run, line[2:].split())) else line
