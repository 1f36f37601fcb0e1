"""Message buffers, packing, sending, receiving, contexts, handlers and the mailbox."""

from __future__ import annotations

import array
import struct
import time

import pytest

import pvm_ext as p

from ..support import task

XDR, RAW, IN_PLACE = p.DataEncoding.DEFAULT, p.DataEncoding.RAW, p.DataEncoding.IN_PLACE

# type, values that it holds, values that it does not
TYPES = {
    "byte": ([-128, -1, 0, 127], [256, -129]),
    "short": ([-(2**15), -1, 0, 2**15 - 1], [2**15, -(2**15) - 1]),
    "ushort": ([0, 1, 2**16 - 1], [-1, 2**16]),
    "int": ([-(2**31), -1, 0, 2**31 - 1], [2**31, -(2**31) - 1]),
    "uint": ([0, 1, 2**32 - 1], [-1, 2**32]),
    "long": ([-(2**31), -1, 0, 2**31 - 1], [2**63, -(2**63) - 1]),
    "ulong": ([0, 1, 2**32 - 1], [-1, 2**64]),
    "float": ([-1.5, 0.0, 2.0**100], []),
    "double": ([-1.5, 0.0, 2.0**1000], []),
    "cplx": ([1 + 2j, -0.5j], []),
    "dcplx": ([1 + 2j, 2.0**1000 - 1j], []),
}


@pytest.fixture(autouse=True)
def clean(session_vm):
    """Start with no message queued and no active buffer."""
    while p.nrecv():
        pass
    yield
    for active in (p.setsbuf(0), p.setrbuf(0)):
        p.freebuf(active)


def to_myself(tag=1):
    p.send(p.mytid(), tag)
    return p.recv(p.mytid(), tag)


# --- packing -----------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", [XDR, RAW, p.DataEncoding.TRACE])
@pytest.mark.parametrize("name", TYPES)
def test_every_type_comes_back_as_it_was(name, encoding):
    values, _ = TYPES[name]
    p.initsend(encoding)
    if encoding == p.DataEncoding.TRACE:
        p.initsend(XDR)  # traces are packed, but unpacked only by tracers
    getattr(p, "pk" + name)(values)
    getattr(p, "pk" + name)(tuple(values * 3), stride=3)
    to_myself()
    unpack = getattr(p, "upk" + name)
    assert unpack(len(values)) == values
    assert unpack(nitem=len(values), stride=1) == (values * 3)[::3]
    with pytest.raises(p.NoDataError):
        unpack(1)


@pytest.mark.parametrize("name", TYPES)
def test_what_does_not_fit_raises_and_packs_nothing(name):
    p.initsend(RAW)
    pack = getattr(p, "pk" + name)
    for wrong in TYPES[name][1]:
        with pytest.raises(p.PvmOverflowError):
            pack([0, wrong])
    for wrong in (["a"], "ab", [None], 5):
        with pytest.raises(TypeError):
            pack(wrong)
    for stride in (0, -1):
        with pytest.raises(ValueError):
            pack([0], stride)
    assert p.bufinfo(p.getsbuf()).nbytes == 0


def test_longs_that_xdr_would_cut_raise_and_raw_carries_them():
    for pack, value in ((p.pklong, 2**31), (p.pklong, -(2**31) - 1), (p.pkulong, 2**32)):
        p.initsend(XDR)
        with pytest.raises(p.PvmOverflowError, match="4 bytes"):
            pack([1, value])
    p.initsend(RAW)
    p.pklong([2**40, -(2**63)])
    p.pkulong([2**64 - 1])
    to_myself()
    assert p.upklong(2) == [2**40, -(2**63)] and p.upkulong(1) == [2**64 - 1]


