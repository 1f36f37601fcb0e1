"""Measure contenders alternately and compare them: medians, ratios, goals, the table and its JSON."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Callable


class Unavailable(Exception):
    """A contender or a row cannot be measured here; the text is the reason that the table shows."""


@dataclass(frozen=True)
class Figure:
    """One line of the table.

    Attributes
    ----------
    row, case : str
        What is measured, and its variant.
    value : float or None
        Median of ours, in `unit`; None when it could not be measured.
    unit : str
    reference : str
        What ours is compared with; empty for a figure that stands alone.
    reference_value : float or None
        Median of the reference, in `unit`.
    ratio : float or None
        Median of the ratios ours / reference of the single rounds, or `value` where there is no reference.
    goal : float or None
        Limit of `ratio`; None when there is no goal.
    at_least : bool
        True when `ratio` should be at least `goal`, False when at most.
    note : str
        The reason why something is missing, or a remark.
    """

    row: str
    case: str
    value: float | None
    unit: str
    reference: str = ""
    reference_value: float | None = None
    ratio: float | None = None
    goal: float | None = None
    at_least: bool = False
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; None when there is none, or no figure."""
        if self.ratio is None or self.goal is None:
            return None
        return self.ratio >= self.goal if self.at_least else self.ratio <= self.goal


@dataclass
class Samples:
    """Measurements of several contenders, taken in turns.

    Attributes
    ----------
    values : dict of str to list of float
        Contender name to its measurements, in the order of the rounds.
    missing : dict of str to str
        Contender name to the reason why it was left out.
    """

    values: dict[str, list[float]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def median(self, name: str) -> float | None:
        """Return the median of one contender, None when it was left out."""
        values = self.values.get(name)
        return statistics.median(values) if values else None

    def ratio(self, name: str, reference: str) -> float | None:
        """Return the median over the rounds of `name` / `reference`, None when one was left out."""
        if not self.values.get(name) or not self.values.get(reference):
            return None
        return statistics.median(a / b for a, b in zip(self.values[name], self.values[reference]))

    def compare(
        self,
        row: str,
        case: str,
        unit: str,
        name: str,
        reference: str,
        goal: float | None = None,
        at_least: bool = False,
        note: str = "",
    ) -> Figure:
        """Return the table line of contender `name` against contender `reference`."""
        notes = [note] if note else []
        notes += [f"{who} left out: {self.missing[who]}" for who in (name, reference) if who in self.missing]
        return Figure(
            row,
            case,
            self.median(name),
            unit,
            reference,
            self.median(reference),
            self.ratio(name, reference),
            goal,
            at_least,
            "; ".join(notes),
        )


def alternate(contenders: Mapping[str, Callable[[], float]], rounds: int) -> Samples:
    """Call every contender once per round, in turns, and collect what they return.

    Parameters
    ----------
    contenders : mapping of str to callable
        Each call makes one whole measurement and returns it as a float.
    rounds : int
        How often each is called.

    Returns
    -------
    Samples
        A contender that raised `Unavailable` is listed as missing, with the reason.
    """
    samples = Samples()
    for _ in range(rounds):
        for name, measure in contenders.items():
            if name in samples.missing:
                continue
            try:
                samples.values.setdefault(name, []).append(float(measure()))
            except Unavailable as reason:
                samples.missing[name] = str(reason)
                samples.values.pop(name, None)
    return samples


def table(figures: Sequence[Figure]) -> str:
    """Return the figures as a Markdown table."""
    head = ("what", "case", "ours", "reference", "its value", "ratio", "goal", "met")
    lines = [
        [
            f.row,
            f.case,
            _number(f.value, f.unit),
            f.reference,
            _number(f.reference_value, f.unit),
            "" if f.ratio is None else f"{f.ratio:.3g}",
            "" if f.goal is None else ("at least " if f.at_least else "at most ") + f"{f.goal:g}",
            {True: "yes", False: "NO", None: ""}[f.met],
        ]
        for f in figures
    ]
    widths = [max(len(line[i]) for line in [list(head), *lines]) for i in range(len(head))]
    rows = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |"
        for line in [list(head), *lines]
    ]
    rows.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    rows += [f"- {f.row}, {f.case}: {f.note}" for f in figures if f.note]
    return "\n".join(rows)


def as_json(figures: Sequence[Figure], machine: Mapping[str, Any]) -> str:
    """Return the figures and the description of the machine as a JSON document."""
    return (
        json.dumps(
            {"machine": dict(machine), "figures": [dict(asdict(figure), met=figure.met) for figure in figures]},
            indent=2,
        )
        + "\n"
    )


def _number(value: float | None, unit: str) -> str:
    if value is None:
        return "-"
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return f"{text} {unit}".strip()
