"""The tests' own tools are tested too."""

import os
import signal
import subprocess
import sys

import pytest

from tests.support.traces import processes_with
from tests.support.waiting import wait_for


def test_wait_for_gives_the_value_once_it_is_true():
    values = iter([0, "", None, 7])
    assert wait_for(lambda: next(values)) == 7


def test_wait_for_names_what_it_waited_for():
    with pytest.raises(AssertionError, match="in vain for: the moon"):
        wait_for(lambda: False, 0.01, "the moon")


def test_a_process_is_found_by_its_environment():
    env = {**os.environ, "BISKIT_PVM_TEST_MARK": "here"}
    with subprocess.Popen(
        [sys.executable, "-c", "import sys; print('up', flush=True); sys.stdin.read()"],
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as child:
        child.stdout.readline()
        assert [p.pid for p in processes_with("BISKIT_PVM_TEST_MARK", "here")] == [child.pid]
        child.send_signal(signal.SIGTERM)
    assert processes_with("BISKIT_PVM_TEST_MARK", "here") == []


RELAY = """
import os
for turn in range(400):
    if os.fork():
        os._exit(0)
    if turn % 20 == 0 and not os.fork():
        os.execv("/bin/true", ["true"])
print("end", flush=True)
"""


def test_no_process_is_missed_that_starts_while_another_ends():
    env = {**os.environ, "BISKIT_PVM_TEST_MARK": "relay"}
    with subprocess.Popen([sys.executable, "-c", RELAY], env=env, stdout=subprocess.PIPE, text=True) as child:
        wait_for(lambda: not processes_with("BISKIT_PVM_TEST_MARK", "relay"), 60)
        os.set_blocking(child.stdout.fileno(), False)
        assert child.stdout.read() == "end\n"
