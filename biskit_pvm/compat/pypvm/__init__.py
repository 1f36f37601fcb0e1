"""
``pypvm``, the low-level module of old PVM programs, for Python 3.

Every function of the historic module is here under its name, with its arguments
in their order, in both dialects that programs were written in: the dictionaries
(``spawnOpts["TaskHost"]``, ``data["raw"]``, ...) and the constants with the
prefix of the C header (``PvmTaskHost``, ``PvmDataRaw``, ...). The work is done by
`pvm_ext`; what is left to this module are the old signatures and the shapes of
the results. New programs are better off with `pvm_ext` itself.

All failures are exceptions derived from `PvmError`, in whose ``args`` stands the
code. Tids, message tags and buffer identifiers are plain ints.

Public are all names without a leading underscore, as ever, so that
``from pypvm import *`` brings what it always brought.
"""

import functools as _functools
import operator as _operator
import pickle as _pickle
from collections.abc import Iterable as _Iterable
from typing import Any as _Any
from typing import Callable as _Callable
from typing import Optional as _Optional
from typing import TypeVar as _TypeVar
from typing import Union as _Union

import pvm_ext as _pvm
from biskit_pvm.compat.pypvm.constants import *
from pvm_ext.constants import DataEncoding as _Encoding
from pvm_ext.constants import Notify as _Notify
from pvm_ext.errors import error_for as _error_for
from pvm_ext.records import BufferInfo as _BufferInfo
from pvm_ext.records import MailboxEntry as _MailboxEntry
from pvm_ext.records import MessageInfo as _MessageInfo
from pvm_ext.records import TaskInfo as _TaskInfo

_Name = _Union[str, bytes]
_Function = _TypeVar("_Function", bound=_Callable[..., _Any])


def _also(**aliases: str) -> _Callable[[_Function], _Function]:
    """
    Let a function take arguments by further keywords.

    Parameters
    ----------
    **aliases : str
        The name of the argument, for each further keyword.
    """

    def decorate(function: _Function) -> _Function:
        @_functools.wraps(function)
        def call(*args: _Any, **kwargs: _Any) -> _Any:
            for alias in aliases.keys() & kwargs.keys():
                name = aliases[alias]
                if name in kwargs:
                    raise TypeError(f"{function.__name__}() got {name}= and {alias}=, which are one argument")
                kwargs[name] = kwargs.pop(alias)
            return function(*args, **kwargs)

        return call  # type: ignore[return-value]

    return decorate


# -- the task and the virtual machine -----------------------------------------


def mytid(*ignored: _Any) -> int:
    """
    Return the own tid, enrolling in PVM if need be.

    Returns
    -------
    int
        The tid, above 0.

    Raises
    ------
    PvmError
        SysErr if there is no pvmd.
    """
    return _pvm.mytid()


def parent(*ignored: _Any) -> int:
    """
    Return the tid of the task that spawned this one.

    Raises
    ------
    PvmError
        NoParent if this task was not spawned, ParentNotSet if it was spawned
        with NoSpawnParent.
    """
    return _pvm.parent()


def exit(*ignored: _Any) -> None:
    """
    Leave PVM; the process goes on and may enrol again, with a new tid.

    While output is collected (see `catchout`) this waits until all tasks whose
    output is collected have ended.
    """
    _pvm.exit()


def halt(*ignored: _Any) -> None:
    """
    Stop the whole virtual machine with all its tasks, but for the caller.
    """
    _pvm.halt()


def config(*ignored: _Any) -> tuple[int, int, list[dict[str, _Any]]]:
    """
    Return what the virtual machine consists of.

    Returns
    -------
    nhost : int
        Number of hosts.
    narch : int
        Number of data formats.
    hosts : list of dict
        For each host, the master first: ``dtid`` (int, tid of its pvmd),
        ``hostname`` (str), ``arch`` (str), ``speed`` (int, 1000 by default) and
        ``dsig`` (int, signature of its data format).
    """
    machine = _pvm.config()
    return (
        machine.nhost,
        machine.narch,
        [
            {"dtid": host.dtid, "hostname": host.name, "arch": host.arch, "speed": host.speed, "dsig": host.dsig}
            for host in machine.hosts
        ],
    )


def hostinfo(*ignored: _Any) -> list[tuple[int, str, str, int]]:
    """
    Return the hosts of the virtual machine.

    Returns
    -------
    list of (dtid, name, arch, speed)
    """
    return [(host.dtid, host.name, host.arch, host.speed) for host in _pvm.config().hosts]


def narch(*ignored: _Any) -> int:
    """
    Return the number of different data formats in the virtual machine.
    """
    return _pvm.config().narch


configuration = config
number_of_architectures = narch


