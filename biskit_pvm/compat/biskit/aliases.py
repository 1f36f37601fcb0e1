"""
``import Biskit``: the parts that PVM scripts use, under the names of Biskit 2.

``Biskit.PVM`` and what is in it are the modules of `biskit_pvm` themselves, not copies. The rest is a Biskit tree of the
user's, where there is one on the path and old source is translated; otherwise the small modules of `compat.biskit`.
"""

from __future__ import annotations

import importlib
import os
import sys
import types
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Callable

_PVM = ("PVMThread", "dispatcher", "TrackingJobMaster", "Status", "hosts", "pvm", "ExampleMaster", "ExampleSlave")
_SMALL = ("tools", "LogFile", "Errors", "settings", "ErrorHandler", "ExeConfig", "ExeConfigCache", "test", "mathUtils")

#: old name to the module that it is
_MODULES = {
    **{f"Biskit.PVM.{name}": f"biskit_pvm.{name}" for name in _PVM},
    "Biskit.PVM.pvmTools": "Biskit.PVM.pvm",
    "Biskit.PVM.pypvm_core": "biskit_pvm.compat.pypvm",
    "Biskit.hosts": "Biskit.PVM.hosts",
    "pypvm": "biskit_pvm.compat.pypvm",
    "pypvm_core": "biskit_pvm.compat.pypvm",
}


#: gives a module as it is seen under its old name
_seen: Callable[[str, ModuleType], ModuleType] = lambda name, module: module


class _Alias(Loader):
    """Give a module that has another name of its own."""

    def __init__(self, name: str) -> None:
        self._name = name

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = _seen(spec.name, importlib.import_module(self._name))
        self._spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._spec


class _Package(Loader):
    """Make ``Biskit.PVM``, or ``Biskit`` itself where no tree is there."""

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return _PvmPackage(spec.name) if spec.name == "Biskit.PVM" else None

    def exec_module(self, module: ModuleType) -> None:
        if isinstance(module, _PvmPackage):
            module.__doc__ = "Calculations spread over PVM, under Biskit's names; see `biskit_pvm`."
            setattr(module, "__all__", [*_PVM, "pvmTools", "JobSlave", "pvm_installed"])
            _seen(module.__name__, module)
        else:
            _fill_biskit(module)


class _PvmPackage(ModuleType):
    """``Biskit.PVM``, which loads what it is asked for: a slave needs little of it."""

    def __getattr__(self, name: str) -> Any:
        if name in (*_PVM, "pvmTools"):
            importlib.import_module(f"{self.__name__}.{name}")
            return self.__dict__[name]
        if name in ("JobSlave", "pvm_installed"):
            import biskit_pvm

            self.__dict__[name] = getattr(biskit_pvm, name)
            return self.__dict__[name]
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        # whoever imports the module binds it over the class of its name
        is_module = name == "TrackingJobMaster" and isinstance(value, ModuleType)
        super().__setattr__(name, value.TrackingJobMaster if is_module else value)


def _fill_biskit(package: ModuleType) -> None:
    from biskit_pvm.compat import biskit

    package.__doc__ = biskit.__doc__
    setattr(package, "__version__", biskit.__version__)
    package.__path__ = []
    for name in _SMALL:
        module = sys.modules[f"Biskit.{name}"] = importlib.import_module(f"{biskit.__name__}.{name}")
        setattr(package, name, module)
    for name in biskit.__all__:
        setattr(package, name, getattr(biskit, name))


class OldNamesFinder(MetaPathFinder):
    """Find the old names; ``Biskit`` only where nothing else has been found."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname in _MODULES:
            return ModuleSpec(fullname, _Alias(_MODULES[fullname]))
        if fullname == "Biskit.PVM":
            return ModuleSpec(fullname, _Package(), is_package=True)
        parent, _, name = fullname.rpartition(".")
        if parent == "PVM" and sys.modules.get(parent) is sys.modules.get("Biskit.PVM") and name in _PVM:
            return ModuleSpec(fullname, _Alias(f"Biskit.PVM.{name}"))
        return None


class _LastResort(MetaPathFinder):
    """Find the small ``Biskit`` where the user has none."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname == "Biskit":
            return ModuleSpec(fullname, _Package(), is_package=True)
        part = fullname.partition("Biskit.")[2]
        if part and fullname.startswith("Biskit.") and not part.startswith("PVM") and is_small(sys.modules["Biskit"]):
            raise ImportError(
                f"No module named {part}: it is a part of Biskit 2 that this package does not have. Put the folder "
                "in which Biskit lies on PYTHONPATH"
            )
        return None


def instead_of(name: str, folder: str) -> ModuleSpec | None:
    """
    Give what is imported instead of a module of a Biskit tree's ``PVM``, which scripts inside the tree see as a sibling.

    Parameters
    ----------
    name : str
        Without dots.
    folder : str
        In which it was looked for.

    Returns
    -------
    ModuleSpec or None
        None where the module is not one of Biskit's PVM.
    """
    place = os.path.realpath(folder).split(os.sep)
    if name == "PVM" and place[-1:] == ["Biskit"]:
        return ModuleSpec(name, _Alias("Biskit.PVM"), is_package=True)
    if name in _PVM and place[-2:] == ["Biskit", "PVM"]:
        return ModuleSpec(name, _Alias(f"Biskit.PVM.{name}"))
    return None


def install(seen: Callable[[str, ModuleType], ModuleType] | None = None) -> None:
    """
    Have the old names found, whether or not this package is installed with its top-level modules.

    Parameters
    ----------
    seen : callable, optional
        Gives for an old name and its module the one to be found instead.
    """
    global _seen
    if seen is not None:
        _seen = seen
    if not any(isinstance(each, OldNamesFinder) for each in sys.meta_path):
        sys.meta_path.insert(0, OldNamesFinder())
        sys.meta_path.append(_LastResort())


def become(module: ModuleType) -> None:
    """
    Turn the installed top-level module ``Biskit`` into the small one.

    Parameters
    ----------
    module : module
    """
    install()
    _fill_biskit(module)


def is_small(module: types.ModuleType) -> bool:
    """
    Tell whether ``Biskit`` is the small one.

    Parameters
    ----------
    module : module

    Returns
    -------
    bool
    """
    return not getattr(module, "__path__", ["tree"])
