"""The report of a run, opened in a real browser."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import matplotlib.image
import pytest

from biskit_pvm.report.history import DONE, FAILED, LOST, History
from biskit_pvm.report.page import Run, page
from biskit_pvm.report.timeline import OUTCOME_COLOUR

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")


def _report(path: Path) -> None:
    log = History()
    for i in range(20):
        log.add(i % 4, f"node_{i % 4}", "node", i, i + 4.0, 5, FAILED if i == 9 else DONE, "boom")
    log.add(3, "node_3", "node", 23.0, 24.0, 5, LOST, "")
    path.write_text(page(Run("Master", 0.0, 24.0, 100, 90, log.records, log.totals, {})))


def _browse(tmp_path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    assert CHROMIUM is not None
    # Without these options it would be refused to run by root, and would look for its maker's hosts.
    options = (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--enable-logging=stderr",
        f"--user-data-dir={tmp_path / 'profile'}",
        "--window-size=1200,900",
        *options,
        (tmp_path / "run.html").as_uri(),
    )
    return subprocess.run([CHROMIUM, *options], capture_output=True, text=True, timeout=90, check=True)


@pytest.mark.timeout(120)
def test_the_browser_draws_the_bars_in_their_colours(tmp_path: Path):
    _report(tmp_path / "run.html")
    done = _browse(tmp_path, f"--screenshot={tmp_path / 'run.png'}")
    assert "CONSOLE" not in done.stderr
    pixels = matplotlib.image.imread(tmp_path / "run.png")[..., :3]
    seen = {tuple(pixel) for pixel in (pixels * 255).round().astype(int).reshape(-1, 3)}
    for outcome in (DONE, FAILED, LOST):
        colour = OUTCOME_COLOUR[outcome]
        assert tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5)) in seen, outcome
