"""The constants of pvm3.h as enums; the values are the header's.

The names are PVM's without the prefix ``Pvm``, in capitals.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag


class DataEncoding(IntEnum):
    """How a message is encoded (`initsend`, `mkbuf`)."""

    DEFAULT = 0
    """XDR: can be read on every kind of computer."""
    RAW = 1
    """As in memory: can be read where the data format is the same."""
    IN_PLACE = 2
    """As `RAW`, but the data stay where they are until the message is sent."""
    FOO = 0
    TRACE = 4
    """For events of one's own in PVM's tracing."""


class Spawn(IntFlag):
    """Flags of `spawn`."""

    DEFAULT = 0
    HOST = 1
    """`where` names a host."""
    ARCH = 2
    """`where` names an architecture."""
    DEBUG = 4
    TRACE = 8
    FRONT = 16
    HOST_COMPL = 32
    """Any host but those that `where` names."""
    NO_SPAWN_PARENT = 64


class Notify(IntFlag):
    """Kinds of `notify`; `CANCEL` is added to one of them."""

    TASK_EXIT = 1
    HOST_DELETE = 2
    HOST_ADD = 3
    ROUTE_ADD = 4
    ROUTE_DELETE = 5
    CANCEL = 256


class Option(IntEnum):
    """Options of `getopt` and `setopt`."""

    ROUTE = 1
    DEBUG_MASK = 2
    AUTO_ERR = 3
    OUTPUT_TID = 4
    OUTPUT_CODE = 5
    TRACE_TID = 6
    TRACE_CODE = 7
    TRACE_BUFFER = 8
    TRACE_OPTIONS = 9
    FRAG_SIZE = 10
    RESV_TIDS = 11
    SELF_OUTPUT_TID = 12
    SELF_OUTPUT_CODE = 13
    SELF_TRACE_TID = 14
    SELF_TRACE_CODE = 15
    SELF_TRACE_BUFFER = 16
    SELF_TRACE_OPTIONS = 17
    SHOW_TIDS = 18
    POLL_TYPE = 19
    POLL_TIME = 20
    OUTPUT_CONTEXT = 21
    TRACE_CONTEXT = 22
    SELF_OUTPUT_CONTEXT = 23
    SELF_TRACE_CONTEXT = 24
    NO_RESET = 25


class Route(IntEnum):
    """Values of `Option.ROUTE`."""

    DONT = 1
    """No direct links between tasks."""
    ALLOW = 2
    """Accept direct links, ask for none."""
    DIRECT = 3
    """Ask for a direct link to each task that gets a message."""


class TraceOptions(IntEnum):
    """Values of `Option.TRACE_OPTIONS`."""

    FULL = 1
    TIME = 2
    COUNT = 3


class PollType(IntEnum):
    """Values of `Option.POLL_TYPE`."""

    CONSTANT = 1
    SLEEP = 2


class TraceWho(IntEnum):
    """Whose trace mask `gettmask` and `settmask` mean."""

    SELF = 0
    CHILD = 1


class Mbox(IntFlag):
    """Flags of the mailbox calls `putinfo`, `recvinfo` and `delinfo`."""

    DEFAULT = 0
    PERSISTENT = 1
    MULTI_INSTANCE = 2
    OVER_WRITABLE = 4
    FIRST_AVAIL = 8
    READ_AND_DELETE = 16
    WAIT_FOR_INFO = 32
    MAX_FLAG = 512


MBOX_DIRECT_INDEX_SHIFT = 10
MBOX_MAX_DIRECT_INDEX = 1 << (31 - MBOX_DIRECT_INDEX_SHIFT)


def mbox_direct_index(index: int) -> int:
    """Return the flag bits that ask `putinfo` for the entry of this index.

    Raises
    ------
    ValueError
        When the index is negative or too large.
    """
    if not 0 <= index < MBOX_MAX_DIRECT_INDEX:
        raise ValueError(f"the index must be 0 to {MBOX_MAX_DIRECT_INDEX - 1}, not {index}")
    return index << MBOX_DIRECT_INDEX_SHIFT


def mbox_direct_index_of(flags: int) -> int:
    """Return the index that `mbox_direct_index` put into these flags."""
    return (flags >> MBOX_DIRECT_INDEX_SHIFT) & (MBOX_MAX_DIRECT_INDEX - 1)


BASE_CONTEXT = 0

NO_RESET_CLASS = "###_PVM_NO_RESET_###"
HOSTER_CLASS = "###_PVM_HOSTER_###"
TASKER_CLASS = "###_PVM_TASKER_###"
TRACER_CLASS = "###_PVM_TRACER_###"
RM_CLASS = "###_PVM_RM_###"


class Code(IntEnum):
    """Results of libpvm's functions; the negative ones become exceptions."""

    OK = 0
    BAD_PARAM = -2
    MISMATCH = -3
    OVERFLOW = -4
    NO_DATA = -5
    NO_HOST = -6
    NO_FILE = -7
    DENIED = -8
    NO_MEM = -10
    BAD_MSG = -12
    SYS_ERR = -14
    NO_BUF = -15
    NO_SUCH_BUF = -16
    NULL_GROUP = -17
    DUP_GROUP = -18
    NO_GROUP = -19
    NOT_IN_GROUP = -20
    NO_INST = -21
    HOST_FAIL = -22
    NO_PARENT = -23
    NOT_IMPL = -24
    D_SYS_ERR = -25
    BAD_VERSION = -26
    OUT_OF_RES = -27
    DUP_HOST = -28
    CANT_START = -29
    ALREADY = -30
    NO_TASK = -31
    NOT_FOUND = -32
    EXISTS = -33
    HOSTR_NM_STR = -34
    PARENT_NOT_SET = -35
    IP_LOOPBACK = -36
    NO_ENTRY = -32
    DUP_ENTRY = -8


class DataType(IntEnum):
    """Types of data in `psend`, `precv`, `reduce`, `gather` and `scatter`."""

    STR = 0
    BYTE = 1
    SHORT = 2
    INT = 3
    FLOAT = 4
    CPLX = 5
    DOUBLE = 6
    DCPLX = 7
    LONG = 8
    USHORT = 9
    UINT = 10
    ULONG = 11


MAJOR_VERSION = 3
MINOR_VERSION = 4
PATCH_VERSION = 6
TRACE_MASK_LENGTH = 36
"""Bytes in a trace mask of pvmtev.h, the final NUL included."""
