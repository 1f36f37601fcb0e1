"""An agent's process: the functions that it may run for its master, and the loop that runs them."""

from __future__ import annotations

import os
import queue
import signal
import threading
from typing import Any, Callable

from biskit_pvm.machine import agent, daemon, host_table, mailbox, output, recovery, spawning

#: all that an agent can be asked for; what the others of `biskit_pvm.machine` do not offer
#: under a name of these is not to be had
CALLS: dict[str, Callable[..., Any]] = {
    "spawn_here": spawning.spawn_here,
    "signal_here": spawning.signal_here,
    "add_hosts_here": host_table.add,
    "delete_hosts_here": host_table.delete,
    "bring_back_here": recovery.bring_back,
    "post_here": mailbox.post,
    "last_words_there": output.last_words_there,
}


def main() -> None:
    """Serve a master until it closes the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    requests: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_take_requests, args=(requests,), daemon=True).start()
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libpvm prints is no reply
    while True:
        function, args = requests.get()
        daemon.notice_loss()  # the master may have another one by now
        try:
            answer = True, CALLS[function](*args)
        except Exception as error:
            answer = False, error
        try:
            agent.write(replies, answer)
        except BrokenPipeError:
            return
        except Exception as error:
            agent.write(replies, (False, RuntimeError(str(error))))


def _take_requests(requests: queue.SimpleQueue[Any]) -> None:
    """Read requests until the master closes the pipe, or ends; then end,
    whatever call is under way."""
    stream = os.fdopen(os.dup(0), "rb")
    while True:
        try:
            requests.put(agent.read(stream))
        except (EOFError, OSError):
            os._exit(0)
