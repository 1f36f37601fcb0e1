"""What a foreman is asked for, and whether it can be a fork of a Python."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from biskit_pvm.machine.start_request import Request

PYTHON = b"/usr/bin/python3"
SCRIPT = [PYTHON, b"-i", b"/home/me/slave.py", b"0"]
SURROUNDINGS = {b"HOME": b"/home/me", b"PYTHONPATH": b"/opt", b"LC_ALL": b"C"}

words = st.lists(st.binary().map(lambda text: text.replace(b"\0", b"")), min_size=1)
names = st.binary(min_size=1).map(lambda text: text.replace(b"\0", b"x").replace(b"=", b"x"))
values = st.binary().map(lambda text: text.replace(b"\0", b""))


def body(words, environment):
    return b"".join(text + b"\0" for text in [*words, *(name + b"=" + value for name, value in environment.items())])


@given(words, st.dictionaries(names, values))
def test_words_and_environment_come_out_as_they_went_in(words, environment):
    request = Request.read(body(words, environment), len(words))
    assert request.words == words and request.environment == environment


@pytest.mark.parametrize(
    ("text", "n_words"), [(b"", 0), (b"", 1), (b"a\0", 2), (b"a\0", 0), (b"a\0", -1), (b"a\0b", 1)]
)
def test_what_is_no_request_is_refused(text, n_words):
    with pytest.raises(ValueError, match="not a request"):
        Request.read(text, n_words)


def test_an_entry_of_the_environment_without_a_name_is_left_out():
    assert Request.read(b"a\0=b\0c\0d=\0", 1).environment == {b"d": b""}


def test_a_script_of_the_same_python_is_fit_whatever_else_it_finds():
    others = {b"OMP_NUM_THREADS": b"1", b"PVMEPID": b"17", os.fsencode("GRÖSSE"): b"\xff"}
    assert Request(SCRIPT, {**SURROUNDINGS, **others}).unfit(PYTHON, SURROUNDINGS) == ""


@pytest.mark.parametrize(
    "command",
    [
        [b"/bin/sh", b"-i", b"slave.py"],
        [b"/usr/bin/python3.9", *SCRIPT[1:]],
        [PYTHON, b"slave.py"],
        [PYTHON, b"-i", b"-m", b"biskit_pvm.compat", b"slave.py"],
        [PYTHON, b"-i", b"-O", b"slave.py"],
        [PYTHON, b"-i", b"slave"],
        [PYTHON, b"-i"],
        [PYTHON],
    ],
)
def test_other_commands_are_unfit(command):
    assert Request(command, SURROUNDINGS).unfit(PYTHON, SURROUNDINGS)


@pytest.mark.parametrize("name", [b"PYTHONHASHSEED", b"PYTHONPATH", b"LD_PRELOAD", b"LC_ALL", b"LANG", b"HOME"])
def test_what_counts_when_a_python_starts_must_be_the_same(name):
    changed = {**SURROUNDINGS, name: b"other"}
    assert Request(SCRIPT, changed).unfit(PYTHON, SURROUNDINGS) == f"another {name.decode()}"
    assert Request(SCRIPT, SURROUNDINGS).unfit(PYTHON, changed) == f"another {name.decode()}"
