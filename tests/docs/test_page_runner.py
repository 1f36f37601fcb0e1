"""The runner of pages fails where a page is wrong."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest

from ..support.pages import Session, blocks, needs_no_machine
from ..support.printed import same
from ..support.vm import VirtualMachine


@pytest.fixture(scope="module")
def machine():  # type: ignore[no-untyped-def]
    with VirtualMachine() as vm:
        yield vm


TERMINAL = """\
```console
$ test -t 1 && echo "a terminal"
a terminal
$ printf 'half\\rwhole\\n'
whole
$ pwd; echo ~
/home/you/calculations
/home/you
```

```{code-block} python
:caption: ~/.biskit/hosts.py

nodes_own = ["bach"]
```

```console
$ cat ~/.biskit/hosts.py
nodes_own = ["bach"]
```
"""


def test_commands_run_in_a_terminal_and_home_is_another_folder(machine: VirtualMachine, tmp_path: Path):
    folder = tmp_path / "my calculations"
    folder.mkdir()
    _run(machine, folder, TERMINAL)
    assert not (folder / ".biskit").exists()


def test_what_a_command_leaves_in_the_background_is_not_waited_for(machine: VirtualMachine, tmp_path: Path):
    page = "```console\n$ echo begun; sleep 5 &\nbegun\n```"
    begin = time.monotonic()
    _run(machine, tmp_path, page)
    assert time.monotonic() - begin < 4


OWN = socket.gethostname()


@pytest.mark.parametrize(
    ("wanted", "got"),
    [
        ("1 passed in 0.53s", "1 passed in 12.1s"),
        ("bach_1 shutting down...\nbach_0 shutting down...\n", f"{OWN}_0 shutting down...\n"),
        ("262146 bach spawned.\n", f"262149 {OWN}_0 spawned.\n262150 {OWN}_1 spawned.\n"),
        ("adding 2 hosts to pvm...done", "adding 1 host to pvm...done"),
        ("━━━━╸   4/9 items 3/s 0:00:01", "━━ 36/36 items 113/s 0:00:00  2 slaves/1 host"),
        ("Traceback (most recent call last):\n  File a\n    1/0\nError", "Traceback (most recent call last):\nError"),
        ("a    b\n\nc", "a b\nc"),
    ],
)
def test_what_differs_from_run_to_run_is_not_compared(wanted: str, got: str):
    assert same(wanted, got, {})


@pytest.mark.parametrize(
    ("wanted", "got"),
    [
        ("[1, 4, 9]", "[1, 4, 8]"),
        ("mean 0.996 A", "mean 0.995 A"),
        ("100 results", "99 results"),
        ("a\n...\nb", "a\nx\nb"),
        ("bach_0 shutting down...\ndone", "done"),
        ("done", f"{OWN}_0 shutting down...\ndone"),
        ("Traceback (most recent call last):\n  File a\nKeyError", "Traceback (most recent call last):\nError"),
        ("finished: 40 items", "finished: 4 items"),
    ],
)
def test_what_is_the_same_in_every_run_is_compared(wanted: str, got: str):
    assert not same(wanted, got, {})


def _run(vm: VirtualMachine, folder: Path, page: str) -> None:
    session = Session(vm, folder)
    try:
        for block in blocks(page):
            session.run(block)
    finally:
        session.close()


GOOD = """\
# A page

```python
x = 41
print(x + 1)
```

```text
42
```

Then:

```{code-block} python
:caption: sub/tool.py

print("tool", 1)
```

```console
$ python sub/tool.py
tool 1
$ true && \\
>   echo "a   b"
a b
$ exit 0
```

- a list

  ```python
  >>> x
  41
  >>> for i in range(2):
  ...     print(i)
  0
  1
  ```

```text
what is no code
```

% not run: needs a second computer
```console
$ exit 1
```


% no virtual machine runs
"""


def test_a_page_may_be_for_readers_without_a_virtual_machine():
    assert needs_no_machine(GOOD)
    assert not needs_no_machine(GOOD.replace("% no virtual machine runs", ""))


def test_a_good_page_passes(machine: VirtualMachine, tmp_path: Path):
    assert len(list(blocks(GOOD))) == 7
    _run(machine, tmp_path, GOOD)


@pytest.mark.parametrize(
    "page, message",
    [
        ("```python\n1 / 0\n```", r'File "page", line 2'),
        ("```python\nprint(1)\n```\n\n```text\n2\n```", "the page says\n2\n\nbut this was printed\n1"),
        ("```python\n>>> 1 + 1\n3\n```", "but this was printed\n2"),
        ("```python\nimport warnings; warnings.warn('old')\n```", "UserWarning: old"),
        ("```console\n$ exit 3\n```", "exit code 3"),
        ("```console\n$ echo a\nb\n```", "but this was printed\na"),
        ("```console\necho a\n```", "begins with a command"),
        ("```sh\necho a\n```", "console block"),
        ("```\nwhat\n```", "must name its language"),
    ],
)
def test_a_wrong_page_fails(machine: VirtualMachine, tmp_path: Path, page: str, message: str):
    with pytest.raises(AssertionError) as caught:
        _run(machine, tmp_path, page)
    import re

    assert re.search(message, str(caught.value))
