"""Which commands programs of old start through the translator, and how."""

import pytest

from biskit_pvm.machine.old_tasks import through_translator

PYTHON, RUNNER = "/opt/bin/python3", "tool.run"
RUN = [PYTHON, "-m", RUNNER]

FIRST_LINES = {
    "/home/me/tool.py": "#!/usr/bin/env python\n",
    "/home/me/old": "#! /usr/bin/python2.4 -u\n",
    "/home/me/split": "#!/usr/bin/env -S python -i\n",
    "/home/me/set": "#!/usr/bin/env LC_ALL=C python\n",
    "/home/me/job.sh": "#!/bin/sh\n",
    "/home/me/pythonic": "#!/usr/bin/python-wrapper\n",
    "/bin/ls": "\x7fELF",
    "tool.py": "#!/usr/bin/python\n",
}

TABLE = [
    # a Python by its name or its path
    (["python", "x.py"], [*RUN, "x.py"]),
    (["python2", "x.py", "1"], [*RUN, "x.py", "1"]),
    (["/usr/local/bin/python2.7", "x.py"], [*RUN, "x.py"]),
    (["python3", "x.py"], [*RUN, "x.py"]),
    (["/usr/bin/python3.11", "x.py"], [*RUN, "x.py"]),
    ([PYTHON, "x.py"], [*RUN, "x.py"]),
    # its options stay before the runner, those of the script behind it
    (["python", "-i", "x.py", "20"], [PYTHON, "-i", "-m", RUNNER, "x.py", "20"]),
    (["python", "-u", "-O", "x.py", "-v"], [PYTHON, "-u", "-O", "-m", RUNNER, "x.py", "-v"]),
    (["python", "-iu", "x.py"], [PYTHON, "-iu", "-m", RUNNER, "x.py"]),
    (["python", "-W", "ignore", "x.py"], [PYTHON, "-W", "ignore", "-m", RUNNER, "x.py"]),
    (["python", "-Wignore", "x.py"], [PYTHON, "-Wignore", "-m", RUNNER, "x.py"]),
    (["python", "-uW", "ignore", "x.py"], [PYTHON, "-uW", "ignore", "-m", RUNNER, "x.py"]),
    (["python", "-Wmodule", "x.py"], [PYTHON, "-Wmodule", "-m", RUNNER, "x.py"]),
    # what Python 3 refuses goes
    (["python", "-tt", "-3", "x.py"], [*RUN, "x.py"]),
    (["python", "-ut", "x.py"], [PYTHON, "-u", "-m", RUNNER, "x.py"]),
    (["python", "-Q", "new", "x.py"], [*RUN, "x.py"]),
    (["python", "-Qnew", "x.py"], [*RUN, "x.py"]),
    # a text or a module
    (["python", "-c", "print 1", "a"], [*RUN, "-c", "print 1", "a"]),
    (["python", "-cprint 1"], [*RUN, "-c", "print 1"]),
    (["python", "-uc", "print 1"], [PYTHON, "-u", "-m", RUNNER, "-c", "print 1"]),
    (["python", "-m", "old.part", "-x"], [*RUN, "-m", "old.part", "-x"]),
    (["python", "-i", "-m", "old"], [PYTHON, "-i", "-m", RUNNER, "-m", "old"]),
    # what runs through it already, or is ours
    ([PYTHON, "-i", "-m", RUNNER, "x.py"], [PYTHON, "-i", "-m", RUNNER, "x.py"]),
    ([PYTHON, "-m", "tool.other", "x"], [PYTHON, "-m", "tool.other", "x"]),
    # no program at all
    (["python"], [PYTHON]),
    (["python", "-i"], [PYTHON, "-i"]),
    (["python", "-"], [PYTHON, "-"]),
    (["python", "--version"], [PYTHON, "--version"]),
    # scripts
    (["/home/me/tool.py", "a"], [*RUN, "/home/me/tool.py", "a"]),
    (["/home/me/old"], [PYTHON, "-u", "-m", RUNNER, "/home/me/old"]),
    (["/home/me/split"], [PYTHON, "-i", "-m", RUNNER, "/home/me/split"]),
    (["/home/me/set"], [*RUN, "/home/me/set"]),
    # terminals
    (["xterm", "-e", "python", "-i", "s.py", "0"], ["xterm", "-e", PYTHON, "-i", "-m", RUNNER, "s.py", "0"]),
    (["/usr/bin/xterm", "-title", "h", "-e", "/home/me/tool.py"],
     ["/usr/bin/xterm", "-title", "h", "-e", *RUN, "/home/me/tool.py"]),
    (["xterm", "-e", "/bin/sh", "x"], ["xterm", "-e", "/bin/sh", "x"]),
    # all else
    (["xterm"], ["xterm"]),
    (["xterm", "-e"], ["xterm", "-e"]),
    (["/home/me/job.sh", "python", "x.py"], ["/home/me/job.sh", "python", "x.py"]),
    (["/home/me/pythonic"], ["/home/me/pythonic"]),
    (["/bin/ls", "-e", "python"], ["/bin/ls", "-e", "python"]),
    (["pythonista", "x.py"], ["pythonista", "x.py"]),
    (["/no/such/program"], ["/no/such/program"]),
]  # fmt: skip


@pytest.mark.parametrize(("words", "wanted"), TABLE, ids=lambda words: " ".join(words))
def test_what_runs_through_the_translator(words, wanted):
    before = list(words)
    assert through_translator(words, RUNNER, PYTHON, lambda path: FIRST_LINES.get(path, "")) == wanted
    assert words == before


@pytest.mark.parametrize(("words", "wanted"), TABLE, ids=lambda words: " ".join(words))
def test_twice_is_once(words, wanted):
    assert through_translator(wanted, RUNNER, PYTHON, lambda path: FIRST_LINES.get(path, "")) == wanted
