"""The benchmarks run; how fast is no matter of tests."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.harness import Figure, Samples, Unavailable, alternate, table
from benchmarks.rows import ROWS

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(600)
def test_the_short_mode_measures_every_row(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--quick", "--json", str(file)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads(file.read_text())["figures"]
    assert len({figure["row"] for figure in figures}) >= len(ROWS)
    for figure in figures:
        assert figure["value"] is not None and figure["value"] >= 0, figure
        # Only an MPI may be missing, and then the table says so.
        assert figure["ratio"] is not None or "left out" in figure["note"] or figure["goal"] is None, figure
    assert "| what" in done.stdout


def test_the_start_of_slaves_is_measured() -> None:
    command = [sys.executable, "-m", "benchmarks.starting", "--slaves", "5", "--rounds", "1", "--numpy"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0 and "ratio: best" in done.stdout, done.stdout + done.stderr


def test_a_ratio_is_the_median_of_the_rounds() -> None:
    samples = Samples({"ours": [10.0, 30.0, 1.0], "C": [5.0, 10.0, 1.0]})
    figure = samples.compare("row", "case", "us", "ours", "C", 1.5)
    assert figure.ratio == 2.0 and figure.value == 10.0 and figure.met is False


def test_contenders_take_turns() -> None:
    order = []

    def contender(name: str) -> float:
        order.append(name)
        return 1.0

    alternate({"a": lambda: contender("a"), "b": lambda: contender("b")}, 2)
    assert order == ["a", "b", "a", "b"]


def test_what_cannot_be_measured_is_left_out_with_its_reason() -> None:
    def missing() -> float:
        raise Unavailable("there is no such thing")

    samples = alternate({"ours": lambda: 1.0, "other": missing}, 3)
    figure = samples.compare("row", "case", "us", "ours", "other", 1.5)
    assert figure.ratio is None and figure.met is None
    assert "there is no such thing" in table([figure])


@pytest.mark.parametrize("ratio, at_least, met", [(0.9, True, True), (0.7, True, False), (0.7, False, True)])
def test_a_goal_is_a_limit_from_above_or_from_below(ratio: float, at_least: bool, met: bool) -> None:
    assert Figure("row", "case", 1.0, "us", ratio=ratio, goal=0.8, at_least=at_least).met is met
