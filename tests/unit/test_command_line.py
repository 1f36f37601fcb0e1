"""The command line without a virtual machine: help, errors, completion, what needs no PVM."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import biskit_pvm
from biskit_pvm.cli.group import _OTHER_WORDS, COMMANDS
from biskit_pvm.cli.group import command as main
from biskit_pvm.cli.table import columns

NAMES = [name for section in COMMANDS.values() for name in section]


def _run(*args: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "biskit_pvm", *args], capture_output=True, text=True, timeout=60, **options
    )


def _every_command(group: click.Command, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], click.Command]]:
    found = [(path, group)]
    if isinstance(group, click.Group):
        context = click.Context(group)
        for name in group.list_commands(context):
            inner = group.get_command(context, name)
            assert inner is not None, name
            found += _every_command(inner, (*path, name))
    return found


EVERY = _every_command(main)


def test_every_command_of_the_help_is_there():
    assert {path[0] for path, _ in EVERY if path} == set(NAMES)


@pytest.mark.parametrize("path, command", EVERY, ids=[" ".join(p) or "main" for p, _ in EVERY])
def test_help_teaches(path: tuple[str, ...], command: click.Command):
    result = CliRunner().invoke(main, [*path, "--help"])
    assert result.exit_code == 0
    assert command.help and command.help.strip().split("\n")[0].endswith(".")
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{parameter.name} has no help"


@pytest.mark.parametrize("path, command", EVERY, ids=[" ".join(p) or "main" for p, _ in EVERY])
def test_an_unknown_option_is_a_wrong_command_line(path: tuple[str, ...], command: click.Command):
    assert CliRunner().invoke(main, [*path, "--no-such-option"]).exit_code == 2


def test_help_imports_no_tool():
    code = (
        "import sys\n"
        "from biskit_pvm.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "tools = {m for m in sys.modules if m.startswith('biskit_pvm.cli.')} - {'biskit_pvm.cli.explain'}\n"
        "print(sorted(tools), 'numpy' in sys.modules, 'rich' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "['biskit_pvm.cli.group'] False False"


def test_a_word_that_is_no_command_gets_the_nearest_one():
    done = _run("cnf")
    assert done.returncode == 2
    assert "Did you mean 'conf'?" in done.stderr


@pytest.mark.parametrize(("word", "command"), [("stop", "halt"), ("status", "conf"), ("remove", "delete")])
def test_a_word_of_other_tools_gets_the_command_that_is_meant(word: str, command: str):
    done = _run(word)
    assert done.returncode == 2
    assert f"Did you mean '{command}'?" in done.stderr


def test_words_of_other_tools_are_no_commands_and_mean_one():
    assert not _OTHER_WORDS.keys() & set(NAMES)
    assert set(_OTHER_WORDS.values()) <= set(NAMES)


def test_the_version_is_an_option_too():
    done = _run("--version")
    assert (done.returncode, done.stdout) == (0, f"biskit-pvm {biskit_pvm.__version__}\n")


@pytest.mark.parametrize("path, command", EVERY, ids=[" ".join(p) or "main" for p, _ in EVERY])
def test_help_has_a_short_name(path: tuple[str, ...], command: click.Command):
    assert CliRunner().invoke(main, [*path, "-h"]).output == CliRunner().invoke(main, [*path, "--help"]).output


@pytest.mark.parametrize("words", [["add", ""], ["delete", " "], ["start", "\n"], ["doctor", ""], ["clean", " "]])
def test_an_empty_name_of_a_host_is_a_wrong_command_line(words: list[str]):
    done = _run(*words)
    assert done.returncode == 2
    assert "the name of a host is empty" in done.stderr


def test_a_folder_that_was_deleted_is_named_as_the_cause(tmp_path: Path):
    command = f"rmdir {tmp_path}/gone && {shlex.quote(sys.executable)} -m biskit_pvm new name"
    (tmp_path / "gone").mkdir()
    done = subprocess.run(command, shell=True, cwd=tmp_path / "gone", capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr == "Error: the current folder no longer exists; change to another one\n"


@pytest.mark.parametrize("command", ["conf", "ps", "reset", "halt", "add x", "delete x"])
def test_without_a_pvmd_the_exit_code_says_so(tmp_path: Path, command: str):
    done = _run(*command.split(), env={**os.environ, "PVM_TMP": str(tmp_path), "PVM_ALLOW_ROOT": "1"})
    assert done.returncode == 3
    assert re.fullmatch(r"Error: no daemon of this user is running here.*biskit-pvm start\n", done.stderr)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_printed(shell: str):
    done = _run("--completion", shell)
    assert done.returncode == 0
    assert "_BISKIT_PVM_COMPLETE" in done.stdout


def test_completion_completes():
    done = _run(
        env={**os.environ, "_BISKIT_PVM_COMPLETE": "bash_complete", "COMP_WORDS": "biskit-pvm re", "COMP_CWORD": "1"}
    )
    assert {line.split(",")[1] for line in done.stdout.splitlines()} == {"restart", "reset"}


def test_version_tells_where_pvm_is():
    found = json.loads(_run("version", "--json").stdout)
    assert found["PVM"].startswith("3.4")
    assert Path(found["PVM_ROOT"].split(" (")[0]).is_dir()
    assert found["PVM package"]
    assert found["Python"].startswith(".".join(map(str, sys.version_info[:2])))


def test_config_prints_what_is_asked_for(tmp_path: Path):
    everything = dict(line.split(maxsplit=1) for line in _run("config").stdout.splitlines())
    assert _run("config", "--root").stdout.strip() == everything["root"]
    assert _run("config", "--cflags", "--libs").stdout.strip().endswith("-lgpvm3 -lpvm3")


def test_config_keeps_spaces_in_words(tmp_path: Path):
    root = tmp_path / "my pvm" / "lib" / "pvm3"
    for name in ("lib/pvmd", "include/pvm3.h", "lib/libpvm3.so", "lib/libgpvm3.so"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch(0o755)
    env = {**os.environ, "PVM_ROOT": str(root)}
    printed = _run("config", "--cflags", "--libs", env=env).stdout
    assert shlex.split(printed) == [
        f"-I{root}/include", f"-L{root}/lib", f"-Wl,-rpath,{root}/lib", "-lgpvm3", "-lpvm3"
    ]  # fmt: skip
    assert _run("config", "--root", env=env).stdout == f"{root}\n"


def test_config_and_console_say_what_a_pvm_lacks(tmp_path: Path):
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "pvmd").touch(0o755)
    env = {**os.environ, "PVM_ROOT": str(tmp_path)}
    config, console = _run("config", "--libs", env=env), _run("console", env=env)
    assert (config.returncode, console.returncode) == (1, 1)
    assert "has no pvm3.h" in config.stderr and "pvm-dev" in config.stderr
    assert "has no console" in console.stderr


def test_columns_are_as_wide_as_their_entries():
    assert columns(("name", "jobs"), [("a", 5), ("long name", 1234)]) == [
        "name       jobs",
        "a             5",
        "long name  1234",
    ]


def test_a_table_without_rows_is_its_heading():
    assert columns(("name", "jobs"), []) == ["name  jobs"]


@pytest.mark.skipif(os.getuid() != 0, reason="only root is refused by PVM")
def test_root_is_told_what_pvm_wants(tmp_path: Path):
    env = {name: value for name, value in os.environ.items() if name != "PVM_ALLOW_ROOT"}
    done = _run("conf", env={**env, "PVM_TMP": str(tmp_path)})
    assert done.returncode == 1
    assert done.stderr.startswith("Error: PVM refuses to run as root; ")
    assert "PVM_ALLOW_ROOT" in done.stderr
