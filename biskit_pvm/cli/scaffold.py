"""Files to start a calculation from."""

from __future__ import annotations

import keyword
import os
from pathlib import Path
from string import Template

_FILES = {
    "{}_master.py": "master.py.in",
    "{}_slave.py": "slave.py.in",
    "test_{}.py": "test.py.in",
}


class ScaffoldError(ValueError):
    """Raised when the files cannot be written as asked; the text says why."""


def write_calculation(name: str, folder: str | os.PathLike[str] = ".") -> list[Path]:
    """Write master, slave and test of a new calculation, ready to run.

    Parameters
    ----------
    name : str
        Name of the calculation, such as 'folding'; becomes part of the file names.
    folder : path
        Where to; made if it is not there.

    Returns
    -------
    list of Path
        The files: master, slave, test.

    Raises
    ------
    ScaffoldError
        When the name will not do for a Python module, or one of the files is there already; then
        none is written.
    """
    if not name.isidentifier() or keyword.iskeyword(name) or not name.isascii():
        raise ScaffoldError(f"{name!r} cannot be the name of a Python module: use letters, digits and underscores")
    templates = Path(__file__).resolve().parent / "templates"
    class_name = "".join(part[:1].upper() + part[1:] for part in name.split("_"))
    texts = {
        Path(folder, pattern.format(name)): Template((templates / template).read_text(encoding="utf-8")).substitute(
            name=name, class_name=class_name
        )
        for pattern, template in _FILES.items()
    }
    taken = [str(path) for path in texts if path.exists()]
    if taken:
        raise ScaffoldError(f"will not overwrite {', '.join(taken)}")
    Path(folder).mkdir(parents=True, exist_ok=True)
    for path, text in texts.items():
        with open(path, "x", encoding="utf-8") as file:
            file.write(text)
    return list(texts)
