"""How processes are started that help this one: agents, the keeper, the live view's probes."""

from __future__ import annotations

import os
import sys


def package_folder() -> str:
    """Return the folder in which this package lies."""
    return os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def command(module: str, function: str = "main", arguments: str = "") -> list[str]:
    """Return the words by which another Python calls a function of this package.

    It finds the package where this process has found it, and nothing in the folder that
    happens to be the current one, where ``python -m`` and ``python -c`` look first.

    Parameters
    ----------
    module, function : str
        What is called.
    arguments : str
        Its arguments, as code; ``path`` is `sys.path` as it is for scripts, but for their folder.
    """
    folder = package_folder()
    code = (
        "import sys; path = [p for p in sys.path if p]; sys.path[:] = path; "  # as by -P, which is Python 3.11's
        f"{folder!r} in sys.path or sys.path.insert(0, {folder!r}); "
        f"from {module} import {function}; {function}({arguments})"
    )
    return [sys.executable, "-c", code]