def tasks(tid: int = 0) -> list[_TaskInfo]:
    """
    Return the running tasks.

    Parameters
    ----------
    tid : int
        0 for all tasks, the tid of a pvmd for those of its host, or the tid of
        one task.

    Returns
    -------
    list of (tid, ptid, dtid, flag, name, pid)
        ``name`` is empty for tasks that were not spawned.

    Raises
    ------
    PvmError
        NoHost for a tid that is on no host.
    """
    return _pvm.tasks(tid)


def tidtohost(tid: int) -> int:
    """
    Return the tid of the pvmd of the host that a tid is on.
    """
    return _pvm.tidtohost(tid)


@_also(hosts="hostlist")
def addhosts(hostlist: _Iterable[_Name]) -> list[int]:
    """
    Add hosts to the virtual machine.

    Parameters
    ----------
    hostlist : iterable of str
        Names of hosts, each with the options of a host file if need be.

    Returns
    -------
    list of int
        For each host the tid of its new pvmd, or a negative error code.

    Raises
    ------
    PvmError
        BadParam for an empty list, Already while another task adds hosts.
    """
    return list(_pvm.addhosts(_names(hostlist)))


@_also(hosts="hostlist")
def delhosts(hostlist: _Iterable[_Name]) -> list[int]:
    """
    Remove hosts from the virtual machine, with the tasks on them.

    Parameters
    ----------
    hostlist : iterable of str
        Names of hosts.

    Returns
    -------
    list of int
        For each host 0 or a negative error code.
    """
    return list(_pvm.delhosts(_names(hostlist)))


def _names(names: _Iterable[_Name]) -> list[_Name]:
    """Return names as a list; a lone string is a mistake, not a sequence."""
    if isinstance(names, (str, bytes)):
        raise TypeError("a list of names is needed, not one string")
    return list(names)


def mstat(host: _Name) -> int:
    """
    Check that a host is in the virtual machine and well.

    Parameters
    ----------
    host : str
        Its name.

    Returns
    -------
    int
        0.

    Raises
    ------
    PvmError
        NoHost or HostFail.
    """
    code = _pvm.mstat(host)
    if code < 0:
        raise _error_for(code, "mstat", str(host))
    return code


def pstat(tid: int) -> int:
    """
    Return the state of a task as a code; never raises a PvmError.

    Returns
    -------
    int
        0 for a running task, else ``results["NoTask"]``, ``["BadParam"]`` (no
        tid of a task) or ``["SysErr"]`` (no pvmd).
    """
    try:
        return _pvm.pstat(tid)
    except _pvm.SysErrError as failure:
        return failure.code


@_also(flags="flag", ntask="ntasks")
def spawn(
    task: _Name, argv: _Optional[_Iterable[_Name]] = (), flag: int = 0, where: _Optional[_Name] = "", ntasks: int = 1
) -> list[int]:
    """
    Start tasks.

    Parameters
    ----------
    task : str
        The program, with its path or to be found in the pvmd's search path.
    argv : iterable of str
        Its arguments.
    flag : int
        Sum of `spawnOpts`.
    where : str
        Host or architecture as `flag` says; ``"."`` is the local host, and
        ``"host:/folder"`` or ``":/folder"`` sets the working directory. None
        or 0 stand for ``""``.
    ntasks : int
        How many.

    Returns
    -------
    list of int
        `ntasks` numbers: the tids, then a negative code for each task that did
        not start.

    Raises
    ------
    PvmError
        BadParam if `ntasks` is less than 1.
    """
    return list(_pvm.spawn(task, _names(() if argv is None else argv), flag, where or "", ntasks))


def kill(tid: int) -> None:
    """
    End a task with the signal SIGTERM; the own tid ends the caller.

    Raises
    ------
    PvmError
        BadParam for what is not the tid of a task.
    """
    _pvm.kill(tid)


def sendsig(tid: int, signum: int) -> None:
    """
    Send a signal to a task.

    Raises
    ------
    PvmError
        BadParam for what is not the tid of a task.
    """
    _pvm.sendsig(tid, signum)


@_also(cnt="count")
def notify(what: int, msgtag: int, tids: _Optional[_Iterable[int]] = None, count: int = 0) -> None:
    """
    Ask for messages about events.

    Parameters
    ----------
    what : int
        One of `notifyDict`, plus ``NotifyCancel`` to call it off.
    msgtag : int
        Tag of the messages.
    tids : iterable of int
        The tasks (TaskExit, RouteDelete) or pvmds (HostDelete) that are meant.
    count : int
        For HostAdd and RouteAdd: how many messages, -1 without limit, 0 none.

    Raises
    ------
    PvmError
        BadParam for another `what`, a negative tag or what is no tid.
    TypeError
        If `tids` is needed and missing.
    """
    kind = what & ~int(_Notify.CANCEL)
    if kind in (_Notify.HOST_ADD, _Notify.ROUTE_ADD):
        _pvm.notify(what, msgtag, (), count)
        return
    if tids is None:
        if kind in (_Notify.TASK_EXIT, _Notify.HOST_DELETE, _Notify.ROUTE_DELETE):
            raise TypeError("notify() needs tids for this kind of event")
        tids = ()
    _pvm.notify(what, msgtag, list(tids))


