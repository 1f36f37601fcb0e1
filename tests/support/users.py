"""Real unprivileged users, made for a test and removed behind it."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def why_not() -> str | None:
    """Return why no users can be made here, or None."""
    if os.geteuid() != 0:
        return "needs root, to make users"
    for program in ("useradd", "userdel", "setpriv", "unshare"):
        if shutil.which(program) is None:
            return f"needs the program {program}"
    code = "import biskit_pvm, pvm_ext; pvm_ext.available"
    try:
        subprocess.run(
            [*as_user(65534, 65534), sys.executable, "-c", code], check=True, capture_output=True, timeout=60
        )
    except (OSError, subprocess.SubprocessError):
        return "needs Python and this package where other users can read them"
    return None


def as_user(uid: int, gid: int) -> list[str]:
    """Return the words before a command line that run it as a user.

    Where Python or this package lies in a folder that only root may enter, such as root's
    home folder, the command sees a folder in its place that holds these alone.
    """
    switch = ["setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups"]
    needed = {Path(sys.executable).resolve(), Path(sys.prefix), Path(sys.base_prefix), Path(__file__).resolve()}
    closed: dict[Path, set[str]] = {}
    for path in needed:
        for folder in reversed(path.parents):
            if not folder.stat().st_mode & 0o001:
                closed.setdefault(folder, set()).add(path.relative_to(folder).parts[0])
                break
    if not closed:
        return switch
    lines = ["set -e", "d=$(mktemp -d)", 'mount -t tmpfs -o mode=755 none "$d"']
    for folder, names in closed.items():
        for name in names:
            lines.append(f'mkdir "$d/{name}"; mount --bind "{folder / name}" "$d/{name}"')
        lines.append(f'mount --rbind "$d" "{folder}"')
    # seen in this command's own view of the file systems alone, which ends with it
    lines += ['umount -l "$d"; rmdir "$d"', 'exec "$@"']
    return ["unshare", "--mount", "sh", "-c", "\n".join(lines), "sh", *switch]


class User:
    """An account of its own; a context manager.

    Parameters
    ----------
    name : str
        Begin of its name; the number of this process comes behind.

    Attributes
    ----------
    home : Path
        The home folder; see `move_to`.
    """

    def __init__(self, name: str) -> None:
        self.name = f"{name}{os.getpid()}"
        self.home = Path("/")

    def __enter__(self) -> User:
        subprocess.run(
            ["useradd", "--no-create-home", "--home-dir", "/nonexistent", "--shell", "/bin/sh", self.name],
            check=True, capture_output=True,
        )  # fmt: skip
        entry = pwd.getpwnam(self.name)
        self.uid, self.gid = entry.pw_uid, entry.pw_gid
        return self

    def move_to(self, folder: Path) -> None:
        """Give the user a new home folder."""
        self.home = folder / self.name
        self.home.mkdir(mode=0o755)
        os.chown(self.home, self.uid, self.gid)

    def __exit__(self, *exception: object) -> None:
        subprocess.run(["userdel", "--force", self.name], check=True, capture_output=True)

    def words(self, argv: Sequence[str | os.PathLike[str]], umask: int = 0o022) -> list[str]:
        """Return the command line that runs a program as this user."""
        shell = ["sh", "-c", f'umask {umask:04o}; exec "$@"', "sh"]
        return [*as_user(self.uid, self.gid), *shell, *map(os.fspath, argv)]

    def run(
        self,
        argv: Sequence[str | os.PathLike[str]],
        umask: int = 0o022,
        env: dict[str, str] | None = None,
        **options: Any,
    ) -> subprocess.CompletedProcess[str]:
        """Run a program as this user, at home, to its end."""
        options = {"cwd": self.home, "timeout": 60, "check": False, "stdin": subprocess.DEVNULL, **options}
        return subprocess.run(
            self.words(argv, umask), env=self.environment(env), text=True, capture_output=True, **options
        )

    def python(self, code: str, *argv: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run Python code as this user."""
        return self.run([sys.executable, "-c", code, *argv], **options)

    def environment(self, more: dict[str, str] | None = None) -> dict[str, str]:
        """Return the environment of this user's programs."""
        plain = {name: value for name, value in os.environ.items() if not name.startswith(("PVM", "BISKIT_PVM_R"))}
        kept = {name: os.environ[name] for name in ("BISKIT_PVM_TEST_RUN", "PVM_ROOT") if name in os.environ}
        return {**plain, **kept, "HOME": str(self.home), "USER": self.name, **(more or {})}
