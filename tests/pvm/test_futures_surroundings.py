"""Where the workers of PVMExecutor run, what they know, and what is seen of them."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest

from biskit_pvm import PVMExecutor
from biskit_pvm.futures import BrokenPVMExecutor

from ..support.vm import VirtualMachine

pytestmark = [pytest.mark.timeout(90)]


def run_script(vm: VirtualMachine, folder: Path, text: str, *args: str, name: str = "script.py", **options: object):  # type: ignore[no-untyped-def]
    """Run a program in a folder with a space in its name that is not HOME."""
    place = folder / "my work"
    place.mkdir(exist_ok=True)
    (place / name).write_text(text)
    done = vm.run([sys.executable, *args, name], timeout=60, cwd=place, check=False, **options)  # type: ignore[arg-type]
    return done


# ------------------------------------------------------------------- environment


@pytest.mark.usefixtures("session_vm")
def test_workers_get_the_variables_that_are_given() -> None:
    with PVMExecutor(1, env={"MY_FORCE_FIELD": "amber"}) as executor:
        assert executor.submit(os.getenv, "MY_FORCE_FIELD").result(20) == "amber"
    assert "MY_FORCE_FIELD" not in os.environ


@pytest.mark.usefixtures("session_vm")
@pytest.mark.parametrize(
    "threads, expected", [(None, str(max(1, len(os.sched_getaffinity(0)) // 2))), (3, "3"), (0, None)]
)
def test_libraries_of_workers_share_the_processors(
    threads: int | None, expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    with PVMExecutor(2, threads=threads) as executor:
        assert executor.submit(os.getenv, "OMP_NUM_THREADS").result(20) == expected


# ----------------------------------------------------------------- hosts and workers


def test_without_hosts_there_is_a_worker_for_each_processor_of_the_host_file(vm: VirtualMachine) -> None:
    file = Path(vm.env["HOME"]) / ".biskit" / "hosts.py"
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"nodes_own = [{socket.gethostname()!r}]\ncpus_own = nodes_own * 3\n")
    code = (
        "from biskit_pvm import PVMExecutor\n"
        "with PVMExecutor() as ex:\n"
        "    print(ex.n_workers, ex.submit(abs, -1).result(), ex.n_workers)\n"
    )
    assert vm.python(code, timeout=40) == "3 1 3\n"


MISSING = """
import socket
from biskit_pvm import PVMExecutor
with PVMExecutor(hosts=[socket.gethostname(), "no-such-host.invalid"], add_hosts={add}, require={require!r}) as ex:
    print(list(ex.map(abs, [-1, -2])))
"""


def test_missing_hosts_are_told_at_once_with_numbers_and_cause(vm: VirtualMachine, tmp_path: Path) -> None:
    done = run_script(vm, tmp_path, MISSING.format(add=True, require="any"))
    assert done.stdout == "[1, 2]\n"
    assert "1 of 2 slaves started" in done.stderr and "no-such-host.invalid" in done.stderr


def test_the_hint_names_what_helps(vm: VirtualMachine, tmp_path: Path) -> None:
    done = run_script(vm, tmp_path, MISSING.format(add=False, require="any"))
    assert "not in the virtual machine: biskit-pvm add no-such-host.invalid" in done.stderr


def test_missing_hosts_are_an_error_when_all_are_required(vm: VirtualMachine, tmp_path: Path) -> None:
    done = run_script(vm, tmp_path, MISSING.format(add=False, require="all"))
    assert done.returncode == 1 and "1 of 2 slaves started" in done.stderr
    assert "BrokenPVMExecutor" in done.stderr


# --------------------------------------------------------------- functions and scripts


NO_GUARD = """
with open("runs", "a") as file:
    print("the body runs", file=file)
{block}
from biskit_pvm import PVMExecutor
{resource}
def square(n):
    {use}
    return n * n

with PVMExecutor(2) as executor:
    print("squares", list(executor.map(square, range(4))))
"""


def test_a_script_without_a_guard_is_not_run_again(vm: VirtualMachine, tmp_path: Path) -> None:
    done = run_script(vm, tmp_path, NO_GUARD.format(block="", resource="", use="pass"))
    assert "squares [0, 1, 4, 9]" in done.stdout
    assert (tmp_path / "my work" / "runs").read_text().count("runs") == 1


@pytest.mark.parametrize(
    "block, resource, use",
    [
        ("import sys; sys.modules['cloudpickle'] = None", "", "pass"),
        ("import threading", "lock = threading.Lock()", "lock.acquire()"),
    ],
    ids=["no cloudpickle", "a lock"],
)
def test_a_missing_guard_is_named_where_it_matters(
    vm: VirtualMachine, tmp_path: Path, block: str, resource: str, use: str
) -> None:
    done = run_script(vm, tmp_path, NO_GUARD.format(block=block, resource=resource, use=use))
    assert "if __name__ == '__main__':" in done.stderr
    assert (tmp_path / "my work" / "runs").read_text().count("runs") == 1


GLOBALS = """
from biskit_pvm import PVMExecutor
store = {}
def prepare(value):
    store["value"] = value
def read(_):
    return store["value"]
if __name__ == "__main__":
    with PVMExecutor(2, initializer=prepare, initargs=(7,)) as executor:
        print(set(executor.map(read, range(10))), list(executor.map(lambda x: x + 1, [1, 2])))
