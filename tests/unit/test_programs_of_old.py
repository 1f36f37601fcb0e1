"""Which commands an old script gives to the shell run through the translator."""

import shlex
import sys

import pytest

from biskit_pvm.compat.python2.stdlib.programs import line_of_old, words_of_old

PYTHON = shlex.quote(sys.executable)
RUN = f"{PYTHON} -m tool.run"


@pytest.fixture(autouse=True)
def old(monkeypatch, tmp_path):
    monkeypatch.setenv("BISKIT_PVM_RUN", "tool.run")
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("python x.py a 'b c'", f"{RUN} x.py a 'b c'"),
        ("  python2.4 -u x.py > out", f"  {PYTHON} -u -m tool.run x.py > out"),
        (f"'{sys.executable}' x.py", f"{RUN} x.py"),
        (f'"{sys.executable}" "my x.py"', f'{RUN} "my x.py"'),
        ("python -c 'print 1; print 2'", f"{RUN} -c 'print 1; print 2'"),
        ("python -m old.part -x", f"{RUN} -m old.part -x"),
        ("cd d; X=1 nice -5 python x.py &", f"cd d; X=1 nice -5 {RUN} x.py &"),
        ("(true && python x.py 2>&1) | tee log", f"(true && {RUN} x.py 2>&1) | tee log"),
        ("for i in 1 2; do python x.py $i; done", f"for i in 1 2; do {RUN} x.py $i; done"),
        # all else is left as it is
        ("python", "python"),
        ("python < x.py", "python < x.py"),
        ("python -V", "python -V"),
        ("python3 x.py", "python3 x.py"),
        ("echo python x.py; which python", "echo python x.py; which python"),
        ("echo '; python x.py'", "echo '; python x.py'"),
        ("grep -c python x.py", "grep -c python x.py"),
        ("'it''s' \"un", "'it''s' \"un"),
        ("", ""),
    ],
)
def test_pythons_in_a_line_for_the_shell(line, wanted):
    assert line_of_old(line) == wanted


def test_scripts_are_told_by_their_first_line(tmp_path):
    for name, first in (("old", "env python"), ("new", "env python3"), ("other", "sh")):
        (tmp_path / name).write_text(f"#!/usr/bin/{first}\n")
        (tmp_path / name).chmod(0o755)
    old = str(tmp_path / "old")
    assert words_of_old([old, "a"]) == [sys.executable, "-m", "tool.run", old, "a"]
    assert words_of_old([str(tmp_path / "new")]) == [str(tmp_path / "new")]
    assert words_of_old(["other", "a"]) == ["other", "a"]
    assert line_of_old(f"{shlex.quote(old)} a|cat") == f"{RUN} {shlex.quote(old)} a|cat"


def test_a_python_2_that_is_there_is_used(tmp_path):
    python = tmp_path / "python2.7"
    assert words_of_old([str(python), "x.py"]) == [sys.executable, "-m", "tool.run", "x.py"]
    python.touch(mode=0o755)
    script = tmp_path / "s"
    script.write_text("#!/usr/bin/env python2.7\n")
    script.chmod(0o755)
    for words in [str(python), "x.py"], ["python2.7", "x.py"], [str(script)]:
        assert words_of_old(words) == words


def test_programs_of_today_start_what_they_say(monkeypatch):
    monkeypatch.delenv("BISKIT_PVM_RUN")
    assert (line_of_old("python x.py"), words_of_old(["python", "x.py"])) == ("python x.py", ["python", "x.py"])
