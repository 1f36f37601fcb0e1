"""mpi4py's own tests of its executor and of its pool over an executor, run on `PVMExecutor`."""

from __future__ import annotations

import shutil
from pathlib import Path

from ..support.vm import VirtualMachine
from .their_tests import run, source_of

VERSION = "4.1.2"

HERE = "tests.libraries.mpi4py_on_pvm"

#: what stands for the parts of mpi4py that are about MPI; those that are not are mpi4py's own
STAND_INS = {
    "__init__.py": "",
    "MPI.py": f"from {HERE} import *\n",
    "futures/_core.py": f"from {HERE} import MAIN_RUN_NAME, RemoteTraceback\nSharedPool = None\n",
    "futures/pool.py": (
        f"from {HERE} import MPIPoolExecutor, get_comm_workers\n"
        "from . import _core\n"
        "from concurrent.futures import ThreadPoolExecutor\n"
        "ProcessPoolExecutor = MPIPoolExecutor\n"
        "MPICommExecutor = None\n"
    ),
}

DOES_NOT_APPLY = {
    "ProcessPoolInitTest::test_init_kwargs": "these are options of mpi4py",
    "ProcessPoolInitTest::test_init_pyargs": "the same",
    "ProcessPoolInitTest::test_init_sys_flags": "the same",
    "ProcessPoolInitTest::test_init_globals": "the same",
    "ProcessPoolInitTest::test_use_pkl5_*": "the same",
    "ProcessPoolInitTest::test_max_workers_environ": "an environment variable of mpi4py",
    "ProcessPoolInitTest::test_run_name": "it has to be run as a script, not by pytest",
    "ProcessPoolInitTest::test_initializer_error_del": "`bootup` raises what the first call would raise",
    "ProcessPoolShutdownTest::test_shutdown": "it looks into mpi4py's pool",
    "ProcessPoolShutdownTest::test_init_bootup_shutdown": "the same",
    "ProcessPoolShutdownTest::test_context_manager_shutdown": "the same",
    "ProcessPoolShutdownTest::test_del_shutdown": "the same",
    "ProcessPoolExecutorTest::test_map_buffersize": "`buffersize` goes together with `unordered` here",
    "*::test_get_comm_workers": "slaves have no communicator",
    "*::test_mpi_serialized_support": "about MPI",
    "MPICommExecutorTest::*": "about communicators",
    "*ThreadPool*::*": "slaves are no threads",
}


def test_mpi4pys_own_tests_of_its_executor_and_pool_pass(vm: VirtualMachine, tmp_path: Path) -> None:
    source = source_of("mpi4py", VERSION, tmp_path)
    for name in "futures", "util":
        shutil.copytree(source / "src" / "mpi4py" / name, tmp_path / "mpi4py" / name)
    for name, text in STAND_INS.items():
        (tmp_path / "mpi4py" / name).write_text(text)
    for path in (
        source / "demo/futures/test_futures.py",
        source / "test/test_util_pool.py",
        source / "test/mpitestutil.py",
    ):
        shutil.copy(path, tmp_path)
    run(vm, tmp_path, ["test_futures.py", "test_util_pool.py"], DOES_NOT_APPLY, at_least=80)
