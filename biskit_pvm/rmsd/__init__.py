"""The worked example: how far the models of a structure are apart.

All models of a structure, or frames of a trajectory, are superposed in pairs, and the root mean
square deviation (RMSD) that remains is the result. :mod:`.structures` and :mod:`.trajectory` read
files, :mod:`.kabsch` does the arithmetic and knows nothing of PVM, :class:`RmsdMaster` spreads it
over slaves, :mod:`.matrix` makes figures of what comes back.

The input that comes with the package, ``2juy.pdb.gz``, is entry 2JUY of the Protein Data Bank: the
NMR ensemble of neopetrosiamide A, 24 models of 28 residues (P. Austin, D. E. Williams, M. Heller,
L. P. McIntosh, R. J. Andersen, M. Roberge, C. D. Roskelley, 2007). Entries of the Protein Data Bank
are in the public domain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from biskit_pvm.rmsd.kabsch import pairwise_rmsd
from biskit_pvm.rmsd.structures import ATOM_CHOICES, PDBError, example_file, read_models

if TYPE_CHECKING:
    from biskit_pvm.rmsd.master import RmsdMaster

__all__ = ["ATOM_CHOICES", "PDBError", "RmsdMaster", "example_file", "pairwise_rmsd", "read_models"]


def __getattr__(name: str) -> Any:
    """Import the master when it is asked for: the arithmetic does without PVM."""
    if name == "RmsdMaster":
        from biskit_pvm.rmsd.master import RmsdMaster

        return RmsdMaster
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
