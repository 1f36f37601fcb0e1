"""A real terminal for programs that draw on one: a window of tmux."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Sequence

from .waiting import wait_for


class Terminal:
    """A window in which a command runs; its exit code is shown as ``rc=`` when it ends.

    Parameters
    ----------
    run : callable
        Runs an argv and returns its output, such as a method of a virtual machine.
    socket : str
        Path of the socket of a tmux server of its own.
    command : sequence of str
        What runs in the window.
    """

    def __init__(self, run: Callable[[Sequence[str]], str], socket: str, command: Sequence[str]) -> None:
        self._run = run
        self._tmux = ["tmux", "-S", socket, "-f", "/dev/null"]
        # A shell of our own, which Ctrl-C does not end: what the user's does then depends on which one it is.
        script = f"trap : INT; {shlex.join(command)}; echo rc=$?; exec sleep 1000"
        self._do("new-session", "-d", "-x", "120", "-y", "30", "sh", "-c", script)

    def _do(self, *args: str) -> str:
        # readline, where a test process has loaded it, sets the last two
        return self._run(["env", "-u", "TMUX", "-u", "COLUMNS", "-u", "LINES", *self._tmux, *args])

    def press(self, *keys: str) -> None:
        """Type keys, by tmux's names."""
        self._do("send-keys", *keys)

    def screen(self) -> str:
        """Return what is on the screen."""
        return self._do("capture-pane", "-p")

    def shows(self, pattern: str, timeout: float = 30.0) -> re.Match[str]:
        """Wait until the screen shows a pattern."""
        try:
            return wait_for(lambda: re.search(pattern, self.screen(), re.M), timeout, pattern)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.screen()}") from None

    def resize(self, width: int, height: int) -> None:
        """Change the size of the window."""
        self._do("resize-window", "-x", str(width), "-y", str(height))

    def close(self) -> None:
        """End the window and what runs in it."""
        self._do("kill-server")
