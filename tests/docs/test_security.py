"""The security pages: every requirement of ASVS 4.0.3 of levels 1 and 2 is answered once. Links: ``test_links.py``.
Tests ``docs/security.md`` and ``docs/security-asvs.md``."""

from __future__ import annotations

import re
from collections import Counter

from tests.docs.conftest import ROOT

#: Numbers of the requirements by section, as ranges; level 3 alone is left out.
SECTIONS = """
1.1:1-7 1.2:1-4 1.4:1,4,5 1.5:1-4 1.6:1-4 1.7:1-2 1.8:1-2 1.9:1-2 1.10:1 1.11:1-2 1.12:2 1.14:1-6
2.1:1-12 2.2:1-3 2.3:1-3 2.4:1-5 2.5:1-7 2.6:1-3 2.7:1-6 2.8:1-7 2.9:1-3 2.10:1-4
3.1:1 3.2:1-4 3.3:1-4 3.4:1-5 3.5:1-3 3.7:1 4.1:1,2,3,5 4.2:1-2 4.3:1-3
5.1:1-5 5.2:1-8 5.3:1-10 5.4:1-3 5.5:1-4 6.1:1-3 6.2:1-6 6.3:1-2 6.4:1-2
7.1:1-4 7.2:1-2 7.3:1,3,4 7.4:1-3 8.1:1-4 8.2:1-3 8.3:1-8 9.1:1-3 9.2:1-4
10.2:1-2 10.3:1-3 11.1:1-8 12.1:1-3 12.2:1 12.3:1-6 12.4:1-2 12.5:1-2 12.6:1
13.1:1,3,4,5 13.2:1,2,3,5,6 13.3:1-2 13.4:1-2 14.1:1-4 14.2:1-6 14.3:2,3 14.4:1-7 14.5:1-4
"""
ANSWERS = {"yes", "part", "no", "operator", "–"}


def required() -> list[str]:
    found = []
    for section, numbers in (word.split(":") for word in SECTIONS.split()):
        for part in numbers.split(","):
            first, _, last = part.partition("-")
            found += [f"{section}.{number}" for number in range(int(first), int(last or first) + 1)]
    return found


def rows() -> list[list[str]]:
    text = (ROOT / "docs" / "security-asvs.md").read_text()
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if re.match(r"\| \d", line)]


def test_every_requirement_is_answered_once() -> None:
    assert len(required()) == 259
    answered = Counter(number.strip() for row in rows() for number in row[0].split(","))
    assert answered == Counter(required())
    assert {row[1] for row in rows()} <= ANSWERS


def test_what_is_claimed_is_shown() -> None:
    """A row that says yes says why, and the tests that it names are there."""
    assert [row[0] for row in rows() if row[1] == "yes" and not row[2]] == []
    tests = {target for row in rows() for target in re.findall(r"\]\(\.\./(tests/[^)]+)\)", row[2])}
    assert len(tests) > 20 and [test for test in tests if not (ROOT / test).is_file()] == []
