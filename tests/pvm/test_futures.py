"""What PVMExecutor does beyond what CPython's own tests of executors ask (see test_futures_cpython.py)."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from biskit_pvm.calls import RemoteTraceback
from biskit_pvm.futures import BrokenPVMExecutor, PVMExecutor

from ..support.vm import VirtualMachine
from ..support.waiting import wait_for

pytestmark = [pytest.mark.usefixtures("session_vm"), pytest.mark.timeout(60)]


# ------------------------------------------------------------- what slaves are asked to do


def square(x: int) -> int:
    return x * x


def same(x: object) -> object:
    return x


def pack_words(*args: object, **kwargs: object) -> tuple[object, object]:
    return args, kwargs


def own_pid(_: object = None) -> int:
    return os.getpid()


def raise_value_error(text: str) -> None:
    raise ValueError(text)


class Stubborn(Exception):
    """Cannot be made again from its arguments."""

    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} and {two}")


def raise_stubborn() -> None:
    raise Stubborn(1, 2)


def return_lock() -> object:
    return threading.Lock()


class Unreadable:
    def __reduce__(self) -> tuple[object, ...]:
        return raise_value_error, ("cannot be read",)


def return_unreadable() -> object:
    return Unreadable()


def fill(array: Any, value: float) -> float:
    array[:] = value
    return float(array[-1])


def die_once(mark: str) -> int:
    """Kill this process, unless it was done before."""
    if not os.path.exists(mark):
        Path(mark).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return os.getpid()


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def leave() -> None:
    raise SystemExit(3)


def wait_for_file(path: str) -> None:
    wait_for(lambda: os.path.exists(path), 30)


def call_or_wait(gate: str, n: int) -> int:
    if n == 0:
        wait_for_file(gate)
    return n


def die_at(n: int, fatal: int) -> int:
    if n == fatal:
        os.kill(os.getpid(), signal.SIGKILL)
    return n


def use_threads() -> list[int]:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(2) as threads:
        return list(threads.map(square, range(3)))


@pytest.fixture
def executor() -> Iterator[PVMExecutor]:
    with PVMExecutor(2) as executor:
        yield executor


# ----------------------------------------------------------------------------- calls


def test_calls_run_in_the_slaves(executor: PVMExecutor, tmp_path: Path) -> None:
    gate = str(tmp_path / "gate")
    both_busy = [executor.submit(wait_for_file, gate) for _ in range(2)]
    wait_for(lambda: all(future.running() for future in both_busy))
    Path(gate).touch()
    for future in both_busy:
        future.result(20)
    assert os.getpid() not in set(executor.map(own_pid, range(20)))


def test_plain_values_are_what_they_were(executor: PVMExecutor) -> None:
    values = [None, True, 0, -1, 10**400, -0.0, float("inf"), "", "\ud800", "__main__", "x" * 200_000, signal.SIGINT]
    assert list(map(repr, executor.map(same, values))) == list(map(repr, values))
    assert executor.submit(same, values).result() == values
    assert executor.submit(repr, True).result() == "True"
    assert executor.submit(pack_words, *range(20), end=None).result() == (tuple(range(20)), {"end": None})


def test_large_arrays_come_back_whole_and_writable(executor: PVMExecutor) -> None:
    array = np.arange(1_000_000, dtype=float)
    doubled = executor.submit(np.multiply, array, 2).result(20)
    assert (doubled == 2 * array).all()
    doubled[0] = 1


MANY_TIMES = """
import resource
import numpy as np
from biskit_pvm import PVMExecutor
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
if __name__ == "__main__":
    array = np.ones(5_000_000)
    with PVMExecutor(2) as executor:
        executor.submit(abs, 1).result()
        before = peak()
        assert list(executor.map(np.sum, [array] * 60)) == [5e6] * 60
        assert list(executor.map(len, [array.tobytes()] * 3)) == [array.nbytes] * 3
        print(peak() - before)
