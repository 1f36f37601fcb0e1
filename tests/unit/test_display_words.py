"""Window commands, names of displays, keys, and the lines of output."""

from __future__ import annotations

import os
import socket
import struct
import threading

import pytest

from biskit_pvm.machine import output
from biskit_pvm.machine import windows as display


def test_the_command_of_a_window_is_that_of_old():
    words = ["/usr/bin/python", "-i", "slave.py", "19"]
    assert display.window_command(words, "host", "me:0.0") == (
        "xterm -title host -geometry 30x10 -display me:0.0 -e /usr/bin/python -i slave.py 19".split()
    )
    assert "-hold" in display.window_command(words, "host", ":0", keep=True)


@pytest.mark.parametrize(
    ("name", "parts"),
    [(":0", ("", 0, "")), ("unix:1.2", ("", 1, ".2")), ("far:10.0", ("far", 10, ".0")), ("nonsense", None),
     ("a:b", None)],
)  # fmt: skip
def test_names_of_displays(name, parts):
    assert display.parse_display(name) == parts


def xauthority(*rows: tuple[int, bytes, bytes, bytes]) -> bytes:
    """Return the contents of a file of keys: (family, address, number, key)."""
    data = b""
    for family, address, number, key in rows:
        data += struct.pack(">H", family)
        for field in (address, number, b"MIT-MAGIC-COOKIE-1", key):
            data += struct.pack(">H", len(field)) + field
    return data


def serve(tmp_path, answer: bytes, asked: list[bytes]) -> int:
    """Answer one program like an X server; return the display's number."""
    server = socket.create_server(("127.0.0.1", 0))
    number = server.getsockname()[1] - 6000

    def talk() -> None:
        with server, server.accept()[0] as peer:
            asked.append(peer.recv(4096))
            peer.sendall(answer)

    threading.Thread(target=talk, daemon=True).start()
    return number


def test_the_right_key_is_shown_to_the_display(tmp_path):
    own = os.fsencode(socket.gethostname())
    asked: list[bytes] = []
    number = serve(tmp_path, b"\1" + bytes(7), asked)
    path = tmp_path / "keys"
    path.write_bytes(
        xauthority(
            (256, own, b"77777", b"wrong display---"),
            (256, b"other", b"%d" % number, b"wrong host------"),
            (256, own, b"%d" % number, b"the right key---"),
        )
    )
    assert display.refusal(f"localhost:{number}", {"XAUTHORITY": str(path)}) is None
    assert b"MIT-MAGIC-COOKIE-1" in asked[0]
    assert b"the right key---" in asked[0]
    assert b"wrong" not in asked[0]


def test_a_refusal_is_told_in_the_displays_words(tmp_path):
    reason = b"No protocol specified\n"
    number = serve(tmp_path, bytes([0, len(reason), 11, 0, 0, 0, 6, 0]) + reason, [])
    told = display.refusal(f"localhost:{number}", {"HOME": str(tmp_path)})
    assert told == f"the display localhost:{number} refuses us (No protocol specified)"


def test_a_display_that_is_not_there(tmp_path):
    assert "cannot be reached" in display.refusal(":4711", {"HOME": str(tmp_path)})
    assert "not the name of a display" in display.refusal("nonsense", {})


def test_no_windows_is_told_once(tmp_path):
    told: list[str] = []
    windows = display.Windows(told.append, environment={"HOME": str(tmp_path), "DISPLAY": ":4711"})
    windows.prepare(["localhost", "elsewhere"])
    assert windows.command(["python", "x"], "localhost") == ["python", "x"]
    assert windows.command(["python", "x"], "elsewhere") == ["python", "x"]
    assert len(told) == 1
    assert "DISPLAY=:4711" in told[0]
    windows.close()


def test_lines_are_put_together_from_pieces():
    lines = output.Lines()
    assert lines.feed(output.Piece(1, output.SPAWNED)) == []
    assert lines.feed(output.Piece(1, output.BEGUN)) == []
    assert lines.open == {1}
    assert lines.feed(output.Piece(1, output.DATA, b"one\ntw")) == ["one"]
    assert lines.feed(output.Piece(2, output.DATA, b"other\r\n")) == ["other"]
    assert lines.feed(output.Piece(1, output.DATA, b"o\n\nlast \xc3\xa4\xff")) == ["two", ""]
    assert lines.feed(output.Piece(1, output.ENDED)) == ["last ä\\xff"]
    assert lines.open == set()
    assert lines.feed(output.Piece(1, output.ENDED)) == []


def test_a_line_without_end_is_told_in_parts():
    lines = output.Lines()
    told = lines.feed(output.Piece(1, output.DATA, b"x" * (2 * output.LONGEST + 10)))
    assert [len(line) for line in told] == [output.LONGEST, output.LONGEST]
    assert lines.feed(output.Piece(1, output.ENDED)) == ["x" * 10]


def test_a_lost_host_is_not_waited_for():
    lines = output.Lines()
    lines.feed(output.Piece(1, output.BEGUN))
    lines.feed(output.Piece(1, output.DATA, b"half"))
    lines.lose(1)
    assert lines.open == set()
    assert lines.feed(output.Piece(1, output.ENDED)) == []
