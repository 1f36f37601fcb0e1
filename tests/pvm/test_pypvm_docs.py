"""docs/pypvm.md tells of every function."""

import re
from pathlib import Path

import pypvm

TEXT = (Path(__file__).parents[2] / "docs" / "pypvm.md").read_text()


def test_every_function_is_named_in_the_documentation():
    names = {name for name, value in vars(pypvm).items() if callable(value) and not name.startswith("_")}
    words = set(re.findall(r"\w+", TEXT))
    silent = {name for name in names - words if not name.endswith(("Exception", "Error", "error"))}
    # what has a type in its name is told as a row: upkbyte ... upkdcplx
    assert {name for name in silent if not name.startswith(("upk", "Pvm"))} == {
        "configuration", "number_of_architectures",
    }  # fmt: skip
