"""Where the slave scripts are that come with the package."""

from __future__ import annotations

import importlib.util
import os


def slave_script(name: str) -> str:
    """Return the path of a slave script of the package.

    Parameters
    ----------
    name : str
        File name, such as 'rmsd_slave.py'.

    Raises
    ------
    FileNotFoundError
        When there is no such script.
    """
    spec = importlib.util.find_spec("biskit_pvm.slave_scripts")
    if spec is not None and spec.submodule_search_locations:
        folder = next(iter(spec.submodule_search_locations))
    else:  # used from a source tree that was not installed: the folder stands beside the package
        here = os.path.abspath(__file__)
        folder = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(here))), "slave_scripts")
    path = os.path.join(folder, name)
    if not os.path.isfile(path):
        raise FileNotFoundError(f"biskit_pvm has no slave script {name} in {folder}")
    return path