def archcode(arch: _Name) -> int:
    """
    Return the signature of the data format of an architecture.

    Returns
    -------
    int
        ``results["NotFound"]``, without an exception, if no host has it.
    """
    try:
        return _pvm.archcode(arch)
    except _pvm.NotFoundError as failure:
        return failure.code


def version(*ignored: _Any) -> str:
    """
    Return the version of the PVM library.
    """
    return _pvm.version()


def perror(msg: _Name = "") -> None:
    """
    Print a text and the meaning of PVM's last error on the standard error.
    """
    _pvm.perror(msg)


def export(name: _Name) -> None:
    """
    Let tasks spawned from now on inherit an environment variable.
    """
    _pvm.export(name)


def unexport(name: _Name) -> None:
    """
    Undo `export`; a name that was not exported does no harm.
    """
    _pvm.unexport(name)


def start_pvmd(args: _Iterable[_Name] = (), block: int = 1) -> None:
    """
    Start the master pvmd on this computer.

    Parameters
    ----------
    args : iterable of str
        Its options and host file.
    block : int
        Whether to wait for the hosts of the host file.

    Raises
    ------
    PvmError
        DupHost if one runs.
    """
    _pvm.start_pvmd(_names(args), bool(block))


def getfds() -> list[int]:
    """
    Return the file descriptors that PVM reads from, the pvmd's first.
    """
    return list(_pvm.getfds())


def siblings() -> list[int]:
    """
    Return the tids of the tasks that one spawn started together with this one.
    """
    return list(_pvm.siblings())


def getnoresets() -> list[int]:
    """
    Return the tids of the tasks that a reset spares.
    """
    return list(_pvm.getnoresets())


def hostsync(dtid: int) -> tuple[float, float]:
    """
    Ask for the clock of a host.

    Parameters
    ----------
    dtid : int
        Tid of its pvmd.

    Returns
    -------
    clock : float
        Its time of day (s).
    delta : float
        Its distance from the local clock (s).
    """
    return _pvm.hostsync(dtid)


def strerror(code: _Optional[int] = None) -> str:
    """
    Return PVM's text for an error code, or for the last error.
    """
    return _pvm.strerror() if code is None else _pvm.strerror(code)


# -- message buffers ----------------------------------------------------------


def initsend(encoding: int = 0) -> int:
    """
    Make a fresh active send buffer; the one before is freed.

    Parameters
    ----------
    encoding : int
        One of `data`. For ``inplace`` the items are copied, as for ``raw``.

    Returns
    -------
    int
        Its identifier.

    Raises
    ------
    PvmError
        BadParam for an unknown encoding.
    """
    return _pvm.initsend(_encoding(encoding))


def mkbuf(encoding: int = 0) -> int:
    """
    Make a message buffer without making it active.

    Parameters
    ----------
    encoding : int
        As for `initsend`.

    Returns
    -------
    int
        Its identifier, to be given to `freebuf` in the end.
    """
    return _pvm.mkbuf(_encoding(encoding))


def _encoding(encoding: int) -> int:
    """Return the encoding to use; items left in place would outlive their owner."""
    return int(_Encoding.RAW) if encoding == _Encoding.IN_PLACE else encoding


def freebuf(bufid: int) -> None:
    """
    Free a message buffer; 0 is allowed and does nothing.

    Raises
    ------
    PvmError
        NoSuchBuf, or BadParam for a negative number.
    """
    _pvm.freebuf(bufid)


def getsbuf() -> int:
    """
    Return the identifier of the active send buffer, 0 if there is none.
    """
    return _pvm.getsbuf()


def getrbuf() -> int:
    """
    Return the identifier of the active receive buffer, 0 if there is none.
    """
    return _pvm.getrbuf()


def setsbuf(bufid: int) -> int:
    """
    Make a buffer the active send buffer.

    Parameters
    ----------
    bufid : int
        0 for none.

    Returns
    -------
    int
        The one before, which is kept; 0 if there was none.
    """
    return _pvm.setsbuf(bufid)


def setrbuf(bufid: int) -> int:
    """
    Make a buffer the active receive buffer.

    Parameters
    ----------
    bufid : int
        0 for none.

    Returns
    -------
    int
        The one before, which is kept; 0 if there was none.
    """
    return _pvm.setrbuf(bufid)


@_also(bifid="bufid")
def bufinfo(bufid: int) -> _BufferInfo:
    """
    Describe a message.

    Returns
    -------
    nbytes : int
        Length of its body, with padding.
    msgtag : int
    tid : int
        The sender.

    Raises
    ------
    PvmError
        NoSuchBuf, or BadParam for 0 and negative numbers.
    """
    return _pvm.bufinfo(bufid)


