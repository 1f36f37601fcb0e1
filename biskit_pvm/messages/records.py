"""Log records of a slave on their way into its master's `logging`."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

from biskit_pvm.machine import task
from biskit_pvm.machine.tags import Tag
from biskit_pvm.messages.messenger import Messenger

#: what a record is made of, beyond its text
_FIELDS = (
    "name", "levelno", "levelname", "pathname", "filename", "module", "lineno", "funcName", "created", "msecs",
    "relativeCreated", "thread", "threadName", "process", "processName", "taskName",
)  # fmt: skip

#: what formatters make
_MADE = {"msg", "args", "message", "asctime", "exc_info", "exc_text", "stack_info"}


def lowest_level() -> int:
    """Return the lowest level that any logger of this process listens to."""
    root = logging.getLogger()
    levels = [root.level or logging.WARNING]
    for logger in list(root.manager.loggerDict.values()):
        if isinstance(logger, logging.Logger) and logger.level:
            levels.append(logger.level)
    return min(levels)


class Sender(logging.Handler):
    """Send log records to a master.

    Parameters
    ----------
    messenger : Messenger
        The slave's.
    to : int
        Tid of the master.
    level : int
    """

    def __init__(self, messenger: Messenger, to: int, level: int) -> None:
        super().__init__(level)
        self._messenger, self._to = messenger, to
        self._sending = threading.local()

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record."""
        if getattr(self._sending, "now", False):
            return  # what sending itself has to say
        self._sending.now = True
        try:
            fields = self._fields(record)
            self._messenger.send(self._to, Tag.RECORD, (time.time(), (self._messenger.tid, fields)))
        except task.PvmError:
            pass  # the loop sees the same
        except Exception:
            self.handleError(record)
        finally:
            self._sending.now = False

    def _fields(self, record: logging.LogRecord) -> dict[str, Any]:
        """Return a record as numbers and text, which any master can read."""
        fields = {name: getattr(record, name, None) for name in _FIELDS}
        for name, value in vars(record).items():
            if name not in fields and name not in _MADE and isinstance(value, (str, int, float, type(None))):
                fields[name] = value  # of `extra`
        fields["msg"] = record.getMessage()
        fields["stack_info"] = record.stack_info
        fields["exc_text"] = record.exc_text
        if record.exc_info and not record.exc_text:
            fields["exc_text"] = logging.Formatter().formatException(record.exc_info)
        return fields


def send_records(messenger: Messenger, to: int, level: int) -> None:
    """Have the log records of this process sent to its master.

    Parameters
    ----------
    messenger : Messenger
    to : int
        Tid of the master.
    level : int
        Lowest level that it is interested in.
    """
    root = logging.getLogger()
    root.addHandler(Sender(messenger, to, level))
    root.setLevel(min(root.level or level, level))


def log_here(fields: dict[str, Any], slave: str, host: str) -> None:
    """Log a record of a slave as if it had been made in this process.

    Parameters
    ----------
    fields : dict
        As a `Sender` has sent them.
    slave, host : str
        Attributes of the record.
    """
    record = logging.makeLogRecord({**fields, "slave": slave, "host": host})
    logger = logging.getLogger(record.name)
    if logger.isEnabledFor(record.levelno):
        logger.handle(record)
