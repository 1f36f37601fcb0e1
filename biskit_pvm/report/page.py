"""The report of a run as one HTML page that needs no other file and no network.

Everything that comes from a run (names, tracebacks, items) is escaped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from typing import NamedTuple

from biskit_pvm.report.history import FAULTS, JobRecord, SlaveTotals
from biskit_pvm.report.progress import count, format_rate, format_seconds
from biskit_pvm.report.timeline import OUTCOME_COLOUR, OUTCOME_TEXT, Timeline, layout, tick_text, ticks

#: Failed items and faults that the page shows with their text.
MAX_SHOWN = 200

_NONE = "\N{EN DASH}"


class Run(NamedTuple):
    """What the page tells of.

    Attributes
    ----------
    title : str
        The master's class, say.
    started, ended : float
        Start of the first and end of the last job, in seconds since the epoch.
    total, done : int
        Items of the calculation, and those finished.
    records : sequence of JobRecord
    totals : sequence of SlaveTotals
    errors : mapping
        {item as text: traceback or reason} of the items that failed.
    """

    title: str
    started: float
    ended: float
    total: int
    done: int
    records: Sequence[JobRecord]
    totals: Sequence[SlaveTotals]
    errors: Mapping[str, str]


def page(run: Run) -> str:
    """Return the report as a complete HTML document."""
    title = escape(run.title)
    parts = [
        f"<h1>{title}</h1>",
        _summary(run),
        "<h2>Who did what, when</h2>",
        _timeline(layout(run.records)),
        "<h2>Slaves</h2>",
        _slaves(run),
        *_errors(run),
        *_faults(run),
    ]
    body = "\n".join(parts)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{title}</title>\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>\n{_STYLE}{_colours()}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _summary(run: Run) -> str:
    seconds = max(0.0, run.ended - run.started)
    jobs = sum(t.jobs for t in run.totals)
    faults = sum(t.faults for t in run.totals)
    busy = sum(t.busy for t in run.totals)
    hosts = len({t.host for t in run.totals})
    cells = [
        ("first job", _clock(run.started)),
        ("last result", _clock(run.ended)),
        ("took", f"{seconds:.2f} s" if seconds < 60 else format_seconds(seconds)),
        ("items done", f"{run.done} of {run.total}"),
        ("jobs", str(jobs)),
        (
            "rate",
            format_rate(run.done / seconds if seconds and run.done else None).replace("/", " items/") or _NONE,
        ),
        ("slaves", f"{len(run.totals)} on {count(hosts, 'host')}"),
        (
            "busy",
            f"{busy / seconds / len(run.totals):.0%}" if seconds and run.totals else _NONE,
        ),
        ("faults", str(faults)),
        ("failed items", str(len(run.errors))),
    ]
    return (
        '<dl class="summary">'
        + "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in cells)
        + "</dl>"
    )


def _clock(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).isoformat(" ", "seconds") if seconds else _NONE


def _timeline(timeline: Timeline) -> str:
    if not timeline.bars:
        return "<p>No job was finished.</p>"
    row, width, top = 20, 1000, 6
    labels = [label if len(label) <= 30 else label[:29] + "…" for label in timeline.labels]
    left = 20 + 6.2 * max(map(len, labels))
    bottom = top + row * len(timeline.labels)
    length = timeline.length or 1.0
    scale = (width - left - 30) / length
    svg = [
        f'<svg id="timeline" viewBox="0 0 {width} {bottom + 30}" role="img" '
        'aria-label="One row per slave, one bar per job">'
    ]
    for seconds in ticks(length):
        x = left + seconds * scale
        svg.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{bottom}"/>')
        svg.append(f'<text class="tick" x="{x:.1f}" y="{bottom + 16}">{tick_text(seconds, length)}</text>')
    for i, label in enumerate(labels):
        y = top + row * i + 14
        svg.append(f'<text class="label" x="{left - 8:.1f}" y="{y}">{escape(label)}</text>')
    for bar in timeline.bars:
        outcome = bar.record.outcome
        # A bar narrower than this would not be seen; a fault must be.
        w = max(bar.length * scale - 0.5, 3.0 if outcome in FAULTS else 0.7)
        x, y = left + bar.start * scale, top + row * bar.row + 3
        svg.append(
            f'<rect class="{outcome}" x="{x:.2f}" y="{y}" width="{w:.2f}" height="{row - 6}">'
            f"<title>{escape(bar.text())}</title></rect>"
        )
    svg.append("</svg>")
    used = {bar.record.outcome for bar in timeline.bars}
    legend = "".join(
        f'<span><i class="{outcome}"></i>{escape(text)}</span>'
        for outcome, text in OUTCOME_TEXT.items()
        if outcome in used
    )
    joined = ""
    if any(bar.record.jobs > 1 for bar in timeline.bars):
        joined = "<p>There were many jobs; one bar can stand for several successive ones.</p>"
    return f'<div class="scroll">{"".join(svg)}</div>\n<p class="legend">{legend}</p>{joined}'


def _slaves(run: Run) -> str:
    head = ("slave", "host", "tid", "jobs", "items", "mean time", "busy", "faults")
    seconds = run.ended - run.started
    rows = []
    for t in run.totals:
        share = f"{t.busy / seconds:.0%}" if seconds > 0 else _NONE
        cells = (
            t.nickname,
            t.host,
            f"t{t.tid:x}",
            t.jobs,
            t.items,
            f"{t.mean:.3f} s",
            share,
            t.faults,
        )
        rows.append("<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in cells) + "</tr>")
    if not rows:
        return "<p>No slave has finished a job.</p>"
    heading = "".join(f"<th>{name}</th>" for name in head)
    return f'<table id="slaves"><thead><tr>{heading}</tr></thead><tbody>{"".join(rows)}</tbody></table>'


def _errors(run: Run) -> list[str]:
    if not run.errors:
        return []
    shown = list(run.errors.items())[:MAX_SHOWN]
    return [
        "<h2>Failed items</h2>",
        "<p>These failed each time they were tried.</p>",
        *(_details("error", item, text) for item, text in shown),
        _more(len(run.errors) - len(shown)),
    ]


def _faults(run: Run) -> list[str]:
    faults = [r for r in run.records if r.outcome in FAULTS]
    number = sum(t.faults for t in run.totals)
    if not number:
        return []
    shown = faults[:MAX_SHOWN]
    parts = ["<h2>Faults</h2>"]
    for r in shown:
        what = f"{OUTCOME_TEXT[r.outcome]}: {r.nickname}, {count(r.items, 'item')}, "
        when = f"{r.start - run.started:.3f} s to {r.end - run.started:.3f} s after the start"
        parts.append(_details(r.outcome, what + when, r.error))
    return [*parts, _more(number - len(shown))]


def _details(kind: str, summary: str, text: str) -> str:
    if not text:
        return f'<p class="fault"><i class="{kind}"></i>{escape(summary)}</p>'
    return f'<details><summary><i class="{kind}"></i>{escape(summary)}</summary><pre>{escape(text)}</pre></details>'


def _more(number: int) -> str:
    return f"<p>… and {number} more.</p>" if number > 0 else ""


def _colours() -> str:
    return "".join(f"rect.{o} {{ fill: {c} }} i.{o} {{ background: {c} }}\n" for o, c in OUTCOME_COLOUR.items())


_STYLE = """\
:root { color-scheme: light dark; --line: #8884; --soft: #8881; }
body { font: 15px/1.45 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto; padding: 0 1rem;
} h1 { font-size: 1.6rem; margin: 0 0 1rem; } h2 { font-size: 1.15rem; margin: 2rem 0 .6rem; }
dl.summary { display: grid; grid-template-columns: repeat(auto-fill, minmax(11.5rem, 1fr)); gap:
.5rem; margin: 0; } dl.summary div { background: var(--soft); border-radius: 6px; padding: .5rem
.75rem; } dt { opacity: .7; font-size: .82rem; } dd { margin: 0; font-variant-numeric: tabular-nums;
} .scroll { overflow-x: auto; } svg { width: 100%; min-width: 40rem; height: auto; } svg text {
font-size: 11px; fill: currentColor; } .label { text-anchor: end; } .tick { text-anchor: middle;
opacity: .7; } .grid { stroke: var(--line); } rect:hover { opacity: .7; } i { display: inline-block;
width: .8em; height: .8em; border-radius: 2px; margin-right: .4em; background: #c9382c; } .legend
span { margin-right: 1.2rem; font-size: .85rem; } table { border-collapse: collapse; width: 100%;
font-variant-numeric: tabular-nums; } th, td { text-align: right; padding: .3rem .6rem;
border-bottom: 1px solid var(--line); } th:nth-child(-n+2), td:nth-child(-n+2) { text-align: left; }
th { font-weight: 600; } details, .fault { border-bottom: 1px solid var(--line); padding: .35rem 0;
margin: 0; } summary { cursor: pointer; } pre { background: var(--soft); padding: .75rem;
border-radius: 6px; overflow-x: auto; font-size: .82rem; }
"""
