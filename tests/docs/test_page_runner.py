"""The runner of pages fails where a page is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..support.pages import Session, blocks
from ..support.vm import VirtualMachine


@pytest.fixture(scope="module")
def machine():  # type: ignore[no-untyped-def]
    with VirtualMachine() as vm:
        yield vm


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
tool ...
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
"""


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
