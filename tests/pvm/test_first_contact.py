"""What a newcomer types works: paths, folders, variables, threads, and hosts that are not there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

LIMIT = 60.0

SLAVE = """
import os
import time
import lookup
from biskit_pvm import JobSlave


class Slave(JobSlave):
    def go(self, chunk):
        time.sleep(0.2)  # longer than it takes to ask for the other slaves
        return {item: lookup.VALUES[item] for item in chunk}


if __name__ == "__main__":
    Slave().start()
"""

LOOKUP = """
import os
NAMES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "COLOUR")
VALUES = {"folder": os.getcwd(), **{name: os.environ.get(name) for name in NAMES}}
"""

MASTER = """
import json, os, pathlib, sys
from biskit_pvm import TrackingJobMaster
from biskit_pvm.hosts import cpus_all

if __name__ == "__main__":
    hosts = cpus_all[:1]
    data = dict.fromkeys(["folder", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "COLOUR"])
    master = TrackingJobMaster(data, 2, verbose=0, niceness={"default": 0}, **MORE)
    print(json.dumps(master.calculateResult()))
"""


@pytest.fixture
def try_out(vm, tmp_path):
    """Run a master in a folder with a space in its name, which is not the home folder."""
    folder, home = tmp_path / "my work", tmp_path / "home"
    (folder / "sub").mkdir(parents=True)
    home.mkdir()
    (folder / "slave.py").write_text(SLAVE)
    (folder / "sub" / "slave.py").write_text(SLAVE)
    for place in (folder, folder / "sub"):
        (place / "lookup.py").write_text(LOOKUP)

    def run(more, daemon=False, code=0, **variables):
        env = {k: v for k, v in vm.env.items() if not k.endswith("_NUM_THREADS")}
        env.update(HOME=str(home), **variables)
        if daemon:  # it runs already, and was started in another folder
            subprocess.run([sys.executable, "-m", "biskit_pvm", "start"], env=env, cwd=home, check=True, timeout=LIMIT)
        (folder / "master.py").write_text(MASTER.replace("MORE", more))
        done = subprocess.run(
            [sys.executable, "master.py"], cwd=folder, env=env, capture_output=True, text=True, timeout=LIMIT
        )
        assert done.returncode == code, done.stderr
        return __import__("json").loads(done.stdout) if code == 0 else done.stderr, done.stderr

    run.folder = folder
    return run


@pytest.mark.parametrize("daemon", [False, True])
@pytest.mark.parametrize(
    "script",
    ['"slave.py"', 'b"slave.py"', 'pathlib.Path("slave.py")', '"./sub/slave.py"', 'os.path.abspath("slave.py")'],
)
def test_a_slave_script_may_be_any_path_and_works_in_the_masters_folder(try_out, script, daemon):
    result, _ = try_out(f"{{'hosts': hosts, 'slave_script': {script}}}", daemon)
    assert result["folder"] == str(try_out.folder)


def test_a_slave_script_that_is_not_there_is_named(try_out):
    text, _ = try_out("{'hosts': hosts, 'slave_script': 'slaves.py'}", code=1)
    assert "there is no slave script 'slaves.py'" in text


def test_slaves_of_one_host_share_its_processors(try_out):
    from biskit_pvm.jobs.threads import usable_processors

    result, _ = try_out("{'hosts': hosts * 2, 'slave_script': 'slave.py'}")
    expected = str(max(usable_processors() // 2, 1))
    assert result["OMP_NUM_THREADS"] == result["OPENBLAS_NUM_THREADS"] == result["MKL_NUM_THREADS"] == expected


def test_threads_are_those_that_are_asked_for(try_out):
    result, _ = try_out("{'hosts': hosts, 'slave_script': 'slave.py', 'threads': 3}", OPENBLAS_NUM_THREADS="5")
    assert result["OMP_NUM_THREADS"] == "3" and result["OPENBLAS_NUM_THREADS"] == "5"
    result, _ = try_out("{'hosts': hosts, 'slave_script': 'slave.py', 'threads': 0}")
    assert result["OMP_NUM_THREADS"] is None


def test_variables_reach_the_slaves_though_the_daemon_runs_already(try_out):
    more = "{'hosts': hosts, 'slave_script': 'slave.py', 'env': {'COLOUR': 'amber', 'OMP_NUM_THREADS': '7'}}"
    result, _ = try_out(more, daemon=True)
    assert result["COLOUR"] == "amber" and result["OMP_NUM_THREADS"] == "7"


def test_hosts_that_are_missing_are_told_at_once_with_numbers_and_the_remedy(try_out):
    more = "{{'hosts': hosts + ['no-such-host'] * 2, 'slave_script': 'slave.py', 'add_hosts': 0, 'require': {!r}}}"
    result, errors = try_out(more.format("any"))
    assert result["folder"] == str(try_out.folder)
    assert "1 of 3 slaves started; none of 2 on no-such-host" in errors
    assert "biskit-pvm add no-such-host" in errors
    _, errors = try_out(more.format("all"), code=1)
    assert "CalculationError: 1 of 3 slaves started" in errors


def test_a_deleted_current_folder_is_no_hindrance(vm, tmp_path):
    slave = Path(__file__).parents[1] / "support" / "slaves" / "obedient.py"
    gone = tmp_path / "gone"
    gone.mkdir()
    code = (
        "from biskit_pvm import TrackingJobMaster; from biskit_pvm.hosts import cpus_all\n"
        f"print(TrackingJobMaster({{1: ('return', 2)}}, 1, cpus_all[:1], slave_script={str(slave)!r}, verbose=0)"
        ".calculateResult())"
    )
    script = tmp_path / "master.py"
    script.write_text(code)
    done = subprocess.run(
        ["sh", "-c", f"rmdir '{gone}'; exec '{sys.executable}' '{script}'"],
        cwd=gone,
        env=vm.env,
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )
    assert done.stdout == "{1: 2}\n", done.stderr
    assert os.getcwd()
