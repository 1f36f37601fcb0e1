"""bin/demo on Debian 13, which has no PVM: a fresh clone, a user without root, a folder with a space in its name.

The system is made by debootstrap, once, in a folder of the user's cache; it takes a minute or two and 700 MB.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
RELEASE = "trixie"
HOME = Path("/home/you")
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")

pytestmark = pytest.mark.timeout(1800)  # minutes at the first time, and on a busy machine

# Mounts and processes are in namespaces of their own, so none is left behind.
_ENTER = """
set -e
mount -t proc proc "$1/proc"
mount --rbind /dev "$1/dev"
mount --bind "$2" "$1/mnt"
cd "$1"
shift 2
exec chroot . "$@"
"""


def load_get_pvm3() -> ModuleType:
    """Load vendor/get_pvm3.py, which knows the mirrors of this system."""
    spec = importlib.util.spec_from_file_location("get_pvm3", ROOT / "vendor" / "get_pvm3.py")
    assert spec and spec.loader
    module = sys.modules["get_pvm3"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Chroot:
    """A system in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(
        self, *command: str, user: str = "you", env: Mapping[str, str] = {}, check: bool = True, timeout: float = 900
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in it as a user, in that user's home."""
        home = str(HOME) if user == "you" else "/root"
        # how this system reaches Python's package index holds there, too
        network = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
        network |= {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
        known = {**network, "HOME": home, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", **env}
        words = [f"--reuid={user}", f"--regid={user}", "--init-groups", "env", f"--chdir={home}"]
        enter = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", _ENTER, "sh"]
        done = subprocess.run([*enter, str(self.folder), str(ROOT), "setpriv", *words, *command], env=known, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=timeout)  # fmt: skip
        assert not check or done.returncode == 0, done.stdout
        return done


@pytest.fixture(scope="session")
def debian() -> Iterator[Chroot]:
    """Give a Debian 13 with git, and with what bin/demo has asked for in earlier runs."""
    lacking = [name for name in ("debootstrap", "unshare", "setpriv", "apt-get") if shutil.which(name) is None]
    if os.getuid() != 0:
        pytest.skip("only root can make a system in a folder")
    if lacking:
        pytest.skip(f"there is no {' and no '.join(lacking)} here")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "biskit_pvm")
    cache.mkdir(parents=True, exist_ok=True)
    with open(cache / f"{RELEASE}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        folder = cache / RELEASE
        if not folder.exists():
            bootstrap(folder)
        for path in (Path("/etc/resolv.conf"), Path("/etc/hosts"), CERTIFICATES):
            if path.exists():
                shutil.copyfile(path, f"{folder}{path}")
        debian = Chroot(folder)
        try:
            yield debian
        finally:
            for left in (folder / HOME.relative_to("/")).iterdir():
                if left.is_dir():
                    shutil.rmtree(left)


def bootstrap(folder: Path) -> None:
    """Make a system that has nothing but git."""
    mirrors = load_get_pvm3().mirrors()
    if not mirrors:
        pytest.skip("apt names no mirror of Debian here")
    new = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    command = ["debootstrap", "--variant=minbase", "--include=git,ca-certificates", RELEASE, str(new), mirrors[0]]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        shutil.rmtree(new, ignore_errors=True)
        pytest.skip(f"debootstrap made no Debian 13: {' '.join(done.stdout.splitlines()[-1:])}")
    with contextlib.suppress(OSError):  # what this system needs to reach its mirror
        shutil.copytree("/etc/apt/apt.conf.d", new / "etc/apt/apt.conf.d", dirs_exist_ok=True)
    subprocess.run(["chroot", str(new), "useradd", "-m", "-s", "/bin/sh", "you"], check=True)
    new.rename(folder)


def test_the_demo_runs_from_a_fresh_clone(debian):
    clone = "my programs/biskit pvm"
    # what is in the checkout, committed or not
    debian.run("mkdir", "-p", clone)
    listed = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-z"], capture_output=True, check=True).stdout
    files = [name for name in listed.decode().split("\0") if name and (ROOT / name).is_file()]
    tar = subprocess.run(["tar", "-C", str(ROOT), "-cz", *files], capture_output=True, check=True).stdout
    target = debian.folder / HOME.relative_to("/") / clone
    subprocess.run(["tar", "-C", str(target), "-xz", "--no-same-owner"], input=tar, check=True)
    debian.run("chown", "-R", "you:you", f"{HOME}/my programs", user="root")

    told = debian.run(f"{clone}/bin/demo", check=False).stdout
    asked = re.search(r"^demo:     (apt-get install .+)$", told, re.M)
    if asked:  # for the first time in this system
        debian.run("apt-get", "-q", "update", user="root")
        debian.run(
            *asked[1].split(), "-y", "--no-install-recommends", user="root", env={"DEBIAN_FRONTEND": "noninteractive"}
        )
        debian.run("apt-get", "clean", user="root")
        told = debian.run(f"{clone}/bin/demo").stdout
    assert "RMSD of 276 pairs" in told, told

    said = debian.run(f"{clone}/.venv/bin/biskit-pvm", "version").stdout
    assert re.search(r"^PVM +3\.4\.6$", said, re.M), said
    assert re.search(r"^PVM package .* 3\.4\.6-5 \w+ pinned$", said, re.M), said
    assert f"{HOME}/{clone}/pvm_ext/_pvm3 (bundled)" in said
    log = (target / "build" / "prepare.log").read_text()
    assert "of Debian 12" in log or "asking" not in log
