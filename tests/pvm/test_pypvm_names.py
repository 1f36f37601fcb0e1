"""The names, dictionaries and constants of pypvm, in both dialects."""

import builtins
import functools
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pypvm
import pypvm_core
import pytest

from biskit_pvm.compat import pypvm as implementation
from pvm_ext import constants

FUNCTIONS = {
    "addhosts": ["hostlist"], "archcode": ["arch"], "barrier": ["group", "count"],
    "bcast": ["group", "msgtag"], "bufinfo": ["bufid"], "catchout": ["file"], "config": [],
    "delete": ["name", "index"], "delhosts": ["hostlist"], "exit": [], "export": ["name"],
    "freebuf": ["bufid"], "freecontext": ["ctx"], "getcontext": [],
    "getinst": ["group", "tid"], "getopt": ["what"], "getrbuf": [], "getsbuf": [],
    "gettid": ["group", "instance"], "gsize": ["group"], "halt": [], "hostinfo": [],
    "initsend": ["encoding"], "insert": ["name", "index", "data"], "joingroup": ["group"],
    "kill": ["tid"], "lookup": ["name", "index"], "lvgroup": ["group"],
    "mcast": ["tids", "msgtag"], "mkbuf": ["encoding"], "mstat": ["host"], "mytid": [],
    "narch": [], "newcontext": [], "notify": ["what", "msgtag", "tids", "count"],
    "nrecv": ["tid", "msgtag"], "pack_by_type": ["arg"], "parent": [], "perror": ["msg"],
    "pk": ["obj"], "pkbyte": ["list", "stride"], "pkdouble": ["list", "stride"],
    "pkfloat": ["list", "stride"], "pkint": ["list", "stride"], "pklong": ["list", "stride"],
    "pkshort": ["list", "stride"], "pkstr": ["str"], "probe": ["tid", "msgtag"],
    "psend_str": ["encoding", "tid", "msgtag", "string"], "pstat": ["tid"],
    "recv": ["tid", "msgtag"], "send": ["tid", "msgtag"], "sendsig": ["tid", "signum"],
    "setcontext": ["newctx"], "setopt": ["what", "val"], "setrbuf": ["bufid"],
    "setsbuf": ["bufid"], "spawn": ["task", "argv", "flag", "where", "ntasks"],
    "tasks": ["tid"], "tidtohost": ["tid"], "trecv": ["timeout", "msgtag", "tid"],
    "unexport": ["name"], "upk": [], "upkbyte": ["nitem", "stride"],
    "upkdouble": ["nitem", "stride"], "upkfloat": ["nitem", "stride"],
    "upkint": ["nitem", "stride"], "upklong": ["nitem", "stride"],
    "upkshort": ["nitem", "stride"], "upkstr": [], "version": [],
}  # fmt: skip

MORE_FUNCTIONS = """
    addmhf configuration delinfo delmhf freezegroup gather getfds getmboxinfo getminfo getmwid
    getnoresets gettmask hostsync lookup_entry number_of_architectures packf pk_dump pkbytestr
    pkcplx pkdcplx pkmesg pkmesgbody pkuint pkulong pkushort precv psend putinfo recvf recvinfo
    reduce reg_hoster reg_rm reg_tasker register_tasker scatter setminfo setmwid settmask siblings
    start_pvmd strerror unpackf upkbytes upkbytestr upkcplx upkdcplx upkmesg upkuint upkulong
    upkushort PvmMboxDirectIndex PvmMboxDirectIndexOf
""".split()