def getminfo(bufid: int) -> _MessageInfo:
    """
    Return the header of a message.

    Returns
    -------
    namedtuple
        ``len, ctx, tag, wid, enc, crc, src, dst``, all int.
    """
    return _pvm.getminfo(bufid)


def setminfo(bufid: int, **fields: int) -> None:
    """
    Change ``ctx``, ``tag``, ``wid``, ``src`` or ``dst`` of a message.
    """
    _pvm.setminfo(bufid, **fields)


def getmwid(bufid: int) -> int:
    """
    Return the wait identifier of a message.
    """
    return _pvm.getminfo(bufid).wid


def setmwid(bufid: int, waitid: int) -> None:
    """
    Set the wait identifier of a message.
    """
    _pvm.setminfo(bufid, wid=waitid)


# -- packing ------------------------------------------------------------------


def _packer(name: str, items: str) -> _Callable[..., None]:
    """Return the old packing function `name`, which takes `items`."""
    pack = getattr(_pvm, name)

    @_also(data="list", items="list")
    def call(list: _Iterable[_Any], stride: int = 1) -> None:
        pack(list, stride)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"""
    Pack {items} into the active send buffer.

    Parameters
    ----------
    list : sequence or buffer
        The items; an array of the same type is packed without a loop.
    stride : int
        Distance of the items to be packed: 2 takes every other one.

    Raises
    ------
    PvmError
        NoBuf without a send buffer, Overflow for a number that is too large.
    TypeError
        For other things; ValueError for a stride below 1.
    """
    return call


pkshort = _packer("pkshort", "short ints (16 bits)")
pkushort = _packer("pkushort", "unsigned short ints (16 bits)")
pkint = _packer("pkint", "ints (32 bits)")
pkuint = _packer("pkuint", "unsigned ints (32 bits)")
pklong = _packer("pklong", "long ints (64 bits, in the default encoding 32)")
pkulong = _packer("pkulong", "unsigned long ints (64 bits, in the default encoding 32)")
pkfloat = _packer("pkfloat", "floats of single precision")
pkdouble = _packer("pkdouble", "floats of double precision")
pkcplx = _packer("pkcplx", "complex numbers of single precision")
pkdcplx = _packer("pkdcplx", "complex numbers of double precision")


@_also(data="list", items="list")
def pkbyte(list: _Iterable[_Union[_Name, int]], stride: int = 1) -> None:
    """
    Pack bytes into the active send buffer.

    Parameters
    ----------
    list : sequence or buffer
        Bytes, or a list of characters (``""`` is a zero) and of ints from -128
        to 255.
    stride : int
        Distance of the items to be packed: 2 takes every other one.

    Raises
    ------
    PvmError
        NoBuf without a send buffer, Overflow for a number that is too large.
    TypeError
        For other things; ValueError for a stride below 1.
    """
    if isinstance(list, str):
        raise TypeError("pkbyte() packs bytes or a list of characters; pkstr() packs a string")
    try:
        view = memoryview(list)  # type: ignore[arg-type]
    except TypeError:
        view = memoryview(bytes(map(_byte, list)))
    _pvm.pkbyte(view, stride)


def _byte(item: _Union[_Name, int]) -> int:
    """Return a character or signed number as unsigned byte."""
    if isinstance(item, (str, bytes)):
        if len(item) > 1:
            raise TypeError(f"pkbyte() packs single characters, not {item!r}")
        number = ord(item or "\0")
    else:
        number = _operator.index(item)
    if not -128 <= number <= 255:
        raise _error_for(_pvm.Code.OVERFLOW, "pkbyte")
    return number & 255


def pkstr(str: _Name) -> None:
    """
    Pack a string into the active send buffer.

    Parameters
    ----------
    str : str or bytes
        Text goes out as UTF-8; zeros and any other byte arrive as they are.
    """
    _pvm.pkstr(str)


def pkbytestr(string: _Any) -> None:
    """
    Pack bytes with their number before them.

    Parameters
    ----------
    string : bytes-like
        Less than 4 GiB.
    """
    with memoryview(string) as view:
        _pvm.pkuint([view.nbytes])
        _pvm.pkbyte(view)


def pack_by_type(arg: _Any, *ignored: _Any) -> None:
    """
    Pack ints as long, floats as double, and strings.

    The message does not tell which types were packed; who unpacks it must know.

    Parameters
    ----------
    arg : int, float, str, bytes, or list or tuple of them

    Raises
    ------
    TypeError
        For other things. What stands before them in the list is packed already.
    """
    for item in arg if isinstance(arg, (list, tuple)) else (arg,):
        if isinstance(item, (str, bytes)):
            _pvm.pkstr(item)
        elif isinstance(item, float):
            _pvm.pkdouble([item])
        elif hasattr(item, "__index__"):
            _pvm.pklong([item])
        else:
            raise TypeError(f"pack_by_type() packs int, float and str, not {type(item).__name__}")


