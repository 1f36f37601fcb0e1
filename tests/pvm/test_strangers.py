"""What another user of the same computer can do to a user's calculations: nothing.

The users are real ones, made for these tests.
"""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from ..support.users import User, why_not
from ..support.waiting import wait_for

COMMAND = [sys.executable, "-m", "biskit_pvm"]
UMASKS = [0o000, 0o002, 0o022, 0o077]
LIMIT = 25.0
"""Seconds that nothing here may take: whatever waits for ever is a fault."""


class Scene(NamedTuple):
    """A user, a stranger, and the folder in which both may write, as in /tmp."""

    owner: User
    stranger: User
    shared: Path

    @property
    def env(self) -> dict[str, str]:
        """The environment of the owner's programs."""
        return {"PVM_TMP": str(self.shared), "TMPDIR": str(self.shared)}

    @property
    def address_file(self) -> Path:
        """Where the owner's daemon leaves its address."""
        return self.shared / f"pvmd.{self.owner.uid}"


@pytest.fixture(scope="module")
def users() -> Iterator[tuple[User, User]]:
    """Make two users."""
    reason = why_not()
    if reason:
        pytest.skip(reason)
    with User("bpo") as owner, User("bps") as stranger:
        yield owner, stranger


@pytest.fixture
def scene(users: tuple[User, User]) -> Iterator[Scene]:
    """Give both users a home of their own and a folder for all."""
    root = Path(tempfile.mkdtemp(prefix="bs-", dir="/tmp"))
    try:
        root.chmod(0o755)
        shared = root / "s"
        shared.mkdir()
        shared.chmod(0o1777)
        for user in users:
            user.move_to(root)
        made = Scene(*users, shared)
        yield made
        for user in users:
            if (shared / f"pvmd.{user.uid}").is_file():
                user.run([*COMMAND, "halt", "-y"], env=made.env)
            wait_for(lambda user=user: not _processes_of(user), 20)  # type: ignore[misc]
    finally:
        subprocess.run(["rm", "-rf", root], check=True)


def _processes_of(user: User) -> list[str]:
    return [entry.name for entry in Path("/proc").iterdir() if entry.name.isdigit() and _owner_of(entry) == user.uid]


def _owner_of(path: Path) -> int:
    try:
        return path.stat().st_uid
    except OSError:
        return -1


PLANT = {
    "file": "echo /tmp/nobody > {0}; chmod 666 {0}",
    "link": "ln -s {1} {0}",
    "pipe": "mkfifo {0}; chmod 666 {0}",
    "folder": "mkdir {0}; chmod 777 {0}",
}


def plant(scene: Scene, kind: str, path: Path) -> None:
    """Let the stranger put something there."""
    done = scene.stranger.run(["sh", "-c", PLANT[kind].format(path, scene.owner.home / "precious")])
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("kind", PLANT)
def test_an_address_file_of_a_stranger_is_told_and_not_used(scene: Scene, kind: str):
    (scene.owner.home / "precious").write_text("/tmp/nobody\n")
    os.chown(scene.owner.home / "precious", scene.owner.uid, scene.owner.gid)
    plant(scene, kind, scene.address_file)
    for command in ("start", "doctor", "clean", "conf"):
        done = scene.owner.run([*COMMAND, command], env=scene.env, timeout=LIMIT)
        said = done.stdout + done.stderr
        assert done.returncode in (1, 3), (command, said)
        assert str(scene.address_file) in said and "PVM_TMP" in said, (command, said)
        assert "Traceback" not in said
    code = "from biskit_pvm.machine import daemon; daemon.ensure_running()"
    assert "CantStart" in scene.owner.python(code, env=scene.env, timeout=LIMIT).stderr
    # the remedy helps
    own = scene.owner.home / "pvm"
    own.mkdir(mode=0o700)
    os.chown(own, scene.owner.uid, scene.owner.gid)
    env = {**scene.env, "PVM_TMP": str(own)}
    done = scene.owner.run([*COMMAND, "start"], env=env)
    assert done.returncode == 0, done.stderr
    scene.owner.run([*COMMAND, "halt", "-y"], env=env)
    assert (scene.owner.home / "precious").exists()


