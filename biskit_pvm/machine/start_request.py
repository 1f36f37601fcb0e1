"""What a stand-in asks a foreman for: a process with these arguments and this environment."""

from __future__ import annotations

import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

INT = struct.Struct("=i")
"""How numbers go between the two: as ints of their machine."""

HEAD = struct.Struct("=ii")
"""Before the words: how many bytes these take, and how many of them are arguments."""

LONGEST = 1 << 24
"""Most bytes of a request; the kernel allows a process less."""

SETTLED = ("PYTHON", "LD_", "LC_", "LANG", "MALLOC_", "GLIBC_", "COVERAGE_")
"""How the names of variables begin that a Python looks at when it starts, and not again."""

SETTLED_TOO = ("HOME",)
"""Others of these."""


class Request:
    """A request.

    Attributes
    ----------
    words : list of bytes
        The program and its arguments.
    environment : dict of bytes
    """

    def __init__(self, words: Sequence[bytes], environment: Mapping[bytes, bytes]) -> None:
        self.words, self.environment = list(words), dict(environment)

    @classmethod
    def read(cls, body: bytes, n_words: int) -> Request:
        """Take a request apart.

        Raises
        ------
        ValueError
            It is none.
        """
        *strings, rest = body.split(b"\0")
        if rest or not 0 < n_words <= len(strings):
            raise ValueError("not a request for a process")
        return cls(strings[:n_words], environment_of(strings[n_words:]))

    def unfit(self, executable: bytes, environment: Mapping[bytes, bytes]) -> str:
        """Return why a fork of a Python cannot be this process; ``''`` when it can.

        Parameters
        ----------
        executable : bytes
            That Python.
        environment : mapping of bytes
            What it was started with.
        """
        if self.words[:2] != [executable, b"-i"]:
            return "another program"
        if len(self.words) < 3 or self.words[2].startswith(b"-") or not self.words[2].endswith(b".py"):
            return "not a script"
        mine, theirs = settled(environment), settled(self.environment)
        for name in sorted({*mine, *theirs}):
            if mine.get(name) != theirs.get(name):
                return f"another {name.decode(errors='replace')}"
        return ""


def environment_of(strings: Iterable[bytes]) -> dict[bytes, bytes]:
    """Return the environment that such strings stand for: ``name=value`` each."""
    pairs = (text.partition(b"=") for text in strings)
    return {name: value for name, equals, value in pairs if equals and name}


def settled(environment: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
    """Return those variables that count when a Python starts."""
    others = {text.encode() for text in SETTLED_TOO}
    return {
        **beginning_with(SETTLED, environment),
        **{name: value for name, value in environment.items() if name in others},
    }


def beginning_with(beginnings: Sequence[str], environment: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
    """Return those variables whose names begin so."""
    encoded = tuple(text.encode() for text in beginnings)
    return {name: value for name, value in environment.items() if name.startswith(encoded)}
