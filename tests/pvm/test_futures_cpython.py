"""CPython's own tests of executors, run on PVMExecutor.

Taken whole are the mixins that every executor of CPython's has to pass: ExecutorTest, WaitTests, AsCompletedTests,
ExecutorShutdownTest, InitializerMixin and FailingInitializerMixin.  What is different here, and why:

* Three shutdown tests run a script that imports the executor from concurrent.futures and has a worker print: the script
  is changed to import it from biskit_pvm.futures, and to print in the future's callback, since what slaves print goes
  to PVM's log and not to the master's terminal.
* test_cancel_futures expects that some of its calls have begun within moments: here a first call waits for the slaves.
* FailingInitializerMixin looks for the initializer's error in a log of the worker's: here the executor's own error has
  to name it.

What does not apply: ThreadPool*Test and ProcessPool*Test look into the private threads, processes and queues of those
executors (that a dead worker breaks the pool is among them: ours goes on, see test_futures.py); FutureTests test the
class Future, which is Python's own.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import multiprocessing.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from biskit_pvm.futures import PVMExecutor

pytestmark = [pytest.mark.usefixtures("session_vm", "tests_can_be_imported"), pytest.mark.timeout(120)]

NAME = "test_concurrent_futures"


def _source() -> Path:
    """Return CPython's tests of executors for this version: its own, or those of Debian's package."""
    test = importlib.import_module("test")
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    for folder in [*map(Path, test.__path__), Path("/usr/lib", version, "test")]:
        for path in folder / NAME, folder / f"{NAME}.py":
            if path.exists():
                return path
    pytest.skip(f"CPython's own tests for {version} are not installed", allow_module_level=True)


def _module(part: str) -> ModuleType:
    """Return the module with some of the tests; up to Python 3.11 one has them all."""
    return importlib.import_module(f"{NAME}.{part}" if SOURCE.is_dir() else NAME)


SOURCE = _source()
# By its short name: slaves have the master's sys.path, but their `test` package may lack these tests.
sys.path.append(str(SOURCE.parent))
try:
    util, base, waits, completions, shutdowns, starts = map(
        _module, ("util", "executor", "test_wait", "test_as_completed", "test_shutdown", "test_init")
    )
finally:
    sys.path.remove(str(SOURCE.parent))


@pytest.fixture
def tests_can_be_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let slaves import CPython's tests, but not all that lies beside them."""
    (tmp_path / SOURCE.name).symlink_to(SOURCE)
    monkeypatch.syspath_prepend(str(tmp_path))


@pytest.fixture(autouse=True, scope="module")
def helpers_end() -> Iterator[None]:
    """End what multiprocessing has started to watch over its managers."""
    yield
    multiprocessing.util._cleanup_tests()  # type: ignore[attr-defined]


class Executor(PVMExecutor):
    """The executor with what the tests look at beyond the interface."""

    @property
    def _broken(self) -> Any:
        return self._pool.broken


Executor.__name__ = PVMExecutor.__name__


class OnPVM(util.ExecutorMixin):  # type: ignore[name-defined, misc]
    """Makes the executor that is tested."""

    executor_type = Executor

    def create_event(self) -> Any:
        """Make an event that calls may wait for, as the tests of Python 3.14 do."""
        manager = multiprocessing.get_context("spawn").Manager()
        self.addCleanup(manager.shutdown)
        return manager.Event()


class Case(util.BaseTestCase):  # type: ignore[name-defined, misc]
    def tearDown(self) -> None:
        # The objects of an executor refer to each other. Where CPython's own look for threads finds its thread, it
        # holds on to it, and looks another hundred times whether it has gone, each time behind the garbage collector.
        gc.collect()
        super().tearDown()


class TestExecutor(base.ExecutorTest, OnPVM, Case):  # type: ignore[name-defined, misc]
    pass


class TestWait(waits.WaitTests, OnPVM, Case):  # type: ignore[name-defined, misc]
    pass


class TestAsCompleted(completions.AsCompletedTests, OnPVM, Case):  # type: ignore[name-defined, misc]
    pass


class TestShutdown(shutdowns.ExecutorShutdownTest, OnPVM, Case):  # type: ignore[name-defined, misc]
    @pytest.fixture(autouse=True)
    def scripts_use_pvm(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Change the scripts that the tests run as programs."""
        run = shutdowns.assert_python_ok

        def assert_python_ok(option: str, script: str) -> Any:
            lines = [line for line in script.splitlines() if "import sleep_and_print" not in line]
            script = "\n".join(lines).replace("from concurrent.futures", "from biskit_pvm.futures")
            script = script.replace(
                't.submit(sleep_and_print, 1.0, "apple")',
                'import time; t.submit(time.sleep, 1.0).add_done_callback(lambda future: print("apple"))',
            )
            return run(option, script, __isolated=False)

        monkeypatch.setattr(shutdowns, "assert_python_ok", assert_python_ok)

    def test_cancel_futures(self) -> None:
        self.executor.submit(int).result()
        super().test_cancel_futures()


class TestInitializer(starts.InitializerMixin, OnPVM, Case):  # type: ignore[name-defined, misc]
    pass


class TestFailingInitializer(starts.FailingInitializerMixin, OnPVM, Case):  # type: ignore[name-defined, misc]
    @contextlib.contextmanager
    def _assert_logged(self, message: str) -> Iterator[None]:
        yield
        self.assertIn(message, self.executor._broken)