@pytest.mark.parametrize("kind", PLANT)
def test_a_log_of_a_stranger_is_told_and_not_written_to(scene: Scene, kind: str):
    log = scene.shared / f"pvml.{scene.owner.uid}"
    (scene.owner.home / "precious").write_text("precious")
    os.chown(scene.owner.home / "precious", scene.owner.uid, scene.owner.gid)
    plant(scene, kind, log)
    done = scene.owner.run([*COMMAND, "start"], env=scene.env, timeout=LIMIT)
    assert done.returncode == 0 and str(log) in done.stderr and "PVM_TMP" in done.stderr, done.stderr
    for command in ("doctor", "clean"):
        done = scene.owner.run([*COMMAND, command], env=scene.env, timeout=LIMIT)
        assert str(log) in done.stdout + done.stderr
    scene.owner.run([*COMMAND, "halt", "-y"], env=scene.env)
    assert (scene.owner.home / "precious").read_text() == "precious"
    if kind == "file":
        assert log.read_text() == "/tmp/nobody\n"


def test_clean_follows_no_link_to_what_it_would_remove(scene: Scene):
    """A file of the owner's that names another one, and a link to it with the name of an address file."""
    victim, note = scene.owner.home / "victim", scene.owner.home / "note"
    victim.write_text("precious")
    note.write_text(f"{victim}\n")
    for path in (victim, note):
        os.chown(path, scene.owner.uid, scene.owner.gid)
    scene.stranger.run(["ln", "-s", note, f"{scene.address_file}.other"])
    scene.owner.run([*COMMAND, "clean"], env=scene.env, timeout=LIMIT)
    assert victim.read_text() == "precious" and note.exists()


@pytest.mark.parametrize("kind", PLANT)
def test_the_debug_log_goes_to_a_file_of_its_own(scene: Scene, kind: str):
    code = (
        "import os, sys\nfrom biskit_pvm.PVMThread import Logfile\n"
        "log = Logfile()\nprint(log.filename, flush=True)\nsys.stdin.readline()\n"
        "log.post('secret')\nprint(log.filename, flush=True)\n"
    )
    words = scene.owner.words([sys.executable, "-c", code])
    with subprocess.Popen(
        words, env=scene.owner.environment(scene.env), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd="/"
    ) as child:
        assert child.stdin and child.stdout
        first = Path(child.stdout.readline().strip())
        plant(scene, kind, first)
        child.stdin.write("\n")
        child.stdin.close()
        used = Path(child.stdout.readline().strip())
        child.wait(LIMIT)
    assert used != first and used.parent == first.parent and "secret" in used.read_text()
    assert used.stat().st_uid == scene.owner.uid and stat.S_IMODE(used.stat().st_mode) == 0o600
    assert not (scene.owner.home / "precious").exists()


SAVE = """
import os
from biskit_pvm import TrackingJobMaster
from biskit_pvm.restart import file
data = {"master_class": TrackingJobMaster, "status_objects": {1: None}, "data": {1: "secret"}, "slave_script": "/a"}
file.save(data, "%s")
"""
LOAD = "import sys\nfrom biskit_pvm import load_restart\nprint(load_restart(sys.argv[1]))"


