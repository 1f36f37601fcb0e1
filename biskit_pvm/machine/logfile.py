"""The debug log of a task: in memory, and in a file of its own."""

from __future__ import annotations

import os
import time


class Logfile:
    """A debug log that is kept in memory and in a file.

    Parameters
    ----------
    filename : str, optional
        By default `pvm_thread.log.<pid>` in the folder for temporary files,
        and `pvm_thread.log.<pid>.<number>` where there is such a file already.

    Attributes
    ----------
    filename : str
        The file; it is made with the first message.

    Notes
    -----
    Others can guess the name, and may write to that folder.  So nothing is
    ever written to a file that was there before, unless it was named here
    and is this user's own.
    """

    def __init__(self, filename: str | None = None) -> None:
        import tempfile

        self.__named = filename is not None
        self.filename = filename or os.path.join(tempfile.gettempdir(), f"pvm_thread.log.{os.getpid()}")
        self.lines: list[str] = []
        self.__file: int | None = None

    def post(self, message: str) -> None:
        """Add a message, with the time, to log and file.

        Raises
        ------
        OSError
            There is no file that could be written to.
        """
        entry = [f"\n{time.time():.12g}:", message]
        first = not self.lines
        self.lines += entry
        if self.__file is None:
            self.__file = self.__open()
        # no line end at the end, as ever
        text = ("" if first else "\n").encode() + "\n".join(entry).encode(errors="backslashreplace")
        while text:
            text = text[os.write(self.__file, text) :]

    def __open(self) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        if self.__named:
            handle = os.open(self.filename, flags, 0o600)
            if os.fstat(handle).st_uid != os.getuid():
                os.close(handle)
                raise PermissionError(13, "the debug log is not written to a file of somebody else", self.filename)
            os.ftruncate(handle, 0)
            return handle
        first, number = self.filename, 0
        while True:
            try:
                return os.open(self.filename, flags | os.O_EXCL, 0o600)
            except FileExistsError:
                number += 1
                if number > 1000:
                    raise
                self.filename = f"{first}.{number}"

    def write(self) -> None:
        """Print the log."""
        print("\n".join(self.lines))

    def rm(self) -> None:
        """Remove the file, if one was made."""
        if self.__file is not None:
            os.close(self.__file)
            self.__file = None
            if os.path.exists(self.filename):
                os.unlink(self.filename)
