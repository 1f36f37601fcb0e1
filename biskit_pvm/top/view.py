"""The live view of a virtual machine as a state: what is seen, what a key does, how it looks.

:func:`survey` merges what is known into a :class:`Snapshot`; :func:`press` answers a key with the
next :class:`View` and sometimes an order; :func:`render` gives the screen as lines. Nothing here
reads a key or writes to a screen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Union

from biskit_pvm.jobs.bulletin import Bulletin, SlaveStatus
from biskit_pvm.machine.inventory import Host, Load, Task
from biskit_pvm.report.progress import ProgressState, count, format_rate, format_seconds

HOSTS, TASKS = "hosts", "tasks"

#: Key names beside plain characters.
UP, DOWN, PAGE_UP, PAGE_DOWN, HOME, END, TAB = "up", "down", "page-up", "page-down", "home", "end", "tab"


class HostRow(NamedTuple):
    """A host as it is shown; `load` and `cpus` are None where they are not known."""

    name: str
    load: float | None
    cpus: int | None
    tasks: int
    speed: int
    arch: str


class TaskRow(NamedTuple):
    """A task as it is shown; what only slaves have is None for others.

    `mean` is the average time of a job, `heard` how long ago its master heard of it, both in s.
    """

    tid: int
    host: str
    name: str
    state: str
    jobs: int | None
    mean: float | None
    heard: float | None
    master: str


class CalculationRow(NamedTuple):
    """A running calculation as it is shown."""

    tid: int
    name: str
    host: str
    done: int
    total: int
    failed: int
    slaves: int
    text: str


class Snapshot(NamedTuple):
    """All that is shown, at one time (s since the epoch)."""

    time: float
    hosts: tuple[HostRow, ...] = ()
    tasks: tuple[TaskRow, ...] = ()
    calculations: tuple[CalculationRow, ...] = ()


class Quit(NamedTuple):
    """Leave the view."""


class DeleteHost(NamedTuple):
    """Delete a host, and so end its tasks."""

    name: str


class KillTask(NamedTuple):
    """End a task."""

    tid: int


Order = Union[Quit, DeleteHost, KillTask]


class View(NamedTuple):
    """Where the person is.

    Attributes
    ----------
    focus : str
        The table that keys act on: 'hosts' or 'tasks'.
    host, tid
        What is selected in each table; it stays selected when rows move.
    sort : tuple
        Column by which each table is sorted: (of hosts, of tasks).
    reverse : tuple of bool
        Whether each table is sorted downwards.
    asked : Order or None
        What is done when the question on the screen is answered with y.
    """

    focus: str = TASKS
    host: str = ""
    tid: int = 0
    sort: tuple[str, str] = ("host", "tid")
    reverse: tuple[bool, bool] = (False, False)
    asked: Order | None = None


class Column(NamedTuple):
    """A column of a table: heading, width, how to show a row's entry, and what to sort it by."""

    name: str
    width: int
    show: Callable[[Any], str]
    key: Callable[[Any], Any]


def _known(value: float | None) -> float:
    return -1.0 if value is None else value


HOST_COLUMNS = (
    Column("host", -24, lambda r: r.name, lambda r: r.name),
    Column("load", 6, lambda r: "-" if r.load is None else f"{r.load:.2f}", lambda r: _known(r.load)),
    Column("cpus", 5, lambda r: "-" if r.cpus is None else str(r.cpus), lambda r: _known(r.cpus)),
    Column("tasks", 6, lambda r: str(r.tasks), lambda r: r.tasks),
    Column("speed", 6, lambda r: str(r.speed), lambda r: r.speed),
    Column("arch", -12, lambda r: r.arch, lambda r: r.arch),
)
TASK_COLUMNS = (
    Column("tid", 8, lambda r: f"{r.tid:x}", lambda r: r.tid),
    Column("host", -16, lambda r: r.host, lambda r: r.host),
    Column("state", -9, lambda r: r.state, lambda r: r.state),
    Column("jobs", 7, lambda r: "-" if r.jobs is None else str(r.jobs), lambda r: _known(r.jobs)),
    Column("mean", 9, lambda r: "-" if not r.mean else f"{r.mean:.3g} s", lambda r: _known(r.mean)),
    Column("heard", 7, lambda r: _ago(r.heard), lambda r: _known(r.heard)),
    Column("master", -16, lambda r: r.master, lambda r: r.master),
    Column("name", -30, lambda r: r.name, lambda r: r.name),
)


def _ago(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds:.0f} s" if seconds < 60 else format_seconds(seconds)


