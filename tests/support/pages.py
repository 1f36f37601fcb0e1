"""The code in pages of Markdown, and how it is run.

- A ``python`` block runs in the page's one Python session. A ``text`` block right behind it is what
  it prints.
- A block with a caption (``{code-block}`` with ``:caption:``), or that begins with a comment which is
  a file's name, is that file; one whose name begins with ``~/`` is in the home folder.
- A ``console`` block holds commands behind ``$`` and what they print in a terminal; where nothing is
  shown, the exit code 0 is all that is demanded.
- What is printed is compared by the rules of `printed`.
- A comment ``% not run: reason`` above a block excuses it, ``% only as root`` for other users.
- A comment ``% no virtual machine runs`` anywhere says that the page is for readers who have none.
- ``text`` is no code, and neither are ``ini`` and the like; a block must name its language.
"""

from __future__ import annotations

import doctest
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pyte

from .printed import same
from .vm import VirtualMachine

#: seconds that a command may take
COMMAND_TIMEOUT = 100.0

#: size of the reader's terminal; large enough that nothing is wrapped or scrolls away
COLUMNS, LINES = 300, 400

_SESSION = """\
import io, json, sys, traceback
from contextlib import redirect_stdout

sys.path.insert(0, "")
namespace = {"__name__": "__console__"}
replies = sys.stdout
for line in sys.stdin:
    request = json.loads(line)
    printed = io.StringIO()
    error = ""
    with redirect_stdout(printed):
        try:
            exec(compile(request["code"], request["name"], "exec"), namespace)
        except BaseException:
            error = traceback.format_exc()
    print(json.dumps([printed.getvalue(), error]), file=replies, flush=True)
"""


class Block(NamedTuple):
    """One fenced block of a page."""

    line: int
    language: str
    caption: str
    text: str
    excuse: str
    follows: bool  #: whether nothing but blank lines stands between it and the block before


def blocks(page: str) -> Iterator[Block]:
    """Give the fenced blocks of a page, in order."""
    lines = page.splitlines()
    i, end = 0, -1
    while i < len(lines):
        fence = re.match(r"( *)(`{3,}|~{3,}|:{3,})\s*(.*)$", lines[i])
        if not fence or fence[2].startswith(":"):
            i += 1
            continue
        indent, start, info = len(fence[1]), i, fence[3]
        body = []
        i += 1
        while not re.match(rf" *{re.escape(fence[2])}\s*$", lines[i]):
            body.append(lines[i][indent:] if lines[i][:indent].isspace() or not indent else lines[i])
            i += 1
        directive = re.match(r"\{(code-block|literalinclude|code)\}\s*(\S*)", info)
        language = directive[2] if directive else info.split()[0] if info else ""
        caption = ""
        while body and (option := re.match(r":(\w+):\s*(.*)", body[0])) and directive:
            caption = option[2] if option[1] == "caption" else caption
            body.pop(0)
        above = lines[start - 1] if start else ""
        excuse = re.match(r" *% not run: (.+)", above)
        if os.getuid() != 0 and not excuse:
            excuse = re.match(r" *% (only as root)$", above)
        follows = end >= 0 and not "".join(lines[end + 1 : start]).strip()
        text = "\n".join(body).strip("\n") + "\n"
        named = re.match(r"# (\S+\.py)\n", text)
        caption = caption or (named[1] if named else "")
        if not info.startswith("{") or directive:
            yield Block(start + 1, language, caption, text, excuse[1] if excuse else "", follows)
        end = i
        i += 1


def needs_no_machine(page: str) -> bool:
    """Tell whether a page is for readers whose virtual machine does not run yet."""
    return re.search(r"(?m)^% no virtual machine runs$", page) is not None


