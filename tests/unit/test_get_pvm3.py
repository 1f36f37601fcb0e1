"""vendor/get_pvm3 brings the pinned PVM or says why not; apt is a stand-in here."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import os
import shutil
import subprocess
import sys
import tarfile
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

VENDOR = Path(__file__).parents[2] / "vendor"
OFFLINE = "#!/bin/sh\necho 'E: Could not connect to mirror: no network' >&2\nexit 100\n"
NAMES = ("libpvm3", "pvm", "pvm-dev")


def load():
    """Load the program as a module."""
    spec = importlib.util.spec_from_file_location("get_pvm3", VENDOR / "get_pvm3.py")
    assert spec and spec.loader
    module = sys.modules["get_pvm3"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


get_pvm3 = load()
ARCH = get_pvm3.architecture()


def deb(path: Path, files: dict[str, str], compression: str = "xz") -> None:
    """Write a package as dpkg would."""

    def tar(content: dict[str, str]) -> bytes:
        data = io.BytesIO()
        with tarfile.open(fileobj=data, mode=f"w:{compression}") as archive:
            for name, text in content.items():
                info = tarfile.TarInfo(f"./{name}")
                info.size, info.mode = len(text), 0o755
                archive.addfile(info, io.BytesIO(text.encode()))
        return data.getvalue()

    with open(path, "wb") as archive:
        archive.write(b"!<arch>\n")
        parts = {
            "debian-binary": b"2.0\n",
            f"control.tar.{compression}": tar({"control": "x"}),
            f"data.tar.{compression}": tar(files),
        }
        for name, data in parts.items():
            archive.write(f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(data):<10}`\n".encode() + data)
            archive.write(b"\n" * (len(data) % 2))


class Vendor:
    """A copy of vendor/ with packages and an apt of our own making, in a folder whose name has a space."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "my vendor"
        self.bin = folder / "bin"
        self.mirror = folder / "my mirror"
        self.env = {**os.environ, "PATH": f"{self.bin}:{os.environ['PATH']}", "PYTHON": sys.executable}
        self.env.pop("PVM_MIRROR", None)
        for place in (self.folder, self.bin, self.mirror):
            place.mkdir()
        for name in ("get_pvm3", "get_pvm3.py"):
            shutil.copy(VENDOR / name, self.folder)
        self.tree = self.folder / "pvm3"
        self.pins = self.folder / "pvm3.versions"
        self.pins.write_text("# a comment\nupstream 3.4.6\n")
        for name in NAMES:
            deb(self.package(name), {f"usr/share/doc/{name}/copyright": name, "usr/bin/pvmd": "#!/bin/sh\n"})
            self.pin(name)

    def package(self, name: str) -> Path:
        return self.mirror / f"{name}_3.4.6-5_{ARCH}.deb"

    def pin(self, name: str) -> None:
        digest = hashlib.sha256(self.package(name).read_bytes()).hexdigest()
        with open(self.pins, "a") as pins:
            pins.write(f"package {name} 3.4.6-5 {ARCH} {digest}\n")

    def apt(self, get: str = OFFLINE, cache: str = OFFLINE) -> None:
        for name, text in (("apt-get", get), ("apt-cache", cache)):
            (self.bin / name).write_text(text)
            (self.bin / name).chmod(0o755)

    def start(self, *options: str) -> subprocess.Popen[str]:
        command = [str(self.folder / "get_pvm3"), *options]
        return subprocess.Popen(command, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def get(self, *options: str) -> subprocess.CompletedProcess[str]:
        with self.start(*options) as process:
            out, err = process.communicate(timeout=60)
        return subprocess.CompletedProcess([], process.returncode, out, err)


@pytest.fixture
def vendor(tmp_path):
    vendor = Vendor(tmp_path)
    vendor.apt()
    return vendor


@pytest.fixture
def from_folder(vendor):
    vendor.env["PVM_MIRROR"] = str(vendor.mirror)
    return vendor


# ------------------------------------------------------------------------------------- apt


def test_what_apt_offers_is_taken(vendor):
    get = f'#!/bin/sh\nfor word; do :; done\ncp "{vendor.mirror}/${{word%%=*}}_"*.deb . 2>&1 || :\n'
    vendor.apt(get=get, cache="#!/bin/sh\necho 'Version: 3.4.6-5'\n")
    done = vendor.get()
    assert done.returncode == 0, done.stderr
    assert (vendor.tree / "usr/bin/pvmd").stat().st_mode & 0o111
    assert (vendor.tree / "packages.txt").read_text().split("\n")[0] == f"libpvm3 3.4.6-5 {ARCH} pinned"


def test_another_version_is_refused_by_name(vendor):
    vendor.apt(get="#!/bin/sh\n", cache="#!/bin/sh\necho 'Version: 3.4.7-1'\n")
    done = vendor.get()
    assert done.returncode == 1
    assert "apt offers libpvm3 3.4.7-1, but this project is made for PVM 3.4.6" in done.stdout
    assert not vendor.tree.exists()


def test_a_package_that_is_not_the_pinned_one_is_refused(vendor):
    download = (
        "#!/bin/sh\nfor word; do :; done\n"
        f'case "$word" in libpvm3=*) echo evil > "libpvm3_${{word#*=}}_{ARCH}.deb";; esac\n'
    )
    vendor.apt(get=download, cache="#!/bin/sh\necho 'Version: 3.4.6-5'\n")
    done = vendor.get()
    assert done.returncode == 1
    assert f"the checksum of libpvm3_3.4.6-5_{ARCH}.deb is not the one" in done.stderr
    assert not vendor.tree.exists()


def test_what_apt_says_is_shown_with_a_remedy(vendor):
    done = vendor.get()
    assert done.returncode == 1
    assert "apt-get update failed: E: Could not connect to mirror: no network" in done.stdout
    assert "Is there a network" in done.stderr and "PVM_MIRROR=/a/folder" in done.stderr


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        ("E: Failed to fetch x  Temporary failure resolving 'x'", "Is there a network"),
        ("E: Failed to fetch x  Invalid response from proxy", "apt-config dump"),
        ("E: Write error - write (28: No space left on device)", "is full"),
        ("E: Malformed entry 1 in list file", "sources of apt"),
    ],
)
def test_each_failure_of_apt_has_its_remedy(words, remedy):
    trouble = get_pvm3.network_trouble("apt-get update failed", f"Get:1 x\n{words}\n")
    assert words in str(trouble) and remedy in trouble.remedy[0]