def pk_dump(obj: _Any) -> bytes:
    """
    Return an object as `pk` packs it.
    """
    return _pickle.dumps(obj, _pickle.HIGHEST_PROTOCOL)


def pk(obj: _Any) -> None:
    """
    Pack any object that pickle can carry, after what was packed before.

    Parameters
    ----------
    obj : object
        Errors of pickle pass through.
    """
    pkbytestr(pk_dump(obj))


def pkmesg(bufid: int) -> None:
    """
    Pack a whole message with its header into the active send buffer.

    Raises
    ------
    PvmError
        BadParam for the active send buffer itself.
    """
    _pvm.pkmesg(bufid)


def pkmesgbody(bufid: int) -> None:
    """
    Pack the body of a message into the active send buffer.

    Raises
    ------
    PvmError
        BadParam for the active send buffer itself.
    """
    _pvm.pkmesgbody(bufid)


def packf(fmt: str, *values: _Any) -> None:
    """
    Pack several values by a format, as ``pvm_packf`` does.

    Parameters
    ----------
    fmt : str
        Such as ``"%+ %d %4lf %s"``; see `pvm_ext.packf`.
    *values
        What the format asks for.
    """
    _pvm.packf(fmt, *values)


# -- unpacking ----------------------------------------------------------------


def _unpacker(name: str, items: str) -> _Callable[..., list[_Any]]:
    """Return the old unpacking function `name`, which gives `items`."""
    unpack = getattr(_pvm, name)

    def call(nitem: int, stride: int = 1) -> list[_Any]:
        return list(unpack(nitem, stride))

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"""
    Unpack {items} from the active receive buffer.

    Parameters
    ----------
    nitem : int
        How many.
    stride : int
        Has no effect: the result is always dense.

    Returns
    -------
    list
        `nitem` numbers.

    Raises
    ------
    PvmError
        NoData if the message has too little left, NoBuf without a receive
        buffer, BadParam for a negative number of items.
    ValueError
        For a stride below 1.
    """
    return call


upkbyte = _unpacker("upkbyte", "bytes, as numbers from -128 to 127,")
upkshort = _unpacker("upkshort", "short ints (16 bits)")
upkushort = _unpacker("upkushort", "unsigned short ints (16 bits)")
upkint = _unpacker("upkint", "ints (32 bits)")
upkuint = _unpacker("upkuint", "unsigned ints (32 bits)")
upklong = _unpacker("upklong", "long ints (64 bits, in the default encoding 32)")
upkulong = _unpacker("upkulong", "unsigned long ints (64 bits, in the default encoding 32)")
upkfloat = _unpacker("upkfloat", "floats of single precision")
upkdouble = _unpacker("upkdouble", "floats of double precision")
upkcplx = _unpacker("upkcplx", "complex numbers of single precision")
upkdcplx = _unpacker("upkdcplx", "complex numbers of double precision")


def upkbytes(nitem: int) -> bytes:
    """
    Unpack bytes from the active receive buffer.

    Parameters
    ----------
    nitem : int
        How many.
    """
    return _pvm.upkbytes(nitem)


def upkstr(*ignored: _Any, raw: bool = False) -> _Name:
    """
    Unpack a string from the active receive buffer.

    Parameters
    ----------
    raw : bool
        Whether to give the bytes instead of decoding them as UTF-8. Other
        encodings come through either way: `pkstr` sends what `upkstr` gave.

    Raises
    ------
    PvmError
        NoData at the end of the message, NoBuf without a receive buffer.
    """
    return _pvm.upkstr(raw=True) if raw else _pvm.upkstr()


def upkbytestr() -> bytes:
    """
    Unpack bytes that were packed by `pkbytestr` or `pkstr`.

    Bytes that were packed as a string end with the zero of that string.
    """
    return upkbytes(_pvm.upkuint(1)[0])


def upk() -> _Any:
    """
    Unpack an object that was packed by `pk`, also by that of an older version.

    This unpickles, so only messages of trusted tasks should be given to it.

    Returns
    -------
    object
        Errors of pickle pass through.
    """
    return _pickle.loads(upkbytestr())


def unpackf(fmt: str, *counts: int) -> tuple[_Any, ...]:
    """
    Unpack several values by a format, as ``pvm_unpackf`` does.

    Parameters
    ----------
    fmt : str
        As for `packf`.
    *counts : int
        For each ``*`` of the format.

    Returns
    -------
    tuple
        For each item a number or string, or a list where the format has a count.
    """
    return _pvm.unpackf(fmt, *counts)


def upkmesg() -> int:
    """
    Unpack a message that was packed by `pkmesg`.

    Returns
    -------
    int
        The identifier of the new buffer.
    """
    return _pvm.upkmesg()


