"""Bring PVM into vendor/pvm3, without root and without installing anything.

The packages libpvm3, pvm and pvm-dev are downloaded and unpacked.  They come from the first of these that has them:

1. vendor/cache, where earlier downloads are;
2. PVM_MIRROR, if it is set: the address of a Debian mirror, or a folder with the packages;
3. what apt offers here;
4. Debian 12, by apt, from the mirror that this Debian uses.

Nothing of the system is changed, and where there is a complete vendor/pvm3 nothing is done.

    vendor/get_pvm3             bring what vendor/pvm3.versions asks for
    vendor/get_pvm3 --force     unpack again, from vendor/cache where the packages are there
    vendor/get_pvm3 --examples  bring the C programs of the package pvm-examples into
                                vendor/pvm3-examples; only the tests want them
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import io
import lzma
import os
import platform
import re
import shlex
import shutil
import signal
import struct
import subprocess
import sys
import tarfile
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
CACHE = HERE / "cache"
MARK = ".pins"
"""The file, written last, that tells for which pins a tree is complete."""

POOL = "pool/main/p/pvm"
"""Where Debian mirrors keep PVM's packages."""

SUITE = "bookworm"
"""The last release of Debian that has PVM."""

KEYRINGS = [Path(f"/usr/share/keyrings/debian-archive-keyring.{end}") for end in ("pgp", "gpg")]
PATIENCE = 60
"""Seconds without a word from a mirror after which it counts as unreachable."""

OWN_PVM = "Or build PVM 3.4.6 (library, headers, daemon) yourself and set PVM_ROOT to it."


class Trouble(Exception):
    """What ends the whole run: a sentence, and lines that tell what to do."""

    def __init__(self, text: str, *remedy: str) -> None:
        super().__init__(text)
        self.remedy = remedy


class NotFromHereError(Trouble):
    """One of the ways leads nowhere; the next one is tried."""


class Package(NamedTuple):
    """A package as the pin file has it."""

    name: str
    revision: str
    architecture: str
    sha256: str

    @property
    def file(self) -> str:
        return f"{self.name}_{self.revision}_{self.architecture}.deb"


class Brought(NamedTuple):
    """A package file, and who vouches for it."""

    path: Path
    vouched: str


class Pins:
    """The pin file: the upstream release that is wanted, and the packages whose checksums are known."""

    def __init__(self, path: Path) -> None:
        self.path = path
        data = path.read_bytes()
        self.mark = hashlib.sha256(data).hexdigest()
        self.upstream = ""
        self.packages: list[Package] = []
        for line in data.decode().splitlines():
            kind, *words = line.split("#")[0].split() or [""]
            if kind == "upstream":
                (self.upstream,) = words
            elif kind == "package":
                self.packages.append(Package(*words))

    def sum_of(self, file: str) -> str | None:
        """Return the checksum that is known for a file name."""
        return next((package.sha256 for package in self.packages if package.file == file), None)

    def known(self, name: str, architecture: str) -> Package | None:
        """Return the pinned package of a name for an architecture."""
        wanted = (name, architecture)
        return next((package for package in self.packages if (package.name, package.architecture) == wanted), None)


def say(text: str) -> None:
    print(f"get_pvm3: {text}", flush=True)


