"""The binding against the headers: every function, constant and error, documented and typed."""

from __future__ import annotations

import ast
import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import pvm_ext as p
from pvm_ext import _pvm, installation

ROOT = Path(__file__).resolve().parents[2]

# what the library of this PVM lacks
NOT_THERE = {"pvm_getmwid", "pvm_setmwid", "pvmtmpnam"}


@pytest.fixture(scope="module")
def headers():
    """Give the text of pvm3.h and pvmtev.h that the binding was built with."""
    found = installation.for_building(ROOT / "vendor" / "pvm3", tell=lambda line: None)
    return {name: (found.include / name).read_text() for name in ("pvm3.h", "pvmtev.h")}


@pytest.fixture(scope="module")
def declared(headers):
    """Give the names of all functions that the headers declare."""
    text = "".join(headers.values())
    names = set(re.findall(r"(\w+)\s+__ProtoGlarp__\s*\(\(", text))
    assert len(names) > 110
    return names - NOT_THERE


def table():
    """Read the table of docs/binding.md: C name -> (Python name, test file)."""
    text = (ROOT / "docs" / "binding.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \| `([\w.]+)` \|$", text, re.M)
    assert len(rows) == len({row[0] for row in rows})
    return {c: (python, test) for c, python, test in rows}


def test_the_table_has_every_function_of_the_headers(declared):
    assert set(table()) == declared


def test_every_function_of_the_table_is_there_and_named_in_its_test():
    for c, (python, test) in table().items():
        assert callable(getattr(p, python)), c
        text = (ROOT / "tests" / "pvm" / test).read_text()
        packing = re.match(r"u?pk(?!str|mesg)", python) and '"upk" + name' in text
        assert packing or re.search(rf"\b{python}\b", text), f"{c}: {python} is not in {test}"


def constants_of(text):
    found = re.findall(r"^#define\s+(P[vV][mM]\w+)\s+(-?\d+)\b", text, re.M)
    return {name: int(value) for name, value in found}


def test_the_constants_are_the_headers(headers):
    header = constants_of(headers["pvm3.h"])
    ours = {}
    for prefix, enum in (
        ("PvmTask", p.Spawn), ("PvmMbox", p.Mbox), ("Pvm", p.Notify), ("Pvm", p.Option), ("PvmTrace", p.TraceOptions),
        ("PvmPoll", p.PollType), ("Pvm", p.Code), ("PVM_", p.DataType), ("PvmTask", p.TraceWho),
        ("PvmData", p.DataEncoding),
    ):  # fmt: skip
        for name, member in enum.__members__.items():
            plain = prefix + name.replace("_", "")
            ours[plain.lower()] = int(member)
    renamed = {
        "PvmMppFront": p.Spawn.FRONT, "PvmHostCompl": p.Spawn.HOST_COMPL, "PvmNoSpawnParent": p.Spawn.NO_SPAWN_PARENT,
        "PvmDontRoute": p.Route.DONT, "PvmAllowDirect": p.Route.ALLOW, "PvmRouteDirect": p.Route.DIRECT,
        "PvmNotifyCancel": p.Notify.CANCEL, "PvmBaseContext": p.BASE_CONTEXT,
        "PvmMboxDirectIndexShift": p.MBOX_DIRECT_INDEX_SHIFT, "PVM_MAJOR_VERSION": p.MAJOR_VERSION,
        "PVM_MINOR_VERSION": p.MINOR_VERSION, "PVM_PATCH_VERSION": p.PATCH_VERSION,
    }  # fmt: skip
    for name, value in header.items():
        if name in renamed:
            assert renamed[name] == value, name
        elif name != "PVMTMPNAMLEN":
            assert ours.get(name.lower(), "missing") == value, name
    for name, value in (
        ("PVMNORESETCLASS", p.NO_RESET_CLASS), ("PVMHOSTERCLASS", p.HOSTER_CLASS), ("PVMTASKERCLASS", p.TASKER_CLASS),
        ("PVMTRACERCLASS", p.TRACER_CLASS), ("PVMRMCLASS", p.RM_CLASS),
    ):  # fmt: skip
        assert re.search(rf'#define {name}\s+"{re.escape(value)}"', headers["pvm3.h"])
    assert f"TEV_MASK_LENGTH		{p.TRACE_MASK_LENGTH}" in headers["pvmtev.h"]


def test_every_error_code_has_a_class_with_libpvms_own_text():
    codes = {member for member in p.Code if member}
    assert set(p.ERRORS) == codes
    for code, error in p.ERRORS.items():
        # one of them goes on with where to read more
        assert p.strerror(code).partition(" (")[0] == error.text
        made = p.error_for(code, "call", "detail")
        assert type(made) is error and isinstance(made, p.PvmError)
        assert made == code and int(made) == code and hash(made) == hash(int(code)) and made.args == (code,)
        assert str(made) == f"{int(code)} {error.name}: {error.text} (call): detail"
        assert error == error.name and hash(error) == hash(error.name) and str(error) == error.name
        with pytest.raises(error):
            raise made
    assert type(p.error_for(-999)) is p.UnknownPvmError


def public():
    """Return what the compiled module gives, functions and classes."""
    names = (name for name in dir(_pvm) if not name.startswith("_"))
    things = {name: getattr(_pvm, name) for name in names}
    return {name: thing for name, thing in things.items() if getattr(thing, "__module__", "") == "pvm_ext._pvm"}


