"""The worked example from file to figures, as the command ``biskit-pvm example rmsd`` runs it."""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from biskit_pvm.report.plots import PlottingUnavailableError, plot_matrix
from biskit_pvm.report.progress import count
from biskit_pvm.rmsd.frames import Frames, FramesOnDisk
from biskit_pvm.rmsd.master import RmsdMaster
from biskit_pvm.rmsd.matrix import cluster_order, small, summarise, write_csv
from biskit_pvm.rmsd.structures import PDBError, example_file, read_structure
from biskit_pvm.rmsd.trajectory import TRAJECTORIES, check_size, read_trajectory

_PACKED = re.compile(r"\.(gz|bz2|xz)$", re.I)
_FORMAT = re.compile(
    r"\.(pdb|ent|brk|pdbx|cif|mmcif|json|xtc|trr|dcd|nc|ncdf|netcdf|mdcrd|crdbox|trj|h5md|dump)$", re.I
)


def run_example(
    path: str | os.PathLike[str] | None,
    atoms: str,
    hosts: list[str],
    output: str | None = None,
    picture: bool = True,
    tell: Callable[[str], None] = print,
    topology: str | os.PathLike[str] | None = None,
    which: slice | None = None,
    common: bool = False,
    csv: bool = False,
    order: str = "input",
    **options: Any,
) -> dict[str, Any]:
    """Compare all models of a structure, or frames of a trajectory; save the matrix and draw it.

    Parameters
    ----------
    path : path, optional
        The file, or '-' for standard input; that of the package by default.
    atoms : str
        Which atoms to compare; see :func:`.read_structure`.
    hosts : list of str
        One slave is started per entry.
    output : str, optional
        Beginning of the names of the files written, which end in ``.npy``, ``.png`` and ``.csv``;
        by default that of the input, in the current folder, with ``_rmsd`` behind it.
    picture : bool
        Whether to draw the heat map.
    tell : callable
        Gets each line that the user should read.
    topology : path, optional
        Names of the atoms, which makes `path` a trajectory; see :func:`.read_trajectory`.
    which : slice, optional
        Frames of the trajectory.
    common : bool
        Compare the atoms that all models have, where they differ.
    csv : bool
        Whether to write the matrix as a table as well.
    order : {'input', 'cluster'}
        Of the models in picture and table.
    **options
        For :class:`.RmsdMaster`.

    Returns
    -------
    dict
        The figures and the names of the files, fit for JSON.

    Raises
    ------
    PDBError
        When the input will not do, or the output cannot be written.
    """
    path = example_file() if path is None else os.fspath(path)
    name = stem(path)
    files = check_output(output or f"{name}_rmsd", ["npy"] + ["png"] * picture + ["csv"] * csv)
    if order == "cluster":
        _check_scipy()
    frames, numbers, notes = _read(path, atoms, topology, which, common, os.path.dirname(files["npy"]) or ".")
    word = "frame" if topology else "model"
    text = _ATOMS_TEXT.get(atoms.lower(), atoms)
    tell(f"{name}: {len(frames)} {word}s of {count(frames.atoms, 'atom')}, {text}")
    for line in notes["lines"]:
        tell(line)
    begin = time.perf_counter()
    master = RmsdMaster(frames, hosts, **options)
    matrix = master.calculateResult()
    seconds = time.perf_counter() - begin
    summary = summarise(matrix, numbers)
    tell(summary.text(word))
    np.save(files["npy"], matrix)
    written = [files["npy"]]
    rows = cluster_order(matrix) if order == "cluster" else list(range(len(matrix)))
    if picture:
        try:
            plot_matrix(
                small(matrix, rows),
                files["png"],
                f"{name}, {text}",
                "RMSD [\N{ANGSTROM SIGN}]",
                word if order == "input" else f"{word}, similar ones together",
                numbers=[numbers[i] for i in rows],
            )
            written.append(files["png"])
        except PlottingUnavailableError as error:
            tell(f"no picture: {error}")
    if csv:
        write_csv(matrix, files["csv"], numbers, rows, word)
        written.append(files["csv"])
    tell(f"wrote {' and '.join([', '.join(written[:-1]), written[-1]] if written[1:] else written)}")
    result = {
        "input": path,
        f"{word}s": len(frames),
        "atoms": frames.atoms,
        "left_out": notes["left_out"],
        "slaves": len(hosts),
        "seconds": round(seconds, 3),
        **summary._asdict(),
        "files": written,
    }
    if order == "cluster":
        result["order"] = [numbers[i] for i in rows]
    return result


def stem(path: str) -> str:
    """Return what the files of a result are named after: the input's name without its endings."""
    if path == "-":
        return "stdin"
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return "pipe"  # the names of those are numbers
    except OSError:
        pass
    name = os.path.basename(path)
    return _FORMAT.sub("", _PACKED.sub("", name)) or name


def check_output(output: str, endings: Sequence[str]) -> dict[str, str]:
    """Return the names of the files to write.

    Parameters
    ----------
    output : str
        Their beginning; an ending ``.npy`` is not repeated.
    endings : sequence of str
        Those of the files.

    Raises
    ------
    PDBError
        When they cannot be written, which is better known before the work than after it.
    """
    output = os.fspath(output)
    output = output[:-4] if output.endswith(".npy") else output
    folder = os.path.dirname(output) or "."
    if not os.path.basename(output):
        raise PDBError(f"{output}: a folder; the output needs a name in it")
    if not os.path.isdir(folder):
        raise PDBError(f"{folder}: no such folder for the output")
    files = {ending: f"{output}.{ending}" for ending in endings}
    for file in files.values():
        if os.path.isdir(file):
            raise PDBError(f"{file}: a folder; the output cannot be written")
        if not os.access(file if os.path.exists(file) else folder, os.W_OK):
            raise PDBError(f"{file}: no permission to write the output")
    return files


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


def _read(
    path: str,
    atoms: str,
    topology: str | os.PathLike[str] | None,
    which: slice | None,
    common: bool,
    folder: str,
) -> tuple[Frames | FramesOnDisk, list[int], dict[str, Any]]:
    if topology is not None:
        trajectory = read_trajectory(topology, path, atoms, which or slice(None), folder)
        return trajectory.frames, trajectory.numbers, {"left_out": 0, "lines": []}
    if path.lower().endswith(TRAJECTORIES):
        raise PDBError(f"{path}: a trajectory needs --topology, a file with the names of its atoms")
    if which is not None:
        raise PDBError("--frames is for trajectories, which need --topology")
    found = read_structure(path, atoms, common)
    check_size(path, len(found.numbers))
    lines = []
    if common:
        lines.append(f"{count(found.left_out, 'atom')} left out, which not all models have")
    if found.repeated:
        lines.append(f"note: {count(found.repeated, 'atom')} stood twice in a model; the first place counts")
    return Frames(found.xyz), found.numbers, {"left_out": found.left_out, "lines": lines}


def _check_scipy() -> None:
    try:
        import scipy.cluster.hierarchy  # noqa: F401
    except ImportError as error:
        raise PDBError(f"the order of clusters is computed by scipy ({error}): pip install scipy") from None


_ATOMS_TEXT = {
    "ca": "C-alpha only",
    "backbone": "backbone only",
    "p": "phosphorus only",
    "nucleic": "nucleic backbone only",
    "all": "all atoms",
}
