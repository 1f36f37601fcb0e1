"""The import lines of the project point one way; see docs/development.md."""

from __future__ import annotations

import ast
import importlib.util
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# From the heart outwards; a room imports itself and what stands before it.  Rooms with the
# same number know nothing of each other.
ROOMS = {
    "errors": 0, "files": 0,
    "machine": 1, "report": 1, "restart": 1,
    "messages": 2,
    "jobs": 3,
    "face": 4,
    "rmsd": 5, "top": 5,
    "cli": 6, "slave_scripts": 6,
    "compat": 7,
}  # fmt: skip
MAY_CALL_PVM = {"machine", "compat", "top"}
ALL_BUT_PURE_MAY = {"pvm_ext.errors"}
# The package's front tells whether libpvm could be loaded; these commands tell where it is.
MAY_ASK_PVM = {"biskit_pvm", "biskit_pvm.cli.config", "biskit_pvm.cli.console", "biskit_pvm.cli.versions"}

# Rooms in which no file needs, however far round, one that needs it; imports in functions count.
NO_CIRCLES = sorted(ROOMS.keys() - {"cli"})

# The modules that decide and touch nothing: no input or output, thread or clock.
PURE = {
    "biskit_pvm.errors",
    "biskit_pvm.cli.table",
    "biskit_pvm.jobs.events", "biskit_pvm.jobs.bulletin", "biskit_pvm.jobs.items", "biskit_pvm.jobs.lost_hosts",
    "biskit_pvm.jobs.master_state", "biskit_pvm.jobs.rules", "biskit_pvm.jobs.slave_state",
    "biskit_pvm.machine.inventory", "biskit_pvm.machine.old_tasks", "biskit_pvm.machine.start_request",
    "biskit_pvm.machine.tags",
    "biskit_pvm.messages.spread", "biskit_pvm.messages.wire",
    "biskit_pvm.report.history", "biskit_pvm.report.page", "biskit_pvm.report.progress",
    "biskit_pvm.report.timeline",
    "biskit_pvm.restart.format",
    "biskit_pvm.top.view",
}  # fmt: skip

# What pure modules must not touch: the world, other threads, the clock.
WORLD = {
    "_thread", "asyncio", "concurrent", "ctypes", "fcntl", "glob", "mmap", "multiprocessing",
    "os", "pathlib", "select", "selectors", "shutil", "signal", "socket", "subprocess",
    "sys", "tempfile", "termios", "threading", "time",
}  # fmt: skip
WORLDLY_CALLS = {"breakpoint", "exec", "eval", "input", "open", "print"}


