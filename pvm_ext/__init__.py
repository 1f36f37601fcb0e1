"""PVM 3.4 for Python: libpvm3 and libgpvm3 under their own names, without ``pvm_``.

Importing this package needs neither the library nor a daemon.  What slaves of a calculation
do without is loaded when it is first asked for, so that they start quickly.
"""

# fmt: off
# ruff: noqa: I001
from .constants import (
    BASE_CONTEXT, Code, DataEncoding, DataType, HOSTER_CLASS, MAJOR_VERSION, Mbox,
    mbox_direct_index, mbox_direct_index_of, MBOX_DIRECT_INDEX_SHIFT,
    MBOX_MAX_DIRECT_INDEX, MINOR_VERSION, NO_RESET_CLASS, Notify, Option, PATCH_VERSION,
    PollType, RM_CLASS, Route, Spawn, TASKER_CLASS, TRACE_MASK_LENGTH, TraceOptions,
    TRACER_CLASS, TraceWho,
)
from .errors import (
    AlreadyError, BadMsgError, BadParamError, BadVersionError, CantStartError,
    DeniedError, DSysErrError, DupGroupError, DupHostError, error_for, ERRORS,
    ExistsError, HostFailError, HostrNMstrError, IPLoopbackError, MismatchError,
    NoBufError, NoDataError, NoFileError, NoGroupError, NoHostError, NoInstError,
    NoMemError, NoParentError, NoSuchBufError, NoTaskError, NotFoundError, NotImplError,
    NotInGroupError, NullGroupError, OutOfResError, ParentNotSetError, PvmError,
    PvmOverflowError, SysErrError, UnknownPvmError,
)

TYPE_CHECKING = False  # typing itself takes long to load
if TYPE_CHECKING:
    from .formats import packf, unpackf
    from .objects import Received, dump, load, recv_object, send_object
    from .output import catchout, exit
    from .records import (
        BufferInfo, Configuration, HostInfo, MailboxEntry, MessageInfo, TaskInfo,
    )

try:
    from ._pvm import (
        abort_stuck_send, addhosts, addmhf, archcode, arrivals, barrier, bcast, Beat, bufinfo,
        config, delete, delhosts, delinfo, delmhf, enrol_as, export, freebuf, freecontext,
        freezegroup, gather, getcontext, getfds, getinst, getmboxinfo, getminfo,
        getnoresets, getopt, getrbuf, getrsh, getsbuf, gettid, gettmask, gettmp, gsize, halt, hostsync,
        initsend, insert, joingroup, kill, lookup, lvgroup, Match, mcast, Message,
        mkbuf, mstat, mytid, newcontext, notify, nrecv, on_damaged, parent, perror, pkbyte, pkcplx,
        pkdcplx, pkdouble, pkfloat, pkint, pklong, pkmesg, pkmesgbody, pkshort, pkstr,
        pkuint, pkulong, pkushort, precv, probe, psend, pstat, putinfo, queue_frames, queued, recv,
        recv_buffer, recv_frames, recvf, recvinfo, reduce, reg_hoster, reg_rm,
        reg_tasker, reg_tracer, scatter, send, send_buffer, send_frames, sending,
        sendsig, setcontext, setminfo, setopt, setrbuf, setsbuf, settmask, siblings,
        spawn, stalled, start_pvmd, strerror, tasks, tickle, tidtohost, trecv, trust_relay, unexport,
        upkbyte,
        upkbytes, upkcplx, upkdcplx, upkdouble, upkfloat, upkint, upklong, upkmesg,
        upkshort, upkstr, upkuint, upkulong, upkushort, version,
        wake_when_queued, Waker,
    )

    #: Whether libpvm3 and its binding could be loaded.
    available = True
except ImportError as _error:
    available = False
    _reason = str(_error)

# What is loaded when it is asked for, and the module that it comes from.
_LATER = {
    "packf": "formats", "unpackf": "formats",
    "Received": "objects", "dump": "objects", "load": "objects", "recv_object": "objects",
    "send_object": "objects",
    "catchout": "output", "exit": "output",
    "BufferInfo": "records", "Configuration": "records", "HostInfo": "records",
    "MailboxEntry": "records", "MessageInfo": "records", "TaskInfo": "records",
}
if not available:
    _LATER = {name: module for name, module in _LATER.items() if module == "records"}

__all__ = [name for name in (*globals(), *_LATER) if name[0] != "_" and name != "TYPE_CHECKING"]


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name in _LATER:
        value: object = getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
        globals()[name] = value
        return value
    if name in _LATER.values():
        return import_module(f"{__name__}.{name}")
    if available or name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    raise ImportError(
        f"pvm_ext.{name} is not there, since the binding of libpvm3 could not be loaded: {_reason}"
    )


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})
