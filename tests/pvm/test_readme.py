"""The example in README.md does what is said of it."""

from __future__ import annotations

import re
import sys
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"


def test_the_calculation_in_the_readme_prints_what_it_says(vm, tmp_path):
    text = README.read_text()
    blocks = re.findall(r"```python\n# (\S+)\n(.*?)```", text, re.DOTALL)
    for name, code in blocks:
        (tmp_path / name).write_text(code)
    assert [name for name, _ in blocks] == ["square_slave.py", "square.py"]
    done = vm.run([sys.executable, "square.py"], cwd=tmp_path)
    assert done.stdout.splitlines()[-1] == "328350"
