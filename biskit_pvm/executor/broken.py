"""What an executor raises when it cannot go on."""

from __future__ import annotations

from concurrent.futures._base import BrokenExecutor


class BrokenPVMExecutor(BrokenExecutor):
    """No slave is left to work, or a call cannot be done because the slaves that tried it have died."""


BrokenPVMExecutor.__module__ = "biskit_pvm.futures"