def survey(
    now: float,
    hosts: Iterable[Host],
    tasks: Iterable[Task],
    loads: Mapping[str, Load],
    bulletins: Iterable[tuple[int, Bulletin]],
) -> Snapshot:
    """Merge what is known of a virtual machine.

    Parameters
    ----------
    now : float
        Time in seconds since the epoch.
    hosts, tasks : iterables
        What PVM tells.
    loads : mapping
        {host name: Load}, where known.
    bulletins : iterable of (int, Bulletin)
        What masters have posted, with the tid of the task that posted it; of two by one master,
        the later one counts.
    """
    tasks = list(tasks)
    latest: dict[int, Bulletin] = {}
    agents: dict[int, Bulletin] = {}
    for poster, bulletin in sorted(bulletins, key=lambda pair: pair[1].posted):
        latest[bulletin.tid] = bulletin
        if poster != bulletin.tid:
            agents[poster] = bulletin
    there = {task.tid for task in tasks}
    calculations = [b for tid, b in sorted(latest.items()) if tid in there]
    slaves = {s.tid: (s, b) for b in calculations for s in b.slaves}
    number: dict[str, int] = {}
    for task in tasks:
        number[task.host] = number.get(task.host, 0) + 1
    return Snapshot(
        now,
        tuple(
            HostRow(
                h.name,
                loads[h.name].average if h.name in loads else None,
                loads[h.name].cpus if h.name in loads else None,
                number.get(h.name, 0),
                h.speed,
                h.arch,
            )
            for h in hosts
        ),
        tuple(_task_row(task, now, slaves, latest, agents) for task in tasks),
        tuple(_calculation_row(b) for b in calculations),
    )


def _task_row(
    task: Task,
    now: float,
    slaves: Mapping[int, tuple[SlaveStatus, Bulletin]],
    masters: Mapping[int, Bulletin],
    agents: Mapping[int, Bulletin],
) -> TaskRow:
    if task.tid in slaves:
        slave, master = slaves[task.tid]
        heard = max(0.0, now - slave.heard) if slave.heard else None
        return TaskRow(task.tid, task.host, slave.nickname, slave.state, slave.jobs, slave.mean, heard, master.name)
    if task.tid in masters:
        name = masters[task.tid].name
        return TaskRow(task.tid, task.host, name, "master", None, None, None, name)
    if task.tid in agents:
        name = agents[task.tid].name
        return TaskRow(task.tid, task.host, "-", "agent", None, None, None, name)
    name = task.name.rpartition("/")[2] or f"process {task.pid}"
    return TaskRow(task.tid, task.host, name, "-", None, None, None, "-")


def _calculation_row(b: Bulletin) -> CalculationRow:
    state = ProgressState(b.total, 0, b.started)
    state.update(b.done, len(b.slaves), 0)
    rate, left = format_rate(state.rate(b.posted)), state.time_left(b.posted)
    text = ", ".join(part for part in (rate, f"{format_seconds(left)} left") if part)
    return CalculationRow(b.tid, b.name, b.host, b.done, b.total, b.failed, len(b.slaves), text)


def rows(view: View, snapshot: Snapshot, table: str) -> list[Any]:
    """Return the rows of a table in the order in which they are shown."""
    which = 0 if table == HOSTS else 1
    columns = HOST_COLUMNS if table == HOSTS else TASK_COLUMNS
    key = next(c.key for c in columns if c.name == view.sort[which])
    unsorted: Sequence[Any] = snapshot.hosts if table == HOSTS else snapshot.tasks
    # Rows that are equal keep one order, so that they do not change places on each drawing.
    return sorted(sorted(unsorted, key=lambda r: r[0]), key=key, reverse=view.reverse[which])


def settle(view: View, snapshot: Snapshot) -> View:
    """Return the view with a row selected in each table that has rows."""
    hosts, tasks = rows(view, snapshot, HOSTS), rows(view, snapshot, TASKS)
    if hosts and view.host not in [r.name for r in hosts]:
        view = view._replace(host=hosts[0].name)
    if tasks and view.tid not in [r.tid for r in tasks]:
        view = view._replace(tid=tasks[0].tid)
    return view


def press(view: View, key: str, snapshot: Snapshot, page: int = 10) -> tuple[View, Order | None]:
    """Answer a key.

    Parameters
    ----------
    view : View
    key : str
        A character, or one of the names above.
    snapshot : Snapshot
    page : int
        Rows that the page keys move by.

    Returns
    -------
    View
        The next one.
    Order or None
        What is to be done.
    """
    view = settle(view, snapshot)
    if view.asked is not None:
        return view._replace(asked=None), view.asked if key in ("y", "Y") else None
    which = 0 if view.focus == HOSTS else 1
    steps = {UP: -1, DOWN: 1, PAGE_UP: -page, PAGE_DOWN: page, HOME: -(10**9), END: 10**9}
    if key in steps:
        view = _move(view, rows(view, snapshot, view.focus), steps[key])
    elif key == "q":
        return view, Quit()
    elif key == TAB:
        view = view._replace(focus=TASKS if view.focus == HOSTS else HOSTS)
    elif key == "s":
        names = [c.name for c in (HOST_COLUMNS if view.focus == HOSTS else TASK_COLUMNS)]
        after = names[(names.index(view.sort[which]) + 1) % len(names)]
        view = view._replace(sort=_put(view.sort, which, after))
    elif key == "r":
        view = view._replace(reverse=_put(view.reverse, which, not view.reverse[which]))
    elif key == "d" and view.focus == HOSTS and snapshot.hosts:
        view = view._replace(asked=DeleteHost(view.host))
    elif key == "k" and view.focus == TASKS and snapshot.tasks:
        view = view._replace(asked=KillTask(view.tid))
    return view, None


