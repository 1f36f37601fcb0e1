"""The futures of an executor are those of Python, whoever waits for them and when."""

import concurrent.futures as cf
import threading

import pytest

from biskit_pvm.executor.future import CallFuture


def running():
    future = CallFuture()
    assert future.set_running_or_notify_cancel()
    return future


def test_a_result_that_nobody_has_waited_for():
    future = running()
    assert future.running() and not future.done()
    future.set_result(7)
    assert future.done() and not future.running() and not future.cancelled()
    assert future.result() == 7 and future.result(0) == 7 and future.exception() is None
    with pytest.raises(cf.InvalidStateError):
        future.set_result(8)
    assert not future.cancel()
    assert future.result() == 7
    assert "returned int" in repr(future)


def test_an_exception():
    future = running()
    future.set_exception(KeyError("k"))
    assert future.done()
    with pytest.raises(KeyError):
        future.result()


def test_what_is_cancelled_never_runs():
    future = CallFuture()
    assert future.cancel() and future.cancelled() and future.done()
    assert not future.set_running_or_notify_cancel()
    with pytest.raises(cf.CancelledError):
        future.result()


def test_a_call_that_is_given_back_can_be_cancelled():
    future = running()
    assert not future.cancel()
    future.set_waiting()
    assert future.cancel()


@pytest.mark.parametrize("early", [True, False])
def test_callbacks_are_called_once(early):
    seen, future = [], running()
    if early:
        future.add_done_callback(seen.append)
    future.set_result(1)
    if not early:
        future.add_done_callback(seen.append)
    assert seen == [future]


def test_whoever_waits_is_woken():
    future = running()
    with pytest.raises(cf.TimeoutError):
        future.result(0.001)
    thread = threading.Timer(0.05, future.set_result, [3])
    thread.start()
    assert future.result(30) == 3
    thread.join()


def test_wait_and_as_completed():
    futures = [running() for _ in range(4)]
    futures[0].set_result(0)
    assert cf.wait(futures, 0, cf.FIRST_COMPLETED).done == {futures[0]}
    thread = threading.Thread(target=lambda: [future.set_result(1) for future in futures[1:]])
    thread.start()
    assert set(cf.as_completed(futures, 30)) == set(futures)
    thread.join()


def test_no_outcome_is_missed_however_the_threads_meet():
    futures = [running() for _ in range(20000)]
    called = []
    thread = threading.Thread(target=lambda: [future.set_result(n) for n, future in enumerate(futures)])
    thread.start()
    for future in futures[::2]:
        future.add_done_callback(called.append)
    assert [future.result(30) for future in futures] == list(range(20000))
    thread.join()
    assert len(called) == 10000