DICTIONARIES = {
    "data": {"default": 0, "raw": 1},
    "spawnOpts": {
        "TaskDefault": 0, "TaskHost": 1, "TaskArch": 2, "TaskDebug": 4, "TaskTrace": 8,
        "MppFront": 16, "HostCompl": 32, "NoSpawnParent": 64,
    },
    "notifyDict": {
        "TaskExit": 1, "HostDelete": 2, "HostAdd": 3, "RouteAdd": 4, "RouteDelete": 5,
        "NotifyCancel": 256,
    },
    "opt": {
        "Route": 1, "DontRoute": 1, "AllowDirect": 2, "RouteDirect": 3, "DebugMask": 2,
        "AutoErr": 3, "OutputTid": 4, "OutputCode": 5, "TraceTid": 6, "TraceCode": 7,
        "FragSize": 10, "ResvTids": 11, "SelfOutputTid": 12, "SelfOutputCode": 13,
        "SelfTraceTid": 14, "SelfTraceCode": 15, "ShowTids": 18, "PollType": 19,
        "PollConstant": 1, "PollSleep": 2, "PollTime": 20, "TaskSelf": 0, "TaskChild": 1,
        "TraceBuffer": 8, "TraceOptions": 9, "TraceFull": 1, "TraceTime": 2, "TraceCount": 3,
        "SelfTraceBuffer": 16, "SelfTraceOptions": 17, "OutputContext": 21, "TraceContext": 22,
        "SelfOutputContext": 23, "SelfTraceContext": 24, "NoReset": 25,
    },
    "results": {
        "Ok": 0, "BadParam": -2, "Mismatch": -3, "Overflow": -4, "NoData": -5, "NoHost": -6,
        "NoFile": -7, "DupEntry": -8, "NoMem": -10, "BadMsg": -12, "SysErr": -14, "NoBuf": -15,
        "NoSuchBuf": -16, "NullGroup": -17, "DupGroup": -18, "NoGroup": -19,
        "NotInGroup": -20, "NoInst": -21, "HostFail": -22, "NoParent": -23, "NotImpl": -24,
        "DSysErr": -25, "BadVersion": -26, "OutOfRes": -27, "DupHost": -28, "CantStart": -29,
        "Already": -30, "NoTask": -31, "NoEntry": -32, "Denied": -8, "NotFound": -32,
        "Exists": -33, "HostrNMstr": -34, "ParentNotSet": -35, "IPLoopback": -36,
    },
}  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function_takes_its_arguments_by_their_names(name):
    parameters = inspect.signature(getattr(pypvm, name)).parameters.values()
    named = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert named == FUNCTIONS[name]


@pytest.mark.parametrize("name", [*FUNCTIONS, *MORE_FUNCTIONS])
def test_function_is_there_and_documented(name):
    assert callable(getattr(pypvm, name))
    assert re.match(r"\s*[A-Z].*\.", inspect.getdoc(getattr(pypvm, name)) or "")


@pytest.mark.parametrize("name", DICTIONARIES)
def test_dictionary_has_its_keys_and_values(name):
    dictionary = getattr(pypvm, name)
    assert type(dictionary) is dict
    assert DICTIONARIES[name].items() <= dictionary.items()


def test_exception_has_codes_and_classes():
    names = [name for name in pypvm.results if name != "Ok"]
    assert pypvm.exception["Ok"] == pypvm.Ok == 0
    assert pypvm.exceptions is pypvm.exception
    for name in names:
        assert type(pypvm.exception[name]) is int
        assert pypvm.exception[name] == pypvm.results[name]
        assert issubclass(pypvm.exception[name + "Str"], pypvm.PvmError)
        assert getattr(pypvm, name + "Exception") is pypvm.exception[name + "Str"]
        assert type(getattr(pypvm, "Pvm" + name)) is int
    assert issubclass(pypvm.exception["unknownPVMerrorCodeStr"], pypvm.PvmError)
    assert len(pypvm.exception) == 1 + 2 * len(names) + 1


def test_reversed_results_give_the_names_of_today():
    names = {value: name for name, value in pypvm.results.items()}
    assert names[-8] == "Denied"
    assert names[-32] == "NotFound"


def header_constants(header):
    """Return the integer and string constants of pvm3.h by name."""
    text = re.sub(r"/\*.*?\*/", "", header.read_text(), flags=re.S)
    found = {}
    for name, value in re.findall(r"^#\s*define\s+(P[vV][mM]\w+)[ \t]+(\S+)[ \t]*$", text, re.M):
        if value.lstrip("-").isdigit():
            found[name] = int(value)
        elif value.startswith('"'):
            found[name] = value.strip('"')
        elif value in found:
            found[name] = found[value]
    return found


