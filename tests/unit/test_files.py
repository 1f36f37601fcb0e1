"""Files are whole or not there, whoever writes them at the same time."""

from __future__ import annotations

import errno
import os
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from biskit_pvm.files import write_atomically


def test_threads_that_save_at_once_do_not_disturb_each_other(tmp_path: Path):
    path = tmp_path / "file.rst"
    contents = [bytes([i]) * 10_000 for i in range(4)]
    errors = []

    def write(content: bytes) -> None:
        try:
            for _ in range(25):
                write_atomically(path, content, keep_old=True)
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


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path):
    path = tmp_path / "file"
    write_atomically(path, b"old")
    code = (
        "import resource, signal, sys\n"
        "from biskit_pvm.files import write_atomically\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))\n"
        "try:\n"
        "    write_atomically(sys.argv[1], bytes(9000), keep_old=True)\n"
        "except OSError as error:\n"
        "    print(error.errno)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, timeout=60)
    assert done.stdout == f"{errno.EFBIG}\n", done.stderr
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize("umask", [0o000, 0o002, 0o022, 0o077])
def test_permissions_are_those_of_a_file_that_is_opened(tmp_path: Path, umask: int):
    path = tmp_path / "file"
    before = os.umask(umask)
    try:
        write_atomically(path, b"new")
        write_atomically(tmp_path / "private", b"new", mode=0o600)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask
    assert stat.S_IMODE((tmp_path / "private").stat().st_mode) == 0o600


def test_permissions_of_the_file_before_are_kept(tmp_path: Path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(0o640)
    write_atomically(path, b"new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640 and path.read_bytes() == b"new"


def test_an_own_link_is_followed(tmp_path: Path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to("disk/file")
    write_atomically(tmp_path / "link", b"one", keep_old=True)
    write_atomically(tmp_path / "link", b"two", keep_old=True)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "disk" / "file").read_bytes() == b"two"
    assert (tmp_path / "disk" / "file~").read_bytes() == b"one"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to make a link of another user")
def test_a_link_of_somebody_else_is_replaced_and_not_followed(tmp_path: Path):
    precious, link = tmp_path / "precious", tmp_path / "file"
    precious.write_bytes(b"precious")
    link.symlink_to(precious)
    os.chown(link, 65534, 65534, follow_symlinks=False)
    write_atomically(link, b"new", keep_old=True)
    assert precious.read_bytes() == b"precious" and not link.is_symlink() and link.read_bytes() == b"new"


def test_the_spare_file_may_be_the_same_file(tmp_path: Path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    os.link(path, tmp_path / "file~")  # a crash right after the link
    write_atomically(path, b"new", keep_old=True)
    assert path.read_bytes() == b"new" and (tmp_path / "file~").read_bytes() == b"old"
    assert sorted(os.listdir(tmp_path)) == ["file", "file~"]


def test_a_device_is_written_to_and_a_folder_refused(tmp_path: Path):
    write_atomically("/dev/null", b"new")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    with pytest.raises(IsADirectoryError):
        write_atomically(tmp_path, b"new")


def test_what_killed_processes_have_left_is_removed(tmp_path: Path):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    leftover = tmp_path / f".file.{socket.gethostname()}-{dead.pid}-0a.part"
    living = tmp_path / f".file.{socket.gethostname()}-{os.getpid()}-0a.part"
    leftover.touch()
    living.touch()
    write_atomically(tmp_path / "file", b"new")
    assert not leftover.exists() and living.exists()