def test_buffers_of_the_right_type_are_taken_from_where_they_are():
    doubles = array.array("d", range(10))
    p.initsend(RAW)
    p.pkdouble(doubles)
    p.pkdouble(memoryview(doubles)[1::3])
    p.pkdouble(memoryview(doubles)[::-2])
    p.pkint(array.array("h", [1, 2]))
    p.pkbyte(b"bytes")
    p.pkbyte(bytearray(b"xyzuvw"), 2)
    to_myself()
    assert p.upkdouble(10) == list(range(10))
    assert p.upkdouble(3) == [1, 4, 7]
    assert p.upkdouble(5) == [9, 7, 5, 3, 1]
    assert p.upkint(2) == [1, 2]
    assert p.upkbytes(5) == b"bytes" and p.upkbytes(3) == b"xzv"


@pytest.mark.parametrize("encoding", [XDR, RAW])
def test_strings_carry_everything(encoding):
    texts = ["", "plain", "ümlaut €", "with\0nul", "\udcff", "x" * 100_000]
    p.initsend(encoding)
    for text in texts:
        p.pkstr(text)
    p.pkstr(b"\xff\0\xfe")
    to_myself()
    assert [p.upkstr() for _ in texts] == texts
    assert p.upkstr(raw=True) == b"\xff\0\xfe"
    with pytest.raises(p.NoDataError):
        p.upkstr()


def test_a_string_is_on_the_wire_what_c_makes_of_it():
    p.initsend(RAW)
    p.pkstr("abc")
    p.pkstr("a\0c")
    to_myself()
    assert p.upkbytes(16) == struct.pack("=i4si4s", 4, b"abc\0", 4, b"a\0c\0")


def test_a_string_of_a_wrong_length_raises():
    for length in (-1, 1000, 2**31 - 1):
        p.initsend(RAW)
        p.pkint([length])
        to_myself()
        with pytest.raises(p.NoDataError):
            p.upkstr()


def test_more_items_than_the_message_has_are_refused_before_memory_is_asked_for():
    p.initsend(RAW)
    p.pkint([1])
    to_myself()
    for count in (2, 2**31 - 1, 2**40):
        with pytest.raises(p.NoDataError):
            p.upkint(count)
    with pytest.raises(p.BadParamError):
        p.upkint(-1)
    with pytest.raises(ValueError):
        p.upkint(1, 0)
    assert p.upkint(0) == [] and p.upkint(1) == [1]


def test_packing_without_a_buffer_raises():
    for pack in (lambda: p.pkint([1]), lambda: p.pkstr("x"), lambda: p.send(p.mytid(), 1)):
        with pytest.raises(p.NoBufError):
            pack()
    for unpack in (lambda: p.upkint(1), lambda: p.upkstr(), lambda: p.upkbytes(1), p.upkmesg):
        with pytest.raises(p.NoBufError):
            unpack()


def test_in_place_the_data_are_kept_until_they_are_sent():
    p.initsend(IN_PLACE)
    p.pkdouble(array.array("d", range(1000)))  # nobody else holds it
    p.pkbyte(bytes(1000))
    junk = [bytearray(8000) for _ in range(100)]
    to_myself()
    assert junk and p.upkdouble(1000) == list(range(1000)) and p.upkbytes(1000) == bytes(1000)


def test_in_place_takes_no_more_pieces_than_libpvm_can_send():
    p.initsend(IN_PLACE)
    for number in range(6):
        p.pkint([number])
    with pytest.raises(p.OutOfResError, match="6 pieces"):
        p.pkint([7])
    with pytest.raises(p.NotImplError):
        p.pkstr("x")
    with pytest.raises(p.NotImplError):
        p.pkint(array.array("i", range(9)), 3)
    to_myself()
    assert p.upkint(6) == list(range(6))


def test_packf_and_unpackf_read_the_format():
    p.packf("%+ %d %*d %3.2lf %s %hd %uhd %c", RAW, 7, 2, [8, 9], [0.0, 1.0, 2.0, 3.0, 4.0], "text", -1, 65535, 5)
    to_myself()
    assert p.unpackf("%d %2d %*lf %s %hd %uhd %c", 3) == (7, [8, 9], [0.0, 2.0, 4.0], "text", -1, 65535, 5)
    for wrong in ("%q", "d", "%5", "%hhd"):
        with pytest.raises(ValueError):
            p.packf(wrong, 1)


# --- buffers -----------------------------------------------------------------------------


