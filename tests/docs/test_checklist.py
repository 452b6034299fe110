"""Every line of the checklists in the reference is linked to tests that exist.
Tests ``docs/reference/s1.md`` and ``docs/reference/s2.md``."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
LISTS = sorted((ROOT / "docs" / "reference").glob("s[0-9].md"))
_LINK = re.compile(r"\[([^\]]+)\]\(\.\./\.\./(tests/[^)]+\.py)\)")


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.stem)
def test_every_line_names_a_test_that_exists(path: Path) -> None:
    lines = [line for line in path.read_text().splitlines() if line.startswith("| ") and "| --- |" not in line]
    lines = [line for line in lines if not line.endswith("| shown by |")]
    assert len(lines) > 20
    for line in lines:
        links = _LINK.findall(line)
        assert links, f"expected a test in: {line}"
        for name, file in links:
            text = (ROOT / file).read_text()
            assert file.endswith(name) or re.search(rf"^(async )?def {name}\(", text, re.MULTILINE), (
                f"{file}: no {name}"
            )


def test_there_is_a_list() -> None:
    assert LISTS
