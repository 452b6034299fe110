"""Which file of the pages imports which: no circle, and one direction between the folders. Tests ``api/web/``."""

from __future__ import annotations

import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

_WEB = Path(__file__).resolve().parents[2] / "api" / "web"
#: The modules that the pages load, and what runs where sound is processed; everything else is there because one of them
#: needs it.
_PAGES = {"app.js", "console/app.js", "voice/app.js", "voice/capture.js"}
#: What each folder may import beside itself. The state of a client knows nothing of its views.
_MAY_IMPORT = {
    "klatsch": {"vendor"},
    "view": {"klatsch"},
    "console": {"klatsch", "view"},
    "voice": {"klatsch", "view"},
    "vendor": set(),
}
_IMPORT = re.compile(r"""\b(?:from|import)\s*\(?\s*["'](\.[^"']+)["']""")


def _imports() -> dict[str, set[str]]:
    """The files that each file imports; paths below ``api/web``."""
    found: dict[str, set[str]] = {}
    for path in _WEB.rglob("*.js"):
        targets = {(path.parent / name).resolve() for name in _IMPORT.findall(path.read_text(encoding="utf-8"))}
        found[_name(path)] = {_name(target) for target in targets}
    return found


def _name(path: Path) -> str:
    return path.relative_to(_WEB).as_posix()


def test_no_circle() -> None:
    try:
        TopologicalSorter(_imports()).prepare()
    except CycleError as error:
        pytest.fail(f"files that import each other: {' <- '.join(error.args[1])}")


def test_imports_go_in_one_direction() -> None:
    wrong = [
        f"{name} imports {target}"
        for name, targets in _imports().items()
        if name not in _PAGES
        for target in targets
        if (other := target.split("/")[0]) != (own := name.split("/")[0]) and other not in _MAY_IMPORT[own]
    ]
    assert wrong == []


def test_every_file_is_reached_from_a_page() -> None:
    imports = _imports()
    reached: set[str] = set()
    waiting = set(_PAGES)
    while waiting:
        reached |= waiting
        waiting = {target for name in waiting for target in imports[name]} - reached
    assert reached == set(imports)
