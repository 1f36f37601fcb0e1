"""Progress as numbers, as text, and drawn on a terminal."""

from __future__ import annotations

import io
import os
import pty
import re
import select
import sys
import threading
from typing import Callable

import pytest

from biskit_pvm.report.progress import (
    ProgressState,
    format_rate,
    format_seconds,
    left_line,
    processing_line,
    report_lines,
    spawned_line,
)
from biskit_pvm.report.progress_bar import Bar, Lines, Progress, make_progress


def test_rate_and_time_left():
    state = ProgressState(total=100, done=0, now=10.0)
    assert state.rate(10.0) is None
    assert state.time_left(11.0) is None
    state.update(20, slaves=4, hosts=2)
    assert state.rate(20.0) == 2.0
    assert state.time_left(20.0) == 40.0
    assert state.text(20.0) == "20/100 items, 2/s, 0:40 left, 4 slaves on 2 hosts"


def test_items_done_before_a_restart_do_not_count_for_the_rate():
    state = ProgressState(total=100, done=50, now=0.0)
    state.update(60, slaves=1, hosts=1)
    assert state.rate(10.0) == 1.0
    assert state.time_left(10.0) == 40.0


def test_nothing_to_do_takes_no_time():
    state = ProgressState(total=0, done=0, now=0.0)
    assert state.time_left(0.0) == 0.0
    assert state.text(1.0) == "0/0 items, 0:01 in all, 0 slaves on 0 hosts"


@pytest.mark.parametrize(
    "rate, text",
    [
        (None, ""),
        (12345.6, "12346/s"),
        (2.5, "2.5/s"),
        (0.5, "30/min"),
        (1 / 600, "6/h"),
        (1e-5, "0.036/h"),
    ],
)
def test_rates_are_readable(rate: float, text: str):
    assert format_rate(rate) == text


@pytest.mark.parametrize(
    "seconds, text",
    [
        (None, "-:--"),
        (0.4, "0:00"),
        (59.6, "1:00"),
        (754, "12:34"),
        (10800, "3:00:00"),
        (183845, "2 d 03:04:05"),
    ],
)
def test_durations_are_readable(seconds: float, text: str):
    assert format_seconds(seconds) == text


def test_old_lines_read_as_ever():
    assert processing_line(100) == "Processing 100 items ..."
    assert spawned_line(262146, "node_0") == "262146 node_0 spawned."
    assert left_line(262146, "node_0", 90) == "262146 (node_0) 90 items left"
    assert report_lines({"node_0": {"given": 10, "done": 9, "time": 1.234, "timeStart": 0.0}}) == [
        "host                     \tgiven\tdone\t  time",
        "node_0                   \t10\t9\t  1.23 s",
    ]


class _Terminal:
    """Run code against a real pseudo terminal and collect what it prints."""

    def __init__(self) -> None:
        self._master, self._slave = pty.openpty()
        self.stream = open(self._slave, "w", closefd=False)
        self._text = bytearray()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        while select.select([self._master], [], [], 30)[0]:
            try:
                data = os.read(self._master, 4096)
            except OSError:
                break
            if not data:
                break
            self._text += data

    def text(self) -> str:
        self.stream.close()
        os.close(self._slave)
        self._reader.join()
        os.close(self._master)
        return self._text.decode()


def _calculation(progress: Progress, total: int = 50) -> None:
    progress.started(total, 0)
    for done in range(total + 1):
        progress.update(done, 4, 2)
    progress.line("1 (node_0) 9 items left")
    progress.message("slave node_1 has died")
    progress.finished()
    progress.finished()


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> _Terminal:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    for name in ("NO_COLOR", "FORCE_COLOR", "PVMEPID"):
        monkeypatch.delenv(name, raising=False)
    return _Terminal()


def test_a_terminal_gets_a_bar(terminal: _Terminal):
    progress = make_progress(stream=terminal.stream)
    assert isinstance(progress, Bar)
    _calculation(progress)
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.text())
    assert "50/50 items" in plain
    assert "4 slaves/2 hosts" in plain
    assert "slave node_1 has died" in plain
    assert "items left" not in plain


def test_the_cursor_is_given_back(terminal: _Terminal):
    _calculation(make_progress(stream=terminal.stream))
    text = terminal.text()
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")


def test_a_bar_serves_a_second_calculation(terminal: _Terminal):
    progress = make_progress(stream=terminal.stream)
    _calculation(progress, 50)
    _calculation(progress, 70)
    text = terminal.text()
    assert "50/50" in text
    assert "70/70" in text


def test_a_fast_calculation_draws_little(terminal: _Terminal):
    _calculation(make_progress(stream=terminal.stream), 20_000)
    assert len(terminal.text()) < 10_000


@pytest.mark.parametrize(
    "make",
    [
        lambda stream: make_progress("auto", 0, stream),
        lambda stream: make_progress("bar", 0, stream),
        lambda stream: make_progress("none", 1, stream),
        lambda stream: make_progress("lines", 0, stream),
        lambda stream: make_progress("bar", 1, stream, {"PVMEPID": "1", "TERM": "xterm"}),
        lambda stream: make_progress("bar", 1, io.StringIO()),
    ],
)
def test_quiet_where_nothing_is_wanted(make: Callable[[object], Progress], terminal: _Terminal):
    _calculation(make(terminal.stream))
    assert terminal.text() == ""


def test_no_bar_outside_a_terminal():
    stream = io.StringIO()
    progress = make_progress(stream=stream)
    assert isinstance(progress, Lines)
    _calculation(progress)
    assert stream.getvalue() == "1 (node_0) 9 items left\nslave node_1 has died\n"


def test_no_bar_in_a_dumb_terminal(terminal: _Terminal):
    progress = make_progress(stream=terminal.stream, environ={"TERM": "dumb"})
    terminal.text()
    assert isinstance(progress, Lines)


def test_lines_follow_a_redirected_stdout(monkeypatch: pytest.MonkeyPatch):
    progress = make_progress("lines")
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    progress.line("hello")
    assert stream.getvalue() == "hello\n"


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="'auto', 'bar', 'lines', 'none'"):
        make_progress("ticker")
