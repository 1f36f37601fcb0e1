"""Log records of slaves arrive in the master's logging when that is asked for."""

from __future__ import annotations

import logging
import os

import pytest

from biskit_pvm import PVMExecutor, TrackingJobMaster
from biskit_pvm.machine import names

SLAVE = """
import logging, sys
from biskit_pvm import JobSlave

log = logging.getLogger("my.slave")

class Fancy:
    def __str__(self):
        return "fancy"

class Slave(JobSlave):
    def initialize(self, params):
        log.info("ready for %s", Fancy())
    def go(self, chunk):
        for item in chunk:
            log.debug("only for the curious: %s", item)
            log.warning("at %s", item, extra={"temperature": 300, "object": Fancy()})
            try:
                1 / 0
            except ZeroDivisionError:
                log.exception("failed")
        return {item: "logging" in sys.modules for item in chunk}

if __name__ == "__main__":
    Slave().start()
"""


class Keep(logging.Handler):
    def __init__(self):
        super().__init__()
        self.records = []

    def emit(self, record):
        self.format(record)
        self.records.append(record)


@pytest.fixture
def kept():
    handler, logger = Keep(), logging.getLogger("my")
    level = logger.level
    logger.addHandler(handler)
    yield handler, logger
    logger.removeHandler(handler)
    logger.setLevel(level)


@pytest.fixture
def run(session_vm, tmp_path):
    script = tmp_path / "slave.py"
    script.write_text(SLAVE)

    def run(**options):
        hosts = [names.own_host()]
        return TrackingJobMaster(
            {1: None}, 1, hosts, slave_script=script, verbose=0, add_hosts=0, **options
        ).calculateResult()

    return run


def test_records_of_slaves_come_with_their_text_and_origin(run, kept):
    handler, logger = kept
    logger.setLevel(logging.INFO)
    run(logging=True)
    assert [r.getMessage() for r in handler.records] == ["ready for fancy", "at 1", "failed"]
    for record in handler.records:
        assert record.name == "my.slave" and record.process != os.getpid()
        assert record.slave == record.host == names.own_host()
        assert record.filename == "slave.py" and record.funcName in ("initialize", "go")
    warning, failure = handler.records[1:]
    assert warning.temperature == 300 and not hasattr(warning, "object")
    assert "1 / 0" in failure.exc_text and failure.exc_text.endswith("ZeroDivisionError: division by zero")


def test_levels_of_the_master_decide(run, kept):
    handler, logger = kept
    logger.setLevel(logging.ERROR)
    run(logging=True)
    assert [r.getMessage() for r in handler.records] == ["failed"]
    logger.setLevel(logging.DEBUG)
    run(logging=True)
    assert "only for the curious: 1" in [r.getMessage() for r in handler.records]


def test_nothing_comes_unless_asked_for(run, kept):
    handler, logger = kept
    logger.setLevel(logging.DEBUG)
    run()
    assert handler.records == []


def log_and_tell(text: str) -> str:
    logging.getLogger("my.calls").warning(text)
    return text


def test_what_calls_log_arrives(session_vm, kept):
    handler, _ = kept
    with PVMExecutor(1, logging=True) as executor:
        assert executor.submit(log_and_tell, "from a call").result() == "from a call"
    assert [(record.getMessage(), record.levelname) for record in handler.records] == [("from a call", "WARNING")]
    assert handler.records[0].host == names.own_host()
