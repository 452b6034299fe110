"""Search texts against texts: what is found, and where, in any script."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.support.highlights import Wanted
from api.support.problems import Problem
from events.core.text import fold


def marked(search: str, text: str) -> str | None:
    """The text with brackets around what is found; None when it is not."""
    found = Wanted(search).highlights(text)
    if found is None:
        return None
    for start, end in reversed(found):
        text = f"{text[:start]}[{text[start:end]}]{text[end:]}"
    return text


@pytest.mark.parametrize(
    ("search", "text", "expected"),
    [
        ("cafe", "Das Café hat auf", "Das [Café] hat auf"),
        ("CAFÉ", "cafe\u0301s: cafe\u0301", "[cafe\u0301]s: [cafe\u0301]"),
        ("strasse", "Die Straße!", "Die [Straße]!"), ("groß", "GROSS und groß", "[GROSS] und [groß]"),
        ("stras", "Die Straße!", "Die [Straß]e!"), ("привет", "Ну, Привет, мир", "Ну, [Привет], мир"),
        ("елка", "Новогодняя ЁЛКА", "Новогодняя [ЁЛКА]"), ("οδος", "Η ΟΔΌΣ μου", "Η [ΟΔΌΣ] μου"),
        ("مرحبا", "قال مَرْحَبًا بكم", "قال [مَرْحَبًا] بكم"), ("שלום", "אמר שָׁלוֹם לכולם", "אמר [שָׁלוֹם] לכולם"),
        ("天気", "明日の天気はどう", "明日の[天気]はどう"), ("東", "関東と東京", "関[東]と[東]京"),
        ("気", "いい天気", "いい天[気]"),
        ("カメラ", "新しいｶﾒﾗを買った", "新しい[ｶﾒﾗ]を買った"), ("かめら", "カメラ", None), ("ハハ", "パパ", None),
        ("学校", "서울 학교 學校", None), ("학교", "서울의 학교에서", "서울의 [학교]에서"),
        ("แม่", "คนไทยรักแม่มาก", "คนไทยรัก[แม่]มาก"),
        ("👍", "gut 👍🏽!", "gut [👍🏽]!"), ("💻", "👩‍💻 sitzt", "👩‍[💻] sitzt"),
        ("iphone 手", "新iPhone手機", "新[iPhone][手]機"),
        ("हिन्दी", "मैं हिन्दी बोलता", "मैं [हिन्दी] बोलता"),
    ],
)  # fmt: skip
def test_scripts(search: str, text: str, expected: str | None) -> None:
    merged = expected.replace("][", "") if expected else expected
    assert marked(search, text) == merged


@pytest.mark.parametrize(
    ("search", "text", "expected"),
    [
        ("world hello", "Hello, big World", "[Hello], big [World]"), ("hello wor", "Hello World", "[Hello] [Wor]ld"),
        ("hel wor", "Hello World", None), ("hello wor ", "Hello World", None), ("o", "Hello World", None),
        ("hello x", "Hello World", None), ('"big world"', "big big  World", "big [big  World]"),
        ('"big world"', "world big", None), ('"big wor"', "big world", None),
        ('"big world', "a big world", "a [big world]"),
        ('hello "big', "big hello", "[big] [hello]"), ('"東京 tower"', "関東京 Tower", "関[東京 Tower]"),
        ('"tower 東京"', "Tower 東京都", "[Tower 東京]都"), ('"東京都"', "京都と東京", None),
        ("東京都", "京都と東京", None),
        ("a" * 70, "a" * 80, f"[{'a' * 70}]{'a' * 10}"), ("foo-bar", "bar foo", "[bar] [foo]"),
        ("aa", "aaa aa", "[aa]a [aa]"),
    ],
)  # fmt: skip
def test_words_prefixes_and_phrases(search: str, text: str, expected: str | None) -> None:
    assert marked(search, text) == expected


@pytest.mark.parametrize("search", ["", " ", '""', "...", "-", "\u0301", "\ufe0f"])
def test_what_cannot_be_searched_for(search: str) -> None:
    with pytest.raises(Problem, match="expected a letter, a number or a sign"):
        Wanted(search)


ALPHABET = st.sampled_from("abcßÉé\u0301 東京都がｶﾞไทย한👍🏽\ufe0f'\"\\:&|!()*<>-_.")


@settings(max_examples=500)
@given(st.text(ALPHABET, max_size=20), st.integers(0, 20), st.integers(1, 20))
def test_highlights_are_places_of_the_text_and_every_text_has_itself(text: str, start: int, size: int) -> None:
    try:
        wanted = Wanted(text.replace('"', " "))
    except Problem:
        return
    found = wanted.highlights(text)
    assert found, "a text has its own words"
    assert all(0 <= a < b <= len(text) for a, b in found)
    assert all(before < after for (_, before), (after, _) in pairwise(found))
    assert all(fold(text[a:b]).strip() for a, b in found)
