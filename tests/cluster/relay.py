"""Pass packets between two network devices, each after a delay.

    relay.py DEVICE DEVICE SECONDS

Says "ready" when it has begun, and ends with its standard input.
"""

from __future__ import annotations

import heapq
import itertools
import select
import socket
import sys
import time

_ALL_PROTOCOLS = 0x0003
_SOL_PACKET = 263
_PACKET_VNET_HDR = 15
"""Packets come with a header that says which checksums are still to be made, and go with it."""
_PACKET_IGNORE_OUTGOING = 23


def device(name: str) -> socket.socket:
    """Open a network device for its raw packets, those that it gets alone."""
    opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ALL_PROTOCOLS))
    opened.setsockopt(_SOL_PACKET, _PACKET_VNET_HDR, 1)
    opened.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)
    opened.bind((name, 0))
    return opened


def relay(first: str, second: str, delay: float) -> None:
    """Pass packets both ways until standard input ends."""
    ends = [device(first), device(second)]
    waiting: list[tuple[float, int, socket.socket, bytes]] = []
    number = itertools.count()
    print("ready", flush=True)
    while True:
        pause = max(waiting[0][0] - time.monotonic(), 0) if waiting else None
        readable, _, _ = select.select([*ends, sys.stdin], [], [], pause)
        if sys.stdin in readable:
            return
        for end in readable:
            packet = end.recv(1 << 17)
            other = ends[1 - ends.index(end)]
            heapq.heappush(waiting, (time.monotonic() + delay, next(number), other, packet))
        while waiting and waiting[0][0] <= time.monotonic():
            _, _, end, packet = heapq.heappop(waiting)
            try:
                end.send(packet)
            except OSError:  # the cable is out
                pass


if __name__ == "__main__":
    relay(sys.argv[1], sys.argv[2], float(sys.argv[3]))