"""


def test_a_large_argument_of_many_calls_is_in_the_master_once(vm: VirtualMachine, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(MANY_TIMES)
    # the array was there before; one more copy of it are the bytes
    assert int(vm.run([sys.executable, str(script)], timeout=60).stdout) < 40e6 + 50e6


def test_arguments_arrive_writable_and_bytes_as_bytes(executor: PVMExecutor) -> None:
    array = np.zeros(100_000)
    assert executor.submit(fill, array, 3).result(20) == 3
    assert executor.submit(type, b"x" * 100_000).result(20) is bytes
    assert executor.submit(bytes.upper, b"x" * 100_000).result(20) == b"X" * 100_000


def test_an_exception_carries_the_traceback_of_the_slave(executor: PVMExecutor) -> None:
    error = executor.submit(raise_value_error, "too hot").exception(20)
    assert type(error) is ValueError and error.args == ("too hot",)
    assert isinstance(error.__cause__, RemoteTraceback)
    assert "in raise_value_error" in str(error.__cause__)


def test_an_exception_that_cannot_travel_is_told_in_words(executor: PVMExecutor) -> None:
    error = executor.submit(raise_stubborn).exception(20)
    assert type(error) is RuntimeError and "Stubborn: 1 and 2" in str(error)
    assert "in raise_stubborn" in str(error.__cause__)


def test_what_cannot_be_pickled_fails_alone(executor: PVMExecutor) -> None:
    asked = executor.submit(square, threading.Lock())
    answered = executor.submit(return_lock)
    unreadable = executor.submit(return_unreadable)
    fine = executor.submit(square, 3)
    assert "lock" in str(asked.exception(20))
    assert "lock" in str(answered.exception(20))
    assert "cannot be read" in str(unreadable.exception(20))
    assert fine.result(20) == 9


def test_system_exit_belongs_to_the_future_and_not_to_the_slave(executor: PVMExecutor) -> None:
    error = executor.submit(leave).exception(20)
    assert isinstance(error, SystemExit) and error.code == 3
    assert executor.submit(square, 2).result(20) == 4


def test_calls_may_use_threads_of_their_own(executor: PVMExecutor) -> None:
    assert executor.submit(use_threads).result(20) == [0, 1, 4]


def test_a_lambda_and_a_closure_travel_whole(executor: PVMExecutor) -> None:
    pytest.importorskip("cloudpickle")
    shift = 10
    assert list(executor.map(lambda x: x + shift, range(3))) == [10, 11, 12]


def test_a_call_that_waits_can_be_cancelled(tmp_path: Path) -> None:
    gate = str(tmp_path / "gate")
    with PVMExecutor(1) as executor:
        first = executor.submit(wait_for_file, gate)
        wait_for(first.running)
        second, third = executor.submit(square, 2), executor.submit(square, 3)
        assert second.cancel() and not first.cancel()
        Path(gate).touch()
        assert third.result(20) == 9
        assert second.cancelled()


def test_what_a_slave_has_not_begun_behind_a_long_call_can_be_cancelled(tmp_path: Path) -> None:
    gate = str(tmp_path / "gate")
    with PVMExecutor(1) as executor:
        list(executor.map(square, range(300)))  # from now on short calls are given in numbers
        long_one = executor.submit(wait_for_file, gate)
        behind = [executor.submit(square, n) for n in range(50)]
        wait_for(lambda: long_one.running() and not any(future.running() for future in behind))
        assert all(future.cancel() for future in behind)
        Path(gate).touch()
        assert long_one.result(20) is None


def test_short_calls_do_not_wait_behind_a_long_one(executor: PVMExecutor, tmp_path: Path) -> None:
    gate = str(tmp_path / "gate")
    list(executor.map(square, range(300)))
    futures = [executor.submit(wait_for_file, gate) if n == 300 else executor.submit(square, n) for n in range(3000)]
    assert [f.result(20) for n, f in enumerate(futures) if n != 300] == [n * n for n in range(3000) if n != 300]
    assert not futures[300].done()
    Path(gate).touch()
    assert futures[300].result(20) is None


def test_what_comes_behind_a_call_that_is_long_already_goes_to_others(executor: PVMExecutor, tmp_path: Path) -> None:
    gate = str(tmp_path / "gate")
    list(executor.map(square, range(300)))
    long_one = executor.submit(wait_for_file, gate)
    wait_for(long_one.running)
    assert list(executor.map(square, range(1000), timeout=20)) == [n * n for n in range(1000)]
    Path(gate).touch()
    assert long_one.result(20) is None


# ------------------------------------------------------------------------------- map


def test_starmap_spreads_its_arguments(executor: PVMExecutor) -> None:
    assert list(executor.starmap(pow, [(2, 3), (3, 2)])) == [8, 9]
    assert list(executor.starmap(pow, zip(range(9), [2] * 9), chunksize=4)) == [n * n for n in range(9)]


def test_unordered_results_come_as_they_are_ready(executor: PVMExecutor, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    results = executor.starmap(call_or_wait, [(str(gate), n) for n in range(20)], unordered=True)
    first = [next(results) for _ in range(19)]
    assert sorted(first) == list(range(1, 20))
    gate.touch()
    assert list(results) == [0]
    assert sorted(executor.map(square, range(50), unordered=True, buffersize=4)) == [n * n for n in range(50)]
    assert sorted(executor.map(square, range(50), unordered=True, chunksize=7)) == [n * n for n in range(50)]
    with pytest.raises(TimeoutError):
        list(executor.map(wait_for_file, [str(tmp_path / "never")], unordered=True, timeout=0.2))
    (tmp_path / "never").touch()


def test_map_takes_its_arguments_only_as_far_as_the_buffer_reaches(executor: PVMExecutor) -> None:
    taken = []

    def numbers() -> Iterator[int]:
        for number in range(20):
            taken.append(number)
            yield number

    results = executor.map(square, numbers(), buffersize=3)
    assert len(taken) == 3
    assert next(results) == 0
    assert len(taken) == 4
    assert list(results) == [n * n for n in range(1, 20)]


def test_map_in_chunks_gives_the_same_in_the_same_order(executor: PVMExecutor) -> None:
    for chunksize in 1, 7, 100:
        assert list(executor.map(square, range(50), chunksize=chunksize)) == [n * n for n in range(50)]
    assert list(executor.map(pow, range(5), range(5), chunksize=2, buffersize=1)) == [1, 1, 4, 27, 256]


@pytest.mark.parametrize("wrong", [{"chunksize": 0}, {"buffersize": 0}])
def test_map_refuses_sizes_that_make_no_sense(executor: PVMExecutor, wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError):
        executor.map(square, [1], **wrong)  # type: ignore[arg-type]


# ---------------------------------------------------------------------------- faults


def test_the_call_of_a_dead_slave_is_done_by_another(executor: PVMExecutor, tmp_path: Path) -> None:
    assert executor.submit(die_once, str(tmp_path / "died")).result(30) != os.getpid()
    assert executor.submit(square, 5).result(20) == 25


def test_a_call_that_kills_its_slaves_fails_and_the_others_are_done() -> None:
    with PVMExecutor(2, max_deaths=2) as executor:
        deadly = executor.submit(die)
        harmless = [executor.submit(square, n) for n in range(10)]
        assert isinstance(deadly.exception(30), BrokenPVMExecutor)
        assert [future.result(30) for future in harmless] == [n * n for n in range(10)]


def test_a_death_blames_only_the_call_that_ran() -> None:
    with PVMExecutor(3, max_deaths=1) as executor:
        list(executor.map(square, range(3000)))
        futures = [executor.submit(die_at, n, 500) for n in range(1000)]
        assert [n for n, future in enumerate(futures) if future.exception(30) is not None] == [500]


def test_a_broken_executor_tells_why_to_whoever_submits(executor: PVMExecutor) -> None:
    assert executor.submit(square, 2).result(20) == 4
    master = executor._pool.master
    assert master is not None
    waiting = executor.submit(time.sleep, 60)
    wait_for(waiting.running)

    def fail() -> None:
        raise SystemExit("a slip in the loop")

    master.loop.call_soon(fail)
    error = waiting.exception(20)
    assert isinstance(error, BrokenPVMExecutor) and "a slip in the loop" in str(error)
    assert isinstance(error.__cause__, SystemExit)
    with pytest.raises(BrokenPVMExecutor, match="a slip in the loop") as caught:
        executor.submit(square, 2)
    assert isinstance(caught.value.__cause__, SystemExit)


def test_no_slave_left_breaks_the_executor() -> None:
    with PVMExecutor(1, max_respawns=0, max_deaths=9) as executor:
        futures = [executor.submit(die), executor.submit(square, 1)]
        for future in futures:
            assert isinstance(future.exception(30), BrokenExecutor)
        with pytest.raises(BrokenExecutor):
            executor.submit(square, 1)


def test_a_host_that_is_not_there_is_named() -> None:
    with PVMExecutor(hosts=["no-such-host"]) as executor:
        error = executor.submit(square, 1).exception(30)
    assert isinstance(error, BrokenPVMExecutor) and "no-such-host" in str(error)


# --------------------------------------------------------------------- beginning and end


def test_nothing_is_started_before_the_first_call(session_vm: VirtualMachine) -> None:
    before = {task["tid"] for task in session_vm.tasks()}
    with PVMExecutor(2):
        assert {task["tid"] for task in session_vm.tasks()} <= before  # those of another test may have ended


def test_the_slaves_have_gone_after_shutdown() -> None:
    with PVMExecutor(2) as executor:
        pids = set(executor.map(own_pid, range(20)))
    wait_for(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in pids))


def test_an_executor_that_is_forgotten_lets_its_slaves_go() -> None:
    executor = PVMExecutor(1)
    pid = executor.submit(own_pid).result(20)
    last = executor.submit(square, 3)
    del executor
    gc.collect()
    assert last.result(20) == 9
    wait_for(lambda: not os.path.exists(f"/proc/{pid}"))


def test_a_long_lived_executor_keeps_nothing_of_what_is_done(executor: PVMExecutor) -> None:
    for _ in range(3):
        list(executor.map(square, range(500)))
    executor.submit(square, 1).result(20)
    master = executor._pool.master
    assert master is not None
    assert len(master.jobs.objects) < 600 and len(master.data) < 5
    assert not master.calculation.state.failed and not master.calculation.errors


@pytest.mark.parametrize(
    "arguments, error",
    [
        ({"max_workers": 0}, ValueError),
        ({"hosts": []}, ValueError),
        ({"hosts": "node1"}, TypeError),
        ({"initializer": 1}, TypeError),
    ],
)
def test_wrong_arguments_are_refused(arguments: dict[str, object], error: type[Exception]) -> None:
    with pytest.raises(error):
        PVMExecutor(**arguments)  # type: ignore[arg-type]


def test_a_misspelt_option_is_named_with_the_nearest() -> None:
    with pytest.raises(TypeError, match="heartbeat"):
        PVMExecutor(2, heartbaet=3)


SCRIPT = """
import sys
sys.modules["cloudpickle"] = None   # as if it were not installed
from biskit_pvm.futures import PVMExecutor