def modules() -> Iterator[tuple[str, Path]]:
    """Give name and file of every module of biskit_pvm, the old top-level names apart."""
    for path in sorted((ROOT / "biskit_pvm").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts[:3] != ("biskit_pvm", "compat", "toplevel"):
            yield ".".join(part for part in parts if part != "__init__"), path
    for path in sorted((ROOT / "slave_scripts").rglob("*.py")):
        yield f"biskit_pvm.slave_scripts.{path.stem}", path


def room(module: str) -> str:
    """Return the room that a module of biskit_pvm belongs to."""
    part = (module.split(".") + [""])[1]
    return part if part in ROOMS else "cli" if part == "__main__" else "face"


def imported(name: str, path: Path) -> set[str]:
    """Return the full names that a module imports anywhere, but for types alone."""
    tree = ast.parse(path.read_text(), str(path))
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    found = set()
    for node in walk_without_types(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = importlib.util.resolve_name("." * node.level + base, package)
            found |= {f"{base}.{alias.name}" if is_module(f"{base}.{alias.name}") else base for alias in node.names}
    return found


def walk_without_types(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            continue
        yield from walk_without_types(child)


def is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").exists()


ALL = [pytest.param(name, path, id=name) for name, path in modules()]
PURE_ONES = [param for param in ALL if param.values[0] in PURE]


def test_there_is_something_to_look_at():
    assert len(PURE_ONES) == len(PURE) and len(ALL) > len(PURE)


@pytest.mark.parametrize(("name", "path"), ALL)
def test_imports_point_inwards(name, path):
    mine = room(name)
    wrong = []
    for other in imported(name, path):
        if other.split(".")[0] != "biskit_pvm" or other == name:
            continue
        theirs = room(other)
        if ROOMS[theirs] > ROOMS[mine] or (ROOMS[theirs] == ROOMS[mine] and theirs != mine):
            wrong.append(f"{name} ({mine}) imports {other} ({theirs})")
    assert wrong == []


@pytest.mark.parametrize(("name", "path"), ALL)
def test_few_rooms_call_pvm(name, path):
    mine = room(name)
    pvm = {other for other in imported(name, path) if other.split(".")[0] == "pvm_ext"}
    if name in MAY_ASK_PVM:
        assert pvm <= {"pvm_ext", "pvm_ext.installation", *ALL_BUT_PURE_MAY}
    elif mine not in MAY_CALL_PVM:
        assert pvm <= (set() if name in PURE else ALL_BUT_PURE_MAY)


@pytest.mark.parametrize(("name", "path"), ALL)
def test_nothing_imports_by_the_old_names(name, path):
    if room(name) != "compat":
        old = {"pypvm", "pypvm_core", "Biskit"}
        assert not {other for other in imported(name, path) if other.split(".")[0] in old}


@pytest.mark.parametrize(("name", "path"), PURE_ONES)
def test_pure_modules_import_the_standard_library_only(name, path):
    folders = [Path(sysconfig.get_path(key)) for key in ("stdlib", "platstdlib")]
    for other in imported(name, path):
        top = other.split(".")[0]
        if top == "biskit_pvm":
            continue
        spec = importlib.util.find_spec(top)
        assert spec is not None and spec.origin is not None, other
        standard = spec.origin in ("built-in", "frozen") or (
            any(folder in Path(spec.origin).parents for folder in folders) and "site-packages" not in spec.origin
        )
        assert standard, f"{name} imports {other}"


@pytest.mark.parametrize(("name", "path"), PURE_ONES)
def test_pure_modules_do_not_touch_the_world(name, path):
    assert not {other for other in imported(name, path) if other.split(".")[0] in WORLD}
    calls = {
        node.func.id
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert not calls & WORLDLY_CALLS


@pytest.mark.parametrize("path", sorted((ROOT / "pvm_ext").glob("*.py")), ids=lambda path: path.stem)
def test_the_binding_knows_nothing_of_jobs(path):
    name = "pvm_ext" if path.stem == "__init__" else f"pvm_ext.{path.stem}"
    assert not {other for other in imported(name, path) if other.split(".")[0] == "biskit_pvm"}


def circles(imports: dict[str, set[str]]) -> set[frozenset[str]]:
    """Return the groups of modules each of which leads to all others of its group."""
    reached = {name: set(others) for name, others in imports.items()}
    for middle in imports:
        for name in imports:
            if middle in reached[name]:
                reached[name] |= reached[middle]
    groups = {frozenset(other for other in reached[name] if name in reached.get(other, ())) for name in imports}
    return {group for group in groups if group}


def test_circles_are_found():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"d"}, "d": {"b"}, "e": {"a"}}) == {frozenset("bcd")}


@pytest.mark.parametrize("place", NO_CIRCLES)
def test_no_circle_between_the_files_of_a_room(place):
    files = {name: path for name, path in modules() if room(name) == place}
    imports = {name: imported(name, path) & files.keys() - {name} for name, path in files.items()}
    assert circles(imports) == set()


def test_who_is_asked_by_all_parts_of_python2_asks_nobody():
    path = ROOT / "biskit_pvm" / "compat" / "python2" / "registry.py"
    names = imported("biskit_pvm.compat.python2.registry", path)
    assert not [name for name in names if name.startswith("biskit_pvm")]


def test_no_module_differs_from_another_in_case_alone():
    seen: dict[str, str] = {}
    for name, _ in modules():
        assert seen.setdefault(name.lower(), name) == name
