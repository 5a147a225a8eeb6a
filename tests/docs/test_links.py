"""No link of a page leads nowhere, and every page is reached from the README."""

import re
from pathlib import Path

from tests.docs.conftest import PAGES, ROOT, without_code

LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
MODULE = re.compile(r"`((?:player|recommender|embeddings|bench|tests|migrations)/[\w/.-]+)`")
DOTTED = re.compile(r"`(?:python -m )?((?:player|recommender|embeddings|bench)(?:\.\w+)+)`")
BARE = re.compile(r"`(\w+\.py)`")
FOLDERS = ("player", "recommender", "embeddings", "bench", "tests", "migrations")
NO_MODULES = {"player.frontends", "player.log", "player.db"}
"""The entry points' group, and files in the data folder."""


def links(page: Path) -> list[str]:
    return [link for link in LINK.findall(without_code(page.read_text("utf-8"))) if "://" not in link]


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = HEADING.findall(without_code(page.read_text("utf-8")))
    return {re.sub(r"[^\w\- ]", "", heading.casefold()).replace(" ", "-") for heading in headings}


def test_every_relative_link_resolves(page):
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{link} leads nowhere"
        assert target.is_relative_to(ROOT), f"{link} leaves the repository"
        if anchor:
            assert anchor in anchors(target), f"{link}: there is no such heading"


def test_every_page_is_reached_from_the_readme():
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page not in reached:
            reached.add(page)
            paths = [(page.parent / link.partition("#")[0]).resolve() for link in links(page)]
            waiting += [path for path in paths if path.suffix == ".md"]
    assert set(PAGES) <= reached


def test_every_file_and_module_named_is_there(page):
    text = page.read_text("utf-8")
    missing = [name for name in MODULE.findall(text) if not (ROOT / name).exists()]
    missing += [name for name in DOTTED.findall(text) if name not in NO_MODULES and not _is_there(name)]
    sources = {path.name for folder in FOLDERS for path in ROOT.glob(f"{folder}/**/*.py")}
    missing += [name for name in BARE.findall(text) if name not in sources]
    assert missing == []


def _is_there(name: str) -> bool:
    """Whether a dotted name is a module, or something that a module's text defines."""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        path = ROOT.joinpath(*parts[:count])
        source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        if source.exists():
            return all(re.search(rf"\b{part}\b", source.read_text("utf-8")) for part in parts[count:])
    return False


def test_pages_named_in_the_source_are_there():
    named = re.compile(r"\bdocs/[\w/-]+\.\w+")
    sources = [
        path for folder in ("player", "recommender", "embeddings", "bench") for path in ROOT.glob(f"{folder}/**/*.py")
    ]
    missing = {
        f"{source.relative_to(ROOT)}: {name}"
        for source in sources
        for name in named.findall(source.read_text("utf-8"))
        if not (ROOT / name).exists()
    }
    assert missing == set()
