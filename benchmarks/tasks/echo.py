"""Round trips between two tasks through pvm_ext: ``echo frames|object|array|typed SIZE COUNT``.

``frames`` sends SIZE bytes as they are; ``object`` sends a small dictionary, ``array`` a NumPy array of SIZE bytes as
a Python object, ``typed`` the same array as a typed buffer, received into an array that is there already.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Callable

import pvm_ext

JOB, RESULT, READY = 1, 2, 3
SMALL = {"id": 4711, "model": "2JUY", "rmsd": 1.25, "chain": "A", "atoms": [1, 2, 3, 4], "done": False}


def channel(kind: str, size: int, peer: int) -> tuple[Callable[[int], object], Callable[[int], object]]:
    """Return the functions send(tag) and receive(tag) that exchange one message with task `peer`."""
    if kind == "frames":
        frames = [bytes(size)]
        return (lambda tag: pvm_ext.send_frames(peer, tag, frames), lambda tag: pvm_ext.recv_frames(peer, tag))
    if kind == "object":
        return (lambda tag: pvm_ext.send_object(peer, tag, SMALL), lambda tag: pvm_ext.recv_object(peer, tag))

    import numpy

    array = numpy.ones(size // 8)
    if kind == "array":
        return (lambda tag: pvm_ext.send_object(peer, tag, array), lambda tag: pvm_ext.recv_object(peer, tag))
    return (lambda tag: pvm_ext.send_buffer(peer, tag, array), lambda tag: pvm_ext.recv_buffer(array, peer, tag))


def main(kind: str, size: str, count: str, role: str = "master") -> None:
    """Run one of the two tasks; the master prints the seconds that `count` round trips took."""
    pvm_ext.setopt(pvm_ext.Option.ROUTE, pvm_ext.Route.DIRECT)
    timed = int(count)
    warm_up = timed // 10 + 1
    if role == "slave":
        peer = pvm_ext.parent()
        send, receive = channel(kind, int(size), peer)
        pvm_ext.send_frames(peer, READY, [])
        for _ in range(warm_up + timed):
            receive(JOB)
            send(RESULT)
        pvm_ext.exit()
        return

    (peer,) = pvm_ext.spawn(sys.executable, ["-m", "benchmarks.tasks.echo", kind, size, count, "slave"])
    send, receive = channel(kind, int(size), peer)
    pvm_ext.recv_frames(peer, READY)
    for _ in range(warm_up):
        send(JOB)
        receive(RESULT)
    start = time.perf_counter()
    for _ in range(timed):
        send(JOB)
        receive(RESULT)
    print(json.dumps({"seconds": time.perf_counter() - start, "count": timed}))
    pvm_ext.exit()


if __name__ == "__main__":
    main(*sys.argv[1:])
