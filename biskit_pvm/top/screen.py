"""The live view of a virtual machine in a terminal."""

from __future__ import annotations

import os
import select
from typing import TYPE_CHECKING

from biskit_pvm.top import view
from biskit_pvm.top.sampler import Sampler, wake_by_pipe

if TYPE_CHECKING:
    from curses import window

#: Seconds after which the person is told that an answer is missing.
_PATIENCE = 3.0


class NoTerminalError(RuntimeError):
    """Raised where there is no terminal to draw in."""


def top(interval: float = 2.0) -> None:
    """Show hosts, tasks and calculations until the person leaves.

    Parameters
    ----------
    interval : float
        Seconds between two looks at the virtual machine.

    Raises
    ------
    NoTerminalError
        Without a terminal.
    PvmError
        When no pvmd runs, or it ends.
    """
    if not (os.isatty(0) and os.isatty(1)):
        raise NoTerminalError("the live view needs a terminal; see also: biskit-pvm ps")
    try:
        import curses
    except ImportError as error:
        raise NoTerminalError(f"this Python cannot draw in a terminal: {error}") from error
    reading, wake = wake_by_pipe()
    sampler = Sampler(interval, wake)
    sampler.start()
    try:
        # Esc begins the sequences of other keys; curses would wait a second for the rest.
        os.environ.setdefault("ESCDELAY", "25")
        curses.wrapper(_Screen(sampler, reading).run)
    except KeyboardInterrupt:
        pass
    finally:
        sampler.stop()
    if sampler.error is not None:
        raise sampler.error


class _Screen:
    """Draw what the sampler sees, and answer keys."""

    def __init__(self, sampler: Sampler, news: int) -> None:
        self.sampler = sampler
        self.news = news
        self.view = view.View()

    def run(self, screen: window) -> None:
        import curses

        curses.use_default_colors()
        if curses.curs_set(0) == curses.ERR:
            pass
        screen.nodelay(True)
        screen.keypad(True)
        styles = self._styles()
        while self.sampler.error is None:
            self._draw(screen, styles)
            # News come with every look; where they do not, the person is told once a second.
            late = self.sampler.waiting() > _PATIENCE
            wait = 1.0 if late else self.sampler.interval + _PATIENCE
            select.select([0, self.news], [], [], wait)
            self._drain()
            while True:
                key = screen.getch()
                if key == -1:
                    break
                if key == curses.KEY_RESIZE:
                    screen.clear()
                elif self._press(key, screen.getmaxyx()[0]):
                    return

    def _press(self, key: int, height: int) -> bool:
        """Answer a key; return whether to leave."""
        snapshot = self.sampler.snapshot or view.Snapshot(0.0)
        name = _key_name(key)
        self.view, order = view.press(self.view, name, snapshot, max(1, height // 2))
        if isinstance(order, view.Quit):
            return True
        if order is not None:
            self.sampler.order(order)
        return False

    def _drain(self) -> None:
        try:
            os.read(self.news, 4096)
        except BlockingIOError:
            pass

    def _draw(self, screen: window, styles: dict[str, int]) -> None:
        import curses

        height, width = screen.getmaxyx()
        waited = self.sampler.waiting()
        note = self.sampler.note
        if waited > _PATIENCE:
            note = f"the pvmd has not answered for {waited:.0f} s"
        # The lower right corner cannot be written without scrolling.
        lines = view.render(self.view, self.sampler.snapshot, width - 1, height, note)
        screen.erase()
        for y, line in enumerate(lines):
            text = line.text.ljust(width - 1) if line.style == view.SELECTED else line.text
            try:
                screen.addstr(y, 0, text, styles[line.style])
            except curses.error:  # the window has shrunk meanwhile
                break
        screen.refresh()

    def _styles(self) -> dict[str, int]:
        import curses

        if curses.has_colors():
            curses.init_pair(1, curses.COLOR_CYAN, -1)
            curses.init_pair(2, curses.COLOR_YELLOW, -1)
        return {
            view.TITLE: curses.A_BOLD,
            view.HEAD: curses.A_BOLD | (curses.color_pair(1) if curses.has_colors() else 0),
            view.PLAIN: curses.A_NORMAL,
            view.SELECTED: curses.A_REVERSE,
            view.BUSY: curses.color_pair(2) if curses.has_colors() else curses.A_DIM,
            view.QUESTION: curses.A_BOLD | curses.A_REVERSE,
            view.KEYS: curses.A_DIM,
        }


def _key_name(key: int) -> str:
    import curses

    names = {
        curses.KEY_UP: view.UP,
        curses.KEY_DOWN: view.DOWN,
        curses.KEY_PPAGE: view.PAGE_UP,
        curses.KEY_NPAGE: view.PAGE_DOWN,
        curses.KEY_HOME: view.HOME,
        curses.KEY_END: view.END,
        ord("\t"): view.TAB,
    }
    return names.get(key) or (chr(key) if 0 <= key < 256 else "")
