"""``threading``, ``thread`` and ``Queue``."""

from __future__ import annotations

import _thread
import queue
import threading
import types
from typing import Any, Callable

from biskit_pvm.compat.python2.registry import StandIn, new_module


class _AnyThread(type):
    """A thread of Python 3 is one, too."""

    def __instancecheck__(cls, obj: Any) -> bool:
        return type.__instancecheck__(cls, obj) or (cls is Thread and isinstance(obj, threading.Thread))


class Thread(metaclass=_AnyThread):
    """
    Python 2's ``Thread``: it keeps to its own names, so that subclasses may have fields like ``_stop`` or ``_args``.

    Parameters
    ----------
    group : None
    target : callable
    name : str
    args : tuple
    kwargs : dict
    """

    def __init__(
        self,
        group: None = None,
        target: Callable | None = None,
        name: str | None = None,
        args: tuple = (),
        kwargs: dict | None = None,
        verbose: Any = None,
    ) -> None:
        self.__target, self.__args, self.__kwargs = target, args, kwargs or {}
        self.__thread = threading.Thread(target=self.__bootstrap, name=name)
        self.__thread.biskit_pvm_owner = self

    def __bootstrap(self) -> None:
        self.run()

    def run(self) -> None:
        if self.__target:
            self.__target(*self.__args, **self.__kwargs)

    def start(self) -> None:
        self.__thread.start()

    def join(self, timeout: float | None = None) -> None:
        self.__thread.join(timeout)

    def isAlive(self) -> bool:
        return self.__thread.is_alive()

    is_alive = isAlive

    def getName(self) -> str:
        return self.__thread.name

    def setName(self, name: str) -> None:
        self.__thread.name = name

    def isDaemon(self) -> bool:
        return self.__thread.daemon

    def setDaemon(self, daemonic: Any) -> None:
        self.__thread.daemon = bool(daemonic)

    name = property(getName, setName)
    daemon = property(isDaemon, setDaemon)

    @property
    def ident(self) -> int | None:
        return self.__thread.ident

    def __repr__(self) -> str:
        return repr(self.__thread).replace(type(self.__thread).__name__, type(self).__name__, 1)


Thread.__module__ = "threading"


def _current() -> Any:
    thread = threading.current_thread()
    owner = getattr(thread, "biskit_pvm_owner", None)
    if owner is None:
        for old, new in (("getName", lambda: thread.name), ("isAlive", thread.is_alive)):
            if not hasattr(thread, old):
                setattr(thread, old, new)
    return thread if owner is None else owner


def _threading() -> types.ModuleType:
    return StandIn(
        threading,
        {
            "Thread": Thread,
            "currentThread": _current,
            "current_thread": _current,
            "activeCount": threading.active_count,
            "enumerate": lambda: [getattr(thread, "biskit_pvm_owner", thread) for thread in threading.enumerate()],
            "_RLock": type(threading.RLock()),
            "_Condition": threading.Condition,
            "_Event": threading.Event,
            "_Semaphore": threading.Semaphore,
            "_Timer": threading.Timer,
            "_sleep": __import__("time").sleep,
        },
        name="threading",
    )


def _thread_module() -> types.ModuleType:
    return StandIn(
        _thread,
        {"start_new": _thread.start_new_thread, "allocate": _thread.allocate_lock, "exit_thread": _thread.exit},
        name="thread",
    )


MODULES = {
    "threading": _threading,
    "dummy_threading": _threading,
    "thread": _thread_module,
    "dummy_thread": _thread_module,
    "Queue": lambda: new_module(
        "Queue", {name: getattr(queue, name) for name in "Queue LifoQueue PriorityQueue Empty Full".split()}
    ),
}