# -- sending and receiving ----------------------------------------------------


def send(tid: int, msgtag: int) -> None:
    """
    Send the active send buffer to a task; it can be sent again.

    Raises
    ------
    PvmError
        NoBuf without a send buffer, BadParam for what is no tid of a task and
        for a negative tag. A task that has ended is no error.
    """
    _pvm.send(tid, msgtag)


def mcast(tids: _Iterable[int], msgtag: int) -> None:
    """
    Send the active send buffer to several tasks, but never to the caller.

    Raises
    ------
    PvmError
        As for `send`.
    """
    _pvm.mcast(list(tids), msgtag)


def psend_str(encoding: int, tid: int, msgtag: int, string: _Name) -> None:
    """
    Send one string, replacing the active send buffer.

    Parameters
    ----------
    encoding : int
        One of `data`.
    tid, msgtag : int
        Where to and as what.
    string : str or bytes
        As for `pkstr`.
    """
    initsend(encoding)
    pkstr(string)
    send(tid, msgtag)


def recv(tid: int = -1, msgtag: int = -1) -> int:
    """
    Wait for a message and make it the active receive buffer.

    Parameters
    ----------
    tid, msgtag : int
        Sender and tag, -1 for any.

    Returns
    -------
    int
        Its identifier.
    """
    return _pvm.recv(tid, msgtag)


def nrecv(tid: int = -1, msgtag: int = -1) -> int:
    """
    Make a message that has arrived the active receive buffer.

    The active receive buffer from before is freed in any case.

    Parameters
    ----------
    tid, msgtag : int
        Sender and tag, -1 for any.

    Returns
    -------
    int
        Its identifier, 0 if there is none.
    """
    return _pvm.nrecv(tid, msgtag)


def probe(tid: int = -1, msgtag: int = -1) -> int:
    """
    Look for a message without receiving it.

    Parameters
    ----------
    tid, msgtag : int
        Sender and tag, -1 for any.

    Returns
    -------
    int
        Its identifier, good for `bufinfo`; 0 if there is none.
    """
    return _pvm.probe(tid, msgtag)


def trecv(timeout: _Optional[float], msgtag: int = -1, tid: int = -1) -> int:
    """
    Wait for a message for a limited time; mind the order of the arguments.

    Parameters
    ----------
    timeout : float
        Limit (s); 0 or less only looks, None waits without limit.
    msgtag, tid : int
        Tag and sender, -1 for any.

    Returns
    -------
    int
        The identifier of the message, which is the active receive buffer then;
        0 if none came.
    """
    return _pvm.trecv(tid, msgtag, timeout)


def psend(tid: int, msgtag: int, data: _Any, datatype: _Optional[int] = None) -> None:
    """
    Pack and send an array as one step, leaving the active send buffer alone.

    Parameters
    ----------
    tid, msgtag : int
        Where to and as what.
    data : sequence or buffer
        The items, sent as they are in memory.
    datatype : int
        One of ``PVM_BYTE`` to ``PVM_ULONG``; can be left out for arrays that
        know their type.
    """
    _pvm.psend(tid, msgtag, data, datatype)


def precv(tid: int, msgtag: int, nitem: int, datatype: int) -> tuple[_Any, int, int, int]:
    """
    Wait for a message of `psend` and unpack it.

    Parameters
    ----------
    tid, msgtag : int
        Sender and tag, -1 for any.
    nitem : int
        How many items there is room for.
    datatype : int
        One of ``PVM_BYTE`` to ``PVM_ULONG``.

    Returns
    -------
    data : list
        The items, at most `nitem`.
    tid, msgtag : int
        Of the message.
    nbytes : int
        Its full length.
    """
    return _pvm.precv(tid, msgtag, nitem, datatype)


def addmhf(src: int, tag: int, ctx: int, func: _Callable[[int], _Any]) -> int:
    """
    Have a function called for certain messages as soon as they arrive.

    Parameters
    ----------
    src, tag, ctx : int
        Sender, tag and context, -1 for any.
    func : callable
        Gets the identifier of the message, which is active then. It may send,
        but neither receive nor multicast.

    Returns
    -------
    int
        Number of the handler, for `delmhf`.
    """
    return _pvm.addmhf(src, tag, ctx, func)


def delmhf(mhid: int) -> None:
    """
    Remove a message handler.
    """
    _pvm.delmhf(mhid)


def recvf(func: _Any) -> _Any:
    """
    Replace the function that decides which message a receive takes.

    Parameters
    ----------
    func : callable or None
        ``func(bufid, tid, msgtag)``; None for PVM's own.

    Returns
    -------
    callable or None
        The one before.
    """
    return _pvm.recvf(func)


# -- groups -------------------------------------------------------------------

#: What `reduce` combines with, besides functions of one's own.
PvmMax, PvmMin, PvmSum, PvmProduct = "max", "min", "sum", "product"


