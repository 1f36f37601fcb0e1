"""The message loop of every master and slave, alone, with messages of a real daemon."""

from __future__ import annotations

FLOOD = """
import time
import pvm_ext
from biskit_pvm.messages import loop as rooms

rooms.LONGEST_FLOOD = 0.3
N = 1500
me = pvm_ext.mytid()
handled, ticks = [], []

def handle(messages):
    handled.extend(messages)
    time.sleep(0.001 * len(messages))

def failed(error):
    raise error

def tick(now):
    ticks.append(len(handled))
    return 0.1

loop = rooms.MessageLoop(handle, failed, tick)
loop.bindings[me, 5] = None
for _ in range(N):
    pvm_ext.initsend()
    pvm_ext.send(me, 5)
end = time.monotonic() + 30
while len(handled) < N and time.monotonic() < end:
    with loop.entered():
        loop.step(1)
print(len(handled), ticks[0] > rooms.BATCH, len([n for n in ticks if n < N]) > 1)
"""


def test_a_flood_of_messages_does_not_stop_the_clock(vm):
    """What comes faster than it is handled goes first, but not for ever: timeouts of jobs and slaves go on."""
    assert vm.python(FLOOD) == "1500 True True\n"