HELPERS = {"Beside", "Frames", "Partial", "Items", "Strings", "GroupGate"}  # of the parts among themselves


def test_every_function_is_documented():
    for name, thing in public().items():
        if name in HELPERS:
            continue
        text = inspect.getdoc(thing) or ""
        if not inspect.isclass(thing):
            text = re.sub(r"^.*\n?", "", text, count=1) if text.startswith(f"{name}(") else text
        first = text.strip().splitlines()[0]
        assert first[0].isupper() and first.endswith((".", ";", ",")) or len(first) > 20, f"{name}: {first!r}"


def typed(node: ast.FunctionDef):
    """Return the arguments of a stub: a list of (name, default), and the name that takes the rest."""
    arguments = [argument.arg for argument in node.args.args]
    defaults = [ast.literal_eval(default) for default in node.args.defaults]
    missing = [inspect.Parameter.empty] * (len(arguments) - len(defaults))
    return list(zip(arguments, missing + defaults)), node.args.vararg and node.args.vararg.arg


def built(function):
    """Return the same of a function of the module."""
    parameters = inspect.signature(function).parameters.values()
    rest = [each.name for each in parameters if each.kind is each.VAR_POSITIONAL]
    return [(each.name, each.default) for each in parameters if each.name not in rest], rest[0] if rest else None


def constructor(name):
    """Read the same of a class from the source, since Cython keeps no signature of constructors."""
    source = "".join(path.read_text() for path in sorted((ROOT / "pvm_ext" / "parts").glob("*.pxi")))
    body = re.search(rf"^cdef class {name}:\n((?:    .*\n|\n)+)", source, re.M)[1]
    arguments = re.search(r"def __cinit__\(([^)]*)\):", body)[1]
    plain = re.sub(r"\b(?:int|double|bint|str) (?=\w)", "", arguments)
    return typed(ast.parse(f"def __init__({plain}): ...").body[0])


def test_the_types_match_the_module():
    tree = ast.parse((ROOT / "pvm_ext" / "_pvm.pyi").read_text())
    # the last of an overloaded function takes all that the others do
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    classes = {
        node.name: {each.name: each for each in node.body if isinstance(each, ast.FunctionDef)}
        for node in tree.body
        if isinstance(node, ast.ClassDef) and not any(getattr(base, "id", "") == "Protocol" for base in node.bases)
    }
    for name, thing in public().items():
        if name in HELPERS:
            continue
        if not inspect.isclass(thing):
            node = functions.pop(name)
            assert typed(node) == built(thing), name
            assert node.returns is not None
            continue
        methods = classes.pop(name)
        there = {each for each in vars(thing) if not each.startswith("_")}
        assert there == {each for each in methods if not each.startswith("_")}, name
        for method, node in methods.items():
            if method == "__init__":
                assert typed(node) == constructor(name), name
            elif node.decorator_list:
                assert inspect.isgetsetdescriptor(vars(thing)[method]), f"{name}.{method}"
            else:
                assert typed(node) == built(vars(thing)[method]), f"{name}.{method}"
    assert not classes
    for name, node in functions.items():
        assert name.startswith("_") and typed(node) == built(getattr(_pvm, name)), name


def test_the_package_gives_everything_and_says_what_it_is():
    for name in public():
        if name not in HELPERS:
            assert hasattr(p, name), name
    assert (ROOT / "pvm_ext" / "py.typed").exists()


# What the package loads when it is asked for, by each way of asking.
LATER = {
    "packf": "formats", "Received": "objects", "send_object": "objects", "exit": "output", "HostInfo": "records",
}  # fmt: skip
ASK = ["asked = pvm_ext.{name}", "asked = pvm_ext.{module}.{name}", "from pvm_ext import {name} as asked"]


@pytest.mark.parametrize("way", ASK)
def test_what_is_loaded_later_is_there_for_who_asks(way):
    for name, module in LATER.items():
        check = f"""
import sys, pvm_ext
assert "pvm_ext.{module}" not in sys.modules
assert "{name}" in dir(pvm_ext)
{way.format(name=name, module=module)}
assert asked is sys.modules["pvm_ext.{module}"].{name} is pvm_ext.{name}
"""
        subprocess.run([sys.executable, "-c", check], check=True, timeout=60)


def test_a_star_brings_everything():
    names: dict[str, object] = {}
    exec("from pvm_ext import *", names)
    missing = {name for name in public() if name not in HELPERS} - names.keys()
    assert not missing
    assert {*LATER, "PvmError", "Option", "error_for", "available"} <= names.keys()
    assert not {"TYPE_CHECKING", "annotations"} & names.keys()


def test_a_name_that_is_not_there_is_an_error():
    with pytest.raises(AttributeError, match="module 'pvm_ext' has no attribute 'nothing'"):
        p.nothing()
    assert not hasattr(p, "formats_")


def test_without_the_library_the_rest_is_there():
    check = """
import sys
sys.modules["pvm_ext._pvm"] = None
import pvm_ext
from pvm_ext import *
assert not pvm_ext.available and pvm_ext.HostInfo is HostInfo and Option.ROUTE == 1
for name in "send", "packf", "objects":
    try:
        getattr(pvm_ext, name)
    except ImportError as error:
        assert str(error).startswith(f"pvm_ext.{name} is not there, since the binding"), error
    else:
        raise AssertionError(name)
"""
    subprocess.run([sys.executable, "-c", check], check=True, timeout=60)