def joingroup(group: _Name) -> int:
    """
    Join a group, starting the group server if none runs.

    Returns
    -------
    int
        The instance number, 0 or more.

    Raises
    ------
    PvmError
        DupGroup if the task is a member, NullGroup for ``""``.
    """
    return _pvm.joingroup(group)


def lvgroup(group: _Name) -> None:
    """
    Leave a group.

    Raises
    ------
    PvmError
        NoGroup, NotInGroup.
    """
    _pvm.lvgroup(group)


def gsize(group: _Name) -> int:
    """
    Return the number of members of a group.

    Raises
    ------
    PvmError
        NoGroup, NullGroup.
    """
    return _pvm.gsize(group)


@_also(inum="instance")
def gettid(group: _Name, instance: int) -> int:
    """
    Return the tid of a member of a group.

    Raises
    ------
    PvmError
        NoGroup, NoInst.
    """
    return _pvm.gettid(group, instance)


def getinst(group: _Name, tid: int) -> int:
    """
    Return the instance number of a member of a group.

    Raises
    ------
    PvmError
        NoGroup, NotInGroup.
    """
    return _pvm.getinst(group, tid)


def barrier(group: _Name, count: int) -> None:
    """
    Wait until a number of members have called this.

    Parameters
    ----------
    group : str
    count : int
        The number, the same in all calls.

    Raises
    ------
    PvmError
        NoGroup, NotInGroup, BadParam, Mismatch (another count than before).
    """
    _pvm.barrier(group, count)


def bcast(group: _Name, msgtag: int) -> None:
    """
    Send the active send buffer to all other members of a group.

    Raises
    ------
    PvmError
        NoGroup, NoBuf; NoInst if there are no other members.
    """
    _pvm.bcast(group, msgtag)


def freezegroup(group: _Name, size: int = -1) -> int:
    """
    Wait for all members and make a group static, for good.

    Parameters
    ----------
    group : str
    size : int
        Number of members, -1 for as many as have joined.

    Returns
    -------
    int
        Number of members.
    """
    return _pvm.freezegroup(group, size)


def reduce(func: _Any, data: _Any, datatype: int, msgtag: int, group: _Name, root: int) -> _Optional[list[_Any]]:
    """
    Combine the data of all members of a group, item by item.

    Parameters
    ----------
    func : str or callable
        `PvmMax`, `PvmMin`, `PvmSum`, `PvmProduct`, or a function of two lists that
        returns the combined one.
    data : sequence or buffer
        The own items, as many in each member.
    datatype : int
        One of ``PVM_BYTE`` to ``PVM_ULONG``.
    msgtag : int
        Tag of the messages.
    group : str
    root : int
        Instance number of the member that gets the result.

    Returns
    -------
    list or None
        The result on the root.
    """
    return _pvm.reduce(func, data, datatype, msgtag, group, root)


def gather(data: _Any, datatype: int, msgtag: int, group: _Name, root: int) -> _Optional[list[_Any]]:
    """
    Collect the data of all members of a group, in the order of their instances.

    Parameters
    ----------
    data : sequence or buffer
        The own items, as many in each member.
    datatype, msgtag, group, root
        As for `reduce`.

    Returns
    -------
    list or None
        The items of all on the root.
    """
    return _pvm.gather(data, datatype, msgtag, group, root)


def scatter(data: _Any, count: int, datatype: int, msgtag: int, group: _Name, root: int) -> list[_Any]:
    """
    Hand the data of the root out to all members of a group.

    Parameters
    ----------
    data : sequence, buffer or None
        `count` items for each member; used on the root alone.
    count : int
        How many items each member gets.
    datatype, msgtag, group, root
        As for `reduce`.

    Returns
    -------
    list
        The own part.
    """
    return _pvm.scatter(data, count, datatype, msgtag, group, root)


# -- mailbox ------------------------------------------------------------------


def insert(name: _Name, index: int, data: int) -> int:
    """
    Store a number under a name in the virtual machine.

    Parameters
    ----------
    name : str
    index : int
        Where, -1 for the first free place.
    data : int
        The number (32 bits).

    Returns
    -------
    int
        The index used.

    Raises
    ------
    PvmError
        DupEntry if the place is taken, BadParam for a bad index or name.
    """
    return _pvm.insert(name, index, data)


def lookup(name: _Name, index: int) -> int:
    """
    Return a number that `insert` stored.

    Parameters
    ----------
    name : str
    index : int
        Its place, -1 for the first.

    Raises
    ------
    PvmError
        NoEntry.
    """
    return _pvm.lookup(name, index)[1]


def lookup_entry(name: _Name, index: int) -> tuple[int, int]:
    """
    Return a number that `insert` stored, and its place.

    Parameters
    ----------
    name : str
    index : int
        Its place, -1 for the first.

    Returns
    -------
    index : int
    data : int
    """
    return _pvm.lookup(name, index)


