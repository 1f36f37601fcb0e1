"""PVM's errors as exceptions: one base class, and one class for each code of pvm3.h.

The texts are those of libpvm's own table.  A class is equal to, hashes as and prints as
the name of its error, and an instance is equal to its number, so that programs which
compare errors with names or numbers keep working.
"""

from __future__ import annotations

TYPE_CHECKING = False  # typing itself takes long to load
if TYPE_CHECKING:
    from typing import Any


class _NamedError(type):
    """The type of the error classes: a class stands for the name of its error."""

    name: str

    def __eq__(cls, other: object) -> bool:
        return cls is other or (isinstance(other, str) and bool(cls.name) and cls.name == other)

    def __ne__(cls, other: object) -> bool:
        return not cls == other

    def __hash__(cls) -> int:
        return hash(cls.name) if cls.name else type.__hash__(cls)

    def __str__(cls) -> str:
        return cls.name or cls.__name__


class PvmError(Exception, metaclass=_NamedError):
    """A call of libpvm failed.

    Parameters
    ----------
    code : int
        The negative number that libpvm returned.
    function : str, optional
        The call that failed, without the prefix ``pvm_``.
    detail : str, optional
        What the call was about, and what mends it.

    Attributes
    ----------
    code : int
        The number.  ``int(error)`` and ``error == number`` work too.
    name : str
        PVM's name of the error, such as ``'NoHost'``.
    text : str
        PVM's text of the error, such as ``'No such host'``.
    function : str or None
        The call that failed.
    detail : str or None
        What the call was about, and what mends it.
    """

    name: str = ""
    text: str = "Unknown error code"

    def __init__(self, code: int = 0, function: str | None = None, detail: str | None = None):
        super().__init__(code)
        self.code = int(code)
        self.function = function
        self.detail = detail

    def __str__(self) -> str:
        parts = [str(self.code), f"{self.name}:" if self.name else "", self.text]
        if self.function:
            parts.append(f"({self.function})")
        line = " ".join(part for part in parts if part)
        return f"{line}: {self.detail}" if self.detail else line

    def __int__(self) -> int:
        return self.code

    __index__ = __int__

    def __eq__(self, other: object) -> bool:
        if isinstance(other, PvmError):
            return self.code == other.code
        return isinstance(other, int) and self.code == other

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self.code)

    def __reduce__(self) -> Any:
        return type(self), (self.code, self.function, self.detail)


class UnknownPvmError(PvmError):
    """libpvm returned a negative number that pvm3.h does not know."""

    name = "unknownPVMerrorCode"


class BadParamError(PvmError, ValueError):
    """An argument is outside of what PVM allows."""

    name, text = "BadParam", "Bad parameter"


class MismatchError(PvmError):
    """Members of a group gave different counts, or messages differ in their encoding."""

    name, text = "Mismatch", "Parameter mismatch"


class PvmOverflowError(PvmError, OverflowError):
    """A number is too large for the encoding of the message."""

    name, text = "Overflow", "Value too large"


class NoDataError(PvmError, EOFError):
    """The message ended before all values were unpacked."""

    name, text = "NoData", "End of buffer"


class NoHostError(PvmError):
    """No such host in the virtual machine, or its name cannot be resolved."""

    name, text = "NoHost", "No such host"


class NoFileError(PvmError):
    """No such program on that host."""

    name, text = "NoFile", "No such file"


class DeniedError(PvmError):
    """The entry belongs to another task, or is taken (called DupEntry in PVM 3.3)."""

    name, text = "Denied", "Permission denied"


class NoMemError(PvmError, MemoryError):
    """Not enough memory."""

    name, text = "NoMem", "Malloc failed"


class BadMsgError(PvmError):
    """The message cannot be decoded here."""

    name, text = "BadMsg", "Can't decode message"


class SysErrError(PvmError):
    """The local daemon cannot be reached, or the connection to it is lost."""

    name, text = "SysErr", "Can't contact local daemon"


class NoBufError(PvmError):
    """There is no active buffer to pack into or to unpack from."""

    name, text = "NoBuf", "No current buffer"


class NoSuchBufError(PvmError):
    """There is no buffer of that number."""

    name, text = "NoSuchBuf", "No such buffer"


