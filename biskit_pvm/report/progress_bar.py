"""Progress of a calculation on the user's screen: a bar, the old lines, or nothing.

The master's loop calls `started`, `update`, `finished`; it need not know which kind it has. The
hooks `line` and `message` print text: `line` what scripts read from a verbose master, `message`
what a person should see above a bar.
"""

from __future__ import annotations

import atexit
import importlib
import os
import sys
import time
from collections.abc import Mapping
from typing import IO, Any, Callable

from biskit_pvm.report.progress import ProgressState, count, format_rate, format_seconds

KINDS = ("auto", "bar", "lines", "none")

#: Seconds between two drawings of a bar, at least. A loop that handles thousands of jobs a second
#: must not draw each.
_DRAW_INTERVAL = 0.1
_NOTEBOOK_INTERVAL = 0.5


class Progress:
    """Show nothing; the base of the other kinds."""

    #: Whether the old lines of a verbose master are to be printed.
    lines = False

    def started(self, total: int, done: int) -> None:
        """Begin with `total` items of which `done` are finished already."""

    def update(self, done: int, slaves: int, hosts: int) -> None:
        """Take over the number of finished items, of slaves at work and of their hosts; cheap
        enough for every job."""

    def line(self, text: str) -> None:
        """Print one of the old lines, where these are wanted."""

    def message(self, text: str) -> None:
        """Print something that a person should see, without spoiling the bar."""

    def output(self, text: str) -> None:
        """Print lines that slaves have printed, which are wanted whatever is shown of the progress."""
        _write(text, sys.stdout)

    def finished(self) -> None:
        """Show the last state and give the screen back; harmless when called twice or without a
        start."""


class Guarded(Progress):
    """Shows a calculation as another one does, until that fails: then it shows nothing more.

    A closed pipe, a terminal that is gone or a full disk must not end the calculation that is shown.

    Parameters
    ----------
    shown : Progress
    """

    def __init__(self, shown: Progress) -> None:
        self._shown: Progress | None = shown
        self.lines = shown.lines

    def _call(self, method: str, *args: Any) -> None:
        if self._shown is None:
            return
        try:
            getattr(self._shown, method)(*args)
        except Exception as error:
            self._shown, self.lines = None, False
            if isinstance(error, BrokenPipeError):
                _close_pipe()

    def started(self, total: int, done: int) -> None:
        self._call("started", total, done)

    def update(self, done: int, slaves: int, hosts: int) -> None:
        self._call("update", done, slaves, hosts)

    def line(self, text: str) -> None:
        self._call("line", text)

    def message(self, text: str) -> None:
        self._call("message", text)

    def output(self, text: str) -> None:
        self._call("output", text)

    def finished(self) -> None:
        self._call("finished")


def _write(text: str, stream: Any) -> None:
    """Write whole lines, which those of other threads do not tear apart as those of two calls."""
    stream.write(f"{text}\n")
    stream.flush()


def _close_pipe() -> None:
    """Let what is still in the buffer of a broken standard output vanish, so that Python does not complain."""
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
    except (OSError, ValueError, AttributeError):
        pass


class Lines(Progress):
    """Print the lines of a verbose master.

    Parameters
    ----------
    stream : text file, optional
        Where to; by default what is `sys.stdout` at the time of printing.
    """

    lines = True

    def __init__(self, stream: IO[str] | None = None) -> None:
        self._stream = stream

    def line(self, text: str) -> None:
        _write(text, self._stream or sys.stdout)

    message = line


class _Drawn(Progress):
    """Draw a state from time to time; a subclass says how."""

    _interval = _DRAW_INTERVAL

    def __init__(self) -> None:
        self._state: ProgressState | None = None
        self._drawn = 0.0

    def started(self, total: int, done: int) -> None:
        self.finished()
        now = time.monotonic()
        self._state = ProgressState(total, done, now)
        self._drawn = now
        atexit.register(self.finished)
        self._open(self._state)

    def update(self, done: int, slaves: int, hosts: int) -> None:
        state = self._state
        if state is None:
            return
        state.update(done, slaves, hosts)
        now = time.monotonic()
        if now - self._drawn >= self._interval:
            self._drawn = now
            self._draw(state, now)

    def finished(self) -> None:
        state, self._state = self._state, None
        if state is not None:
            atexit.unregister(self.finished)
            self._draw(state, time.monotonic())
            self._close()

    def output(self, text: str) -> None:
        self.message(text)

    def _open(self, state: ProgressState) -> None:
        raise NotImplementedError

    def _draw(self, state: ProgressState, now: float) -> None:
        raise NotImplementedError

    def _close(self) -> None:
        raise NotImplementedError


