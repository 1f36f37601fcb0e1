"""Other projects' own tests, run on what this package offers in place of theirs.

The tests are those of an installed package, or of its source archive, which pip brings.  By names only: a copy in a
folder of this run has other names where it names their pool or backend; nothing else is changed.  A test that does not
apply is skipped, with the reason; each test module here has the list.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from ..support.vm import VirtualMachine

ROOT = Path(__file__).parents[2]

#: where source archives are kept from run to run
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "biskit_pvm" / "sdists"

#: seconds that pip may take
DOWNLOAD_TIMEOUT = 120.0


def source_of(project: str, version: str, folder: Path) -> Path:
    """Return the unpacked source archive of a project; skip the test where it cannot be had.

    Parameters
    ----------
    project, version : str
        As on Python's package index.
    folder : Path
        Where it is unpacked.
    """
    archive = CACHE / f"{project}-{version}.tar.gz"
    if not archive.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        # Not isolated: what the archives need to tell their names is here, since this project is built with it.
        words = ["--no-deps", "--no-build-isolation", "--no-binary", project, "--dest", str(CACHE)]
        try:
            subprocess.run(
                [sys.executable, "-m", "pip", "download", "-q", *words, f"{project}=={version}"],
                check=True,
                capture_output=True,
                text=True,
                stdin=subprocess.DEVNULL,
                timeout=DOWNLOAD_TIMEOUT,
            )
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            last = (str(error.stderr or error).strip().splitlines() or [""])[-1]
            pytest.skip(f"the source of {project} {version} cannot be had: {last}")
    with tarfile.open(archive) as tar:
        if hasattr(tarfile, "data_filter"):
            tar.extractall(folder, filter="data")
        else:
            tar.extractall(folder)
    return folder / f"{project}-{version}"


def renamed(source: Path, target: Path, names: Mapping[str, str]) -> None:
    """Copy a test module with other names in it.

    Parameters
    ----------
    names : mapping
        {what stands there: what stands for it}; each must occur.
    """
    text = source.read_text()
    for old, new in names.items():
        assert old in text, f"{source.name} does not name {old!r} any more"
        text = text.replace(old, new)
    target.write_text(text)


def run(
    vm: VirtualMachine,
    folder: Path,
    files: Sequence[str],
    does_not_apply: Mapping[str, str],
    *,
    at_least: int,
    chosen: Sequence[str] = (),
    left_out: Sequence[str] = (),
    timeout: float = 300.0,
) -> None:
    """Run tests in a pytest of their own, and demand that all pass that apply.

    Parameters
    ----------
    vm : VirtualMachine
        Where their workers are started.
    folder : Path
        With the tests, which slaves can import from there.
    files : sequence of str
    does_not_apply : mapping
        {pattern of test names: why such tests are skipped}; each must fit one.
    at_least : int
        How many tests have to be among those that pass.
    chosen : sequence of str, optional
        Patterns of test names, of which one has to fit; all tests by default.
    left_out : sequence of str, optional
        Patterns of test names, of which none may fit.
    timeout : float
        Seconds.
    """
    selection = {"does_not_apply": does_not_apply, "chosen": list(chosen), "left_out": list(left_out)}
    (folder / "selection.json").write_text(json.dumps(selection))
    (folder / "pytest.ini").write_text("[pytest]\n")
    env = {**vm.env, "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])}
    words = ["-p", "tests.libraries.selection", "-p", "no:cacheprovider", "-q", "--tb=short", "--durations=10"]
    # in a thread, which ends everything: a test may hang where no signal reaches it
    limits = ["--basetemp=tmp", "--timeout=60", "--timeout-method=thread"]
    command = [sys.executable, "-m", "pytest", *words, *limits, *files]
    done = vm.run(command, timeout=timeout, check=False, cwd=folder, env=env, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, f"{done.stdout[-20000:]}\n{done.stderr[-5000:]}"
    summary = done.stdout.strip().splitlines()[-1]
    passed = int(summary.split(" passed")[0].split()[-1])
    assert passed >= at_least, f"only {summary}"
    print(summary)