def main(argv: Sequence[str]) -> int:
    """Do what the options ask for; return the exit code."""
    if list(argv) not in ([], ["--force"], ["--examples"]):
        print(__doc__.strip() if __doc__ else "")
        return 0 if list(argv) in (["-h"], ["--help"]) else 2
    signal.signal(signal.SIGTERM, lambda *ignored: sys.exit(143))
    try:
        tree, names = HERE / "pvm3", ["libpvm3", "pvm", "pvm-dev"]
        if "--examples" in argv:
            tree, names = HERE / "pvm3-examples", ["pvm-examples"]
        bring(tree, names, force="--force" in argv)
    except Trouble as trouble:
        print(f"get_pvm3: {trouble}", *(f"  {line}" for line in trouble.remedy), sep="\n", file=sys.stderr)
        return 1
    except OSError as error:
        text, *remedy = explain(error)
        print(f"get_pvm3: {text}", *(f"  {line}" for line in remedy), sep="\n", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def explain(error: OSError) -> list[str]:
    """Say what a file operation that failed means, and what to do."""
    place = error.filename2 or error.filename or HERE
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return [f"the disk is full, or your share of it: {place}", f"Some 20 MB are needed; see: df -h '{HERE}'"]
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return [f"{place} cannot be written to ({error.strerror}).", "Use a clone of your own, in a folder of yours."]
    return [f"{error.strerror or error}: {place}"]


def bring(tree: Path, names: Sequence[str], force: bool) -> None:
    """Make `tree` complete."""
    pins = Pins(HERE / "pvm3.versions")
    if not force and complete(tree, pins):
        return
    with locked(CACHE):
        if not force and complete(tree, pins):  # by another get_pvm3, meanwhile
            return
        for left in CACHE.glob(".new-*"):  # by one that was killed
            shutil.rmtree(left, ignore_errors=True)
        with scratch(CACHE) as new:
            brought = packages(pins, names, new)
            root = new / "tree"
            root.mkdir()
            for package in brought:
                unpack(package.path, root)
            check_libraries(root)
            lines = [f"{package.path.stem.replace('_', ' ')} {package.vouched}\n" for package in brought]
            (root / "packages.txt").write_text("".join(lines))
            (root / MARK).write_text(pins.mark)
            if tree.exists():
                tree.rename(new / "old")
            root.rename(tree)
    say(f"{' '.join(names)} {pins.upstream}: in {tree}")


def complete(tree: Path, pins: Pins) -> bool:
    """Tell whether a tree has all that these pins ask for."""
    try:
        return (tree / MARK).read_text() == pins.mark
    except OSError:
        return False


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Let one process at a time work in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / ".lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another get_pvm3 works here; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def scratch(folder: Path | None = None) -> Iterator[Path]:
    """Give a folder that is gone afterwards."""
    path = Path(tempfile.mkdtemp(prefix=".new-", dir=folder))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


# ------------------------------------------------------------------------------------ the ways


def packages(pins: Pins, names: Sequence[str], new: Path) -> list[Brought]:
    """Return the files of all packages, from wherever they are to be had; `new` is for the downloads."""
    arch = architecture()
    found = {name: in_cache(pins, name, arch) for name in names}
    missing = [name for name, file in found.items() if file is None]
    if missing:
        for file in download(pins, missing, arch, new):
            name = file.path.name.split("_")[0]
            kept = CACHE / file.path.name
            os.replace(file.path, kept)
            found[name] = file._replace(path=kept)
    return [file for file in found.values() if file is not None]


def in_cache(pins: Pins, name: str, arch: str) -> Brought | None:
    """Return the package in the cache, if exactly the pinned one is there."""
    package = pins.known(name, arch)
    if package is None or checksum(CACHE / package.file) != package.sha256:
        return None
    return Brought(CACHE / package.file, "pinned")


def download(pins: Pins, names: Sequence[str], arch: str, new: Path) -> list[Brought]:
    """Download packages by the first way that leads to them."""
    mirror = os.environ.get("PVM_MIRROR")
    if mirror:
        say(f"taking {' '.join(names)} from PVM_MIRROR={mirror}")
        return from_mirror(mirror, pins, names, arch, new)
    problems: list[NotFromHereError] = []
    for way in (from_apt, from_debian):
        try:
            return way(pins, names, new)
        except NotFromHereError as problem:
            say(str(problem))
            problems.append(problem)
    program = shlex.quote(str(HERE / "get_pvm3"))
    remedies = list(dict.fromkeys(line for problem in problems for line in problem.remedy))
    wanted = [package.file for package in pins.packages if package.name in names and package.architecture == arch]
    if wanted:
        remedies += [
            "Where you can reach a Debian mirror, or have the packages in a folder:",
            f"    PVM_MIRROR=http://MIRROR/debian {program}",
            f"    PVM_MIRROR=/a/folder {program}",
            f"with {', '.join(wanted)}.",
        ]
    else:
        remedies.append(kinds(pins, names[0], arch))
    raise Trouble(f"PVM {pins.upstream} could not be brought (the reasons are above).", *remedies, OWN_PVM)


def kinds(pins: Pins, name: str, arch: str) -> str:
    """Say for which computers a package is pinned, and that this one is of another kind."""
    known = sorted({package.architecture for package in pins.packages if package.name == name})
    return f"{name} is known for {', '.join(known)}; this computer is {arch}."


def from_mirror(mirror: str, pins: Pins, names: Sequence[str], arch: str, new: Path) -> list[Brought]:
    """Take the pinned packages from a Debian mirror, or from a folder."""
    brought = []
    for name in names:
        package = pins.known(name, arch)
        if package is None:
            raise Trouble(kinds(pins, name, arch), OWN_PVM)
        path = new / package.file
        if "://" in mirror:
            fetch(mirror, package.file, path)
        else:
            copy(Path(mirror), package.file, path)
        found = checksum(path)
        if found != package.sha256:
            raise Trouble(
                f"the checksum of {package.file} is not the one in {pins.path}.",
                f"It is {found}, and not {package.sha256}: PVM_MIRROR has another file, or a damaged one.",
            )
        brought.append(Brought(path, "pinned"))
    return brought


def fetch(mirror: str, file: str, path: Path) -> None:
    """Download a file of a mirror, from the pool or from the address itself."""
    for place in (f"{mirror.rstrip('/')}/{POOL}/{file}", f"{mirror.rstrip('/')}/{file}"):
        try:
            with urllib.request.urlopen(place, timeout=PATIENCE) as answer, open(path, "wb") as target:
                shutil.copyfileobj(answer, target)
                return
        except urllib.error.HTTPError as error:
            if error.code != 404:
                raise Trouble(f"{place}: the mirror, or a proxy, answers: {error.code} {error.reason}") from error
        except (urllib.error.URLError, TimeoutError, ConnectionError, ValueError) as error:
            if isinstance(error, urllib.error.URLError) and isinstance(error.reason, FileNotFoundError):
                continue  # an address file://...
            proxy = urllib.request.getproxies().get(urllib.parse.urlsplit(place).scheme)
            remedy = "Is there a network, and does it need a proxy (http_proxy, https_proxy)? Or name another mirror."
            if proxy and not urllib.request.proxy_bypass(urllib.parse.urlsplit(place).netloc):
                remedy = f"It is asked for through the proxy {at(proxy)}; see http_proxy and https_proxy."
            raise Trouble(f"PVM_MIRROR cannot be reached: {getattr(error, 'reason', error)}.", remedy) from error
    raise Trouble(
        f"PVM_MIRROR={mirror} has no {file}, nor {POOL}/{file}.",
        f"Name a mirror that has Debian 12 ({SUITE}), up to and without /dists and /pool.",
    )


def copy(folder: Path, file: str, path: Path) -> None:
    """Copy a file out of a folder, or of a mirror in a folder."""
    for place in (folder / file, folder / POOL / file):
        if place.is_file():
            shutil.copyfile(place, path)
            return
    if not folder.is_dir():
        raise Trouble(
            f"PVM_MIRROR={folder} is no folder here.",
            "An address begins with http:// or the like; a folder is best named by its whole path.",
        )
    raise Trouble(f"the folder PVM_MIRROR={folder} has no {file}.")


def from_apt(pins: Pins, names: Sequence[str], new: Path) -> list[Brought]:
    """Take what apt offers on this system."""
    if shutil.which("apt-get") is None or shutil.which("dpkg") is None:
        raise NotFromHereError("there is no apt here")
    with scratch() as folder:
        say(f"asking apt for {' '.join(names)}")
        apt = Apt(folder)
        words = apt.update()
        remedy: tuple[str, ...] = ()
        if on_ubuntu():
            remedy = ("On Ubuntu PVM is in the component universe: sudo add-apt-repository universe",)
        try:
            return apt.download(pins, names, new)
        except NotFromHereError as problem:
            if words:
                raise network_trouble("apt-get update failed", words) from None
            raise NotFromHereError(str(problem), *problem.remedy, *remedy) from None


def from_debian(pins: Pins, names: Sequence[str], new: Path) -> list[Brought]:
    """Take what Debian 12 has, by apt, from the mirror that this Debian uses."""
    if shutil.which("apt-get") is None or shutil.which("dpkg") is None:
        raise NotFromHereError("so there is none to fetch Debian 12's packages either")
    keyring = next((path for path in KEYRINGS if path.exists()), None)
    if on_ubuntu() or keyring is None:
        raise NotFromHereError("this is no Debian, so its mirror has no Debian 12")
    problem = NotFromHereError("apt names no mirror here")
    for mirror in mirrors()[:3]:
        say(f"asking {mirror} for {' '.join(names)} of Debian 12")
        with scratch() as folder:
            apt = Apt(folder, f"deb [signed-by={keyring}] {mirror} {SUITE} main\n")
            words = apt.update()
            try:
                if words:
                    raise network_trouble(f"{mirror} did not give the lists of Debian 12", words)
                return apt.download(pins, names, new)
            except NotFromHereError as error:
                problem = error
    raise problem


def mirrors() -> list[str]:
    """Return the Debian mirrors that apt is told of, likely ones first."""
    form = "$(REPO_URI) $(COMPONENT)"
    command = ["apt-get", "indextargets", "--no-release-info", "--format", form, "Identifier: Packages"]
    rows = subprocess.run(command, capture_output=True, text=True).stdout.split("\n")
    found = dict.fromkeys(uri.rstrip("/") for uri, _, component in (row.partition(" ") for row in rows) if uri
                          if component == "main" and "security" not in uri)  # fmt: skip
    return sorted(found, key=lambda uri: "debian" not in uri)


class Apt:
    """An apt with state and cache folders of its own, so that any user may run it.

    Parameters
    ----------
    folder : Path
        An empty folder.
    sources : str, optional
        A sources list of its own, in place of the system's.
    """

    def __init__(self, folder: Path, sources: str | None = None) -> None:
        for name in ("state/lists/partial", "cache/archives/partial", "parts", "files"):
            (folder / name).mkdir(parents=True)
        (folder / "status").touch()
        self.files = folder / "files"
        settings = {
            "Dir::State": folder / "state",
            "Dir::Cache": folder / "cache",
            "Dir::State::status": folder / "status",
            "Dir::Log": folder,
            # A root apt-get would otherwise hand the download to a user who cannot see our folders.
            "APT::Sandbox::User": subprocess.run(["id", "-un"], capture_output=True, text=True).stdout.strip(),
            "APT::Update::Error-Mode": "any",  # else a dead proxy is a warning, and then no package is known
            "Acquire::Languages": "none",
            "Acquire::Retries": 3,
        }
        if sources is not None:
            (folder / "sources.list").write_text(sources)
            settings["Dir::Etc::SourceList"] = folder / "sources.list"
            settings["Dir::Etc::SourceParts"] = folder / "parts"
        self.options = ["-q", *(word for name, value in settings.items() for word in ("-o", f"{name}={value}"))]

    def run(self, tool: str, *words: str) -> tuple[bool, str]:
        """Run one of apt's tools; return whether it succeeded, and its words."""
        environment = {**os.environ, "LC_ALL": "C"}
        done = subprocess.run([tool, *self.options, *words], cwd=self.files, env=environment, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # fmt: skip
        return done.returncode == 0, done.stdout

    def update(self) -> str:
        """Fetch the lists; return apt's words when that failed, if only in part."""
        well, words = self.run("apt-get", "update")
        return "" if well else words

    def offered(self, name: str) -> list[str]:
        """Return all versions of a package that are to be had."""
        words = self.run("apt-cache", "show", name)[1].splitlines()
        return [line.split()[1] for line in words if line.startswith("Version: ")]

    def download(self, pins: Pins, names: Sequence[str], new: Path) -> list[Brought]:
        """Download packages of the wanted release into `new`."""
        brought = []
        for name in names:
            offered = self.offered(name)
            version = next((text for text in offered if text.split(":")[-1].startswith(f"{pins.upstream}-")), None)
            if version is None:
                if not offered:
                    raise NotFromHereError(f"apt knows no package {name} here")
                have = " ".join(offered)
                raise NotFromHereError(f"apt offers {name} {have}, but this project is made for PVM {pins.upstream}")
            well, words = self.run("apt-get", "download", f"{name}={version}")
            if not well:
                raise network_trouble(f"apt could not download {name} {version}", words)
            (file,) = self.files.glob(f"{name}_*.deb")
            wanted = pins.sum_of(file.name)
            if wanted is not None and checksum(file) != wanted:
                raise Trouble(
                    f"the checksum of {file.name} is not the one in {pins.path}.",
                    f"It is {checksum(file)}, and not {wanted}: the mirror, or a proxy, gave another file.",
                )
            if wanted is None:
                say(f"{file.name} is not in {pins.path.name}; apt's signed index vouches for it")
            shutil.copyfile(file, new / file.name)
            brought.append(Brought(new / file.name, "signed" if wanted is None else "pinned"))
        return brought


def network_trouble(what: str, words: str) -> NotFromHereError:
    """Make an error of what apt says when it failed."""
    lines = [line.strip() for line in words.splitlines() if not line.startswith("E: Some index files failed")]
    told = [line for line in lines if line.startswith(("E:", "W:"))] or lines
    text = "; ".join(told[-2:])
    proxy = next((proxy for proxy in proxies() if proxy.rpartition(":")[0] in words), None)
    if "No space left" in words or "enough free space" in words or disk_is_full():
        remedy = f"The disk of {tempfile.gettempdir()} is full; name another folder: TMPDIR=/a/folder"
    elif proxy is not None:  # of which apt itself says no more than where it could not connect to
        remedy = f"apt is told to use the proxy {proxy}; see http_proxy, and: apt-config dump | grep -i proxy"
    elif "roxy" in words:
        remedy = "apt is told to use a proxy; see: apt-config dump | grep -i proxy"
    elif any(sign in words for sign in ("resolv", "connect", "unreachable", "timed out", "Connection failed")):
        remedy = "The mirror cannot be reached. Is there a network, and does it need a proxy? Try: apt-get update"
    else:
        remedy = "Look at the sources of apt; try: apt-get update"
    return NotFromHereError(f"{what}: {text}", remedy)


def disk_is_full() -> bool:
    """Tell whether there is no room for temporary files, of which apt does not always speak."""
    return shutil.disk_usage(tempfile.gettempdir()).free < 1_000_000


def proxies() -> list[str]:
    """Return the proxies, as host and port, that the environment and apt's settings name."""
    named = list(urllib.request.getproxies().values())
    if shutil.which("apt-config") is not None:
        dump = subprocess.run(["apt-config", "dump"], capture_output=True, text=True).stdout
        named += re.findall(r'::Proxy(?:::[^ ]*)? "([^"]+)"', dump)
    return [at(proxy) for proxy in named if "://" in proxy]


def at(address: str) -> str:
    """Return host and port of an address, without the password that may be in it."""
    return urllib.parse.urlsplit(address).netloc.rpartition("@")[2]


def on_ubuntu() -> bool:
    """Tell whether this system is Ubuntu, or made of it."""
    try:
        lines = Path("/etc/os-release").read_text().splitlines()
    except OSError:
        return False
    words = [line.partition("=")[2].strip("\"'") for line in lines if line.startswith(("ID=", "ID_LIKE="))]
    return "ubuntu" in " ".join(words).split()


# ---------------------------------------------------------------------------- this computer


def architecture() -> str:
    """Return Debian's name for this kind of computer."""
    if shutil.which("dpkg") is not None:
        return subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True).stdout.strip()
    machine = platform.machine()
    if struct.calcsize("P") == 4:  # also programs of 32 bits on a kernel of 64
        return "armhf" if machine.startswith(("arm", "aarch")) else "i386"
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)


