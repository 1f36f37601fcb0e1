"""The documentation is built without a warning, and its links lead somewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site as bin/docs does."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html"]
    done = subprocess.run(
        [*command, "-d", str(folder / "cache"), str(ROOT / "docs"), str(folder / "html")],
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert done.returncode == 0, done.stderr
    return folder / "html"


def test_every_page_is_in_the_site(site: Path):
    pages = [p for p in (ROOT / "docs").rglob("*.md") if "_build" not in p.parts]
    for page in pages:
        assert (site / page.relative_to(ROOT / "docs")).with_suffix(".html").exists()


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.names: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if value and (name == "src" or (name == "href" and tag in ("a", "link", "script"))):
                self.found.append(value)
            if value and name == "id":
                self.names.add(value)


def test_links_within_the_site_lead_somewhere(site: Path):
    read = {}
    for page in site.rglob("*.html"):
        read[page.resolve()] = _Links()
        read[page.resolve()].feed(page.read_text(encoding="utf-8"))
    wrong = []
    for page, links in read.items():
        for link in links.found:
            path, _, anchor = link.partition("#")
            if re.match(r"[a-z]+:", link):
                continue
            target = (page.parent / path.split("?")[0]).resolve() if path else page
            if not target.exists() or (anchor and target in read and anchor not in read[target].names):
                wrong.append(f"{page.name}: {link}")
    assert wrong == []


def test_the_site_needs_no_network(site: Path):
    loaded = []
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        loaded += re.findall(r'<(?:script|img|iframe)[^>]* src="(https?:[^"]+)', text)
        loaded += re.findall(r'<link[^>]* rel="stylesheet"[^>]* href="(https?:[^"]+)', text)
    assert loaded == []


@pytest.mark.parametrize("page", ["masters", "executor", "hosts", "example", "binding"])
def test_reference_pages_have_their_content(site: Path, page: str):
    text = (site / "api" / f"{page}.html").read_text(encoding="utf-8")
    assert text.count('<dt class="sig') >= 5


def test_class_pages_name_what_is_inherited(site: Path):
    text = (site / "api" / "masters.html").read_text(encoding="utf-8")
    text = re.sub(r"<[^>]+>", "", text)
    assert re.search(r"Inherited from biskit_pvm\.PVMThread\.PVMThread: .*\bsetPingTimeout\b", text)
