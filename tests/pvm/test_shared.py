"""Objects that travel to each host once: what executors and masters share."""

from __future__ import annotations

import gc
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from biskit_pvm import CalculationError, PVMExecutor, TrackingJobMaster, calls, load_restart
from biskit_pvm.executor import packing
from biskit_pvm.machine import cleaning, names, shared_memory
from biskit_pvm.messages import shared as sharing
from biskit_pvm.messages import wire
from biskit_pvm.PVMThread import messenger_of, slaves_of

from ..support.vm import VirtualMachine
from ..support.waiting import wait_for

pytestmark = [pytest.mark.timeout(60)]

ASKED = str(Path(__file__).parents[1] / "support" / "slaves" / "asked.py")
MIB = 1 << 20
TABLE = np.arange(MIB / 4)  # 2 MiB


def folders() -> set[Path]:
    """Return the folders of shared objects that there are."""
    return set(Path("/dev/shm").glob(f"biskit-pvm-{os.getuid()}-*"))


@pytest.fixture
def none_left() -> Iterator[None]:
    """See to it that nothing of this test stays in memory."""
    before = folders()
    yield
    gc.collect()  # masters that were not started
    wait_for(lambda: not folders() - before)


# -- executors -----------------------------------------------------------------


def element(array: Any, i: int) -> float:
    return float(array[i])


def is_mapped(array: Any) -> tuple[bool, str]:
    """Tell whether an array is read-only, and where it lies."""
    with open("/proc/self/maps") as file:
        text = file.read()
    return not array.flags.writeable, "mapped" if "/dev/shm/biskit-pvm-" in text else "copied"


def have_no_tmpfs() -> None:
    shared_memory.FOLDER = "/nowhere"


def die_while_fetching(mark: str) -> None:
    """Have the first worker that has got some of an object killed."""
    write = shared_memory.Draft.write

    def kill_after_three(draft: Any, data: Any) -> None:
        write(draft, data)
        if draft._end > 2 * sharing.PIECE and not os.path.exists(mark):
            open(mark, "x").close()
            os.kill(os.getpid(), signal.SIGKILL)

    shared_memory.Draft.write = kill_after_three  # type: ignore[method-assign]


table: Any = None


def take_over(array: Any) -> None:
    global table
    table = array
    array[0, 0] = os.getpid()


def taken_over() -> tuple[bool, float, bool]:
    """Tell whether a worker's change is its own, the sum of the others, and whether they are mapped."""
    with open("/proc/self/maps") as file:
        text = file.read()
    return table[0, 0] == os.getpid(), float(table[:, 1:].sum()), "/dev/shm/biskit-pvm-" in text


@pytest.fixture
def executor() -> Iterator[PVMExecutor]:
    with PVMExecutor(2) as executor:
        yield executor


def folder_of(executor: Any) -> Path:
    return Path(executor._pool.shelf._store.path)


@pytest.mark.usefixtures("session_vm", "none_left")
def test_a_shared_array_lies_on_the_host_once_until_the_end(executor: PVMExecutor) -> None:
    shared = executor.share(np.arange(200_000.0))
    assert list(executor.map(element, [shared] * 50, range(50))) == list(map(float, range(50)))
    assert executor.submit(is_mapped, shared).result(20) == (True, "mapped")
    folder = folder_of(executor)
    assert sum(file.stat().st_size for file in folder.iterdir()) < 200_000 * 8 + 4096
    assert shared.value[5] == 5.0 and not shared.value.flags.writeable
    executor.shutdown()
    wait_for(lambda: not folder.exists())
    with pytest.raises(RuntimeError, match="after shutdown"):
        executor.share(1)


def maps(key: str) -> bool:
    """Tell whether a worker, collected, still maps an object."""
    gc.collect()
    with open("/proc/self/maps") as file:
        return key in file.read()


@pytest.mark.usefixtures("session_vm", "none_left")
def test_what_is_shared_no_more_takes_no_memory_of_workers() -> None:
    with PVMExecutor(1) as executor:
        shared = executor.share(np.arange(200_000.0))
        key = shared._ticket.key
        assert executor.submit(element, shared, 5).result(20) == 5.0
        assert executor.submit(maps, key).result(20)
        shared.close()
        assert not executor.submit(maps, key).result(20)
        assert not list(folder_of(executor).glob(f"{key}*"))


