"""Where PVM is: its library, daemon, console and group server.

The order is the same when the package is built and when it runs:

1. the folder in the environment variable ``PVM_ROOT``, which always wins;
2. when running, the PVM that was put into the package when it was built, else the one
   that it was built with; when building, a PVM installed in the system, then the one
   that ``vendor/get_pvm3`` unpacked.

Importing this module looks at nothing; each function looks when it is called.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sysconfig
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

BUNDLE = Path(__file__).with_name("_pvm3")
"""The ``PVM_ROOT`` inside the package, there when it was built from a vendored PVM."""

PACKAGES = "packages.txt"
"""The file in which ``vendor/get_pvm3`` sets down what it has unpacked."""

_SYSTEM_PREFIXES = ("/usr", "/usr/local")


class PvmNotFoundError(Exception):
    """Raised when no PVM is found; the text says where was looked and what to do."""


@dataclass(frozen=True)
class Installation:
    """A PVM on this computer.

    Attributes
    ----------
    origin : str
        Who chose it: ``'PVM_ROOT'``, ``'bundled'``, ``'system'`` or ``'vendor'``.
    root : Path
        The folder that PVM itself calls ``PVM_ROOT``.
    daemon, console, group_server : Path or None
        The programs ``pvmd``, ``pvm`` and ``pvmgs``; None where there is none.
    include : Path or None
        The folder of ``pvm3.h``.
    libraries : Path or None
        The folder of ``libpvm3`` and ``libgpvm3``.
    """

    origin: str
    root: Path
    daemon: Path | None = None
    console: Path | None = None
    group_server: Path | None = None
    include: Path | None = None
    libraries: Path | None = None

    @property
    def can_build(self) -> bool:
        """Whether the headers and both libraries are there."""
        return self.include is not None and self.libraries is not None

    @property
    def can_run(self) -> bool:
        """Whether the daemon is there."""
        return self.daemon is not None

    def packages(self) -> list[str]:
        """Return the Debian packages that it came in: name, revision, architecture, and who vouched for it.

        Those that ``vendor/get_pvm3`` brought are ``pinned`` (their checksums are known) or ``signed`` (by apt's
        index); those of the system are ``installed``.  Empty for a PVM that is of no package.
        """
        for folder in (self.root, *list(self.root.parents)[2:3]):
            try:
                return (folder / PACKAGES).read_text().splitlines()
            except OSError:
                continue
        if self.root != Path("/usr/lib/pvm3"):
            return []
        form = "${db:Status-Status} ${Package} ${Version} ${Architecture} installed\n"
        command = ["dpkg-query", "--show", f"--showformat={form}", "libpvm3", "pvm", "pvm-dev"]
        try:
            rows = subprocess.run(command, capture_output=True, text=True).stdout.splitlines()
        except OSError:
            return []
        return [row.partition(" ")[2] for row in rows if row.startswith("installed ")]


def architecture() -> str:
    """Return PVM's name for this kind of computer, such as ``'LINUX64'``."""
    if "PVM_ARCH" in os.environ:
        return os.environ["PVM_ARCH"]
    machine = platform.machine()
    if machine in ("i386", "i486", "i586", "i686"):
        return "LINUX"
    if machine.startswith("arm"):
        return "LINUXARM"
    return "LINUX64"


