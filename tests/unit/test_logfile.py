"""The debug log is kept in a file of its own."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

import pytest

from biskit_pvm.machine.logfile import Logfile


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder for temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_messages_are_added_and_the_file_is_removed(folder):
    log = Logfile()
    assert log.filename == str(folder / f"pvm_thread.log.{os.getpid()}") and os.listdir(folder) == []
    log.post("one")
    log.post("two \udcff")
    text = Path(log.filename).read_text()
    assert text.index("one") < text.index("two") and len(log.lines) == 4
    assert stat.S_IMODE(os.stat(log.filename).st_mode) == 0o600
    log.rm()
    log.rm()
    assert os.listdir(folder) == []
    log.post("three")
    assert "three" in Path(log.filename).read_text()
    log.rm()


@pytest.mark.parametrize("kind", ["file", "link", "pipe", "folder"])
def test_what_was_there_before_is_left_alone(folder, kind):
    planted = folder / f"pvm_thread.log.{os.getpid()}"
    if kind == "file":
        planted.write_text("")
    elif kind == "link":
        planted.symlink_to(folder / "precious")
    elif kind == "pipe":
        os.mkfifo(planted)
    else:
        planted.mkdir()
    log = Logfile()
    log.post("secret")
    assert log.filename == f"{planted}.1" and "secret" in Path(log.filename).read_text()
    assert not (folder / "precious").exists()
    if kind == "file":
        assert planted.read_text() == ""
    log.rm()
    assert os.path.lexists(planted)


def test_a_file_that_is_named_is_written_anew(tmp_path):
    path = tmp_path / "my.log"
    path.write_text("old")
    log = Logfile(str(path))
    assert path.read_text() == "old"
    log.post("new")
    assert "old" not in path.read_text() and "new" in path.read_text()
    (tmp_path / "link.log").symlink_to(path)
    with pytest.raises(OSError):
        Logfile(str(tmp_path / "link.log")).post("x")
    log.rm()
    assert not path.exists()