class NullGroupError(PvmError):
    """The name of a group is empty."""

    name, text = "NullGroup", "Null group name"


class DupGroupError(PvmError):
    """The task is in that group already."""

    name, text = "DupGroup", "Already in group"


class NoGroupError(PvmError):
    """There is no such group."""

    name, text = "NoGroup", "No such group"


class NotInGroupError(PvmError):
    """The task is not in that group."""

    name, text = "NotInGroup", "Not in group"


class NoInstError(PvmError):
    """The group has no such instance."""

    name, text = "NoInst", "No such instance"


class HostFailError(PvmError):
    """The host failed."""

    name, text = "HostFail", "Host failed"


class NoParentError(PvmError):
    """This task was not spawned by another one."""

    name, text = "NoParent", "No parent task"


class NotImplError(PvmError, NotImplementedError):
    """PVM has no such function here."""

    name, text = "NotImpl", "Not implemented"


class DSysErrError(PvmError):
    """A daemon had an error of its system."""

    name, text = "DSysErr", "Pvmd system error"


class BadVersionError(PvmError):
    """A daemon speaks another version of PVM's protocol."""

    name, text = "BadVersion", "Version mismatch"


class OutOfResError(PvmError):
    """A daemon is out of resources."""

    name, text = "OutOfRes", "Out of resources"


class DupHostError(PvmError):
    """The host is in the virtual machine already, or a daemon is running already."""

    name, text = "DupHost", "Duplicate host"


class CantStartError(PvmError):
    """A daemon could not be started."""

    name, text = "CantStart", "Can't start pvmd"


class AlreadyError(PvmError):
    """Another task is doing the same at this moment."""

    name, text = "Already", "Already in progress"


class NoTaskError(PvmError):
    """There is no such task."""

    name, text = "NoTask", "No such task"


class NotFoundError(PvmError, LookupError):
    """There is no such entry (called NoEntry in PVM 3.3)."""

    name, text = "NotFound", "Not Found"


class ExistsError(PvmError):
    """There is such an entry already."""

    name, text = "Exists", "Already Exists"


class HostrNMstrError(PvmError):
    """A hoster must be on the master host."""

    name, text = "HostrNMstr", "Hoster must run on master host"


class ParentNotSetError(PvmError):
    """The task was spawned with the flag NO_SPAWN_PARENT."""

    name, text = "ParentNotSet", "Spawning parent set PvmNoParent"


class IPLoopbackError(PvmError):
    """The name of the master host resolves to a loopback address."""

    name, text = "IPLoopback", "Master Host IP Address is Loopback!"


ERRORS: dict[int, type[PvmError]] = {
    -2: BadParamError,
    -3: MismatchError,
    -4: PvmOverflowError,
    -5: NoDataError,
    -6: NoHostError,
    -7: NoFileError,
    -8: DeniedError,
    -10: NoMemError,
    -12: BadMsgError,
    -14: SysErrError,
    -15: NoBufError,
    -16: NoSuchBufError,
    -17: NullGroupError,
    -18: DupGroupError,
    -19: NoGroupError,
    -20: NotInGroupError,
    -21: NoInstError,
    -22: HostFailError,
    -23: NoParentError,
    -24: NotImplError,
    -25: DSysErrError,
    -26: BadVersionError,
    -27: OutOfResError,
    -28: DupHostError,
    -29: CantStartError,
    -30: AlreadyError,
    -31: NoTaskError,
    -32: NotFoundError,
    -33: ExistsError,
    -34: HostrNMstrError,
    -35: ParentNotSetError,
    -36: IPLoopbackError,
}
"""The class of each error code."""


def error_for(code: int, function: str | None = None, detail: str | None = None) -> PvmError:
    """Make the exception for an error code.

    Parameters
    ----------
    code : int
        The negative number that libpvm returned.
    function : str, optional
        The call that failed, without the prefix ``pvm_``.
    detail : str, optional
        What the call was about, and what mends it.

    Returns
    -------
    PvmError
        An instance of the code's own class, or of `UnknownPvmError`.
    """
    return ERRORS.get(code, UnknownPvmError)(code, function, detail)
