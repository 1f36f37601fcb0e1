"""All items through the pure scheduler: ``scheduler time|memory ITEMS``.

Four slaves that finish at once are played by a loop that carries out the instructions of the master's state; no
process and no message is involved. ``memory`` tells the most bytes held at a time, beyond the user's own dict.
"""

from __future__ import annotations

import gc
import json
import sys
import time
import tracemalloc
from collections import deque
from typing import Any

from biskit_pvm.jobs import events as ev
from biskit_pvm.jobs.items import Jobs
from biskit_pvm.jobs.master_state import MasterState

SLAVES = 4
JOB_SECONDS = 1e-4


def process(data: dict[int, Any]) -> int:
    """Give out and get back every item of `data`; return the number of jobs."""
    state = MasterState(Jobs(data, redistribute=False), {f"slave_{n}": "host" for n in range(SLAVES)})
    events: deque[Any] = deque()
    for number in range(SLAVES):
        events.append(ev.SlaveSpawned(f"slave_{number}", number + 1, 0.0))
    events.append(ev.SpawningDone(0.0))
    events.extend(ev.SlaveReady(number + 1, 0.0) for number in range(SLAVES))
    jobs = 0
    while events:
        for order in state.handle(events.popleft()):
            if type(order) is ev.Consider:
                events.append(ev.SlaveFree(order.tid, 1, 0.0))
            elif type(order) is ev.Give:
                jobs += 1
                events.append(ev.JobDone(order.tid, order.job, order.items, JOB_SECONDS, 0.0))
    if not state.finished:
        raise RuntimeError("the scheduler did not come to an end")
    return jobs


def main(what: str, items: str) -> None:
    """Measure one of the two."""
    data = {number: number for number in range(int(items))}
    if what == "memory":
        tracemalloc.start()
        process(data)
        print(json.dumps({"bytes": tracemalloc.get_traced_memory()[1]}))
        return
    gc.collect()
    begin = time.perf_counter()
    process(data)
    print(json.dumps({"seconds": time.perf_counter() - begin}))


if __name__ == "__main__":
    main(*sys.argv[1:])
