"""Pickles that run something when Python's own unpickler reads them, put together by hand.

Each makes the folder `marker`, or would be worse.  Used by the tests of what is read without
trust, and by the fuzzer as something to begin with.
"""

from __future__ import annotations

import pathlib
import pickle
import struct
from collections.abc import Iterator
from typing import NamedTuple

STOP = b"."
REDUCE, NEWOBJ, NEWOBJ_EX, BUILD = b"R", b"\x81", b"\x92", b"b"
TUPLE1, TUPLE2, TUPLE3 = b"\x85", b"\x86", b"\x87"
MEMOIZE, NONE = b"\x94", b"N"
BEGIN = b"\x80\x04"


class Hostile(NamedTuple):
    """A pickle, and whether Python's own unpickler makes the marker of it."""

    name: str
    body: bytes
    works: bool


def text(value: str) -> bytes:
    """Return the instruction that puts a text on the stack."""
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def data(value: bytes) -> bytes:
    """Return the instruction that puts bytes on the stack."""
    return b"B" + struct.pack("<I", len(value)) + value


def number(value: int) -> bytes:
    """Return the instruction that puts a number on the stack."""
    content = pickle.encode_long(value)
    return b"\x8a" + bytes([len(content)]) + content


def name(module: str, qualified: str) -> bytes:
    """Return the instructions that fetch something from a module."""
    return text(module) + text(qualified) + b"\x93"


def call(function: bytes, *args: bytes) -> bytes:
    """Return the instructions that call what is fetched."""
    return function + b"(" + b"".join(args) + b"t" + REDUCE


def master_with(field: bytes) -> bytes:
    """Return restart data in which `data` holds what these instructions make."""
    return (
        BEGIN
        + b"}("
        + text("master_class")
        + name("biskit_pvm.TrackingJobMaster", "TrackingJobMaster")
        + text("status_objects")
        + b"}"
        + text("data")
        + b"}"
        + number(1)
        + field
        + b"s"
        + b"u."
    )