@pytest.mark.parametrize(
    ("variable", "setting"),
    [("http://me:secret@127.0.0.1:9", ""), ("", 'Acquire::http::Proxy "http://me:secret@127.0.0.1:9/";')],
)
def test_a_proxy_that_does_not_answer_apt_is_named_without_its_password(vendor, variable, setting):
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        vendor.env.pop(name, None)
        vendor.env.pop(name.upper(), None)
    vendor.env["http_proxy"] = variable
    vendor.apt(get="#!/bin/sh\necho 'E: Failed to fetch x  Unable to connect to 127.0.0.1:9:'\nexit 100\n")
    (vendor.bin / "apt-config").write_text(f"#!/bin/sh\necho '{setting}'\n")
    (vendor.bin / "apt-config").chmod(0o755)
    done = vendor.get()
    assert done.returncode == 1
    assert "apt is told to use the proxy 127.0.0.1:9;" in done.stderr and "secret" not in done.stderr


def test_a_full_disk_is_told_when_apt_speaks_of_something_else(monkeypatch):
    monkeypatch.setattr(get_pvm3.shutil, "disk_usage", lambda folder: shutil._ntuple_diskusage(10, 10, 0))
    trouble = get_pvm3.network_trouble("apt-get update failed", "E: The repository is not signed.\n")
    assert "is full" in trouble.remedy[0]


def test_where_apt_has_none_for_this_computer_no_mirror_is_recommended(vendor):
    vendor.pins.write_text(vendor.pins.read_text().replace(f" {ARCH} ", " hurd-i386 "))
    vendor.apt(get="#!/bin/sh\n", cache="#!/bin/sh\n")
    done = vendor.get()
    assert done.returncode == 1
    assert f"libpvm3 is known for hurd-i386; this computer is {ARCH}" in done.stderr
    assert "PVM_MIRROR" not in done.stderr and "set PVM_ROOT" in done.stderr


