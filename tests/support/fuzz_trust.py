"""Mutate restart files and messages; reading them runs nothing, crashes nothing and ends.

Run as ``python -m tests.support.fuzz_trust NUMBER [SEED]``.  Half of the restart files get a
digest that fits after they were changed, so that the reader sees them; messages likewise.
"""

from __future__ import annotations

import collections
import datetime
import faulthandler
import pickle
import random
import resource
import sys
import time
from typing import Any, Callable

import numpy as np

from biskit_pvm import TrackingJobMaster
from biskit_pvm.messages import wire
from biskit_pvm.restart import format, reader

from . import hostile

LIMIT = 10.0
"""Seconds that one mutant may take."""

HARMLESS_EVENTS = (
    "object.__getattr__", "object.__setattr__", "object.__delattr__", "pickle.find_class", "array.__new__",
    "sys._getframe", "builtins.id", "gc.", "cpython.run_",
)  # fmt: skip


def seeds() -> list[bytes]:
    """Return pickles to begin with: good ones and hostile ones."""
    data = {
        "master_class": TrackingJobMaster,
        "data": {i: {"a": (i, i / 3), "b": np.arange(i)} for i in range(6)},
        "result": {1: [np.float64(1.5), "text" * 80, b"bytes"], 2: collections.Counter("abc")},
        "status_objects": {i: None for i in range(6)},
        "when": datetime.datetime(2020, 1, 2, tzinfo=datetime.timezone.utc),
        "table": np.array([(1, "x")], [("n", "i4"), ("o", "O")]),
        "sets": [{1, 2}, frozenset("ab"), 2**70, bytearray(b"x"), collections.OrderedDict(a=1)],
    }
    short = [case.body for case in hostile.pickles("/nowhere/marker") if len(case.body) < 10_000]
    return [pickle.dumps(data, 4)] * len(short) + short


def mutate(chance: random.Random, body: bytes, others: list[bytes]) -> bytes:
    """Change a pickle here and there."""
    changed = bytearray(body)
    for _ in range(chance.choice((1, 1, 2, 3, 8))):
        place = chance.randrange(len(changed) + 1)
        kind = chance.randrange(7)
        if kind == 0 and changed:
            changed[min(place, len(changed) - 1)] = chance.randrange(256)
        elif kind == 1:
            changed[place:place] = bytes(chance.choices(OPCODES, k=chance.randrange(1, 5)))
        elif kind == 2:
            del changed[place : place + chance.randrange(1, 20)]
        elif kind == 3:
            other = chance.choice(others)
            begin = chance.randrange(len(other))
            changed[place:place] = other[begin : begin + chance.randrange(1, 60)]
        elif kind == 4:
            changed[place:place] = changed[place : place + chance.randrange(1, 40)]
        elif kind == 5 and changed:
            changed[min(place, len(changed) - 1)] ^= 1 << chance.randrange(8)
        else:
            del changed[place:]
    return bytes(changed)


OPCODES = [
    value[0] for name, value in vars(pickle).items() if name.isupper() and isinstance(value, bytes) and len(value) == 1
]


class Watch:
    """Ends the process when anything is done that reading plain values does not need."""

    def __init__(self) -> None:
        self.on = False
        sys.addaudithook(self._hook)

    def _hook(self, event: str, args: tuple[Any, ...]) -> None:
        if self.on and not event.startswith(HARMLESS_EVENTS):
            self.on = False
            raise SystemExit(f"reading a mutant did {event} {args!r:.300}")


def main(number: int, seed: int) -> None:
    """Read mutants, and say what became of them."""
    chance = random.Random(seed)
    begin = seeds()
    key = b"k" * 32
    header = format.Header("x.Master", "", 0.0)
    seal = wire.Seal(key, loads=lambda body, buffers: "read")
    watch = Watch()
    counts: collections.Counter[str] = collections.Counter()
    slowest = 0.0
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))

    def read_file(content: bytes) -> None:
        reader.read(format.unpack(content, key).body, known=[TrackingJobMaster])

    def attempt(kind: str, function: Callable[..., Any], *args: Any) -> None:
        nonlocal slowest
        faulthandler.dump_traceback_later(LIMIT, exit=True)
        started = time.perf_counter()
        watch.on = True
        try:
            function(*args)
            outcome = "read"
        except (wire.NotOurs, format.Damaged, reader.Refused) as error:
            outcome = type(error).__name__
        except (Exception, RecursionError) as error:
            outcome = f"refused: {type(error).__name__}"
        finally:
            watch.on = False
        slowest = max(slowest, time.perf_counter() - started)
        faulthandler.cancel_dump_traceback_later()
        counts[f"{kind} {outcome}"] += 1

    read_file(format.pack_body(begin[0], header, key))  # whatever is imported late
    for turn in range(number):
        body = mutate(chance, chance.choice(begin), begin)
        kind = turn % 4
        if kind == 0:
            content = format.pack_body(chance.choice(begin), header, key)
            attempt("file", read_file, mutate(chance, content, begin))
        elif kind in (1, 2):
            attempt("pickle", read_file, format.pack_body(body, header))
        else:
            frames: list[Any] = seal.write(5, 7, (0.0, ("x", np.arange(3.0))))
            place = chance.randrange(len(frames))
            frames[place] = mutate(chance, bytes(frames[place]), begin)
            if chance.random() < 0.2:
                chance.shuffle(frames)
            attempt("message", seal.read, 5, 7, frames)
    print(f"{number} mutants, seed {seed}, slowest {slowest * 1e3:.0f} ms")
    for outcome, count in sorted(counts.items()):
        print(f"{count:8} {outcome}")
    # a changed message must not be read, but for the contents of its buffers
    assert counts["file Damaged"] > 0 and counts["pickle read"] > 0


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1)