"""


def test_functions_of_a_script_see_what_its_initializer_has_prepared(vm: VirtualMachine, tmp_path: Path) -> None:
    assert run_script(vm, tmp_path, GLOBALS).stdout == "{7} [2, 3]\n"


@pytest.mark.parametrize("how", ["-c", "stdin", "folder", "pyz", "-m"])
def test_functions_travel_however_the_program_is_run(vm: VirtualMachine, tmp_path: Path, how: str) -> None:
    text = (
        "from biskit_pvm import PVMExecutor\n"
        "def square(n):\n    return n * n\n"
        "if __name__ == '__main__':\n"
        "    with PVMExecutor(1) as ex:\n        print(list(ex.map(square, [2, 3])))\n"
    )
    app = tmp_path / "app"
    app.mkdir()
    (app / "__main__.py").write_text(text)
    command = {"-c": ["-c", text], "stdin": ["-"], "folder": ["app"], "pyz": ["app.pyz"], "-m": ["-m", "app"]}[how]
    if how == "pyz":
        import zipapp

        zipapp.create_archive(app, tmp_path / "app.pyz")
    options = {"input": text} if how == "stdin" else {}
    assert vm.run([sys.executable, *command], cwd=tmp_path, timeout=40, **options).stdout == "[4, 9]\n"


def test_a_function_of_a_module_that_workers_cannot_import_travels_whole(vm: VirtualMachine, tmp_path: Path) -> None:
    (tmp_path / "hidden.py").write_text("def double(n):\n    return 2 * n\n")
    text = (
        "import importlib.util, sys\n"
        "from biskit_pvm import PVMExecutor\n"
        f"spec = importlib.util.spec_from_file_location('hidden', {str(tmp_path / 'hidden.py')!r})\n"
        "hidden = sys.modules['hidden'] = importlib.util.module_from_spec(spec)\n"
        "spec.loader.exec_module(hidden)\n"
        "if __name__ == '__main__':\n"
        "    with PVMExecutor(1) as ex:\n        print(ex.submit(hidden.double, 4).result())\n"
    )
    assert run_script(vm, tmp_path, text).stdout == "8\n"


def test_workers_take_modules_in_the_order_of_the_masters_path(vm: VirtualMachine, tmp_path: Path) -> None:
    (tmp_path / "my work").mkdir()
    (tmp_path / "my work" / "colorsys.py").write_text("VERSION = 'mine'\n")
    text = (
        "from biskit_pvm import PVMExecutor\n"
        "def which(_):\n    import colorsys\n    return getattr(colorsys, 'VERSION', 'another')\n"
        "if __name__ == '__main__':\n"
        "    with PVMExecutor(1) as ex:\n        print(ex.submit(which, 0).result())\n"
    )
    assert run_script(vm, tmp_path, text).stdout == "mine\n"


# ------------------------------------------------------------------- what is seen


SAYS = """
import logging, time
from biskit_pvm import PVMExecutor
def work(n):
    print("now at", n)
    logging.warning("careful with %d", n)
    return n
if __name__ == "__main__":
    with PVMExecutor(1, show_output={how}) as executor:
        print(list(executor.map(work, range(3))))
"""


def test_what_workers_print_and_log_is_seen_when_asked_for(vm: VirtualMachine, tmp_path: Path) -> None:
    printed = run_script(vm, tmp_path, SAYS.format(how="'log'")).stdout
    for n in range(3):
        assert f"now at {n}\n" in printed and f"careful with {n}\n" in printed


def test_prints_are_shown_by_default_in_a_terminal_only(vm: VirtualMachine, tmp_path: Path) -> None:
    import pty

    assert "now at" not in run_script(vm, tmp_path, SAYS.format(how="None")).stdout
    master, slave = pty.openpty()
    done = run_script(vm, tmp_path, SAYS.format(how="None"), stdout=slave, stderr=slave)
    os.close(slave)
    seen = b""
    while b"now at 2" not in seen:
        try:
            seen += os.read(master, 65536)
        except OSError:
            break
    os.close(master)
    assert done.returncode == 0 and b"now at 2" in seen


def test_an_executor_tells_what_it_has_done_and_where() -> None:
    executor = PVMExecutor(2)
    assert repr(executor) == "<PVMExecutor: not started>"


@pytest.mark.usefixtures("session_vm")
def test_a_started_executor_counts_calls_slaves_and_hosts() -> None:
    with PVMExecutor(2) as executor:
        list(executor.map(abs, range(5)))
        assert repr(executor) == "<PVMExecutor: 5 calls done, 0 to do, 2 slaves on 1 host>"
    with PVMExecutor(hosts=["no-such-host"], add_hosts=False) as executor:
        with pytest.raises(BrokenPVMExecutor):
            executor.submit(abs, 1).result(20)
        assert repr(executor).startswith("<PVMExecutor: broken: no slave is left")


def test_calls_fail_when_no_daemon_can_be_started(vm: VirtualMachine, tmp_path: Path) -> None:
    vm.halt()
    script = "from biskit_pvm import PVMExecutor\nprint(repr(PVMExecutor(1).submit(abs, 1).exception()))\n"
    done = run_script(vm, tmp_path, script, env={**vm.env, "PVM_ROOT": "/nowhere"})
    assert done.stdout.startswith("BrokenPVMExecutor("), done.stderr
