"""Pictures of a run and of a result, drawn by matplotlib, which is imported when the first one is
asked for.

No window is opened and no setting of matplotlib's is changed.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from biskit_pvm.files import write_atomically
from biskit_pvm.report.history import FAULTS, OUTCOMES, JobRecord
from biskit_pvm.report.timeline import OUTCOME_COLOUR, OUTCOME_TEXT, layout, tick_text, ticks

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure


#: Rows with a label; of more slaves, only every second, third ... is named.
_MAX_LABELS = 200


class PlottingUnavailableError(ImportError):
    """Raised when matplotlib is not there; the text says how to get it."""


def _figure(width: float, height: float) -> Figure:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise PlottingUnavailableError(f"pictures need matplotlib ({error}): pip install matplotlib") from error
    return Figure(figsize=(width, height), layout="constrained")


def plot_timeline(records: Iterable[JobRecord], path: str | os.PathLike[str], title: str = "") -> None:
    """Draw one row per slave and one bar per job, with faults marked.

    Parameters
    ----------
    records : iterable of JobRecord
        As :attr:`.History.records` gives them.
    path : path
        File to write; its ending decides the format, such as .png, .svg or .pdf.
    title : str
        Text above the picture.

    Raises
    ------
    PlottingUnavailableError
        When matplotlib is not installed.
    """
    timeline = layout(records)
    rows = max(1, len(timeline.labels))
    figure = _figure(10, min(1.6 + 0.28 * rows, 40))
    axes = figure.add_subplot()
    bars: dict[str, dict[int, list[tuple[float, float]]]] = {}
    for bar in timeline.bars:
        bars.setdefault(bar.record.outcome, {}).setdefault(bar.row, []).append((bar.start, bar.length))
    # A fault may be too short to see, so each has a mark at its end as well.
    for outcome in filter(bars.__contains__, OUTCOMES):
        by_row = bars[outcome]
        colour, fault = OUTCOME_COLOUR[outcome], outcome in FAULTS
        for row, spans in by_row.items():
            axes.broken_barh(spans, (row - 0.38, 0.76), facecolors=colour, edgecolors="white", linewidth=0.3)
        marks = [(start + length, row) for row, spans in by_row.items() for start, length in spans] if fault else []
        axes.scatter(
            [x for x, _ in marks],
            [y for _, y in marks],
            marker="X" if fault else "s",
            s=55,
            color=colour,
            edgecolors="white",
            linewidths=0.6,
            zorder=3,
            label=OUTCOME_TEXT[outcome],
        )
    axes.set_ylim(rows - 0.4, -0.6)
    every = -(-rows // _MAX_LABELS)
    axes.set_yticks(
        range(0, len(timeline.labels), every),
        timeline.labels[::every],
        fontsize=9 if rows < 40 else 6,
    )
    marks_at = ticks(timeline.length)
    axes.set_xticks(marks_at, [tick_text(s, timeline.length) for s in marks_at])
    axes.set_xlim(-0.01 * timeline.length, 1.01 * timeline.length or 1.0)
    axes.grid(axis="x", alpha=0.3)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(axis="y", length=0)
    if title:
        axes.set_title(title, fontsize=11)
    if bars:
        figure.legend(loc="outside lower center", ncols=len(bars), frameon=False, fontsize=9)
    _save(figure, path)


def plot_matrix(
    matrix: np.ndarray[Any, Any],
    path: str | os.PathLike[str],
    title: str = "",
    label: str = "",
    axis: str = "",
    numbers: Sequence[int] | None = None,
) -> None:
    """Draw a square matrix as a heat map.

    Parameters
    ----------
    matrix : ndarray, shape (n, n)
        The values.
    path : path
        File to write; its ending decides the format.
    title, label, axis : str
        Text above the picture, at the colour scale, and at both axes.
    numbers : sequence of int, optional
        Those of rows and columns, which are counted from 1 by default. There may be more of them
        than rows, which then stand for several each.

    Raises
    ------
    PlottingUnavailableError
        When matplotlib is not installed.
    """
    figure = _figure(6.4, 5.4)
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes = figure.add_subplot()
    names = range(1, len(matrix) + 1) if numbers is None else numbers
    n = len(names)
    image = axes.imshow(matrix, cmap="viridis", interpolation="nearest", extent=(0.5, n + 0.5, n + 0.5, 0.5))
    figure.colorbar(image, ax=axes, label=label)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    for side in (axes.xaxis, axes.yaxis):
        side.set_major_formatter(FuncFormatter(lambda at, _: str(names[round(at) - 1]) if 1 <= at <= n else ""))
    axes.set(xlabel=axis, ylabel=axis, title=title)
    _save(figure, path)


def _save(figure: Figure, path: str | os.PathLike[str]) -> None:
    """Write a picture; an older one is replaced when the new one is whole."""
    name = os.fspath(path)
    kind = os.path.splitext(name)[1][1:].lower()
    if not kind:  # what matplotlib does
        kind = figure.canvas.get_default_filetype()
        name = f"{name.rstrip('.')}.{kind}"
    content = io.BytesIO()
    figure.savefig(content, format=kind, dpi=150)
    write_atomically(name, content.getvalue())
