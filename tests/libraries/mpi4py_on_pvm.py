"""What mpi4py's tests find where they ask for MPI and its executor."""

from __future__ import annotations

from typing import Any

from biskit_pvm import calls
from biskit_pvm.calls import RemoteTraceback
from biskit_pvm.futures import PVMExecutor

MAIN_RUN_NAME = calls.MAIN


class MPIPoolExecutor(PVMExecutor):
    """Ours, with mpi4py's name for the number of workers."""

    @property
    def num_workers(self) -> int:
        return 0 if self.is_over() else self.n_workers

    _max_workers = num_workers

    @property
    def _shutdown(self) -> bool:
        return self.is_over()


class Communicator:
    """Of one process."""

    def Get_size(self) -> int:
        return 1


COMM_WORLD = Communicator()


def get_vendor() -> tuple[str, tuple[int, ...]]:
    return "PVM", (3, 4, 6)


def Get_version() -> tuple[int, int]:
    return 4, 0


def get_comm_workers() -> Any:
    raise RuntimeError("there are no communicators")
