"""Links of the documentation lead somewhere, and every page can be reached. Tests ``docs/``."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.conftest import ROOT

_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_ANCHOR = re.compile(r'<a id="([^"]+)">')

DOCS = sorted((ROOT / "docs").rglob("*.md"))
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")] + DOCS


def text(page: Path) -> str:
    """Without code, where brackets are no links."""
    return re.sub(r"`[^`\n]*`", lambda code: code[0].replace("](", "] ("), _FENCED.sub("", page.read_text()))


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them, and its own."""
    found = set(_ANCHOR.findall(page.read_text()))
    for heading in _HEADING.findall(_FENCED.sub("", page.read_text())):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        found.add(re.sub(r"[^\w\- ]", "", plain).replace(" ", "-"))
    return found


def links(page: Path) -> list[tuple[Path, str]]:
    """Files and anchors that a page links to; addresses elsewhere are left alone."""
    found = []
    for target in _LINK.findall(text(page)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        found.append(((page.parent / path).resolve() if path else page, anchor))
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    wrong = []
    for target, anchor in links(page):
        if not target.exists() or (anchor and anchor not in anchors(target)):
            wrong.append(f"{target.relative_to(ROOT)}#{anchor}")
    assert wrong == []


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page not in reached and page.suffix == ".md" and page.is_file():
            reached.add(page)
            waiting += [target for target, _ in links(page)]
    assert [str(page.relative_to(ROOT)) for page in DOCS if page not in reached] == []


DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.stem)
def test_the_table_of_contents_has_every_decision(page: Path) -> None:
    """Who looks for a decision looks there, and finds it on no other page for sure."""
    assert page in [target for target, _ in links(ROOT / "docs" / "README.md")]


def test_a_wrong_link_is_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# One two\n[a](page.md#one-two) [b](gone.md) `[c](code.md)`\n")
    assert links(page) == [(page, "one-two"), (tmp_path / "gone.md", "")]
    assert "one-two" in anchors(page)