@pytest.mark.parametrize("umask", UMASKS, ids=oct)
def test_restart_files_and_their_key(scene: Scene, umask: int):
    path = scene.shared / "run.rst"
    for _ in range(2):
        done = scene.owner.python(SAVE % path, umask=umask)
        assert done.returncode == 0, done.stderr
    key = scene.owner.home / ".biskit" / "restart.key"
    assert "'slave_script': '/a'" in scene.owner.python(LOAD, str(path)).stdout
    # reading, replacing, linking, planting
    for private in (key, path, Path(f"{path}~")):
        assert scene.stranger.run(["cat", private]).returncode != 0
        assert scene.stranger.run(["sh", "-c", f"echo x >> {private}"]).returncode != 0
        assert scene.stranger.run(["rm", "-f", private]).returncode != 0 or private.exists()
        assert scene.stranger.run(["mv", "-f", private, f"{private}.moved"]).returncode != 0
    # one that the stranger has sealed and left for the owner
    theirs = scene.shared / "other.rst"
    assert scene.stranger.python(SAVE % theirs, umask=0o000).returncode == 0
    theirs.chmod(0o666)
    got = scene.owner.python(LOAD, str(theirs))
    assert "'data': {1: 'secret'}" in got.stdout and "slave_script" not in got.stdout
    # a link in place of the file to be saved: the owner's other file stays
    (scene.owner.home / "precious").write_text("precious")
    os.chown(scene.owner.home / "precious", scene.owner.uid, scene.owner.gid)
    trap = scene.shared / "trap.rst"
    scene.stranger.run(["ln", "-s", scene.owner.home / "precious", trap])
    scene.owner.python(SAVE % trap, umask=umask)
    assert (scene.owner.home / "precious").read_text() == "precious"


@pytest.mark.parametrize("umask", UMASKS, ids=oct)
def test_translations_are_kept_for_the_owner_alone(scene: Scene, umask: int):
    pytest.importorskip("fissix")
    (scene.owner.home / "old.py").write_text("print 'halves', 7 / 2\n")
    words = [*COMMAND, "run", "old.py"]
    done = scene.owner.run(words, umask=umask)
    assert done.stdout == "halves 3\n", done.stderr
    folder = scene.owner.home / ".cache" / "biskit_pvm" / "translated"
    (entry,) = folder.iterdir()
    assert stat.S_IMODE(entry.stat().st_mode) == 0o600
    assert scene.stranger.run(["ls", folder]).returncode != 0
    for deed in (f"echo x > {entry}", f"rm -f {entry} && ! test -e {entry}", f"ln -s /dev/null {folder}/other"):
        assert scene.stranger.run(["sh", "-c", deed]).returncode != 0 or entry.read_bytes() != b"x\n"
    assert entry.stat().st_size > 100
    # a damaged entry is translated anew
    whole = entry.read_bytes()
    for damaged in (whole[:-5], whole[:60] + bytes([whole[60] ^ 1]) + whole[61:], b""):
        entry.write_bytes(damaged)
        assert scene.owner.run(words, umask=umask).stdout == "halves 3\n"
        assert entry.read_bytes() == whole
    # what the stranger can put in the place of the folders above is not used
    scene.stranger.run(
        ["sh", "-c", f"cd {scene.owner.home} && mv .cache .old && mkdir -p .cache/biskit_pvm/translated"]
    )
    assert scene.owner.run(words, umask=umask).stdout == "halves 3\n"


ENROL = "import pvm_ext; print('enrolled', pvm_ext.mytid())"
MASTER = """
import os, sys
from biskit_pvm import TrackingJobMaster
from biskit_pvm.hosts import cpus_all
if __name__ == "__main__":
    here = os.path.dirname(os.path.abspath(__file__))
    master = TrackingJobMaster({i: i for i in range(20)}, 1, cpus_all[:1] * 2, verbose=0,
                               slave_script=os.path.join(here, "slave.py"))
    print(sorted(master.calculateResult().items()) == [(i, 2 * i) for i in range(20)], flush=True)
"""
SLAVE = """
import os, time
from biskit_pvm import JobSlave
class Slave(JobSlave):
    def go(self, chunk):
        while 19 in chunk and not os.path.exists("GATE"):
            time.sleep(0.01)
        return {k: 2 * v for k, v in chunk.items()}
if __name__ == "__main__":
    Slave().start()
"""


