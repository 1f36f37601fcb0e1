"""Make the pictures of the documentation: ``python docs/pictures/make.py``, as root.

A calculation runs on three computers (of `tests.cluster`), is watched in a terminal, and draws its timeline
and report, which a browser shows. All that is seen is real. What `windows.png` shows needs a screen, and was
made by hand.
"""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from rich.console import Console  # noqa: E402
from rich.text import Text  # noqa: E402

from tests.cluster.cluster import HOME, Cluster, why_not  # noqa: E402
from tests.support.terminal import Terminal  # noqa: E402

HERE = Path(__file__).parent
HOSTS = ["bach", "haydn", "mozart"]
WIDTH = 100

SLAVE = """\
import os
import time

from biskit_pvm import JobSlave


class Slave(JobSlave):
    def go(self, chunk):
        for item in chunk:
            time.sleep(0.15 + item * 37 % 10 / 25)
            if item == 170 and not os.path.exists("died"):
                open("died", "w").close()
                os._exit(1)
            if item == 190:
                raise ValueError("the energy of item 190 does not converge")
        return chunk


if __name__ == "__main__":
    Slave().start()
"""

MASTER = """\
from biskit_pvm import TrackingJobMaster


class Folding(TrackingJobMaster):
    pass


if __name__ == "__main__":
    master = Folding(
        {i: i for i in range(240)},
        chunk_size=3,
        hosts=["bach", "haydn", "mozart"] * 2,
        niceness={"default": 0},
        slave_script="folding_slave.py",
        on_error="return",
    )
    master.calculateResult()
    master.plotTimeline("timeline.png")
    master.saveReport("report.html")
"""


def main() -> None:
    """Make all pictures."""
    reason = why_not()
    if reason:
        sys.exit(reason)
    python = sys.executable
    with Cluster(HOSTS) as cluster:

        def put(name: str, text: str) -> None:
            cluster.exec(0, ["sh", "-c", f"cat > {HOME}/{name}"], input=text)

        def get(name: str) -> bytes:
            done = cluster.exec(0, ["cat", f"{HOME}/{name}"], text=False)
            assert isinstance(done.stdout, bytes)
            return done.stdout

        put("folding_slave.py", SLAVE)
        put("folding.py", MASTER)
        cluster.exec(0, [python, "-m", "biskit_pvm", "start", *HOSTS[1:]])

        def window(socket: str, *command: str) -> Terminal:
            terminal = Terminal(lambda argv: cluster.exec(0, argv).stdout, socket, [f"cd {HOME};", *command])
            terminal.resize(WIDTH, 24)
            return terminal

        run = window("/tmp/run", python, "folding.py")
        run.shows(r" \d+/240 items")
        view = window("/tmp/top", python, "-m", "biskit_pvm", "top", "--interval", "0.5")
        view.shows(r"Folding")
        run.shows(r" 1[1-3]\d/240 items", 60)
        view.shows(r" +[5-9] .*working|working", 30)
        draw("bar.svg", "python folding.py", colours(run))
        draw("top.svg", "biskit-pvm top", colours(view))
        view.press("q")
        run.shows(r"^rc=", 90)
        (HERE / "timeline.png").write_bytes(get("timeline.png"))
        page = get("report.html")
        run.close()
        view.close()
        cluster.exec(0, [python, "-m", "biskit_pvm", "halt", "--yes"])
    browse(page, HERE / "report.png")


def colours(terminal: Terminal) -> str:
    """Return what is on a screen, with its colours."""
    return terminal._do("capture-pane", "-p", "-e")


def draw(name: str, title: str, screen: str) -> None:
    """Draw a screen as a picture that needs no network."""
    lines = [line for line in screen.rstrip().splitlines()]
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text.from_ansi("\n".join(lines)))
    picture = re.sub(r"@font-face \{.*?\}", "", console.export_svg(title=title), flags=re.S)
    picture = re.sub(r"[ \t]+\n", "\n", re.sub(r"font-family: [^;]+;", "font-family: monospace;", picture))
    (HERE / name).write_text(picture)


def browse(page: bytes, picture: Path) -> None:
    """Have a browser show a page."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    assert browser, "chromium is not installed"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "report.html")
        path.write_bytes(page)
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run"]
        options += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
        options += [f"--user-data-dir={folder}/profile", "--window-size=1000,900", f"--screenshot={picture}"]
        subprocess.run([browser, *options, path.as_uri()], check=True, capture_output=True, timeout=90)


if __name__ == "__main__":
    main()
