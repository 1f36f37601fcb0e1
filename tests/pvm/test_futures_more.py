"""What PVMExecutor offers beyond the interface of Python's own executors."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError, wait
from pathlib import Path

import pytest

from biskit_pvm import PVMExecutor
from biskit_pvm.futures import BrokenPVMExecutor

from ..support.waiting import wait_for

pytestmark = [pytest.mark.usefixtures("session_vm"), pytest.mark.timeout(60)]


def square(x: int) -> int:
    return x * x


def own_pid(_: object = None) -> int:
    return os.getpid()


def note(path: str, text: str) -> None:
    with open(path, "a") as file:
        file.write(text)


def fail_at_first(path: str, times: int) -> int:
    """Raise as often as it is told."""
    note(path, "x")
    count = os.path.getsize(path)
    if count <= times:
        raise ValueError(f"time {count}")
    return count


def wait_for_file(path: str) -> None:
    wait_for(lambda: os.path.exists(path), 30)


def refuse() -> None:
    raise OSError("no licence")


@pytest.fixture
def executor() -> Iterator[PVMExecutor]:
    with PVMExecutor(2) as executor:
        yield executor


# --------------------------------------------------------------------------- workers


def test_a_worker_that_is_stopped_delays_no_other_and_goes_on_afterwards(executor):
    stopped, *_ = set(executor.map(own_pid, range(40)))
    os.kill(stopped, signal.SIGSTOP)
    try:
        calls = [executor.submit(own_pid, bytes(1_000_000)) for _ in range(24)]
        wait_for(lambda: sum(call.done() for call in calls) >= 12, 10)  # the others had been given to it
    finally:
        os.kill(stopped, signal.SIGCONT)
    assert stopped in [call.result(10) for call in calls]


def test_bootup_starts_the_workers_before_the_first_call(executor: PVMExecutor) -> None:
    assert executor.bootup() is executor
    assert repr(executor) == "<PVMExecutor: 0 calls done, 0 to do, 2 slaves on 1 host>"
    assert executor.wait_for_workers() == executor.wait_for_workers(1) == 2
    assert executor.wait_for_workers(3, timeout=0.1) == 2


def test_waiting_for_workers_that_cannot_come_ends() -> None:
    with PVMExecutor(hosts=["no-such-host"], add_hosts=False) as executor, pytest.raises(BrokenPVMExecutor):
        executor.wait_for_workers()


def test_a_failing_initializer_is_told() -> None:
    with PVMExecutor(2, initializer=refuse) as executor:
        with pytest.raises(BrokenPVMExecutor, match="no licence"):
            executor.wait_for_workers()


def test_more_and_fewer_workers_while_it_works(executor: PVMExecutor) -> None:
    list(executor.map(square, range(10)))
    executor.scale(4)
    assert executor.wait_for_workers(4, timeout=30) == executor.n_workers == 4
    calls = [executor.submit(time.sleep, 0.01) for _ in range(100)]
    executor.scale(1)
    for call in calls:
        call.result(20)
    wait_for(lambda: repr(executor).endswith("1 slave on 1 host>"))
    assert executor.n_workers == 1
    executor.add_hosts(["localhost"])
    assert executor.wait_for_workers(2, timeout=30) == executor.n_workers == 2
    assert len(set(executor.map(own_pid, range(3)))) >= 1


def test_a_worker_is_replaced_after_so_many_calls() -> None:
    with PVMExecutor(1, max_tasks_per_child=3) as executor:
        pids = list(executor.map(own_pid, range(12)))
    assert all(pids.count(pid) == 3 for pid in pids)
    assert len(set(pids)) == 4


@pytest.mark.parametrize("wrong, error", [(0, ValueError), (-1, ValueError), ("3", TypeError)])
def test_numbers_of_calls_that_make_no_sense_are_refused(wrong: object, error: type[Exception]) -> None:
    with pytest.raises(error):
        PVMExecutor(1, max_tasks_per_child=wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("method", ["kill_workers", "terminate_workers"])
def test_all_workers_can_be_ended_whatever_they_do(method: str) -> None:
    executor = PVMExecutor(2)
    pids = set(executor.map(own_pid, range(20)))
    futures = [executor.submit(time.sleep, 60) for _ in range(4)]
    wait_for(futures[0].running)
    getattr(executor, method)()
    for future in futures:
        assert isinstance(future.exception(10), BrokenPVMExecutor)
    wait_for(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in pids))
    with pytest.raises(RuntimeError):
        executor.submit(square, 1)


# ------------------------------------------------------------------------ single calls


def test_a_call_that_takes_too_long_fails_and_its_worker_is_replaced() -> None:
    with PVMExecutor(1) as executor:
        pid = executor.submit(own_pid).result(20)
        begun = time.monotonic()
        slow = executor.with_options(timeout=0.3).submit(time.sleep, 60)
        after = executor.submit(own_pid)
        with pytest.raises(TimeoutError, match="longer than 0.3 s"):
            slow.result(20)
        assert time.monotonic() - begun < 10
        assert after.result(20) != pid
        assert executor.with_options(timeout=30).submit(square, 3).result(20) == 9


def test_a_call_that_raises_is_tried_again(executor: PVMExecutor, tmp_path: Path) -> None:
    retrying = executor.with_options(retries=2)
    assert retrying.submit(fail_at_first, str(tmp_path / "a"), 2).result(20) == 3
    assert list(retrying.map(fail_at_first, [str(tmp_path / "b")], [1])) == [2]
    with pytest.raises(ValueError, match="time 3"):
        retrying.submit(fail_at_first, str(tmp_path / "c"), 9).result(20)
    with pytest.raises(ValueError, match="time 1"):
        executor.submit(fail_at_first, str(tmp_path / "d"), 9).result(20)


def test_the_last_call_is_tried_again_after_shutdown(tmp_path: Path) -> None:
    with PVMExecutor(1) as executor:
        future = executor.with_options(retries=3).submit(fail_at_first, str(tmp_path / "a"), 3)
    assert future.result(20) == 4


def test_calls_with_priority_come_first(tmp_path: Path) -> None:
    gate, log = str(tmp_path / "gate"), str(tmp_path / "log")
    with PVMExecutor(1) as executor:
        first = executor.submit(wait_for_file, gate)
        wait_for(first.running)
        for text, priority in ("b", 0), ("d", -1), ("a", 5), ("c", 0):
            executor.with_options(priority=priority).submit(note, log, text)
        wait_for(lambda: executor._pool.master.jobs.n_waiting == 4)
        Path(gate).touch()
    assert Path(log).read_text() == "abcd"


def test_a_running_call_can_be_ended(executor: PVMExecutor) -> None:
    running = executor.submit(time.sleep, 60)
    wait_for(running.running)
    assert executor.end_call(running)
    with pytest.raises(CancelledError):
        running.result(20)
    assert not executor.end_call(running)
    assert executor.submit(square, 3).result(20) == 9


def test_settings_that_make_no_sense_are_refused(executor: PVMExecutor) -> None:
    with pytest.raises(ValueError):
        executor.with_options(timeout=0)
    with pytest.raises(ValueError):
        executor.with_options(retries=-1)


def test_iterators_of_any_length_take_no_memory(executor: PVMExecutor) -> None:
    results = executor.map(square, iter(int, 1), buffersize=200)  # zeros without end
    for _ in range(3000):
        assert next(results) == 0
    pool = executor._pool
    assert len(pool.futures) <= 201 and len(pool.master.data) <= 201 and len(pool.master.jobs.objects) <= 300
    results.close()  # type: ignore[attr-defined]


# ---------------------------------------------------------------------------- asyncio


def test_changing_ones_mind_about_the_number_of_workers_leaves_none_too_many() -> None:
    with PVMExecutor(1) as executor:
        executor.submit(square, 1).result(30)
        for _ in range(5):
            executor.scale(3)
            executor.scale(1)
        slaves = executor._pool.master.slaves
        spawned = executor._pool.master.state
        wait_for(lambda: len(slaves.alive) == 1 and not any(s.ordered for s in list(spawned.slots.values())), 30)
        assert executor.submit(square, 3).result(30) == 9


@pytest.mark.parametrize("unordered", [False, True])
def test_a_map_whose_calls_are_cancelled_raises_rather_than_waits(unordered: bool, tmp_path: Path) -> None:
    go = str(tmp_path / "go")
    with PVMExecutor(1) as executor:
        running = executor.submit(wait_for_file, go)
        wait_for(running.running, 30)
        results = executor.map(square, range(50), unordered=unordered)
        executor.shutdown(wait=False, cancel_futures=True)
        seen: list[object] = []

        def take() -> None:
            try:
                seen.append(list(results))
            except CancelledError as error:
                seen.append(error)

        taker = threading.Thread(target=take, daemon=True)
        taker.start()
        note(go, "")
        taker.join(30)
        assert [type(each) for each in seen] == [CancelledError]


def test_a_cancelled_future_of_an_executor_that_breaks_can_be_waited_for() -> None:
    executor = PVMExecutor(1)
    running = executor.submit(time.sleep, 60)
    waiting = executor.submit(square, 2)
    wait_for(running.running, 30)
    assert waiting.cancel() or waiting.running()
    executor.kill_workers()
    assert not wait([running, waiting], timeout=5).not_done


def test_an_executor_whose_thread_cannot_be_started_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    executor = PVMExecutor(1)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refused)
        with pytest.raises(RuntimeError, match="new thread"):
            executor.submit(square, 2)
    with pytest.raises(BrokenPVMExecutor, match="new thread"):
        executor.submit(square, 2)
    executor.shutdown()


def test_calls_can_be_awaited_and_cancelled(executor: PVMExecutor) -> None:
    async def work() -> list[int]:
        loop = asyncio.get_running_loop()
        await asyncio.to_thread(executor.bootup)
        sleeping = [asyncio.wrap_future(executor.submit(time.sleep, 0.2)) for _ in range(8)]
        last = sleeping.pop()
        last.cancel()
        squares = await asyncio.gather(*(loop.run_in_executor(executor, square, n) for n in range(5)))
        await asyncio.gather(*sleeping)
        assert last.cancelled()
        return squares

    assert asyncio.run(work()) == [0, 1, 4, 9, 16]


# ----------------------------------------------------------------------------- inline


def test_inline_calls_run_here_in_order_without_a_virtual_machine() -> None:
    seen: list[int] = []
    with PVMExecutor(inline=True, initializer=seen.append, initargs=(0,)) as executor:
        assert executor.submit(own_pid).result() == os.getpid()
        assert list(executor.map(lambda n: seen.append(n) or n, [1, 2, 3])) == [1, 2, 3]
        assert sorted(executor.starmap(pow, [(2, 3), (3, 2)], unordered=True)) == [8, 9]
        with pytest.raises(OSError, match="no licence"):
            executor.submit(refuse).result()
        assert executor._pool.master is None
    assert seen == [0, 1, 2, 3]
    with pytest.raises(RuntimeError):
        executor.submit(square, 1)
