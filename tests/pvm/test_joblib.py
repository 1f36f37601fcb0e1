"""joblib's Parallel, and what is built on it, on PVM slaves."""

from __future__ import annotations

import glob
import multiprocessing
import os
import time
from collections.abc import Iterator

import numpy as np
import pytest

joblib = pytest.importorskip("joblib")

from joblib import Parallel, delayed, parallel_config  # noqa: E402

import biskit_pvm.joblib  # noqa: E402
from biskit_pvm import PVMExecutor  # noqa: E402

from ..support.waiting import wait_for  # noqa: E402

pytestmark = [pytest.mark.usefixtures("session_vm"), pytest.mark.timeout(120)]


def square(x: int) -> int:
    return x * x


def own_pid(_: object = None) -> int:
    return os.getpid()


def fail_at(n: int, bad: int) -> int:
    if n == bad:
        raise ValueError(f"bad {n}")
    if n > bad:
        time.sleep(60)
    return n


def is_read_only(array: np.ndarray) -> bool:
    assert array.sum() == array.size
    return not array.flags.writeable


def shared_files(executor: PVMExecutor) -> list[str]:
    found = glob.glob(f"/dev/shm/biskit-pvm-*{executor._pool.shelf.name}/*")
    return [path for path in found if not path.endswith(("alive", "lock"))]


def inner_pvm(n: int) -> set[int]:
    return {os.getpid(), *Parallel(n_jobs=2, backend="pvm")(delayed(own_pid)(i) for i in range(n))}


def inner(n: int) -> int:
    return sum(Parallel(n_jobs=2)(delayed(square)(i) for i in range(n)))


@pytest.fixture
def executor() -> Iterator[PVMExecutor]:
    with PVMExecutor(2) as executor:
        yield executor


def test_tasks_run_on_the_slaves_in_order(executor: PVMExecutor) -> None:
    with parallel_config(backend="pvm", executor=executor, n_jobs=-1):
        assert joblib.effective_n_jobs() == 2
        assert Parallel()(delayed(square)(n) for n in range(200)) == [n * n for n in range(200)]
        assert os.getpid() not in Parallel()(delayed(own_pid)(n) for n in range(20))


def test_workers_are_made_by_number_and_kept() -> None:
    try:
        first = set(Parallel(n_jobs=2, backend="pvm")(delayed(own_pid)(n) for n in range(40)))
        second = set(Parallel(n_jobs=2, backend="pvm")(delayed(own_pid)(n) for n in range(40)))
        assert len(first | second) <= 2 and os.getpid() not in first
    finally:
        biskit_pvm.joblib.shutdown()
    wait_for(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in first | second))


def test_results_may_come_as_a_generator(executor: PVMExecutor) -> None:
    with parallel_config(backend="pvm", executor=executor, n_jobs=2):
        assert list(Parallel(return_as="generator")(delayed(square)(n) for n in range(20))) == [
            n * n for n in range(20)
        ]
        unordered = Parallel(return_as="generator_unordered")(delayed(square)(n) for n in range(20))
        assert sorted(unordered) == [n * n for n in range(20)]


def test_the_first_error_ends_the_rest_and_the_next_use_works(executor: PVMExecutor) -> None:
    with parallel_config(backend="pvm", executor=executor, n_jobs=2):
        begun = time.monotonic()
        with pytest.raises(ValueError, match="bad 3"):
            Parallel(batch_size=1)(delayed(fail_at)(n, 3) for n in range(10))
        assert time.monotonic() - begun < 30
        assert Parallel()(delayed(square)(n) for n in range(5)) == [0, 1, 4, 9, 16]


def test_parallel_calls_inside_tasks_are_done_there(executor: PVMExecutor) -> None:
    with parallel_config(backend="pvm", executor=executor, n_jobs=2):
        assert Parallel()(delayed(inner)(n) for n in range(4)) == [0, 0, 1, 5]


def test_tasks_may_use_the_backend_by_its_name(executor: PVMExecutor) -> None:
    with parallel_config(backend="pvm", executor=executor, n_jobs=2):
        for pids in Parallel()(delayed(inner_pvm)(8) for n in range(2)):
            assert len(pids) > 1 and os.getpid() not in pids


def test_an_array_that_comes_again_is_shared_until_the_end(executor: PVMExecutor) -> None:
    array = np.ones((300, 1000))
    with parallel_config(backend="pvm", executor=executor, n_jobs=2, max_nbytes="1M"):
        for again in (array, array.T, array[:, ::2]):
            read_only = Parallel()(delayed(is_read_only)(again) for _ in range(8))
            assert any(read_only), "it went with each task"
            assert not any(Parallel(mmap_mode=None)(delayed(is_read_only)(again) for _ in range(8)))
        assert not any(Parallel()(delayed(is_read_only)(np.ones(200_000)) for _ in range(8))), "they differ"
    assert not shared_files(executor)


def test_other_numbers_of_workers_take_the_place_of_those_that_are_kept() -> None:
    try:
        for n_jobs in (2, 3, 2):
            assert len(set(Parallel(n_jobs=n_jobs, backend="pvm")(delayed(own_pid)(n) for n in range(40)))) <= n_jobs
        assert len(biskit_pvm.joblib._all_kept) == 1
        Parallel(n_jobs=2, backend="pvm", env={"OTHER": "1"})(delayed(own_pid)(n) for n in range(4))
        assert len(biskit_pvm.joblib._all_kept) == 1
    finally:
        biskit_pvm.joblib.shutdown()


def test_large_arrays_and_a_time_limit(executor: PVMExecutor) -> None:
    array = np.ones(500_000)
    with parallel_config(backend="pvm", executor=executor, n_jobs=2):
        assert Parallel()(delayed(np.sum)(array) for _ in range(8)) == [5e5] * 8
        with pytest.raises(multiprocessing.TimeoutError):
            Parallel(timeout=0.5)(delayed(time.sleep)(60) for _ in range(2))


def test_scikit_learn_gives_the_same_scores(executor: PVMExecutor) -> None:
    pytest.importorskip("sklearn")
    from sklearn.datasets import make_classification
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV, cross_val_score

    X, y = make_classification(200, 10, random_state=0)
    model = LogisticRegression()
    here = cross_val_score(model, X, y, cv=4)
    grid = GridSearchCV(model, {"C": [0.1, 1.0, 10.0]}, cv=3)
    best = grid.fit(X, y).best_score_
    with parallel_config(backend="pvm", executor=executor, n_jobs=2):
        assert (cross_val_score(model, X, y, cv=4) == here).all()
        assert grid.fit(X, y).best_score_ == best
