"""joblib's own tests of `Parallel`, as the installed package brings them, with "pvm" where they name "loky"."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from ..support.vm import VirtualMachine
from .their_tests import renamed, run

NAMES = {
    "joblib._parallel_backends.LokyBackend": "PVMBackend",
    '"loky"': '"pvm"',
    "LokyBackend": "PVMBackend",
    "    PVMBackend,\n    MultiprocessingBackend": "    MultiprocessingBackend",
    "from joblib.testing import": "from biskit_pvm.joblib import PVMBackend\nfrom joblib.testing import",
    "from joblib import Parallel, delayed": "import biskit_pvm.joblib; from joblib import Parallel, delayed",
    "backend.title()": '{"pvm": "PVM"}.get(backend, backend.title())',
}

CHOSEN = [
    "*pvm*",
    "test_*_with_loky",
    "test_*_functions_loky",
    "test_*_method_loky",
    "test_parallel_pickling",
    "test_parallel_byteorder_corruption*",
    "test_*backend_hinting_and_constraints*",
    "test_threadpool_limitation_in_child*",
    "test_initializer_*",
]

DOES_NOT_APPLY = {
    "test_parallel_as_context_manager[pvm]": "it looks at the pools that joblib's own backends make",
    "test_error_capture[pvm]": "the same",
    "test_*_bound_method_loky": "it looks for the names of loky's processes",
    "test_parallel_pickling": "an error while pickling stays what it is, as with Python's own executors",
    "test_nested_parallel_warnings[threading-pvm-*": "it works below threads, so there is nothing to warn of",
    "test_nested_backend_in_sequential[*-pvm-None]": "all workers are used by default, as with joblib's own dask",
    "test_backend_hinting_and_constraints[*": "joblib's default is meant, which this does not become",
    "test_auto_memmap_on_arrays_from_generator[pvm]": "mapped arrays are plain arrays here, not np.memmap",
    "test_memmapping_leaks[pvm]": "the same",
    "test_multiple_generator_call_separated_gc[*pvm*": "calls at the same time end nothing of each other",
}

#: variants that show nothing new, and are run with --thorough only
MORE = [
    "*[11-*",
    "*[100-*",
    "*parallel_backend*",
    "test_deadlock_with_generator[-*",
    "test_multiple_generator_call*[-*",
    "test_multiple_generator_call*[1-*",
    "test_threadpool_limitation_in_child_context[*-4]",
    "test_threadpool_limitation_in_child_override[*-MKL_*",
    "test_threadpool_limitation_in_child_override[*-OMP_*",
    "test_initializer_context[*",
    "test_initializer_*[*4]",
    "test_initializer_*multiprocessing*",
    "test_parallel_with_unpicklable_functions_in_args[args*",
]


@pytest.mark.timeout(400)
def test_joblibs_own_tests_of_parallel_pass(vm: VirtualMachine, tmp_path: Path, thorough: bool) -> None:
    if importlib.util.find_spec("joblib") is None:
        pytest.skip("joblib is not installed")
    found = importlib.util.find_spec("joblib.test")
    if found is None or found.origin is None:
        pytest.skip("this joblib comes without its tests")
    renamed(Path(found.origin).with_name("test_parallel.py"), tmp_path / "test_parallel_on_pvm.py", NAMES)
    run(
        vm,
        tmp_path,
        ["test_parallel_on_pvm.py"],
        DOES_NOT_APPLY,
        chosen=CHOSEN,
        left_out=() if thorough else MORE,
        at_least=80,
    )
