"""What the user's host file gives, and how its faults are told."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from biskit_pvm import hosts


def read(tmp_path: Path, text: str) -> hosts.Hosts:
    """Read a host file with this text."""
    path = tmp_path / "hosts.py"
    path.write_text(text)
    return hosts.read(str(path))


def failure(tmp_path: Path, text: str) -> str:
    """Return what is said of a host file, without its path."""
    with pytest.raises(hosts.HostsError) as caught:
        read(tmp_path, text)
    path, _, message = str(caught.value).partition(", ")
    assert path == str(tmp_path / "hosts.py")
    return message


def test_without_a_file_there_is_this_computer_with_its_cores(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    found = hosts.read()
    own = socket.gethostname()
    assert found.nodes_own == found.nodes_all == [own]
    assert found.cpus_all == [own] * os.cpu_count()
    assert found.nice_dic[own] == 0
    assert "default" in found.nice_dic
    assert "default" in found.ram_dic


def test_a_file_of_the_original_kind(tmp_path):
    found = read(
        tmp_path,
        "nodes_own = ['a', 'b']\ncpus_own = nodes_own * 2\n"
        "nodes_shared = ['c']\ncpus_shared = ['c'] * 8\nnodes_other = ['d']\ncpus_other = ['d']\n"
        "nodes_all = nodes_own + nodes_shared + nodes_other\ncpus_all = cpus_own + cpus_shared + cpus_other\n"
        "nice_dic = {'default': 19}\nfor h in nodes_own: nice_dic[h] = 0\nram_dic = {'default': 0.5, 'c': 64}\n",
    )
    assert found.nodes_all == ["a", "b", "c", "d"]
    assert found.cpus_all == ["a", "b", "a", "b", *"cccccccc", "d"]
    assert (found.nice_dic["a"], found.nice_dic["default"]) == (0, 19)
    assert found.ram_dic == {"default": 0.5, "c": 64}


def test_what_a_file_leaves_out_follows_from_the_rest(tmp_path):
    found = read(tmp_path, "cpus_own = ['a', 'a', 'b']\nnodes_other = ['c']\nnice_dic['b'] = 7\n")
    assert found.nodes_own == ["a", "b"]
    assert found.nodes_all == ["a", "b", "c"]
    assert found.cpus_all == ["a", "a", "b", "c"]
    assert found.nice_dic == {"default": 19, "a": 0, "b": 7, "c": 17}
    assert read(tmp_path, "nodes_shared = ['s']\n").nodes_own == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\nnodes_own = [\n", "line 2"),
        ("x = 1\n\nnodes_own = [name]\n", "line 3: NameError: name 'name' is not defined"),
        ("def f():\n    return 1 / 0\n\nf()\n", "line 2: ZeroDivisionError"),
        ("nodes_own = 'a'\n", "line 1: nodes_own must be a list of host names"),
        ("x = 1\ncpus_all = ['a', 2]\n", "line 2: cpus_all must be a list of host names"),
        ("nice_dic = {'a': 'much'}\n", "line 1: nice_dic must be a dict of numbers by host name"),
        ("raise SystemExit(3)\n", "line 1: SystemExit"),
    ],
)
def test_faults_are_told_with_their_line(tmp_path, text, message):
    assert message in failure(tmp_path, text)


def test_a_file_that_others_may_change_is_not_run(tmp_path):
    path = tmp_path / "hosts.py"
    path.write_text("raise RuntimeError('it was run')\n")
    path.chmod(0o666)
    with pytest.raises(hosts.HostsError, match="everybody may change it"):
        hosts.read(str(path))


def test_a_path_that_is_no_file(tmp_path):
    with pytest.raises(hosts.HostsError, match="cannot be read"):
        hosts.read(str(tmp_path))


def test_importing_reads_nothing_and_star_imports_everything(tmp_path):
    (tmp_path / ".biskit").mkdir()
    file = tmp_path / ".biskit" / "hosts.py"
    file.write_text("raise RuntimeError('read')\n")
    environment = {**os.environ, "HOME": str(tmp_path)}
    code = "import biskit_pvm.hosts as h\ntry: h.nodes_all\nexcept h.HostsError as e: print(e)\n"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60)
    assert done.stdout == f"{file}, line 1: RuntimeError: read\n"
    file.write_text("nodes_own = ['a']\n")
    code = "from biskit_pvm.hosts import *\nprint(nodes_own, cpus_all, nice_dic, ram_dic)\n"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60)
    assert done.stdout == "['a'] ['a'] {'default': 19, 'a': 0} {'default': 0.5}\n"
    assert done.stderr == ""


PYTHON2 = "print 'reading'\nnodes_own = ['a', 'b']\ncpus_own = nodes_own * (5 / 2)\nnice_dic.has_key('a')\n"


@pytest.fixture
def old_home(tmp_path: Path) -> dict[str, str]:
    """Give the environment of a user whose host file is written in Python 2."""
    (tmp_path / ".biskit").mkdir()
    (tmp_path / ".biskit" / "hosts.py").write_text(PYTHON2)
    return {**os.environ, "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}


def test_a_host_file_in_python_2_is_read_by_new_code_and_commands(old_home):
    pytest.importorskip("fissix")
    code = "from biskit_pvm.hosts import cpus_all; print(cpus_all)"
    for command in (["-c", code], ["-m", "biskit_pvm", "hosts", "--json"]):
        done = subprocess.run([sys.executable, *command], env=old_home, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("reading\n")
        cpus = json.loads(done.stdout.partition("\n")[2].replace("'", '"'))
        assert (cpus if isinstance(cpus, list) else cpus["cpus_own"]) == ["a", "b", "a", "b"]


@pytest.mark.parametrize("words", ["hosts", "hosts --json", "clean --all"])
def test_without_fissix_every_command_names_what_to_install(old_home, words):
    code = "import sys; sys.modules['fissix'] = None; from biskit_pvm.cli import main; main(sys.argv[1:])"
    command = [sys.executable, "-c", code, *words.split()]
    done = subprocess.run(command, env=old_home, capture_output=True, text=True, timeout=60)
    path = os.path.join(old_home["HOME"], ".biskit", "hosts.py")
    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: {path}, line 1: Missing parentheses in call to 'print'")
    assert done.stderr.endswith("; if this file is written in Python 2, install fissix: pip install fissix\n")


def test_without_fissix_an_old_script_is_told_what_to_install(old_home, tmp_path):
    script = tmp_path / "script.py"
    script.write_text("print 'hello'\n")
    code = (
        "import sys; sys.modules['fissix'] = None; from biskit_pvm.compat.python2.run import main; main(sys.argv[1:])"
    )
    command = [sys.executable, "-c", code, str(script)]
    done = subprocess.run(command, env=old_home, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    words = "Python 2 source can only be read with fissix, which is not installed: pip install fissix"
    assert done.stderr == f"biskit-pvm run: {words}\n"


def test_without_fissix_names_of_python_2_are_understood(old_home):
    Path(old_home["HOME"], ".biskit", "hosts.py").write_text("nodes_own = ['a' for i in xrange(2)]\n")
    code = "import sys; sys.modules['fissix'] = None; from biskit_pvm.hosts import nodes_own; print(nodes_own)"
    done = subprocess.run([sys.executable, "-c", code], env=old_home, capture_output=True, text=True, timeout=60)
    assert done.stdout == "['a', 'a']\n", done.stderr


def test_a_module_that_a_host_file_misses_is_named_as_such(tmp_path):
    assert "ModuleNotFoundError: No module named 'no_such_module'" in failure(tmp_path, "import no_such_module\n")


def test_another_way_to_run_a_host_file_can_be_given(tmp_path):
    path = tmp_path / "hosts.py"
    path.write_text("whatever")
    found = hosts.read(str(path), run=lambda source, path, names: names.update(nodes_own=[source.decode()]))
    assert found.nodes_own == ["whatever"]
