"""Programs that are not ours, and virtual machines that find them."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Callable

import pytest

from pvm_ext import installation
from tests.support.vm import VirtualMachine

HERE = Path(__file__).parent
VENDOR = HERE.parents[2] / "vendor"


@pytest.fixture(scope="session")
def c_programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of Debian's example programs, under the names that they spawn."""
    subprocess.run([VENDOR / "get_pvm3", "--examples"], check=True, timeout=600)
    folder = tmp_path_factory.mktemp("c")
    for program in (VENDOR / "pvm3-examples" / "usr" / "bin").iterdir():
        # Debian renames some, to keep them apart from other packages
        (folder / program.name.removesuffix(".pvm")).symlink_to(program)
    return folder


@pytest.fixture(scope="session")
def python_programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of our programs, so that C programs spawn them by bare names."""
    folder = tmp_path_factory.mktemp("python")
    for program in (HERE / "programs").glob("*.py"):
        starter = folder / program.stem
        starter.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {shlex.quote(str(program))} "$@"\n')
        starter.chmod(0o755)
    return folder


@pytest.fixture(scope="session")
def pvm() -> installation.Installation:
    """Give the PVM with headers and libraries that C programs are built and run with."""
    subprocess.run([VENDOR / "get_pvm3"], check=True, timeout=600)
    return installation.examine(VENDOR / "pvm3" / "usr" / "lib" / "pvm3", "vendor")


@pytest.fixture(scope="session")
def partner(tmp_path_factory: pytest.TempPathFactory, pvm: installation.Installation) -> Path:
    """Give the folder with partner.c, compiled."""
    folder = tmp_path_factory.mktemp("partner")
    subprocess.run(
        ["cc", "-Wall", "-Wextra", "-Werror", "-O1", f"-I{pvm.include}", HERE / "partner.c",
         "-o", folder / "partner", f"-L{pvm.libraries}", "-lgpvm3", "-lpvm3"],
        check=True, timeout=120,
    )  # fmt: skip
    return folder


@pytest.fixture
def machine(pvm: installation.Installation) -> Iterator[Callable[..., VirtualMachine]]:
    """Give a function that starts a virtual machine with a search path for programs."""
    with ExitStack() as started:

        def start(*folders: Path) -> VirtualMachine:
            # C programs that use groups leave it to the path to find the group server.
            path = [*folders, installation.group_server().parent]
            env = {"PVM_PATH": ":".join(map(str, path)), "LD_LIBRARY_PATH": str(pvm.libraries)}
            return started.enter_context(VirtualMachine(env=env))

        yield start