@pytest.mark.parametrize("umask", UMASKS, ids=oct)
def test_a_running_calculation(scene: Scene, umask: int):
    gate = scene.owner.home / "gate"
    (scene.owner.home / "master.py").write_text(MASTER)
    (scene.owner.home / "slave.py").write_text(SLAVE.replace("GATE", str(gate)))
    words = scene.owner.words([sys.executable, "master.py"], umask)
    with subprocess.Popen(
        words, env=scene.owner.environment(scene.env), cwd=scene.owner.home, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as child:  # fmt: skip
        try:
            # a slave and its guard have the same words
            wait_for(lambda: len(_slaves(scene.owner)) >= 4, 30)
            _attack(scene)
            gate.touch()
            out, err = child.communicate(timeout=60)
        finally:
            child.kill()
    assert out == "True\n", err


def _slaves(owner: User) -> list[int]:
    found = []
    for number in _processes_of(owner):
        try:
            words = Path(f"/proc/{number}/cmdline").read_bytes()
        except OSError:
            continue
        if b"slave.py" in words:
            found.append(int(number))
    return found


def _attack(scene: Scene) -> None:
    """Let the stranger enrol, read, replace, link, plant, end, and connect."""
    address = scene.address_file.read_text().strip()
    # enrolling: by the stranger's own name, and by the owner's socket
    for more in ({}, {"PVMSOCK": address}):
        try:
            done = scene.stranger.python(ENROL, env={**scene.env, **more}, timeout=15)
            assert "enrolled" not in done.stdout, (more, done.stdout)
        except subprocess.TimeoutExpired:
            pass
    for path in sorted(scene.shared.iterdir()):
        assert path.stat().st_uid == scene.owner.uid
        for deed in (f"rm -f {path} && ! test -e {path}", f"mv -f {path} {path}.x", f"echo x >> {path}"):
            assert scene.stranger.run(["sh", "-c", deed]).returncode != 0, (deed, oct(path.lstat().st_mode))
    for number in _slaves(scene.owner):
        assert scene.stranger.run(["cat", f"/proc/{number}/environ"]).returncode != 0
        assert scene.stranger.run(["sh", "-c", f"kill -9 {number}"]).returncode != 0
        assert b"KEY" not in Path(f"/proc/{number}/cmdline").read_bytes()
    # whatever listens: garbage at each of its doors
    code = (
        "import os, socket, sys\n"
        "for path in sys.argv[1:]:\n"
        "    try:\n"
        "        s = socket.socket(socket.AF_UNIX); s.settimeout(1); s.connect(path)\n"
        "        s.sendall(os.urandom(4000)); s.close()\n"
        "    except OSError as error: print(path, error)\n"
        "for line in open('/proc/net/tcp').readlines()[1:]:\n"
        "    words = line.split()\n"
        f"    if words[3] == '0A' and words[7] == '{scene.owner.uid}':\n"
        "        number = words[1].split(':')\n"
        "        host = '.'.join(str(b) for b in reversed(bytes.fromhex(number[0])))\n"
        "        host = '127.0.0.1' if host == '0.0.0.0' else host\n"
        "        s = socket.create_connection((host, int(number[1], 16)), 2)\n"
        "        s.sendall(os.urandom(4000)); s.close(); print('tcp')\n"
        "for line in open('/proc/net/udp').readlines()[1:]:\n"
        "    words = line.split()\n"
        f"    if words[7] == '{scene.owner.uid}':\n"
        "        number = words[1].split(':')\n"
        "        host = '.'.join(str(b) for b in reversed(bytes.fromhex(number[0])))\n"
        "        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
        "        for _ in range(50): s.sendto(os.urandom(64), (host, int(number[1], 16)))\n"
        "        print('udp')\n"
    )
    sockets = [str(path) for path in scene.shared.iterdir() if stat.S_ISSOCK(path.stat().st_mode)]
    done = scene.stranger.python(code, *sockets, timeout=LIMIT)
    assert done.returncode == 0, done.stderr