def examine(root: Path, origin: str) -> Installation:
    """Look for the parts of PVM that belong to one ``PVM_ROOT``.

    Both layouts are known: the one of PVM's own sources (everything below the root, by
    architecture) and the one of Debian (headers and libraries of the same tree's
    ``usr`` folder).
    """
    arch = architecture()
    # Debian's root is <prefix>/lib/pvm3.
    prefix = root.parent.parent
    programs = (root / "lib", root / "lib" / arch, root / "bin" / arch, prefix / "bin")
    libraries = [root / "lib" / arch, root / "lib"]
    multiarch = sysconfig.get_config_var("MULTIARCH")
    if multiarch:
        libraries.append(prefix / "lib" / multiarch)
    libraries += sorted((prefix / "lib").glob("*-linux-gnu*")) if not multiarch else []
    libraries += [prefix / "lib64", prefix / "lib"]
    return Installation(
        origin,
        root,
        daemon=_program(programs, "pvmd", "pvmd3"),
        console=_program(programs, "pvm"),
        group_server=_program(programs, "pvmgs"),
        include=_first((root / "include", prefix / "include"), _has_header),
        libraries=_first(libraries, _has_library),
    )


def for_building(
    vendor: Path,
    environment: Mapping[str, str] = os.environ,
    tell: Callable[[str], None] = print,
) -> Installation:
    """Find the PVM to build with, and tell each step.

    Parameters
    ----------
    vendor : Path
        The folder that ``vendor/get_pvm3`` fills.
    environment : mapping of str
        Where ``PVM_ROOT`` is looked up.
    tell : callable
        Gets one line of text per place looked at.

    Raises
    ------
    PvmNotFoundError
        When there is none, or ``PVM_ROOT`` names a folder without one.
    """
    chosen = environment.get("PVM_ROOT")
    # Daemons hand the root of the PVM in the package to their tasks; nobody chose it.
    if chosen and Path(chosen) != BUNDLE:
        found = examine(Path(chosen), "PVM_ROOT")
        tell(f"PVM: PVM_ROOT={found.root}: {_verdict(found)}")
        if not found.can_build:
            raise PvmNotFoundError(
                f"PVM_ROOT={found.root} has no pvm3.h with libpvm3 and libgpvm3. "
                "Set it to the root of a PVM 3.4 with its headers, or unset it."
            )
        return found
    tell("PVM: PVM_ROOT is not set")
    candidates = [(Path(prefix, "lib", "pvm3"), "system") for prefix in _SYSTEM_PREFIXES]
    for root, origin in [*candidates, (vendor / "usr" / "lib" / "pvm3", "vendor")]:
        found = examine(root, origin)
        tell(f"PVM: {origin}, {root}: {_verdict(found)}")
        if found.can_build:
            return found
    raise PvmNotFoundError(
        "PVM 3.4 was not found. Two ways out:\n"
        "  1. let it be brought along, without root: set BISKIT_PVM_BUNDLE=1 and repeat the command\n"
        "     (in a checkout you may run vendor/get_pvm3 instead);\n"
        "  2. install it (on Debian 12 and Ubuntu: apt-get install libpvm3 pvm pvm-dev),\n"
        "     or set PVM_ROOT to where it is."
    )


def find(environment: Mapping[str, str] = os.environ) -> Installation:
    """Find the PVM to run: ``PVM_ROOT``, else the bundled one, else the one built with.

    Raises
    ------
    PvmNotFoundError
        When none of them has a daemon.
    """
    # A daemon started from the bundle hands its PVM_ROOT on to its tasks.
    if environment.get("PVM_ROOT", str(BUNDLE)) not in ("", str(BUNDLE)):
        found = examine(Path(environment["PVM_ROOT"]), "PVM_ROOT")
        if not found.can_run:
            raise PvmNotFoundError(
                f"PVM_ROOT={found.root} has no pvmd. Set it to the root of a PVM 3.4, "
                "or unset it to use the PVM that this package was built with."
            )
        return found
    if BUNDLE.is_dir():
        return examine(BUNDLE, "bundled")
    try:
        from ._build_info import PVM_ORIGIN, PVM_ROOT
    except ImportError:
        raise PvmNotFoundError("pvm_ext has not been built, so no PVM is known to it.") from None
    found = examine(Path(PVM_ROOT), PVM_ORIGIN)
    if not found.can_run:
        raise PvmNotFoundError(
            f"The PVM that this package was built with has no pvmd any more ({found.root}). "
            "Install it again, or set PVM_ROOT to another one."
        )
    return found


