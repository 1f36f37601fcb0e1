"""Calculations spread over the hosts of a Parallel Virtual Machine.

>>> from biskit_pvm import PVMExecutor                      # doctest: +SKIP
>>> from biskit_pvm import TrackingJobMaster, JobSlave      # doctest: +SKIP

What is named here is loaded when it is first asked for, so that a slave, say,
does not wait for the modules of masters.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

TYPE_CHECKING = False  # typing itself takes long to load
if TYPE_CHECKING:
    from typing import Any

    from biskit_pvm import ExampleMaster, dispatcher, hosts, pvm
    from biskit_pvm.dispatcher import JobMaster
    from biskit_pvm.errors import CalculationError, JobError, RestartError
    from biskit_pvm.futures import BrokenPVMExecutor, PVMExecutor
    from biskit_pvm.hosts import HostsError
    from biskit_pvm.machine.host_table import HostResult
    from biskit_pvm.PVMThread import PVMMasterSlave, PVMThread
    from biskit_pvm.slave import JobSlave
    from biskit_pvm.Status import Status
    from biskit_pvm.TrackingJobMaster import TrackingJobMaster, load_restart, restart
    from pvm_ext import available as pvm_installed
    from pvm_ext.errors import PvmError

__version__ = "3.0.0"

__all__ = [
    "BrokenPVMExecutor",
    "CalculationError",
    "ExampleMaster",
    "HostResult",
    "HostsError",
    "JobError",
    "JobMaster",
    "JobSlave",
    "PVMExecutor",
    "PVMMasterSlave",
    "PVMThread",
    "PvmError",
    "RestartError",
    "Status",
    "TrackingJobMaster",
    "dispatcher",
    "hosts",
    "load_restart",
    "pvm",
    "pvm_installed",
    "restart",
]

#: where each name comes from: module, and the name there when it is another
_SOURCES = {
    "BrokenPVMExecutor": ("biskit_pvm.futures",),
    "CalculationError": ("biskit_pvm.errors",),
    "HostResult": ("biskit_pvm.machine.host_table",),
    "HostsError": ("biskit_pvm.hosts",),
    "JobError": ("biskit_pvm.errors",),
    "JobMaster": ("biskit_pvm.dispatcher",),
    "JobSlave": ("biskit_pvm.slave",),
    "PVMExecutor": ("biskit_pvm.futures",),
    "PVMMasterSlave": ("biskit_pvm.PVMThread",),
    "PVMThread": ("biskit_pvm.PVMThread",),
    "PvmError": ("pvm_ext.errors",),
    "RestartError": ("biskit_pvm.errors",),
    "Status": ("biskit_pvm.Status",),
    "TrackingJobMaster": ("biskit_pvm.TrackingJobMaster",),
    "load_restart": ("biskit_pvm.TrackingJobMaster",),
    "pvm_installed": ("pvm_ext", "available"),
    "restart": ("biskit_pvm.TrackingJobMaster",),
}


class _Package(ModuleType):
    """This package: loads what is asked for.

    A class that shares the name of its module hides it here, as it always
    did, and so does the function `restart` the room of restart files;
    importing these modules does not change that.
    """

    def __getattr__(self, name: str) -> Any:
        if name in _SOURCES:
            module, *other = _SOURCES[name]
            value = getattr(importlib.import_module(module), *other or [name])
            setattr(self, name, value)
            return value
        if name in __all__:
            return importlib.import_module(f"{__name__}.{name}")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _SOURCES and isinstance(value, ModuleType):
            if value.__name__ != _SOURCES[name][0]:
                return  # a room that has the name of a function
            value = getattr(value, name)
        super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *__all__})


sys.modules[__name__].__class__ = _Package