@pytest.mark.parametrize(("identity", "hint"), [("ID=ubuntu\n", True), ('ID=mint\nID_LIKE="ubuntu debian"\n', True),
                                                 ("ID=debian\n", False), ('ID="fedora"\n', False)])  # fmt: skip
def test_only_ubuntu_is_told_of_universe(tmp_path, monkeypatch, identity, hint):
    (tmp_path / "os-release").write_text(identity)
    monkeypatch.setattr(get_pvm3, "Path", lambda name: tmp_path / Path(name).name)
    assert get_pvm3.on_ubuntu() is hint


def test_debians_mirror_is_the_one_of_the_system_and_not_the_one_of_security(vendor, monkeypatch):
    rows = (
        "a.invalid/security-debian main",
        "b.invalid/tools main",
        "c.invalid/debian/ main",
        "d.invalid/debian extra",
    )
    vendor.apt(get="#!/bin/sh\n" + "".join(f"echo http://{row}\n" for row in rows))
    monkeypatch.setenv("PATH", vendor.env["PATH"])
    assert get_pvm3.mirrors() == ["http://c.invalid/debian", "http://b.invalid/tools"]


# --------------------------------------------------------------------------- PVM_MIRROR


def test_a_folder_of_packages_is_brought_once(from_folder):
    assert from_folder.get().returncode == 0
    assert (from_folder.tree / "usr/share/doc/pvm-dev/copyright").read_text() == "pvm-dev"
    again = from_folder.get()
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")


@pytest.fixture
def without_apt(vendor):
    """Nothing in the path but what other systems have as well."""
    shutil.rmtree(vendor.bin)
    vendor.bin.mkdir()
    for name in ("sh", "dirname", "ldd"):
        (vendor.bin / name).symlink_to(shutil.which(name))
    vendor.env["PATH"] = str(vendor.bin)
    return vendor


def test_a_folder_of_packages_needs_no_apt_and_no_dpkg(without_apt):
    done = without_apt.get()
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "there is no apt here" in done.stdout and "PVM_MIRROR=/a/folder" in done.stderr
    without_apt.env["PVM_MIRROR"] = str(without_apt.mirror)
    assert without_apt.get().returncode == 0
    assert from_one_tree(without_apt)


def test_a_mirror_is_asked_where_mirrors_have_it(vendor):
    pool = vendor.mirror / get_pvm3.POOL
    pool.mkdir(parents=True)
    for name in NAMES:
        vendor.package(name).rename(pool / vendor.package(name).name)

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *ignored):
            pass

        def translate_path(self, path):
            return str(vendor.mirror / path.lstrip("/").removeprefix("debian/"))

    server = ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        vendor.env.update(PVM_MIRROR=f"http://127.0.0.1:{server.server_port}/debian/", no_proxy="127.0.0.1")
        done = vendor.get()
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert done.returncode == 0, done.stderr
    assert from_one_tree(vendor)


def from_one_tree(vendor: Vendor) -> bool:
    return sorted(path.name for path in (vendor.tree / "usr/share/doc").iterdir()) == sorted(NAMES)


def test_a_damaged_package_is_refused_with_both_sums(from_folder):
    with open(from_folder.package("pvm"), "ab") as package:
        package.write(b"x")
    done = from_folder.get()
    assert done.returncode == 1
    assert f"the checksum of pvm_3.4.6-5_{ARCH}.deb is not the one" in done.stderr
    assert not from_folder.tree.exists()


@pytest.mark.parametrize(
    ("mirror", "words"),
    [
        ("http://127.0.0.1:9/debian", "PVM_MIRROR cannot be reached"),
        ("/no/such/folder", "PVM_MIRROR=/no/such/folder is no folder here"),
        ("mirror.invalid/debian", "An address begins with http://"),
        ("/", f"has no libpvm3_3.4.6-5_{ARCH}.deb"),
        ("what://is/this", "PVM_MIRROR cannot be reached"),
    ],
)
def test_a_mirror_that_is_none_is_named(vendor, mirror, words):
    vendor.env.update(PVM_MIRROR=mirror, no_proxy="127.0.0.1")
    done = vendor.get()
    assert done.returncode == 1
    assert words in done.stderr and "Traceback" not in done.stderr


