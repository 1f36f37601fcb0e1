"""Every code block of the documentation does what the page says."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ..support.pages import Session, blocks
from ..support.vm import VirtualMachine

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path for path in (ROOT / "docs").rglob("*.md") if "_build" not in path.parts and "api" not in path.parts
) + [ROOT / "README.md"]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("path", PAGES, ids=[str(p.relative_to(ROOT)) for p in PAGES])
def test_the_code_of_a_page_runs(path: Path, tmp_path: Path):
    found = list(blocks(path.read_text()))
    with VirtualMachine() as vm:
        # Pages begin where a reader does: no virtual machine runs. The folders are ours all the same.
        vm.halt()
        session = Session(vm, tmp_path)
        try:
            for block in found:
                try:
                    session.run(block)
                except AssertionError as error:
                    raise AssertionError(f"{path.relative_to(ROOT)}, line {block.line}:\n{error}") from None
        finally:
            session.close()
            # A reader leaves a virtual machine running that the page has started.
            vm.run([sys.executable, "-m", "biskit_pvm", "halt", "--yes"], check=False)
