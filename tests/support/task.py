"""A task that tests of the binding spawn: it does what it is told, and tells the result.

Run as ``python -m tests.support.task``.  Its parent sends ``(expression, arguments)`` with tag
`ORDER`; the expression is evaluated where ``p`` is pvm_ext, and value or exception go back with
tag `ANSWER`.
"""

from __future__ import annotations

import os
import sys
import time
from typing import Any

ORDER, ANSWER = 9001, 9002
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Task:
    """The spawner's side of such a task."""

    def __init__(self, tid: int) -> None:
        self.tid = tid

    def order(self, expression: str, *arguments: Any) -> None:
        """Have an expression evaluated there, in which ``a`` is the tuple of arguments."""
        import pvm_ext

        pvm_ext.send_object(self.tid, ORDER, (expression, arguments))

    def answer(self, timeout: float = 30.0) -> Any:
        """Return the value of the oldest order, or raise its exception."""
        import pvm_ext

        received = pvm_ext.recv_object(self.tid, ANSWER, timeout)
        assert received is not None, f"no answer of {self.tid:#x} within {timeout} s"
        worked, value = received.value
        if not worked:
            raise value
        return value

    def ask(self, expression: str, *arguments: Any, timeout: float = 30.0) -> Any:
        """Order and answer."""
        self.order(expression, *arguments)
        return self.answer(timeout)


def spawn(count: int = 1) -> list[Task]:
    """Spawn such tasks."""
    import pvm_ext

    tids = pvm_ext.spawn(sys.executable, ["-m", "tests.support.task"], 0, f":{ROOT}", count)
    assert all(tid > 0 for tid in tids), tids
    return [Task(tid) for tid in tids]


def main() -> None:
    """Obey until the parent ends."""
    import pvm_ext as p

    parent = p.parent()
    p.notify(p.Notify.TASK_EXIT, 9003, [parent])
    wanted = p.Match()
    wanted.add(parent, ORDER)
    wanted.add(-1, 9003)
    names = {"p": p, "os": os, "sys": sys, "time": time}
    while True:
        message = p.recv_frames(match=wanted)
        assert message is not None
        if message.tag == 9003:
            break
        expression, arguments = p.load(message.frames)
        try:
            answer = True, eval(expression, {**names, "a": arguments, "parent": parent})
        except Exception as error:
            answer = False, error
        p.send_object(parent, ANSWER, answer)
    p.exit()


if __name__ == "__main__":
    main()
