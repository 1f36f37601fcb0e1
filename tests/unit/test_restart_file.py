"""Restart files of one's own are trusted, others are not, and what each gives."""

from __future__ import annotations

import os
import pickle
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from biskit_pvm import RestartError, TrackingJobMaster, load_restart, restart
from biskit_pvm.restart import file as restartfile
from biskit_pvm.restart import format, key

from .test_restart_format import HEADER, old_file

MASTER = {"master_class": TrackingJobMaster, "status_objects": {1: None}, "data": {1: "one"}, "result": {}}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a home folder of its own."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    return folder


class Bomb:
    """Makes a folder when it is unpickled."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


class Mine(TrackingJobMaster):
    """A master of a user's."""

    factor = 2


def write(path: Path, data: dict, sealed: bool = False) -> str:
    """Write restart data, by the user or by somebody else."""
    path.write_bytes(format.pack(data, HEADER._replace(script=""), key.own_key(make=True) if sealed else None))
    return str(path)


# ------------------------------------------------------------------------------ the key


def test_the_key_is_made_once_and_for_this_user_alone(home):
    assert key.own_key() is None
    one = key.own_key(make=True)
    assert one == key.own_key() == key.own_key(make=True) and len(one) == 32
    assert stat.S_IMODE(key.path().stat().st_mode) == 0o600
    assert stat.S_IMODE(key.path().parent.stat().st_mode) == 0o700
    assert os.listdir(home / ".biskit") == ["restart.key"]


@pytest.mark.parametrize("umask", [0o000, 0o002, 0o077, 0o777])
def test_the_key_is_private_whatever_the_umask(umask):
    before = os.umask(umask)
    try:
        if umask == 0o777:
            key.path().parent.mkdir()
            key.path().parent.chmod(0o700)
        key.own_key(make=True)
    finally:
        os.umask(before)
    assert key.own_key() is not None and stat.S_IMODE(key.path().stat().st_mode) == 0o600


def test_processes_that_need_it_at_once_make_one_key(home):
    code = "from biskit_pvm.restart import key; print(key.own_key(make=True).hex())"
    children = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) for _ in range(4)]
    assert len({child.communicate(timeout=60)[0] for child in children}) == 1
    assert os.listdir(home / ".biskit") == ["restart.key"]


def _readable_by_others(path):
    path.chmod(0o640)


def _damaged(path):
    path.write_text("0123\n")


def _link(path):
    path.rename(path.with_name("elsewhere"))
    path.symlink_to(path.with_name("elsewhere"))


def _pipe(path):
    path.unlink()
    os.mkfifo(path, 0o600)


def _of_somebody_else(path):
    os.chown(path, 65534, 65534)


@pytest.mark.parametrize("change", [_readable_by_others, _damaged, _link, _pipe, _of_somebody_else])
def test_a_key_that_others_may_know_is_not_used(change, caplog):
    if change is _of_somebody_else and os.geteuid() != 0:
        pytest.skip("needs root, to give a file away")
    assert key.own_key(make=True)
    change(key.path())
    assert key.own_key() is None and key.own_key(make=True) is None
    assert "not sealed" in caplog.text


