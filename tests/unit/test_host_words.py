"""Host files of the daemon, names of hosts, and what is made of words of other programs."""

from __future__ import annotations

import socket
import sys

import pytest

import biskit_pvm
from biskit_pvm.machine import daemon, doctor, host_table, names, reach
from pvm_ext import HostInfo


def test_a_host_file_gets_an_address_for_this_host():
    assert daemon.own_line("", "me", None) == ""
    assert daemon.own_line("", "me", "10.0.0.1") == "me ip=10.0.0.1"
    assert daemon.own_line("other\nme sp=5 # fast", "me", "10.0.0.1") == "other\nme sp=5 ip=10.0.0.1"
    assert daemon.own_line("me ip=10.9.9.9", "me", "10.0.0.1") == "me ip=10.9.9.9"


def test_the_daemon_only_remembers_other_hosts():
    text = "# all\n* ep=/bin\nme sp=1\nother lo=x # why\n&later\n\n$there\n"
    assert daemon.set_aside(text, "me") == ["* ep=/bin", "me sp=1", "&other lo=x", "&later", "$there"]


def test_hosts_of_a_file_take_the_defaults_before_them(tmp_path):
    path = tmp_path / "hostfile"
    path.write_text(f"first\n* sp=5 lo=x\n{socket.gethostname()}\nsecond sp=7\n&later\n* \nthird\n")
    assert host_table.hosts_in_file(path) == ["first", "second sp=7 lo=x", "third"]


def host(name: str, dtid: int = 0x80000) -> HostInfo:
    """Make a host of a virtual machine."""
    return HostInfo(dtid, name, "LINUX64", 1000, 4230209)


@pytest.mark.parametrize(
    ("name", "found"),
    [("a", "a"), ("A", "a"), ("a.far.net", "a"), ("b", "b.near.net"), ("b.near.net", "b.near.net"), ("c", None),
     ("b.far.net", None), ("10", None)],
)  # fmt: skip
def test_hosts_are_found_by_short_and_full_names(name, found):
    hosts = [host("a"), host("b.near.net"), host("10.0.0.1")]
    there = names.find(name, hosts)
    assert (there.name if there else None) == found


def test_this_host_has_several_names():
    own = socket.gethostname()
    assert names.is_local(own)
    assert names.is_local("localhost")
    assert names.is_local("127.0.1.1")
    assert not names.is_local(f"not{own}")


@pytest.mark.parametrize(
    ("words", "text", "remedy"),
    [
        ("me@h: Permission denied (publickey,password).", "asks for a password", "ssh-copy-id me@h"),
        ("Host key verification failed.", "not known here", "ssh me@h true"),
        ("@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @", "not the one that is known", "ssh-keygen -R h"),
        ("ssh: connect to host h port 22: Connection refused", "no ssh server", "openssh-server"),
        ("ssh: connect to host h port 22: No route to host", "no route", "ping h"),
        ("ssh: connect to host h port 22: Connection timed out", "does not answer", "ping h"),
        ("something new", "it said: something new", "ssh -v me@h true"),
    ],
)
def test_words_of_ssh_are_explained(words, text, remedy):
    finding = doctor.explain_ssh("h", "ssh", words, "me")
    assert finding.level == doctor.ERROR
    assert text in finding.text
    assert remedy in finding.remedy


def by_subject(output: str) -> dict[str, doctor.Finding]:
    """Read what the probe printed."""
    return {finding.subject: finding for finding in doctor.read_probe("h", output)}


def test_a_good_host():
    found = by_subject(
        "probe begin\npvmd ddpro<2316> arch<LINUX64> ip<7f000001:d431> mtu<4080> dsig<4230209>\n"
        "python found\npackage 3.0\nxterm found\nprobe end\n"
    )
    assert {finding.level for finding in found.values()} == {doctor.OK}
    assert set(found) == {"PVM", "Python", "package"}


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("pvmd ddpro<2300> arch<LINUX>", "speaks version 2300"),
        ("pvmd sh: 1: exec: pvmd: not found", "not installed"),
        ("pvmd pvmd: error while loading shared libraries: libpvm3.so.3: cannot open shared object file: No such file",
         "does not start; it said: pvmd: error while loading"),
        ('pvmd *** Error: PVM is being run as user "root" ***!', "refuses to run as root"),
        ("", "it said: nothing"),
    ],
)  # fmt: skip
def test_a_daemon_that_does_not_start(line, text):
    finding = by_subject(f"probe begin\n{line}\npython found\npackage 3.0\n")["PVM"]
    assert finding.level == doctor.ERROR
    assert text in finding.text
    assert finding.remedy


def test_a_host_whose_folder_is_full_and_without_python():
    found = by_subject("probe begin\ntmp full /tmp\npvmd ddpro<2316>\npython missing\nxterm missing\n")
    assert found["files"].text == "/tmp is full"
    assert "there is no" in found["Python"].text
    assert found["xterm"].level == doctor.WARNING


def test_the_package_missing_is_told_in_pythons_words():
    said = "ModuleNotFoundError: No module named 'biskit_pvm'"
    text = f"probe begin\npvmd ddpro<2316>\npython found\n{said}\nxterm found\n"
    finding = by_subject(text)["package"]
    assert finding.level == doctor.ERROR
    assert "No module named 'biskit_pvm'" in finding.text


def test_results_are_readable():
    assert host_table.meaning(-6) == "PvmNoHost (No such host)"
    assert str(host_table.HostResult("h", -6, "PvmNoHost", "call it")) == "h: PvmNoHost (-6)\n    call it"
    assert host_table.HostResult("h", 0x80000).ok


def test_what_differs_between_hosts_is_told():
    ours = ".".join(map(str, sys.version_info[:3]))
    same = f"package {biskit_pvm.__version__}\nversion {ours}\nclock 1000\nownname 10.0.0.2 h\nhome shared /home/me"
    assert doctor.compare("h", same, 999.5, 1001.5) == []
    assert doctor.compare("h", "", 0, 1) == []
    other = "package 2.0\nversion 3.2.1\nclock 900\nownname 127.0.1.1 h\nhome other /home/me"
    found = {finding.subject: finding for finding in doctor.compare("h", other, 999.5, 1001.5)}
    assert set(found) == {"package", "Python", "clock", "name", "home"}
    assert all(finding.level == doctor.WARNING and finding.remedy for finding in found.values())
    assert "98 s behind" in found["clock"].text or "99 s behind" in found["clock"].text
    assert "ahead" in doctor.compare("h", "clock 2000", 999.5, 1001.5)[0].text


def test_what_a_firewall_drops_is_told():
    good = reach.Reach(False, False, False, True, True, True, True)
    assert [finding.level for finding in doctor.judge_network("h", good)] == [doctor.OK]
    assert doctor.judge_network("h", reach.Reach()) == []
    (udp,) = doctor.judge_network("h", good._replace(udp_here=False))
    assert udp.level == doctor.ERROR and "UDP does not arrive from h" in udp.text
    udp, tcp = doctor.judge_network("h", good._replace(udp_there=False, udp_here=False, tcp_there=False))
    assert "UDP does not arrive to h and from h" in udp.text
    assert tcp.level == doctor.WARNING and "TCP does not arrive to h on" in tcp.text