class Point:
    def __init__(self, x):
        self.x = x

def mirrored(point):
    return Point(-point.x)

print("run as", __name__)
if __name__ == "__main__":
    with PVMExecutor(1) as executor:
        result = executor.submit(mirrored, Point(3)).result(20)
    print(type(result) is Point, result.x)
"""


def test_functions_and_classes_of_the_users_script_need_no_cloudpickle(vm: VirtualMachine, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    printed = vm.run([sys.executable, str(script)], timeout=40).stdout
    assert printed.splitlines() == ["run as __main__", "True -3"]


def test_what_was_submitted_is_done_before_the_interpreter_ends(vm: VirtualMachine) -> None:
    code = (
        "import time; from biskit_pvm.futures import PVMExecutor\n"
        "PVMExecutor(1).submit(time.sleep, 0.5).add_done_callback(lambda future: print('done', flush=True))\n"
    )
    assert vm.python(code, timeout=40) == "done\n"


def test_libraries_can_ask_for_the_number_of_workers() -> None:
    for executor, number in (PVMExecutor(3), 3), (PVMExecutor(hosts=["a", "b"]), 2):
        with executor:
            assert executor._max_workers == number
    with PVMExecutor() as executor:
        assert executor._max_workers == len(os.sched_getaffinity(0))
