"""What programs import from the package by name."""

from __future__ import annotations

import subprocess
import sys

import pytest

import biskit_pvm


@pytest.mark.parametrize("name", biskit_pvm.__all__)
def test_every_public_name_can_be_imported_first(name: str):
    done = subprocess.run(
        [sys.executable, "-c", f"from biskit_pvm import {name}; assert {name} is not None"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr


def test_names_of_the_package_are_those_of_the_modules():
    from biskit_pvm import futures, hosts
    from biskit_pvm.machine import host_table

    assert biskit_pvm.PVMExecutor is futures.PVMExecutor
    assert biskit_pvm.BrokenPVMExecutor is futures.BrokenPVMExecutor
    assert biskit_pvm.HostsError is hosts.HostsError
    assert biskit_pvm.HostResult is host_table.HostResult