def check_libraries(tree: Path) -> None:
    """Make sure that the PVM of a tree finds the libraries that it needs from this system."""
    for library in tree.glob("usr/lib/*/libpvm3.so.3"):
        if shutil.which("ldd") is None:
            continue
        done = subprocess.run(["ldd", str(library)], capture_output=True, text=True)
        words = done.stdout + done.stderr
        if "musl" in words or "GLIBC_" in words:
            raise Trouble("Debian's PVM needs glibc 2.34 or later, which this system has not.", OWN_PVM)
        lacking = [line.split()[0] for line in words.splitlines() if "not found" in line]
        if lacking:
            raise Trouble(
                f"PVM needs {', '.join(lacking)}, which this system has not.",
                "On Debian and Ubuntu: apt-get install libtirpc3 (libtirpc3t64 from Debian 13, Ubuntu 24.04 on)",
                "On Fedora: dnf install libtirpc",
                "The packages are kept, so that this goes on where it was.",
            )


# ------------------------------------------------------------------------------------- files


def checksum(path: Path) -> str | None:
    """Return the sha256 of a file, None when there is none."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError:
        return None


def members(path: Path) -> Iterator[tuple[str, bytes]]:
    """Give name and content of the files in an archive of ar, which a .deb is."""
    with open(path, "rb") as archive:
        if archive.read(8) != b"!<arch>\n":
            raise Trouble(f"{path} is no Debian package.")
        while head := archive.read(60):
            size = int(head[48:58])
            yield head[:16].decode().rstrip(" /"), archive.read(size)
            archive.read(size % 2)


def unpack(path: Path, target: Path) -> None:
    """Unpack the files of a package."""
    for name, data in members(path):
        if not name.startswith("data.tar"):
            continue
        if name.endswith(".zst"):  # Ubuntu's; Python reads it from 3.14 on
            command = ["dpkg-deb", "--fsys-tarfile", str(path)]
            data = subprocess.run(command, check=True, capture_output=True).stdout
        try:
            with tarfile.open(fileobj=io.BytesIO(data)) as archive:
                if hasattr(tarfile, "data_filter"):
                    archive.extractall(target, filter="data")
                else:
                    archive.extractall(target)
        except (tarfile.TarError, lzma.LZMAError, EOFError) as error:
            raise Trouble(f"{path} is damaged ({error}).", "Remove it and try again.") from error
        return
    raise Trouble(f"{path} has no files in it.")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
