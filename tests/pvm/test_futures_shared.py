"""Arguments that travel to each host once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from biskit_pvm import PVMExecutor
from biskit_pvm.machine import cleaning, shared_memory

from ..support.vm import VirtualMachine
from ..support.waiting import wait_for

pytestmark = [pytest.mark.timeout(60)]


def element(array: Any, i: int) -> float:
    return float(array[i])


def is_mapped(array: Any) -> tuple[bool, str]:
    """Tell whether an array is read-only, and where it lies."""
    with open("/proc/self/maps") as file:
        text = file.read()
    return not array.flags.writeable, "mapped" if "/dev/shm/biskit-pvm-" in text else "copied"


@pytest.fixture
def executor() -> Iterator[PVMExecutor]:
    with PVMExecutor(2) as executor:
        yield executor


@pytest.mark.usefixtures("session_vm")
def test_a_shared_array_lies_on_the_host_once_until_the_end(executor: PVMExecutor) -> None:
    shared = executor.share(np.arange(200_000.0))
    assert list(executor.map(element, [shared] * 50, range(50))) == list(map(float, range(50)))
    assert executor.submit(is_mapped, shared).result(20) == (True, "mapped")
    folder = Path(executor._pool.shelf._store.path)
    assert sum(file.stat().st_size for file in folder.iterdir()) < 200_000 * 8 + 4096
    executor.shutdown()
    wait_for(lambda: not folder.exists())


@pytest.mark.usefixtures("session_vm")
def test_a_host_that_does_not_have_it_gets_it_once(executor: PVMExecutor) -> None:
    shared = executor.share({"table": np.arange(200_000.0), "name": "x"})
    folder = Path(executor._pool.shelf._store.path)
    (folder / shared._key).unlink()  # as on another host
    assert {d for d in executor.map(len, [shared] * 20)} == {2}
    assert (folder / shared._key).exists()


@pytest.mark.usefixtures("session_vm")
def test_without_room_it_goes_to_each_worker(
    executor: PVMExecutor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(shared_memory, "FOLDER", "/nowhere")
    shared = executor.share(np.arange(1000.0))
    executor.share(1)
    assert list(executor.map(element, [shared] * 9, range(9))) == list(map(float, range(9)))
    assert caplog.text.count("shared objects go to each worker") == 1


@pytest.mark.usefixtures("session_vm")
def test_what_is_not_shared_any_more_is_an_error_of_the_call(executor: PVMExecutor) -> None:
    shared = executor.share(np.arange(1000.0))
    shared.close()
    with pytest.raises(RuntimeError, match="not any more"):
        executor.submit(element, shared, 0).result(20)


KILLED = """
import os, time
import numpy as np
from biskit_pvm import PVMExecutor
if __name__ == "__main__":
    executor = PVMExecutor(2)
    shared = executor.share(np.ones(100_000))
    print(list(executor.map(len, [shared] * 8)), executor._pool.shelf._store.path, flush=True)
    time.sleep(60)
"""


def test_nothing_is_left_when_the_owner_is_killed(vm: VirtualMachine, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(KILLED)
    owner = vm.popen([sys.executable, str(script)], stdout=subprocess.PIPE)
    assert owner.stdout is not None
    path = Path(owner.stdout.readline().split()[-1])
    assert path.is_dir()
    os.kill(owner.pid, signal.SIGKILL)
    owner.wait(20)
    wait_for(lambda: not path.exists())


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have shared objects in a folder that nobody else sweeps."""
    monkeypatch.setattr(shared_memory, "FOLDER", str(tmp_path))
    monkeypatch.setenv("PVM_TMP", str(tmp_path))


def test_clean_removes_a_folder_that_nobody_uses_and_none_in_use(folder: None) -> None:
    left, used = (shared_memory.Store(name) for name in ("left", "used"))
    left.put("a", [b"\x80\x05N."])
    os.close(left._lock)
    for dry_run in (True, False):
        assert os.path.exists(left.path)
        (cleaned,) = cleaning.remove_files(["localhost"], dry_run)
        assert cleaned == cleaning.Cleaned("localhost", [left.path])
    assert not os.path.exists(left.path) and os.path.exists(used.path)
    used.close()


def test_a_folder_that_nobody_uses_is_swept_away_and_one_in_use_is_not(folder: None) -> None:
    store = shared_memory.Store("test" + os.urandom(4).hex())
    store.put("a", [b"\x80\x05N."])
    assert store.get("a") is None
    assert store.path not in shared_memory.sweep()
    os.close(store._lock)
    assert store.path in shared_memory.sweep()
    assert not os.path.exists(store.path)
