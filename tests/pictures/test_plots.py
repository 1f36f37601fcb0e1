"""Timelines and heat maps as pictures, drawn by matplotlib."""

from __future__ import annotations

from pathlib import Path

import pytest

from biskit_pvm.report.history import DONE, FAILED, LOST, JobRecord
from biskit_pvm.report.plots import plot_matrix, plot_timeline
from biskit_pvm.report.timeline import OUTCOME_COLOUR


def _record(nickname: str = "node_0", start: float = 100.0, end: float = 101.0, **more: object) -> JobRecord:
    return JobRecord(1, nickname, "node", start, end, 5)._replace(**more)


def _records() -> list[JobRecord]:
    return [
        _record("node_0", 1000.0, 1002.0),
        _record("node_1", 1000.5, 1001.0, outcome=FAILED, error="ValueError"),
        _record("node_1", 1001.0, 1004.0, outcome=LOST),
    ]


def _size(path: Path) -> tuple[int, int]:
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")


def _colours(path: Path) -> set[tuple[int, int, int]]:
    import matplotlib.image

    pixels = (matplotlib.image.imread(path)[..., :3] * 255).round().astype(int)
    return {tuple(pixel) for pixel in pixels.reshape(-1, 3)}


def _rgb(colour: str) -> tuple[int, int, int]:
    return tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))


def test_the_timeline_shows_jobs_and_faults_in_their_colours(tmp_path: Path):
    plot_timeline(_records(), tmp_path / "run.png", "Master")
    assert {_rgb(OUTCOME_COLOUR[o]) for o in (DONE, FAILED, LOST)} <= _colours(tmp_path / "run.png")


def test_the_timeline_grows_with_the_slaves_to_a_limit(tmp_path: Path):
    heights = []
    for slaves in (0, 1, 30, 500):
        plot_timeline([_record(f"n_{i}") for i in range(slaves)], tmp_path / "run.png")
        heights.append(_size(tmp_path / "run.png")[1])
    assert heights[0] == heights[1] < heights[2] < heights[3] <= 40 * 150


def test_the_ending_of_the_name_decides_the_format(tmp_path: Path):
    plot_timeline(_records(), tmp_path / "run.svg")
    assert b"<svg" in (tmp_path / "run.svg").read_bytes()


def test_a_matrix_becomes_a_heat_map(tmp_path: Path):
    plot_matrix([[0.0, 1.0], [1.0, 0.0]], tmp_path / "matrix.png", "title", "RMSD", "model")
    dark, bright = (68, 1, 84), (253, 231, 36)  # the ends of the colour scale
    assert {dark, bright} <= _colours(tmp_path / "matrix.png")
