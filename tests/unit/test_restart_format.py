"""A restart file is a pickle with a seal behind it; damage and other writers are seen."""

from __future__ import annotations

import hashlib
import json
import pickle
from pathlib import Path

import pytest

from biskit_pvm import TrackingJobMaster
from biskit_pvm.restart import format

KEY, HEADER = b"k" * 32, format.Header("x.Master", "/a/script.py", 5.0, "/a/slave.py", 7, 3)
DATA = {"master_class": TrackingJobMaster, "status_objects": {1: None}, "data": {1: "one"}}


def old_file(data: object, **changes: object) -> bytes:
    """Write a restart file as the version before did."""
    body = pickle.dumps(data, 4)
    fields = {"master": "x", "script": "", "saved": 1.0, "bytes": len(body),
              "digest": hashlib.blake2b(body, digest_size=32).hexdigest(), **changes}  # fmt: skip
    text = json.dumps(fields).encode()
    return b"biskit_pvm restart data, version 1, header of %d bytes\n%b\n%b" % (len(text), text, body)


def test_a_plain_unpickler_reads_the_file(tmp_path: Path):
    path = tmp_path / "x.rst"
    path.write_bytes(format.pack(DATA, HEADER, KEY))
    with open(path, "rb") as file:
        assert pickle.load(file) == DATA


def test_what_is_packed_is_unpacked():
    for key in (None, KEY):
        parts = format.unpack(format.pack(DATA, HEADER, key), KEY)
        assert parts.header == HEADER and pickle.loads(parts.body) == DATA
        assert parts.sealed is (key is KEY)


@pytest.mark.parametrize("key", [None, b"other" * 6])
def test_the_seal_of_somebody_else_is_none(key):
    assert not format.unpack(format.pack(DATA, HEADER, KEY), key).sealed


def test_a_seal_from_another_file_is_none():
    """Only who has the key can seal, though everybody can compute a digest."""
    good, other = format.pack(DATA, HEADER, KEY), format.pack({**DATA, "data": {1: "two"}}, HEADER)
    seal = good[-200:].split(b"seal ")[1][:64]
    place = other.rindex(b"seal ") + 5
    forged = other[:place] + seal + b", digest "
    forged += hashlib.blake2b(forged, digest_size=32).hexdigest().encode() + b"\n"
    assert not format.unpack(forged, KEY).sealed


def test_damage_of_every_byte_is_found():
    content = format.pack(DATA, HEADER, KEY)
    for place in range(len(content)):
        for changed in (content[place] ^ 1, content[place] ^ 0x20, content[place] ^ 0xFF):
            with pytest.raises(format.Damaged):
                format.unpack(content[:place] + bytes([changed]) + content[place + 1 :], KEY)


def test_a_file_that_ends_anywhere_else_is_damaged():
    content = format.pack(DATA, HEADER, KEY)
    for end in range(len(content)):
        with pytest.raises(format.Damaged):
            format.unpack(content[:end], KEY)
    with pytest.raises(format.Damaged):
        format.unpack(content + b"x", KEY)


def test_files_of_the_version_before_are_read_and_not_sealed():
    parts = format.unpack(old_file(DATA), KEY)
    assert pickle.loads(parts.body) == DATA and not parts.sealed and parts.header.items == -1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (old_file(DATA)[:-1], "cut short"),
        (old_file(DATA)[:-1] + b"x", "changed"),
        (old_file(DATA, bytes="many"), "header"),
        (old_file(DATA, saved=[]), "header"),
        (b"biskit_pvm restart data, version 1, header of 999999999 bytes\n{}", "header"),
        (b"biskit_pvm restart data, version 1, header of 100000 bytes\n" + b"[" * 100_000, "header"),
        (b"biskit_pvm restart data, version 3, header of 2 bytes\n{}\n", "newer version"),
        (b"x\nbiskit_pvm restart data, version 3, of another kind\n", "newer version"),
        (b"something else", "is no restart file"),
        (b"", "is no restart file"),
    ],
)
def test_what_cannot_be_used_is_told(content, words):
    with pytest.raises(format.Damaged, match=words):
        format.unpack(content, KEY)


def test_restart_data_are_known_by_their_ends():
    assert format.is_restart_data(old_file(DATA)[:400], b"")
    assert format.is_restart_data(b"", format.pack(DATA, HEADER)[-400:])
    assert not format.is_restart_data(pickle.dumps(DATA), pickle.dumps(DATA))


def test_each_field_of_a_master_is_saved_or_left_out_and_not_both():
    assert not set(format.FIELDS) & set(format.LEFT_OUT)
    assert set(format.TAKEN) < set(format.FIELDS)


def test_modules_of_the_version_before_are_found_where_they_are_now():
    import importlib

    for old, new in format.MOVED.items():
        assert importlib.import_module(new), old
