"""The options of a calculation: what it tolerates, and how it shows itself.

This is the one list of them: name, default, what may be given, and a line on what it means.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any

from biskit_pvm.errors import check_options


def _option(default: Any, check: Callable[[Any], str], text: str) -> Any:
    return dataclasses.field(default=default, metadata={"check": check, "text": text})


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and not math.isnan(value)


def _count(value: Any) -> str:
    return "" if _is_number(value) and value >= 1 and value == int(value) else "a whole number from 1"


def _count_or_none(value: Any) -> str:
    return "" if _is_number(value) and value >= 0 and value == int(value) else "a whole number from 0"


def _seconds(value: Any) -> str:
    return "" if _is_number(value) and value > 0 else "a positive number of seconds"


def _seconds_or_none(value: Any) -> str:
    return "" if value is None else _seconds(value) and "None or a positive number of seconds"


def _pause(value: Any) -> str:
    return "" if _is_number(value) and value >= 0 else "a number of seconds from 0"


def _switch(value: Any) -> str:
    return "" if isinstance(value, (bool, int)) else "True or False"


def _one_of(*values: str) -> Callable[[Any], str]:
    return lambda value: "" if value in values else "one of " + ", ".join(map(repr, values))


@dataclasses.dataclass
class Rules:
    """What a calculation tolerates.  Times in seconds.

    The text of each is in its field's metadata; `describe` gives them all.
    """

    max_tries: int = _option(3, _count, "how often `go` may raise over an item before it counts as failed, in `errors`")
    max_deaths: int = _option(5, _count, "how many slaves may die over an item before it counts as failed")
    max_respawns: int = _option(
        3, _count_or_none, "how often in a row a slave that dies without having finished a job is started again"
    )
    respawn_pause: float = _option(
        1.0, _pause, "seconds before a slave is started again; twice as long before each next time"
    )
    heartbeat: float = _option(15.0, _seconds, "a slave that is silent for so many seconds loses its items to others")
    job_timeout: float | None = _option(
        None, _seconds_or_none, "seconds after which a job is taken away and its slave is killed"
    )
    start_timeout: float | None = _option(
        600.0,
        _seconds_or_none,
        "seconds after which a slave that has not reported at all is killed; "
        "so long a calculation without slaves waits for lost hosts",
    )
    watch_hosts: bool = _option(
        True, _switch, "try hosts again that were lost or late, and use those that come while the calculation runs"
    )
    prefetch: float = _option(0.02, _pause, "seconds of work that slaves with short jobs have in hand; 0: one job")

    jobs_per_slave: int | None = _option(
        None, lambda value: "" if value is None else _count(value), "jobs after which a slave is replaced by a new one"
    )

    @property
    def tick(self) -> float:
        """Longest time between two `Tick` events."""
        tick = self.heartbeat / 5
        for limit in (self.job_timeout, self.start_timeout):
            if limit is not None:
                tick = min(tick, max(limit / 4, 0.02))
        return tick

    @property
    def patience(self) -> float:
        """How long a slave may take nothing of a message for it.

        Its thread that gives the signs of life looks for messages, too,
        whatever the slave computes: at each beat, every 2 s at least.
        """
        return 1.5 * min(self.beat, 2.0)

    @property
    def beat(self) -> float:
        """Time between two signs of life of a slave."""
        return self.heartbeat / 3


def _threads(value: Any) -> str:
    return "" if value is None else _count_or_none(value) and "None or a whole number from 0"


def _variables(value: Any) -> str:
    good = value is None or (
        isinstance(value, Mapping)
        and all(isinstance(name, str) and name and "=" not in name for name in value)
        and all(isinstance(text, str) and "\0" not in text for text in value.values())
    )
    return "" if good else "a dictionary {name: text} of environment variables"


@dataclasses.dataclass
class Options(Rules):
    """All options of a master."""

    on_error: str = _option(
        "raise", _one_of("raise", "return"), "what `calculateResult` does when items failed: raise an error, or return"
    )
    progress: str = _option(
        "auto",
        _one_of("auto", "bar", "lines", "none"),
        "how progress is shown; 'auto' is a bar in a terminal or notebook and lines elsewhere",
    )
    require: str = _option(
        "any", _one_of("any", "all"), "'all': it is an error when a slave cannot be started; 'any': one is enough"
    )
    threads: int | None = _option(
        None,
        _threads,
        "threads of the numerical libraries of a slave; None: the processors of its host / the slaves there; "
        "0: as many as they like",
    )
    env: Mapping[str, str] | None = _option(None, _variables, "environment variables for the slaves")
    foreman: bool = _option(
        True, _switch, "have slaves forked from a process that has all loaded, on hosts with four slaves or more"
    )
    logging: bool = _option(False, _switch, "bring the log records of slaves into the master's `logging`")
    inline: bool = _option(
        False, _switch, "run the slaves in the master's process, one item after the other, without PVM: for debuggers"
    )

    def for_inline(self) -> Options:
        """Return what holds for slaves in the master's own process: nothing is too late, and nothing is ahead."""
        return dataclasses.replace(self, job_timeout=None, start_timeout=None, respawn_pause=0, prefetch=0)

    @classmethod
    def of(cls, given: Mapping[str, Any], who: str) -> Options:
        """Make options of keyword arguments.

        Parameters
        ----------
        given : mapping
            {name: value}
        who : str
            Name of the class that takes them, for messages.

        Raises
        ------
        TypeError
            There is no such option; the text names the nearest.
        ValueError
            The value makes no sense; the text says what does.
        """
        fields = {field.name: field for field in dataclasses.fields(cls)}
        check_options(given, fields, who)
        for name, value in given.items():
            wanted = fields[name].metadata["check"](value)
            if wanted:
                raise ValueError(f"{name} must be {wanted}, not {value!r}")
        return cls(**given)


def describe() -> list[tuple[str, Any, str]]:
    """Return name, default and meaning of all options of a master."""
    return [(field.name, field.default, field.metadata["text"]) for field in dataclasses.fields(Options)]
