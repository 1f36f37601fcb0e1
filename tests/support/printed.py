"""Whether a page shows what was printed, apart from what differs from run to run.

A page shows real output. The computer of its reader is called `bach`, the reader's home folder is
`/home/you`. Compared without regard to their value are

- times, rates and dates; task ids; versions of programs, where PVM is and what it came in; the line of a bar;
- how the system words that a name is unknown;
- numbers of hosts, slaves and tasks (``2 slaves``), which depend on the computer;
- the lines of single slaves (``bach_0 shutting down...``, ``262146 bach_0 spawned.``, rows of the
  table of slaves), in any number of one or more, and in any order;
- the frames of a traceback, blank lines, and the number of spaces between words.
"""

from __future__ import annotations

import os
import platform
import re
import socket
from collections.abc import Mapping

HOST = "bach"
USER_ID = "1000"

_SLAVE = rf"{HOST}(?:_\d+)?"

#: what is printed by or of single slaves, and what it becomes
_OF_SLAVES = [
    (rf"{_SLAVE} shutting down\.\.\.", "(slaves shut down)"),
    (rf"\d+ {_SLAVE} spawned\.", "(slaves work)"),
    (rf"\d+ \({_SLAVE}\) \d+ items left", "(slaves work)"),
    (rf"{_SLAVE}( {HOST})? \d+ \d+ [\d.]+ s", "(rows of slaves)"),
]

#: what differs from run to run, and what it becomes
_VOLATILE = [
    (r"^[━╸╺]+ .*", "(bar)"),
    (r"(PVM_ROOT\W+).*", r"\1"),
    (r"(PVM package\W+).*", r"\1"),
    (r"\((Name or service not known|Temporary failure in name resolution|No address .*)\)", "(unknown)"),
    (r"\b\d+ of \d+ bytes", "n of n bytes"),
    (r"\b\d{4}-\d\d-\d\d\b", "2026-01-01"),
    (r"\b\d+:\d\d(:\d\d)?\b", "0:00"),
    (r"\b\d+(\.\d+)?/(s|min|h)\b", "1/s"),
    (r"\b\d+(\.\d+)? ?(s|ms|us)\b", "1 s"),
    (r"\b\d+ (host|slave|worker|task)s?\b", r"n \1s"),
    (r"\b(0x)?4[0-9a-f]{4}\b", "40000"),
    (r"\b2621\d\d\b", "262144"),
    (r"\b\d+\.\d+\.\d+(\.?(dev|rc|a|b)\d+)?\b", "0.0.0"),
    (r"\b(Linux|Python)-\S+", r"\1"),
]


def same(wanted: str, got: str, places: Mapping[str, str]) -> bool:
    """Tell whether a page shows what was printed.

    Parameters
    ----------
    wanted, got : str
        What stands on the page, and what was printed.
    places : mapping of str
        {folder of the run: folder on the page}.
    """
    return reduced(wanted, {}) == reduced(got, places)


def reduced(text: str, places: Mapping[str, str]) -> list[str]:
    """Return the lines of a text without what is not compared."""
    for real, shown in sorted(places.items(), key=lambda pair: -len(pair[0])):
        text = text.replace(real, shown)
    text = re.sub(rf"\b{re.escape(socket.gethostname())}(?![A-Za-z0-9])", HOST, text)
    text = re.sub(rf"/(pvm[dl])\.{os.getuid()}(\.bp-\w+)?\b", rf"/\1.{USER_ID}", text)
    text = text.replace(platform.platform(), "Linux-platform")
    lines = []
    in_frames = False
    for line in text.splitlines():
        if in_frames and (line.startswith(" ") or not line.strip()):
            continue
        in_frames = line.strip() == "Traceback (most recent call last):"
        line = " ".join(line.split())
        for pattern, kind in _OF_SLAVES:
            if re.fullmatch(pattern, line):
                line = kind
        for pattern, word in _VOLATILE:
            line = re.sub(pattern, word, line)
        line = " ".join(line.split())
        if line and not (line.startswith("(") and lines and lines[-1] == line):
            lines.append(line)
    return lines
