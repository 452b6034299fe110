"""What one character means in a search: the plain letters it stands for, and what it belongs to in a text. Pure.

Made from what Unicode says of characters, with few tables for what it does not say. ``tests/events/scripts.py`` has the
scripts, and what is the same in each.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Literal

from events.core.ranges import IGNORABLE, within

Kind = Literal["word", "run", "sign", "mark", "flag", "tag", "joint", "vowel", ""]

#: Binds signs to one: families, professions.
JOINT = "\u200d"
#: Two of these are a flag; these after a sign say whose flag it is (Unicode 16, 23.9; UTS 51).
_FLAGS, TAGS = range(0x1F1E6, 0x1F200), range(0xE0020, 0xE0080)

#: Tones of skin (UTS 51).
_TONES = range(0x1F3FB, 0x1F400)

#: Blocks of scripts that put no spaces between words, or none between a word and its endings. Unicode 16, Blocks.txt.
_SPACELESS = (
    (0x0E00, 0x0EFF), (0x0F00, 0x109F), (0x1100, 0x11FF), (0x1780, 0x17FF), (0x1950, 0x19DF), (0x1A20, 0x1AAF),
    (0x1B00, 0x1B7F), (0x2E80, 0x2FDF), (0x3005, 0x3007), (0x3040, 0x31FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF),
    (0xA000, 0xA4CF), (0xA960, 0xA9FF), (0xAA60, 0xAADF), (0xAC00, 0xD7FF), (0xF900, 0xFAFF), (0x1B000, 0x1B2FF),
    (0x20000, 0x3FFFF),
)  # fmt: skip

#: Marks that combine and are no accents: the voicing of kana, which makes another sound of it, and vowels of Thai, Lao
#: and Tibetan. Those of other scripts Unicode gives the combining class 0.
_KEPT = frozenset("\u3099\u309a\u0e38\u0e39\u0eb8\u0eb9\u0f71\u0f72\u0f74\u0f7a\u0f7b\u0f7c\u0f7d\u0f80")

#: Letters that are written for one another, and that Unicode does not decompose.
_SAME = {
    # Root collation of CLDR: they differ from these as accents do.
    "æ": "ae", "œ": "oe", "ð": "d", "þ": "th", "ı": "i", "ȷ": "j",
    # Arabic: alef wasla; yeh and kaf of Persian, and heh of Urdu, which are the same letters; alef maqsura and teh
    # marbuta, which many write as yeh and heh; and the stroke that only stretches a word.
    "\u0671": "\u0627", "\u06cc": "\u064a", "\u0649": "\u064a", "\u06a9": "\u0643", "\u06c1": "\u0647",
    "\u06d5": "\u0647", "\u0629": "\u0647", "\u0640": "",
    # An apostrophe that is a letter parts words as any other does; breathings and glottal stops are often left out.
    "\u02bc": "'", "\u02bb": "", "\u02be": "", "\u02bf": "",
    # As keyboards have them. The first stands in ½, once that is decomposed.
    "\u2044": "/", "\u2212": "-",
}  # fmt: skip

#: What Unicode calls letters with a stroke, bar, hook or tail, which it does not decompose.
_VARIANT = re.compile(r"((?:LATIN|CYRILLIC) SMALL LETTER .+?) WITH ")


@lru_cache(maxsize=20_000)
def plain(char: str) -> str:
    """The character without case, accents, width and style; empty for what nobody sees.

    What binds signs, ``JOINT`` and tags, stays: the text decides.
    """
    code = ord(char)
    if char == JOINT or code in TAGS:
        return char
    if code in _TONES or within(code, IGNORABLE):
        return ""
    # Twice, as letters like U+1D400 are capitals only once they are decomposed (Unicode 3.13, D146).
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", char.casefold()).casefold())
    found = "".join(map(_letter, decomposed))
    # An accent that stands alone is a sign.
    return char if unicodedata.category(char)[0] == "S" and not found.strip() else found


def _letter(char: str) -> str:
    if char in _KEPT:
        return char
    category = unicodedata.category(char)
    if unicodedata.combining(char) or category == "Me":
        return ""
    if category == "Nd":
        return str(unicodedata.decimal(char))
    same = _SAME.get(char)
    if same is not None:
        return same
    if variant := _VARIANT.match(unicodedata.name(char, "")):
        try:
            return _letter(unicodedata.lookup(variant[1]))
        except KeyError:
            return char
    return char


@lru_cache(maxsize=20_000)
def kind(char: str) -> Kind:
    """What a folded character belongs to. ``vowel``: to the letter before it; ``flag``: with another one to a flag."""
    code, category = ord(char), unicodedata.category(char)
    if code in _FLAGS:
        return "flag"
    if code in TAGS:
        return "tag"
    if char == JOINT:
        return "joint"
    if category[0] == "S":
        return "sign" if category == "So" else "mark"
    if category[0] not in "LMN":
        return ""
    if within(code, _SPACELESS):
        return "run"
    return "vowel" if category[0] == "M" else "word"


def binds(char: str) -> bool:
    """Whether what binds signs may stand after a folded character."""
    return char != "" and kind(char) in ("sign", "tag")


@lru_cache(maxsize=20_000)
def joins(char: str) -> bool:
    """Whether NFC may make one of a character and what is before it: marks, and letters that are put together."""
    code = ord(char)
    # Vowels and finals of Hangul, vowels of Kirat Rai: NFC_Quick_Check of no other letter is Maybe (Unicode 16).
    return 0x1160 <= code <= 0x11FF or 0x16D60 <= code <= 0x16D7F or unicodedata.category(char)[0] == "M"
