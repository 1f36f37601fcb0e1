"""How a task ended, and what it printed last, is known to who has spawned it."""

from __future__ import annotations

import signal

import pytest

ENDS = {
    "raise SystemExit(3)": "exit status 3",
    "import pvm_ext as p; p.mytid(); p.exit()": "exit status 0",
    "import pvm_ext as p; p.mytid(); import os; os._exit(5)": "exit status 5",
    "import pvm_ext as p; p.mytid(); raise ValueError": "exit status 1",
    "import os, signal; os.kill(os.getpid(), signal.SIGKILL)": "signal 9 (SIGKILL)",
    "import pvm_ext as p; p.mytid(); import os, signal; os.kill(os.getpid(), signal.SIGSEGV)": "signal 11 (SIGSEGV)",
    f"import os; os.kill(os.getpid(), {signal.SIGRTMIN + 2})": f"signal {signal.SIGRTMIN + 2}",
}

SPAWN = """
import sys
import pvm_ext as p
from biskit_pvm.machine import agent, ending, output, spawning

def ended(code, by_agent=False, program=sys.executable):
    spawn = agent.pool().call if by_agent else lambda name, *args: getattr(spawning, name)(*args)
    argv = program, ["-c", code], spawning.ON_HOST, ".", 1, {}, None, ending.listen()
    (tid,) = spawn("spawn_here", *argv)
    p.notify(p.Notify.TASK_EXIT, 5, [tid])
    assert p.recv_frames(tag=5, timeout=20)
    return tid
"""


@pytest.mark.parametrize("by_agent", [False, True], ids=["by us", "by an agent"])
def test_exit_status_and_signal_are_told(vm, by_agent):
    code = f"{SPAWN}\nfor code in sys.argv[1:]:\n    print(ending.how_it_ended(ended(code, {by_agent})))"
    assert vm.python(code, *ENDS).splitlines() == list(ENDS.values())


def test_nothing_of_it_is_seen_among_the_messages_nor_in_what_tasks_print(vm):
    code = f"{SPAWN}\nfor by_agent in 0, 1:\n    ended('import pvm_ext as p; p.mytid(); p.exit()', by_agent)\n"
    assert vm.python(code + "agent.pool().close()\nprint(p.recv_frames(timeout=0.5))") == "None\n"
    assert "racing" not in vm.log()


def test_it_is_not_waited_for_in_vain(vm):
    code = (
        "import time\nstart = time.monotonic()\n"
        "print(repr(ending.how_it_ended(0x40fff)), repr(ending.how_it_ended(0x80fff)))\n"
        "print(time.monotonic() - start < 5)"
    )
    assert vm.python(SPAWN + "ending.listen()\n" + code) == "'' ''\nTrue\n"


def test_who_traces_tasks_goes_on_tracing_them(vm):
    code = f"""{SPAWN}
p.setopt(p.Option.TRACE_OPTIONS, p.TraceOptions.FULL)
p.setopt(p.Option.TRACE_CODE, 17)
p.setopt(p.Option.TRACE_TID, p.mytid())
print(repr(ending.how_it_ended(ended("pass"))), p.recv_frames(tag=17, timeout=20) is not None)
print(p.getopt(p.Option.TRACE_TID) == p.mytid(), p.getopt(p.Option.TRACE_CODE))
"""
    assert vm.python(code) == "'' True\nTrue 17\n"


def test_it_is_told_after_the_process_has_left_pvm_and_come_back(vm):
    code = "print(ending.how_it_ended(ended('raise SystemExit(7)')))\n"
    assert vm.python(f"{SPAWN}{code}p.exit()\n{code}") == "exit status 7\n" * 2


LAST_WORDS = f"""{SPAWN}
from biskit_pvm.machine import daemon
print(daemon.ensure_running())
tid = ended("yes 0123456789012345678901234567890123456789 | head -n 60000; echo the last word", program="/bin/sh")
print(output.last_words(tid, 1))
print(output.last_words_soon(tid).result(20).splitlines()[-1])
"""


def test_last_words_are_found_behind_a_megabyte_of_other_words(vm):
    vm.halt()
    assert vm.python(LAST_WORDS) == "True\nthe last word\nthe last word\n"