def test_buffers_are_made_activated_and_freed():
    first = p.initsend()
    second = p.mkbuf(RAW)
    assert p.getsbuf() == first != second
    assert p.setsbuf(second) == first
    p.pkint([1])
    assert p.setsbuf(first) == second
    assert p.bufinfo(second).nbytes == 4
    p.freebuf(second)
    for call in (p.freebuf, p.bufinfo, p.getminfo, p.setsbuf, p.setrbuf):
        with pytest.raises(p.PvmError):
            call(second)
    p.freebuf(0)
    assert p.initsend() != 0 and p.getsbuf()
    for wrong in (3, 9, -1):
        for call in (p.initsend, p.mkbuf):
            with pytest.raises(p.BadParamError):
                call(wrong)


def test_a_sent_buffer_can_be_sent_again_and_packed_further():
    p.initsend()
    p.pkint([1])
    p.send(p.mytid(), 1)
    p.pkint([2])
    p.send(p.mytid(), 2)
    p.recv(-1, 1)
    assert p.upkint(1) == [1]
    p.recv(-1, 2)
    assert p.upkint(2) == [1, 2]


def test_headers_are_read_and_changed():
    p.initsend()
    p.setminfo(p.getsbuf(), wid=77, ctx=5, tag=6)
    info = p.getminfo(p.getsbuf())
    assert (info.wid, info.ctx, info.tag, info.enc) == (77, 5, 6, 0x10000000)
    to_myself(3)
    info = p.getminfo(p.getrbuf())
    assert (info.wid, info.tag, info.src, info.dst, info.len) == (77, 3, p.mytid(), p.mytid(), 0)


def test_messages_are_packed_into_messages():
    inner = p.mkbuf(XDR)
    before = p.setsbuf(inner)
    p.pkint([42])
    p.setsbuf(before)
    p.initsend(XDR)
    p.pkmesg(inner)
    p.pkmesgbody(inner)
    to_myself()
    unpacked = p.upkmesg()
    assert p.upkint(1) == [42]
    p.setrbuf(unpacked)
    assert p.upkint(1) == [42]
    p.initsend(RAW)
    with pytest.raises(p.MismatchError):
        p.pkmesgbody(inner)
    with pytest.raises(p.BadParamError):
        p.pkmesg(p.getsbuf())
    p.freebuf(inner)


# --- sending and receiving ---------------------------------------------------------------


def test_probe_looks_and_leaves():
    assert p.probe() == 0
    p.initsend()
    p.send(p.mytid(), 5)
    while not p.probe(p.mytid(), 5):
        pass
    found = p.probe()
    assert p.bufinfo(found).tag == 5 and p.probe(-1, 6) == 0
    assert p.nrecv(p.mytid(), 5) == found


def test_a_look_that_finds_nothing_frees_the_receive_buffer():
    p.initsend()
    to_myself()
    assert p.getrbuf()
    assert p.nrecv() == 0 and p.getrbuf() == 0


def test_timed_receives_take_their_time():
    for timeout, least, most in ((0, 0, 0.1), (-1, 0, 0.1), (0.2, 0.2, 1)):
        start = time.monotonic()
        assert p.trecv(timeout=timeout) == 0
        assert least <= time.monotonic() - start < most
    with pytest.raises(ValueError):
        p.trecv(timeout=float("nan"))
    with pytest.raises(TypeError):
        p.trecv(timeout="1")


def test_messages_between_two_tasks_keep_their_order():
    p.initsend()
    for number in range(50):
        p.initsend()
        p.pkint([number])
        p.send(p.mytid(), number % 3)
    assert [p.upkint(1)[0] for _ in range(50) if p.recv()] == list(range(50))


def test_mcast_reaches_others_and_not_the_caller():
    children = task.spawn(3)
    for child in children:
        child.order("p.recv(parent, 77) and p.upkint(2)")
    p.initsend()
    p.pkint([3, 4])
    p.mcast([child.tid for child in children] + [p.mytid()], 77)
    assert [child.answer() for child in children] == [[3, 4]] * 3
    assert p.trecv(-1, 77, 0.2) == 0
    p.mcast([], 77)
    for wrong in ([0], [-5]):
        with pytest.raises(p.BadParamError):
            p.mcast(wrong, 77)
    for child in children:
        p.kill(child.tid)