@pytest.mark.usefixtures("session_vm", "none_left")
def test_a_host_that_does_not_have_it_gets_it_once(executor: Any) -> None:
    executor.wait_for_workers()
    shared = executor.share({"table": np.arange(MIB), "name": "x"})
    (file,) = folder_of(executor).glob(shared._ticket.key)
    content = file.read_bytes()
    file.unlink()  # as on another host
    assert {d for d in executor.map(len, [shared] * 20)} == {2}
    assert file.read_bytes() == content
    sent = executor._pool.master.messenger.n_bytes
    assert len(content) < sent < 1.1 * len(content)


@pytest.mark.usefixtures("session_vm", "none_left")
def test_when_who_fetches_it_dies_another_one_does(tmp_path: Path) -> None:
    with PVMExecutor(2, initializer=die_while_fetching, initargs=(str(tmp_path / "died"),)) as executor:
        shared = executor.share(np.ones(MIB))
        file = folder_of(executor) / shared._ticket.key
        file.unlink()
        assert list(executor.map(element, [shared] * 20, range(20))) == [1.0] * 20
        assert (tmp_path / "died").exists()
        assert not file.with_name(file.name + ".part").exists()


@pytest.mark.usefixtures("session_vm", "none_left")
def test_without_room_it_goes_to_each_worker(caplog: pytest.LogCaptureFixture) -> None:
    with PVMExecutor(2, initializer=have_no_tmpfs) as executor:
        shared = executor.share(np.arange(MIB))
        assert list(executor.map(element, [shared] * 40, range(40))) == list(map(float, range(40)))
        assert executor.submit(is_mapped, shared).result(20) == (True, "copied")
    assert caplog.text.count("what is shared goes to each slave") == 1