def pickles(marker: str) -> Iterator[Hostile]:
    """Give the pickles; those that work make the folder `marker`."""
    mkdir = name("posix", "mkdir")
    where = text(marker)
    quoted = marker.encode()
    code = f"import os; os.mkdir({marker!r})"

    def fields(what: str, field: bytes, works: bool = True) -> Hostile:
        return Hostile(what, master_with(field), works)

    # every way of calling something
    yield fields("GLOBAL and REDUCE", b"cposix\nmkdir\n(" + where + b"tR")
    yield fields("STACK_GLOBAL and REDUCE", call(mkdir, where))
    yield fields("INST", b"(" + where + b"iposix\nmkdir\n")
    yield fields("OBJ", b"(cposix\nmkdir\n" + where + b"o")
    popen = name("subprocess", "Popen")
    yield fields("NEWOBJ of a class that is not listed", popen + b"(t" + NEWOBJ, False)
    yield fields("NEWOBJ_EX", popen + b"(" + where + b"t}" + NEWOBJ_EX, False)
    yield fields("EXT1", b"\x82\xf0(" + where + b"t" + REDUCE)
    yield fields("EXT2", b"\x83\xf0\x00(" + where + b"t" + REDUCE)
    yield fields("EXT4", b"\x84\xf0\x00\x00\x00(" + where + b"t" + REDUCE)
    yield fields("PERSID", b"P" + quoted + b"\n", False)
    yield fields("BINPERSID", where + b"Q", False)
    # names
    getter = "TrackingJobMaster.getRst.__globals__"
    chain = call(name("biskit_pvm.TrackingJobMaster", f"{getter}.get"), text("__builtins__"))
    execute = call(name("biskit_pvm.TrackingJobMaster", f"{getter}.__class__.get"), chain, text("exec"))
    yield fields("globals of a method", call(execute, text(code)))
    yield fields(
        "a dotted name of a safe class", call(name("pathlib", "Path.mkdir"), call(name("pathlib", "Path"), where))
    )
    through = "os" if hasattr(pathlib, "os") else "_local.os"  # in Python 3.13
    yield fields("dotted through a module", call(name("pathlib", f"{through}.mkdir"), where))
    yield fields("a function that a safe module imported", call(name("pathlib", "Path.cwd")), False)
    yield fields("exec", call(name("builtins", "exec"), text(code)))
    yield fields("eval", call(name("builtins", "eval"), text(f"__import__('os').mkdir({marker!r})")))
    yield fields(
        "getattr",
        call(call(name("builtins", "getattr"), call(name("builtins", "__import__"), text("os")), text("mkdir")), where),
    )
    yield fields("partial", call(call(name("functools", "partial"), mkdir, where)))
    yield fields(
        "methodcaller",
        call(
            call(name("operator", "methodcaller"), text("mkdir"), where),
            call(name("importlib", "import_module"), text("os")),
        ),
    )
    yield fields(
        "map", name("builtins", "list") + call(name("builtins", "map"), mkdir, b"(" + where + b"t") + TUPLE1 + REDUCE
    )
    yield fields("Popen", call(popen, b"(" + text("mkdir") + where + b"t"), False)
    yield fields("a pickle in a pickle", call(name("pickle", "loads"), data(call(mkdir, where) + STOP)))
    yield fields(
        "_reconstructor",
        call(name("copyreg", "_reconstructor"), name("builtins", "object"), name("builtins", "object"), NONE),
        False,
    )
    yield fields("codecs", call(name("_codecs", "encode"), text("x"), text("no_such_module")), False)
    yield fields("a function of this package", call(name("biskit_pvm.restart.file", "_provide_main"), where), False)
    yield fields("a module that nobody has imported", name("this", "s"), False)
    yield fields("a name that is no text", number(1) + text("x") + b"\x93", False)
    # states
    yield fields(
        "BUILD on the master's class",
        name("biskit_pvm.TrackingJobMaster", "TrackingJobMaster")
        + NONE
        + b"}"
        + text("x")
        + number(1)
        + b"s"
        + TUPLE2
        + BUILD,
        False,
    )
    yield fields("a call of the master's class", call(name("biskit_pvm.TrackingJobMaster", "TrackingJobMaster")), False)
    yield fields(
        "a master made without its __init__",
        name("biskit_pvm.TrackingJobMaster", "TrackingJobMaster") + b")" + NEWOBJ,
        False,
    )
    yield fields(
        "BUILD on an object",
        name("builtins", "object") + b")" + NEWOBJ + b"}" + text("x") + number(1) + b"s" + BUILD,
        False,
    )
    yield fields("__setstate__ of a class", name("tests.support.hostile", "Setting") + b")" + NEWOBJ + where + BUILD)
    yield fields(
        "APPENDS on what is no list", name("tests.support.hostile", "Setting") + b")" + NEWOBJ + b"(" + where + b"e"
    )
    yield fields(
        "SETITEMS on what is no dictionary",
        name("tests.support.hostile", "Setting") + b")" + NEWOBJ + b"(" + where + number(1) + b"u",
    )
    # the memo
    yield fields(
        "a memo that is written over",
        name("builtins", "complex") + b"q\x00" + mkdir + b"q\x00" + b"00" + b"h\x00" + where + TUPLE1 + REDUCE,
    )
    yield fields("a function out of the memo", mkdir + MEMOIZE + b"0" + b"h\x00" + where + TUPLE1 + REDUCE)
    yield fields("DUP", mkdir + b"2" + where + TUPLE1 + REDUCE + b"0" + where + TUPLE1 + b"0", False)
    # a factory, and what else is called later
    yield fields("a default that is a function", call(name("collections", "defaultdict"), mkdir), False)
    yield fields(
        "a time zone of another class",
        call(
            name("datetime", "datetime"),
            data(b"\x07\xe8\x01\x01\0\0\0\0\0\0"),
            name("tests.support.hostile", "Setting") + b")" + NEWOBJ,
        ),
        False,
    )
    # NumPy
    for core in ("numpy._core.multiarray", "numpy.core.multiarray"):
        empty = call(name(core, "_reconstruct"), name("numpy", "ndarray"), b"(" + number(0) + b"t", data(b"b"))
        objects = call(name("numpy", "dtype"), text("O8"), b"\x89\x88")

        def array(shape: int, kind: bytes, content: bytes, empty: bytes = empty) -> bytes:
            return empty + b"(" + number(1) + number(shape) + TUPLE1 + kind + b"\x89" + content + b"t" + BUILD

        kind = "new" if "_core" in core else "old"
        plain = kind == "new"
        yield fields(f"{kind} array of objects", array(1, objects, b"](" + call(mkdir, where) + b"e"), plain)
        yield fields(
            f"{kind} array of another class",
            call(name(core, "_reconstruct"), name("numpy", "memmap"), b"(" + number(0) + b"t", data(b"b")),
            False,
        )
        yield fields(f"{kind} array with too short a list", array(1000, objects, b"]"), False)
        yield fields(f"{kind} array of objects out of bytes", array(1, objects, data(b"12345678")), False)
        yield fields(f"{kind} number of objects", call(name(core, "scalar"), objects, data(b"12345678")), False)
        outside = b"}" + text("a") + objects + number(1 << 20) + TUPLE2 + b"s"
        record = call(name("numpy", "dtype"), text("V8"), b"\x89\x88")
        state = (
            b"("
            + number(3)
            + text("|")
            + NONE
            + b"("
            + text("a")
            + b"t"
            + outside
            + number(8)
            + number(1)
            + number(0)
            + b"t"
        )
        yield fields(f"{kind} field outside of its record", array(1, record + state + BUILD, data(b"12345678")), False)
        huge = call(name("numpy", "dtype"), text("V0"), b"\x89\x88")
        yield fields(f"{kind} array of endless nothing", array(1 << 60, huge, data(b"")), False)
    yield fields("numpy's own loader", call(name("numpy", "load"), where), False)
    yield fields(
        "numpy.dtype by a class", call(name("numpy", "dtype"), name("tests.support.hostile", "Setting")), False
    )
    # what fills the memory, or never comes back
    yield fields(
        "an endless list",
        call(name("builtins", "list"), call(name("builtins", "range"), number(0), number(1 << 62), number(1))),
        False,
    )
    yield fields("endless bytes", call(name("builtins", "bytearray"), number(1 << 50)), False)
    yield fields("an endless fraction", call(name("fractions", "Fraction"), text("1e999999999")), False)
    yield fields("a key that is too deep", b"}" + b")" + TUPLE1 * 2_000_000 + NONE + b"s", False)
    doubled = b")" + MEMOIZE
    for place in range(60):
        doubled += b"h" + bytes([place]) + TUPLE2 + MEMOIZE
    yield fields("a text that never ends", doubled + b")" + REDUCE, False)
    yield fields("a key of too many parts", b"}" + doubled + NONE + b"s", False)


class Setting:
    """Makes a folder in every way in which an unpickler tells an object something."""

    def __setstate__(self, state: str) -> None:
        import os

        os.mkdir(state)

    def append(self, item: str) -> None:
        """Be a list."""
        self.__setstate__(item)

    def extend(self, items: list[str]) -> None:
        """Be a list, too."""
        self.__setstate__(items[0])

    def __setitem__(self, key: str, value: object) -> None:
        self.__setstate__(key)