def test_tids_and_tags_are_checked():
    p.initsend()
    for tid, tag in ((0, 1), (-1, 1), (p.mytid(), -1), (p.config().hosts[0].dtid, 1)):
        with pytest.raises(p.BadParamError):
            p.send(tid, tag)
    with pytest.raises(OverflowError):
        p.send(2**31, 1)
    for wrong in (1.5, "1", None):
        with pytest.raises(TypeError):
            p.send(wrong, 1)


@pytest.mark.parametrize("kind", [p.DataType.BYTE, p.DataType.INT, p.DataType.DOUBLE, p.DataType.DCPLX])
def test_psend_and_precv_leave_the_active_buffers_alone(kind):
    p.initsend()
    p.pkint([5])
    p.send(p.mytid(), 8)
    p.recv(-1, 8)
    send, receive = p.getsbuf(), p.getrbuf()
    p.psend(p.mytid(), 4, [1, 2, 3], kind)
    data, tid, tag, nbytes = p.precv(-1, 4, 2, kind)
    assert (data, tid, tag) == ([1, 2], p.mytid(), 4) and nbytes % 3 == 0
    assert (p.getsbuf(), p.getrbuf()) == (send, receive) and p.upkint(1) == [5]


def test_psend_refuses_strings_and_unknown_types():
    with pytest.raises(p.NotImplError):
        p.psend(p.mytid(), 1, [1], p.DataType.STR)
    with pytest.raises(p.BadParamError):
        p.precv(-1, 1, 1, 99)
    with pytest.raises(TypeError):
        p.psend(p.mytid(), 1, array.array("d", [1]), p.DataType.INT)


# --- contexts ----------------------------------------------------------------------------


def test_other_contexts_are_not_seen():
    fresh = p.newcontext()
    assert p.getcontext() == 0 and p.setcontext(fresh) == 0
    try:
        p.initsend()
        p.send(p.mytid(), 1)
    finally:
        assert p.setcontext(0) == fresh
    assert p.trecv(-1, -1, 0.2) == 0
    p.setcontext(fresh)
    assert p.trecv(-1, 1, 20)
    p.setcontext(0)
    p.freecontext(fresh)
    with pytest.raises(p.NotFoundError):
        p.freecontext(fresh)
    with pytest.raises(ValueError):
        p.setcontext(-1)


# --- functions of Python that libpvm calls -----------------------------------------------


def test_a_message_handler_takes_its_messages_and_may_answer():
    seen = []

    def handler(bufid):
        seen.append((p.bufinfo(bufid).tag, p.upkint(1)))
        p.setsbuf(p.mkbuf(RAW))
        p.pkint([99])
        p.send(p.mytid(), 51)
        p.send_frames(p.mytid(), 52, [b"x" * 200_000])

    number = p.addmhf(-1, 50, 0, handler)
    with pytest.raises(p.ExistsError):
        p.addmhf(-1, 50, 0, handler)
    p.initsend()
    p.pkint([7])
    p.send(p.mytid(), 50)
    assert p.trecv(-1, 51, 20) and p.upkint(1) == [99]
    assert p.recv_frames(-1, 52, 20).frames == [b"x" * 200_000]
    assert seen == [(50, [7])] and p.probe(-1, 50) == 0
    p.delmhf(number)
    p.initsend()
    p.send(p.mytid(), 50)
    assert p.trecv(-1, 50, 20)
    with pytest.raises(p.NotFoundError):
        p.delmhf(number)
    with pytest.raises(p.BadParamError):
        p.delmhf(-1)
    with pytest.raises(TypeError):
        p.addmhf(-1, 50, 0, "no function")