def delete(name: _Name, index: int) -> None:
    """
    Remove a number that `insert` stored.

    Raises
    ------
    PvmError
        NoEntry, or BadParam for an index below 0.
    """
    _pvm.delete(name, index)


def putinfo(name: _Name, bufid: _Optional[int] = None, flags: int = 0) -> int:
    """
    Store a message under a name in the virtual machine.

    Parameters
    ----------
    name : str
    bufid : int
        The message, by default the active send buffer.
    flags : int
        Sum of ``PvmMbox...``.

    Returns
    -------
    int
        The index used.

    Raises
    ------
    PvmError
        Exists, Denied.
    """
    return _pvm.putinfo(name, getsbuf() if bufid is None else bufid, flags)


def recvinfo(name: _Name, index: int = 0, flags: int = 0) -> int:
    """
    Fetch a message that is stored under a name.

    Parameters
    ----------
    name : str
    index : int
        Its place.
    flags : int
        Sum of ``PvmMbox...``.

    Returns
    -------
    int
        The identifier of the message, which is the active receive buffer then.

    Raises
    ------
    PvmError
        NotFound.
    """
    return _pvm.recvinfo(name, index, flags)


def delinfo(name: _Name, index: int = 0, flags: int = 0) -> None:
    """
    Remove a message that is stored under a name.

    Raises
    ------
    PvmError
        NotFound, Denied.
    """
    _pvm.delinfo(name, index, flags)


def getmboxinfo(pattern: _Name = "*") -> list[tuple[str, list[_MailboxEntry]]]:
    """
    List what is stored under names.

    Parameters
    ----------
    pattern : str
        The beginning of the names.

    Returns
    -------
    list of (name, [(index, owner, flags), ...])
        ``owner`` is a tid, 0 if that task is gone.
    """
    return _pvm.getmboxinfo(pattern)


# -- contexts -----------------------------------------------------------------


def newcontext(*ignored: _Any) -> int:
    """
    Allocate a message context without making it the current one.
    """
    return _pvm.newcontext()


@_also(new_ctx="newctx")
def setcontext(newctx: int) -> int:
    """
    Make a message context the current one.

    Returns
    -------
    int
        The one before.

    Raises
    ------
    ValueError
        If it is negative.
    """
    return _pvm.setcontext(newctx)


def getcontext(*ignored: _Any) -> int:
    """
    Return the current message context, 0 at the start.
    """
    return _pvm.getcontext()


def freecontext(ctx: int) -> None:
    """
    Give a message context back.

    Raises
    ------
    PvmError
        NoEntry if it is not allocated.
    """
    _pvm.freecontext(ctx)


# -- options, output, tracing -------------------------------------------------


def getopt(what: int) -> int:
    """
    Return the value of an option.

    Parameters
    ----------
    what : int
        One of `opt`.

    Raises
    ------
    PvmError
        BadParam for an unknown option.
    """
    return _pvm.getopt(what)


@_also(value="val")
def setopt(what: int, val: int) -> int:
    """
    Set an option.

    Parameters
    ----------
    what : int
        One of `opt`.
    val : int
        The new value.

    Returns
    -------
    int
        The value before.

    Raises
    ------
    PvmError
        BadParam for an unknown option or a bad value.
    """
    return _pvm.setopt(what, val)


@_also(ff="file")
def catchout(file: _Any = None) -> None:
    """
    Collect what tasks that are spawned from now on print.

    Nothing arrives but while the program is inside some function of PVM.

    Parameters
    ----------
    file : file or None
        Any object with a ``write`` method, for text or for bytes. None ends the
        collection for later tasks.

    Raises
    ------
    TypeError
        For other objects.
    """
    _pvm.catchout(file)


def gettmask(who: int) -> str:
    """
    Return the trace mask.

    Parameters
    ----------
    who : int
        `PvmTaskSelf` or `PvmTaskChild`.
    """
    return _pvm.gettmask(who)


def settmask(who: int, mask: _Name) -> None:
    """
    Set the trace mask.

    Parameters
    ----------
    who : int
        `PvmTaskSelf` or `PvmTaskChild`.
    mask : str
        As `gettmask` gives it.
    """
    _pvm.settmask(who, mask)


# -- taking over parts of the pvmd --------------------------------------------


def reg_tasker() -> None:
    """
    Take over the starting of tasks on this host.
    """
    _pvm.reg_tasker()


register_tasker = reg_tasker


def reg_hoster() -> None:
    """
    Take over the starting of pvmds.

    Raises
    ------
    PvmError
        HostrNMstr on another host than the master.
    """
    _pvm.reg_hoster()


def reg_rm() -> _Any:
    """
    Take over the decision where tasks are started.
    """
    return _pvm.reg_rm()
