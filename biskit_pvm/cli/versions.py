"""Versions of this package and of what it stands on."""

from __future__ import annotations

import importlib.metadata
import platform
import sys


def versions() -> dict[str, str]:
    """Return {name: version or place} as text; what is missing is said in its place."""
    import pvm_ext
    from pvm_ext import installation

    try:
        package = importlib.metadata.version("biskit-pvm")
    except importlib.metadata.PackageNotFoundError:
        package = "not installed (used from a source tree)"
    try:
        library = pvm_ext.version()
    except (ImportError, AttributeError) as error:
        library = f"missing: {error}"
    try:
        found = installation.find()
        place, origin = str(found.root), found.origin
        packages = _in_short(found.packages())
    except installation.PvmNotFoundError as error:
        place, origin, packages = f"missing: {error}", "", ""
    return {
        "biskit_pvm": package,
        "PVM": library,
        "PVM package": packages,
        "PVM_ROOT": f"{place} ({origin})" if origin else place,
        "Python": f"{platform.python_version()} ({sys.executable})",
        "platform": platform.platform(),
    }


def _in_short(packages: list[str]) -> str:
    """Put together the packages that differ in nothing but their names."""
    names: dict[str, list[str]] = {}
    for row in packages:
        name, *rest = row.split()
        names.setdefault(" ".join(rest), []).append(name)
    return "; ".join(f"{' '.join(which)} {rest}" for rest, which in names.items()) or "none (not made of packages)"
