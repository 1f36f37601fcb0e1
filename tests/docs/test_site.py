"""The documentation is built without a warning, and its links lead somewhere."""

from __future__ import annotations

import html
import inspect
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from biskit_pvm import JobMaster, PVMExecutor, TrackingJobMaster
from biskit_pvm.futures import OPTIONS
from biskit_pvm.jobs.rules import describe

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site as bin/docs does."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html"]
    done = subprocess.run(
        [*command, "-d", str(folder / "cache"), str(ROOT / "docs"), str(folder / "html")],
        capture_output=True,
        env={**os.environ, "WHO_BUILDS": "WHO_BUILDS"},
        text=True,
        timeout=110,
    )
    assert done.returncode == 0, done.stderr
    return folder / "html"


def test_every_page_is_in_the_site(site: Path):
    pages = [p for p in (ROOT / "docs").rglob("*.md") if "_build" not in p.parts]
    for page in pages:
        assert (site / page.relative_to(ROOT / "docs")).with_suffix(".html").exists()


def test_no_page_holds_the_environment_of_who_builds_it(site: Path):
    pages = [
        page for page in site.rglob("*.html") if "environ({" in page.read_text() or "WHO_BUILDS" in page.read_text()
    ]
    assert pages == []


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


def test_class_pages_name_what_is_inherited_with_links_under_a_fold(site: Path):
    text = (site / "api" / "masters.html").read_text(encoding="utf-8")
    folds = re.findall(r"<details><summary>Inherited methods</summary>(.*?)</details>", text, re.S)
    inherited = next(fold for fold in folds if "setPingTimeout" in fold)
    assert re.search(r'href="#biskit_pvm\.PVMThread\.setPingTimeout"', inherited)
    assert "from" in inherited and "biskit_pvm.PVMThread.PVMThread" in inherited


def _text(site: Path, page: str) -> str:
    text = (site / f"{page}.html").read_text(encoding="utf-8")
    return html.unescape(re.sub(r"<[^>]+>", "", text))


@pytest.mark.parametrize("kind", [JobMaster, TrackingJobMaster, PVMExecutor])
def test_the_page_of_options_has_every_argument(site: Path, kind: type):
    page = (site / "options.html").read_text(encoding="utf-8")
    rows = re.findall(r'<tr class="row-[^"]+"><td>(.*?)</td>\s*<td>.*?</td>\s*<td>(.*?)</td>', page, re.S)
    meanings = {re.sub(r"<[^>]+>", "", name): re.sub(r"<[^>]+>", "", text).strip() for name, text in rows}
    names = [name for name in inspect.signature(kind).parameters if name != "options"]
    names += [name for name, _, _ in describe()]
    assert {name: bool(meanings.get(name)) for name in names} == dict.fromkeys(names, True)


@pytest.mark.parametrize("page", ["api/masters", "api/executor"])
def test_the_reference_tells_every_option_instead_of_pointing_elsewhere(site: Path, page: str):
    text = " ".join(_text(site, page).split())
    for name, _, meaning in describe():
        if page == "api/masters" or name in OPTIONS:
            words = r"\W+".join(re.findall(r"\w+", meaning)[:5])
            assert re.search(rf"\b{name}( \([^)]*\))? \W+{words}", text, re.I), name


def test_the_page_of_variables_has_those_of_the_code(site: Path):
    pattern = r"""["'](BISKIT_PVM_[A-Z_]+|PVM_[A-Z_]+|PVMSOCK|PVMEPID)["']"""
    sources = [
        *(ROOT / "biskit_pvm").rglob("*.py"),
        *(ROOT / "pvm_ext").rglob("*.p[yx][xi]"),
        *(ROOT / "pvm_ext").rglob("*.py"),
    ]
    names = {name for path in sources for name in re.findall(pattern, path.read_text(encoding="utf-8"))}
    assert len(names) > 10
    shown = set(re.findall(r"\b[A-Z][A-Z_]+\b", _text(site, "environment")))
    assert names - shown == set()
