"""
``pypvm``, the low-level module of old PVM programs, for Python 3.

Every function of the historic module is here under its name, with its arguments
in their order, in both dialects that programs were written in: the dictionaries
(``spawnOpts["TaskHost"]``, ``data["raw"]``, ...) and the constants with the
prefix of the C header (``PvmTaskHost``, ``PvmDataRaw``, ...). The work is done by
`pvm_ext`; what is left to this package are the old signatures and the shapes of
the results. New programs are better off with `pvm_ext` itself.

All failures are exceptions derived from `PvmError`, in whose ``args`` stands the
code. Tids, message tags and buffer identifiers are plain ints.

Public are all names without a leading underscore, as ever; so the modules that
they come from have one, and no ``pypvm.tasks`` is at times a function and at times
a module. ``from pypvm import *`` brings what it always brought, and of what is new
nothing that hides a name of Python's or of the program's (`__all__`).
"""

from biskit_pvm.compat.pypvm._buffers import (
    bufinfo,
    freebuf,
    getminfo,
    getmwid,
    getrbuf,
    getsbuf,
    initsend,
    mkbuf,
    setminfo,
    setmwid,
    setrbuf,
    setsbuf,
)
from biskit_pvm.compat.pypvm._constants import *
from biskit_pvm.compat.pypvm._daemons import (
    getnoresets,
    halt,
    reg_hoster,
    reg_rm,
    reg_tasker,
    register_tasker,
    start_pvmd,
)
from biskit_pvm.compat.pypvm._groups import (
    PvmMax,
    PvmMin,
    PvmProduct,
    PvmSum,
    barrier,
    bcast,
    freezegroup,
    gather,
    getinst,
    gettid,
    gsize,
    joingroup,
    lvgroup,
    reduce,
    scatter,
)
from biskit_pvm.compat.pypvm._hosts import (
    addhosts,
    archcode,
    config,
    configuration,
    delhosts,
    hostinfo,
    hostsync,
    mstat,
    narch,
    number_of_architectures,
    tidtohost,
)
from biskit_pvm.compat.pypvm._mailbox import (
    delete,
    delinfo,
    getmboxinfo,
    insert,
    lookup,
    lookup_entry,
    putinfo,
    recvinfo,
)
from biskit_pvm.compat.pypvm._messages import (
    addmhf,
    delmhf,
    getfds,
    mcast,
    nrecv,
    precv,
    probe,
    psend,
    psend_str,
    recv,
    recvf,
    send,
    trecv,
)
from biskit_pvm.compat.pypvm._options import (
    catchout,
    freecontext,
    getcontext,
    getopt,
    gettmask,
    newcontext,
    perror,
    setcontext,
    setopt,
    settmask,
    strerror,
    version,
)
from biskit_pvm.compat.pypvm._packing import (
    pack_by_type,
    packf,
    pk,
    pk_dump,
    pkbyte,
    pkbytestr,
    pkcplx,
    pkdcplx,
    pkdouble,
    pkfloat,
    pkint,
    pklong,
    pkmesg,
    pkmesgbody,
    pkshort,
    pkstr,
    pkuint,
    pkulong,
    pkushort,
    unpackf,
    upk,
    upkbyte,
    upkbytes,
    upkbytestr,
    upkcplx,
    upkdcplx,
    upkdouble,
    upkfloat,
    upkint,
    upklong,
    upkmesg,
    upkshort,
    upkstr,
    upkuint,
    upkulong,
    upkushort,
)
from biskit_pvm.compat.pypvm._tasks import (
    exit,
    export,
    kill,
    mytid,
    notify,
    parent,
    pstat,
    sendsig,
    siblings,
    spawn,
    tasks,
    unexport,
)

# What the module of old brought to whoever imported everything.
_OF_OLD = """
    Ok data exception notifyDict opt results spawnOpts

    addhosts archcode barrier bcast bufinfo catchout config delete delhosts exit export freebuf freecontext getcontext
    getinst getopt getrbuf getsbuf gettid gsize halt hostinfo initsend insert joingroup kill lookup lvgroup mcast mkbuf
    mstat mytid narch newcontext notify nrecv pack_by_type parent perror pkbyte pkdouble pkfloat pkint pklong pkshort
    pkstr probe psend_str pstat recv send sendsig setcontext setopt setrbuf setsbuf spawn tasks tidtohost trecv unexport
    upkbyte upkdouble upkfloat upkint upklong upkshort upkstr version
""".split()

# The other dialect had ``pk`` and ``upk``; its constants and classes have names that nobody else takes.
__all__ = [
    *_OF_OLD,
    "pk",
    "upk",
    *(_name for _name in sorted(globals()) if _name.startswith(("Pvm", "PVM", "Pypvm")) or _name.endswith("Exception")),
]