def test_a_handler_can_neither_receive_nor_multicast_nor_send_without_end(capsys):
    codes = []

    def handler(bufid):
        for forbidden in (p.recv, p.recv_frames, lambda: p.initsend(IN_PLACE), p.config):
            with pytest.raises(p.PvmError) as caught:
                forbidden()
            codes.append(caught.value.code)
        p.initsend()
        with pytest.raises(p.NotImplError):
            p.mcast([p.mytid()], 1)
        with pytest.raises(p.OutOfResError):
            for _ in range(100):
                p.send(p.mytid(), 53)
        raise ValueError("told on stderr")

    number = p.addmhf(-1, 50, 0, handler)
    p.initsend()
    p.send(p.mytid(), 50)
    received = [p.trecv(-1, 53, 20) for _ in range(90)]
    p.delmhf(number)
    assert all(received) and len(codes) == 4
    assert "told on stderr" in capsys.readouterr().err


def test_recvf_decides_what_is_received():
    for number in range(4):
        p.initsend()
        p.pkint([number])
        p.send(p.mytid(), number)
    while p.probe(-1, 3) == 0:
        pass
    assert p.recvf(lambda bufid, tid, tag: 1 + p.bufinfo(bufid).tag) is None
    try:
        # 1 is taken at once: the message with tag 0; then the highest
        assert [p.bufinfo(p.nrecv()).tag for _ in range(4)] == [0, 3, 2, 1]
        p.recvf(lambda bufid, tid, tag: 1 / 0)
        p.send(p.mytid(), 9)
        with pytest.raises(ZeroDivisionError):
            p.recv()
    finally:
        assert p.recvf() is not None
    assert p.trecv(-1, 9, 20)


# --- mailbox -----------------------------------------------------------------------------


def test_messages_are_put_into_the_mailbox_and_taken_out():
    p.initsend()
    p.pkint([11])
    assert p.putinfo("binding.one") == 0
    p.initsend()
    p.pkint([12])
    index = p.putinfo("binding.many", flags=p.Mbox.MULTI_INSTANCE)
    other = p.putinfo("binding.many", p.getsbuf(), p.Mbox.MULTI_INSTANCE | p.mbox_direct_index(7))
    assert (index, other) == (0, 7)
    assert p.recvinfo("binding.one") == p.getrbuf() and p.upkint(1) == [11]
    p.recvinfo("binding.many", 1, p.Mbox.FIRST_AVAIL)
    assert p.upkint(1) == [12]
    found = dict(p.getmboxinfo("binding.*"))
    assert [entry.index for entry in found["binding.many"]] == [0, 7]
    assert found["binding.one"][0].owner == p.mytid()
    assert p.mbox_direct_index_of(p.mbox_direct_index(7)) == 7
    with pytest.raises(ValueError):
        p.mbox_direct_index(2**21)
    for name, number in (("binding.one", 0), ("binding.many", 0), ("binding.many", 7)):
        p.delinfo(name, number)
    with pytest.raises(p.NotFoundError):
        p.recvinfo("binding.one")
    with pytest.raises(p.NotFoundError):
        p.delinfo("binding.one")
    assert p.getmboxinfo("binding.") == []


def test_an_entry_of_another_task_cannot_be_removed():
    (child,) = task.spawn()
    child.ask("[p.initsend(), p.putinfo('binding.mine')]")
    with pytest.raises(p.DeniedError):
        p.delinfo("binding.mine")
    p.initsend()
    with pytest.raises(p.PvmError):
        p.putinfo("binding.mine")
    p.kill(child.tid)


def test_putinfo_needs_a_buffer_that_is_not_in_place():
    with pytest.raises(p.NoBufError):
        p.putinfo("binding.none")
    p.initsend(IN_PLACE)
    with pytest.raises(p.NotImplError):
        p.putinfo("binding.none")


def test_numbers_are_stored_as_in_pvm_3_3():
    assert p.insert("binding.old", -1, 42) == 0
    assert p.insert("binding.old", 5, 43) == 5
    assert p.lookup("binding.old") == (0, 42) and p.lookup("binding.old", 5) == (5, 43)
    with pytest.raises(p.DeniedError):
        p.insert("binding.old", 5, 1)
    p.delete("binding.old", 0)
    p.delete("binding.old", 5)
    for call in (lambda: p.lookup("binding.old"), lambda: p.delete("binding.old", 5)):
        with pytest.raises(p.NotFoundError):
            call()
