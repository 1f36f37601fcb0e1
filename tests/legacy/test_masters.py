"""Old programs are told by masters, slaves and threads what Biskit 2.4.3 under Python 2.7 told them.

test_original_stack.py has the original print what is expected here.
"""

from __future__ import annotations

import os
import sys

import pytest

from .conftest import HERE

DRIVERS = HERE / "drivers" / "python2"
TOLD = sorted(path.stem for path in (HERE / "drivers" / "expected").glob("*.txt"))


def expected(name: str) -> str:
    """Return what a program has to print."""
    return (HERE / "drivers" / "expected" / f"{name}.txt").read_text()


def told(text: str) -> str:
    """Leave out of what was printed what may differ."""
    # restart() of the original announces the empty master that it fills afterwards
    return text.replace(os.uname().nodename, "HOST").replace("Processing 0 items ...\n", "")


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", TOLD)
def test_a_program_is_told_what_the_original_told_it(vm, tmp_path, name):
    words = [sys.executable, "-m", "biskit_pvm.compat.python2.run", str(DRIVERS / f"{name}.py")]
    assert told(vm.run(words, timeout=100, cwd=tmp_path).stdout) == expected(name)
