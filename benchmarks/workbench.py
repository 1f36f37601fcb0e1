"""What every row of the benchmarks works with: a virtual machine, the C references, processes."""

from __future__ import annotations

import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.support.vm import VirtualMachine

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
WORKER_LIMIT = 900.0
"""Seconds after which a benchmark process is given up."""


class Workbench:
    """Compile the C references and run benchmark processes in a virtual machine of their own.

    Parameters
    ----------
    quick : bool
        Use small sizes and a single round: shows that everything runs, not how fast it is.
    rounds : int, optional
        Rounds per figure; 5 by default, 1 when `quick`.

    Notes
    -----
    A context manager: the virtual machine and the compiled programs are gone after it.
    """

    def __init__(self, quick: bool = False, rounds: int | None = None) -> None:
        self.quick = quick
        self.rounds = rounds or (1 if quick else 5)
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> Workbench:
        # The daemon gets what pvm_ext.start_pvmd would give it, and everybody else the same.
        self._limits = soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if not 0 <= soft <= 1024:
            resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))
        self._folder = tempfile.TemporaryDirectory(prefix="biskit-pvm-bench-")
        try:
            self.reference = compile_reference(Path(self._folder.name))
            path = os.pathsep.join([str(ROOT)] + os.environ.get("PYTHONPATH", "").split(os.pathsep)).rstrip(os.pathsep)
            self.vm = VirtualMachine(
                env={
                    "PYTHONPATH": path,
                    "BISKIT_PVM_AUTOSTART": "0",
                    # Users run what was compiled when it was installed.
                    "PYTHONDONTWRITEBYTECODE": None,
                }
            )
            self.vm.__enter__()
        except BaseException:
            self._folder.cleanup()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        try:
            self.vm.__exit__(*exception)
        finally:
            assert self._folder is not None
            self._folder.cleanup()
            resource.setrlimit(resource.RLIMIT_NOFILE, self._limits)

    def size(self, full: int, quick: int) -> int:
        """Return `full`, or `quick` in the short mode."""
        return quick if self.quick else full

    def c(self, *arguments: object) -> Any:
        """Run the C reference with `arguments` and return the object that it prints."""
        return self.run([str(self.reference), *map(str, arguments)])

    def task(self, name: str, *arguments: object) -> Any:
        """Run ``benchmarks.tasks.<name>`` in the virtual machine and return the object that it prints."""
        return self.run([sys.executable, "-m", f"benchmarks.tasks.{name}", *map(str, arguments)])

    def run(self, argv: list[str]) -> Any:
        """Run a program in the virtual machine and return the object on the last such line it prints."""
        lines = self.vm.run(argv, timeout=WORKER_LIMIT).stdout.splitlines()
        return json.loads([line for line in lines if line.startswith("{")][-1])


def compile_reference(folder: Path) -> Path:
    """Compile the C references into `folder`, against the libpvm3 that pvm_ext is built with.

    Returns
    -------
    Path
        The program.
    """
    from pvm_ext import installation

    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None:
        raise SystemExit("benchmarks: a C compiler is needed for the references (on Debian: apt-get install gcc)")
    headers = installation.for_building(ROOT / "vendor" / "pvm3", tell=lambda line: None)
    program = folder / "reference"
    library = _loaded_library("libpvm3.so")
    if library is not None:
        link = [str(library), f"-Wl,-rpath,{library.parent}"]
    else:
        link = [f"-L{headers.libraries}", "-lpvm3", "-ltirpc"]
    subprocess.run(
        [compiler, "-O2", f"-I{headers.include}", str(HERE / "c" / "reference.c"), *link, "-o", str(program)],
        check=True,
    )
    return program


def describe_machine() -> dict[str, Any]:
    """Return what the figures depend on: processor, cores, system, versions."""
    processor = next(
        (line.split(":", 1)[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.machine(),
    )
    memory = next((int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    return {
        "processor": processor,
        "cores": os.cpu_count(),
        "memory_GB": round(memory / 1e6, 1),
        "virtual": any("hypervisor" in line for line in _lines("/proc/cpuinfo") if line.startswith("flags")),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def _loaded_library(name: str) -> Path | None:
    """Return the file of a shared library that this process has loaded, None when it is linked in."""
    import pvm_ext

    pvm_ext.version()
    return next((Path(line.split(maxsplit=5)[-1]) for line in _lines("/proc/self/maps") if f"/{name}" in line), None)


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []
