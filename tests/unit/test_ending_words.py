"""Reports of the ends of tasks, and their words."""

from __future__ import annotations

import pytest

from biskit_pvm.machine import ending, output

FIRST = [-5, 76, 8, 0x656E6474, 0x61736B00, 106, 6, 1, 107, 6, 2, 88, 6, 0x40002, 89, 6, 0x40001, 98, 6, 0x300, -6]


def test_a_report_is_read_in_both_its_forms():
    assert ending.read_report(FIRST) == (0x40002, 0x300)
    assert ending.read_report([-7, 76, 1, 2, 0x40003, 9, 0, 0, 0, 0, -8]) == (0x40003, 9)


@pytest.mark.parametrize(
    "values",
    [[], [-7], [-7, 76, 1, 2, 3], [-7, 75, 1, 2, 0x40003, 9], [0] * 40, [-5, 76, 1 << 30, 0, 0, 0],
     [-5, 76, -9, 1, 2, 3], FIRST[:8]],
)  # fmt: skip
def test_other_reports_and_damaged_ones_tell_nothing(values):
    assert ending.read_report(values) is None


@pytest.mark.parametrize(
    ("status", "words"),
    [(0, "exit status 0"), (0x100, "exit status 1"), (9, "signal 9 (SIGKILL)"), (0x80 | 11, "signal 11 (SIGSEGV)"),
     (40, "signal 40")],
)  # fmt: skip
def test_a_status_in_words(status, words):
    assert ending.describe(status) == words


def test_the_words_of_one_task_are_picked_out_of_a_log():
    log = [b"[t80040000] 1/2 [t40002] one\n", b"[t80040000] 1/2 [t40003] other\n", b"[t80040000] [t40002] >>> \n",
           b"[t80040000] 1/2 [t40002] \n", b"[t80040000] 1/2 [t40002] two \xff\n"]  # fmt: skip
    assert output.words_in_log(0x40002, log) == "one\ntwo \\xff"
    assert output.words_in_log(0x40002, log, 1) == "two \\xff"
    assert output.words_in_log(0x4000, log) == ""