def test_a_proxy_that_does_not_answer_is_named_without_its_password(vendor):
    vendor.env.update(PVM_MIRROR="http://mirror.invalid/debian", http_proxy="http://me:secret@127.0.0.1:9", no_proxy="")
    done = vendor.get()
    assert done.returncode == 1
    assert "through the proxy 127.0.0.1:9" in done.stderr and "secret" not in done.stderr


def test_a_computer_of_another_kind_is_told_what_there_is(from_folder):
    from_folder.pins.write_text(from_folder.pins.read_text().replace(f" {ARCH} ", " hurd-i386 "))
    done = from_folder.get()
    assert done.returncode == 1
    assert f"libpvm3 is known for hurd-i386; this computer is {ARCH}" in done.stderr
    assert "set PVM_ROOT" in done.stderr


# ------------------------------------------------------------------------------- the tree


def test_what_is_in_the_cache_needs_nothing_else(from_folder):
    assert from_folder.get().returncode == 0
    del from_folder.env["PVM_MIRROR"]
    assert from_folder.get("--force").returncode == 0
    assert from_one_tree(from_folder)


def test_a_new_pin_brings_the_tree_again(from_folder):
    from_folder.get()
    (from_folder.tree / "usr/bin/pvmd").unlink()
    with open(from_folder.pins, "a") as pins:
        pins.write("# changed\n")
    assert from_folder.get().returncode == 0
    assert (from_folder.tree / "usr/bin/pvmd").exists()


def test_several_at_once_do_it_once(from_folder):
    processes = [from_folder.start() for _ in range(5)]
    results = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0] * 5, results
    assert sum("in " + str(from_folder.tree) in out for out, _ in results) == 1
    assert from_one_tree(from_folder)


def test_what_a_killed_one_has_left_is_removed(from_folder):
    left = from_folder.folder / "cache" / ".new-killed"
    (left / "tree").mkdir(parents=True)
    assert from_folder.get().returncode == 0
    assert not left.exists()
    assert sorted(path.name for path in (from_folder.folder / "cache").iterdir() if path.suffix != ".deb") == [".lock"]


def test_a_folder_that_cannot_be_written_to_is_named(from_folder):
    (from_folder.folder / "cache").write_text("a file is in the way")
    done = from_folder.get()
    assert done.returncode == 1
    assert f"{from_folder.folder}/cache" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize(("number", "words"), [(28, "the disk is full"), (13, "cannot be written to"),
                                                (30, "cannot be written to"), (5, "Input/output error")])  # fmt: skip
def test_file_errors_are_told_in_a_sentence(number, words):
    told = get_pvm3.explain(OSError(number, os.strerror(number), "/from", None, "/to"))
    assert words in told[0] and "/to" in told[0]


def test_all_compressions_are_read(tmp_path):
    for compression in ("xz", "gz", "bz2"):
        deb(tmp_path / "a.deb", {"usr/x": compression}, compression)
        get_pvm3.unpack(tmp_path / "a.deb", tmp_path)
        assert (tmp_path / "usr/x").read_text() == compression


def test_what_is_no_package_is_said_so(tmp_path):
    (tmp_path / "a.deb").write_text("<html>log in first</html>")
    with pytest.raises(get_pvm3.Trouble, match="is no Debian package"):
        get_pvm3.unpack(tmp_path / "a.deb", tmp_path)


def test_the_real_pins_have_all_packages_for_the_usual_computers():
    pins = get_pvm3.Pins(VENDOR / "pvm3.versions")
    for arch in ("amd64", "arm64"):
        assert all(pins.known(name, arch) for name in (*NAMES, "pvm-examples"))


def test_an_unknown_option_gets_the_help(vendor):
    done = vendor.get("--what")
    assert done.returncode == 2
    assert done.stdout.startswith("Bring PVM into vendor/pvm3")


def test_without_python_it_says_what_is_missing(vendor):
    vendor.env["PYTHON"] = "/no/python"
    done = vendor.get()
    assert done.returncode == 1
    assert "there is no /no/python" in done.stderr
