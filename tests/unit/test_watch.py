"""The live view: what is shown, what keys do, how it fits the screen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from biskit_pvm.jobs.bulletin import Bulletin, SlaveStatus
from biskit_pvm.machine.inventory import Host, Load, Task
from biskit_pvm.top import view as watch
from biskit_pvm.top.view import HOSTS, TASKS, DeleteHost, KillTask, Quit, View, press, render, survey

NOW = 1000.0
HOSTS_THERE = [Host("node2", 0x80000, "LINUX64", 1000), Host("node1", 0x40000, "LINUX64", 2000)]
TASKS_THERE = [
    Task(0x40001, 0, "node1", 11, ""),
    Task(0x40002, 0x40001, "node1", 12, "/usr/bin/python3"),
    Task(0x80001, 0x40001, "node2", 13, "/usr/bin/python3"),
    Task(0x80002, 0, "node2", 14, "/opt/other"),
]
SLAVES = (
    SlaveStatus(0x40002, "node1_0", "node1", "working", 10, 1.5, 995.0),
    SlaveStatus(0x80001, "node2_0", "node2", "waiting", 5, 0.0, 0.0),
)
BULLETIN = Bulletin(0x40001, "RmsdMaster", "node1", 11, 900.0, 998.0, 200, 98, 2, SLAVES)
SNAPSHOT = survey(NOW, HOSTS_THERE, TASKS_THERE, {"node1": Load(0.5, 4)}, [(0x40001, BULLETIN)])


def _keys(view: View, *keys: str) -> View:
    for key in keys:
        view, order = press(view, key, SNAPSHOT)
        assert order is None
    return view


def _text(view: View, **options: object) -> str:
    return "\n".join(line.text for line in render(view, SNAPSHOT, 120, 30, **options))


def test_slaves_are_told_from_other_tasks():
    rows = {row.tid: row for row in SNAPSHOT.tasks}
    assert rows[0x40002][1:] == ("node1", "node1_0", "working", 10, 1.5, 5.0, "RmsdMaster")
    assert rows[0x80001].heard is None
    assert (rows[0x40001].state, rows[0x40001].name) == ("master", "RmsdMaster")
    assert (rows[0x80002].state, rows[0x80002].name) == ("-", "other")


def test_load_is_shown_where_it_is_known():
    rows = {row.name: row for row in SNAPSHOT.hosts}
    assert (rows["node1"].load, rows["node1"].cpus, rows["node1"].tasks) == (0.5, 4, 2)
    assert (rows["node2"].load, rows["node2"].cpus, rows["node2"].tasks) == (None, None, 2)


def test_what_a_master_posted_first_is_forgotten():
    old = BULLETIN._replace(posted=990.0, done=1)
    snapshot = survey(NOW, HOSTS_THERE, TASKS_THERE, {}, [(0x40001, BULLETIN), (0x40001, old)])
    assert [c.done for c in snapshot.calculations] == [98]


def test_a_calculation_whose_master_is_gone_is_not_shown():
    snapshot = survey(NOW, HOSTS_THERE, TASKS_THERE[1:], {}, [(0x80002, BULLETIN)])
    assert snapshot.calculations == ()
    assert {row.state for row in snapshot.tasks} == {"-", "agent"}


def test_a_task_that_posts_for_a_master_is_its_agent():
    snapshot = survey(NOW, HOSTS_THERE, TASKS_THERE, {}, [(0x80002, BULLETIN)])
    rows = {row.tid: row for row in snapshot.tasks}
    assert (rows[0x80002].state, rows[0x80002].master) == ("agent", "RmsdMaster")
    assert rows[0x40001].state == "master"


def test_the_screen_tells_the_calculation():
    text = _text(View())
    assert "2 hosts, 4 tasks, 1 calculation" in text
    assert "RmsdMaster (t40001 on node1): 98/200 items, 2 failed, 1/s, 1:42 left, 2 slaves" in text


def test_the_selection_moves_within_the_table():
    view = _keys(View(), "down")
    assert view.tid == 0x40002
    assert _keys(view, "up", "up", "up").tid == 0x40001
    assert _keys(view, "end", "down").tid == 0x80002
    assert _keys(view, "end", "home").tid == 0x40001
    assert _keys(view, "page-down").tid == 0x80002


def test_the_selection_stays_with_its_row_when_that_moves():
    view = _keys(View(), "down", "r")
    assert view.tid == 0x40002
    assert [r.tid for r in watch.rows(view, SNAPSHOT, TASKS)] == [0x80002, 0x80001, 0x40002, 0x40001]


def test_a_selected_row_that_is_gone_gives_way_to_the_first():
    view = watch.settle(View(tid=0x99999, host="gone"), SNAPSHOT)
    assert (view.host, view.tid) == ("node1", 0x40001)


def test_s_sorts_by_the_next_column():
    view = _keys(View(focus=HOSTS), "s")
    assert view.sort == ("load", "tid")
    assert [r.name for r in watch.rows(view, SNAPSHOT, HOSTS)] == ["node2", "node1"]
    for _ in watch.HOST_COLUMNS[1:]:
        view = _keys(view, "s")
    assert view.sort == ("host", "tid")


@pytest.mark.parametrize("column", watch.TASK_COLUMNS, ids=lambda c: c.name)
@pytest.mark.parametrize("reverse", [False, True])
def test_every_column_sorts(column: watch.Column, reverse: bool):
    view = View(sort=("host", column.name), reverse=(False, reverse))
    keys = [column.key(row) for row in watch.rows(view, SNAPSHOT, TASKS)]
    assert keys == sorted(keys, reverse=reverse)


def test_a_host_is_deleted_only_after_yes():
    view = _keys(View(), "tab", "down", "d")
    assert "Delete host node2 and end 2 tasks on it? (y/n)" in _text(view)
    assert press(view, "n", SNAPSHOT) == (view._replace(asked=None), None)
    assert press(view, "y", SNAPSHOT) == (view._replace(asked=None), DeleteHost("node2"))


def test_a_task_is_killed_only_after_yes():
    view = _keys(View(), "down", "k")
    assert "End task 40002? (y/n)" in _text(view)
    assert press(view, "q", SNAPSHOT)[1] is None
    assert press(view, "y", SNAPSHOT)[1] == KillTask(0x40002)


def test_keys_of_the_other_table_do_nothing():
    assert _keys(View(focus=HOSTS), "k").asked is None
    assert _keys(View(focus=TASKS), "d").asked is None


def test_q_leaves():
    assert press(View(), "q", SNAPSHOT)[1] == Quit()


def test_before_the_first_answer_something_is_said():
    lines = render(View(), None, 80, 10)
    assert lines[0].text == "asking the pvmd ..."
    assert len(lines) == 10


def test_a_note_is_shown():
    assert "no answer for 5 s" in _text(View(), note="no answer for 5 s")


keys = st.one_of(
    st.sampled_from(["up", "down", "page-up", "page-down", "home", "end", "tab", *"srdkyn"]), st.text(max_size=2)
)


@given(st.lists(keys, max_size=40), st.integers(1, 200), st.integers(1, 60), st.booleans())
def test_whatever_is_typed_the_screen_fits(pressed: list[str], width: int, height: int, empty: bool):
    snapshot = watch.Snapshot(NOW) if empty else SNAPSHOT
    view = View()
    for key in pressed:
        view, order = press(view, key, snapshot)
        assert not (empty and isinstance(order, (KillTask, DeleteHost)))
        lines = render(view, snapshot, width, height)
        assert len(lines) == height
        assert all(len(line.text) <= width for line in lines)


def test_the_selected_task_is_always_on_the_screen():
    tasks = [Task(0x40001 + i, 0, "node1", i, "/bin/x") for i in range(500)]
    snapshot = survey(NOW, HOSTS_THERE, tasks, {}, [])
    view = View()
    for _ in range(20):
        view, _ = press(view, "page-down", snapshot, page=13)
        lines = render(view, snapshot, 100, 24)
        (selected,) = [line.text for line in lines if line.style == watch.SELECTED]
        assert f"{view.tid:x}" in selected
