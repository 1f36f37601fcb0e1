"""What is read without trust makes plain values, and runs nothing."""

from __future__ import annotations

import collections
import copyreg
import datetime
import decimal
import fractions
import pathlib
import pickle
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from biskit_pvm import TrackingJobMaster
from biskit_pvm.restart import reader

from ..support import hostile

NAMES = [each.name for each in hostile.pickles("/nowhere")]


@pytest.fixture
def extension():
    """Give the extension codes a meaning, as a module could."""
    import os

    copyreg.add_extension("posix", "mkdir", 0xF0)
    yield os.mkdir
    copyreg.remove_extension("posix", "mkdir", 0xF0)


def test_names_are_different():
    assert len(set(NAMES)) == len(NAMES) > 40


@pytest.mark.parametrize("number", range(len(NAMES)), ids=NAMES)
def test_hostile_pickles_are_refused_and_run_nothing(tmp_path: Path, extension, number: int):
    marker = tmp_path / "marker"
    case = list(hostile.pickles(str(marker)))[number]
    modules = set(sys.modules)
    with pytest.raises((pickle.UnpicklingError, KeyError, EOFError)):
        reader.read(case.body, known=[TrackingJobMaster])
    assert not marker.exists()
    assert {name for name in set(sys.modules) - modules if not name.startswith("numpy")} == set()
    if case.works:  # else the test would prove nothing
        try:
            pickle.loads(case.body)
        except Exception:
            pass
        assert marker.exists()


class Record:
    """A plain record of a user's."""

    def __init__(self, value=None):
        self.value = value

    class Inner:
        """A class inside of a class."""


Point = collections.namedtuple("Point", "x y")

PLAIN = {
    "numbers": [0, -1, 2**31, -(2**63), 2**100, 1.5, float("inf"), 1 + 2j, True, None],
    "texts": ["", "a", "\u00e4" * 300, "x" * 70_000, b"", b"ab" * 200, bytearray(b"xy"), bytearray()],
    "containers": [(), (1,), (1, 2, 3, 4), [], {}, {1: {2: (3, [4])}}, set(), {1, 2}, frozenset((1, (2, 3)))],
    "many": list(range(3000)),
    "ranges": [range(1, 10, 3), slice(1, None, 2)],
    "collections": [
        collections.OrderedDict(a=1), collections.Counter("abca"), collections.deque([1, 2], 5), collections.deque(),
        collections.defaultdict(list, {1: [2]}),
    ],
    "times": [
        datetime.date(2020, 2, 29), datetime.time(23, 59, 59, 1), datetime.timedelta(-1, 5, 7),
        datetime.datetime(2020, 1, 2, 3, 4, 5, 6, datetime.timezone(datetime.timedelta(hours=2), "here")),
        datetime.datetime(2020, 10, 25, 2, fold=1), datetime.timezone.utc,
    ],
    "exact": [decimal.Decimal("1.10"), decimal.Decimal("NaN").is_nan(), fractions.Fraction(-3, 7)],
    "paths": [pathlib.Path("/tmp/x"), pathlib.PurePosixPath("a/b")],
    "classes": [int, list, dict],
}  # fmt: skip


@pytest.mark.parametrize("name", PLAIN)
def test_plain_values_come_back(name):
    back = reader.read(pickle.dumps(PLAIN[name], 4))
    assert back == PLAIN[name]
    assert [type(a) for a in back] == [type(a) for a in PLAIN[name]]


ARRAYS = [
    np.arange(5.0), np.arange(6).reshape(2, 3).T, np.zeros((0, 3)), np.array(3.5), np.array([True, False]),
    np.array([1, 2], ">i4"), np.array(["ab", "\u00e4"]), np.array([b"x", b"yz"]), np.array([1 + 2j], "c8"),
    np.array(["2020-01-01"], "M8[ms]"), np.array([5], "m8[25s]"), np.array([None, "x", (1, 2)], object),
    np.array([(1, 2.5), (3, 4.5)], [("a", "i4"), ("b", ">f8")]), np.arange(10, dtype=np.longdouble),
    np.array([(1, [1, 2])], [("a", "O"), ("b", "i2", (2,))]),
]  # fmt: skip


@pytest.mark.parametrize("array", ARRAYS, ids=lambda array: f"{array.dtype}{array.shape}")
def test_arrays_come_back(array):
    back, again, number = reader.read(pickle.dumps([array, array, np.float64(1.5)], 4))
    assert back is again and type(number) is np.float64 and number == 1.5
    plain = pickle.loads(pickle.dumps(array, 4))  # NumPy turns the bytes of numbers round
    assert type(back) is np.ndarray and back.dtype == plain.dtype and back.shape == array.shape
    assert back.flags.f_contiguous == array.flags.f_contiguous and back.flags.writeable
    assert repr(back.tolist()) == repr(array.tolist())


def test_numbers_of_numpy_and_types_come_back():
    values = [np.int8(-3), np.float32(0.5), np.str_("ab"), np.datetime64("2020-01-01"), np.bool_(True),
              np.dtype("f8"), np.dtype([("a", ">i4"), ("b", "U3")])]  # fmt: skip
    back = reader.read(pickle.dumps(values, 4))
    assert back == values and [type(a) for a in back] == [type(a) for a in values]


def test_what_is_shared_stays_shared_and_rings_stay_rings():
    ring: list = [1]
    ring.append({"ring": ring, "pair": (ring, ring)})
    back = reader.read(pickle.dumps(ring, 4))
    assert back[1]["ring"] is back and back[1]["pair"][0] is back


def test_objects_of_users_are_made_only_when_their_class_is_given():
    body = pickle.dumps([Record(5), Point(1, 2)], 4)
    with pytest.raises(reader.Refused, match="Record"):
        reader.read(body)
    back = reader.read(body, classes=[Record, Point])
    assert back[0].value == 5 and back[1] == Point(1, 2)
    with pytest.raises(reader.Refused):
        reader.read(pickle.dumps(Record.Inner(), 4), classes=[Record, Record.Inner])


def test_a_known_class_may_be_named_but_not_used():
    assert reader.read(pickle.dumps(Record, 4), known=[Record]) is Record
    with pytest.raises(reader.Refused):
        reader.read(pickle.dumps(Record(), 4), known=[Record])


def test_hypothesis_of_random_nested_values_comes_back():
    chance = random.Random(1)

    def value(depth: int):
        kind = chance.randrange(10 if depth else 5)
        if kind < 5:
            return [None, chance.random(), chance.randrange(-(10**20), 10**20), "t" * chance.randrange(300), b"b"][kind]
        inner = [value(depth - 1) for _ in range(chance.randrange(5))]
        if kind == 5:
            return tuple(inner)
        return {str(number): item for number, item in enumerate(inner)} if kind == 6 else inner

    for _ in range(300):
        one = value(5)
        assert reader.read(pickle.dumps(one, 4)) == one


def test_mutated_files_and_messages_run_nothing_and_come_back(thorough):
    number = 100_000 if thorough else 3_000
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.fuzz_trust", str(number)],
        capture_output=True, text=True, timeout=60 + number / 20, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    assert f"{number} mutants" in done.stdout
