"""What shows something, and what may be a name: in scripts that need joiners and marks, and in emoji."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.core.visible_text import shows, unlike_a_name

#: Of none of these people see anything.
INVISIBLE = {
    "space": " ", "spaces": "   ", "lines": "\n\t\r\n", "no-break space": "\u00a0", "wide space": "\u3000",
    "braille without dots": "\u2800", "zero width space": "\u200b", "Hangul filler": "\u3164",
    "half-width filler": "\uffa0", "choseong filler": "\u115f", "jungseong filler": "\u1160",
    "right-to-left override": "\u202e", "isolates": "\u2066\u2069", "byte order mark": "\ufeff",
    "soft hyphen": "\u00ad", "word joiner": "\u2060", "variation selector": "\ufe0f", "tags": "\U000e0061\U000e007f",
    "a mark": "\u0301", "a mark on a space": " \u0301", "a vowel sign": "\u093f", "a joiner": "\u200d",
    "grapheme joiner": "\u034f", "bell": "\u0007", "escape": "\u001b", "next line": "\u0085", "line end": "\u2028",
    "invisible times": "\u2062", "annotation": "\ufff9\ufffb", "musical beam": "\U0001d173", "null note": "\U0001d159",
    "an object": "\ufffc", "Khitan filler": "\U00016fe4", "blank of hieroglyphs": "\U00013441\U00013442",
    "no character": "\uffff", "many": "\u200b \u2060\n\u3164\u0301\u2800" * 50,
}  # fmt: skip

#: They show something, but hide something else: two of them look alike, or turn what stands beside them.
HIDING = {
    "control": "a\u0007b", "line end": "a\nb", "tab": "a\tb", "C1 control": "a\u0085b", "line separator": "a\u2028b",
    "paragraph": "a\u2029b", "override": "a\u202eb", "embedding": "a\u202bb\u202c", "isolate": "a\u2067b\u2069",
    "right-to-left mark": "a\u200fb", "Arabic letter mark": "a\u061cb", "zero width space": "ad\u200bmin",
    "soft hyphen": "ad\u00admin", "byte order mark": "admin\ufeff", "joiner in Latin": "ad\u200dmin",
    "non-joiner at the end": "admin\u200c", "joiner before": "\u200dadmin", "two joiners": "می\u200c\u200cخ",
    "variation of nothing": "admin\ufe0f", "two variations": "☕\ufe0f\ufe0f", "tags of nothing": "a\U000e0061",
    "Hangul filler": "a\u3164", "grapheme joiner": "a\u034fb", "inherent vowel": "ក\u17b4", "no character": "a\ufdd0",
    "an object": "ad\ufffcmin", "an object at the end": "a\ufffc", "null note": "a\U0001d159b",
    "Khitan filler": "a\U00016fe4b", "blank of hieroglyphs": "a\U00013441b",
    "space before": " a", "space after": "a ", "braille without dots after": "a\u2800", "wide space before": "\u3000a",
    "a mark before": "\u0301a", "a mark on a space": "a \u0301b", "marks that pile up": "e" + "\u0301" * 99,
    "five marks": "e\u0301\u0302\u0303\u0304\u0305", "marks around a sign": "म\u0301\u093e" + "\u0301" * 4,
}  # fmt: skip

NAMES = [
    "x", "7", "Ada Lovelace", "O'Neill-Smith, Jr.", "Nguyễn", "Nguye\u0302\u0303n", "שָׁלוֹם", "محمد", "مُحَمَّدٌ",
    "می\u200cخواهم", "ශ්\u200dරී", "র\u200d্যাব", "മോഹന്\u200d", "મોહન", "မြွှေ့", "ཧཱུྃ", "ᠪᠠᠶᠢᠨ\u180eᠠ",
    "山田\u3000太郎", "葛\U000e0100城", "한글", "⠁⠙⠁⠀⠇", "☕", "☕\ufe0f", "1\ufe0f\u20e3", "👨\u200d👩\u200d👧",
    "❤\ufe0f\u200d🔥", "🧑🏽\u200d🚀", "👁\ufe0f\u200d🗨\ufe0f", "🇫🇷", "ℹ\ufe0f info", "\uf8ff", "@everyone", "-_-",
    "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
]  # fmt: skip

#: Texts may hold what names may not, if they show something.
TEXTS = [
    "x",
    " x ",
    "a\nb",
    "\u200f\u05d0",
    "\u2067\u05d0\u2069 a",
    "a\u0007",
    "\u0600",
    "e" + "\u0301" * 99,
    "👍\u200d",
]


@pytest.mark.parametrize("text", INVISIBLE.values(), ids=INVISIBLE)
def test_nothing_is_seen(text: str) -> None:
    assert not shows(text)
    assert shows(f"{text}x") and shows(f"x{text}")
    assert unlike_a_name(text)


@pytest.mark.parametrize("text", HIDING.values(), ids=HIDING)
def test_what_hides_something_is_no_name(text: str) -> None:
    assert shows(text) and unlike_a_name(text)


@pytest.mark.parametrize("text", NAMES)
def test_what_may_be_a_name(text: str) -> None:
    assert shows(text) and unlike_a_name(text) is None


@pytest.mark.parametrize("text", TEXTS)
def test_what_shows_something(text: str) -> None:
    assert shows(text)


def test_what_is_wrong_is_named_so_that_it_can_be_read() -> None:
    assert unlike_a_name("a\u202eb") == "U+202E RIGHT-TO-LEFT OVERRIDE"
    assert unlike_a_name("a\u0007b") == "U+0007"
    assert unlike_a_name("e" * 9 + "\u0301" * 5) == "more than 4 marks on one letter"


def test_letters_and_signs_show_whatever_this_unicode_knows() -> None:
    """A new emoji of Unicode 17 is none yet to an older Python; private use shows what a font makes of it."""
    assert shows("\U0001fac8") and shows("\uf8ff") and unlike_a_name("\U0001fac8") is None


@given(st.text())
def test_a_name_is_one_line_that_shows_something(text: str) -> None:
    if unlike_a_name(text) is None:
        assert shows(text) and text == text.strip() and len(text.splitlines()) == 1
        assert not any(unicodedata.category(char) in ("Cc", "Zl", "Zp", "Cs") for char in text)
        assert not any(unicodedata.bidirectional(char) in BIDI for char in text)


BIDI = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