class Bar(_Drawn):
    """Draw a bar in a terminal: items done, rate, time left, slaves and hosts at work.

    Parameters
    ----------
    stream : text file
        The terminal.
    """

    def __init__(self, stream: IO[str]) -> None:
        super().__init__()
        self._stream = stream
        self._bar: Any = None
        self._task: Any = None

    def _open(self, state: ProgressState) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        # rich looks once a second, for the clock; everything else is drawn when there is news.
        self._bar = Progress(
            BarColumn(bar_width=None),
            TextColumn("{task.completed:.0f}/{task.total:.0f} items"),
            TextColumn("{task.fields[rate]}"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            TextColumn("{task.fields[workers]}"),
            console=Console(file=self._stream),
            refresh_per_second=1,
            expand=True,
        )
        self._task = self._bar.add_task("", total=state.total, completed=state.done, rate="", left="", workers="")
        self._bar.start()

    def _draw(self, state: ProgressState, now: float) -> None:
        self._bar.update(
            self._task,
            completed=state.done,
            rate=format_rate(state.rate(now)),
            left=f"{format_seconds(state.time_left(now))} left" if state.done < state.total else "",
            workers=f"{count(state.slaves, 'slave')}/{count(state.hosts, 'host')}" if state.slaves else "",
            refresh=True,
        )

    def _close(self) -> None:
        self._bar.stop()

    def message(self, text: str) -> None:
        if self._state is not None:
            self._bar.console.print(text, markup=False, highlight=False)
        else:
            _write(text, self._stream)


class NotebookBar(_Drawn):
    """Draw a bar under a Jupyter cell, with nothing but what every notebook can show."""

    _interval = _NOTEBOOK_INTERVAL

    def __init__(self) -> None:
        super().__init__()
        self._ipython: Any = None
        self._handle: Any = None

    def _html(self, state: ProgressState, now: float) -> str:
        return (
            f'<progress value="{state.done}" max="{max(state.total, 1)}" style="width: 20em">'
            f"</progress> {state.text(now)}"
        )

    def _open(self, state: ProgressState) -> None:
        self._ipython = importlib.import_module("IPython.display")
        first = self._ipython.HTML(self._html(state, time.monotonic()))
        self._handle = self._ipython.display(first, display_id=True)

    def _draw(self, state: ProgressState, now: float) -> None:
        self._handle.update(self._ipython.HTML(self._html(state, now)))

    def _close(self) -> None:
        pass

    def message(self, text: str) -> None:
        _write(text, sys.stdout)


def make_progress(
    kind: str = "auto",
    verbose: int = 1,
    stream: IO[str] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Progress:
    """Return the kind of progress that fits the place where it is shown.

    Parameters
    ----------
    kind : str
        'bar' asks for a bar in a terminal or notebook, 'lines' for the lines of a verbose master,
        'none' for nothing. 'auto' takes a bar where there is a terminal or notebook, the lines
        elsewhere.
    verbose : int
        0 shows nothing, whatever the kind.
    stream : text file, optional
        Where to print; `sys.stdout` by default.
    environ : mapping, optional
        The environment, in place of `os.environ`.

    Returns
    -------
    Progress
        Nothing is shown before its `started` is called.

    Raises
    ------
    ValueError
        For another kind.
    """
    if kind not in KINDS:
        raise ValueError(f"progress is one of {', '.join(map(repr, KINDS))}, not {kind!r}")
    environ = os.environ if environ is None else environ
    if not verbose or kind == "none":
        return Progress()
    if kind == "lines":
        return Lines(stream)
    bar = None if "PVMEPID" in environ else _bar_for(stream or sys.stdout, environ)
    if bar is not None:
        return bar()
    return Lines(stream) if kind == "auto" else Progress()


def _bar_for(stream: IO[str], environ: Mapping[str, str]) -> Callable[[], Progress] | None:
    """Return what makes a bar on this stream, or None where none can be drawn."""
    if type(stream).__module__.startswith("ipykernel."):
        return NotebookBar
    try:
        terminal = stream.isatty() and environ.get("TERM", "dumb") != "dumb"
    except (AttributeError, ValueError):  # not a real file, or closed
        terminal = False
    return (lambda: Bar(stream)) if terminal else None
