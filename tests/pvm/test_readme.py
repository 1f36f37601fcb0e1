"""The programs in README.md work when they are pasted into files."""

from __future__ import annotations

import re
import sys
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"


def test_the_programs_in_the_readme_print_what_it_says(vm, tmp_path):
    folder = tmp_path / "my programs"
    folder.mkdir()
    blocks = dict(re.findall(r"```python\n# (\S+)\n(.*?)```", README.read_text(), re.DOTALL))
    for name, code in blocks.items():
        (folder / name).write_text(code)
    assert list(blocks) == ["squares.py", "square_slave.py", "square.py"]
    for name in ("squares.py", "square.py"):
        done = vm.run([sys.executable, name], cwd=folder)
        assert done.stdout.splitlines()[-1] == "328350"
