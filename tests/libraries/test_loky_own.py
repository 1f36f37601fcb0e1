"""loky's own tests of its executor, run on `PVMExecutor`."""

from __future__ import annotations

from pathlib import Path

from ..support.vm import VirtualMachine
from .their_tests import renamed, run, source_of

VERSION = "3.7.0"

HERE = "tests.libraries.loky_on_pvm"

#: {module: names in it}
NAMES = {
    "__init__": {},
    "utils": {},
    "test_reusable_executor": {},
    "_executor_mixin": {
        "from loky.backend import": f"from {HERE} import",
        "    import psutil\n": "    import psutil_would_look_for_children as psutil\n",
    },
    "_test_process_executor": {
        "from tests.": "from loky_tests.",
        "from loky.process_executor import (": f"from {HERE} import (",
        "from loky.process_executor import {executor_type}": f"from {HERE} import {{executor_type}}",
        "from loky.backend import": f"from {HERE} import",
    },
    "test_process_executor_loky": {
        "from loky import process_executor": f"import {HERE} as process_executor",
        "from loky.backend import": f"from {HERE} import",
    },
}

DOES_NOT_APPLY = {
    "*::test_processes_terminate*": "it looks at loky's processes",
    "*::test_processes_crash_handling_after_executor_gc": "the same",
    "*::test_context_manager_shutdown": "the same",
    "*::test_del_shutdown": "the same",
    "*::test_shutdown_no_wait": "the same",
    "*::test_shutdown_deadlock_pickle": "it looks at loky's threads",
    "*::test_shutdown_and_kill_workers": "workers of workers are no processes of this one",
    "*::test_shutdown_with_sys_exit_at_pickle": "what is raised while pickling stays what it is",
    "*::test_hang_issue39205": "what workers print goes to PVM's log",
    "*::test_killed_child*": "a worker that ends breaks nothing: others get its call",
    "*::test_exited_child": "the same",
    "*::test_traceback": "it looks for loky's class of remote tracebacks",
    "*::test_worker_timeout": "workers stay",
    "*::test_serialization": "calls are pickled as Python's own executors do it",
    "*::test_max_depth*": "executors may be nested as deeply as one likes",
    "*::test_no_failure_on_large_data_send": "it needs more memory than some machines have",
    "*::test_memory_leak_protection": "about loky's own guard",
    "*::test_reference_cycle_collection": "the same",
    "*::test_manager_thread_crash_breaks_executor": "it looks at loky's threads",
    "*::test_feeder_error_hook_crash_breaks_executor": "the same",
}


def test_lokys_own_tests_of_its_executor_pass(vm: VirtualMachine, tmp_path: Path) -> None:
    source = source_of("loky", VERSION, tmp_path)
    (tmp_path / "loky").symlink_to(source / "loky")
    (tmp_path / "loky_tests").mkdir()
    for name, names in NAMES.items():
        renamed(source / "tests" / f"{name}.py", tmp_path / "loky_tests" / f"{name}.py", names)
    run(vm, tmp_path, ["loky_tests/test_process_executor_loky.py"], DOES_NOT_APPLY, at_least=20)
