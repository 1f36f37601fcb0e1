"""Fixtures and rules of every test: own virtual machines, no trace left, no silent skip."""

from __future__ import annotations

import fnmatch
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Union

import pytest

from .support.traces import RUN_VARIABLE, processes_of_run
from .support.vm import VirtualMachine
from .support.waiting import wait_for as _wait_for

EXPECTED_SKIPS = Path(__file__).with_name("expected_skips.txt")

_run_folder = pytest.StashKey[Path]()
_skips = pytest.StashKey["list[tuple[str, str]]"]()
_complaints = pytest.StashKey["list[str]"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--thorough",
        action="store_true",
        help="give the tests of threads and of memory their full size: minutes instead of seconds",
    )
    parser.addoption(
        "--all-pythons",
        action="store_true",
        help="build and try the wheel for every Python that is found, not for this one alone",
    )
    parser.addoption(
        "--chaos", type=int, default=16, metavar="N", help="calculations that are disturbed by faults at random (16)"
    )


# ------------------------------------------------------------------- fixtures


@pytest.fixture
def vm() -> Iterator[VirtualMachine]:
    """Give a fresh virtual machine; subprocesses started through it are its tasks."""
    with VirtualMachine() as machine:
        yield machine


@pytest.fixture(scope="session")
def session_vm() -> Iterator[VirtualMachine]:
    """Give the one virtual machine in which the test process itself is a task."""
    import pvm_ext

    with VirtualMachine() as machine:
        before = dict(os.environ)
        os.environ.update(machine.env)
        tid = pvm_ext.mytid()
        yield machine
        # A pvmd that ends takes its tasks with it: it must have seen that this one has left.
        pvm_ext.exit()
        _wait_for(lambda: tid not in [task["tid"] for task in machine.tasks()])
        os.environ.clear()
        os.environ.update(before)


@pytest.fixture(scope="session")
def thorough(request: pytest.FixtureRequest) -> bool:
    """Tell whether tests of threads and of memory run in their full size."""
    return bool(request.config.getoption("--thorough"))


@pytest.fixture(scope="session")
def wait_for():  # type: ignore[no-untyped-def]
    """Give the function that waits for a condition: see tests/support/waiting.py."""
    return _wait_for


# ---------------------------------------------------------- nothing is left behind


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    config.stash[_skips] = []
    config.stash[_complaints] = []
    config.pluginmanager.register(Skips(config.stash[_skips]))
    if hasattr(config, "workerinput"):  # a process of pytest-xdist: the run is its master's
        return
    # Who ends a run by SIGTERM gets the same tidying up as by Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # A shell starts what it runs in the background with SIGINT ignored, and all its children would
    # inherit that: no test could interrupt anything.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # All temporary files of the run go into one folder, with a name short enough for the
    # sockets of a pvmd, and all its processes carry its name.
    folder = Path(tempfile.mkdtemp(prefix="bp-run-"))
    config.stash[_run_folder] = folder
    os.environ[RUN_VARIABLE] = folder.name
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder / "t")
    (folder / "t").mkdir()
    if config.option.basetemp is None:
        config.option.basetemp = str(folder / "pytest")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    config = session.config
    folder = config.stash.get(_run_folder, None)
    if folder is None:
        return
    complaints = config.stash[_complaints]
    try:
        _wait_for(lambda: not processes_of_run(), 10)
    except AssertionError:
        for process in processes_of_run():
            complaints.append(f"process left behind: {process}")
            os.kill(process.pid, signal.SIGKILL)
    complaints += [f"file left behind: {path}" for path in sorted((folder / "t").iterdir())]
    if _strict():
        complaints += [
            f"skip that is not in {EXPECTED_SKIPS.name}: {test}: {reason}"
            for test, reason in config.stash[_skips]
            if not _expected(test)
        ]
    if complaints and session.exitstatus in (
        pytest.ExitCode.OK,
        pytest.ExitCode.NO_TESTS_COLLECTED,
    ):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(tryfirst=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    folder = config.stash.get(_run_folder, None)
    if folder is not None:
        tempfile.tempdir = None
        shutil.rmtree(folder, ignore_errors=True)


# ------------------------------------------------------------- skips are said aloud


class Skips:
    """Collect what is skipped, while tests are collected and while they run."""

    def __init__(self, found: list[tuple[str, str]]) -> None:
        self._found = found

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped and not hasattr(report, "wasxfail"):
            self._note(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.skipped:
            self._note(report)

    def _note(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        self._found.append((report.nodeid, text.removeprefix("Skipped: ")))


def _strict() -> bool:
    return os.environ.get("CI", "") not in ("", "0", "false")


def _expected(test: str) -> bool:
    lines = EXPECTED_SKIPS.read_text().splitlines()
    patterns = [line.split("#")[0].strip() for line in lines]
    return any(pattern and fnmatch.fnmatchcase(test, pattern) for pattern in patterns)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    skips, complaints = config.stash[_skips], config.stash[_complaints]
    if skips:
        terminalreporter.section("skipped")
        for test, reason in skips:
            terminalreporter.line(f"{test}: {reason}")
    if complaints:
        terminalreporter.section("complaints", red=True)
        for complaint in complaints:
            terminalreporter.line(complaint)
