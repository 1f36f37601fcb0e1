"""Python 2's files, ``print`` and ``raw_input``: bytes in, bytes out, no encoding in between."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from biskit_pvm.compat.python2.builtins.errors import IOError
from biskit_pvm.compat.python2.builtins.strings import Unicode, as_bytes, as_text, to_os, to_str


class File:
    """
    Python 2's ``file``: what is read is 8-bit text, what is written goes out as it is.

    Parameters
    ----------
    name : str
    mode : str
        As in Python 2; ``U`` reads every kind of line end as a newline.
    buffering : int
        0 none, 1 by line, otherwise the size of the buffer.

    Raises
    ------
    IOError
        The file cannot be opened.
    """

    def __init__(self, name: str, mode: str = "r", buffering: int = -1) -> None:
        mode = to_str(mode)
        if mode[:1] not in ("r", "w", "a", "U"):
            raise ValueError(f"mode string must begin with one of 'r', 'w', 'a' or 'U', not '{mode}'")
        basic = ("r" if mode[0] == "U" else mode[0]) + ("+" if "+" in mode else "")
        lines = buffering == 1
        try:
            if basic in ("r+", "w+", "a+") and buffering == 0:
                raw: Any = open(to_os(name), basic + "b", 0)
            else:
                raw = open(to_os(name), basic + "b", -1 if lines else buffering)
        except OSError as error:
            raise _as_io_error(error, name) from None
        self._set(raw, name, mode, lines)

    def _set(self, raw: Any, name: str, mode: str, lines: bool = False) -> None:
        self._raw = raw
        self.name = name
        self.mode = mode
        self.softspace = 0
        self.encoding: str | None = None
        self.errors = None
        self.newlines = None
        self._universal = "U" in mode
        self._lines = lines
        self._rest: list[bytes] = []
        self._iterating = False

    @classmethod
    def over(cls, raw: Any, name: str, mode: str, lines: bool = False) -> File:
        """
        Make a file of a binary one that is already open.

        Parameters
        ----------
        raw : binary file
        name : str
        mode : str
        lines : bool
            Flush after every line.

        Returns
        -------
        File
        """
        made = cls.__new__(cls)
        made._set(raw, name, mode, lines)
        return made

    @property
    def binary(self):
        """The binary file below, for libraries of Python 3."""
        return self._raw

    @property
    def closed(self) -> bool:
        return self._raw.closed

    def _read_as_it_is(self, data: bytes) -> str:
        if self._universal and b"\r" in data:
            if data.endswith(b"\r") and self._raw.peek(1)[:1] == b"\n":
                data += self._raw.read(1)
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return data.decode("latin-1")

    def read(self, size: int | None = -1) -> str:
        return self._read_as_it_is(self._checked(self._raw.read, -1 if size is None else size))

    def readline(self, size: int = -1) -> str:
        if self._universal:
            return self._universal_line()
        return self._checked(self._raw.readline, size).decode("latin-1")

    def _universal_line(self) -> str:
        if not self._rest:
            data = self._checked(self._raw.readline)
            self._rest = [line + b"\n" for line in data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")]
            self._rest = self._rest[:-1] if self._rest[-1] == b"\n" else self._rest
            if self._rest and not data.endswith((b"\n", b"\r")):
                self._rest[-1] = self._rest[-1][:-1]
            self._rest.reverse()
        return self._rest.pop().decode("latin-1") if self._rest else ""

    def readlines(self, size: int = -1) -> list[str]:
        lines, length = [], 0
        for line in self:
            lines.append(line)
            length += len(line)
            if 0 < size <= length:
                break
        return lines

    def xreadlines(self) -> File:
        return self

    def readinto(self, buffer: Any) -> int:
        return self._checked(self._raw.readinto, buffer)

    def __iter__(self) -> Iterator[str]:
        return self

    def next(self) -> str:
        line = self.readline()
        if not line:
            raise StopIteration
        return line

    __next__ = next

    def write(self, text: Any) -> None:
        self.softspace = 0
        data = self._encoded(text)
        self._checked(self._raw.write, data)
        if self._lines and b"\n" in data:
            self._raw.flush()

    def _encoded(self, text: Any) -> bytes:
        if isinstance(text, str):
            if isinstance(text, Unicode):
                return as_bytes(text)
            try:
                return text.encode("latin-1")
            except UnicodeEncodeError:
                # of a Python 3 library: no 8-bit string has such characters
                return text.encode("utf-8", "surrogateescape")
        return bytes(memoryview(text))

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def _checked(self, function: Any, *args: Any) -> Any:
        try:
            return function(*args)
        except ValueError as error:
            if self.closed:
                raise ValueError("I/O operation on closed file") from None
            if not isinstance(error, io.UnsupportedOperation):
                raise
            raise IOError(f"File not open for {'reading' if 'read' in function.__name__ else 'writing'}") from None
        except OSError as error:
            raise _as_io_error(error, None) from None

    def seek(self, offset: int, whence: int = 0) -> None:
        self._rest = []
        self._checked(self._raw.seek, offset, whence)

    def tell(self) -> int:
        return self._checked(self._raw.tell)

    def flush(self) -> None:
        self._checked(self._raw.flush)

    def truncate(self, size: int | None = None) -> None:
        self.flush()
        self._checked(self._raw.truncate, *(() if size is None else (size,)))

    def fileno(self) -> int:
        return self._raw.fileno()

    def isatty(self) -> bool:
        return self._raw.isatty()

    def close(self) -> Any:
        return self._checked(self._raw.close)

    def __enter__(self) -> File:
        return self

    def __exit__(self, *error: Any) -> None:
        self.close()

    def __repr__(self) -> str:
        from biskit_pvm.compat.python2.builtins.strings import to_repr

        state = "closed" if self.closed else "open"
        return f"<{state} file {to_repr(self.name)}, mode {to_repr(self.mode)} at {id(self):#x}>"


File.__name__ = File.__qualname__ = "file"
io.IOBase.register(File)


class Standard(File):
    """
    One of the standard streams as translated code sees it; Python 3 code keeps its own view of the same bytes.

    Parameters
    ----------
    stream : text file
        ``sys.stdin``, ``sys.stdout`` or ``sys.stderr`` of Python 3.
    name : str
        For example '<stdout>'.
    mode : str
    """

    def __init__(self, stream: Any, name: str, mode: str) -> None:
        self._stream = stream
        raw = stream.buffer
        self._set(raw, name, mode, mode == "w" and (stream.isatty() or name == "<stderr>"))
        if stream.isatty():
            self.encoding = stream.encoding
        elif os.environ.get("PYTHONIOENCODING"):
            self.encoding = os.environ["PYTHONIOENCODING"].partition(":")[0]

    def __reduce__(self) -> Any:
        # the standard stream of the process that loads it
        return standard, (self.name.strip("<>"),)

    def _encoded(self, text: Any) -> bytes:
        if isinstance(text, Unicode) and self.encoding:
            return str.encode(text, self.encoding)
        return super()._encoded(text)

    def write(self, text: Any) -> None:
        # what Python 3 code printed before comes first
        self._stream.flush()
        super().write(text)


_standard: dict[str, Any] = {}


def standard(name: str) -> Any:
    """
    Give ``sys.stdin``, ``sys.stdout`` or ``sys.stderr`` as translated code sees it.

    Parameters
    ----------
    name : {'stdin', 'stdout', 'stderr', '__stdin__', '__stdout__', '__stderr__'}

    Returns
    -------
    Standard or any
        Whatever the script itself has put there.
    """
    stream = getattr(sys, name)
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    name = name.strip("_")
    known = _standard.get(name)
    if known is None or known._stream is not stream:
        known = _standard[name] = Standard(stream, f"<{name}>", "r" if name == "stdin" else "w")
    return known


def finish_line() -> None:
    """End a line that a ``print`` with a comma left open, as Python 2 did at the end of a script."""
    stream = standard("stdout")
    if getattr(stream, "softspace", 0):
        stream.softspace = 0
        stream.write("\n")
    if hasattr(stream, "flush"):
        stream.flush()


def _as_io_error(error: OSError, name: Any) -> IOError:
    filename = name if error.filename is not None and name is not None else error.filename
    if filename is not None:
        return IOError(error.errno, error.strerror, filename)
    return IOError(error.errno, error.strerror) if error.errno is not None else IOError(*error.args)


def print_statement(stream: Any, newline: int, *items: Any) -> None:
    """
    Do the ``print`` statement.

    Parameters
    ----------
    stream : any
        Something with ``write``; None is ``sys.stdout``.
    newline : int
        0 after a trailing comma.
    items : any
    """
    if stream is None:
        stream = standard("stdout")
        if stream is None:
            return
    write = stream.write
    for item in items:
        if getattr(stream, "softspace", 0):
            write(" ")
        text = item if isinstance(item, str) and type(item) in (str, Unicode) else to_str(item)
        write(text)
        last = text[-1:]
        _set_softspace(stream, not (last and last in "\n\t\r\v\f"))
    if newline:
        write("\n")
        _set_softspace(stream, 0)


def _set_softspace(stream: Any, value: int) -> None:
    try:
        stream.softspace = int(value)
    except (AttributeError, TypeError):
        pass


def print_function(*items: Any, **options: Any) -> None:
    """
    Do ``print`` of a module with ``from __future__ import print_function``.

    Parameters
    ----------
    items : any
    options : dict
        ``sep``, ``end`` and ``file``.
    """
    stream = options.pop("file", None)
    stream = standard("stdout") if stream is None else stream
    separator = " " if options.get("sep") is None else options.pop("sep")
    end = "\n" if options.get("end") is None else options.pop("end")
    options = {name: value for name, value in options.items() if value is not None}
    if options:
        raise TypeError(f"{next(iter(options))!r} is an invalid keyword argument for this function")
    for number, item in enumerate(items):
        if number:
            stream.write(separator)
        stream.write(item if isinstance(item, (str, Unicode)) else to_str(item))
    stream.write(end)


def raw_input(prompt: Any = "") -> str:
    """
    Read a line from standard input.

    Parameters
    ----------
    prompt : any

    Returns
    -------
    str
        Without the newline.

    Raises
    ------
    EOFError
    """
    finish = standard("stdout")
    if getattr(finish, "softspace", 0):
        _set_softspace(finish, 0)
        finish.write(" ")
    if prompt != "":
        finish.write(to_str(prompt))
    if hasattr(finish, "flush"):
        finish.flush()
    source = standard("stdin")
    if isinstance(source, Standard) and source.isatty() and "readline" in sys.modules:
        return as_text(os.fsencode(input()))
    line = source.readline()
    if not line:
        raise EOFError("EOF when reading a line")
    return line[:-1] if line.endswith("\n") else line