def _put(pair: tuple[Any, Any], which: int, value: Any) -> tuple[Any, Any]:
    return (value, pair[1]) if which == 0 else (pair[0], value)


def _move(view: View, shown: Sequence[Any], step: int) -> View:
    if not shown:
        return view
    now = next(i for i, r in enumerate(shown) if r[0] in ((view.host,) if view.focus == HOSTS else (view.tid,)))
    there = shown[max(0, min(len(shown) - 1, now + step))]
    return view._replace(host=there.name) if view.focus == HOSTS else view._replace(tid=there.tid)


#: Styles of lines.
TITLE, HEAD, PLAIN, SELECTED, BUSY, QUESTION, KEYS = "title", "head", "plain", "selected", "busy", "question", "keys"


class Line(NamedTuple):
    """One line of the screen and its style."""

    text: str
    style: str = PLAIN


def render(view: View, snapshot: Snapshot | None, width: int, height: int, note: str = "") -> list[Line]:
    """Return the screen.

    Parameters
    ----------
    view : View
    snapshot : Snapshot or None
        None before the first one is there.
    width, height : int
        Of the screen, in characters.
    note : str
        Something that the person should know, such as what the last order led to.

    Returns
    -------
    list of Line
        `height` lines, none longer than `width`.
    """
    if snapshot is None:
        lines = [Line(note or "asking the pvmd ...", BUSY)]
    else:
        lines = _body(settle(view, snapshot), snapshot, height - 2, note)
    lines = lines[: max(0, height - 2)]
    lines += [Line("")] * (height - 2 - len(lines))
    lines += _foot(view, snapshot, note)
    return [Line(line.text[:width], line.style) for line in lines[-height:]]


def _foot(view: View, snapshot: Snapshot | None, note: str) -> list[Line]:
    asked = view.asked
    keys = Line("tab other table  arrows select  s sort  r reverse  d delete host  k kill task  q quit", KEYS)
    if isinstance(asked, DeleteHost):
        number = sum(t.host == asked.name for t in snapshot.tasks) if snapshot else 0
        return [Line(f"Delete host {asked.name} and end {count(number, 'task')} on it? (y/n)", QUESTION), keys]
    if isinstance(asked, KillTask):
        return [Line(f"End task {asked.tid:x}? (y/n)", QUESTION), keys]
    return [Line(note if snapshot else "", BUSY), keys]


def _body(view: View, snapshot: Snapshot, height: int, note: str) -> list[Line]:
    title = (
        f"biskit-pvm top: {count(len(snapshot.hosts), 'host')}, {count(len(snapshot.tasks), 'task')}, "
        f"{count(len(snapshot.calculations), 'calculation')}"
    )
    lines = [Line(title, TITLE)]
    for c in snapshot.calculations:
        failed = f", {c.failed} failed" if c.failed else ""
        lines.append(
            Line(
                f"  {c.name} (t{c.tid:x} on {c.host}): {c.done}/{c.total} items{failed}, {c.text}, "
                f"{count(c.slaves, 'slave')}"
            )
        )
    # The tables share what is left; hosts get no more than they need.
    left = height - len(lines) - 4
    for_hosts = max(1, min(len(snapshot.hosts), left // 2))
    lines.append(Line(""))
    lines += _table(view, snapshot, HOSTS, for_hosts)
    lines.append(Line(""))
    lines += _table(view, snapshot, TASKS, max(1, left - for_hosts))
    return lines


def _table(view: View, snapshot: Snapshot, table: str, height: int) -> list[Line]:
    columns, which = (HOST_COLUMNS, 0) if table == HOSTS else (TASK_COLUMNS, 1)
    arrow = "v" if view.reverse[which] else "^"
    head = [c.name + (arrow if c.name == view.sort[which] else "") for c in columns]
    lines = [Line((">" if view.focus == table else " ") + _fit(columns, head), HEAD)]
    shown = rows(view, snapshot, table)
    selected = view.host if table == HOSTS else view.tid
    at = next((i for i, r in enumerate(shown) if r[0] == selected), 0)
    first = max(0, min(at - height // 2, len(shown) - height))
    for row in shown[first : first + height]:
        style = SELECTED if row[0] == selected and view.focus == table else PLAIN
        lines.append(Line(" " + _fit(columns, [c.show(row) for c in columns]), style))
    return lines


def _fit(columns: Sequence[Column], texts: Sequence[str]) -> str:
    parts = []
    for column, text in zip(columns, texts):
        size = abs(column.width)
        text = text if len(text) <= size else text[: size - 1] + "~"
        parts.append(text.ljust(size) if column.width < 0 else text.rjust(size))
    return " ".join(parts).rstrip()
