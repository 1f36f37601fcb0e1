"""A run laid out, drawn, and told as a page."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from biskit_pvm.report.history import DONE, FAILED, LOST, OUTCOMES, History, JobRecord
from biskit_pvm.report.page import MAX_SHOWN, Run, page
from biskit_pvm.report.timeline import OUTCOME_COLOUR, OUTCOME_TEXT, layout, tick_text, ticks


def _record(nickname: str = "node_0", start: float = 100.0, end: float = 101.0, **more: object) -> JobRecord:
    return JobRecord(1, nickname, "node", start, end, 5)._replace(**more)


def test_every_outcome_has_a_name_and_a_colour():
    assert set(OUTCOME_TEXT) == set(OUTCOME_COLOUR) == set(OUTCOMES)


def test_rows_are_slaves_by_name_and_bars_count_from_the_first_start():
    timeline = layout([_record("node_10", 100.5, 102), _record("node_9", 100, 101)])
    assert timeline.labels == ("node_9", "node_10")
    assert (timeline.origin, timeline.length) == (100, 2)
    assert [(b.row, b.start, b.length) for b in timeline.bars] == [(0, 0, 1), (1, 0.5, 1.5)]


def test_the_host_is_named_where_the_nickname_does_not():
    assert layout([_record("worker")]).labels == ("worker (node)",)


def test_a_replacement_continues_the_row():
    timeline = layout([_record(tid=1, outcome=LOST), _record(tid=2, start=102, end=103)])
    assert timeline.labels == ("node_0",)
    assert [b.row for b in timeline.bars] == [0, 0]


def test_a_bar_tells_what_it_stands_for():
    bar = layout([_record(jobs=4, items=20), _record("node_1", 100.25, 101, outcome=FAILED, items=1)]).bars
    assert sorted(b.text() for b in bar) == [
        "node_0: 4 jobs with 20 items, done, 0.000 s + 1.000 s",
        "node_1: 1 item, failed, 0.250 s + 0.750 s",
    ]


def test_an_empty_run_has_no_bars():
    assert layout([]) == (0.0, 0.0, (), ())


@pytest.mark.parametrize("length", [0, 1e-6, 0.3, 7, 59, 600, 86400, 1e7, 1e10])
def test_ticks_are_few_and_within_the_run(length: float):
    marks = ticks(length)
    assert marks[0] == 0
    assert 1 <= len(marks) <= 9
    assert marks[-1] <= length
    texts = [tick_text(mark, length) for mark in marks]
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize("seconds, length, text", [(2, 10, "2 s"), (90, 400, "0:01:30"), (5400, 90000, "1:30 h")])
def test_ticks_are_readable(seconds: float, length: float, text: str):
    assert tick_text(seconds, length) == text


def _run(**changes: object) -> Run:
    log = History()
    log.add(0x40002, "node_0", "node", 1000.0, 1002.0, 5)
    log.add(
        0x40003,
        "node_1",
        "node",
        1000.5,
        1001.0,
        5,
        FAILED,
        "Traceback ...\nValueError: <script>alert(1)</script>",
    )
    log.add(0x40003, "node_1", "node", 1001.0, 1004.0, 5, LOST, "")
    run = Run(
        "Master",
        1000.0,
        1004.0,
        10,
        5,
        log.records,
        log.totals,
        {"item <7>": "ValueError: bad & worse"},
    )
    return run._replace(**changes)


class _Reader(HTMLParser):
    """Collect the page's elements, and see that they are closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_the_page_tells_who_did_what_and_what_went_wrong():
    read = _Reader(page(_run()))
    rects = [attrs["class"] for tag, attrs in read.elements if tag == "rect"]
    assert sorted(rects) == [DONE, FAILED, LOST]
    text = " ".join(read.texts)
    assert "5 of 10" in text
    assert "2 on 1 host" in text
    assert "ValueError: <script>alert(1)</script>" in text
    assert "item <7>" in text
    assert re.search(r"node_1 node t40003 2 0 1\.750 s 88% 2", text)


def test_the_page_needs_nothing_else():
    text = page(_run())
    read = _Reader(text)
    assert not [tag for tag, _ in read.elements if tag in ("script", "link", "img", "iframe")]
    assert not [a for _, attrs in read.elements for a in attrs if a in ("src", "href") or a.startswith("on")]
    assert "url(" not in text
    assert "@import" not in text


def test_the_page_of_an_empty_run():
    text = " ".join(_Reader(page(_run(records=[], totals=[], errors={}, done=0, total=0))).texts)
    assert "No job was finished." in text
    assert "Faults" not in text


def test_a_page_of_very_many_jobs_stays_small():
    log = History()
    for i in range(100_000):
        log.add(i % 50, f"n_{i % 50}", "n", i, i + 50, 1, FAILED if i % 100 == 0 else DONE, "x" * 1000)
    text = page(_run(records=log.records, totals=log.totals))
    assert len(text) < 3_000_000
    assert f"and {1000 - MAX_SHOWN} more" in text
    assert "one bar can stand for several" in text