def pvm_root() -> Path:
    """Return the folder that PVM calls ``PVM_ROOT``."""
    return find().root


def daemon() -> Path:
    """Return the program ``pvmd``."""
    path = find().daemon
    assert path is not None
    return path


def console() -> Path:
    """Return the program ``pvm``, PVM's own console.

    Raises
    ------
    PvmNotFoundError
        When this PVM has none.
    """
    return _wanted(find().console, "console (the program pvm)")


def group_server() -> Path:
    """Return the program ``pvmgs``, which serves PVM's groups.

    Raises
    ------
    PvmNotFoundError
        When this PVM has none.
    """
    return _wanted(find().group_server, "group server (the program pvmgs)")


def compiler_options() -> list[str]:
    """Return the words that let a C compiler find ``pvm3.h``.

    Raises
    ------
    PvmNotFoundError
        When this PVM has no headers.
    """
    found = _with_headers()
    return [] if str(found.include) == "/usr/include" else [f"-I{found.include}"]


def linker_options() -> list[str]:
    """Return the words that link a C program with ``libgpvm3`` and ``libpvm3``, and let it find them when it runs.

    Raises
    ------
    PvmNotFoundError
        When this PVM has no headers or libraries to compile with.
    """
    found = _with_headers()
    assert found.libraries is not None
    words = [f"-L{found.libraries}"]
    shared = (found.libraries / "libpvm3.so").exists()
    if shared and found.origin != "system":
        words.append(f"-Wl,-rpath,{found.libraries}")
    # libgpvm3 names no dependency on libpvm3, so it stands before it.
    return [*words, "-lgpvm3", "-lpvm3", *([] if shared else ["-ltirpc"])]


def environment() -> dict[str, str]:
    """Return what PVM's programs need in their environment, beyond what is there.

    The programs in the package find their libraries by themselves.  Those below a
    ``PVM_ROOT`` that the system's loader does not know get a ``LD_LIBRARY_PATH``, with
    the one that is set now behind it.
    """
    found = find()
    added = {"PVM_ROOT": str(found.root)}
    if found.origin == "PVM_ROOT" and found.libraries and (found.libraries / "libpvm3.so.3").exists():
        before = os.environ.get("LD_LIBRARY_PATH")
        paths = [str(found.libraries), *(before.split(os.pathsep) if before else [])]
        added["LD_LIBRARY_PATH"] = os.pathsep.join(dict.fromkeys(paths))
    return added


def _with_headers() -> Installation:
    found = find()
    if not found.can_build:
        raise PvmNotFoundError(
            f"PVM in {found.root} has no pvm3.h with libpvm3 and libgpvm3 to compile C programs with "
            "(on Debian they are in the package pvm-dev)."
        )
    return found


def _wanted(path: Path | None, what: str) -> Path:
    if path is None:
        raise PvmNotFoundError(f"PVM in {find().root} has no {what}.")
    return path


def _first(paths: Iterable[Path], test: Callable[[Path], bool]) -> Path | None:
    return next((path for path in paths if test(path)), None)


def _program(folders: tuple[Path, ...], *names: str) -> Path | None:
    candidates = (folder / name for folder in folders for name in names)
    return _first(candidates, lambda path: path.is_file() and os.access(path, os.X_OK))


def _has_header(folder: Path) -> bool:
    return (folder / "pvm3.h").is_file()


def _has_library(folder: Path) -> bool:
    return all(any((folder / f"lib{name}.{end}").exists() for end in ("so", "so.3", "a")) for name in ("pvm3", "gpvm3"))


def _verdict(found: Installation) -> str:
    if found.can_build:
        return f"found, libraries in {found.libraries}"
    if found.include is None and found.libraries is None:
        return "nothing there"
    return "no headers (package pvm-dev)" if found.include is None else "no libraries"
