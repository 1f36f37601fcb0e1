"""
The dictionaries, constants and exceptions of ``pypvm``, under their old names.

Old programs know two dialects: dictionaries (``spawnOpts["TaskHost"]``) and
module-level constants with the prefix of the C header (``PvmTaskHost``). The
dictionaries below are the one source; the constants are made from them.
All values are those of PVM 3.4.
"""

from typing import Union as _Union

from pvm_ext import errors as _errors

Ok = 0

data = {"default": 0, "raw": 1, "inplace": 2}

spawnOpts = {
    "TaskDefault": 0,
    "TaskHost": 1,
    "TaskArch": 2,
    "TaskDebug": 4,
    "TaskTrace": 8,
    "MppFront": 16,
    "HostCompl": 32,
    "NoSpawnParent": 64,
}

notifyDict = {
    "TaskExit": 1,
    "HostDelete": 2,
    "HostAdd": 3,
    "RouteAdd": 4,
    "RouteDelete": 5,
    "NotifyCancel": 256,
}

#: Options and their settings, mixed in one dictionary as they always were.
opt = {
    "Route": 1,
    "DontRoute": 1,
    "AllowDirect": 2,
    "RouteDirect": 3,
    "DebugMask": 2,
    "AutoErr": 3,
    "OutputTid": 4,
    "OutputCode": 5,
    "TraceTid": 6,
    "TraceCode": 7,
    "TraceBuffer": 8,
    "TraceOptions": 9,
    "TraceFull": 1,
    "TraceTime": 2,
    "TraceCount": 3,
    "FragSize": 10,
    "ResvTids": 11,
    "SelfOutputTid": 12,
    "SelfOutputCode": 13,
    "SelfTraceTid": 14,
    "SelfTraceCode": 15,
    "SelfTraceBuffer": 16,
    "SelfTraceOptions": 17,
    "ShowTids": 18,
    "PollType": 19,
    "PollConstant": 1,
    "PollSleep": 2,
    "PollTime": 20,
    "OutputContext": 21,
    "TraceContext": 22,
    "SelfOutputContext": 23,
    "SelfTraceContext": 24,
    "NoReset": 25,
    "TaskSelf": 0,
    "TaskChild": 1,
}

#: Where PVM 3.3 and 3.4 name one code differently the name of 3.4 stands last,
#: so that a reversed copy of the dictionary yields it.
results = {
    "Ok": 0,
    "BadParam": -2,
    "Mismatch": -3,
    "Overflow": -4,
    "NoData": -5,
    "NoHost": -6,
    "NoFile": -7,
    "DupEntry": -8,
    "Denied": -8,
    "NoMem": -10,
    "BadMsg": -12,
    "SysErr": -14,
    "NoBuf": -15,
    "NoSuchBuf": -16,
    "NullGroup": -17,
    "DupGroup": -18,
    "NoGroup": -19,
    "NotInGroup": -20,
    "NoInst": -21,
    "HostFail": -22,
    "NoParent": -23,
    "NotImpl": -24,
    "DSysErr": -25,
    "BadVersion": -26,
    "OutOfRes": -27,
    "DupHost": -28,
    "CantStart": -29,
    "Already": -30,
    "NoTask": -31,
    "NoEntry": -32,
    "NotFound": -32,
    "Exists": -33,
    "HostrNMstr": -34,
    "ParentNotSet": -35,
    "IPLoopback": -36,
}

PvmDataDefault = PvmDataFoo = 0
PvmDataRaw = 1
PvmDataInPlace = 2
PvmDataTrace = 4

PvmBaseContext = 0

PvmMboxDefault = 0
PvmMboxPersistent = 1
PvmMboxMultiInstance = 2
PvmMboxOverWritable = 4
PvmMboxFirstAvail = 8
PvmMboxReadAndDelete = 16
PvmMboxWaitForInfo = 32
PvmMboxMaxFlag = 512
PvmMboxDirectIndexShift = 10
PvmMboxMaxDirectIndex = 1 << (31 - PvmMboxDirectIndexShift)

PVM_STR = 0
PVM_BYTE = 1
PVM_SHORT = 2
PVM_INT = 3
PVM_FLOAT = 4
PVM_CPLX = 5
PVM_DOUBLE = 6
PVM_DCPLX = 7
PVM_LONG = 8
PVM_USHORT = 9
PVM_UINT = 10
PVM_ULONG = 11

PVM_MAJOR_VERSION = 3
PVM_MINOR_VERSION = 4
PVM_PATCH_VERSION = 6

PVMNORESETCLASS = "###_PVM_NO_RESET_###"
PVMHOSTERCLASS = "###_PVM_HOSTER_###"
PVMTASKERCLASS = "###_PVM_TASKER_###"
PVMTRACERCLASS = "###_PVM_TRACER_###"
PVMRMCLASS = "###_PVM_RM_###"


def PvmMboxDirectIndex(index: int) -> int:
    """
    Turn a mailbox index into the flag bits that ask for it.

    Parameters
    ----------
    index : int
        The wanted index, below `PvmMboxMaxDirectIndex`.

    Returns
    -------
    int
        Bits to be added to the other mailbox flags.

    Raises
    ------
    ValueError
        If the index does not fit in the flags.
    """
    if not 0 <= index < PvmMboxMaxDirectIndex:
        raise ValueError(f"mailbox index {index} is not in 0..{PvmMboxMaxDirectIndex - 1}")
    return index << PvmMboxDirectIndexShift


def PvmMboxDirectIndexOf(flags: int) -> int:
    """
    Return the mailbox index that is asked for by flag bits.

    Parameters
    ----------
    flags : int
        Mailbox flags.

    Returns
    -------
    int
        The index, 0 if none is asked for.
    """
    return flags >> PvmMboxDirectIndexShift & PvmMboxMaxDirectIndex - 1


PvmError = PypvmError = error = _errors.PvmError

#: Codes as plain ints, and below ``"<Name>Str"`` the class to be caught.
exception: dict[str, _Union[int, type[_errors.PvmError]]] = dict(results)
exceptions = exception

for _table in (spawnOpts, notifyDict, opt, results):
    for _name, _value in _table.items():
        globals()["Pvm" + _name] = _value

for _name, _value in results.items():
    if _value < 0:
        _class = _errors.ERRORS[_value]
        globals()[_name + "Exception"] = exception[_name + "Str"] = _class

unknownPVMerrorCodeException = _errors.UnknownPvmError
exception["unknownPVMerrorCodeStr"] = unknownPVMerrorCodeException
