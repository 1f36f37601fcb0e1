"""How the slaves of a calculation are started."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Setup:
    """How the slaves of a calculation are started.

    Attributes
    ----------
    script : str
        The slave script.
    niceness : mapping
        {host: niceness}; ``'default'`` stands for all other hosts.
    show_output : int or str
        Whether and how what slaves print is shown.
    xterm : str
        The program for windows; ``''``: xterm.
    threads : int or None
        Threads that libraries may use in a slave; None: a fair part of its host's processors; 0: as many as they like.
    env : mapping
        More environment variables.
    folder : str or None
        Where slaves work; None: their home.
    require_all : bool
        Whether every slave must start.
    logging : bool
        Whether log records of slaves come to this process.
    foreman : bool
        Whether slaves are forked where that pays; see `biskit_pvm.jobs.foremen`.
    processors : callable
        Returns a list with the name of each known host, once per processor.
    """

    script: Any = ""
    niceness: Mapping[str, int] = field(default_factory=dict)
    show_output: Any = 0
    xterm: str = ""
    threads: int | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    folder: str | None = None
    require_all: bool = False
    logging: bool = False
    foreman: bool = True
    processors: Callable[[], list[str]] = list
