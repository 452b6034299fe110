"""Lines of files that tell when a day begins: as many as possible keep their time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from infra.ops.irc.days import ascending, steady
from infra.ops.irc.lines import OWN, ParsedLine, Spoken

MONDAY, TUESDAY = date(2017, 1, 2), date(2017, 1, 3)


def _said(*seconds: int) -> list[ParsedLine]:
    return [ParsedLine(Spoken("ada", "text", "hi"), second) for second in seconds]


def _kept(lines: Sequence[ParsedLine], most: int = 100) -> list[tuple[int | None, bool]]:
    return [(line.second, unfit) for line, unfit in steady(lines, most) if isinstance(line.what, Spoken)]


def test_what_is_sent_again_has_the_time_of_then() -> None:
    lines = [
        ParsedLine(OWN, 500, MONDAY),
        ParsedLine(OWN, 500),
        *_said(100, 200, 510),
        ParsedLine(OWN, None, TUESDAY),
        *_said(50),
    ]
    assert _kept(lines) == [(100, False), (200, False), (510, False), (50, False)]


def test_a_session_of_the_same_day_begins_after_the_one_before() -> None:
    lines = [ParsedLine(OWN, 100, MONDAY), *_said(110, 300), ParsedLine(OWN, 310, MONDAY), *_said(200, 305, 320)]
    assert _kept(lines) == [(110, False), (300, False), (None, True), (305, False), (320, False)]


def test_what_would_lie_behind_the_end_of_the_session_is_of_the_evening_before() -> None:
    lines = [ParsedLine(OWN, 500, MONDAY), *_said(900, 100, 510), ParsedLine(OWN, 600, MONDAY)]
    assert _kept(lines) == [(None, True), (100, False), (510, False)]


def test_a_stretch_without_end_is_looked_at_in_pieces() -> None:
    assert _kept(_said(5, 6, 1, 7), most=2) == [(5, False), (6, False), (None, True), (7, False)]


@given(st.lists(st.integers(0, 6), max_size=9))
def test_as_many_ascend_as_can(values: list[int]) -> None:
    found = ascending(values)
    kept = [values[place] for place in found]
    assert found == sorted(set(found)) and kept == sorted(kept)
    longer = combinations(values, len(found) + 1)
    assert not any(list(some) == sorted(some) for some in longer)
