"""Small processes that talk to slow daemons on a master's behalf.

libpvm does one thing at a time: while it waits for the daemon of a host
that has fallen silent, which can take minutes, the process receives nothing.
An agent is a PVM task of its own that makes such calls; its master talks to
it through pipes, and uses another one while it is stuck.  Agents are started
when they are needed, and leave with their master.
"""

from __future__ import annotations

import atexit
import os
import pickle
import struct
import subprocess
import threading
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import IO, Any, Callable

from biskit_pvm.machine import helper

_LENGTH = struct.Struct("<Q")


def write(stream: IO[bytes], message: Any) -> None:
    """Write an object to a pipe."""
    data = pickle.dumps(message)
    stream.write(_LENGTH.pack(len(data)) + data)
    stream.flush()


def read(stream: IO[bytes]) -> Any:
    """Read what `write` has written at the other end; EOFError where that is closed."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        raise EOFError
    return pickle.loads(stream.read(_LENGTH.unpack(head)[0]))


class Agent:
    """One agent process, seen from its master."""

    def __init__(self) -> None:
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("PVMT") and name != "PVMEPID"
        }
        self._process = subprocess.Popen(
            helper.command("biskit_pvm.machine.agent_calls"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
        )

    def call(self, function: str, args: Any) -> Any:
        """Have a function of `biskit_pvm.machine.agent_calls` called; wait."""
        assert self._process.stdin and self._process.stdout
        write(self._process.stdin, (function, args))
        ok, value = read(self._process.stdout)
        if not ok:
            raise value
        return value

    def end(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream:
                try:
                    stream.close()
                except OSError:
                    pass


class Pool:
    """As many agents as there are calls under way at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[Agent] = []
        self._all: list[Agent] = []
        self._closed = False

    def submit(self, function: str, *args: Any) -> Future[Any]:
        """Have a call made; return its future at once."""
        future: Future[Any] = Future()
        threading.Thread(
            target=self._serve, args=(future, function, args), name="biskit-pvm-agent", daemon=True
        ).start()
        return future

    def call(
        self,
        function: str,
        *args: Any,
        timeout: float | None = None,
        too_late: Callable[[Any], None] | None = None,
    ) -> Any:
        """Have a call made and wait for its result, at most `timeout`
        seconds; a result that comes later goes to `too_late`.

        Raises
        ------
        TimeoutError
        """
        future = self.submit(function, *args)
        try:
            return future.result(timeout)
        except FutureTimeout:
            if future.done():
                return future.result()
            if too_late is not None:
                future.add_done_callback(lambda f: None if f.exception() else too_late(f.result()))
            raise TimeoutError(f"no answer within {timeout:g} s") from None

    def _serve(self, future: Future[Any], function: str, args: Any) -> None:
        agent = None
        try:
            with self._lock:
                if self._closed:
                    raise RuntimeError("the process is ending")
                agent = self._idle.pop() if self._idle else None
            if agent is None:
                agent = Agent()
                with self._lock:
                    self._all.append(agent)
            value = agent.call(function, args)
        except (EOFError, OSError) as error:
            if agent is not None:
                self._forget(agent)
            future.set_exception(
                RuntimeError(f"the agent that should {function} has ended") if isinstance(error, EOFError) else error
            )
        except Exception as error:
            self._give_back(agent)
            future.set_exception(error)
        else:
            self._give_back(agent)
            future.set_result(value)

    def _give_back(self, agent: Agent | None) -> None:
        if agent is not None:
            with self._lock:
                self._idle.append(agent)

    def _forget(self, agent: Agent) -> None:
        with self._lock:
            if agent in self._all:
                self._all.remove(agent)
        agent.end()

    def close(self) -> None:
        """End all agents."""
        with self._lock:
            self._closed = True
            agents, self._all, self._idle = self._all, [], []
        for agent in agents:
            agent.end()


_pool: Pool | None = None
_pool_lock = threading.Lock()


def pool() -> Pool:
    """Return the agents of this process."""
    global _pool
    with _pool_lock:
        if _pool is None:
            _pool = Pool()
            atexit.register(_pool.close)
        return _pool
