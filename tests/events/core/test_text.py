"""Text as people search for it: folding, words, and where they stand."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.core.text import WORD, fold, pairs, placed, tokens, words

#: Characters that fold to several, to none, to a neighbour's part, or differ by what is before them.
HARD = (
    "đŁı\u00ad\u200c\u2060\u0640ٱ٣🇪🇸\U000e0067½´€+\u0e38\u0e39\u0f72\u0f71\u309a"
    "aAß\u0301\u0345ᾀ한\u1112\u1161\u11abがか\u3099ﾊﾟ①ﬃΣς\u09c7\u09be\u0bc6\u0bd7İ𝐀ไทยั้\ufe0f👍🏽\u200d \n"
)
TEXT = st.text(st.sampled_from(HARD) | st.characters(exclude_categories=["Cs"]), max_size=30)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Größe", "GROSSE"), ("Ünïcode", "unicode"), ("ΟΔΟΣ", "οδος"), ("Ёлка", "елка"), ("ﬁle", "FILE"),
        ("مَرْحَبًا", "مرحبا"), ("שָׁלוֹם", "שלום"), ("ＡＢＣ１", "abc1"), ("ｶﾞｷﾞ", "ガギ"), ("한", "\u1112\u1161\u11ab"),
        ("Việt Nam", "viet nam"),
    ],
)  # fmt: skip
def test_what_is_the_same_to_who_searches(one: str, other: str) -> None:
    assert fold(one) == fold(other)


def test_voicing_marks_of_kana_are_no_accents() -> None:
    assert fold("パパ") != fold("ハハ") and fold("か\u3099") == fold("が")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Don't say 3.14 in foo_bar!", {"don", "t", "say", "3", "14", "in", "foo", "bar"}),
        ("東京都", {"東京", "京都", "都"}), ("ไทย", {"ไท", "ทย", "ย"}), ("서울에서", {"서울", "울에", "에서", "서"}),
        ("iPhone手機", {"iphone", "手機", "機"}), ("हिन्दी", {fold("हिन्दी")}), ("👩‍💻 👍🏽 ❤️", {"👩", "💻", "👍", "❤"}),
        (" \n.,;", set()), ("\u0301\ufe0f", set()), ("x" * 3000, {"x" * WORD}),
        ("a→b 5€ C++", {"a", "→", "b", "5", "€", "c", "+"}), ("a+b", {"a", "+", "b"}), ("🇪🇸🇩🇰🇪", {"🇪🇸", "🇩🇰", "🇪"}),
        ("." * 3000, set()), ("a\0é \0東", {"a", "e", "東"}), ("a b " * 40 + "x" * 70, {"a", "b", "x" * WORD}),
    ],
)  # fmt: skip
def test_words(text: str, expected: set[str]) -> None:
    assert words(text) == expected


@pytest.mark.long
@settings(max_examples=500)
@given(TEXT)
def test_places_are_those_of_the_folded_text(text: str) -> None:
    found = placed(text)
    assert found.text == fold(text) == unicodedata.normalize("NFC", found.text)
    assert len(found.starts) == len(found.ends) == len(found.text)
    assert all(0 <= start < end <= len(text) for start, end in zip(found.starts, found.ends, strict=True))
    assert found.starts == sorted(found.starts) and found.ends == sorted(found.ends)


@pytest.mark.long
@settings(max_examples=500)
@given(TEXT | st.text(st.characters(max_codepoint=127)))
def test_every_token_leaves_its_words(text: str) -> None:
    found, folded = words(text), fold(text)
    assert all(word and len(word) <= WORD for word in found)
    for token in tokens(folded):
        assert folded[token.start : token.end] == token.text
        if token.kind == "run":
            assert found >= {*pairs(token.text), token.text[-1]}
        else:
            assert token.text[:WORD] in found
    assert bool(found) == any(tokens(folded))
