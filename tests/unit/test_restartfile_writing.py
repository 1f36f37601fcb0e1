"""Restart files are whole whoever writes them at the same time."""

from __future__ import annotations

import threading
from pathlib import Path

from biskit_pvm.restart.file import write_atomically


def test_threads_that_save_at_once_do_not_disturb_each_other(tmp_path: Path):
    path = tmp_path / "file.rst"
    contents = [bytes([i]) * 10_000 for i in range(4)]
    errors = []

    def write(content: bytes) -> None:
        try:
            for _ in range(25):
                write_atomically(str(path), content)
        except OSError as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    assert path.read_bytes() in contents
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file.rst", "file.rst~"]
