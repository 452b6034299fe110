"""The table of scripts, row by row: by the words that the index has, and by the text. Tests ``events/core/text.py``."""

from __future__ import annotations

import pytest

from api.support.highlights import Wanted
from events.core.text import words
from tests.events.scripts import ROWS, Row


def indexed(asked: Wanted, said: str) -> bool:
    """Whether the index of words lets the message pass: as Postgres reads a tsquery."""
    there = words(said)
    for lexeme in asked.tsquery.split(" & "):
        word = lexeme.removesuffix(":*")[1:-1].replace("''", "'").replace("\\\\", "\\")
        if not (any(one.startswith(word) for one in there) if lexeme.endswith(":*") else word in there):
            return False
    return True


def test_the_table_is_as_wide_as_it_says() -> None:
    assert len(ROWS) >= 80 and len({row.script for row in ROWS}) >= 25 and len(set(ROWS)) == len(ROWS)


@pytest.mark.parametrize("row", ROWS, ids=[f"{row.script}: {row.asked!a} in {row.said!a}" for row in ROWS])
def test_rows(row: Row) -> None:
    asked = Wanted(row.asked)
    places = asked.highlights(row.said)
    assert (places is not None) == row.found, row.why
    # What the text has, the index must not keep from it.
    if row.found:
        assert places and indexed(asked, row.said)