def test_constants_are_those_of_the_header():
    vendor = Path(__file__).parents[2] / "vendor"
    subprocess.run([vendor / "get_pvm3"], check=True, timeout=600)
    wanted = header_constants(vendor / "pvm3" / "usr" / "include" / "pvm3.h")
    wanted.pop("PVM_VER")
    wanted.pop("PVMTMPNAMLEN", None)
    assert len(wanted) > 110
    wrong = {n: v for n, v in wanted.items() if getattr(pypvm, n, None) != v}
    assert not wrong
    assert all(type(getattr(pypvm, name)) in (int, str) for name in wanted)


def test_mailbox_index_goes_into_flags_and_back():
    assert pypvm.PvmMboxMaxDirectIndex == constants.MBOX_MAX_DIRECT_INDEX == 2097152
    flags = pypvm.PvmMboxDirectIndex(1234) | pypvm.PvmMboxPersistent
    assert flags == 1234 << 10 | 1
    assert pypvm.PvmMboxDirectIndexOf(flags) == 1234
    with pytest.raises(ValueError):
        pypvm.PvmMboxDirectIndex(pypvm.PvmMboxMaxDirectIndex)


def public(module):
    return {name: value for name, value in vars(module).items() if not name.startswith("_")}


def test_old_module_names_give_the_same_objects():
    assert public(pypvm) == public(pypvm_core) == public(implementation)
    assert all(public(pypvm)[name] is public(pypvm_core)[name] for name in public(pypvm))


def test_star_import_brings_both_dialects_and_nothing_foreign():
    names: dict = {}
    exec("from pypvm_core import *", names)
    assert {"exit", "kill", "data", "delete", "pk", "upk", "Ok", "PvmTaskHost"} <= names.keys()
    assert not [name for name, value in public(pypvm).items() if inspect.ismodule(value)]
    functions = {name for name, value in public(pypvm).items() if inspect.isroutine(value)}
    assert functions - set(FUNCTIONS) - set(MORE_FUNCTIONS) == set()


@pytest.mark.parametrize("module", ["pypvm", "pypvm_core", "biskit_pvm.compat.pypvm"])
def test_star_import_takes_no_names_away(module):
    names: dict = {"__builtins__": builtins}
    exec(f"from {module} import *", names)
    assert [name for name in names if hasattr(builtins, name) and not name.startswith("__")] == ["exit"]
    new = set(MORE_FUNCTIONS) - {"PvmMboxDirectIndex", "PvmMboxDirectIndexOf"} | {"error", "exceptions"}
    assert new & names.keys() == set()
    assert set(FUNCTIONS) | set(DICTIONARIES) | {"exception", "Ok", "PvmError", "NoParentException"} <= names.keys()


def test_star_import_in_a_slave_leaves_reduce_alone():
    names: dict = {"reduce": functools.reduce}
    exec("from pypvm import *\nfound = reduce(lambda a, b: a + b, [1, 2, 3])", names)
    assert names["found"] == 6


def test_import_talks_to_nobody(vm):
    vm.halt()
    done = subprocess.run(
        [sys.executable, "-c", "import pypvm; print(pypvm.PvmTaskHost)"],
        env=vm.env, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("1\n", "")


def test_import_switches_automatic_error_messages_off(vm):
    assert vm.python("import pypvm as p; print(p.getopt(p.opt['AutoErr']))") == "0\n"


@pytest.mark.parametrize("name", ["config", "hostinfo", "narch", "mytid", "version", "getcontext"])
def test_superfluous_positional_arguments_are_ignored(session_vm, name):
    assert getattr(pypvm, name)(1, "two") == getattr(pypvm, name)()


@pytest.mark.parametrize("name", ["getrbuf", "getsbuf"])
def test_buffer_queries_refuse_arguments(name):
    with pytest.raises(TypeError):
        getattr(pypvm, name)(1)


def test_one_argument_under_two_names_is_refused():
    with pytest.raises(TypeError, match="one argument"):
        pypvm.setopt(pypvm.opt["AutoErr"], val=0, value=0)
