"""vendor/get_pvm3 brings the pinned PVM or says why not; apt is a stand-in here."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

VENDOR = Path(__file__).parents[2] / "vendor"
OFFLINE = "#!/bin/sh\necho 'no network' >&2\nexit 100\n"


class Vendor:
    """A copy of vendor/ with an apt of our own making in front of the real one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "vendor"
        self.bin = folder / "bin"
        self.folder.mkdir()
        self.bin.mkdir()
        for name in ("get_pvm3", "pvm3.versions"):
            shutil.copy(VENDOR / name, self.folder)
        self.tree = self.folder / "pvm3"

    def apt(self, get: str = OFFLINE, cache: str = OFFLINE) -> None:
        for name, text in (("apt-get", get), ("apt-cache", cache)):
            (self.bin / name).write_text(text)
            (self.bin / name).chmod(0o755)

    def get(self, *options: str) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "PATH": f"{self.bin}:{os.environ['PATH']}"}
        command = [str(self.folder / "get_pvm3"), *options]
        return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)


@pytest.fixture
def vendor(tmp_path):
    return Vendor(tmp_path)


def test_another_version_is_refused_by_name(vendor):
    vendor.apt(get="#!/bin/sh\n", cache="#!/bin/sh\necho 'Version: 3.4.7-1'\n")
    done = vendor.get()
    assert done.returncode == 1
    assert "apt offers libpvm3 3.4.7-1, but this project is made for PVM 3.4.6" in done.stderr
    assert not vendor.tree.exists()


def test_a_package_that_is_not_the_pinned_one_is_refused(vendor):
    arch = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True).stdout.strip()
    download = (
        "#!/bin/sh\nfor word; do :; done\n"
        f'case "$word" in libpvm3=*) echo evil > "libpvm3_${{word#*=}}_{arch}.deb";; esac\n'
    )
    vendor.apt(get=download, cache="#!/bin/sh\necho 'Version: 3.4.6-5'\n")
    done = vendor.get()
    assert done.returncode == 1
    assert f"the checksum of libpvm3_3.4.6-5_{arch}.deb is not the one" in done.stderr
    assert not vendor.tree.exists()


def test_what_apt_says_is_shown(vendor):
    vendor.apt()
    done = vendor.get()
    assert done.returncode == 1
    assert "no network" in done.stderr and "apt-get update failed" in done.stderr


def test_a_package_that_apt_does_not_know_is_named(vendor):
    vendor.apt(get="#!/bin/sh\n", cache="#!/bin/sh\nexit 0\n")
    assert "apt knows no package libpvm3" in vendor.get().stderr


def test_what_is_in_the_cache_needs_no_apt(vendor):
    if not (VENDOR / "cache").is_dir():
        pytest.skip("PVM came from elsewhere, so vendor/cache has no packages")
    vendor.apt()
    shutil.copytree(VENDOR / "cache", vendor.folder / "cache")
    assert vendor.get().returncode == 0
    assert (vendor.tree / "usr/lib/pvm3/lib/pvmd").exists()
    again = vendor.get()
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")


def test_a_new_pin_brings_the_tree_again(vendor):
    if not (VENDOR / "cache").is_dir():
        pytest.skip("PVM came from elsewhere, so vendor/cache has no packages")
    vendor.apt()
    shutil.copytree(VENDOR / "cache", vendor.folder / "cache")
    vendor.get()
    (vendor.tree / "usr/include/pvm3.h").unlink()
    with open(vendor.folder / "pvm3.versions", "a") as pins:
        pins.write("# changed\n")
    assert vendor.get().returncode == 0
    assert (vendor.tree / "usr/include/pvm3.h").exists()


def test_an_unknown_option_gets_the_help(vendor):
    done = vendor.get("--what")
    assert done.returncode == 2
    assert done.stdout.startswith("Bring PVM into vendor/pvm3")