class Session:
    """Runs the blocks of one page, as a reader does in a terminal.

    Parameters
    ----------
    vm : VirtualMachine
        Whose environment the reader has; it may run or not.
    folder : Path
        The reader's current folder. The home folder is another one, that of the virtual machine.
    """

    def __init__(self, vm: VirtualMachine, folder: Path) -> None:
        self.vm = vm
        self.folder = folder
        self.home = Path(vm.env["HOME"])
        programs = Path(sys.executable).parent
        root = Path(__file__).parents[2]
        self.env = {
            **vm.env,
            "PATH": os.pathsep.join([str(programs), vm.env.get("PATH", os.defpath)]),
            "TERM": "xterm-256color",
            "PYTHONWARNINGS": "error,ignore::DeprecationWarning",
        }
        self.env.pop("COLUMNS", None)
        #: folders, and what they are called on pages
        self.places = {
            str(folder): "/home/you/calculations",
            str(self.home): "/home/you",
            str(vm.folder): "/tmp",
            str(root): "/home/you/biskit_pvm",
            str(programs): "/home/you/biskit_pvm/.venv/bin",
        }
        self._python: subprocess.Popen[str] | None = None
        self._printed = ""

    def run(self, block: Block) -> None:
        """Run one block; AssertionError tells what went wrong."""
        if block.excuse:
            return
        if block.caption:
            at_home = block.caption.startswith("~/")
            path = self.home / block.caption[2:] if at_home else self.folder / block.caption
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text)
        elif block.language in ("python", "py"):
            self._run_python(block)
        elif block.language in ("console", "shell-session"):
            self._run_console(block)
        elif block.language in ("sh", "bash", "shell"):
            raise AssertionError("shell commands stand in a console block, each behind '$ '")
        elif block.language == "text" and block.follows and self._printed:
            self._compare(block.text, self._printed)
        elif not block.language:
            raise AssertionError("a block must name its language; 'text' for what is none")
        if block.language not in ("python", "py") or block.caption:
            self._printed = ""

    def close(self) -> None:
        """End the page's Python session."""
        if self._python is not None:
            assert self._python.stdin is not None
            self._python.stdin.close()
            self._python.wait(30)

    def _run_python(self, block: Block) -> None:
        import json

        if ">>>" in block.text:
            self._run_doctest(block)
            return
        printed, error = self._exec(json, block.text, block.line)
        assert not error, error
        self._printed = printed

    def _run_doctest(self, block: Block) -> None:
        import json

        for example in doctest.DocTestParser().get_examples(block.text):
            code = example.source
            try:
                compile(code, "", "eval")
                code = f"__value = (\n{code})\nif __value is not None: print(repr(__value))\n"
            except SyntaxError:
                pass
            printed, error = self._exec(json, code, block.line + example.lineno + 1)
            assert not error, error
            self._compare(example.want, printed)

    def _exec(self, json: Any, code: str, line: int) -> tuple[str, str]:
        if self._python is None:
            self._python = self.vm.popen(
                [sys.executable, "-c", _SESSION],
                stdin=subprocess.PIPE,
                stderr=None,
                env=self.env,
                cwd=self.folder,
            )
        assert self._python.stdin is not None and self._python.stdout is not None
        # Line numbers of tracebacks are those of the page.
        request = {"code": "\n" * line + code, "name": "page"}
        print(json.dumps(request), file=self._python.stdin, flush=True)
        reply = self._python.stdout.readline()
        assert reply, "the Python session has ended"
        printed, error = json.loads(reply)
        return printed, error

    def _run_console(self, block: Block) -> None:
        for command, wanted in _commands(block.text):
            code, shown = in_terminal(command, self.folder, self.env)
            if wanted:
                self._compare(wanted, shown)
            else:
                assert code == 0, f"{command}: exit code {code}\n{shown}"

    def _compare(self, wanted: str, got: str) -> None:
        if not same(wanted, got, self.places):
            raise AssertionError(f"the page says\n{wanted}\nbut this was printed\n{got}")


def in_terminal(command: str, folder: Path, env: dict[str, str], columns: int = COLUMNS) -> tuple[int, str]:
    """Run a shell command in a terminal; return its exit code and what stands on the screen then."""
    screen = pyte.Screen(columns, LINES)
    stream = pyte.ByteStream(screen)
    ours, theirs = pty.openpty()
    try:
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, columns, 0, 0))
        child = subprocess.Popen(
            command, shell=True, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs
        )
        end = time.monotonic() + COMMAND_TIMEOUT
        code = None
        while True:
            ready, _, _ = select.select([ours], [], [], 0.05)
            if ready:
                stream.feed(os.read(ours, 65536))
            elif code is not None:
                break  # a helper that goes on in the background may hold the terminal open
            code = child.poll()
            if code is None and time.monotonic() > end:
                child.kill()
                child.wait()
                raise AssertionError(f"{command}: not finished after {COMMAND_TIMEOUT:.0f} s\n{_text(screen)}")
    finally:
        os.close(theirs)
        os.close(ours)
    return code, _text(screen)


def _text(screen: pyte.Screen) -> str:
    return "\n".join(line.rstrip() for line in screen.display).rstrip("\n") + "\n"


def _commands(text: str) -> Iterator[tuple[str, str]]:
    parts = re.split(r"(?m)^\$ ", text)
    assert not parts[0].strip(), "a console block begins with a command behind '$ '"
    for part in parts[1:]:
        command, _, wanted = part.partition("\n")
        while command.endswith("\\"):
            more, _, wanted = wanted.partition("\n")
            command = f"{command[:-1]} {more.lstrip('> ')}"
        yield command, wanted
