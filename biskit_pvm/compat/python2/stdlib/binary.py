"""Modules about bytes, which in Python 2 were strings."""

from __future__ import annotations

import base64
import binascii
import bz2
import gzip
import hashlib
import struct
import types
import zipfile
import zlib
from typing import Any, Callable

from biskit_pvm.compat.python2.builtins import files
from biskit_pvm.compat.python2.builtins.strings import as_bytes, as_text, from_os, to_os
from biskit_pvm.compat.python2.registry import StandIn, new_module
from biskit_pvm.compat.python2.stdlib.eight_bit import bytes_function


class Proxy:
    """An object of Python 3 whose methods take and give 8-bit strings."""

    def __init__(self, obj: Any) -> None:
        self._obj = obj

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._obj, name)
        if callable(found):
            method = bytes_function(found)
            if name == "copy":
                return lambda: Proxy(found())
            return method
        return as_text(found) if isinstance(found, bytes) else found


def _proxied(function: Callable) -> Callable:
    def call(*args: Any, **named: Any) -> Proxy:
        return Proxy(function(*[as_bytes(arg) if isinstance(arg, str) else arg for arg in args], **named))

    call.__name__ = function.__name__
    return call


def _hashlib() -> types.ModuleType:
    names = {name: _proxied(getattr(hashlib, name)) for name in "md5 sha1 sha224 sha256 sha384 sha512".split()}
    names["new"] = lambda name, text="": Proxy(hashlib.new(name, as_bytes(text)))
    return StandIn(hashlib, names, name="hashlib")


def _old_hash(name: str, function: Callable) -> types.ModuleType:
    make = _proxied(function)
    return new_module(name, {"new": make, name: make, "digest_size": function().digest_size})


def _struct() -> types.ModuleType:
    def pack(form: str, *values: Any) -> str:
        return as_text(struct.pack(form, *[as_bytes(v) if isinstance(v, str) else v for v in values]))

    def unpack(form: str, data: Any) -> tuple:
        return tuple(as_text(v) if isinstance(v, bytes) else v for v in struct.unpack(form, as_bytes(data)))

    def unpack_from(form: str, data: Any, offset: int = 0) -> tuple:
        found = struct.unpack_from(form, as_bytes(data) if isinstance(data, str) else data, offset)
        return tuple(as_text(v) if isinstance(v, bytes) else v for v in found)

    class Struct:
        """A format compiled once."""

        def __init__(self, form: str) -> None:
            self.format = form
            self.size = struct.calcsize(form)

        def pack(self, *values: Any) -> str:
            return pack(self.format, *values)

        def unpack(self, data: Any) -> tuple:
            return unpack(self.format, data)

        def unpack_from(self, data: Any, offset: int = 0) -> tuple:
            return unpack_from(self.format, data, offset)

    return StandIn(
        struct, {"pack": pack, "unpack": unpack, "unpack_from": unpack_from, "Struct": Struct}, name="struct"
    )


def _zlib() -> types.ModuleType:
    def signed(function: Callable) -> Callable:
        # Python 2.6 and later gave signed checksums
        def call(text: str, *start: int) -> int:
            value = function(as_bytes(text), *(number & 0xFFFFFFFF for number in start))
            return value - (1 << 32) if value & 0x80000000 else value

        return call

    return StandIn(
        zlib,
        {
            "crc32": signed(zlib.crc32),
            "adler32": signed(zlib.adler32),
            "compressobj": _proxied(zlib.compressobj),
            "decompressobj": _proxied(zlib.decompressobj),
        },
        bytes_function,
        name="zlib",
    )


def _binascii() -> types.ModuleType:
    def crc32(text: str, start: int = 0) -> int:
        value = binascii.crc32(as_bytes(text), start & 0xFFFFFFFF)
        return value - (1 << 32) if value & 0x80000000 else value

    return StandIn(binascii, {"crc32": crc32}, bytes_function, name="binascii")


def _base64() -> types.ModuleType:
    return StandIn(
        base64,
        {"encodestring": bytes_function(base64.encodebytes), "decodestring": bytes_function(base64.decodebytes)},
        bytes_function,
        name="base64",
    )


class GzipFile(files.File):
    """
    A compressed file.

    Parameters
    ----------
    filename : str
    mode : str
    compresslevel : int
    fileobj : file
    """

    def __init__(
        self, filename: Any = None, mode: str | None = None, compresslevel: int = 9, fileobj: Any = None
    ) -> None:
        if isinstance(fileobj, files.File):
            fileobj = fileobj.binary
        raw = gzip.GzipFile(
            None if filename is None else to_os(filename), mode and mode[0] + "b", compresslevel, fileobj
        )
        self._set(raw, filename or from_os(raw.name), mode or "rb")


class BZ2File(files.File):
    """
    A compressed file.

    Parameters
    ----------
    filename : str
    mode : str
    buffering : int
    compresslevel : int
    """

    def __init__(self, filename: str, mode: str = "r", buffering: int = 0, compresslevel: int = 9) -> None:
        self._set(bz2.BZ2File(to_os(filename), mode[0], compresslevel=compresslevel), filename, mode)


class ZipFile(zipfile.ZipFile):
    """A zip archive whose members are 8-bit strings."""

    def __init__(self, file: Any, *args: Any, **named: Any) -> None:
        super().__init__(file.binary if isinstance(file, files.File) else to_os(file), *args, **named)

    def read(self, name: Any, pwd: Any = None) -> str:
        return as_text(super().read(name, pwd and as_bytes(pwd)))

    def writestr(self, name: Any, data: Any, *args: Any) -> None:
        super().writestr(name, as_bytes(data), *args)


def _gzip() -> types.ModuleType:
    return StandIn(gzip, {"open": GzipFile, "GzipFile": GzipFile}, name="gzip")


MODULES = {
    "struct": _struct,
    "zlib": _zlib,
    "binascii": _binascii,
    "base64": _base64,
    "hashlib": _hashlib,
    "md5": lambda: _old_hash("md5", hashlib.md5),
    "sha": lambda: _old_hash("sha", hashlib.sha1),
    "gzip": _gzip,
    "bz2": lambda: StandIn(bz2, {"BZ2File": BZ2File}, bytes_function, name="bz2"),
    "zipfile": lambda: StandIn(zipfile, {"ZipFile": ZipFile}, name="zipfile"),
}
