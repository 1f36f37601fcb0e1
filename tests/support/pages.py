"""The code in pages of Markdown, and how it is run.

- A ``python`` block runs in the page's one Python session. A ``text`` block right behind it is what
  it prints.
- A block with a caption (``{code-block}`` with ``:caption:``), or that begins with a comment which is
  a file's name, is that file.
- A ``console`` block holds commands behind ``$`` and what they print; where nothing is shown, the
  exit code 0 is all that is demanded.
- In what is printed, ``...`` stands for anything, and spaces for any number of spaces.
- A comment ``% not run: reason`` above a block excuses it.
- ``text`` is no code, and neither are ``ini`` and the like; a block must name its language.
"""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from .vm import VirtualMachine

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
        follows = end >= 0 and not "".join(lines[end + 1 : start]).strip()
        text = "\n".join(body).strip("\n") + "\n"
        named = re.match(r"# (\S+\.py)\n", text)
        caption = caption or (named[1] if named else "")
        if not info.startswith("{") or directive:
            yield Block(start + 1, language, caption, text, excuse[1] if excuse else "", follows)
        end = i
        i += 1


class Session:
    """Runs the blocks of one page in a folder, as tasks of one virtual machine."""

    def __init__(self, vm: VirtualMachine, folder: Path) -> None:
        self.vm = vm
        self.folder = folder
        programs = str(Path(sys.executable).parent)
        self.env = {
            **vm.env,
            "PATH": os.pathsep.join([programs, vm.env.get("PATH", os.defpath)]),
            "HOME": str(folder),
            "COLUMNS": "100",
            "PYTHONWARNINGS": "error,ignore::DeprecationWarning",
        }
        self._python: subprocess.Popen[str] | None = None
        self._printed = ""

    def run(self, block: Block) -> None:
        """Run one block; AssertionError tells what went wrong."""
        if block.excuse:
            return
        if block.caption:
            path = self.folder / block.caption
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text)
        elif block.language in ("python", "py"):
            self._run_python(block)
        elif block.language in ("console", "shell-session"):
            self._run_console(block)
        elif block.language in ("sh", "bash", "shell"):
            raise AssertionError("shell commands stand in a console block, each behind '$ '")
        elif block.language == "text" and block.follows and self._printed:
            _compare(block.text, self._printed)
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
            _compare(example.want, printed)

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
            done = subprocess.run(
                command,
                shell=True,
                cwd=self.folder,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=100,
            )
            if wanted:
                _compare(wanted, done.stdout)
            else:
                assert done.returncode == 0, f"{command}: exit code {done.returncode}\n{done.stdout}"


def _commands(text: str) -> Iterator[tuple[str, str]]:
    parts = re.split(r"(?m)^\$ ", text)
    assert not parts[0].strip(), "a console block begins with a command behind '$ '"
    for part in parts[1:]:
        command, _, wanted = part.partition("\n")
        while command.endswith("\\"):
            more, _, wanted = wanted.partition("\n")
            command = f"{command[:-1]} {more.lstrip('> ')}"
        yield command, wanted


def _compare(wanted: str, got: str) -> None:
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    if not doctest.OutputChecker().check_output(wanted, got, flags):
        raise AssertionError(f"the page says\n{wanted}\nbut this was printed\n{got}")