def test_without_a_home_folder_files_are_written_without_a_seal(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("HOME", "/proc/no/home")
    restartfile.save(dict(MASTER), str(tmp_path / "x.rst"))
    assert "not sealed" in caplog.text
    assert load_restart(str(tmp_path / "x.rst"))["data"] == {1: "one"}


# ---------------------------------------------------------------------- own files, and others


def test_a_file_of_ones_own_needs_no_word(tmp_path):
    data = {**MASTER, "slave_script": "/a/slave.py", "bomb": Bomb(tmp_path / "marker")}
    assert load_restart(write(tmp_path / "own.rst", data, sealed=True))["slave_script"] == "/a/slave.py"
    assert (tmp_path / "marker").exists()


def test_a_file_of_somebody_else_runs_nothing_without_a_word(tmp_path):
    path = write(tmp_path / "x.rst", {**MASTER, "bomb": Bomb(tmp_path / "marker")})
    with pytest.raises(RestartError, match=r"posix.mkdir.*trust=True"):
        load_restart(path)
    assert not (tmp_path / "marker").exists()
    load_restart(path, trust=True)
    assert (tmp_path / "marker").exists()


def test_the_script_that_a_file_names_is_not_run(tmp_path):
    (tmp_path / "script.py").write_text(f"import os; os.mkdir({str(tmp_path / 'marker')!r})")
    path = tmp_path / "x.rst"
    path.write_bytes(format.pack(MASTER, HEADER._replace(script=str(tmp_path / "script.py"))))
    load_restart(str(path))
    assert not (tmp_path / "marker").exists()


def test_what_runs_where_and_how_is_not_taken_from_somebody_else(tmp_path):
    names = (*format.FIELDS, *format.LEFT_OUT, *format.BESIDE)
    hostile = {name: "/bin/sh" for name in names if name not in format.TAKEN}
    data = {**hostile, **MASTER, "chunk_size": 3, "extra": "mine"}
    got = load_restart(write(tmp_path / "x.rst", data))
    assert got == {**MASTER, "chunk_size": 3, "extra": "mine"}
    with pytest.raises(RestartError, match="give slave_script and hosts"):
        restart(got)
    with pytest.raises(RestartError, match="give hosts"):
        restart(got, slave_script="/a/slave.py")


@pytest.mark.parametrize("name", ["done", "getResult", "_private", "is_valid_slave"])
def test_a_field_may_not_take_the_place_of_what_the_class_has(tmp_path, name):
    with pytest.raises(RestartError, match=f"would replace the master's {name}"):
        load_restart(write(tmp_path / "x.rst", {**MASTER, name: 1}))


def test_a_master_of_a_class_that_is_there_may_be_named(tmp_path):
    path = write(tmp_path / "x.rst", {**MASTER, "master_class": Mine, "factor": 3})
    got = load_restart(path)
    assert got["master_class"] is Mine and got["factor"] == 3


@pytest.mark.parametrize(
    "data",
    [
        {**MASTER, "data": [1]},
        {**MASTER, "status_objects": 5},
        {**MASTER, "master_class": int},
        {**MASTER, "master_class": "TrackingJobMaster"},
        {name: value for name, value in MASTER.items() if name != "master_class"},
        {**MASTER, 5: 1},
        [MASTER],
    ],
)
def test_what_is_no_saved_master_is_refused(tmp_path, data):
    with pytest.raises(RestartError):
        load_restart(write(tmp_path / "x.rst", data))


def test_names_of_modules_of_the_version_before_are_found(tmp_path):
    from biskit_pvm.jobs.items import ItemStates

    body = pickle.dumps({**MASTER, "extra": ItemStates}, 4)
    old = body.replace(b"\x8c\x15biskit_pvm.jobs.items", b"\x8c\x14biskit_pvm.core.jobs")
    assert old != body
    # the frame is one byte shorter
    frame = int.from_bytes(old[3:11], "little") - 1
    old = old[:3] + frame.to_bytes(8, "little") + old[11:]
    path = tmp_path / "x.rst"
    path.write_bytes(format.pack_body(old, HEADER._replace(script="")))
    assert load_restart(str(path), trust=True)["extra"] is ItemStates


def test_a_file_of_the_version_before_is_somebody_elses(tmp_path):
    path = tmp_path / "x.rst"
    path.write_bytes(old_file({**MASTER, "slave_script": "/a/slave.py"}))
    assert "slave_script" not in load_restart(str(path))
    assert load_restart(str(path), trust=True)["slave_script"] == "/a/slave.py"


# ------------------------------------------------------------------------------ the file


def test_a_saved_file_is_for_this_user_alone_and_tells_what_is_in_it(tmp_path):
    path = tmp_path / "x.rst"
    data = {**MASTER, "status_objects": {1: None, 2: 0, 3: 1}, "slave_script": "/a/slave.py"}
    restartfile.save(data, str(path))
    restartfile.save(data, str(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sorted(name for name in os.listdir(tmp_path) if name != "home") == ["x.rst", "x.rst~"]
    told = restartfile.describe(str(path))
    assert told.own and (told.header.items, told.header.left) == (3, 2)
    assert told.header.slave_script == "/a/slave.py"
    assert told.header.master == "biskit_pvm.TrackingJobMaster.TrackingJobMaster"


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(RestartError, match="no ordinary file"):
        load_restart(str(tmp_path / "pipe"))


def test_damage_is_told_with_the_name_of_the_file(tmp_path):
    path = tmp_path / "x.rst"
    path.write_bytes(format.pack(MASTER, HEADER)[:-10])
    with pytest.raises(RestartError, match=f"{path} cannot be used: .*{path}~"):
        load_restart(str(path))
