"""What a search costs: as many steps as its texts are long, however often its words stand there.
Tests ``api/support/highlights.py``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from types import FrameType
from typing import Any

import pytest

from api.support.highlights import BEGINNINGS, LEXEMES, Wanted
from api.support.problems import Problem
from tests.bench.scenarios.search import SIZES, WORST


def steps(work: Callable[[], object]) -> int:
    """Lines of Python that it runs."""
    count = 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


@pytest.mark.long
@pytest.mark.parametrize("title", WORST)
def test_the_steps_grow_as_the_text_does(title: str) -> None:
    asked, text = WORST[title]
    wanted = Wanted(asked)
    assert len(asked) <= 200 and [len(text(size)) for size in SIZES] == pytest.approx(SIZES, abs=2)
    wanted.highlights(text(SIZES[-1]))
    found = [steps(partial(wanted.highlights, text(size))) for size in SIZES]
    for before, after in pairwise(found):
        assert after < 2.2 * before
    # A character may be eighteen once it is folded.
    assert found[-1] < (600 if title == "letters that are many" else 60) * SIZES[-1]


@pytest.mark.parametrize(("few", "many"), [("a", " ".join("a" * 100)), ("b", "a b c d e f g h i j k l m n o p q r s")])
def test_more_words_cost_no_more_for_each_text(few: str, many: str) -> None:
    text = " ".join("abcdefghijklmnopqrs" * 50)
    one, all_ = Wanted(few), Wanted(many)
    # Both give what is found: one step more for each place that the one does not have.
    assert steps(lambda: all_.highlights(text)) < 2 * steps(lambda: one.highlights(text))


def test_words_count_once_and_are_counted() -> None:
    assert len(Wanted(" ".join(["Café", "cafe", '"cafe"'] * 10) + ".").terms) == 1
    many = " ".join(f"w{number}" for number in range(51))
    with pytest.raises(Problem, match="expected at most 50 different words and phrases, got 51: search for fewer"):
        Wanted(many)
    assert len(Wanted(many, 51).terms) == 51


@pytest.mark.parametrize(
    ("asked", "exact", "beginnings"),
    [
        ("東" * 200, 1, 0), ("".join(map(chr, range(0x4E00, 0x4E00 + 200))), LEXEMES - BEGINNINGS, 0),
        (" ".join(map(chr, range(0x4E00, 0x4E00 + 50))), 0, BEGINNINGS), (" ".join("abcdefgh" * 6), 8, 0),
        ("hello wor", 1, 1), ("北 京 hello 東京 南 西 中 wor", 2, BEGINNINGS), ("ﷺ" * 200, 4, 1),
    ],
)  # fmt: skip
def test_the_index_is_asked_for_few_words(asked: str, exact: int, beginnings: int) -> None:
    lexemes = Wanted(asked).tsquery.split(" & ")
    assert sum(lexeme.endswith(":*") for lexeme in lexemes) == beginnings
    assert len(lexemes) == len(set(lexemes)) == exact + beginnings


def test_of_many_places_the_first_are_shown() -> None:
    wanted = Wanted("a bc")
    assert wanted.highlights("a " * 500 + "bc", 3) == [(0, 1), (2, 3), (4, 5)]
    assert wanted.highlights("a " * 500, 3) is None
