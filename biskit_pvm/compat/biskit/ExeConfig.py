"""Where programs are."""

from __future__ import annotations

from biskit_pvm.compat.biskit.Errors import BiskitError
from biskit_pvm.compat.biskit.tools import absbinary


class ExeConfigError(BiskitError):
    """A program cannot be used."""


class ExeConfig:
    """
    A program of the user's.

    Parameters
    ----------
    name : str
    strict : bool
        Kept for old callers.

    Attributes
    ----------
    name, bin : str
        Its name, and its path where it was found.
    bin_found, env_ok, dat_found : bool
    """

    def __init__(self, name: str, strict: object = 1, **options: object) -> None:
        self.name = name
        self.dat_found = False
        self.env_ok = True
        self.env = None
        self.cwd = None
        try:
            self.bin = absbinary(name)
            self.bin_found = True
        except OSError:
            self.bin = name
            self.bin_found = False

    def validate(self) -> None:
        """
        Make sure that the program is there.

        Raises
        ------
        ExeConfigError
        """
        if not self.bin_found:
            raise ExeConfigError(f"{self.name} was not found in the search path")

    def __str__(self) -> str:
        return f"ExeConfig for {self.name}\nbinary {self.bin} (found: {self.bin_found})"
