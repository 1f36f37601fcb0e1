"""The worked example from file to figures, as the command ``biskit-pvm example rmsd`` runs it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from biskit_pvm.report.plots import PlottingUnavailableError, plot_matrix
from biskit_pvm.report.progress import count
from biskit_pvm.rmsd.kabsch import Array
from biskit_pvm.rmsd.master import RmsdMaster
from biskit_pvm.rmsd.pdb import example_file, read_models


class Summary(NamedTuple):
    """The RMSD of all pairs in a few numbers.

    Attributes
    ----------
    pairs : int
        Number of pairs.
    mean, spread : float
        Average and standard deviation in Angstrom.
    smallest, largest : float
        In Angstrom.
    smallest_pair, largest_pair : tuple of int
        The two models, counted from 1.
    """

    pairs: int
    mean: float
    spread: float
    smallest: float
    smallest_pair: tuple[int, int]
    largest: float
    largest_pair: tuple[int, int]

    def text(self) -> str:
        """Return the numbers as a sentence."""
        return (
            f"RMSD of {self.pairs} pairs: mean {self.mean:.3f} A, spread {self.spread:.3f} A, "
            f"smallest {self.smallest:.3f} A (models {self.smallest_pair[0]} and "
            f"{self.smallest_pair[1]}), largest {self.largest:.3f} A (models "
            f"{self.largest_pair[0]} and {self.largest_pair[1]})"
        )


def summarise(matrix: Array) -> Summary:
    """Return the summary of a matrix of all pairs.

    Parameters
    ----------
    matrix : ndarray, shape (models, models)
        RMSD in Angstrom.
    """
    rows, columns = np.triu_indices(len(matrix), 1)
    values = matrix[rows, columns]
    low, high = int(values.argmin()), int(values.argmax())
    return Summary(
        len(values),
        float(values.mean()),
        float(values.std()),
        float(values[low]),
        (int(rows[low]) + 1, int(columns[low]) + 1),
        float(values[high]),
        (int(rows[high]) + 1, int(columns[high]) + 1),
    )


def run_example(
    path: str | os.PathLike[str] | None,
    atoms: str,
    hosts: list[str],
    output: str | None = None,
    picture: bool = True,
    tell: Callable[[str], None] = print,
    **options: Any,
) -> dict[str, Any]:
    """Compare all models of a PDB file, save the matrix and draw it.

    Parameters
    ----------
    path : path, optional
        The file; that of the package by default.
    atoms : {'ca', 'backbone', 'all'}
        Which atoms to compare.
    hosts : list of str
        One slave is started per entry.
    output : str, optional
        Beginning of the names of the files written, which end in ``.npy`` and ``.png``; by default
        that of the input, in the current folder, with ``_rmsd`` behind it.
    picture : bool
        Whether to draw the heat map.
    tell : callable
        Gets each line that the user should read.
    **options
        For :class:`.RmsdMaster`.

    Returns
    -------
    dict
        The figures and the names of the files, fit for JSON.

    Raises
    ------
    PDBError
        When the file will not do.
    """
    path = example_file() if path is None else os.fspath(path)
    models = read_models(path, atoms)
    name = os.path.basename(path).split(".")[0]
    tell(f"{name}: {len(models)} models of {count(models.shape[1], 'atom')}, {_ATOMS_TEXT[atoms]}")
    master = RmsdMaster(models, hosts, **options)
    matrix = master.calculateResult()
    summary = summarise(matrix)
    tell(summary.text())
    output = output or f"{name}_rmsd"
    files = [f"{output}.npy"]
    np.save(files[0], matrix)
    if picture:
        title = f"{name}, {_ATOMS_TEXT[atoms]}"
        try:
            plot_matrix(matrix, f"{output}.png", title, "RMSD [\N{ANGSTROM SIGN}]", "model")
            files.append(f"{output}.png")
        except PlottingUnavailableError as error:
            tell(f"no picture: {error}")
    tell(f"wrote {' and '.join(files)}")
    return {
        "input": path,
        "models": len(models),
        "atoms": models.shape[1],
        "slaves": len(hosts),
        **summary._asdict(),
        "files": files,
    }


def one_host_per_slave(hosts: Sequence[str] = (), slaves: int | None = None) -> list[str]:
    """Spread slaves over hosts.

    Parameters
    ----------
    hosts : sequence of str
        Names of hosts; by default one entry per CPU of the user's host file.
    slaves : int, optional
        How many; by default one per entry.

    Returns
    -------
    list of str
        One name per slave, the hosts in turns.
    """
    from biskit_pvm import hosts as host_file

    names = list(hosts) or list(host_file.cpus_all)
    return [names[i % len(names)] for i in range(slaves or len(names))]


_ATOMS_TEXT = {"ca": "C-alpha only", "backbone": "backbone only", "all": "all atoms"}
