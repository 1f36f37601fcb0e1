"""Every code block of the documentation does what the page says."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from ..support.pages import Session, blocks, needs_no_machine
from ..support.vm import VirtualMachine

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path for path in (ROOT / "docs").rglob("*.md") if "_build" not in path.parts and "api" not in path.parts
) + [ROOT / "README.md"]


#: what a reader's folder may be called
FOLDER = "my calculations"

#: what bin/demo does when everything is set up
DEMO = """\
#!/bin/sh
echo "demo: bringing PVM into $HOME/biskit_pvm/vendor/pvm3"
echo "demo: preparing $HOME/biskit_pvm/.venv;" \\
    "this takes one to three minutes and some 100 MB from Python's package index"
exec biskit-pvm example rmsd "$@"
"""


def _run(path: Path, session: Session) -> None:
    if path.name == "README.md":
        demo = session.folder / "bin" / "demo"
        demo.parent.mkdir()
        demo.write_text(DEMO)
        demo.chmod(0o755)
    try:
        for block in blocks(path.read_text()):
            try:
                session.run(block)
            except AssertionError as error:
                raise AssertionError(f"{path.relative_to(ROOT)}, line {block.line}:\n{error}") from None
    finally:
        session.close()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("path", PAGES, ids=[str(p.relative_to(ROOT)) for p in PAGES])
def test_the_code_of_a_page_runs(path: Path, tmp_path: Path):
    if not any(block.language != "text" and not block.excuse for block in blocks(path.read_text())):
        return
    with VirtualMachine() as vm:
        home = Path(vm.env["HOME"])
        if not needs_no_machine(path.read_text()):
            # A virtual machine runs already; it was started in another folder.
            folder = tmp_path / "running" / FOLDER
            folder.mkdir(parents=True)
            _run(path, Session(vm, folder))
            shutil.rmtree(home)
            home.mkdir()
        vm.halt()
        folder = tmp_path / FOLDER
        folder.mkdir()
        try:
            _run(path, Session(vm, folder))
        finally:
            # A reader leaves a virtual machine running that the page has started.
            vm.run([sys.executable, "-m", "biskit_pvm", "halt", "--yes"], check=False)


@pytest.mark.parametrize("path", PAGES, ids=[str(p.relative_to(ROOT)) for p in PAGES])
def test_pages_show_whole_outputs(path: Path):
    for block in blocks(path.read_text()):
        if block.language in ("console", "text"):
            lines = [line.strip() for line in block.text.splitlines()]
            assert "..." not in lines, f"{path.relative_to(ROOT)}, line {block.line}"
