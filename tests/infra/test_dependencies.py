"""What may be installed: nothing with faults that are known."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent.parent
#: The last version with a known fault in what we use, and the first without.
_MENDED = {
    "aiohttp": ("3.13.2", "3.14.0"),
    "h11": ("0.14.0", "0.16.0"),
    "nltk": ("3.9.2", "3.9.3"),
    "orjson": ("3.11.5", "3.11.6"),
    "pyjwt": ("2.10.0", "2.10.1"),
}


@pytest.mark.parametrize("name", _MENDED)
def test_versions_with_known_faults_are_not_taken(name: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = {one.name.lower(): one for one in map(Requirement, project["dependencies"])}
    bad, good = _MENDED[name]
    assert not asked[name].specifier.contains(bad) and asked[name].specifier.contains(good)
    # Ranges: what is mended later comes by itself.
    assert {one.operator for one in asked[name].specifier} == {">=", "<"}