@pytest.mark.usefixtures("session_vm", "none_left")
def test_a_master_without_room_shares_all_the_same(
    executor: PVMExecutor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(shared_memory, "FOLDER", "/nowhere")
    shared = executor.share(np.arange(MIB))
    assert list(executor.map(element, [shared] * 40, range(40))) == list(map(float, range(40)))
    assert executor.submit(is_mapped, shared).result(20) == (True, "mapped")
    assert "each slave" not in caplog.text


@pytest.mark.usefixtures("session_vm", "none_left")
def test_what_is_not_shared_any_more_is_an_error_of_the_call(executor: PVMExecutor) -> None:
    shared = executor.share(np.arange(1000.0))
    shared.close()
    with pytest.raises(RuntimeError, match="not any more"):
        executor.submit(element, shared, 0).result(20)
    assert executor.submit(pow, 2, 3).result(20) == 8


@pytest.mark.usefixtures("session_vm", "none_left")
def test_what_was_changed_on_its_way_is_not_unpickled(executor: PVMExecutor) -> None:
    shared = executor.share("harmless")
    file = folder_of(executor) / shared._ticket.key
    file.write_bytes(file.read_bytes().replace(b"harmless", b"harmful!"))
    with pytest.raises(pickle.UnpicklingError):
        executor.submit(len, shared).result(20)


@pytest.mark.parametrize("small", [True, False])
def test_the_pickle_of_a_call_that_was_changed_on_its_way_is_not_unpickled(small: bool) -> None:
    text = "harmless" * (1 if small else 20_000)
    frames = wire.Seal(b"key").write(1, 2, packing.light(packing.pack(len, (text,), {})))
    assert calls.run(wire.Seal(b"key").read(1, 2, frames)) == packing.outcome_of(len(text))
    frames = wire.Seal(b"key").write(1, 2, packing.light(packing.pack(len, (text,), {})))
    changed = [frames[0], *(bytes(frame).replace(b"harmless", b"harmful!") for frame in frames[1:])]
    with pytest.raises((wire.NotOurs, pickle.UnpicklingError)):
        raise packing.unpack(calls.run(wire.Seal(b"key").read(1, 2, changed)))[1] or AssertionError


@pytest.mark.usefixtures("session_vm", "none_left")
def test_arguments_of_the_initializer_travel_once_and_may_be_changed() -> None:
    array = np.asfortranarray(np.arange(float(MIB)).reshape(1024, 1024))
    with PVMExecutor(3, initializer=take_over, initargs=(array,)) as executor:
        executor.wait_for_workers()
        files = [path for path in folder_of(executor).iterdir() if path.stat().st_size > MIB]
        told = [executor.submit(taken_over).result(20) for _ in range(6)]
    assert len(files) == 1
    assert told == [(True, array[:, 1:].sum(), True)] * 6
    assert array[0, 0] == 0


@pytest.mark.usefixtures("session_vm", "none_left")
def test_bytes_are_in_the_memory_of_a_worker_once(executor: PVMExecutor) -> None:
    data = bytes(200 * MIB)
    before = {executor.submit(peak, b"").result(20) for _ in range(4)}
    assert executor.submit(peak, data).result(30) - min(before) < 1.1 * len(data)


def peak(data: bytes) -> int:
    import resource

    assert type(data) is bytes
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def test_arguments_that_come_again_are_shared_only_on_demand(session_vm: Any, none_left: None) -> None:
    array, text, small = np.arange(MIB), b"x" * MIB, np.arange(10)
    sent = {}
    for share in (False, True):
        with PVMExecutor(2, share_arguments=share) as executor:
            assert list(executor.map(element, [array] * 20, range(20))) == list(map(float, range(20)))
            assert executor.submit(element, i=3, array=array).result(20) == 3.0
            assert executor.submit(is_mapped, array).result(20)[0] is share
            assert executor.submit(is_mapped, small).result(20)[0] is False
            assert list(executor.map(len, [text] * 4)) == [MIB] * 4
            # another one at the same place, perhaps
            for i in range(4):
                assert executor.submit(element, np.full(MIB, i), 0).result(20) == i
            sent[share] = executor._pool.master.messenger.n_bytes
    size = array.nbytes
    assert sent[False] > 20 * size
    assert sent[True] < 1.1 * (size + MIB + 4 * size)


@pytest.mark.parametrize("how", ["map", "submit"])
def test_what_was_shared_by_itself_is_freed_when_nobody_needs_it(session_vm: Any, none_left: None, how: str) -> None:
    with PVMExecutor(2, share_arguments=True) as executor:
        array = np.arange(MIB)
        assert executor.submit(element, array, 1).result(20) == 1.0
        assert executor._pool.shelf._store is None  # other tests may have folders of their own meanwhile
        futures = [executor.submit(slow_element, array, i) for i in range(3)] if how == "submit" else []
        values = executor.map(slow_element, [array] * 3, range(3)) if how == "map" else ()
        del array
        gc.collect()
        folder = Path(executor._pool.shelf._store.path)
        assert len(list(folder.iterdir())) == 2  # calls need it; the other file tells that its owner lives
        assert list(values) or [future.result(20) for future in futures] == [0.0, 1.0, 2.0]
        wait_for(lambda: len(list(folder.iterdir())) == 1, 20)


def slow_element(array: Any, i: int) -> float:
    time.sleep(0.3)
    return float(array[i])


SCRIPT = """
import numpy as np
from biskit_pvm import PVMExecutor

class Table:
    def __init__(self, n):
        self.values = np.ones(n)

def total(table):
    return float(table.values.sum())

if __name__ == "__main__":
    with PVMExecutor(2) as executor:
        print(sum(executor.map(total, [executor.share(Table(1000))] * 8)))
"""


def test_a_class_of_the_script_can_be_shared(vm: VirtualMachine, tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    assert vm.run([sys.executable, str(tmp_path / "script.py")]).stdout == "8000.0\n"


KILLED = """
import os, time
import numpy as np
from biskit_pvm import PVMExecutor
if __name__ == "__main__":
    executor = PVMExecutor(2)
    shared = executor.share(np.ones(100_000))
    {use}
    print(executor._pool.shelf._store.path, flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("used", [True, False], ids=["used", "unused"])
def test_nothing_is_left_when_the_owner_is_killed(vm: VirtualMachine, tmp_path: Path, used: bool) -> None:
    script = tmp_path / "script.py"
    use = "print(list(executor.map(len, [shared] * 8)))" if used else "pass"
    script.write_text(KILLED.format(use=use))
    owner = vm.popen([sys.executable, str(script)], stdout=subprocess.PIPE)
    assert owner.stdout is not None
    if used:
        owner.stdout.readline()
    path = Path(owner.stdout.readline().strip())
    assert path.is_dir()
    os.kill(owner.pid, signal.SIGKILL)
    owner.wait(20)
    if not used:  # no slave knew of it: who shares next sees it
        vm.python("from biskit_pvm.messages.shared import Shelf; Shelf().share(1)")
    wait_for(lambda: not path.exists())


# -- masters -------------------------------------------------------------------


class Master(TrackingJobMaster):
    """Gives slaves `parameters`, or what this makes for one."""

    parameters: Any = None

    def getInitParameters(self, slave_tid: int) -> Any:
        return self.parameters(slave_tid) if callable(self.parameters) else self.parameters


class Listening(Master):
    """Sees what it sends, as masters of old do."""

    def send(self, task: Any, msg_tag: int, value: Any = None) -> None:
        Master.send(self, task, msg_tag, value)


def master_of(data: Any, n_slaves: int = 3, kind: Any = Master, **options: Any) -> Any:
    return kind(
        data, 1, [names.own_host()] * n_slaves, {"default": 0}, ASKED, verbose=0, add_hosts=0, prefetch=0, **options
    )


@pytest.mark.usefixtures("session_vm", "none_left")
def test_a_master_shares_objects_in_items_and_parameters() -> None:
    master = master_of(dict.fromkeys([*range(20), "other"]))
    table = master.share(TABLE)
    master.data.update({i: (f"(it[{i}], mapped(it), it.flags.writeable)", table) for i in range(20)})
    master.data["other"] = ("params['other']['name'].sum()", None)
    master.parameters = {"other": master.share({"name": np.ones(1000)})}
    result = master.calculateResult()
    assert result.pop("other") == 1000
    assert result == {i: (float(i), True, False) for i in range(20)}
    with pytest.raises(RuntimeError, match="after the end"):
        master.share(1)


@pytest.mark.usefixtures("session_vm", "none_left")
def test_what_one_master_shares_can_be_used_by_others_of_its_process(executor: PVMExecutor) -> None:
    shared = executor.share(TABLE)
    assert master_of({0: ("it[7]", shared)}).calculateResult() == {0: 7.0}


@pytest.mark.usefixtures("session_vm", "none_left")
@pytest.mark.parametrize(
    "parameters",
    [
        {"table": TABLE, "first": "params['table'][0] = os.getpid()"},
        lambda tid: {"tid": tid, "table": TABLE.copy(), "first": "params['table'][0] = os.getpid()"},
    ],
    ids=["the same object", "a new one of the same content"],
)
def test_large_parameters_lie_on_the_host_once_and_slaves_may_change_them(parameters: Any) -> None:
    asked = "(mapped(params['table']), params['table'][0] == os.getpid(), params['table'][1:].sum(), params.get('tid'))"
    master = master_of({i: (asked, None) for i in range(12)})
    master.parameters = parameters
    result = master.calculateResult()
    tids = {tid for _, _, _, tid in result.values()}
    assert [told[:3] for told in result.values()] == [(True, True, TABLE.sum())] * 12
    assert tids <= ({None} if isinstance(parameters, dict) else set(slaves_of(master).messenger.tasks.values()))
    # it did not travel at all: they are on this host
    assert messenger_of(master).n_bytes < TABLE.nbytes / 4


@pytest.mark.usefixtures("session_vm", "none_left")
def test_a_large_pickle_without_large_parts_is_shared_too() -> None:
    master = master_of({i: ("sum(params['many'])", None) for i in range(6)})
    master.parameters = {"many": [float(i) for i in range(200_000)]}
    assert set(master.calculateResult().values()) == {sum(range(200_000))}
    assert messenger_of(master).n_bytes < MIB / 2


@pytest.mark.usefixtures("session_vm")
@pytest.mark.parametrize("size", [10, 2047, 2048, 100_000, 200_000])
def test_arrays_can_be_written_to_by_slaves_where_masters_could(size: int) -> None:
    array, fixed = np.zeros(size), np.zeros(size)
    fixed.flags.writeable = False
    asked = "it.flags.writeable, params[0].flags.writeable, params[1].flags.writeable"
    master = master_of({0: (asked, array), 1: (asked, fixed)}, 1)
    master.parameters = [array, fixed]
    assert master.calculateResult() == {0: (True, True, False), 1: (False, True, False)}


@pytest.mark.usefixtures("session_vm", "none_left")
def test_each_slave_gets_what_is_made_for_it() -> None:
    made = {}

    def parameters(tid: int) -> Any:
        table[0] = made[tid] = len(made)  # in place
        return {"table": table, "tid": tid}

    table = TABLE.copy()
    master = master_of(
        {i: ("params['tid'], params['table'][0], params['table'].flags.writeable", None) for i in range(9)}
    )
    master.parameters = parameters
    assert all((made[tid], True) == (first, writable) for tid, first, writable in master.calculateResult().values())
    assert len(made) == 3


@pytest.mark.usefixtures("session_vm")
@pytest.mark.parametrize(
    ("kind", "parameters"), [(Master, {"table": TABLE[:1000]}), (Listening, {"table": TABLE})], ids=["small", "old"]
)
def test_small_parameters_and_those_of_old_masters_stay_as_they_were(kind: Any, parameters: Any) -> None:
    before = folders()
    master = master_of({i: ("mapped(params['table']), params['table'].sum()", None) for i in range(4)}, kind=kind)
    master.parameters = parameters
    assert set(master.calculateResult().values()) == {(False, parameters["table"].sum())}
    assert folders() == before


@pytest.mark.usefixtures("session_vm", "none_left")
def test_an_item_whose_object_is_not_shared_any_more_fails_alone() -> None:
    master = master_of({0: ("1 + 1", None), 1: None})
    lost = master.share(TABLE)
    lost.close()
    master.data[1] = ("it[0]", lost)
    with pytest.raises(CalculationError, match="not any more") as caught:
        master.calculateResult()
    assert caught.value.result == {0: 2} and list(master.errors) == [1]


@pytest.mark.usefixtures("session_vm", "none_left")
def test_a_restart_file_has_the_object_itself(tmp_path: Path) -> None:
    master = master_of({0: None})
    master.data[0] = ("it[1]", master.share(TABLE))
    master.saveRst(str(tmp_path / "file"))
    code = "import sys; from biskit_pvm import load_restart; print(load_restart(sys.argv[1])['data'][0][1].sum())"
    assert load_restart(str(tmp_path / "file"))["data"][0][1].sum() == TABLE.sum()
    told = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "file")], capture_output=True, text=True, timeout=60
    )
    assert told.stdout == f"{TABLE.sum()}\n", told.stderr


@pytest.mark.usefixtures("session_vm", "none_left")
def test_what_was_shared_can_be_saved_when_the_calculation_has_failed(tmp_path: Path) -> None:
    master = master_of({0: ("it[1]", None), 1: None})
    master.data[1] = ("it.nonsense", master.share(TABLE))
    with pytest.raises(CalculationError):
        master.calculateResult()
    master.saveRst(str(tmp_path / "file"))
    assert load_restart(str(tmp_path / "file"))["data"][1][1].sum() == TABLE.sum()


@pytest.mark.usefixtures("none_left")
def test_slaves_in_the_same_process_find_what_is_shared() -> None:
    master = master_of({0: None, 1: None}, inline=True)
    table = master.share(TABLE)
    master.data.update({i: ("it.sum()", table) for i in range(2)})
    assert master.calculateResult() == {0: TABLE.sum(), 1: TABLE.sum()}


# -- what is left over ---------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have shared objects in a folder that nobody else sweeps."""
    monkeypatch.setattr(shared_memory, "FOLDER", str(tmp_path))
    monkeypatch.setenv("PVM_TMP", str(tmp_path))


def put(store: shared_memory.Store, key: str, data: bytes) -> None:
    draft = store.draft(key, len(data))
    draft.write(data)
    draft.finish()


def test_clean_removes_a_folder_that_nobody_uses_and_none_in_use(folder: None) -> None:
    left, used = (shared_memory.Store(name) for name in ("left", "used"))
    put(left, "a", b"abc")
    os.close(left._lock)
    for dry_run in (True, False):
        assert os.path.exists(left.path)
        (cleaned,) = cleaning.remove_files(["localhost"], dry_run)
        assert cleaned == cleaning.Cleaned("localhost", [left.path])
    assert not os.path.exists(left.path) and os.path.exists(used.path)
    used.close()


def test_a_folder_that_nobody_uses_is_swept_away_and_one_in_use_is_not(folder: None) -> None:
    store = shared_memory.Store("test" + os.urandom(4).hex())
    put(store, "a", b"abc")
    assert bytes(store.open("a")) == b"abc"
    assert store.path not in shared_memory.sweep()
    os.close(store._lock)
    assert store.path in shared_memory.sweep()
    assert not os.path.exists(store.path)


REMOVING = """
import os, shutil, sys
from biskit_pvm.machine import shared_memory

def be_killed(path, **kw):
    os.unlink(os.path.join(path, "alive"))
    os._exit(1)

shared_memory.FOLDER, shutil.rmtree = sys.argv[1], be_killed
shared_memory.sweep()
"""


def test_who_is_killed_while_sweeping_leaves_it_to_the_next(folder: None) -> None:
    store = shared_memory.Store("left")
    put(store, "a", b"abc")
    os.close(store._lock)
    assert subprocess.run([sys.executable, "-c", REMOVING, shared_memory.FOLDER], timeout=30).returncode == 1
    shared_memory.sweep()
    assert os.listdir(shared_memory.FOLDER) == []


@pytest.mark.usefixtures("folder")
def test_who_shares_nothing_any_more_leaves_nothing() -> None:
    shelf = sharing.Shelf()
    shared = shelf.share(TABLE)
    path = shelf._store.path if shelf._store is not None else ""
    assert os.path.exists(path)
    del shared, shelf  # of an executor or a master that was never started
    assert not os.path.exists(path)
